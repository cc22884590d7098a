#include "workers/worker/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/json.h"
#include "workers/worker/attachment_cache.h"

#define INSTANCES 256
#define DYING_MS  5000

static void read_line(const char *path, char *out, size_t size) {
    *out = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL) return;
    if (fgets(out, (int)size, file) == NULL) *out = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(file);
}

/* What tells this run of this machine from every other. */
static void machine(char *out, size_t size) {
    char host[65] = "", boot[64], id[64];
    gethostname(host, sizeof host - 1);
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    read_line("/etc/machine-id", id, sizeof id);
    snprintf(out, size, "%s %s %s", host, id, boot);
}

static int write_file(int fd, const char *path, const char *id, const char *prefix, const char *here,
                      struct linnet_error *err) {
    char text[512];
    json_t *made = json_pack("{s:s, s:s, s:s, s:I}", "id", id, "prefix", prefix, "machine", here, "pid",
                             (json_int_t)getpid());
    size_t n = made != NULL ? json_dumpb(made, text, sizeof text, JSON_COMPACT) : 0;
    json_decref(made);
    if (n == 0 || n > sizeof text || ftruncate(fd, 0) != 0 || pwrite(fd, text, n, 0) != (ssize_t)n)
        return linnet_error_set(err, LINNET_E_IO, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

/* Read the name in a locked file, or give it a new one; say that it is ours now. */
static int name_of(int fd, const char *path, const char *prefix, char *out, size_t size,
                   struct linnet_error *err) {
    char here[256], random[9];
    uint8_t bytes[4];
    json_t *file = NULL;
    machine(here, sizeof here);
    linnet_json_load_file(path, 4096, &file, NULL);
    const char *id = linnet_json_string(file, "id", "");
    if (*id != '\0' && strcmp(linnet_json_string(file, "machine", ""), here) == 0 &&
        strcmp(linnet_json_string(file, "prefix", ""), prefix) == 0) {
        snprintf(out, size, "%s", id);
    } else {
        randombytes_buf(bytes, sizeof bytes);
        sodium_bin2hex(random, sizeof random, bytes, sizeof bytes);
        snprintf(out, size, "%s-%s", prefix, random);
    }
    json_decref(file);
    return write_file(fd, path, out, prefix, here, err);
}

/* Lock it. Where the supervisor that wrote it is dead and only its child still holds the lock, the child is
 * about to die, too: that is waited for, because a new name would have to wait for the old one's leases. */
static bool lock(int fd, const char *path) {
    for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += 10) {
        json_t *file = NULL;
        linnet_json_load_file(path, 4096, &file, NULL);
        pid_t pid = (pid_t)linnet_json_integer(file, "pid", 0);
        json_decref(file);
        if (pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH || waited >= DYING_MS) return false;
        usleep(10000);
    }
    return true;
}

int linnet_instance_take(const char *state_dir, const char *prefix, char *out, size_t size, int *fd,
                         struct linnet_error *err) {
    char folder[PATH_MAX], path[PATH_MAX + 32];
    if (snprintf(folder, sizeof folder, "%s/workers", state_dir) >= (int)sizeof folder)
        return linnet_error_set(err, LINNET_E_LIMIT, "state_dir is too long");
    int rc = linnet_folder_make(folder, err);
    if (rc != 0) return linnet_error_prefix(err, "state_dir");
    for (int i = 0; i < INSTANCES; i++) {
        snprintf(path, sizeof path, "%s/%d.json", folder, i);
        int made = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (made < 0)
            return linnet_error_set(err, LINNET_E_IO, "cannot open %s: %s; set state_dir to a folder of ours",
                                    path, strerror(errno));
        if (!lock(made, path)) {
            close(made);
            continue; /* another worker of this machine */
        }
        rc = name_of(made, path, prefix, out, size, err);
        if (rc != 0) {
            close(made);
            return rc;
        }
        *fd = made;
        return 0;
    }
    return linnet_error_set(err, LINNET_E_LIMIT, "%d workers run in %s already", INSTANCES, state_dir);
}
