#include "workers/serve/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "workers/serve/request.h"

#define SWEEP_MS       1000
#define POOL_BYTES     ((size_t)64 * 1024) /* of a connection: its head and a window of its body */
#define POOL_INCREMENT ((size_t)8 * 1024)

struct serve_http {
    struct serve_http_options options;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t due, sweep;
    struct serve_socket *sockets;
    size_t nsockets, nrequests;
    bool running; /* inside MHD_run */
    int handles;  /* open */
    void (*closed)(void *arg);
    void *closed_arg;
};

/* ---- the daemon on the loop ---- */

static void on_due(uv_timer_t *timer);

static void turn(struct serve_http *http) {
    MHD_UNSIGNED_LONG_LONG ms;
    http->running = true;
    MHD_run(http->daemon);
    http->running = false;
    if (MHD_get_timeout(http->daemon, &ms) == MHD_YES)
        uv_timer_start(&http->due, on_due, ms, 0);
    else
        uv_timer_stop(&http->due);
}

static void on_due(uv_timer_t *timer) {
    turn(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events;
    turn(poll->data);
}

void serve_http_kick(struct serve_http *http) {
    if (!http->running) uv_timer_start(&http->due, on_due, 0, 0);
}

/* ---- deadlines ---- */

void serve_socket_expect(struct serve_socket *socket, int64_t since_ms, uint64_t bytes) {
    const struct serve_http_options *options = &socket->http->options;
    socket->deadline_ms =
        since_ms + (int64_t)options->body_s * 1000 + (int64_t)(bytes * 1000 / options->rate);
}

void serve_socket_expect_head(struct serve_socket *socket) {
    socket->deadline_ms = linnet_time_monotonic() + (int64_t)socket->http->options.head_s * 1000;
}

void serve_socket_expect_nothing(struct serve_socket *socket) {
    socket->deadline_ms = 0;
}

/* Who is late is cut off: libmicrohttpd sees the end of the stream and does the rest. What has come is read
 * first: where the loop was held up (stages were opened, the machine was busy), it is we who are late. */
static void on_sweep(uv_timer_t *timer) {
    struct serve_http *http = timer->data;
    turn(http);
    int64_t now = linnet_time_monotonic();
    for (struct serve_socket *socket = http->sockets; socket != NULL; socket = socket->next) {
        if (socket->deadline_ms == 0 || socket->deadline_ms > now) continue;
        socket->deadline_ms = 0;
        shutdown(socket->fd, SHUT_RDWR);
    }
}

/* ---- connections ---- */

static void name_peer(const struct sockaddr *address, char out[64]) {
    const void *bytes = NULL;
    snprintf(out, 64, "?");
    if (address == NULL) return;
    if (address->sa_family == AF_INET) bytes = &((const struct sockaddr_in *)address)->sin_addr;
    if (address->sa_family == AF_INET6) bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (bytes != NULL) inet_ntop(address->sa_family, bytes, out, 64);
    if (strncmp(out, "::ffff:", 7) == 0 && strchr(out, '.') != NULL)
        memmove(out, out + 7, strlen(out + 7) + 1);
}

static void connection_started(struct serve_http *http, struct MHD_Connection *connection, void **context) {
    const union MHD_ConnectionInfo *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct serve_socket *socket = calloc(1, sizeof *socket);
    *context = socket;
    if (socket == NULL) return; /* its requests are refused */
    socket->http = http;
    socket->fd = fd != NULL ? fd->connect_fd : -1;
    name_peer(address != NULL ? address->client_addr : NULL, socket->address);
    serve_socket_expect_head(socket);
    socket->next = http->sockets;
    if (socket->next != NULL) socket->next->previous = socket;
    http->sockets = socket;
    http->nsockets++;
}

static void connection_closed(struct serve_http *http, void **context) {
    struct serve_socket *socket = *context;
    *context = NULL;
    if (socket == NULL) return;
    if (socket->next != NULL) socket->next->previous = socket->previous;
    if (socket->previous != NULL)
        socket->previous->next = socket->next;
    else
        http->sockets = socket->next;
    http->nsockets--;
    free(socket);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_started(arg, connection, context);
    else
        connection_closed(arg, context);
}

/* ---- requests: who does what with them is request.c's ---- */

static void *on_target(void *arg, const char *target, struct MHD_Connection *connection) {
    struct serve_http *http = arg;
    return serve_request_new(http->options.arg, connection, target);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data, size_t *size,
                                  void **context) {
    (void)arg, (void)connection, (void)url, (void)version;
    if (*context == NULL) return MHD_NO; /* out of memory */
    return serve_request_step(*context, method, data, size) ? MHD_YES : MHD_NO;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code) {
    (void)arg, (void)connection;
    if (*context != NULL) serve_request_over(*context, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    *context = NULL;
}

static void on_words(void *arg, const char *format, va_list args) {
    char text[256];
    (void)arg;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\r\n")] = '\0';
    linnet_log(LINNET_DEBUG, "http", text, NULL);
}

/* ---- opening and closing ---- */

static struct MHD_Daemon *start_daemon(struct serve_http *http) {
    const struct serve_http_options *options = &http->options;
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, http,
        MHD_OPTION_EXTERNAL_LOGGER, on_words, http, MHD_OPTION_LISTEN_SOCKET, options->fd,
        MHD_OPTION_CONNECTION_LIMIT, options->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        options->connections_per_address, MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, POOL_INCREMENT, MHD_OPTION_URI_LOG_CALLBACK, on_target, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_END);
}

int serve_http_open(const struct serve_http_options *options, struct serve_http **out,
                    struct linnet_error *err) {
    struct serve_http *http = calloc(1, sizeof *http);
    if (http != NULL) {
        http->options = *options;
        http->daemon = start_daemon(http);
    }
    if (http == NULL || http->daemon == NULL) {
        int error = errno;
        close(options->fd);
        free(http);
        return linnet_error_set(err, LINNET_E_IO, "the HTTP server does not start: %s", strerror(error));
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    http->poll.data = http->due.data = http->sweep.data = http;
    uv_poll_init(options->loop, &http->poll, info->epoll_fd);
    uv_timer_init(options->loop, &http->due);
    uv_timer_init(options->loop, &http->sweep);
    http->handles = 3;
    uv_poll_start(&http->poll, UV_READABLE, on_poll);
    uv_timer_start(&http->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    *out = http;
    return 0;
}

void serve_http_quiesce(struct serve_http *http) {
    MHD_socket fd = MHD_quiesce_daemon(http->daemon);
    if (fd != MHD_INVALID_SOCKET) close(fd);
}

size_t serve_http_connections(const struct serve_http *http) {
    return http->nsockets;
}

size_t serve_http_requests(const struct serve_http *http) {
    return http->nrequests;
}

void serve_http_count(struct serve_http *http, int change) {
    http->nrequests += (size_t)change;
}

static void on_handle_closed(uv_handle_t *handle) {
    struct serve_http *http = handle->data;
    if (--http->handles > 0) return;
    if (http->closed != NULL) http->closed(http->closed_arg);
    free(http);
}

void serve_http_close(struct serve_http *http, void (*closed)(void *arg), void *arg) {
    http->closed = closed;
    http->closed_arg = arg;
    uv_poll_stop(&http->poll);
    http->running = true;  /* no kicks any more */
    MHD_run(http->daemon); /* resumed connections leave the list of suspended ones */
    MHD_stop_daemon(http->daemon);
    uv_close((uv_handle_t *)&http->poll, on_handle_closed);
    uv_close((uv_handle_t *)&http->due, on_handle_closed);
    uv_close((uv_handle_t *)&http->sweep, on_handle_closed);
}
