/* Who killed the child? What the supervisor writes when a child dies, and what the next child makes of it.
 *
 * Evidence is of two kinds:
 *   a kill   it is known which batch did it: the fault was in the thread that ran it, or it ran past its
 * deadline, or nothing else was running. a doubt  it may have been any of the batches under way: a fault in a
 * thread that a library made, exit() from inside a stage, the kernel's out-of-memory killer; or a SIGKILL
 * from outside, and then only for batches that had been running for LINNET_SUSPECT_PATIENCE_MS (an operator's
 * kill -9 meets whatever is running; only what was slow may have been its cause). A document with either is a
 * suspect (`suspect:<stage>:<document>`): it runs in a batch of its own, and with doubts against it, with no
 * other batch beside it. Then its second kill, or its third doubt, is its end: a dead letter. A success
 * deletes the suspect document, so that evidence has to come in a row. */
#ifndef LINNET_WORKER_SUSPECTS_H
#define LINNET_WORKER_SUSPECTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/couch/couch.h"
#include "workers/worker/inflight.h"

#define LINNET_SUSPECT_KILLS       2
#define LINNET_SUSPECT_DOUBTS      3
#define LINNET_SUSPECT_PATIENCE_MS 2000

/* ---- the supervisor's part ---- */

enum linnet_death_cause {
    LINNET_DEATH_FAULT,    /* a signal of its own making: SIGSEGV, SIGABRT... */
    LINNET_DEATH_EXIT,     /* exit() though nobody asked for it */
    LINNET_DEATH_DEADLINE, /* we killed it: batches marked `culprit` ran past their deadline */
    LINNET_DEATH_MEMORY,   /* the kernel killed it for memory */
    LINNET_DEATH_KILLED    /* somebody else killed it */
};

struct linnet_death {
    enum linnet_death_cause cause;
    int number;    /* the signal, or the exit status */
    int64_t at_ms; /* monotonic */
};

/* The ids in linnet-ops that the judgement depends on (suspects and dead letters of all documents that it
 * blames). A new array, NULL: out of memory. Any thread. */
json_t *linnet_suspects_ids(const struct linnet_inflight_batch *batches, size_t n,
                            const struct linnet_death *death);
/* What is to be written: suspects counted up, dead letters in place of those whose measure is full. `known`
 * is {id: document} of those that exist. A new array, NULL: out of memory. A pure function but for the clock
 * in "at". */
json_t *linnet_suspects_judge(const struct linnet_inflight_batch *batches, size_t n,
                              const struct linnet_death *death, const json_t *known, const char *worker);
/* Judge and write; tried again on conflicts. `batches` are taken (their items, too). `done` on the loop:
 * error 0, or why it could not be written (the caller may try again: the batches are given back).
 * LINNET_E_NOMEM: nothing taken, `done` never runs. */
struct linnet_suspects_case {
    struct linnet_inflight_batch batches[LINNET_INFLIGHT_SLOTS];
    size_t n;
    struct linnet_death death;
    char worker[128];
    struct linnet_couch *couch;
    void (*done)(struct linnet_suspects_case *record, int error, const char *detail);
    void *data; /* the owner's */
    unsigned attempts;
};
/* Start (again). The case is the owner's, untouched until `done`. */
void linnet_suspects_write(struct linnet_suspects_case *record);
void linnet_suspects_case_done(struct linnet_suspects_case *record);

/* ---- the child's part: loop thread, but for the gate ---- */

struct linnet_suspects;

int linnet_suspects_open(struct linnet_couch *couch, struct linnet_suspects **out);
/* Read all of them; `done` (may be NULL) when that is over, well or not. Again now and then: other members'
 * children die too. */
int linnet_suspects_refresh(struct linnet_suspects *suspects,
                            void (*done)(void *arg, int error, const char *detail), void *arg);
bool linnet_suspects_has(const struct linnet_suspects *suspects, const char *stage, const char *document);
void linnet_suspects_cleared(struct linnet_suspects *suspects, const char *stage, const char *document);
/* Delete the documents of those that are `past`: a result may have been written by a process that died before
 * it could clear the suspicion. `age_ms`: how long this process has known it. */
void linnet_suspects_sweep(struct linnet_suspects *suspects,
                           bool (*past)(void *arg, const char *stage, const char *document, int64_t age_ms),
                           void *arg);
size_t linnet_suspects_count(const struct linnet_suspects *suspects);
/* The gate around every batch, on the executor's thread: those with doubts against their one document pass
 * alone. Returns what _leave wants back. */
int linnet_suspects_enter(struct linnet_suspects *suspects, const char *stage,
                          const struct linnet_item *const *items, size_t n);
void linnet_suspects_leave(struct linnet_suspects *suspects, int passed);
/* No request may be under way that its owner still waits for. */
void linnet_suspects_close(struct linnet_suspects *suspects, void (*closed)(void *arg), void *arg);

#endif
