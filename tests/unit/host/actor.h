/* A stage whose plugin does what its items' documents say, on a loop, with what came back: for the tests of
 * stages.
 *
 * An item is one image document {"do": word, ...}: "ok", "skip", "retry", "reject", "break" (BROKEN, always),
 * "break-once" (BROKEN on the first instance), "twice" (finished twice), "never" (not finished), "fail"
 * (process answers 5 if it is in the batch), "wait" (blocks until the gate is opened), and the bad emits
 * "undeclared", "elsewhere", "late", "reserved", "again", "no-id". */
#ifndef LINNET_TESTS_HOST_ACTOR_H
#define LINNET_TESTS_HOST_ACTOR_H

#include <stdatomic.h>

#include "tests/unit/host/sample.h"
#include "workers/host/stage.h"

#define ACTOR_BATCHES 4096

struct actor {
    uv_loop_t loop;
    struct linnet_plugin plugin; /* change before actor_open */
    struct linnet_plugin_file *file;
    struct linnet_stage_options options;
    struct linnet_stage *stage;
    struct linnet_metrics *metrics;
    /* What came back, in order; the actor's. */
    struct linnet_work **works;
    size_t nworks, expected;
    char failure[256];
    bool drained, closed;
    struct linnet_error err;
};

/* One at a time: plugins have no other way to their test. */
struct actor *actor_new(void);
/* Open with actor->options; 0 or the error in actor->err. */
int actor_open(struct actor *actor);
void actor_free(struct actor *actor); /* closes */
/* A new image document in an observation of its own kind of work; `more` (may be NULL) is merged into the
 * document. */
struct linnet_work *actor_work(const char *todo, const char *qualifier);
int actor_submit(struct actor *actor, struct linnet_work *work);
/* Run the loop until so many works have come back in all. */
void actor_wait(struct actor *actor, size_t n);
void actor_wait_for(struct actor *actor, const bool *flag);
void actor_close(struct actor *actor);
/* The work of a qualifier that came back. */
struct linnet_work *actor_find(struct actor *actor, const char *qualifier);

/* The plugin's memory, under its own lock. */
size_t actor_batches(size_t sizes[ACTOR_BATCHES]);
int actor_opened(void);
int actor_closed(void);
void actor_gate_open(int n); /* let so many "wait" items go on */
void actor_await_gate(void); /* until one more is at the gate */
void actor_refuse_open(int after,
                       const char *why); /* open() fails once `after` instances are open; -1: never */
extern int actor_fingerprints_differ, actor_tick_rc, actor_drains;
extern char actor_position[64];
extern atomic_int actor_bad_rc; /* the answer to the last bad emit or finish */

#endif
