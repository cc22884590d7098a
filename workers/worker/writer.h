/* The writer of one database: documents go in one by one and out in _bulk_docs requests, by count, bytes or a
 * short delay.
 *
 * Belongs to the loop's thread. A write is the caller's until it is given to linnet_writer_add, then the
 * writer's until `done`, in which the caller has it back. `done` never runs from inside linnet_writer_add.
 * What the server did not take for a reason that passes (no connection, 5xx) is written again, with backoff,
 * for ever. */
#ifndef LINNET_WORKER_WRITER_H
#define LINNET_WORKER_WRITER_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "common/base/metrics.h"
#include "common/couch/couch.h"
#include "workers/host/stage.h"

/* What to do where another revision stands than the one that was named. */
enum linnet_write_mode {
    LINNET_WRITE_PLAIN,  /* tell LINNET_E_CONFLICT */
    LINNET_WRITE_OVER,   /* read its revision and write over it (a tombstone: done where nothing stands) */
    LINNET_WRITE_RESULT, /* read it: done if its "digest" is ours, else write over it */
    /* Read it before anything is written: done if it says the same, dropped if its "generation" is higher.
     * One of an id at a time, in the order in which they came; one that is overtaken before its turn ends
     * with the one that overtook it. */
    LINNET_WRITE_SITE,
    LINNET_WRITE_CREATE /* leave it */
};

struct linnet_write {
    TAILQ_ENTRY(linnet_write) link;
    enum linnet_write_mode mode;
    int share;        /* whose lease it is written under; LINNET_WRITE_ANY: no lease asked for */
    char *id;         /* owned */
    json_t *document; /* owned, changed by the writer (_rev); NULL: delete the document */
    char *revision;   /* owned; in: the one to replace or NULL; out: the one that stands now */
    const struct linnet_result_blob *blobs; /* borrowed until done */
    size_t nblobs;
    const bool *cancelled; /* NULL, or borrowed until done: once true it is not sent any more, and ends with
                              LINNET_E_CANCELLED */
    void (*done)(struct linnet_write *write, int error, const char *detail);
    void *arg;
    /* out */
    bool stood; /* nothing was written: what stands there is as good, or better */
    /* the writer's */
    size_t bytes;
    unsigned tries, most;
    struct linnet_write *behind;  /* scope site: waits until this one is over */
    struct linnet_write *carried; /* scope site: was overtaken by this one; and so on */
};
#define LINNET_WRITE_ANY (-2)

struct linnet_writer;

struct linnet_writer_options {
    uv_loop_t *loop;
    struct linnet_couch *couch;
    enum linnet_database database;
    unsigned bulk_documents, delay_ms;
    size_t bulk_bytes;
    bool (*may_write)(void *arg, int share); /* NULL: always */
    void (*late)(void *arg, int share);      /* it said no: the write ended with LINNET_E_CANCELLED */
    void (*fatal)(void *arg, int error, const char *detail); /* refused as a whole; nothing is tried again */
    void *arg;
    struct linnet_metrics *metrics;
};

int linnet_writer_open(const struct linnet_writer_options *options, struct linnet_writer **out);
/* From now on all writes end with LINNET_E_CANCELLED, those under way when they come back. */
void linnet_writer_stop(struct linnet_writer *writer);
/* Stop it, then free it and call `closed` (may be NULL). */
void linnet_writer_close(struct linnet_writer *writer, void (*closed)(void *arg), void *arg);
void linnet_writer_add(struct linnet_writer *writer, struct linnet_write *write);
/* Send what waits without waiting for company. */
void linnet_writer_flush(struct linnet_writer *writer);
/* Bytes that wait or are on their way, with what is reserved. */
size_t linnet_writer_load(const struct linnet_writer *writer);
size_t linnet_writer_pending(const struct linnet_writer *writer); /* writes */
void linnet_writer_reserve(struct linnet_writer *writer, size_t bytes);
void linnet_writer_release(struct linnet_writer *writer, size_t bytes);
/* Free a write and what it owns; NULL is safe. */
void linnet_write_free(struct linnet_write *write);

#endif
