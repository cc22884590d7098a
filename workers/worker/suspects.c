#include "workers/worker/suspects.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "common/base/json.h"
#include "common/base/time.h"

/* What linnet_suspects_enter gives back. */
enum { PASSED_FREELY, PASSED_SHARED, PASSED_ALONE };

struct linnet_suspects {
    struct linnet_couch *couch;
    json_t *known;   /* {"<stage>:<document>": {"rev", "seen"}}; the loop thread's */
    json_t *doubted; /* the same for those with doubts; under `lock` */
    pthread_mutex_t lock;
    pthread_rwlock_t gate;
    atomic_bool any_doubts;
    unsigned requests;
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct refresh {
    struct linnet_suspects *suspects;
    void (*done)(void *arg, int error, const char *detail);
    void *arg;
};

int linnet_suspects_open(struct linnet_couch *couch, struct linnet_suspects **out) {
    struct linnet_suspects *suspects = calloc(1, sizeof *suspects);
    pthread_rwlockattr_t attr;
    if (suspects == NULL) return LINNET_E_NOMEM;
    suspects->couch = couch;
    suspects->known = json_object();
    suspects->doubted = json_object();
    pthread_mutex_init(&suspects->lock, NULL);
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&suspects->gate, &attr);
    pthread_rwlockattr_destroy(&attr);
    *out = suspects;
    return 0;
}

static void release(struct linnet_suspects *suspects) {
    if (!suspects->closing || suspects->requests > 0) return;
    void (*closed)(void *) = suspects->closed;
    void *arg = suspects->closed_arg;
    pthread_mutex_destroy(&suspects->lock);
    pthread_rwlock_destroy(&suspects->gate);
    json_decref(suspects->known);
    json_decref(suspects->doubted);
    free(suspects);
    if (closed != NULL) closed(arg);
}

static void set_doubted(struct linnet_suspects *suspects, json_t *doubted) {
    pthread_mutex_lock(&suspects->lock);
    json_t *old = suspects->doubted;
    suspects->doubted = doubted;
    pthread_mutex_unlock(&suspects->lock);
    json_decref(old);
    atomic_store(&suspects->any_doubts, json_object_size(doubted) > 0);
}

static void on_read(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                    void *arg) {
    struct refresh *refresh = arg;
    struct linnet_suspects *suspects = refresh->suspects;
    (void)request;
    suspects->requests--;
    if (response->error == 0) {
        json_t *known = json_object(), *doubted = json_object(), *row;
        size_t i;
        json_array_foreach(json_object_get(response->json, "rows"), i, row) {
            const char *key = linnet_json_string(row, "id", "") + strlen("suspect:");
            json_int_t seen =
                linnet_json_integer(json_object_get(suspects->known, key), "seen", linnet_time_monotonic());
            json_object_set_new(
                known, key,
                json_pack("{s:s, s:I}", "rev", linnet_json_string(row, "doc/_rev", ""), "seen", seen));
            if (linnet_json_integer(row, "doc/doubts", 0) > 0) json_object_set_new(doubted, key, json_true());
        }
        json_decref(suspects->known);
        suspects->known = known;
        set_doubted(suspects, doubted);
    }
    if (refresh->done != NULL && !suspects->closing)
        refresh->done(refresh->arg, response->error, response->detail);
    free(refresh);
    release(suspects);
}

int linnet_suspects_refresh(struct linnet_suspects *suspects,
                            void (*done)(void *arg, int error, const char *detail), void *arg) {
    struct refresh *refresh = calloc(1, sizeof *refresh);
    int rc = refresh == NULL ? LINNET_E_NOMEM : 0;
    if (rc == 0) {
        *refresh = (struct refresh){suspects, done, arg};
        rc = linnet_couch_range(suspects->couch, LINNET_DB_OPS, "suspect:", "suspect;", 0, true, on_read,
                                refresh);
    }
    if (rc == 0)
        suspects->requests++;
    else
        free(refresh);
    return rc;
}

static void on_swept(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                     void *arg) {
    struct linnet_suspects *suspects = arg;
    (void)request, (void)response; /* what could not be deleted is seen again at the next refresh */
    suspects->requests--;
    release(suspects);
}

void linnet_suspects_sweep(struct linnet_suspects *suspects,
                           bool (*past)(void *arg, const char *stage, const char *document, int64_t age_ms),
                           void *arg) {
    json_t *deletions = json_array(), *entry;
    const char *key;
    void *next;
    json_object_foreach_safe(suspects->known, next, key, entry) {
        char stage[64], id[LINNET_ID_MAX];
        const char *colon = strchr(key, ':');
        if (colon == NULL || (size_t)(colon - key) >= sizeof stage) continue;
        snprintf(stage, sizeof stage, "%.*s", (int)(colon - key), key);
        snprintf(id, sizeof id, "suspect:%s", key);
        if (!past(arg, stage, colon + 1, linnet_time_monotonic() - linnet_json_integer(entry, "seen", 0)))
            continue;
        json_array_append_new(deletions, json_pack("{s:s, s:s, s:b}", "_id", id, "_rev",
                                                   linnet_json_string(entry, "rev", ""), "_deleted", 1));
    }
    if (json_array_size(deletions) > 0 &&
        linnet_couch_bulk(suspects->couch, LINNET_DB_OPS, deletions, true, on_swept, suspects) == 0)
        suspects->requests++;
    json_decref(deletions);
}

static int make_key(const char *stage, const char *document, char out[LINNET_ID_MAX]) {
    return snprintf(out, LINNET_ID_MAX, "%s:%s", stage, document) < LINNET_ID_MAX ? 0 : LINNET_E_LIMIT;
}

bool linnet_suspects_has(const struct linnet_suspects *suspects, const char *stage, const char *document) {
    char key[LINNET_ID_MAX];
    return json_object_size(suspects->known) > 0 && make_key(stage, document, key) == 0 &&
           json_object_get(suspects->known, key) != NULL;
}

void linnet_suspects_cleared(struct linnet_suspects *suspects, const char *stage, const char *document) {
    char key[LINNET_ID_MAX];
    if (make_key(stage, document, key) != 0) return;
    json_object_del(suspects->known, key);
    pthread_mutex_lock(&suspects->lock);
    json_object_del(suspects->doubted, key);
    bool any = json_object_size(suspects->doubted) > 0;
    pthread_mutex_unlock(&suspects->lock);
    atomic_store(&suspects->any_doubts, any);
}

size_t linnet_suspects_count(const struct linnet_suspects *suspects) {
    return json_object_size(suspects->known);
}

static bool is_doubted(struct linnet_suspects *suspects, const char *stage, const struct linnet_item *item) {
    char key[LINNET_ID_MAX];
    if (make_key(stage, linnet_inflight_subject(item), key) != 0) return false;
    pthread_mutex_lock(&suspects->lock);
    bool found = json_object_get(suspects->doubted, key) != NULL;
    pthread_mutex_unlock(&suspects->lock);
    return found;
}

int linnet_suspects_enter(struct linnet_suspects *suspects, const char *stage,
                          const struct linnet_item *const *items, size_t n) {
    if (atomic_load(&suspects->any_doubts) && n == 1 && is_doubted(suspects, stage, items[0])) {
        pthread_rwlock_wrlock(&suspects->gate);
        return PASSED_ALONE;
    }
    pthread_rwlock_rdlock(&suspects->gate);
    return PASSED_SHARED;
}

void linnet_suspects_leave(struct linnet_suspects *suspects, int passed) {
    if (passed != PASSED_FREELY) pthread_rwlock_unlock(&suspects->gate);
}

void linnet_suspects_close(struct linnet_suspects *suspects, void (*closed)(void *arg), void *arg) {
    suspects->closing = true;
    suspects->closed = closed;
    suspects->closed_arg = arg;
    release(suspects);
}
