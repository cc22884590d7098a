/* The small parts around the worker: its name, the monitor, the service manager's socket, MD5, the cache of
 * files. */
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/json.h"
#include "workers/worker/attachment_cache.h"
#include "workers/worker/instance.h"
#include "workers/worker/md5.h"
#include "workers/worker/monitor.h"
#include "workers/worker/notify.h"

static char folder[64];

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/linnet-small-XXXXXX");
    return mkdtemp(folder) != NULL && sodium_init() >= 0 ? 0 : -1;
}

static int remove_folder(void **state) {
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* ---- the name ---- */

static void a_name_is_kept_and_never_shared(void **state) {
    (void)state;
    char first[128], second[128], again[128];
    int a, b, c;
    struct linnet_error err;
    assert_int_equal(linnet_instance_take(folder, "host", first, sizeof first, &a, &err), 0);
    assert_int_equal(strncmp(first, "host-", 5), 0);
    assert_int_equal(linnet_instance_take(folder, "host", second, sizeof second, &b, &err), 0);
    assert_string_not_equal(first, second);
    close(a);
    assert_int_equal(linnet_instance_take(folder, "host", again, sizeof again, &c, &err), 0);
    assert_string_equal(first, again);
    close(b);
    close(c);
}

static void a_name_from_another_machine_is_not_taken(void **state) {
    (void)state;
    char path[128], name[128];
    int fd;
    struct linnet_error err;
    snprintf(path, sizeof path, "%s/workers", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/workers/0.json", folder);
    FILE *file = fopen(path, "w");
    fputs("{\"id\":\"host-stolen\",\"prefix\":\"host\",\"machine\":\"elsewhere\",\"pid\":1}", file);
    fclose(file);
    assert_int_equal(linnet_instance_take(folder, "host", name, sizeof name, &fd, &err), 0);
    assert_string_not_equal(name, "host-stolen");
    close(fd);
}

/* A supervisor that was killed leaves its child the lock for a moment: the name is worth the wait. */
static void the_name_of_a_dying_child_is_waited_for(void **state) {
    (void)state;
    char name[128] = "", again[128];
    int fd, out[2];
    struct linnet_error err;
    assert_int_equal(pipe(out), 0);
    pid_t supervisor = fork();
    if (supervisor == 0) {
        if (linnet_instance_take(folder, "host", name, sizeof name, &fd, &err) != 0) _exit(1);
        if (fork() == 0) { /* the child: holds the lock a little longer */
            usleep(300000);
            _exit(0);
        }
        _exit(write(out[1], name, sizeof name) == sizeof name ? 0 : 1);
    }
    assert_int_equal(read(out[0], name, sizeof name), sizeof name);
    assert_int_equal(waitpid(supervisor, NULL, 0), supervisor);
    close(out[0]);
    close(out[1]);
    assert_int_equal(linnet_instance_take(folder, "host", again, sizeof again, &fd, &err), 0);
    assert_string_equal(name, again);
    close(fd);
}

static void a_folder_that_cannot_be_written_is_named(void **state) {
    (void)state;
    char name[128];
    int fd;
    struct linnet_error err;
    assert_int_equal(linnet_instance_take("/proc/nowhere", "host", name, sizeof name, &fd, &err),
                     LINNET_E_IO);
    assert_non_null(strstr(err.detail, "/proc/nowhere"));
}

/* ---- the monitor ---- */

static int get(unsigned port, const char *request, char *out, size_t size) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char text[256];
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    int n = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", request);
    assert_int_equal(write(fd, text, (size_t)n), n);
    size_t have = 0;
    ssize_t got;
    while (have < size - 1 && (got = read(fd, out + have, size - 1 - have)) > 0)
        have += (size_t)got;
    out[have] = '\0';
    close(fd);
    return atoi(out + strlen("HTTP/1.1 "));
}

static void the_monitor_answers(void **state) {
    (void)state;
    int fd;
    char text[8192];
    struct linnet_error err;
    struct linnet_monitor *monitor;
    struct linnet_metrics *metrics = linnet_metrics_new();
    linnet_metric_add(linnet_metrics_counter(metrics, "linnet_things_total", "kind=\"a\"", "Things."), 3);
    assert_int_equal(linnet_monitor_listen("127.0.0.1:0", &fd, &err), 0);
    unsigned port = linnet_monitor_port(fd);
    assert_true(port > 0);
    assert_int_equal(linnet_monitor_open(fd, metrics, 60000, &monitor, &err), 0);
    assert_int_equal(get(port, "GET /metrics", text, sizeof text), 200);
    assert_non_null(strstr(text, "linnet_things_total{kind=\"a\"} 3"));
    assert_int_equal(get(port, "GET /healthz", text, sizeof text), 200);
    assert_int_equal(get(port, "GET /readyz", text, sizeof text), 503);
    json_t *body = json_pack("{s:b, s:[]}", "ready", 1, "reasons");
    linnet_monitor_set_ready(monitor, true, body);
    json_decref(body);
    assert_int_equal(get(port, "GET /readyz", text, sizeof text), 200);
    assert_non_null(strstr(text, "\"ready\":true"));
    assert_int_equal(get(port, "GET /etc/passwd", text, sizeof text), 404);
    assert_int_equal(get(port, "DELETE /metrics", text, sizeof text), 405);
    int other;
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    assert_int_equal(linnet_monitor_listen(address, &other, &err), LINNET_E_EXISTS);
    linnet_monitor_close(monitor);
    linnet_metrics_free(metrics);
}

static void a_loop_that_hangs_is_not_healthy(void **state) {
    (void)state;
    int fd;
    char text[4096];
    struct linnet_error err;
    struct linnet_monitor *monitor;
    struct linnet_metrics *metrics = linnet_metrics_new();
    assert_int_equal(linnet_monitor_listen("127.0.0.1:0", &fd, &err), 0);
    unsigned port = linnet_monitor_port(fd);
    assert_int_equal(linnet_monitor_open(fd, metrics, -1, &monitor, &err), 0); /* any silence is too long */
    assert_int_equal(get(port, "GET /healthz", text, sizeof text), 503);
    linnet_monitor_close(monitor);
    linnet_metrics_free(metrics);
}

static void addresses_that_are_none_are_refused(void **state) {
    (void)state;
    int fd;
    struct linnet_error err;
    assert_int_equal(linnet_monitor_listen("nonsense", &fd, &err), LINNET_E_INVALID);
    assert_int_equal(linnet_monitor_listen(":80", &fd, &err), LINNET_E_INVALID);
    assert_int_not_equal(linnet_monitor_listen("192.0.2.1:0", &fd, &err), 0); /* not ours */
}

/* ---- the service manager ---- */

static void the_service_manager_is_told(void **state) {
    (void)state;
    char path[108], text[256] = "";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(path, sizeof path, "%s/notify", folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(linnet_notify("READY=1"), 0);
    setenv("NOTIFY_SOCKET", path, 1);
    assert_int_equal(linnet_notify("READY=1"), 1);
    assert_int_equal(recv(fd, text, sizeof text, 0), 7);
    assert_memory_equal(text, "READY=1", 7);
    assert_int_equal(linnet_notify_status("two\nlines"), 1);
    memset(text, 0, sizeof text);
    assert_true(recv(fd, text, sizeof text, 0) > 0);
    assert_string_equal(text, "STATUS=two lines");
    assert_int_equal(linnet_notify_reloading(), 1);
    memset(text, 0, sizeof text);
    assert_true(recv(fd, text, sizeof text, 0) > 0);
    assert_non_null(strstr(text, "RELOADING=1\nMONOTONIC_USEC="));
    setenv("WATCHDOG_USEC", "60000000", 1);
    unsetenv("WATCHDOG_PID");
    assert_int_equal(linnet_notify_watchdog_ms(), 30000);
    setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
    assert_int_equal(linnet_notify_watchdog_ms(), 0);
    unsetenv("NOTIFY_SOCKET");
    close(fd);
}

/* ---- MD5 and the cache ---- */

static void md5_is_that_of_rfc_1321(void **state) {
    (void)state;
    static const struct {
        const char *text, *digest;
    } cases[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"0123456789012345678901234567890123456789012345678901234", "6e7a4fc92eb1c3f6e652425bcc8d44b5"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t digest[16];
        char hex[33];
        linnet_md5(cases[i].text, strlen(cases[i].text), digest);
        sodium_bin2hex(hex, sizeof hex, digest, 16);
        assert_string_equal(hex, cases[i].digest);
    }
}

static void only_the_right_bytes_come_into_the_cache(void **state) {
    (void)state;
    char path[PATH_MAX];
    struct linnet_error err;
    json_t *stub = json_pack("{s:s, s:i, s:s}", "digest", "md5-kAFQmDzST7DWlj99KOF/cg==", "length", 3,
                             "content_type", "application/octet-stream");
    assert_false(linnet_attachment_cached(folder, stub, path));
    assert_int_equal(linnet_attachment_cache(folder, stub, "abd", 3, &err), LINNET_E_BROKEN);
    assert_int_equal(linnet_attachment_cache(folder, stub, "ab", 2, &err), LINNET_E_BROKEN);
    assert_false(linnet_attachment_cached(folder, stub, path));
    assert_int_equal(linnet_attachment_cache(folder, stub, "abc", 3, &err), 0);
    assert_true(linnet_attachment_cached(folder, stub, path));
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 3);
    json_decref(stub);
    stub = json_pack("{s:s, s:i}", "digest", "sha-nothing", "length", 3);
    assert_false(linnet_attachment_cached(folder, stub, path));
    assert_int_equal(linnet_attachment_cache(folder, stub, "abc", 3, &err), LINNET_E_BROKEN);
    json_decref(stub);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_is_kept_and_never_shared, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_name_from_another_machine_is_not_taken, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_name_of_a_dying_child_is_waited_for, make_folder, remove_folder),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_named),
        cmocka_unit_test(the_monitor_answers),
        cmocka_unit_test(a_loop_that_hangs_is_not_healthy),
        cmocka_unit_test(addresses_that_are_none_are_refused),
        cmocka_unit_test_setup_teardown(the_service_manager_is_told, make_folder, remove_folder),
        cmocka_unit_test(md5_is_that_of_rfc_1321),
        cmocka_unit_test_setup_teardown(only_the_right_bytes_come_into_the_cache, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
