/* What the flow's own files share. Nobody else includes it.
 *
 * How a change becomes results, and which file does what:
 *
 *   source.c    feeds: one that goes on for ever, passes that catch shares up; who owns which share, and its
 * checkpoint dispatch.c  change -> answered at once, or an entry in the ledger that waits for the
 * observation's task task.c      one observation in work: read, plan, items, answer gather.c    reading
 * observations whole, or only the few documents that matter, many observations in a request blob.c downloads
 *   item.c      one due item: blobs, room, the stage, its verdict, its results on their way to the writer
 *   letter.c    dead letters and parked retries, as documents and in memory
 *   deletion.c, conflict.c   what is settled before a plan is made
 *   cleaning.c  pictures that still tell where they were taken
 *   site.c      the stages of scope site
 *   backfill.c  visits to what was made with other fingerprints
 *   flow.c      opening, turns, closing
 *
 * Nothing is decided in the callbacks of requests: they put a task on a list, and linnet_flow_turn, which
 * runs once before the loop blocks, works the lists off. So what comes together is handled together: one plan
 * for many results, one request for many observations. */
#ifndef LINNET_WORKER_ROOM_H
#define LINNET_WORKER_ROOM_H

#include <sys/queue.h>

#include "common/couch/changes.h"
#include "workers/host/plugin.h"
#include "workers/worker/flow.h"
#include "workers/worker/known.h"
#include "workers/worker/ledger.h"
#include "workers/worker/table.h"
#include "workers/worker/writer.h"

/* ---- stages and kinds ---- */

TAILQ_HEAD(linnet_item_list, linnet_flow_item);
TAILQ_HEAD(linnet_task_list, linnet_task);

/* One stage that was given by linnet_flow_set_stages. Lives on after it was replaced until its last item is
 * gone. */
struct linnet_slot {
    struct linnet_stage *stage;
    struct linnet_planned_stage planned; /* name, fingerprint: own copies */
    bool standby, site;
    bool simple;   /* unit document, one input and that a plain trigger: needs nothing but it */
    bool replaced; /* takes no more items */
    struct linnet_item_list
        ready[LINNET_PRIORITIES]; /* made, waiting for room in the stage or in the writer */
    size_t items;                 /* of all states, in all tasks */
    size_t submitted;             /* held by the stage */
    double mean_bytes;            /* of what an item writes, a running mean */
    uint64_t due, ok, skip, retry, reject, processed;
    double seconds; /* in the stage, each item its part of the batch */
    struct linnet_metric *m_due, *m_queue, *m_process;
};

/* What the group's stages have to do with a kind of document in the main database. */
struct linnet_flow_kind {
    char name[LINNET_KIND_MAX];
    bool trigger;  /* a change to it may make something due */
    bool consumed; /* some stage reads it */
    bool produced;
    bool settled; /* this group settles its conflicts */
    bool site;    /* it triggers a stage of scope site */
    bool sparse; /* whatever follows from it, no stage on the way looks at another document of the observation
                  */
};

/* ---- feeds and shares ---- */

enum linnet_source_kind {
    LINNET_SOURCE_FEED,
    LINNET_SOURCE_PASS,
    LINNET_SOURCE_BACKFILL,
    LINNET_SOURCE_SITE,
    LINNET_SOURCE_SITE_PASS
};

/* One reading of the changes. */
struct linnet_source {
    TAILQ_ENTRY(linnet_source) link;
    struct linnet_flow *flow;
    enum linnet_source_kind kind;
    struct linnet_changes *changes;
    struct linnet_ledger ledger;
    uint64_t shares; /* of a pass: those it answers, one bit each */
    char *position;  /* of the last change that came; NULL: none yet, `since` holds */
    size_t position_capacity;
    char *since;
    bool over; /* a pass has come to its end */
    bool paused;
    bool connected; /* something has come since the last break */
    void *owner;    /* a backfill's, a site stage's */
};
TAILQ_HEAD(linnet_source_list, linnet_source);

enum linnet_hold {
    LINNET_HOLD_NONE,
    LINNET_HOLD_LOADING,
    LINNET_HOLD_WAITING,
    LINNET_HOLD_PASSING,
    LINNET_HOLD_LIVE,
    LINNET_HOLD_RELEASING
};

struct linnet_held_share {
    enum linnet_hold state;
    char *since;                  /* its checkpoint as long as no ledger says more */
    struct linnet_source *source; /* passing, live */
    char *frozen;                 /* releasing: its checkpoint once its tasks have ended */
    size_t tasks;
    void (*released)(void *arg, unsigned share);
    void *released_arg;
};

/* ---- observations in work ---- */

enum linnet_item_state {
    LINNET_ITEM_FETCHING, /* its blobs are on their way */
    LINNET_ITEM_FETCHED,  /* all there: the next plan makes its work */
    LINNET_ITEM_READY,    /* its work is made and waits for room */
    LINNET_ITEM_SUBMITTED,
    LINNET_ITEM_WRITING, /* results, or a dead letter or retry in their place */
    LINNET_ITEM_WAITING  /* backs off */
};

struct linnet_flow_item {
    TAILQ_ENTRY(linnet_flow_item) link; /* in its task */
    TAILQ_ENTRY(linnet_flow_item) list; /* ready, waiting */
    struct linnet_task *task;
    struct linnet_slot *slot;
    enum linnet_item_state state;
    char *output_id, *document;
    char digest[65]; /* of its inputs and the fingerprint */
    struct linnet_work *work;
    size_t bytes;    /* of blobs, counted in the flow's */
    size_t reserved; /* in the writer */
    unsigned attempts;
    unsigned pending; /* downloads, writes */
    int64_t since;    /* of its first failure, monotonic; 0: none */
    int64_t due;      /* waiting: until when */
    json_t *inputs;   /* [{id, digest}], where there is no work to tell them */
    int failure;      /* of a download or a write: the first error */
    char *reason;
    bool suspect, dead, parked;
};

/* What was decided about an item without leaving a result: not to be done again in this visit. */
struct linnet_settled {
    char *output_id;
    char digest[65];
    const struct linnet_slot *slot;
};

struct linnet_task {
    struct linnet_observation observation; /* .ulid is its key in flow->tasks */
    struct linnet_flow *flow;
    int share; /* whose lease it is done under; LINNET_SHARE_SITE: the site's */
    enum linnet_priority priority;
    TAILQ_ENTRY(linnet_task) read_link, plan_link;
    struct linnet_task_list *read_list;
    bool to_read, to_plan, reading; /* on which list; request under way */
    bool begun;                     /* its first plan or read has been made: what comes now may be news */
    bool whole;                     /* reads everything; else sparse: only what the changes at hand lead to */
    bool stale;                     /* must be read (again) before the next plan */
    bool dropped;                   /* its share has gone: it only waits for its flight to end */
    bool backfill;                  /* a backfill's visit: results of other fingerprints are due */
    bool gone;                      /* there is no observation: nothing is due */
    bool planned;                   /* `plan` holds one */
    bool fresh;                     /* something was put since it was made */
    bool complete;           /* all that was due has been begun, and nothing but results has come of it */
    bool shed;               /* its last result was written and let go: no plan without reading again */
    struct linnet_plan plan; /* sparse: kept while it is found out whether its outputs stand */
    struct linnet_entry *waiting; /* changes that it answers */
    struct linnet_item_list items;
    size_t nitems;
    size_t writes; /* tombstones and settlements under way, and requests that conflict.c and deletion.c have
                      out */
    char **asked; /* sparse: ids to read; the first `nread` of them have been */
    size_t nasked, nread;
    struct linnet_settled *settled;
    size_t nsettled;
    size_t bytes; /* counted in the flow's */
    unsigned failures;
    int64_t not_before; /* a read that failed waits so long */
    bool visited;       /* parked retries brought it here */
    struct linnet_backfill *visitor;
};

/* ---- the flow ---- */

struct linnet_flow_counters {
    uint64_t changes, answered;
};

struct linnet_flow {
    struct linnet_flow_options options;
    char *group, *worker;
    struct linnet_slot **slots; /* the present ones, then replaced ones that still have items */
    size_t nslots, nold;
    struct linnet_slot **old;
    bool terminal; /* no stage reads what another one makes */
    struct linnet_planned_stage
        *planned; /* of the present slots that work: scope observation, not standing by */
    struct linnet_slot **planned_slots;
    size_t nplanned;
    struct linnet_flow_kind *kinds;
    size_t nkinds;

    struct linnet_held_share shares[LINNET_SHARES];
    struct linnet_source *feed;
    struct linnet_source_list passes; /* passes and backfills */
    struct linnet_known known;

    struct linnet_table tasks;
    struct linnet_task_list to_plan, to_read[LINNET_PRIORITIES], to_read_sparse[LINNET_PRIORITIES];
    size_t ntasks; /* dropped ones too */
    size_t bytes;
    unsigned reads, sparse_reads, downloads;
    struct linnet_item_list waiting; /* items that back off */
    struct linnet_downloads *downloading;

    struct linnet_writer *writers[LINNET_DB_NONE];
    struct linnet_letters *letters;
    struct linnet_site *sites; /* the present ownership, then earlier ones that are not quite over */
    struct linnet_backfill *backfills;

    uv_prepare_t prepare;
    uv_timer_t timer; /* backoffs, polls: runs as long as the flow does */
    bool loading;     /* letters of gained shares are being read: nothing is planned until then */
    unsigned releasing;
    bool paused, draining, closing, failed, told, writers_closed;
    int fatal_error;
    char fatal_detail[256];
    int64_t lag_ms;
    unsigned handles;  /* writers and uv handles still to close */
    unsigned requests; /* of the flow's own under way */
    void (*drained)(void *arg);
    void *drained_arg;
    void (*closed)(void *arg);
    void *closed_arg;

    struct linnet_flow_counters count;
    struct linnet_metric *m_changes, *m_answered, *m_tasks, *m_bytes, *m_span, *m_paused, *m_lag, *m_reads,
        *m_known;
};

/* ---- flow.c ---- */
/* It cannot go on; told once, from the loop. */
void linnet_flow_fail(struct linnet_flow *flow, int error, const char *detail);
/* The kind's entry, NULL if no stage of the group has to do with it. */
const struct linnet_flow_kind *linnet_flow_kind(const struct linnet_flow *flow, const char *name);
/* Pause the feeds above a high mark, let them go on below the low one. */
void linnet_flow_pace(struct linnet_flow *flow);
/* Count bytes in or out of memory. */
void linnet_flow_account(struct linnet_flow *flow, size_t *counted, size_t now);
/* Milliseconds to wait before attempt n (from 1), doubled each time up to `most`, with jitter. */
unsigned linnet_flow_backoff(unsigned attempts, unsigned least, unsigned most);

/* ---- stages.c ---- */
void linnet_flow_free_stages(struct linnet_flow *flow);
/* Free replaced slots that have no item left. */
void linnet_flow_sweep_slots(struct linnet_flow *flow);

/* ---- source.c ---- */
/* Open a feed or a pass. `since` NULL or "": from the beginning. NULL: failed, flow_fail was called. */
struct linnet_source *linnet_source_open(struct linnet_flow *flow, enum linnet_source_kind kind,
                                         const char *since, void *owner);
/* No more changes; its ledger goes on. NULL is safe. */
void linnet_source_stop(struct linnet_source *source);
/* Close it; entries that wait in its ledger must have been let go. */
void linnet_source_close(struct linnet_source *source);
void linnet_source_pause(struct linnet_source *source, bool pause);
/* Passes that are over, shares that may be caught up now. */
void linnet_source_turn(struct linnet_flow *flow);
/* Letters are loaded: shares that wait for them go on. */
void linnet_source_shares_loaded(struct linnet_flow *flow);
/* Does this process own the share? */
bool linnet_source_owns(const struct linnet_flow *flow, unsigned share);
void linnet_source_close_all(struct linnet_flow *flow);
/* The writer refused for an old lease. */
void linnet_source_late(struct linnet_flow *flow, int share);

/* ---- dispatch.c ---- */
/* Is the document of such a change of any use? */
bool linnet_dispatch_wants(const struct linnet_source *source, const char *id);
void linnet_dispatch_change(struct linnet_source *source, const struct linnet_change *change);

/* ---- task.c ---- */
/* The task of an observation, made if there is none. NULL: out of memory (flow_fail was called). */
struct linnet_task *linnet_task_of(struct linnet_flow *flow, const char *ulid, int share,
                                   enum linnet_priority priority);
/* The task answers this change when all is done. */
void linnet_task_wait(struct linnet_task *task, struct linnet_entry *entry);
/* Read it before the next plan. */
void linnet_task_read(struct linnet_task *task);
/* Sparse: read this document before the next plan. LINNET_E_NOMEM. */
int linnet_task_ask(struct linnet_task *task, const char *id);
/* Look at it in this turn. */
void linnet_task_plan_later(struct linnet_task *task);
void linnet_task_plan(struct linnet_task *task);
/* Its share is gone: answers are given back, items dropped; freed when its flight has ended. */
void linnet_task_drop(struct linnet_task *task);
/* This ledger is going: no task answers to it any more. */
void linnet_task_forget_ledger(struct linnet_flow *flow, const struct linnet_ledger *ledger);
void linnet_task_drop_all(struct linnet_flow *flow, int share);
/* Remember that nothing is to be done about an item in this visit. LINNET_E_NOMEM. */
int linnet_task_settle_item(struct linnet_task *task, const struct linnet_slot *slot, const char *output_id,
                            const char *digest);
/* A document of the store has been read: checked, put into the observation. */
void linnet_task_put(struct linnet_task *task, json_t *document);
void linnet_task_account(struct linnet_task *task);
/* A request that read for the task has ended. */
void linnet_task_read_ended(struct linnet_task *task, int error, const char *detail);

/* ---- gather.c ---- */
void linnet_gather_add(struct linnet_task *task);
void linnet_gather_remove(struct linnet_task *task);
void linnet_gather_turn(struct linnet_flow *flow);

/* ---- item.c ---- */
/* Begin a due item. LINNET_E_NOMEM. */
int linnet_item_begin(struct linnet_task *task, struct linnet_slot *slot,
                      const struct linnet_planned_stage *planned, const struct linnet_due *due);
/* Its blobs are there: make the work and let it wait for room. */
int linnet_item_make_work(struct linnet_flow_item *item, const struct linnet_due *due);
/* A download for it has ended. */
void linnet_item_fetched(struct linnet_flow_item *item, int error, const char *detail);
/* Forget an item that is not in flight. */
void linnet_item_free(struct linnet_flow_item *item);
/* Is it somewhere from where it will come back by itself? */
bool linnet_item_in_flight(const struct linnet_flow_item *item);
/* A permanent failure of a document that never became an item. */
int linnet_item_refuse(struct linnet_task *task, struct linnet_slot *slot, const char *document,
                       const char *digest, const char *reason);
/* Give the stages what they have room for. */
void linnet_item_turn(struct linnet_flow *flow);
/* Once a tick: what has backed off long enough goes on. */
void linnet_item_tick(struct linnet_flow *flow, int64_t now);
void linnet_item_work_done(struct linnet_flow *flow, struct linnet_slot *slot, struct linnet_work *work);

/* ---- blob.c ---- */
int linnet_blob_open(struct linnet_flow *flow);
void linnet_blob_close(struct linnet_flow *flow);
/* Fetch one attachment into the task's observation, then linnet_item_fetched. */
int linnet_blob_fetch(struct linnet_flow_item *item, const struct linnet_held_doc *doc, const char *name);
void linnet_blob_turn(struct linnet_flow *flow);
/* The item is going: nothing is told to it any more. */
void linnet_blob_forget(struct linnet_flow_item *item);

/* ---- letter.c ---- */
enum linnet_letter_kind { LINNET_LETTER_DEAD, LINNET_LETTER_RETRY };
int linnet_letters_open(struct linnet_flow *flow);
void linnet_letters_close(struct linnet_flow *flow);
/* Read the letters of the shares that are LOADING, then linnet_source_shares_loaded. */
void linnet_letters_load(struct linnet_flow *flow);
void linnet_letters_tick(struct linnet_flow *flow, int64_t now);
/* Forget those of a share (or the site) that is not owned any more. */
void linnet_letters_forget(struct linnet_flow *flow, int share);
/* Is there a letter that answers this item? */
bool linnet_letters_answer(const struct linnet_flow *flow, const char *stage, const char *document,
                           const char *digest);
/* Write one for the item, in place of its results. */
void linnet_letters_write(struct linnet_flow_item *item, enum linnet_letter_kind kind, const char *reason);
/* How often has this item been tried before it was parked? */
unsigned linnet_letters_attempts(const struct linnet_flow *flow, const struct linnet_slot *slot,
                                 const char *document);
/* The write of a letter, without `done` and `arg`; `inputs` is of a dead letter, `digest` of a retry. NULL:
 * out of memory. */
struct linnet_write *linnet_letters_compose(struct linnet_flow *flow, const struct linnet_slot *slot,
                                            enum linnet_letter_kind kind, const char *document,
                                            const char *digest, json_t *inputs, unsigned attempts,
                                            const char *reason);
/* A letter has been written: from now on it answers. */
void linnet_letters_written(struct linnet_flow *flow, const struct linnet_slot *slot,
                            enum linnet_letter_kind kind, const char *document, const char *digest,
                            unsigned attempts, const struct linnet_write *write);
/* The item ended well: its letters and its suspicion go. */
void linnet_letters_clear(struct linnet_flow *flow, const struct linnet_slot *slot, const char *document,
                          bool suspect);
/* The observation has been deleted: its letters too. */
void linnet_letters_bury(struct linnet_task *task);
/* A parked retry could not be visited after all: it is tried again. */
void linnet_letters_forget_visit(struct linnet_flow *flow, const struct linnet_slot *slot,
                                 const char *document);
/* A visit that a parked retry asked for is over. */
void linnet_letters_visited(struct linnet_task *task);

/* ---- deletion.c, conflict.c ---- */
/* There is no observation document among what was read: find out whether it was deleted; if so, delete
 * everything. */
void linnet_deletion_check(struct linnet_task *task, json_t *rows);
/* Results whose trigger is not there: delete those whose trigger was deleted. True: under way. */
bool linnet_deletion_orphans(struct linnet_task *task, const struct linnet_orphan *orphans, size_t n);
/* Tombstone one revision in the task's name; the task waits for it. */
int linnet_deletion_bury(struct linnet_task *task, const char *id, const char *revision,
                         enum linnet_write_mode mode);
/* Settle the conflicts of a document that was read with _conflicts, if they are this group's to settle. True:
 * under way, the task is read again after it. */
bool linnet_conflict_settle(struct linnet_task *task, const json_t *document);

/* ---- cleaning.c ---- */
/* An attachment has come: is it a picture that tells where it was taken? Then it is replaced, the task waits for
 * that and is read again. 1: under way, these bytes are not to be used; 0: nothing to do; LINNET_E_NOMEM. */
int linnet_cleaning_check(struct linnet_task *task, const char *id, const char *name, const char *content_type,
                          const void *data, size_t size);

/* ---- site.c ---- */
void linnet_site_close(struct linnet_flow *flow);
bool linnet_site_wants(const struct linnet_source *source, const char *id);
void linnet_site_change(struct linnet_source *source, const struct linnet_change *change);
void linnet_site_caught_up(struct linnet_source *source);
void linnet_site_turn(struct linnet_flow *flow);
void linnet_site_tick(struct linnet_flow *flow, int64_t now);
void linnet_site_work_done(struct linnet_flow *flow, struct linnet_slot *slot, struct linnet_work *work);
/* The lease is too old, the flow closes: nothing more is begun. */
void linnet_site_late(struct linnet_flow *flow);
void linnet_site_stages_changed(struct linnet_flow *flow);
bool linnet_site_owned(const struct linnet_flow *flow);
/* Draining: is everything done and saved? Else: has everything of earlier ownerships come back? */
bool linnet_site_idle(const struct linnet_flow *flow);
/* A parked retry's time has come. False: the site is not owned, or the stage is gone. */
bool linnet_site_revisit(struct linnet_flow *flow, const struct linnet_slot *slot, const char *document);

/* ---- backfill.c ---- */
void linnet_backfill_close(struct linnet_flow *flow);
int linnet_backfill_status(const struct linnet_flow *flow, json_t *out);
void linnet_backfill_change(struct linnet_source *source, const struct linnet_change *change);
void linnet_backfill_turn(struct linnet_flow *flow);
void linnet_backfill_tick(struct linnet_flow *flow, int64_t now);
/* A task that a backfill visits is over (or dropped: then it was not answered). */
void linnet_backfill_task_ended(struct linnet_task *task);
void linnet_backfill_computed(struct linnet_task *task);
/* Shares were gained or lost. */
void linnet_backfill_shares_changed(struct linnet_flow *flow);

#endif
