/* An answer that goes on: server-sent events, written from the loop, sent as fast as the client takes them.
 * What a client does not take is kept up to a limit; beyond it the stream breaks off, and the client, which
 * is told nothing wrong, asks again. Loop thread. */
#ifndef LINNET_SERVE_STREAM_H
#define LINNET_SERVE_STREAM_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

struct serve_http;
struct serve_stream;

/* `gone` is called once, when the client has left or the stream has been ended and sent; the stream is no
 * more then. `limit`: most bytes that wait. NULL: out of memory. */
struct serve_stream *serve_stream_new(struct serve_http *http, size_t limit, void (*gone)(void *arg),
                                      void *arg);
/* False: the client is too slow, and the stream has been broken off; `gone` will be called. */
bool serve_stream_write(struct serve_stream *stream, const char *text, size_t size);
/* One event: "event: NAME", "id: ID" (either may be NULL) and the lines of `data`. As above. */
bool serve_stream_event(struct serve_stream *stream, const char *name, const char *id, const char *data);
/* Nothing more will be written. */
void serve_stream_end(struct serve_stream *stream);

/* request.c's: the response that reads it, which owns it from then on. NULL: out of memory, the stream is
 * gone (`gone` has been called). */
struct MHD_Response *serve_stream_response(struct serve_stream *stream, struct MHD_Connection *connection);

#endif
