#include "workers/worker/members.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"

/* A stopped or silent member's document is deleted after so many terms. */
#define FORGET_TERMS 120
#define RETRY_MS     1000 /* after a round that failed */

struct member {
    char *id; /* without "worker:" */
    char *revision;
    json_t *groups;
    int64_t term_ms;
    int64_t seen_ms; /* when its revision was first seen */
    bool stopped;
    bool present; /* in the round under way */
};

struct linnet_members {
    struct linnet_members_options options;
    char *id;
    char *revision; /* of the own document, NULL before the first write */
    uv_timer_t timer;
    struct member *others;
    size_t n, capacity;
    bool read;        /* a round has succeeded */
    bool busy, again; /* a round is under way; another is asked for */
    bool leaving, closing;
    bool silent; /* the last round failed, and that was said */
    void (*left)(void *arg);
    void *left_arg;
    void (*closed)(void *arg);
    void *closed_arg;
};

static void start_round(struct linnet_members *members);
static void on_timer(uv_timer_t *timer);

/* ---- what was seen ---- */

static void member_done(struct member *member) {
    free(member->id);
    free(member->revision);
    json_decref(member->groups);
}

static bool alive(const struct member *member) {
    return !member->stopped && linnet_time_monotonic() - member->seen_ms <= member->term_ms;
}

static struct member *find(struct linnet_members *members, const char *id) {
    for (size_t i = 0; i < members->n; i++)
        if (strcmp(members->others[i].id, id) == 0) return &members->others[i];
    if (members->n == members->capacity) {
        size_t capacity = members->capacity ? members->capacity * 2 : 8;
        struct member *grown = realloc(members->others, capacity * sizeof *grown);
        if (grown == NULL) return NULL;
        members->others = grown;
        members->capacity = capacity;
    }
    struct member *member = &members->others[members->n];
    *member = (struct member){.id = strdup(id)};
    if (member->id == NULL) return NULL;
    members->n++;
    return member;
}

static void observe(struct linnet_members *members, const json_t *document) {
    const char *id = linnet_json_string(document, "_id", ""),
               *revision = linnet_json_string(document, "_rev", "");
    if (strncmp(id, "worker:", 7) != 0) return;
    if (strcmp(id + 7, members->id) == 0) {
        free(members->revision);
        members->revision = strdup(revision);
        return;
    }
    struct member *member = find(members, id + 7);
    if (member == NULL) return;
    member->present = true;
    if (member->revision != NULL && strcmp(member->revision, revision) == 0) return;
    free(member->revision);
    member->revision = strdup(revision);
    member->seen_ms = linnet_time_monotonic();
    member->term_ms = linnet_json_integer(document, "term_ms", members->options.term_ms);
    member->stopped = linnet_json_bool(document, "stopped", false);
    json_decref(member->groups);
    member->groups = json_incref(json_object_get(document, "groups"));
}

static void drop_absent(struct linnet_members *members) {
    size_t kept = 0;
    for (size_t i = 0; i < members->n; i++) {
        if (members->others[i].present) {
            members->others[kept++] = members->others[i];
        } else {
            member_done(&members->others[i]);
        }
    }
    members->n = kept;
}

/* ---- a round: read all, write the own (and delete the long dead) ---- */

static void finish_leaving(struct linnet_members *members) {
    void (*left)(void *) = members->left;
    members->left = NULL;
    if (left != NULL) left(members->left_arg);
}

static void on_timer_closed(uv_handle_t *handle) {
    struct linnet_members *members = handle->data;
    void (*closed)(void *) = members->closed;
    void *arg = members->closed_arg;
    for (size_t i = 0; i < members->n; i++)
        member_done(&members->others[i]);
    free(members->others);
    free(members->revision);
    free(members->id);
    free(members);
    if (closed != NULL) closed(arg);
}

static void end_round(struct linnet_members *members, bool good) {
    members->busy = false;
    if (members->closing) {
        uv_close((uv_handle_t *)&members->timer, on_timer_closed);
        return;
    }
    if (members->leaving) {
        if (members->again) {
            members->again = false;
            start_round(members);
        } else {
            finish_leaving(members);
        }
        return;
    }
    if (good) {
        members->read = true;
        if (members->options.round != NULL) members->options.round(members->options.arg);
    }
    if (members->again && !members->busy) {
        members->again = false;
        start_round(members);
    }
}

static void failed(struct linnet_members *members, const char *what, const char *detail) {
    if (!members->silent && !members->closing)
        linnet_log(LINNET_WARN, "members", what, "detail", "s", detail, NULL);
    members->silent = true;
    if (!members->closing && !members->leaving) {
        uint64_t period = (uint64_t)(members->options.term_ms / 3);
        uv_timer_start(&members->timer, on_timer, period < RETRY_MS ? period : RETRY_MS, period);
    }
    end_round(members, false);
}

static void on_written(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                       void *arg) {
    struct linnet_members *members = arg;
    (void)request;
    if (response->error != 0) {
        failed(members, "cannot write the heartbeat", response->detail);
        return;
    }
    /* Somebody else's hand in our document: the next round reads the revision again. */
    const json_t *own = json_array_get(response->json, 0);
    const char *revision = linnet_json_string(own, "rev", NULL);
    if (revision != NULL) {
        free(members->revision);
        members->revision = strdup(revision);
    }
    if (members->silent) linnet_log(LINNET_INFO, "members", "heartbeats go on", NULL);
    members->silent = false;
    end_round(members, true);
}

static json_t *own_document(struct linnet_members *members) {
    json_t *document = members->options.describe(members->options.arg);
    char id[LINNET_ID_MAX], now[LINNET_TIME_SIZE];
    if (document == NULL || linnet_id_format(NULL, "worker", members->id, id) != 0) {
        json_decref(document);
        return NULL;
    }
    linnet_time_format(linnet_time_now(), now);
    json_object_set_new(document, "_id", json_string(id));
    if (members->revision != NULL) json_object_set_new(document, "_rev", json_string(members->revision));
    json_object_set_new(document, "kind", json_string("worker"));
    json_object_set_new(document, "at", json_string(now));
    json_object_set_new(document, "term_ms", json_integer(members->options.term_ms));
    if (members->leaving) json_object_set_new(document, "stopped", json_true());
    return document;
}

static void add_forgotten(struct linnet_members *members, json_t *documents) {
    for (size_t i = 0; i < members->n; i++) {
        const struct member *member = &members->others[i];
        if (linnet_time_monotonic() - member->seen_ms < FORGET_TERMS * member->term_ms) continue;
        char id[LINNET_ID_MAX];
        if (linnet_id_format(NULL, "worker", member->id, id) != 0) continue;
        json_array_append_new(
            documents, json_pack("{s:s, s:s, s:b}", "_id", id, "_rev", member->revision, "_deleted", 1));
    }
}

static void on_read(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                    void *arg) {
    struct linnet_members *members = arg;
    (void)request;
    if (response->error != 0 || members->closing) {
        failed(members, "cannot read the members", response->detail);
        return;
    }
    for (size_t i = 0; i < members->n; i++)
        members->others[i].present = false;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(response->json, "rows"), i, row)
        observe(members, json_object_get(row, "doc"));
    drop_absent(members);
    json_t *documents = json_array(), *own = own_document(members);
    if (own == NULL || json_array_append_new(documents, own) != 0) {
        json_decref(documents);
        failed(members, "cannot write the heartbeat", "out of memory");
        return;
    }
    add_forgotten(members, documents);
    int rc = linnet_couch_bulk(members->options.couch, LINNET_DB_OPS, documents, true, on_written, members);
    json_decref(documents);
    if (rc != 0) failed(members, "cannot write the heartbeat", linnet_error_message(rc));
}

static void start_round(struct linnet_members *members) {
    if (members->busy) {
        members->again = true;
        return;
    }
    members->busy = true;
    int rc = linnet_couch_range(members->options.couch, LINNET_DB_OPS, "worker:", "worker;", 0, true, on_read,
                                members);
    if (rc != 0) failed(members, "cannot read the members", linnet_error_message(rc));
}

static void on_timer(uv_timer_t *timer) {
    start_round(timer->data);
}

/* ---- outside ---- */

int linnet_members_open(const struct linnet_members_options *options, struct linnet_members **out) {
    struct linnet_members *members = calloc(1, sizeof *members);
    if (members == NULL || (members->id = strdup(options->id)) == NULL) {
        free(members);
        return LINNET_E_NOMEM;
    }
    members->options = *options;
    uv_timer_init(options->loop, &members->timer);
    members->timer.data = members;
    uv_timer_start(&members->timer, on_timer, 0, (uint64_t)(options->term_ms / 3));
    *out = members;
    return 0;
}

void linnet_members_beat(struct linnet_members *members) {
    if (!members->leaving && !members->closing) start_round(members);
}

static bool takes_part(const json_t *groups, const char *group) {
    const json_t *value = json_object_get(groups, group);
    return value != NULL && !linnet_json_bool(value, "standby", false);
}

bool linnet_members_rank(const struct linnet_members *members, const char *group, unsigned *rank,
                         unsigned *count) {
    if (!members->read) return false;
    json_t *own = members->options.describe(members->options.arg);
    bool part = takes_part(json_object_get(own, "groups"), group);
    json_decref(own);
    if (!part) return false;
    unsigned before = 0, n = 1;
    for (size_t i = 0; i < members->n; i++) {
        const struct member *member = &members->others[i];
        if (!alive(member) || !takes_part(member->groups, group)) continue;
        n++;
        if (strcmp(member->id, members->id) < 0) before++;
    }
    *rank = before;
    *count = n;
    return true;
}

unsigned linnet_members_others(const struct linnet_members *members) {
    unsigned n = 0;
    for (size_t i = 0; i < members->n; i++)
        n += alive(&members->others[i]);
    return n;
}

void linnet_members_leave(struct linnet_members *members, void (*done)(void *arg), void *arg) {
    members->leaving = true;
    members->left = done;
    members->left_arg = arg;
    uv_timer_stop(&members->timer);
    start_round(members);
}

void linnet_members_close(struct linnet_members *members, void (*closed)(void *arg), void *arg) {
    members->closing = true;
    members->left = NULL;
    members->closed = closed;
    members->closed_arg = arg;
    uv_timer_stop(&members->timer);
    if (!members->busy) uv_close((uv_handle_t *)&members->timer, on_timer_closed);
}
