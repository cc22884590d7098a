/* The stages of scope site, as site.c and site_item.c share them. */
#ifndef LINNET_WORKER_SITE_H
#define LINNET_WORKER_SITE_H

#include "workers/worker/room.h"

struct linnet_site_item;
TAILQ_HEAD(linnet_site_list, linnet_site_item);

/* One stage of scope site. */
struct linnet_site_stage {
    struct linnet_site *site;
    struct linnet_slot *slot;
    char *position; /* of the state that it restored */
    bool restored;
    struct linnet_source *pass; /* it catches up from a position of its own; NULL: it follows the feed */
    struct linnet_table
        told; /* ids that the feed has told it since, while the pass runs: the pass knows them no better */
    struct linnet_table newest;             /* by document: the item that came last */
    struct linnet_site_list ready, waiting; /* for room in the stage; backing off */
    size_t nready, items;
    int64_t next_tick;
    bool ticking;  /* asked for, not answered */
    unsigned turn; /* ticks that have returned */
    size_t
        writing[2]; /* items whose results are on their way to the store, by the turn they came in, mod 2 */
};

/* Own it once: from linnet_flow_site_gained until it is lost. Lives until the last item and call of it has
 * come back. */
struct linnet_site {
    struct linnet_flow *flow;
    uint64_t generation;
    bool over; /* lost: what comes back is dropped */
    struct linnet_site_stage *stages;
    size_t nstages;
    size_t restoring, snapshots; /* calls under way */
    int snapshot_error;
    struct linnet_source *source;
    bool caught_up;
    char *checkpoint, *taking; /* of the last snapshot; of the one under way */
    int64_t next_snapshot;
    size_t references;        /* items, calls */
    struct linnet_site *next; /* earlier ones that are not quite over */
};

/* A change that one or several stages work on. */
struct linnet_site_change {
    struct linnet_entry *entry; /* NULL: a parked retry's visit */
    size_t pending;
};

struct linnet_site_item {
    TAILQ_ENTRY(linnet_site_item) list;
    struct linnet_site_stage *stage;
    struct linnet_site_change *change; /* NULL: `tick` or `drain` emitted */
    struct linnet_work *work;
    char *id;
    char digest[65];
    bool submitted, superseded, dead, visit, suspect;
    unsigned attempts, pending;
    unsigned turn; /* in which its results came */
    int failure;
    char *reason;
    int64_t since, due;
};

/* site_item.c */
const char *linnet_site_item_id(const void *item); /* the key in `newest` */
/* Give a document (NULL: its tombstone) to a stage. LINNET_E_NOMEM. */
int linnet_site_item_begin(struct linnet_site_stage *stage, struct linnet_site_change *change, const char *id,
                           json_t *document);
/* What is wrong with a document that no stage is to see: a dead letter in its place. */
int linnet_site_item_refuse(struct linnet_site_stage *stage, struct linnet_site_change *change,
                            const char *id, const char *reason);
void linnet_site_item_done(struct linnet_site_stage *stage, struct linnet_work *work);
void linnet_site_items_submit(struct linnet_site_stage *stage);
void linnet_site_items_tick(struct linnet_site_stage *stage, int64_t now);
/* Lost: what is not under way goes at once. */
void linnet_site_items_drop(struct linnet_site_stage *stage);
/* site.c */
void linnet_site_unref(struct linnet_site *site);
void linnet_site_change_done(struct linnet_site_change *change, bool answered);

#endif
