/* Dead letters and parked retries: as documents in linnet-ops, and in memory, where a plan asks for them.
 *
 * Both are answers: the change that led to them waits no longer. A dead letter stands until its inputs or the
 * stage's fingerprint change, or until somebody sends it round again by writing a retry in its place. A
 * parked retry stands until its time comes; then its observation is visited, and the document goes when
 * nothing is due any more. */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "workers/host/provenance.h"

enum {
    PAGE = 1000,         /* documents of one read */
    VISITS = 64,         /* parked retries taken up at once */
    SCAN_MS = 500,       /* how often those in memory are looked through */
    PARK_MIN_MS = 60000, /* how long one is parked: doubled each time */
    PARK_MAX_MS = 3600000
};

struct linnet_letter {
    char digest[65]; /* of the item that failed; "" stands for any */
    bool visiting;
    int64_t at; /* Unix ms; of a retry: not before */
    unsigned attempts;
    char key[]; /* "<stage>:<document>" */
};

struct linnet_letters {
    struct linnet_flow *flow;
    struct linnet_table dead, parked;
    size_t visits;
    bool loading, again; /* a read is under way; shares were gained meanwhile */
    enum linnet_letter_kind read;
    bool poll;  /* it reads retries only */
    char *last; /* id at the end of the last page */
    int64_t next_poll, next_scan, retry_at;
    struct linnet_metric *m_dead, *m_parked;
};

static const char *key_of(const void *value) {
    return ((const struct linnet_letter *)value)->key;
}

int linnet_letters_open(struct linnet_flow *flow) {
    struct linnet_letters *all = calloc(1, sizeof(*all));
    if (!all) return LINNET_E_NOMEM;
    all->flow = flow;
    linnet_table_init(&all->dead, key_of);
    linnet_table_init(&all->parked, key_of);
    if (flow->options.metrics) {
        all->m_dead = linnet_metrics_gauge(flow->options.metrics, "linnet_dead_letters", NULL,
                                           "Dead letters of the shares owned here");
        all->m_parked = linnet_metrics_gauge(flow->options.metrics, "linnet_parked_retries", NULL,
                                             "Parked retries of the shares owned here");
    }
    flow->letters = all;
    return 0;
}

static void empty(struct linnet_table *table) {
    size_t at = 0;
    void *letter;
    while ((letter = linnet_table_next(table, &at)))
        free(letter);
    linnet_table_done(table);
}

void linnet_letters_close(struct linnet_flow *flow) {
    if (!flow->letters) return;
    empty(&flow->letters->dead);
    empty(&flow->letters->parked);
    free(flow->letters->last);
    free(flow->letters);
    flow->letters = NULL;
}

static void measure(struct linnet_letters *all) {
    linnet_metric_set(all->m_dead, (double)all->dead.count);
    linnet_metric_set(all->m_parked, (double)all->parked.count);
}

/* ---- memory ---- */

static const char *document_of(const struct linnet_letter *letter) {
    return strchr(letter->key, ':') + 1;
}

static void remove_letter(struct linnet_letters *all, struct linnet_table *table, const char *key) {
    struct linnet_letter *letter = linnet_table_take(table, key);
    if (letter && letter->visiting) all->visits--;
    free(letter);
    measure(all);
}

static struct linnet_letter *remember(struct linnet_letters *all, enum linnet_letter_kind kind,
                                      const char *key, const char *digest) {
    struct linnet_table *table = kind == LINNET_LETTER_DEAD ? &all->dead : &all->parked;
    struct linnet_letter *letter = linnet_table_get(table, key);
    if (!letter) {
        size_t size = strlen(key) + 1;
        letter = calloc(1, sizeof(*letter) + size);
        if (!letter) return NULL;
        memcpy(letter->key, key, size);
        if (linnet_table_put(table, letter)) {
            free(letter);
            return NULL;
        }
    }
    snprintf(letter->digest, sizeof(letter->digest), "%s", digest);
    measure(all);
    return letter;
}

static bool format_key(const char *stage, const char *document, char out[LINNET_ID_MAX]) {
    int n = snprintf(out, LINNET_ID_MAX, "%s:%s", stage, document);
    return n > 0 && n < LINNET_ID_MAX;
}

static bool answers(const struct linnet_letter *letter, const char *digest) {
    return letter && !letter->visiting && (!*letter->digest || strcmp(letter->digest, digest) == 0);
}

bool linnet_letters_answer(const struct linnet_flow *flow, const char *stage, const char *document,
                           const char *digest) {
    const struct linnet_letters *all = flow->letters;
    char key[LINNET_ID_MAX];
    if (!all->dead.count && !all->parked.count) return false;
    if (!format_key(stage, document, key))
        return true; /* it has no place among the letters: nothing could be told */
    return answers(linnet_table_get(&all->dead, key), digest) ||
           answers(linnet_table_get(&all->parked, key), digest);
}

unsigned linnet_letters_attempts(const struct linnet_flow *flow, const struct linnet_slot *slot,
                                 const char *document) {
    const struct linnet_letters *all = flow->letters;
    char key[LINNET_ID_MAX];
    if (!all->parked.count || !format_key(slot->planned.name, document, key)) return 0;
    const struct linnet_letter *letter = linnet_table_get(&all->parked, key);
    return letter ? letter->attempts : 0;
}

static struct linnet_slot *slot_of(const struct linnet_flow *flow, const char *key) {
    size_t size = strcspn(key, ":");
    for (size_t i = 0; i < flow->nslots; i++) {
        const char *name = flow->slots[i]->planned.name;
        if (strncmp(name, key, size) == 0 && !name[size]) return flow->slots[i];
    }
    return NULL;
}

/* Whose lease a letter is under: a share's number, LINNET_SHARE_SITE, or LINNET_WRITE_ANY where the group has
 * no such stage. */
static int lease_of(const struct linnet_flow *flow, const char *key, const char *document) {
    const struct linnet_slot *slot = slot_of(flow, key);
    char ulid[LINNET_ULID_SIZE] = "";
    if (!slot) return LINNET_WRITE_ANY;
    if (slot->site) return LINNET_SHARE_SITE;
    memcpy(ulid, document, LINNET_ULID_SIZE - 1);
    return (int)linnet_share_of(ulid, LINNET_SHARES);
}

static bool owned(const struct linnet_flow *flow, int lease) {
    if (lease == LINNET_SHARE_SITE) return linnet_site_owned(flow);
    return lease >= 0 && linnet_source_owns(flow, (unsigned)lease);
}

void linnet_letters_forget(struct linnet_flow *flow, int share) {
    struct linnet_letters *all = flow->letters;
    struct linnet_table *tables[] = {&all->dead, &all->parked};
    for (int t = 0; t < 2; t++) {
        struct linnet_table kept;
        linnet_table_init(&kept, key_of);
        size_t at = 0;
        struct linnet_letter *letter;
        while ((letter = linnet_table_next(tables[t], &at))) {
            if (lease_of(flow, letter->key, document_of(letter)) != share && !linnet_table_put(&kept, letter))
                continue;
            if (letter->visiting) all->visits--;
            free(letter);
        }
        linnet_table_done(tables[t]);
        *tables[t] = kept;
    }
    measure(all);
}

/* ---- documents ---- */

json_t *linnet_deadletter_document(const char *stage, const char *fingerprint, const char *document,
                                   const char *reason, const char *class_, unsigned attempts, json_t *inputs,
                                   const char *worker) {
    char at[LINNET_TIME_SIZE];
    linnet_time_format(linnet_time_now(), at);
    json_t *letter = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "kind", "deadletter", "stage", stage,
                               "id", document, "reason", reason && *reason ? reason : "no reason was given",
                               "class", class_, "attempts", (int)attempts, "at", at);
    bool failed =
        !letter || json_object_set_new(letter, "_id", json_sprintf("deadletter:%s:%s", stage, document));
    if (!failed && fingerprint) failed = json_object_set_new(letter, "fingerprint", json_string(fingerprint));
    if (!failed && inputs) failed = json_object_set(letter, "inputs", inputs);
    if (!failed && worker) failed = json_object_set_new(letter, "worker", json_string(worker));
    if (!failed) return letter;
    json_decref(letter);
    return NULL;
}

json_t *linnet_retry_document(const char *stage, const char *document, int64_t at, unsigned attempts,
                              const char *reason) {
    char text[LINNET_TIME_SIZE];
    linnet_time_format(at, text);
    json_t *letter =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "kind", "retry", "stage", stage, "id", document, "at",
                  text, "attempts", (int)attempts, "reason", reason ? reason : "");
    if (letter && !json_object_set_new(letter, "_id", json_sprintf("retry:%s:%s", stage, document)))
        return letter;
    json_decref(letter);
    return NULL;
}

/* A reason as a document bears it: UTF-8, on one line, not endless. Plugins quote what they find in files. */
static void clean(const char *reason, char *out, size_t size) {
    size_t n = 0;
    for (const char *p = reason; *p && n + 1 < size; p++)
        out[n++] = (unsigned char)*p < 0x20 ? ' ' : *p;
    while (n && n + 1 == size && ((unsigned char)out[n - 1] & 0x80))
        n--; /* no half a character at the end */
    out[n] = '\0';
    json_t *probe = json_string(out);
    for (size_t i = 0; !probe && i < n; i++)
        if ((unsigned char)out[i] >= 0x7f) out[i] = '?';
    json_decref(probe);
}

static json_t *retry_of(const struct linnet_slot *slot, const char *document, const char *digest,
                        unsigned attempts, const char *reason) {
    int64_t wait = linnet_flow_backoff(attempts, PARK_MIN_MS, PARK_MAX_MS);
    json_t *letter =
        linnet_retry_document(slot->planned.name, document, linnet_time_now() + wait, attempts, reason);
    if (letter && !json_object_set_new(letter, "digest", json_string(digest))) return letter;
    json_decref(letter);
    return NULL;
}

struct linnet_write *linnet_letters_compose(struct linnet_flow *flow, const struct linnet_slot *slot,
                                            enum linnet_letter_kind kind, const char *document,
                                            const char *digest, json_t *inputs, unsigned attempts,
                                            const char *reason) {
    bool dead = kind == LINNET_LETTER_DEAD;
    char words[1024];
    clean(reason ? reason : "", words, sizeof(words));
    struct linnet_write *write = calloc(1, sizeof(*write));
    if (!write) return NULL;
    write->mode = LINNET_WRITE_OVER;
    write->document =
        dead ? linnet_deadletter_document(slot->planned.name, slot->planned.fingerprint, document, words,
                                          "permanent", attempts, inputs, flow->worker)
             : retry_of(slot, document, digest, attempts, words);
    write->id = write->document ? strdup(linnet_json_string(write->document, "_id", "")) : NULL;
    if (write->id) {
        linnet_log(LINNET_WARN, "letter", dead ? "dead letter" : "parked", "stage", "s", slot->planned.name,
                   "document", "s", document, "reason", "s", words, NULL);
        return write;
    }
    linnet_write_free(write);
    linnet_flow_fail(flow, LINNET_E_NOMEM, "no memory for a letter");
    return NULL;
}

static void bury_both(struct linnet_letters *all, struct linnet_table *table, const char *what,
                      const char *key);

void linnet_letters_written(struct linnet_flow *flow, const struct linnet_slot *slot,
                            enum linnet_letter_kind kind, const char *document, const char *digest,
                            unsigned attempts, const struct linnet_write *write) {
    struct linnet_letters *all = flow->letters;
    char key[LINNET_ID_MAX];
    if (!format_key(slot->planned.name, document, key)) return;
    struct linnet_letter *letter = remember(all, kind, key, digest);
    if (!letter) return; /* it stands in the store; without it in memory the item is only tried once more */
    if (letter->visiting) all->visits--;
    letter->visiting = false;
    letter->attempts = attempts;
    if (kind == LINNET_LETTER_RETRY)
        linnet_time_parse(linnet_json_string(write->document, "at", ""), &letter->at);
    else
        bury_both(all, &all->parked, "retry", key);
}

static void letter_written(struct linnet_write *write, int error, const char *detail) {
    struct linnet_flow_item *item = write->arg;
    struct linnet_task *task = item->task;
    enum linnet_letter_kind kind = item->dead ? LINNET_LETTER_DEAD : LINNET_LETTER_RETRY;
    item->pending--;
    if (!error && !task->dropped)
        linnet_letters_written(task->flow, item->slot, kind, item->document, item->digest, item->attempts,
                               write);
    else if (error && error != LINNET_E_CANCELLED)
        linnet_log(LINNET_ERROR, "letter", "a letter could not be written", "id", "s", write->id, "error",
                   "s", detail, NULL);
    linnet_write_free(write);
    linnet_item_free(item);
}

void linnet_letters_write(struct linnet_flow_item *item, enum linnet_letter_kind kind, const char *reason) {
    struct linnet_flow *flow = item->task->flow;
    json_t *inputs = item->work ? item->work->inputs : item->inputs;
    unsigned attempts = item->attempts + (kind == LINNET_LETTER_DEAD);
    struct linnet_write *write = linnet_letters_compose(flow, item->slot, kind, item->document, item->digest,
                                                        inputs, attempts, reason);
    if (!write) return;
    write->share = item->task->share;
    write->cancelled = &item->task->dropped;
    write->done = letter_written;
    write->arg = item;
    item->pending++;
    linnet_writer_add(flow->writers[LINNET_DB_OPS], write);
}

/* ---- deleting ---- */

static void buried(struct linnet_write *write, int error, const char *detail) {
    if (error && error != LINNET_E_CANCELLED)
        linnet_log(LINNET_WARN, "letter", "a letter could not be deleted", "id", "s", write->id, "error", "s",
                   detail, NULL);
    linnet_write_free(write);
}

/* Delete `<what>:<key>` if it is there; nobody waits for it. */
static void bury(struct linnet_flow *flow, const char *what, const char *key) {
    struct linnet_write *write = calloc(1, sizeof(*write));
    char id[LINNET_ID_MAX + 16];
    snprintf(id, sizeof(id), "%s:%s", what, key);
    if (write) write->id = strdup(id);
    if (!write || !write->id) {
        linnet_write_free(write);
        return;
    }
    write->mode = LINNET_WRITE_OVER;
    write->share = LINNET_WRITE_ANY;
    write->done = buried;
    linnet_writer_add(flow->writers[LINNET_DB_OPS], write);
}

static void bury_both(struct linnet_letters *all, struct linnet_table *table, const char *what,
                      const char *key) {
    if (!linnet_table_get(table, key)) return;
    bury(all->flow, what, key);
    remove_letter(all, table, key);
}

void linnet_letters_clear(struct linnet_flow *flow, const struct linnet_slot *slot, const char *document,
                          bool suspect) {
    struct linnet_letters *all = flow->letters;
    char key[LINNET_ID_MAX];
    if ((!all->dead.count && !all->parked.count && !suspect) ||
        !format_key(slot->planned.name, document, key))
        return;
    bury_both(all, &all->dead, "deadletter", key);
    bury_both(all, &all->parked, "retry", key);
    if (!suspect) return;
    bury(flow, "suspect", key);
    if (flow->options.events.cleared)
        flow->options.events.cleared(flow->options.arg, slot->planned.name, document);
}

/* All letters of an observation, however many stages left some. A deletion is rare: the tables are walked. */
static void bury_all(struct linnet_letters *all, struct linnet_table *table, const char *what,
                     const char *ulid) {
    bool found = true;
    while (found) {
        size_t at = 0;
        struct linnet_letter *letter;
        found = false;
        while (!found && (letter = linnet_table_next(table, &at)))
            found = strncmp(document_of(letter), ulid, LINNET_ULID_SIZE - 1) == 0;
        if (!found) return;
        char key[LINNET_ID_MAX];
        snprintf(key, sizeof(key), "%s", letter->key);
        bury_both(all, table, what, key);
    }
}

void linnet_letters_bury(struct linnet_task *task) {
    struct linnet_letters *all = task->flow->letters;
    bury_all(all, &all->dead, "deadletter", task->observation.ulid);
    bury_all(all, &all->parked, "retry", task->observation.ulid);
}

/* ---- visits of parked retries ---- */

static void visit(struct linnet_letters *all, struct linnet_letter *letter) {
    struct linnet_flow *flow = all->flow;
    const struct linnet_slot *slot = slot_of(flow, letter->key);
    if (slot && slot->site) {
        letter->visiting = linnet_site_revisit(flow, slot, document_of(letter));
        all->visits += letter->visiting;
        return;
    }
    char ulid[LINNET_ULID_SIZE] = "";
    memcpy(ulid, document_of(letter), LINNET_ULID_SIZE - 1);
    unsigned share = linnet_share_of(ulid, LINNET_SHARES);
    struct linnet_task *task = linnet_task_of(flow, ulid, share, LINNET_PRIORITY_RETRY);
    if (!task) {
        linnet_flow_fail(flow, LINNET_E_NOMEM, "no memory for a retry");
        return;
    }
    letter->visiting = true;
    all->visits++;
    task->visited = true;
    linnet_task_read(task);
}

void linnet_letters_forget_visit(struct linnet_flow *flow, const struct linnet_slot *slot,
                                 const char *document) {
    char key[LINNET_ID_MAX];
    if (!format_key(slot->planned.name, document, key)) return;
    struct linnet_letter *letter = linnet_table_get(&flow->letters->parked, key);
    if (!letter || !letter->visiting) return;
    letter->visiting = false;
    flow->letters->visits--;
}

void linnet_letters_visited(struct linnet_task *task) {
    struct linnet_letters *all = task->flow->letters;
    bool found = all->visits > 0;
    while (found) {
        size_t at = 0;
        struct linnet_letter *letter;
        found = false;
        while (!found && (letter = linnet_table_next(&all->parked, &at)))
            found = letter->visiting &&
                    strncmp(document_of(letter), task->observation.ulid, LINNET_ULID_SIZE - 1) == 0;
        if (!found) return;
        /* It was visited, not parked again and not cleared by a success: there is nothing to do about it. */
        char key[LINNET_ID_MAX];
        snprintf(key, sizeof(key), "%s", letter->key);
        bury_both(all, &all->parked, "retry", key);
    }
}

static void scan(struct linnet_letters *all) {
    int64_t now = linnet_time_now();
    size_t at = 0;
    struct linnet_letter *letter;
    while (all->visits < VISITS && (letter = linnet_table_next(&all->parked, &at)))
        if (!letter->visiting && letter->at <= now) visit(all, letter);
}

/* ---- reading ---- */

/* The digest of the item that a dead letter is about; "" if the letter does not tell. False: it is about
 * another fingerprint. */
static bool digest_of(const json_t *document, const struct linnet_slot *slot, char out[65]) {
    const char *fingerprint = linnet_json_string(document, "fingerprint", NULL);
    json_t *inputs = json_object_get(document, "inputs");
    out[0] = '\0';
    if (fingerprint && strcmp(fingerprint, slot->planned.fingerprint) != 0) return false;
    size_t n = json_array_size(inputs);
    if (!fingerprint || !n) return true;
    struct linnet_input_ref *refs = calloc(n, sizeof(*refs));
    if (!refs) return true;
    for (size_t i = 0; i < n; i++) {
        refs[i].id = linnet_json_string(json_array_get(inputs, i), "id", "");
        snprintf(refs[i].digest, sizeof(refs[i].digest), "%s",
                 linnet_json_string(json_array_get(inputs, i), "digest", ""));
    }
    linnet_inputs_sort(refs, n);
    linnet_result_digest(fingerprint, refs, n, out);
    free(refs);
    return true;
}

static void take_row(struct linnet_letters *all, const char *id, const json_t *document) {
    struct linnet_flow *flow = all->flow;
    const char *key = strchr(id, ':') + 1, *colon = strchr(key, ':');
    if (!colon || !linnet_ulid_valid(colon + 1, strcspn(colon + 1, ":"))) return;
    char digest[65];
    const struct linnet_slot *slot = slot_of(flow, key);
    if (!slot || !owned(flow, lease_of(flow, key, colon + 1))) return;
    if (all->read == LINNET_LETTER_DEAD) {
        if (digest_of(document, slot, digest)) remember(all, LINNET_LETTER_DEAD, key, digest);
        return;
    }
    struct linnet_letter *letter = linnet_table_get(&all->parked, key);
    if (letter && letter->visiting) return;
    letter = remember(all, LINNET_LETTER_RETRY, key, linnet_json_string(document, "digest", ""));
    if (!letter) return;
    if (linnet_time_parse(linnet_json_string(document, "at", ""), &letter->at)) letter->at = 0;
    letter->attempts = (unsigned)linnet_json_integer(document, "attempts", 0);
    remove_letter(all, &all->dead, key); /* sent round again */
}

static void read_page(struct linnet_letters *all);

static void read_over(struct linnet_letters *all) {
    all->loading = false;
    free(all->last);
    all->last = NULL;
    all->next_poll = linnet_time_monotonic() + all->flow->options.poll_ms;
    if (all->again) {
        all->again = false;
        linnet_letters_load(all->flow);
    } else if (!all->poll) {
        linnet_source_shares_loaded(all->flow);
    }
}

static void page_failed(struct linnet_letters *all, const struct linnet_couch_response *r) {
    if (r->error == LINNET_E_AUTH || r->error == LINNET_E_DENIED || r->error == LINNET_E_NOT_FOUND) {
        linnet_flow_fail(all->flow, r->error, r->detail);
        return;
    }
    linnet_log(LINNET_WARN, "letter", "letters could not be read, to be tried again", "error", "s", r->detail,
               NULL);
    all->retry_at = linnet_time_monotonic() + 1000;
}

static void page_done(struct linnet_couch_request *request, const struct linnet_couch_response *r,
                      void *arg) {
    (void)request;
    struct linnet_letters *all = arg;
    all->flow->requests--;
    if (all->flow->closing) return;
    json_t *rows = r->error ? NULL : json_object_get(r->json, "rows"), *row;
    if (!json_is_array(rows)) {
        page_failed(all, r);
        return;
    }
    size_t i, n = json_array_size(rows);
    json_array_foreach(rows, i, row)
        take_row(all, linnet_json_string(row, "id", ":"), json_object_get(row, "doc"));
    free(all->last);
    all->last = n ? strdup(linnet_json_string(json_array_get(rows, n - 1), "id", "")) : NULL;
    if (n < PAGE && all->read == LINNET_LETTER_DEAD) {
        all->read = LINNET_LETTER_RETRY;
        free(all->last);
        all->last = NULL;
        read_page(all);
    } else if (n < PAGE) {
        read_over(all);
    } else {
        read_page(all);
    }
}

static void read_page(struct linnet_letters *all) {
    struct linnet_flow *flow = all->flow;
    bool dead = all->read == LINNET_LETTER_DEAD;
    /* A page begins with the last one's last document: reading it twice does no harm. */
    const char *start = all->last ? all->last : dead ? "deadletter:" : "retry:";
    int rc = linnet_couch_range(flow->options.couch, LINNET_DB_OPS, start, dead ? "deadletter;" : "retry;",
                                PAGE, true, page_done, all);
    if (rc)
        all->retry_at = linnet_time_monotonic() + 1000;
    else
        flow->requests++;
}

void linnet_letters_load(struct linnet_flow *flow) {
    struct linnet_letters *all = flow->letters;
    if (all->loading) {
        all->again = true;
        return;
    }
    all->loading = true;
    all->poll = false;
    all->read = LINNET_LETTER_DEAD;
    read_page(all);
}

void linnet_letters_tick(struct linnet_flow *flow, int64_t now) {
    struct linnet_letters *all = flow->letters;
    if (all->retry_at && now >= all->retry_at) {
        all->retry_at = 0;
        read_page(all);
        return;
    }
    if (flow->draining || all->loading) return;
    if (all->next_poll && now >= all->next_poll) {
        all->loading = all->poll = true;
        all->read = LINNET_LETTER_RETRY;
        read_page(all);
        return;
    }
    if (now < all->next_scan || !all->parked.count) return;
    all->next_scan = now + SCAN_MS;
    scan(all);
}
