/* A store that answers what it was told to, byte for byte: on the loop of the test, so that a test waits on
 * events. */
#ifndef LINNET_TESTS_UNIT_COUCH_FAKE_SERVER_H
#define LINNET_TESTS_UNIT_COUCH_FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct fake_server;

/* What happens once the bytes of a reply are out. */
enum fake_end {
    FAKE_KEEP,  /* the connection waits for the next request */
    FAKE_CLOSE, /* it is closed in order */
    FAKE_RESET, /* it is reset */
    FAKE_HANG   /* it stays open and says nothing */
};

/* Serve on 127.0.0.1, a port that the kernel chooses. */
struct fake_server *fake_server_new(uv_loop_t *loop);
/* Close everything; the loop must run once more for it. */
void fake_server_free(struct fake_server *server);
/* "http://127.0.0.1:port" with `user` ("ann:secret@") before the host. Lives as long as the server. */
const char *fake_server_url(struct fake_server *server, const char *user);

/* Replies are given in the order of these calls, whatever connection the requests come on. */
/* These bytes. `drip`: one byte a write. */
void fake_raw(struct fake_server *server, const char *bytes, size_t size, bool drip, enum fake_end end);
void fake_text(struct fake_server *server, const char *text, bool drip, enum fake_end end);
/* A whole response with a Content-Length and a JSON type; `header` is an additional line with its line break,
 * or "". */
void fake_reply(struct fake_server *server, int status, const char *header, const char *body);
/* A chunked response of status 200: each of the bodies (ended by NULL) in a chunk of its own. The last chunk
 * of all, which says that the response is whole, is sent only with `whole`. */
void fake_feed(struct fake_server *server, bool whole, enum fake_end end, ...) __attribute__((sentinel));

/* What was asked. */
size_t fake_requests(const struct fake_server *server);
/* The whole text of request `i`, headers and body; "" if there was none. */
const char *fake_request(const struct fake_server *server, size_t i);
size_t fake_connections(const struct fake_server *server); /* that were ever made */
size_t fake_open(const struct fake_server *server);        /* that are open now */
size_t fake_unsent(const struct fake_server *server);      /* bytes that TCP has not taken */

/* Run the loop until *flag is at least `wanted`; the program aborts after 20 seconds. */
void run_until(uv_loop_t *loop, const int *flag, int wanted);

#endif
