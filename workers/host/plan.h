/* The plan: which items of which stages are due for an observation. A pure function of the documents, the
 * stages' declarations and fingerprints; no I/O. This is what makes "nothing done twice for nothing" true. */
#ifndef LINNET_HOST_PLAN_H
#define LINNET_HOST_PLAN_H

#include "workers/host/observation.h"
#include "workers/host/stage.h"

enum linnet_policy { LINNET_POLICY_NEW, LINNET_POLICY_VIEW, LINNET_POLICY_BACKFILL };

/* A stage as the plan sees it. */
struct linnet_planned_stage {
    const char *name;
    const struct linnet_plugin *plugin;
    const char *fingerprint; /* the one that is wanted; items are computed with it */
    void *instance;          /* for qualifier and select; NULL: as if the plugin had none */
    enum linnet_policy policy;
};

/* One due item: which documents (by index into observation->docs, trigger first), which output id. Valid
 * until the observation changes. */
struct linnet_due {
    size_t stage; /* index into the stages given */
    size_t *docs;
    char (*digests)[65]; /* of each document as an input */
    size_t ndocs;
    char output_id[LINNET_ID_MAX];
    char inputs_digest[65]; /* over fingerprint and the inputs' digests: the result's digest if it is computed
                               now */
    bool outdated;          /* another output stands there (recomputation), else it is missing */
    bool waits; /* an item of a stage before this one, directly or not, is due too: unless that one is
                   answered already (skipped, a dead letter), doing it first saves doing this one twice */
};

/* A result whose trigger is not there. */
struct linnet_orphan {
    char *id;
    char *gone; /* the id of the input that is not there; NULL where the result does not tell */
};

struct linnet_plan {
    struct linnet_due *due; /* in the order of the stages, then of ids */
    size_t ndue;
    struct linnet_orphan *orphans; /* to be deleted; but a document may also be late (results replicate in any
                                      order): make sure that what is gone was deleted */
    size_t norphans;
};

/* Make the plan of one observation. Stages of scope `site` are passed over: they get single documents as
 * these change.
 *
 * An item is due if its output is missing, or was made of other inputs. If the inputs are the same and the
 * fingerprint is another (under this output id, or under another one of the same stage: the model is part of
 * a prediction's id), the stage's policy decides: `new` leaves it; `backfill` makes it due; `view` makes it
 * due unless this visit is a backfill's (`backfill`), which passes by without anybody looking. An item whose
 * id would be too long is never due.
 *
 * Loop thread (it calls `select` and `qualifier`). LINNET_E_NOMEM. */
int linnet_plan_make(const struct linnet_observation *observation, const struct linnet_planned_stage *stages,
                     size_t nstages, bool backfill, struct linnet_plan *out);
void linnet_plan_done(struct linnet_plan *plan);
/* Call `each` for every blob of the due item that must be fetched first: asked for by the stage, listed by
 * the document, not held. */
void linnet_plan_missing_blobs(const struct linnet_observation *observation,
                               const struct linnet_planned_stage *stage, const struct linnet_due *due,
                               void (*each)(void *arg, const struct linnet_held_doc *doc, const char *name),
                               void *arg);
/* The work of a due item: documents and those blobs that are held, referenced. NULL: out of memory. */
struct linnet_work *linnet_plan_work(const struct linnet_observation *observation,
                                     const struct linnet_planned_stage *stage, const struct linnet_due *due);

#endif
