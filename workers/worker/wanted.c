#include "workers/worker/wanted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"

/* A write under way. */
struct adoption {
    struct linnet_wanted *wanted; /* NULL once that is gone */
};

struct linnet_wanted {
    struct linnet_couch *couch;
    char stage[64];
    char fingerprint[65]; /* ours */
    char wanted[65];      /* the one wanted; "": none yet */
    enum linnet_policy policy;
    char why[320];
    struct adoption *adoption;
    void (*adopted)(void *arg);
    void *arg;
};

int linnet_wanted_new(struct linnet_couch *couch, const char *stage, const char *fingerprint,
                      void (*adopted)(void *arg), void *arg, struct linnet_wanted **out) {
    struct linnet_wanted *wanted = calloc(1, sizeof *wanted);
    if (wanted == NULL) return LINNET_E_NOMEM;
    *wanted = (struct linnet_wanted){.couch = couch, .adopted = adopted, .arg = arg};
    snprintf(wanted->stage, sizeof wanted->stage, "%s", stage);
    snprintf(wanted->fingerprint, sizeof wanted->fingerprint, "%s", fingerprint);
    snprintf(wanted->why, sizeof wanted->why, "stage %s: nobody has said yet that its fingerprint is wanted",
             stage);
    *out = wanted;
    return 0;
}

void linnet_wanted_free(struct linnet_wanted *wanted) {
    if (wanted == NULL) return;
    if (wanted->adoption != NULL) wanted->adoption->wanted = NULL;
    free(wanted);
}

/* A conflict is no failure: somebody was quicker, and what they wrote comes by the feed. */
static void on_adopted(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                       void *arg) {
    struct adoption *adoption = arg;
    struct linnet_wanted *wanted = adoption->wanted;
    (void)request;
    free(adoption);
    if (wanted == NULL) return;
    wanted->adoption = NULL;
    if (response->error == 0) {
        linnet_log(LINNET_INFO, "stage", "our fingerprint is the wanted one now", "stage", "s", wanted->stage,
                   "fingerprint", "s", wanted->fingerprint, NULL);
        snprintf(wanted->wanted, sizeof wanted->wanted, "%s", wanted->fingerprint);
        wanted->adopted(wanted->arg);
    } else if (response->error != LINNET_E_CONFLICT && response->error != LINNET_E_CANCELLED) {
        linnet_log(LINNET_WARN, "stage", "cannot write which fingerprint is wanted", "stage", "s",
                   wanted->stage, "why", "s", response->detail, NULL);
    }
}

static json_t *adopted_document(const struct linnet_wanted *wanted, const json_t *document) {
    char id[LINNET_ID_MAX], now[LINNET_TIME_SIZE];
    snprintf(id, sizeof id, "wanted:%s", wanted->stage);
    linnet_time_format(linnet_time_now(), now);
    json_t *next = json_is_object(document) ? json_copy((json_t *)document) : json_object();
    if (next == NULL) return NULL;
    json_object_set_new(next, "_id", json_string(id));
    json_object_set_new(next, "kind", json_string("wanted"));
    json_object_set_new(next, "stage", json_string(wanted->stage));
    json_object_set_new(next, "fingerprint", json_string(wanted->fingerprint));
    json_object_set_new(next, "since", json_string(now));
    if (json_object_get(next, "policy") == NULL) json_object_set_new(next, "policy", json_string("new"));
    return next;
}

static void adopt(struct linnet_wanted *wanted, const json_t *document) {
    if (wanted->adoption != NULL) return;
    json_t *next = adopted_document(wanted, document);
    struct adoption *adoption = calloc(1, sizeof *adoption);
    int rc = next == NULL || adoption == NULL ? LINNET_E_NOMEM : 0;
    if (rc == 0) {
        adoption->wanted = wanted;
        rc = linnet_couch_put(wanted->couch, LINNET_DB_REFERENCE, next, on_adopted, adoption);
    }
    json_decref(next);
    if (rc == 0)
        wanted->adoption = adoption;
    else
        free(adoption);
}

static enum linnet_policy policy_of(const json_t *document) {
    const char *policy = linnet_json_string(document, "policy", "new");
    if (strcmp(policy, "backfill") == 0) return LINNET_POLICY_BACKFILL;
    return strcmp(policy, "view") == 0 ? LINNET_POLICY_VIEW : LINNET_POLICY_NEW;
}

bool linnet_wanted_review(struct linnet_wanted *wanted, const json_t *document) {
    const char *fingerprint = linnet_json_string(document, "fingerprint", "");
    enum linnet_policy policy = policy_of(document);
    bool before = linnet_wanted_standby(wanted), policy_changed = policy != wanted->policy;
    wanted->policy = policy;
    if (*fingerprint == '\0') {
        /* The snapshot may be older than our own adoption: then there is nothing more to do. */
        if (strcmp(wanted->wanted, wanted->fingerprint) != 0) adopt(wanted, document);
        return policy_changed;
    }
    bool news = strcmp(wanted->wanted, fingerprint) != 0;
    snprintf(wanted->wanted, sizeof wanted->wanted, "%s", fingerprint);
    bool standby = linnet_wanted_standby(wanted);
    if (standby && news) {
        snprintf(wanted->why, sizeof wanted->why,
                 "stage %s has fingerprint %.12s... here, wanted is %.12s... (another version, model or "
                 "configuration)",
                 wanted->stage, wanted->fingerprint, fingerprint);
        linnet_log(LINNET_WARN, "stage", "stands by", "stage", "s", wanted->stage, "why", "s", wanted->why,
                   NULL);
    }
    return policy_changed || standby != before;
}

bool linnet_wanted_standby(const struct linnet_wanted *wanted) {
    return strcmp(wanted->wanted, wanted->fingerprint) != 0;
}

enum linnet_policy linnet_wanted_policy(const struct linnet_wanted *wanted) {
    return wanted->policy;
}

const char *linnet_wanted_why(const struct linnet_wanted *wanted) {
    return wanted->why;
}
