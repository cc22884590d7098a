/* Downloads of attachments: a bounded number at once and never more bytes than there is room for, but one
 * always goes, so that a picture bigger than what is left of the room gets through when its turn comes. */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/host/bytes.h"

enum { WAITERS = 8 };

struct download {
    TAILQ_ENTRY(download) link;
    struct linnet_downloads *all;
    struct linnet_task *task;
    struct linnet_flow_item *waiters[WAITERS]; /* NULL: forgotten */
    char *id, *revision, *name, *content_type;
    size_t length;
    bool sent;
};
TAILQ_HEAD(download_list, download);

struct linnet_downloads {
    struct linnet_flow *flow;
    struct download_list waiting, sent;
    size_t reserved; /* bytes of those under way */
};

int linnet_blob_open(struct linnet_flow *flow) {
    flow->downloading = calloc(1, sizeof(*flow->downloading));
    if (!flow->downloading) return LINNET_E_NOMEM;
    flow->downloading->flow = flow;
    TAILQ_INIT(&flow->downloading->waiting);
    TAILQ_INIT(&flow->downloading->sent);
    return 0;
}

static void free_download(struct download *d) {
    free(d->id);
    free(d->revision);
    free(d->name);
    free(d->content_type);
    free(d);
}

/* Called when nothing is under way any more. */
void linnet_blob_close(struct linnet_flow *flow) {
    if (!flow->downloading) return;
    struct download *d;
    while ((d = TAILQ_FIRST(&flow->downloading->waiting))) {
        TAILQ_REMOVE(&flow->downloading->waiting, d, link);
        free_download(d);
    }
    free(flow->downloading);
    flow->downloading = NULL;
}

/* Somebody waits for the same bytes already? */
static bool share_download(struct download_list *list, struct linnet_flow_item *item, const char *id,
                           const char *name) {
    struct download *d;
    TAILQ_FOREACH(d, list, link) {
        if (d->task != item->task || strcmp(d->id, id) != 0 || strcmp(d->name, name) != 0) continue;
        for (size_t i = 0; i < WAITERS; i++) {
            if (d->waiters[i]) continue;
            d->waiters[i] = item;
            return true;
        }
    }
    return false;
}

int linnet_blob_fetch(struct linnet_flow_item *item, const struct linnet_held_doc *doc, const char *name) {
    struct linnet_downloads *all = item->task->flow->downloading;
    if (share_download(&all->waiting, item, doc->id, name) ||
        share_download(&all->sent, item, doc->id, name)) {
        item->pending++;
        return 0;
    }
    const json_t *stub = json_object_get(json_object_get(doc->json, "_attachments"), name);
    struct download *d = calloc(1, sizeof(*d));
    if (!d) return LINNET_E_NOMEM;
    d->all = all;
    d->task = item->task;
    d->waiters[0] = item;
    d->id = strdup(doc->id);
    d->name = strdup(name);
    d->revision = doc->revision ? strdup(doc->revision) : NULL;
    d->content_type = strdup(linnet_json_string(stub, "content_type", "application/octet-stream"));
    long long length = linnet_json_integer(stub, "length", 0);
    d->length = length > 0 ? (size_t)length : 0;
    if (!d->id || !d->name || !d->content_type || (doc->revision && !d->revision)) {
        free_download(d);
        return LINNET_E_NOMEM;
    }
    item->pending++;
    TAILQ_INSERT_TAIL(&all->waiting, d, link);
    return 0;
}

void linnet_blob_forget(struct linnet_flow_item *item) {
    struct linnet_downloads *all = item->task->flow->downloading;
    struct download_list *lists[] = {&all->waiting, &all->sent};
    for (int l = 0; l < 2; l++) {
        struct download *d = TAILQ_FIRST(lists[l]);
        while (d) {
            struct download *next = TAILQ_NEXT(d, link);
            bool wanted = false;
            for (size_t i = 0; i < WAITERS; i++) {
                if (d->waiters[i] == item) d->waiters[i] = NULL;
                if (d->waiters[i]) wanted = true;
            }
            if (!wanted && !d->sent) {
                TAILQ_REMOVE(&all->waiting, d, link);
                free_download(d);
            }
            d = next;
        }
    }
}

/* ---- under way ---- */

static bool wanted(const struct download *d) {
    for (size_t i = 0; i < WAITERS; i++)
        if (d->waiters[i]) return true;
    return false;
}

static void tell(struct download *d, int error, const char *detail) {
    for (size_t i = 0; i < WAITERS; i++)
        if (d->waiters[i]) linnet_item_fetched(d->waiters[i], error, detail);
}

/* 0: it is in the observation. LINNET_E_NOT_FOUND: it is being replaced, the document will be read again. */
static int keep(struct download *d, const struct linnet_couch_response *r) {
    int cleaning = linnet_cleaning_check(d->task, d->id, d->name, d->content_type, r->body, r->size);
    if (cleaning) return cleaning > 0 ? LINNET_E_NOT_FOUND : cleaning;
    struct linnet_bytes *bytes = linnet_bytes_copy(r->body, r->size);
    if (!bytes) return LINNET_E_NOMEM;
    int rc = linnet_observation_put_blob(&d->task->observation, d->id, d->name, d->content_type, bytes);
    linnet_bytes_unref(bytes);
    linnet_task_account(d->task);
    return rc;
}

static void download_done(struct linnet_couch_request *request, const struct linnet_couch_response *r,
                          void *arg) {
    (void)request;
    struct download *d = arg;
    struct linnet_flow *flow = d->all->flow;
    TAILQ_REMOVE(&d->all->sent, d, link);
    d->all->reserved -= d->length;
    flow->downloads--;
    flow->requests--;
    /* An item that waits keeps its task alive; without one there may be no task any more. */
    if (wanted(d)) {
        int error = r->error ? r->error : keep(d, r);
        tell(d, error, r->error ? r->detail : linnet_error_message(error));
    }
    free_download(d);
}

static void too_big(struct download *d) {
    char words[128];
    snprintf(words, sizeof(words), "attachment %.40s has %zu bytes, the limit is %zu", d->name, d->length,
             d->all->flow->options.blob_limit);
    tell(d, LINNET_E_LIMIT, words);
    free_download(d);
}

static void send_download(struct download *d) {
    struct linnet_flow *flow = d->all->flow;
    int rc = linnet_couch_get_attachment(flow->options.couch, LINNET_DB_MAIN, d->id, d->name, d->revision,
                                         flow->options.blob_limit, download_done, d);
    if (rc) {
        tell(d, rc, linnet_error_message(rc));
        free_download(d);
        return;
    }
    d->sent = true;
    d->all->reserved += d->length;
    TAILQ_INSERT_TAIL(&d->all->sent, d, link);
    flow->downloads++;
    flow->requests++;
}

void linnet_blob_turn(struct linnet_flow *flow) {
    struct linnet_downloads *all = flow->downloading;
    struct download *d;
    while ((d = TAILQ_FIRST(&all->waiting)) && flow->downloads < flow->options.downloads) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not follow TAILQ_REMOVE() */
        if (flow->downloads && flow->bytes + all->reserved + d->length > flow->options.bytes_limit) return;
        TAILQ_REMOVE(&all->waiting, d, link);
        if (d->length > flow->options.blob_limit)
            too_big(d);
        else
            send_download(d);
    }
}
