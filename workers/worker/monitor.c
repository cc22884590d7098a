#include "workers/worker/monitor.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/time.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct linnet_monitor {
    struct MHD_Daemon *daemon;
    struct linnet_metrics *metrics;
    int64_t hang_ms;
    _Atomic int64_t beat_ms;
    pthread_mutex_t lock; /* over the two below */
    bool ready;
    char *body;
};

/* ---- the socket ---- */

static int split(const char *address, char host[256], char port[8]) {
    const char *colon = strrchr(address, ':');
    size_t size = colon != NULL ? (size_t)(colon - address) : 0;
    if (size == 0 || size >= 255 || strlen(colon + 1) == 0 || strlen(colon + 1) > 5) return LINNET_E_INVALID;
    bool brackets = address[0] == '[' && address[size - 1] == ']';
    snprintf(host, 256, "%.*s", (int)(brackets ? size - 2 : size), address + brackets);
    snprintf(port, 8, "%s", colon + 1);
    return 0;
}

static int bind_one(const struct addrinfo *info) {
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, info->ai_protocol),
        on = 1;
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int linnet_monitor_listen(const char *address, int *fd, struct linnet_error *err) {
    char host[256], port[8];
    if (split(address, host, port) != 0)
        return linnet_error_set(err, LINNET_E_INVALID, "\"%s\" is no ADDRESS:PORT to listen on", address);
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found;
    int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0)
        return linnet_error_set(err, LINNET_E_INVALID, "cannot listen on %s: %s", address, gai_strerror(rc));
    int made = -1;
    for (struct addrinfo *info = found; info != NULL && made < 0; info = info->ai_next)
        made = bind_one(info);
    int error = errno;
    freeaddrinfo(found);
    if (made < 0)
        return linnet_error_set(err, error == EADDRINUSE ? LINNET_E_EXISTS : LINNET_E_IO,
                                "cannot listen on %s: %s", address, strerror(error));
    *fd = made;
    return 0;
}

unsigned linnet_monitor_port(int fd) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) return 0;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

/* ---- answers (libmicrohttpd's thread) ---- */

/* Takes `text`. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              char *text, size_t size) {
    struct MHD_Response *response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(text);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, const char *type,
                                   const char *text) {
    char *copy = strdup(text);
    return copy != NULL ? answer(connection, status, type, copy, strlen(copy)) : MHD_NO;
}

static enum MHD_Result answer_metrics(struct linnet_monitor *monitor, struct MHD_Connection *connection) {
    struct linnet_buf buf = {0};
    size_t size;
    if (linnet_metrics_write(monitor->metrics, &buf) != 0 || buf.data == NULL) {
        linnet_buf_done(&buf);
        return answer_text(connection, MHD_HTTP_OK, METRICS_TYPE, "");
    }
    char *text = linnet_buf_take(&buf, &size);
    return answer(connection, MHD_HTTP_OK, METRICS_TYPE, text, size);
}

static enum MHD_Result answer_health(struct linnet_monitor *monitor, struct MHD_Connection *connection) {
    int64_t silent = linnet_time_monotonic() - atomic_load(&monitor->beat_ms);
    if (silent <= monitor->hang_ms)
        return answer_text(connection, MHD_HTTP_OK, "application/json", "{\"healthy\":true}\n");
    char text[128];
    snprintf(text, sizeof text, "{\"healthy\":false,\"reason\":\"the loop has not turned for %lld ms\"}\n",
             (long long)silent);
    return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "application/json", text);
}

static enum MHD_Result answer_ready(struct linnet_monitor *monitor, struct MHD_Connection *connection) {
    pthread_mutex_lock(&monitor->lock);
    char *text =
        strdup(monitor->body != NULL ? monitor->body : "{\"ready\":false,\"reasons\":[\"starting\"]}\n");
    bool ready = monitor->ready;
    pthread_mutex_unlock(&monitor->lock);
    if (text == NULL) return MHD_NO;
    return answer(connection, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, "application/json", text,
                  strlen(text));
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data, size_t *size,
                                  void **state) {
    struct linnet_monitor *monitor = arg;
    (void)version, (void)data;
    if (*state == NULL) { /* the headers have come; answered at the second call */
        *state = monitor;
        return MHD_YES;
    }
    if (*size > 0) { /* a body that nobody asked for */
        *size = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", "only GET\n");
    if (strcmp(url, "/metrics") == 0) return answer_metrics(monitor, connection);
    if (strcmp(url, "/healthz") == 0) return answer_health(monitor, connection);
    if (strcmp(url, "/readyz") == 0) return answer_ready(monitor, connection);
    return answer_text(connection, MHD_HTTP_NOT_FOUND, "text/plain",
                       "/metrics, /healthz and /readyz are here\n");
}

/* ---- the loop's side ---- */

int linnet_monitor_open(int fd, struct linnet_metrics *metrics, int64_t hang_ms, struct linnet_monitor **out,
                        struct linnet_error *err) {
    struct linnet_monitor *monitor = calloc(1, sizeof *monitor);
    if (monitor == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    pthread_mutex_init(&monitor->lock, NULL);
    monitor->metrics = metrics;
    monitor->hang_ms = hang_ms;
    linnet_monitor_beat(monitor);
    monitor->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL,
                                       on_request, monitor, MHD_OPTION_LISTEN_SOCKET, fd,
                                       MHD_OPTION_CONNECTION_LIMIT, 64u, MHD_OPTION_CONNECTION_TIMEOUT, 30u,
                                       MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_END);
    if (monitor->daemon == NULL) {
        linnet_monitor_close(monitor);
        return linnet_error_set(err, LINNET_E_IO, "cannot start the monitor: %s", strerror(errno));
    }
    *out = monitor;
    return 0;
}

void linnet_monitor_set_ready(struct linnet_monitor *monitor, bool ready, const json_t *body) {
    char *text = json_dumps(body, JSON_COMPACT | JSON_ENSURE_ASCII), *old;
    if (text == NULL) return;
    pthread_mutex_lock(&monitor->lock);
    old = monitor->body;
    monitor->body = text;
    monitor->ready = ready;
    pthread_mutex_unlock(&monitor->lock);
    free(old);
}

void linnet_monitor_beat(struct linnet_monitor *monitor) {
    atomic_store(&monitor->beat_ms, linnet_time_monotonic());
}

void linnet_monitor_close(struct linnet_monitor *monitor) {
    if (monitor == NULL) return;
    if (monitor->daemon != NULL) MHD_stop_daemon(monitor->daemon);
    pthread_mutex_destroy(&monitor->lock);
    free(monitor->body);
    free(monitor);
}
