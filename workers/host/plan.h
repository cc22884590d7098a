/* The plan: which items of which stages are due for an observation. A pure function of the documents, the stages'
 * declarations and fingerprints; no I/O. This is what makes "nothing done twice for nothing" true. */
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

/* One due item: which documents (by index into observation->docs, trigger first), which output id. */
struct linnet_due {
    size_t stage; /* index into the stages given */
    size_t *docs;
    size_t ndocs;
    char output_id[LINNET_ID_MAX];
    char inputs_digest[65]; /* over fingerprint and the inputs' digests: the result's digest if it is computed now */
    bool outdated;          /* another output stands there (recomputation), else it is missing */
};

struct linnet_plan {
    struct linnet_due *due;
    size_t ndue;
    char **orphans; /* ids of results whose trigger has gone, to be deleted */
    size_t norphans;
};

/* Make the plan of one observation. `backfill`: this visit is the backfill's. LINNET_E_NOMEM. */
int linnet_plan_make(const struct linnet_observation *observation, const struct linnet_planned_stage *stages, size_t nstages,
                     bool backfill, struct linnet_plan *out);
void linnet_plan_done(struct linnet_plan *plan);
/* The work of a due item: documents and blobs referenced. Blobs that the stage asks for and the observation does not hold yet are named by
 * linnet_plan_missing_blobs first. NULL: out of memory. */
struct linnet_work *linnet_plan_work(const struct linnet_observation *observation, const struct linnet_planned_stage *stage,
                                     const struct linnet_due *due);
/* Call `each` for every blob of the due item that must be fetched first. */
void linnet_plan_missing_blobs(const struct linnet_observation *observation, const struct linnet_planned_stage *stage,
                               const struct linnet_due *due, void (*each)(void *arg, const struct linnet_held_doc *doc, const char *name),
                               void *arg);

#endif
