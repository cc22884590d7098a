#include "workers/serve/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "workers/serve/http.h"

#define BLOCK 4096

struct serve_stream {
    struct serve_http *http;
    struct MHD_Connection *connection; /* NULL until it is answered with */
    struct linnet_buf waiting;
    size_t limit;
    bool ended, broken, asleep;
    void (*gone)(void *arg);
    void *arg;
};

struct serve_stream *serve_stream_new(struct serve_http *http, size_t limit, void (*gone)(void *arg),
                                      void *arg) {
    struct serve_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) return NULL;
    *stream = (struct serve_stream){.http = http, .limit = limit, .gone = gone, .arg = arg};
    return stream;
}

static void wake(struct serve_stream *stream) {
    if (!stream->asleep) return;
    stream->asleep = false;
    MHD_resume_connection(stream->connection);
    serve_http_kick(stream->http);
}

bool serve_stream_write(struct serve_stream *stream, const char *text, size_t size) {
    if (stream->broken || stream->ended) return false;
    if (stream->waiting.size + size > stream->limit || linnet_buf_append(&stream->waiting, text, size) != 0) {
        stream->broken = true;
        wake(stream);
        return false;
    }
    wake(stream);
    return true;
}

bool serve_stream_event(struct serve_stream *stream, const char *name, const char *id, const char *data) {
    struct linnet_buf event = {0};
    int rc = name != NULL ? linnet_buf_printf(&event, "event: %s\n", name) : 0;
    if (rc == 0 && id != NULL) rc = linnet_buf_printf(&event, "id: %s\n", id);
    while (rc == 0 && data != NULL) {
        const char *end = strchr(data, '\n');
        rc = linnet_buf_printf(&event, "data: %.*s\n",
                               (int)(end != NULL ? (size_t)(end - data) : strlen(data)), data);
        data = end != NULL ? end + 1 : NULL;
    }
    if (rc == 0) rc = linnet_buf_append_string(&event, "\n");
    bool written = rc == 0 && serve_stream_write(stream, event.data, event.size);
    linnet_buf_done(&event);
    return written;
}

void serve_stream_end(struct serve_stream *stream) {
    stream->ended = true;
    wake(stream);
}

/* ---- libmicrohttpd's side ---- */

static ssize_t read_some(void *arg, uint64_t position, char *out, size_t most) {
    struct serve_stream *stream = arg;
    (void)position;
    if (stream->broken) return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t size = stream->waiting.size < most ? stream->waiting.size : most;
    if (size > 0) {
        memcpy(out, stream->waiting.data, size);
        linnet_buf_consume(&stream->waiting, size);
        return (ssize_t)size;
    }
    if (stream->ended) return MHD_CONTENT_READER_END_OF_STREAM;
    stream->asleep = true;
    MHD_suspend_connection(stream->connection);
    return 0;
}

static void stream_free(void *arg) {
    struct serve_stream *stream = arg;
    if (stream->gone != NULL) stream->gone(stream->arg);
    linnet_buf_done(&stream->waiting);
    free(stream);
}

struct MHD_Response *serve_stream_response(struct serve_stream *stream, struct MHD_Connection *connection) {
    stream->connection = connection;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_some, stream, stream_free);
    if (response == NULL) stream_free(stream);
    return response;
}
