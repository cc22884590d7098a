#include "tests/unit/couch/fake_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/unit/test.h"

#include "common/base/buf.h"

enum { MOST = 256 };

struct reply {
    struct linnet_buf bytes;
    bool drip;
    enum fake_end end;
};

struct connection {
    struct connection *next;
    struct fake_server *server;
    uv_tcp_t tcp;
    struct linnet_buf input;
    bool closing;
};

struct fake_server {
    uv_loop_t *loop;
    uv_tcp_t tcp;
    char url[128];
    int port;
    struct reply replies[MOST];
    size_t nreplies, given;
    char *requests[MOST];
    size_t nrequests, nconnections;
    struct connection *connections;
    unsigned handles;
    bool freed;
};

struct sending {
    uv_write_t write;
    struct connection *connection;
    const struct reply *reply;
    size_t at; /* how much of the reply was handed over, this write included */
};

static void maybe_free(struct fake_server *server) {
    if (!server->freed || server->handles) return;
    for (size_t i = 0; i < server->nreplies; i++)
        linnet_buf_done(&server->replies[i].bytes);
    for (size_t i = 0; i < server->nrequests; i++)
        free(server->requests[i]);
    free(server);
}

static void on_connection_closed(uv_handle_t *handle) {
    struct connection *connection = handle->data;
    struct fake_server *server = connection->server;
    struct connection **link = &server->connections;
    while (*link != connection)
        link = &(*link)->next;
    *link = connection->next;
    linnet_buf_done(&connection->input);
    free(connection);
    server->handles--;
    maybe_free(server);
}

static void close_connection(struct connection *connection, bool reset) {
    if (connection->closing) return;
    connection->closing = true;
    if (!reset || uv_tcp_close_reset(&connection->tcp, on_connection_closed))
        uv_close((uv_handle_t *)&connection->tcp, on_connection_closed);
}

static void send_next(struct sending *sending);

static void end_reply(struct connection *connection, const struct reply *reply) {
    if (reply->end == FAKE_CLOSE || reply->end == FAKE_RESET)
        close_connection(connection, reply->end == FAKE_RESET);
}

static void on_written(uv_write_t *write, int status) {
    struct sending *sending = write->data;
    struct connection *connection = sending->connection;
    const struct reply *reply = sending->reply;
    if (status == 0 && sending->at < reply->bytes.size && !connection->closing) {
        send_next(sending);
        return;
    }
    free(sending);
    if (status)
        close_connection(connection, false);
    else
        end_reply(connection, reply);
}

static void send_next(struct sending *sending) {
    const struct reply *reply = sending->reply;
    size_t size = reply->drip ? 1 : reply->bytes.size - sending->at;
    uv_buf_t buf = uv_buf_init(reply->bytes.data + sending->at, (unsigned)size);
    sending->at += size;
    sending->write.data = sending;
    assert_int_equal(uv_write(&sending->write, (uv_stream_t *)&sending->connection->tcp, &buf, 1, on_written),
                     0);
}

/* A request is whole once its headers are and as much of a body as they say. */
static size_t whole_request(const struct linnet_buf *input) {
    const char *end = input->data ? strstr(input->data, "\r\n\r\n") : NULL;
    if (!end) return 0;
    size_t size = (size_t)(end - input->data) + 4;
    const char *length = strcasestr(input->data, "\r\nContent-Length:");
    if (length && length < end) size += strtoul(length + 17, NULL, 10);
    return size <= input->size ? size : 0;
}

static void answer(struct connection *connection) {
    struct fake_server *server = connection->server;
    size_t size;
    while (!connection->closing && (size = whole_request(&connection->input)) > 0) {
        assert_true(server->nrequests < MOST);
        server->requests[server->nrequests++] = strndup(connection->input.data, size);
        linnet_buf_consume(&connection->input, size);
        if (server->given == server->nreplies) return; /* nothing was planned: it hangs */
        const struct reply *reply = &server->replies[server->given++];
        if (!reply->bytes.size) {
            end_reply(connection, reply);
            continue;
        }
        struct sending *sending = calloc(1, sizeof *sending);
        assert_non_null(sending);
        sending->connection = connection;
        sending->reply = reply;
        send_next(sending);
    }
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    (void)handle;
    static char room[65536];
    (void)suggested;
    *buf = uv_buf_init(room, sizeof room);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf) {
    struct connection *connection = stream->data;
    if (size < 0) {
        close_connection(connection, false);
    } else if (size > 0) {
        assert_int_equal(linnet_buf_append(&connection->input, buf->base, (size_t)size), 0);
        answer(connection);
    }
}

static void on_connection(uv_stream_t *stream, int status) {
    struct fake_server *server = stream->data;
    assert_int_equal(status, 0);
    struct connection *connection = calloc(1, sizeof *connection);
    assert_non_null(connection);
    connection->server = server;
    connection->next = server->connections;
    server->connections = connection;
    server->nconnections++;
    server->handles++;
    uv_tcp_init(server->loop, &connection->tcp);
    connection->tcp.data = connection;
    assert_int_equal(uv_accept(stream, (uv_stream_t *)&connection->tcp), 0);
    uv_read_start((uv_stream_t *)&connection->tcp, on_allocate, on_read);
}

struct fake_server *fake_server_new(uv_loop_t *loop) {
    struct fake_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->loop = loop;
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(loop, &server->tcp);
    server->tcp.data = server;
    server->handles = 1;
    assert_int_equal(uv_tcp_bind(&server->tcp, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&server->tcp, 64, on_connection), 0);
    int size = sizeof address;
    uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&address, &size);
    server->port = ntohs(address.sin_port);
    return server;
}

static void on_server_closed(uv_handle_t *handle) {
    struct fake_server *server = handle->data;
    server->handles--;
    maybe_free(server);
}

void fake_server_free(struct fake_server *server) {
    server->freed = true;
    for (struct connection *connection = server->connections; connection; connection = connection->next)
        close_connection(connection, false);
    uv_close((uv_handle_t *)&server->tcp, on_server_closed);
}

const char *fake_server_url(struct fake_server *server, const char *user) {
    snprintf(server->url, sizeof server->url, "http://%s127.0.0.1:%d", user, server->port);
    return server->url;
}

static struct reply *next_reply(struct fake_server *server, enum fake_end end) {
    assert_true(server->nreplies < MOST);
    struct reply *reply = &server->replies[server->nreplies++];
    reply->end = end;
    return reply;
}

void fake_raw(struct fake_server *server, const char *bytes, size_t size, bool drip, enum fake_end end) {
    struct reply *reply = next_reply(server, end);
    reply->drip = drip;
    assert_int_equal(linnet_buf_append(&reply->bytes, bytes, size), 0);
}

void fake_text(struct fake_server *server, const char *text, bool drip, enum fake_end end) {
    fake_raw(server, text, strlen(text), drip, end);
}

void fake_reply(struct fake_server *server, int status, const char *header, const char *body) {
    struct reply *reply = next_reply(server, FAKE_KEEP);
    assert_int_equal(
        linnet_buf_printf(
            &reply->bytes,
            "HTTP/1.1 %d Words\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s", status,
            header, strlen(body), body),
        0);
}

void fake_feed(struct fake_server *server, bool whole, enum fake_end end, ...) {
    struct reply *reply = next_reply(server, end);
    linnet_buf_append_string(
        &reply->bytes,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    va_list args;
    va_start(args, end);
    const char *body;
    while ((body = va_arg(args, const char *)))
        if (*body) linnet_buf_printf(&reply->bytes, "%zx\r\n%s\r\n", strlen(body), body);
    va_end(args);
    if (whole) linnet_buf_append_string(&reply->bytes, "0\r\n\r\n");
}

size_t fake_requests(const struct fake_server *server) {
    return server->nrequests;
}

const char *fake_request(const struct fake_server *server, size_t i) {
    return i < server->nrequests ? server->requests[i] : "";
}

size_t fake_connections(const struct fake_server *server) {
    return server->nconnections;
}

size_t fake_open(const struct fake_server *server) {
    size_t count = 0;
    for (struct connection *connection = server->connections; connection; connection = connection->next)
        count += !connection->closing;
    return count;
}

size_t fake_unsent(const struct fake_server *server) {
    size_t size = 0;
    for (struct connection *connection = server->connections; connection; connection = connection->next)
        size += uv_stream_get_write_queue_size((uv_stream_t *)&connection->tcp);
    return size;
}

/* ---- waiting ---- */

static void on_too_late(uv_timer_t *timer) {
    *(bool *)timer->data = true;
}

static void on_guard_closed(uv_handle_t *handle) {
    free(handle);
}

void run_until(uv_loop_t *loop, const int *flag, int wanted) {
    bool late = false;
    uv_timer_t *guard = calloc(1, sizeof *guard);
    assert_non_null(guard);
    uv_timer_init(loop, guard);
    guard->data = &late;
    uv_timer_start(guard, on_too_late, 20000, 0);
    while (*flag < wanted && !late)
        uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)guard, on_guard_closed);
    if (late) { /* failing in order would leave callbacks that point into this test's stack */
        print_error("waited 20 s for %d, came to %d\n", wanted, *flag);
        abort();
    }
}
