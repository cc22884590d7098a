#include "workers/worker/channel.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/json.h"

#define LINE_LIMIT (4 * 1024 * 1024)

struct sending {
    uv_write_t request;
    char *text;
};

int linnet_channel_init(struct linnet_channel *channel, uv_loop_t *loop) {
    memset(channel, 0, sizeof *channel);
    linnet_buf_init(&channel->in, LINE_LIMIT);
    int rc = uv_pipe_init(loop, &channel->pipe, 0);
    channel->pipe.data = channel;
    return rc == 0 ? 0 : LINNET_E_IO;
}

int linnet_channel_attach(struct linnet_channel *channel, int fd) {
    return uv_pipe_open(&channel->pipe, fd) == 0 ? 0 : LINNET_E_IO;
}

static void end(struct linnet_channel *channel) {
    uv_read_stop((uv_stream_t *)&channel->pipe);
    void (*ended)(struct linnet_channel *) = channel->ended;
    channel->ended = NULL;
    if (ended != NULL) ended(channel);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    struct linnet_channel *channel = handle->data;
    (void)suggested;
    *buf = linnet_buf_reserve(&channel->in, 4096) == 0
               ? uv_buf_init(channel->in.data + channel->in.size, 4096)
               : uv_buf_init(NULL, 0); /* read as UV_ENOBUFS */
}

/* Deliver the lines that are whole. False once the channel has ended or was closed by its owner. */
static bool deliver(struct linnet_channel *channel) {
    char *newline;
    while (channel->in.size > 0 && (newline = memchr(channel->in.data, '\n', channel->in.size)) != NULL) {
        size_t size = (size_t)(newline - channel->in.data);
        json_t *message = NULL;
        int rc = linnet_json_parse(channel->in.data, size, 0, &message, NULL);
        linnet_buf_consume(&channel->in, size + 1);
        if (rc != 0) return false;
        channel->message(channel, message);
        json_decref(message);
        if (uv_is_closing((uv_handle_t *)&channel->pipe)) return true;
    }
    return true;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
    struct linnet_channel *channel = stream->data;
    (void)buf;
    if (n > 0) channel->in.size += (size_t)n;
    if (n < 0 || !deliver(channel)) end(channel);
}

int linnet_channel_start(struct linnet_channel *channel) {
    return uv_read_start((uv_stream_t *)&channel->pipe, on_alloc, on_read) == 0 ? 0 : LINNET_E_IO;
}

static void on_written(uv_write_t *request, int status) {
    struct sending *sending = (struct sending *)request;
    (void)status; /* a broken pipe is seen by the reader */
    free(sending->text);
    free(sending);
}

void linnet_channel_send(struct linnet_channel *channel, json_t *message) {
    char *text = message != NULL ? json_dumps(message, JSON_COMPACT) : NULL;
    json_decref(message);
    struct sending *sending = calloc(1, sizeof *sending);
    if (text == NULL || sending == NULL || uv_is_closing((uv_handle_t *)&channel->pipe)) {
        free(text);
        free(sending);
        return;
    }
    sending->text = text;
    uv_buf_t parts[] = {uv_buf_init(text, (unsigned)strlen(text)), uv_buf_init((char *)"\n", 1)};
    if (uv_write(&sending->request, (uv_stream_t *)&channel->pipe, parts, 2, on_written) != 0) {
        free(text);
        free(sending);
    }
}

static void on_closed(uv_handle_t *handle) {
    struct linnet_channel *channel = handle->data;
    linnet_buf_done(&channel->in);
    if (channel->closed != NULL) channel->closed(channel);
}

void linnet_channel_close(struct linnet_channel *channel) {
    if (!uv_is_closing((uv_handle_t *)&channel->pipe)) uv_close((uv_handle_t *)&channel->pipe, on_closed);
}
