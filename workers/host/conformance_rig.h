/* What a check works with, in its own process: the plugin in a stage that is bent to the check's needs. */
#ifndef LINNET_HOST_CONFORMANCE_RIG_H
#define LINNET_HOST_CONFORMANCE_RIG_H

#include <stdatomic.h>

#include "workers/host/conformance.h"
#include "workers/host/stage.h"

/* What a check leaves for its parent, in shared memory: it survives the child's death. */
struct linnet_check_slate {
    enum linnet_check_status status;
    char words[1024];
    char phase[256];      /* what is being done, for the words of a crash */
    char fault[512];      /* the first breach of the contract */
    char fingerprint[65]; /* of the stage */
};

struct linnet_rig {
    const struct linnet_conformance_options *options;
    struct linnet_check_slate *slate;
    char state_dir[512]; /* exists, empty at first */

    /* Between rig_open and rig_close. */
    struct linnet_plugin_file *file;
    uv_loop_t loop;
    struct linnet_metrics *metrics;
    struct linnet_stage *stage;
    struct linnet_work **works; /* back, in the order in which they were submitted; loose ones after them */
    size_t nworks, submitted, back;
    bool drained, closed;
    int answer; /* of the last call */
    char position[1024];
    atomic_flag faulted;
    uint64_t begun_ns; /* of process(), of one thread */
    double slowest_s;
};

struct linnet_rig_shape {
    unsigned threads;
    uint32_t batch;       /* items of one process(); 0: one at a time */
    bool no_state;        /* no state folder */
    const json_t *config; /* NULL: the options' */
};

/* Set words and status; returns false, so that `return linnet_rig_fail(...)` ends a check. */
bool linnet_rig_fail(struct linnet_rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool linnet_rig_skip(struct linnet_rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));
void linnet_rig_phase(struct linnet_rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Say something with a passed check. */
void linnet_rig_note(struct linnet_rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Open the plugin and a stage of it. False: it failed, the words are set. */
bool linnet_rig_open(struct linnet_rig *rig, const struct linnet_rig_shape *shape);
/* Close the stage. What came back stays until linnet_rig_forget. False: something failed. */
bool linnet_rig_close(struct linnet_rig *rig);
void linnet_rig_forget(struct linnet_rig *rig);
/* Submit; the work is the rig's. */
bool linnet_rig_submit(struct linnet_rig *rig, struct linnet_work *work);
/* Until everything submitted is back. With `drain` what waits for company goes too (nothing can be submitted
 * after). False: a contract was broken on the way, or an item ended in no lawful way. */
bool linnet_rig_settle(struct linnet_rig *rig, bool drain);
/* Scope site. */
bool linnet_rig_tick(struct linnet_rig *rig);
bool linnet_rig_snapshot(struct linnet_rig *rig, const char *position);
bool linnet_rig_restore(struct linnet_rig *rig);

/* Make the items of a sample for the open stage and call each for every one: `each` owns the work; until it
 * returns false. False: out of memory, or each said so. */
bool linnet_rig_items(struct linnet_rig *rig, const struct linnet_observation *sample,
                      bool (*each)(void *arg, struct linnet_rig *rig, struct linnet_work *work), void *arg);
/* Submit all items of all samples. *n is how many. */
bool linnet_rig_submit_samples(struct linnet_rig *rig, size_t *n);
/* A copy of a sample that may be changed: documents deep, blobs referenced. */
bool linnet_rig_copy(const struct linnet_observation *sample, struct linnet_observation *out);

/* One check: true if it holds (linnet_rig_fail and _skip answer false). */
typedef bool linnet_check(struct linnet_rig *rig);
linnet_check linnet_check_opens, linnet_check_unknown_key, linnet_check_open_close, linnet_check_items,
    linnet_check_exactly_once, linnet_check_borrowed, linnet_check_batches, linnet_check_optional,
    linnet_check_bad_blobs, linnet_check_bad_documents, linnet_check_deadline, linnet_check_memory,
    linnet_check_redelivery, linnet_check_tombstones, linnet_check_state;

/* Are two results the same but for the last digits? Tells the first difference in `where`. */
bool linnet_results_alike(const struct linnet_result *one, const struct linnet_result *other, char *where,
                          size_t size);

#endif
