#include "workers/serve/events_owner.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"

#define REMEMBERED 20000 /* observations; all are forgotten when there are more */
#define WAITING    4096  /* changes behind a look-up; beyond it they go without one */

struct waiting {
    char *id, *revision;
    bool deleted;
    json_t *document;
    struct waiting *next;
};

struct serve_owners {
    struct linnet_couch *couch;
    serve_owned_callback *owned;
    void *arg;
    json_t *known; /* ULID -> {"observer", "flora"?} */
    struct waiting *first, **last;
    size_t nwaiting;
    bool asking, closed;
};

int serve_owners_open(struct linnet_couch *couch, serve_owned_callback *owned, void *arg,
                      struct serve_owners **out) {
    struct serve_owners *owners = calloc(1, sizeof *owners);
    json_t *known = json_object();
    if (owners == NULL || known == NULL) {
        free(owners);
        json_decref(known);
        return LINNET_E_NOMEM;
    }
    *owners = (struct serve_owners){.couch = couch, .owned = owned, .arg = arg, .known = known};
    owners->last = &owners->first;
    *out = owners;
    return 0;
}

static void remember(struct serve_owners *owners, const char *observation, const json_t *document) {
    const char *observer = linnet_json_string(document, "observer", NULL);
    if (json_object_size(owners->known) >= REMEMBERED) json_object_clear(owners->known);
    json_object_set_new(owners->known, observation,
                        json_pack("{s:s*, s:s*}", "observer", observer, "flora",
                                  linnet_json_string(document, "flora", NULL)));
}

/* ---- the queue ---- */

static void waiting_free(struct waiting *waiting) {
    free(waiting->id);
    free(waiting->revision);
    json_decref(waiting->document);
    free(waiting);
}

static bool keep(struct serve_owners *owners, const struct serve_change *change) {
    struct waiting *waiting = owners->nwaiting < WAITING ? calloc(1, sizeof *waiting) : NULL;
    if (waiting == NULL) return false;
    *waiting = (struct waiting){strdup(change->id), strdup(change->revision), change->deleted,
                                json_incref(change->document), NULL};
    if (waiting->id == NULL || waiting->revision == NULL) {
        waiting_free(waiting);
        return false;
    }
    *owners->last = waiting;
    owners->last = &waiting->next;
    owners->nwaiting++;
    return true;
}

static void drop_first(struct serve_owners *owners) {
    struct waiting *waiting = owners->first;
    owners->first = waiting->next;
    if (owners->first == NULL) owners->last = &owners->first;
    owners->nwaiting--;
    waiting_free(waiting);
}

static void owners_free(struct serve_owners *owners) {
    while (owners->first != NULL)
        drop_first(owners);
    json_decref(owners->known);
    free(owners);
}

/* ---- looking up ---- */

static void go_on(struct serve_owners *owners);

static void on_observation(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                           void *arg) {
    struct serve_owners *owners = arg;
    struct linnet_id id;
    (void)request;
    owners->asking = false;
    if (owners->closed) {
        owners_free(owners);
        return;
    }
    if (owners->first != NULL && linnet_id_parse(owners->first->id, &id) == 0)
        remember(owners, id.observation,
                 response->error == 0 ? response->json : NULL); /* that there is none is known too, for now */
    go_on(owners);
}

/* True: whose it is has been asked for. */
static bool ask(struct serve_owners *owners, const char *observation) {
    char id[LINNET_ID_MAX];
    if (linnet_id_format(observation, "observation", NULL, id) != 0) return false;
    owners->asking = linnet_couch_get(owners->couch, LINNET_DB_MAIN, id, NULL, on_observation, owners) == 0;
    return owners->asking;
}

/* Hand a change on, or ask whose it is first. False: it has to wait for that. */
static bool pass(struct serve_owners *owners, const struct serve_change *change, bool may_ask) {
    struct linnet_id id;
    if (linnet_id_parse(change->id, &id) != 0) return true;
    if (id.database == LINNET_DB_MAIN && strcmp(id.kind, "observation") == 0 && !change->deleted)
        remember(owners, id.observation, change->document);
    const json_t *owner = json_object_get(owners->known, id.observation);
    if (owner == NULL && id.database == LINNET_DB_MAIN && may_ask && ask(owners, id.observation))
        return false;
    owners->owned(owners->arg, change, owner);
    return true;
}

static void go_on(struct serve_owners *owners) {
    while (owners->first != NULL) {
        struct waiting *first = owners->first;
        struct serve_change change = {first->id, first->revision, first->deleted, first->document};
        if (!pass(owners, &change, true)) return;
        drop_first(owners);
    }
}

void serve_owners_take(struct serve_owners *owners, const struct serve_change *change) {
    if (!keep(owners, change))
        pass(owners, change, false);
    else if (!owners->asking)
        go_on(owners);
}

void serve_owners_close(struct serve_owners *owners) {
    owners->closed = true;
    if (!owners->asking) owners_free(owners);
}
