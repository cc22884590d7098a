#include "workers/worker/shares.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"

#define SITE     LINNET_SHARES /* the site lease's place in the table */
#define LEASES   (LINNET_SHARES + 1)
#define RETRY_MS 500 /* after a round that failed, and as much again at most */

/* What a round wants of a lease. */
enum wish { NOTHING, RENEW, TAKE, GIVE };

struct lease {
    char *revision; /* NULL: no document */
    char *owner;    /* NULL: free */
    char *session;
    char *checkpoint; /* NULL: none */
    char *identity;   /* of the database that it is of */
    uint64_t generation;
    int64_t term_ms;
    int64_t seen_ms;    /* when this revision was first seen */
    int64_t renewed_ms; /* when the last renewal that succeeded was begun */
    bool ours;          /* the document as we know it names this session */
    bool given;         /* the flow works on it */
    bool releasing;     /* the flow was asked to let go */
    bool released;      /* it has */
    enum wish wish;     /* of the round under way */
};

struct linnet_shares {
    struct linnet_shares_options options;
    char *group, *worker, *session, *identity;
    struct lease leases[LEASES];
    uv_timer_t timer;  /* each third of a term */
    uv_timer_t sooner; /* a round out of turn, with jitter */
    int64_t round_ms;  /* when the round under way began to write */
    int64_t good_ms;   /* when the last one succeeded; 0: none */
    unsigned target;
    bool busy, again, holding, leaving, closing, silent, warned_identity;
    unsigned handles;
    unsigned lost_now; /* in the round under way */
    void (*left)(void *arg);
    void *left_arg;
    void (*closed)(void *arg);
    void *closed_arg;
    struct linnet_metric *owned_metric, *lost_metric, *failed_metric;
};

static void start_round(struct linnet_shares *shares);

/* ---- a lease as its document says ---- */

static void lease_id(const struct linnet_shares *shares, unsigned index, char out[LINNET_ID_MAX]) {
    if (index == SITE)
        snprintf(out, LINNET_ID_MAX, "share:%s:site", shares->group);
    else
        snprintf(out, LINNET_ID_MAX, "share:%s:%02u", shares->group, index);
}

/* The place in the table of an id, -1 for others. */
static int lease_index(const struct linnet_shares *shares, const char *id) {
    size_t size = strlen(shares->group);
    if (strncmp(id, "share:", 6) != 0 || strncmp(id + 6, shares->group, size) != 0 || id[6 + size] != ':')
        return -1;
    const char *rest = id + 7 + size;
    if (strcmp(rest, "site") == 0) return SITE;
    if (strlen(rest) != 2 || strspn(rest, "0123456789") != 2) return -1;
    int index = atoi(rest);
    return index < LINNET_SHARES ? index : -1;
}

static void set(char **to, const char *text) {
    char *copy = text != NULL ? strdup(text) : NULL;
    free(*to);
    *to = copy;
}

static void lease_forget(struct lease *lease) {
    set(&lease->revision, NULL);
    set(&lease->owner, NULL);
    set(&lease->session, NULL);
    set(&lease->checkpoint, NULL);
    set(&lease->identity, NULL);
}

static bool names_us(const struct linnet_shares *shares, const struct lease *lease) {
    return lease->owner != NULL && lease->session != NULL && strcmp(lease->owner, shares->worker) == 0 &&
           strcmp(lease->session, shares->session) == 0;
}

static void lose(struct linnet_shares *shares, unsigned index) {
    struct lease *lease = &shares->leases[index];
    bool given = lease->given;
    lease->ours = lease->given = lease->releasing = lease->released = false;
    lease->wish = NOTHING;
    if (!given) return;
    shares->lost_now++;
    linnet_metric_add(shares->lost_metric, 1);
    if (index == SITE)
        shares->options.events.site_lost(shares->options.arg);
    else
        shares->options.events.lost(shares->options.arg, index);
}

/* Take in a document that was read (NULL: there is none). */
static void observe(struct linnet_shares *shares, unsigned index, const json_t *document) {
    struct lease *lease = &shares->leases[index];
    const char *revision = linnet_json_string(document, "_rev", NULL);
    if (revision == NULL) {
        lease_forget(lease);
        if (lease->ours) lose(shares, index);
        return;
    }
    if (lease->revision != NULL && strcmp(lease->revision, revision) == 0) return;
    set(&lease->revision, revision);
    set(&lease->owner, linnet_json_string(document, "owner", NULL));
    set(&lease->session, linnet_json_string(document, "session", NULL));
    set(&lease->checkpoint, linnet_json_string(document, "checkpoint", NULL));
    set(&lease->identity, linnet_json_string(document, "identity", NULL));
    lease->generation = (uint64_t)linnet_json_integer(document, "generation", 0);
    lease->term_ms = linnet_json_integer(document, "term_ms", shares->options.term_ms);
    lease->seen_ms = linnet_time_monotonic();
    if (lease->ours && !names_us(shares, lease)) {
        lose(shares, index);
    } else if (!lease->ours && names_us(shares, lease)) {
        lease->ours = true; /* a taking whose answer was lost on the way; renewing it confirms it */
    }
}

/* ---- what a round does ---- */

static unsigned count_kept(const struct linnet_shares *shares) {
    unsigned n = 0;
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        n += shares->leases[i].ours && !shares->leases[i].releasing;
    return n;
}

static bool expired(const struct linnet_shares *shares, const struct lease *lease) {
    if (lease->revision == NULL || lease->owner == NULL) return true;
    if (strcmp(lease->owner, shares->worker) == 0) return !lease->ours; /* of a child before us */
    return linnet_time_monotonic() - lease->seen_ms > lease->term_ms;
}

/* Wish for as many free shares as are missing, starting at a place of our own so that two who join at once
 * collide less. */
static void wish_taking(struct linnet_shares *shares) {
    unsigned kept = count_kept(shares);
    unsigned start = (unsigned)(linnet_hash(shares->worker, strlen(shares->worker)) % LINNET_SHARES);
    for (unsigned i = 0; i < LINNET_SHARES && kept < shares->target; i++) {
        struct lease *lease = &shares->leases[(start + i) % LINNET_SHARES];
        if (lease->ours || !expired(shares, lease)) continue;
        lease->wish = TAKE;
        kept++;
    }
}

/* Ask the flow to let go of what is beyond our part. */
static void ask_releases(struct linnet_shares *shares) {
    unsigned kept = count_kept(shares);
    for (unsigned i = LINNET_SHARES; i-- > 0 && kept > shares->target;) {
        struct lease *lease = &shares->leases[i];
        if (!lease->ours || lease->releasing) continue;
        kept--;
        lease->releasing = true;
        if (lease->given)
            shares->options.events.release(shares->options.arg, i);
        else
            lease->released = true;
    }
}

static void decide(struct linnet_shares *shares) {
    unsigned rank = 0, count = 1;
    bool part = linnet_members_rank(shares->options.members, shares->group, &rank, &count);
    shares->target = part && shares->options.needs_shares
                         ? LINNET_SHARES / count + (rank < LINNET_SHARES % count ? 1 : 0)
                         : 0;
    struct lease *site = &shares->leases[SITE];
    bool wants_site = part && shares->options.needs_site;
    for (unsigned i = 0; i < LEASES; i++)
        shares->leases[i].wish = shares->leases[i].ours ? RENEW : NOTHING;
    if (shares->holding) return;
    if (site->ours && !wants_site) site->wish = GIVE;
    if (!site->ours && wants_site && expired(shares, site)) site->wish = TAKE;
    wish_taking(shares);
    ask_releases(shares);
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        if (shares->leases[i].ours && shares->leases[i].released) shares->leases[i].wish = GIVE;
}

/* The position to write: what the flow says now, else what the document said. */
static void take_checkpoint(struct linnet_shares *shares, unsigned index) {
    struct lease *lease = &shares->leases[index];
    if (!lease->given) return;
    const char *seq = shares->options.events.checkpoint(shares->options.arg,
                                                        index == SITE ? LINNET_SHARE_SITE : (int)index);
    if (seq == NULL || *seq == '\0') return;
    set(&lease->checkpoint, seq);
    set(&lease->identity, shares->identity);
}

static json_t *lease_document(struct linnet_shares *shares, unsigned index) {
    struct lease *lease = &shares->leases[index];
    char id[LINNET_ID_MAX];
    lease_id(shares, index, id);
    bool give = lease->wish == GIVE;
    take_checkpoint(shares, index);
    json_t *document = json_pack(
        "{s:s, s:s, s:s, s:o, s:s?, s:s?, s:I, s:I, s:s?, s:s?}", "_id", id, "kind", "share", "group",
        shares->group, "share", index == SITE ? json_string("site") : json_integer(index), "owner",
        give ? NULL : shares->worker, "session", give ? NULL : shares->session, "generation",
        (json_int_t)lease->generation + (lease->wish == TAKE), "term_ms", (json_int_t)shares->options.term_ms,
        "checkpoint", lease->checkpoint, "identity", lease->identity);
    if (document != NULL && lease->revision != NULL)
        json_object_set_new(document, "_rev", json_string(lease->revision));
    return document;
}

/* ---- the answers ---- */

/* Where to read on from, "" from the beginning. A position of another database is silently accepted by
 * CouchDB and would replay everything, or never come, so it is compared here. */
static const char *start_of(struct linnet_shares *shares, const struct lease *lease) {
    const char *identity = lease->identity != NULL ? lease->identity : "";
    if (lease->checkpoint == NULL || *lease->checkpoint == '\0') return "";
    if (strcmp(identity, shares->identity) == 0) return lease->checkpoint;
    if (!shares->warned_identity)
        linnet_log(LINNET_WARN, "shares",
                   "checkpoints are of another database (it was deleted and made again?): reading from the "
                   "beginning",
                   "group", "s", shares->group, "database", "s", shares->identity, "checkpoint_database", "s",
                   identity, NULL);
    shares->warned_identity = true;
    return "";
}

static void written(struct linnet_shares *shares, unsigned index, const char *revision) {
    struct lease *lease = &shares->leases[index];
    enum wish wish = lease->wish;
    lease->wish = NOTHING;
    set(&lease->revision, revision);
    lease->seen_ms = linnet_time_monotonic();
    lease->term_ms = shares->options.term_ms;
    if (wish == GIVE) {
        bool given = lease->given;
        set(&lease->owner, NULL);
        set(&lease->session, NULL);
        lease->ours = lease->given = lease->releasing = lease->released = false;
        if (given && index == SITE)
            shares->options.events.site_lost(shares->options.arg);
        else if (given)
            shares->options.events.lost(shares->options.arg, index);
        return;
    }
    if (wish == TAKE) {
        lease->generation++;
        set(&lease->owner, shares->worker);
        set(&lease->session, shares->session);
        lease->ours = true;
    }
    lease->renewed_ms = shares->round_ms;
}

/* Tell of all leases that are ours and fresh and that nobody works on yet. */
static void tell_gains(struct linnet_shares *shares) {
    struct linnet_flow_gain gains[LINNET_SHARES];
    size_t n = 0;
    for (unsigned i = 0; i < LINNET_SHARES; i++) {
        struct lease *lease = &shares->leases[i];
        if (!lease->ours || lease->given || lease->releasing || !linnet_shares_may_write(shares, (int)i))
            continue;
        lease->given = true;
        gains[n++] = (struct linnet_flow_gain){.share = i, .checkpoint = start_of(shares, lease)};
    }
    if (n > 0) {
        linnet_log(LINNET_INFO, "shares", "gained", "group", "s", shares->group, "shares", "i", (json_int_t)n,
                   "owned", "i", (json_int_t)linnet_shares_owned(shares), NULL);
        shares->options.events.gained(shares->options.arg, gains, n);
    }
    struct lease *site = &shares->leases[SITE];
    if (site->ours && !site->given && linnet_shares_may_write(shares, LINNET_SHARE_SITE)) {
        site->given = true;
        linnet_log(LINNET_INFO, "shares", "gained the site", "group", "s", shares->group, "generation", "i",
                   (json_int_t)site->generation, NULL);
        shares->options.events.site_gained(shares->options.arg, site->generation);
    }
}

static void on_closed(uv_handle_t *handle) {
    struct linnet_shares *shares = handle->data;
    if (--shares->handles > 0) return;
    void (*closed)(void *) = shares->closed;
    void *arg = shares->closed_arg;
    for (unsigned i = 0; i < LEASES; i++)
        lease_forget(&shares->leases[i]);
    free(shares->group);
    free(shares->worker);
    free(shares->session);
    free(shares->identity);
    free(shares);
    if (closed != NULL) closed(arg);
}

static void close_handles(struct linnet_shares *shares) {
    uv_close((uv_handle_t *)&shares->timer, on_closed);
    uv_close((uv_handle_t *)&shares->sooner, on_closed);
}

static void on_sooner(uv_timer_t *timer) {
    start_round(timer->data);
}

static void end_round(struct linnet_shares *shares) {
    shares->busy = false;
    linnet_metric_set(shares->owned_metric, linnet_shares_owned(shares));
    if (shares->closing) {
        close_handles(shares);
    } else if (shares->leaving && !shares->again) {
        void (*left)(void *) = shares->left;
        shares->left = NULL;
        if (left != NULL) left(shares->left_arg);
    } else if (shares->again) {
        shares->again = false;
        start_round(shares);
    }
}

static void failed(struct linnet_shares *shares, const char *what, const char *detail) {
    if (!shares->silent && !shares->closing)
        linnet_log(LINNET_WARN, "shares", what, "group", "s", shares->group, "detail", "s", detail, NULL);
    shares->silent = true;
    linnet_metric_add(shares->failed_metric, 1);
    if (!shares->closing && !shares->leaving)
        uv_timer_start(&shares->sooner, on_sooner, RETRY_MS + randombytes_uniform(RETRY_MS), 0);
    end_round(shares);
}

/* The answers stand in the order of the documents, which is that of the table. */
static void take_answers(struct linnet_shares *shares, const json_t *answers) {
    size_t at = 0;
    bool conflicts = false;
    for (unsigned i = 0; i < LEASES; i++) {
        if (shares->leases[i].wish == NOTHING) continue;
        const json_t *answer = json_array_get(answers, at++);
        const char *revision = linnet_json_string(answer, "rev", NULL);
        if (revision != NULL && json_object_get(answer, "error") == NULL)
            written(shares, i, revision);
        else
            conflicts = true; /* somebody was quicker: what it is now, the next round reads */
    }
    if (conflicts && !shares->leaving)
        uv_timer_start(&shares->sooner, on_sooner, 50 + randombytes_uniform(200), 0);
}

static void on_written(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                       void *arg) {
    struct linnet_shares *shares = arg;
    (void)request;
    if (response->error != 0 || !json_is_array(response->json)) {
        failed(shares, "cannot renew the leases", response->detail);
        return;
    }
    if (shares->closing) {
        end_round(shares);
        return;
    }
    if (shares->silent)
        linnet_log(LINNET_INFO, "shares", "leases are renewed again", "group", "s", shares->group, NULL);
    shares->silent = false;
    take_answers(shares, response->json);
    shares->good_ms = linnet_time_monotonic();
    if (!shares->holding) tell_gains(shares);
    end_round(shares);
}

static void write_leases(struct linnet_shares *shares) {
    json_t *documents = json_array();
    for (unsigned i = 0; documents != NULL && i < LEASES; i++) {
        if (shares->leases[i].wish == NOTHING) continue;
        json_t *document = lease_document(shares, i);
        if (document == NULL || json_array_append_new(documents, document) != 0) {
            json_decref(documents);
            documents = NULL;
        }
    }
    if (documents == NULL) {
        failed(shares, "cannot renew the leases", "out of memory");
        return;
    }
    if (json_array_size(documents) == 0) {
        json_decref(documents);
        shares->good_ms = linnet_time_monotonic();
        end_round(shares);
        return;
    }
    shares->round_ms = linnet_time_monotonic();
    int rc = linnet_couch_bulk(shares->options.couch, LINNET_DB_OPS, documents, true, on_written, shares);
    json_decref(documents);
    if (rc != 0) failed(shares, "cannot renew the leases", linnet_error_message(rc));
}

static void on_read(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                    void *arg) {
    struct linnet_shares *shares = arg;
    (void)request;
    if (response->error != 0 || shares->closing) {
        failed(shares, "cannot read the leases", response->detail);
        return;
    }
    const json_t *found[LEASES] = {0};
    size_t at;
    json_t *row;
    json_array_foreach(json_object_get(response->json, "rows"), at, row) {
        int index = lease_index(shares, linnet_json_string(row, "id", ""));
        if (index >= 0) found[index] = json_object_get(row, "doc");
    }
    for (unsigned i = 0; i < LEASES; i++)
        observe(shares, i, found[i]);
    if (shares->lost_now > 0)
        linnet_log(LINNET_WARN, "shares", "lost leases to other members: their work is dropped", "group", "s",
                   shares->group, "leases", "i", (json_int_t)shares->lost_now, NULL);
    shares->lost_now = 0;
    decide(shares);
    if (shares->leaving)
        for (unsigned i = 0; i < LEASES; i++)
            shares->leases[i].wish = shares->leases[i].ours ? GIVE : NOTHING;
    write_leases(shares);
}

static void start_round(struct linnet_shares *shares) {
    if (shares->busy) {
        shares->again = true;
        return;
    }
    shares->busy = true;
    char start[96], end[96];
    snprintf(start, sizeof start, "share:%s:", shares->group);
    snprintf(end, sizeof end, "share:%s;", shares->group);
    int rc = linnet_couch_range(shares->options.couch, LINNET_DB_OPS, start, end, 0, true, on_read, shares);
    if (rc != 0) failed(shares, "cannot read the leases", linnet_error_message(rc));
}

static void on_timer(uv_timer_t *timer) {
    start_round(timer->data);
}

/* ---- outside ---- */

static void make_metrics(struct linnet_shares *shares) {
    if (shares->options.metrics == NULL) return;
    char labels[96];
    snprintf(labels, sizeof labels, "group=\"%s\"", shares->group);
    shares->owned_metric = linnet_metrics_gauge(shares->options.metrics, "linnet_shares_owned", labels,
                                                "Shares owned by this worker.");
    shares->lost_metric = linnet_metrics_counter(shares->options.metrics, "linnet_leases_lost_total", labels,
                                                 "Leases that another member took.");
    shares->failed_metric =
        linnet_metrics_counter(shares->options.metrics, "linnet_lease_rounds_failed_total", labels,
                               "Rounds of lease renewal that failed.");
}

int linnet_shares_open(const struct linnet_shares_options *options, struct linnet_shares **out) {
    struct linnet_shares *shares = calloc(1, sizeof *shares);
    if (shares == NULL) return LINNET_E_NOMEM;
    shares->options = *options;
    set(&shares->group, options->group);
    set(&shares->worker, options->worker);
    set(&shares->session, options->session);
    set(&shares->identity, options->identity);
    if (!shares->group || !shares->worker || !shares->session || !shares->identity) {
        free(shares->group);
        free(shares->worker);
        free(shares->session);
        free(shares->identity);
        free(shares);
        return LINNET_E_NOMEM;
    }
    uv_timer_init(options->loop, &shares->timer);
    uv_timer_init(options->loop, &shares->sooner);
    shares->timer.data = shares->sooner.data = shares;
    shares->handles = 2;
    make_metrics(shares);
    *out = shares;
    return 0;
}

void linnet_shares_round(struct linnet_shares *shares) {
    if (shares->leaving || shares->closing) return;
    if (!uv_is_active((uv_handle_t *)&shares->timer)) {
        uint64_t period = (uint64_t)(shares->options.term_ms / 3);
        uv_timer_start(&shares->timer, on_timer, period, period);
    }
    start_round(shares);
}

bool linnet_shares_may_write(const struct linnet_shares *shares, int share) {
    const struct lease *lease = &shares->leases[share == LINNET_SHARE_SITE ? SITE : share];
    return lease->ours && lease->renewed_ms != 0 &&
           linnet_time_monotonic() - lease->renewed_ms < shares->options.term_ms / 2;
}

void linnet_shares_late(struct linnet_shares *shares, int share) {
    struct lease *lease = &shares->leases[share == LINNET_SHARE_SITE ? SITE : share];
    lease->given = false;
    if (lease->releasing) lease->released = true;
    linnet_shares_round(shares);
}

void linnet_shares_released(struct linnet_shares *shares, unsigned share) {
    if (share >= LINNET_SHARES || !shares->leases[share].releasing) return;
    shares->leases[share].released = true;
    if (!shares->leaving && !shares->closing) uv_timer_start(&shares->sooner, on_sooner, 10, 0);
}

void linnet_shares_set_needs(struct linnet_shares *shares, bool needs_shares, bool needs_site) {
    shares->options.needs_shares = needs_shares;
    shares->options.needs_site = needs_site;
}

void linnet_shares_hold(struct linnet_shares *shares) {
    shares->holding = true;
}

void linnet_shares_leave(struct linnet_shares *shares, void (*done)(void *arg), void *arg) {
    shares->leaving = shares->holding = true;
    shares->left = done;
    shares->left_arg = arg;
    uv_timer_stop(&shares->timer);
    uv_timer_stop(&shares->sooner);
    start_round(shares);
}

void linnet_shares_close(struct linnet_shares *shares, void (*closed)(void *arg), void *arg) {
    shares->closing = true;
    shares->left = NULL;
    shares->closed = closed;
    shares->closed_arg = arg;
    uv_timer_stop(&shares->timer);
    uv_timer_stop(&shares->sooner);
    if (!shares->busy) close_handles(shares);
}

unsigned linnet_shares_owned(const struct linnet_shares *shares) {
    unsigned n = 0;
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        n += shares->leases[i].given;
    return n;
}

unsigned linnet_shares_target(const struct linnet_shares *shares) {
    return shares->target;
}

bool linnet_shares_owns_site(const struct linnet_shares *shares) {
    return shares->leases[SITE].given;
}

bool linnet_shares_fresh(const struct linnet_shares *shares) {
    return shares->good_ms != 0 && linnet_time_monotonic() - shares->good_ms <= shares->options.term_ms;
}
