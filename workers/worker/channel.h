/* The line between supervisor and child: JSON objects, one a line, over a socket pair; both ends on a libuv
 * loop.
 *
 * supervisor -> child   {"config":{…}} first; {"reload":{…}}; {"drain":true}
 * child -> supervisor   {"beat":true}; {"ready":bool,"status":"…","worker":"…"}; {"reloaded":true |
 * false,"why":"…"};
 *                       {"drained":true}; {"fatal":"…"}
 *
 * Belongs to the loop's thread. Lines are bounded; a longer or malformed one ends the channel. */
#ifndef LINNET_WORKER_CHANNEL_H
#define LINNET_WORKER_CHANNEL_H

#include <jansson.h>
#include <uv.h>

#include "common/base/buf.h"

struct linnet_channel {
    uv_pipe_t pipe;
    struct linnet_buf in;
    /* A message (borrowed). */
    void (*message)(struct linnet_channel *channel, json_t *message);
    /* The other side is gone. Once. */
    void (*ended)(struct linnet_channel *channel);
    void (*closed)(struct linnet_channel *channel);
    void *data; /* the owner's */
};

/* Prepare the pipe (for uv_spawn, or linnet_channel_attach). The callbacks and `data` are set by the owner
 * after it. */
int linnet_channel_init(struct linnet_channel *channel, uv_loop_t *loop);
/* Take an open socket. */
int linnet_channel_attach(struct linnet_channel *channel, int fd);
/* Start reading. */
int linnet_channel_start(struct linnet_channel *channel);
/* Send a message (its reference is taken). Failures end the channel by `ended`, later. */
void linnet_channel_send(struct linnet_channel *channel, json_t *message);
/* Close; `closed` (may be NULL) runs later, the memory is the owner's again then. */
void linnet_channel_close(struct linnet_channel *channel);

#endif
