#include "workers/serve/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "common/couch/changes.h"
#include "workers/serve/events_filter.h"
#include "workers/serve/events_owner.h"
#include "workers/serve/serve.h"
#include "workers/serve/stream.h"

#define KEPT          1024 /* events that can be asked for again */
#define HEARTBEAT_MS  15000
#define STREAM_LIMIT  ((size_t)1024 * 1024)
#define LISTENERS_MAX 10000

struct listener {
    struct serve_events *events;
    struct serve_stream *stream;
    struct serve_filter filter;
    bool greeted;
    struct listener *next, *previous;
};

/* One that was told, ready to be told again. */
struct told {
    uint64_t number;
    struct serve_topic topic;
    char *text, *with_document; /* the event's data; the latter NULL where there is no document */
    json_t *owner;              /* what topic's strings lie in */
};

struct feed {
    struct serve_events *events;
    enum linnet_database database;
    struct linnet_changes *changes;
    bool caught_up;
};

struct serve_events {
    uv_timer_t heartbeat;
    struct linnet_couch *couch;
    struct serve_owners *owners;
    struct feed feeds[2]; /* main, reference */
    struct listener *listeners;
    size_t nlisteners;
    struct told told[KEPT]; /* number n at n % KEPT */
    uint64_t next;          /* number of the next event; from 1 */
    char epoch[LINNET_ULID_SIZE];
    struct linnet_metric *listening;
    bool closing;
};

const char *const serve_events_query[] = {"database", "observation", "observer",    "flora",
                                          "kind",     "documents",   "lastEventId", NULL};

/* ---- telling ---- */

static void tell(struct serve_events *events, const struct listener *listener, const struct told *told) {
    char id[64];
    if (!serve_filter_wants(&listener->filter, &told->topic)) return;
    snprintf(id, sizeof id, "%s-%llu", events->epoch, (unsigned long long)told->number);
    serve_stream_event(listener->stream, "change", id,
                       listener->filter.documents && told->with_document != NULL ? told->with_document
                                                                                 : told->text);
}

static void told_done(struct told *told) {
    free(told->text);
    free(told->with_document);
    json_decref(told->owner);
    *told = (struct told){0};
}

/* The parts of a topic in one value, so that their strings live as long as the event is kept. */
static void keep_topic(struct told *told, const struct linnet_id *id, const json_t *owner) {
    told->owner = json_pack("{s:s, s:s*, s:s*, s:s*}", "kind", id->kind, "observation",
                            *id->observation != '\0' ? id->observation : NULL, "observer",
                            linnet_json_string(owner, "observer", NULL), "flora",
                            linnet_json_string(owner, "flora", NULL));
    told->topic = (struct serve_topic){id->database, linnet_json_string(told->owner, "kind", NULL),
                                       linnet_json_string(told->owner, "observation", NULL),
                                       linnet_json_string(told->owner, "observer", NULL),
                                       linnet_json_string(told->owner, "flora", NULL)};
}

static char *write_text(const struct linnet_id *id, const struct serve_change *change, bool whole) {
    json_t *data = json_pack("{s:s, s:s, s:s, s:s*, s:s, s:b}", "database",
                             id->database == LINNET_DB_MAIN ? "main" : "reference", "id", change->id, "kind",
                             id->kind, "observation", *id->observation != '\0' ? id->observation : NULL,
                             "rev", change->revision, "deleted", (int)change->deleted);
    if (data != NULL && whole) json_object_set(data, "document", change->document);
    char *text = data != NULL ? json_dumps(data, JSON_COMPACT) : NULL;
    json_decref(data);
    return text;
}

/* A change whose owner is known as well as can be. */
static void on_owned(void *arg, const struct serve_change *change, const json_t *owner) {
    struct serve_events *events = arg;
    struct linnet_id id;
    if (events->closing || linnet_id_parse(change->id, &id) != 0) return;
    struct told *told = &events->told[events->next % KEPT];
    told_done(told);
    told->number = events->next++;
    keep_topic(told, &id, owner);
    told->text = write_text(&id, change, false);
    told->with_document = change->document != NULL ? write_text(&id, change, true) : NULL;
    if (told->text == NULL) return;
    for (struct listener *listener = events->listeners, *next; listener != NULL; listener = next) {
        next = listener->next; /* it may be gone with what it is told */
        if (listener->greeted) tell(events, listener, told);
    }
}

static void greet(struct listener *listener) {
    struct serve_events *events = listener->events;
    char id[64];
    listener->greeted = true;
    snprintf(id, sizeof id, "%s-%llu", events->epoch, (unsigned long long)events->next - 1);
    serve_stream_event(listener->stream, "hello", id, "{}");
}

/* ---- the feeds ---- */

static void on_change(void *arg, const struct linnet_change *change) {
    struct feed *feed = arg;
    struct linnet_id id;
    if (linnet_id_parse(change->id, &id) != 0 || id.database != feed->database) return; /* design documents */
    struct serve_change found = {change->id, change->nrevisions > 0 ? change->revisions[0] : "",
                                 change->deleted, change->document};
    serve_owners_take(feed->events->owners, &found);
}

static void on_caught_up(void *arg, const char *seq) {
    struct feed *feed = arg;
    (void)seq;
    if (feed->caught_up) return;
    feed->caught_up = true;
    for (struct listener *listener = feed->events->listeners; listener != NULL; listener = listener->next)
        if (!listener->greeted && listener->filter.database == feed->database) greet(listener);
}

static void on_broken(void *arg, int error, const char *detail, long retry_ms) {
    struct feed *feed = arg;
    (void)feed, (void)error;
    linnet_log(retry_ms < 0 ? LINNET_ERROR : LINNET_WARN, "events", "the changes feed broke", "why", "s",
               detail, "again_ms", "i", (json_int_t)retry_ms, NULL);
}

static bool follow(struct feed *feed) {
    static const struct linnet_changes_events events = {
        .change = on_change, .caught_up = on_caught_up, .broken = on_broken};
    struct linnet_changes_options options = {
        .database = feed->database, .since = "now", .include_docs = true, .continuous = true};
    struct linnet_error err = {0};
    if (feed->changes != NULL) return true;
    if (linnet_changes_open(feed->events->couch, &options, &events, feed, &feed->changes, &err) == 0)
        return true;
    linnet_log(LINNET_ERROR, "events", "no changes feed", "why", "s", err.detail, NULL);
    return false;
}

/* ---- listeners ---- */

static void on_gone(void *arg) {
    struct listener *listener = arg;
    struct serve_events *events = listener->events;
    if (listener->next != NULL) listener->next->previous = listener->previous;
    if (listener->previous != NULL)
        listener->previous->next = listener->next;
    else
        events->listeners = listener->next;
    linnet_metric_set(events->listening, (double)--events->nlisteners);
    free(listener);
}

static bool copy_param(struct serve_request *request, const char *name, char *out, size_t size) {
    const char *value = serve_param(request, name);
    if (value == NULL) return true;
    if (strlen(value) < size) {
        snprintf(out, size, "%s", value);
        return true;
    }
    serve_answer_error(request, 400, "\"%s\" is too long", name);
    return false;
}

static bool read_filter(struct serve_request *request, struct serve_filter *out) {
    const char *database = serve_param(request, "database"), *documents = serve_param(request, "documents");
    *out = (struct serve_filter){.database = LINNET_DB_MAIN,
                                 .documents = documents != NULL && strcmp(documents, "true") == 0};
    if (database != NULL && strcmp(database, "reference") == 0) {
        out->database = LINNET_DB_REFERENCE;
    } else if (database != NULL && strcmp(database, "main") != 0) {
        serve_answer_error(request, 400, "\"database\" must be one of [main, reference]");
        return false;
    }
    if (!copy_param(request, "observation", out->observation, sizeof out->observation) ||
        !copy_param(request, "observer", out->observer, sizeof out->observer) ||
        !copy_param(request, "flora", out->flora, sizeof out->flora) ||
        !copy_param(request, "kind", out->kind, sizeof out->kind))
        return false;
    if (out->observation[0] == '\0' || linnet_ulid_valid(out->observation, strlen(out->observation)))
        return true;
    serve_answer_error(request, 400, "\"observation\" must be a ULID");
    return false;
}

/* What a client that comes back has missed. */
static void replay(struct listener *listener, const char *last) {
    struct serve_events *events = listener->events;
    size_t epoch = strlen(events->epoch);
    char *end;
    if (last == NULL || *last == '\0') return;
    uint64_t number = strncmp(last, events->epoch, epoch) == 0 && last[epoch] == '-'
                          ? strtoull(last + epoch + 1, &end, 10)
                          : 0;
    bool known =
        strncmp(last, events->epoch, epoch) == 0 && number < events->next && number + KEPT >= events->next;
    if (!known) serve_stream_event(listener->stream, "reset", NULL, "{}");
    for (uint64_t n = number + 1; known && n < events->next; n++)
        if (events->told[n % KEPT].number == n) tell(events, listener, &events->told[n % KEPT]);
}

void serve_events_get(struct serve_request *request) {
    struct serve_events *events = request->serve->events;
    struct serve_filter filter;
    const char *last = serve_header(request, "Last-Event-ID");
    if (last == NULL) last = serve_param(request, "lastEventId");
    if (events == NULL ||
        !follow(&events->feeds[serve_param(request, "database") != NULL &&
                               strcmp(serve_param(request, "database"), "reference") == 0])) {
        serve_answer_error(request, 503, "this server has no store to follow");
        return;
    }
    if (!read_filter(request, &filter)) return;
    struct listener *listener = events->nlisteners < LISTENERS_MAX ? calloc(1, sizeof *listener) : NULL;
    if (listener != NULL)
        listener->stream = serve_stream_new(request->serve->http, STREAM_LIMIT, on_gone, listener);
    if (listener == NULL || listener->stream == NULL) {
        free(listener);
        serve_answer_error(request, 503, "too many listen already");
        return;
    }
    listener->events = events;
    listener->filter = filter;
    listener->next = events->listeners;
    if (listener->next != NULL) listener->next->previous = listener;
    events->listeners = listener;
    linnet_metric_set(events->listening, (double)++events->nlisteners);
    serve_stream_write(listener->stream, "retry: 2000\n\n", 13);
    replay(listener, last);
    if (events->feeds[filter.database == LINNET_DB_REFERENCE].caught_up) greet(listener);
    serve_answer_stream(request, "text/event-stream; charset=utf-8", listener->stream);
}

/* ---- opening and closing ---- */

static void on_heartbeat(uv_timer_t *timer) {
    struct serve_events *events = timer->data;
    for (struct listener *listener = events->listeners; listener != NULL; listener = listener->next)
        serve_stream_write(listener->stream, ": \n\n", 4);
}

int serve_events_open(uv_loop_t *loop, struct linnet_couch *couch, struct linnet_metrics *metrics,
                      struct serve_events **out) {
    struct serve_events *events = calloc(1, sizeof *events);
    if (events == NULL || serve_owners_open(couch, on_owned, events, &events->owners) != 0) {
        free(events);
        return LINNET_E_NOMEM;
    }
    events->couch = couch;
    events->next = 1;
    linnet_ulid_new(events->epoch);
    events->feeds[0] = (struct feed){.events = events, .database = LINNET_DB_MAIN};
    events->feeds[1] = (struct feed){.events = events, .database = LINNET_DB_REFERENCE};
    events->listening = linnet_metrics_gauge(metrics, "linnet_events_listeners", NULL, "Open event streams");
    uv_timer_init(loop, &events->heartbeat);
    events->heartbeat.data = events;
    uv_timer_start(&events->heartbeat, on_heartbeat, HEARTBEAT_MS, HEARTBEAT_MS);
    *out = events;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle) {
    struct serve_events *events = handle->data;
    for (size_t i = 0; i < KEPT; i++)
        told_done(&events->told[i]);
    free(events);
}

void serve_events_end(struct serve_events *events) {
    if (events == NULL) return;
    for (struct listener *listener = events->listeners; listener != NULL; listener = listener->next)
        serve_stream_end(listener->stream);
}

void serve_events_close(struct serve_events *events) {
    if (events == NULL) return;
    events->closing = true;
    for (size_t i = 0; i < 2; i++)
        linnet_changes_close(events->feeds[i].changes);
    serve_owners_close(events->owners);
    uv_close((uv_handle_t *)&events->heartbeat, on_timer_closed);
}
