/* HTTP in front: libmicrohttpd driven by the program's own loop.
 *
 * Threads: none of its own. The daemon's epoll descriptor is watched by libuv, its time-outs are one
 * uv_timer, and everything here runs on the loop's thread. A request that waits (for the stages, for the
 * store) is suspended: it costs its memory, no thread and no poll. Slow clients are held off by deadlines
 * that no trickle of bytes extends: so long for the head of a request, so long and a least rate for its body
 * and for taking its answer. */
#ifndef LINNET_SERVE_HTTP_H
#define LINNET_SERVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/base/error.h"

struct serve_http;
struct serve_request;

/* A connection of a client. The http's; gone when its `closed` has run. */
struct serve_socket {
    struct serve_http *http;
    struct serve_socket *next, *previous;
    int fd;
    char address[64];    /* numeric, of the peer */
    int64_t deadline_ms; /* monotonic; 0: none (a request is being answered, or a stream is open) */
};

struct serve_http_options {
    uv_loop_t *loop;
    int fd;                                        /* listening; taken */
    unsigned connections, connections_per_address; /* most at once; per address 0: no such limit */
    unsigned head_s; /* longest that a request's head may take, and an idle connection may be kept */
    unsigned body_s; /* longest that a body or an answer may take besides its size */
    unsigned rate;   /* least bytes a second of either */
    void *arg;       /* of the functions of request.h: the server */
};

/* Start to answer. LINNET_E_NOMEM, LINNET_E_IO. The descriptor is closed in any case. */
int serve_http_open(const struct serve_http_options *options, struct serve_http **out,
                    struct linnet_error *err);
/* Take no new connections any more. */
void serve_http_quiesce(struct serve_http *http);
size_t serve_http_connections(const struct serve_http *http);
/* Requests that are not over (an answer is still to come or on its way). */
size_t serve_http_requests(const struct serve_http *http);
/* Close all connections. Every suspended request must have been answered before, and taken up again by the
 * loop (serve_http_kick ran). */
void serve_http_close(struct serve_http *http, void (*closed)(void *arg), void *arg);

/* Let the daemon look at its connections soon: one has been resumed. */
void serve_http_kick(struct serve_http *http);
/* What the deadline of a connection is now: body_s + bytes / rate seconds after `since_ms` (so a body that
 * trickles in slower than the rate comes too late); or it is waiting for a head; or nothing is expected of
 * the client. */
void serve_socket_expect(struct serve_socket *socket, int64_t since_ms, uint64_t bytes);
void serve_socket_expect_head(struct serve_socket *socket);
void serve_socket_expect_nothing(struct serve_socket *socket);
void serve_http_count(struct serve_http *http, int change); /* a request has begun (1), is over (-1) */

#endif
