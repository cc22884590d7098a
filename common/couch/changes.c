/* Following a feed. It is always in one of two phases: pages of `feed=normal` until the end as it stands is
 * reached (which both kinds of server answer, and which says precisely that it was reached), then
 * `feed=continuous`. After a break it begins with pages again, from the last change that was delivered. */
#include "common/couch/changes.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/couch/feed_parser.h"
#include "common/couch/internal.h"

enum {
    PAGE_SIZE = 2000,
    FIRST_RETRY_MS = 250,
    LAST_RETRY_MS = 30000,
    REPLY_MOST = 4096,
    LINE_MOST = 16 << 20
};

enum state {
    RUNNING, /* a request is under way */
    WAITING, /* for the next try */
    HELD,    /* paused between two requests */
    OVER     /* nothing will happen any more */
};

/* libuv wants to close a timer later than its owner may want to be gone. */
struct feed_timer {
    uv_timer_t timer;
    struct linnet_couch *couch;
};

struct linnet_changes {
    struct couch_transfer transfer; /* first */
    struct couch_link link;         /* in the client's feeds */
    struct linnet_couch *couch;     /* NULL once the client has gone */
    struct linnet_changes_events events;
    void *arg;
    enum linnet_database database;
    bool include_docs, continuous;
    long heartbeat_ms;
    char *filter_view;
    struct feed_parser parser;
    struct feed_timer *timer; /* the next try while WAITING, the watchdog while RUNNING */
    struct curl_slist *headers;
    enum state state;
    enum feed_form form;
    bool paused, closed, silent; /* silent: the watchdog has cancelled the transfer */
    bool told;                   /* caught_up was called and nothing came since */
    bool accepted;               /* the request was answered, and not by an error */
    bool busy;                   /* in on_ended: what a callback asks for is done when it returns */
    unsigned failures;           /* in a row */
    uint64_t began;              /* uv_now of the request */
    long quiet;                  /* turns of the watchdog since the last bytes */
    struct linnet_buf reply;     /* of a request that was refused */
    int stopped;                 /* what made the write function give up */
    char words[CURL_ERROR_SIZE];
};

static void start(struct linnet_changes *changes);

/* ---- the timer ---- */

static void on_timer_closed(uv_handle_t *handle) {
    struct feed_timer *timer = handle->data;
    struct linnet_couch *couch = timer->couch;
    free(timer);
    couch_handle_closed(couch);
}

static struct feed_timer *make_timer(struct linnet_couch *couch) {
    struct feed_timer *timer = calloc(1, sizeof *timer);
    if (!timer) return NULL;
    timer->couch = couch;
    uv_timer_init(couch->loop, &timer->timer);
    couch_handle_opened(couch);
    return timer;
}

static void close_timer(struct feed_timer *timer) {
    if (!timer) return;
    timer->timer.data = timer;
    uv_close((uv_handle_t *)&timer->timer, on_timer_closed);
}

static void on_try_again(uv_timer_t *timer) {
    struct linnet_changes *changes = timer->data;
    if (changes->paused)
        changes->state = HELD;
    else
        start(changes);
}

/* Once a heartbeat. Turns of the timer are counted rather than time: where this process itself was held up,
 * time has passed but the loop has not looked at the socket, and the bytes may lie there. */
static void on_watch(uv_timer_t *timer) {
    struct linnet_changes *changes = timer->data;
    if (changes->paused) return;
    /* Pages have no heartbeat: a server that collects a page first says nothing until it is done. */
    long most = 3, page = changes->couch->request_timeout_ms / changes->heartbeat_ms;
    if (changes->form == FEED_NORMAL && most < page) most = page;
    if (++changes->quiet <= most) return;
    uv_timer_stop(timer);
    changes->silent = true;
    couch_transfer_cancel(&changes->transfer);
}

/* ---- bytes ---- */

static int on_change(void *arg, const struct linnet_change *change) {
    struct linnet_changes *changes = arg;
    if (changes->closed) return LINNET_E_CANCELLED;
    changes->told = false;
    changes->failures = 0;
    changes->events.change(changes->arg, change);
    return changes->closed ? LINNET_E_CANCELLED : 0;
}

static bool wants(void *arg, const char *id) {
    struct linnet_changes *changes = arg;
    return !changes->closed && (!changes->events.wants || changes->events.wants(changes->arg, id));
}

static void tell_caught_up(struct linnet_changes *changes) {
    if (changes->told || changes->closed) return;
    changes->told = true;
    const char *seq = changes->parser.seq.data;
    if (changes->events.caught_up) changes->events.caught_up(changes->arg, seq ? seq : "");
}

/* The server has had nothing to send for a while. */
static void on_heartbeat(void *arg) {
    struct linnet_changes *changes = arg;
    changes->failures = 0;
    tell_caught_up(changes);
}

static size_t on_bytes(char *bytes, size_t one, size_t size, void *arg) {
    (void)one;
    struct linnet_changes *changes = arg;
    if (changes->closed) return CURL_WRITEFUNC_ERROR;
    if (changes->paused) return CURL_WRITEFUNC_PAUSE;
    changes->quiet = 0;
    if (!changes->accepted) {
        long status = 0;
        curl_easy_getinfo(changes->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
        if (couch_status_error(status)) { /* words about why, as many as fit */
            linnet_buf_append(&changes->reply, bytes, size);
            return size;
        }
        changes->accepted = true;
    }
    changes->stopped = feed_parser_push(&changes->parser, bytes, size);
    return changes->stopped ? CURL_WRITEFUNC_ERROR : size;
}

/* ---- requests ---- */

static int write_path(struct linnet_changes *changes, struct linnet_buf *url) {
    struct linnet_couch *couch = changes->couch;
    int rc = linnet_buf_printf(url, "%s/", couch->base);
    if (!rc) rc = linnet_couch_escape(url, couch->names[changes->database]);
    if (!rc) rc = linnet_buf_append_string(url, "/_changes?style=all_docs");
    if (!rc && changes->form == FEED_NORMAL) rc = linnet_buf_printf(url, "&limit=%d", PAGE_SIZE);
    if (!rc && changes->form == FEED_CONTINUOUS)
        rc = linnet_buf_printf(url, "&feed=continuous&heartbeat=%ld", changes->heartbeat_ms);
    if (!rc && changes->include_docs) rc = linnet_buf_append_string(url, "&include_docs=true");
    if (!rc && changes->filter_view) {
        rc = linnet_buf_append_string(url, "&filter=_view&view=");
        if (!rc) rc = linnet_couch_escape(url, changes->filter_view);
    }
    if (!rc && changes->parser.seq.size) {
        rc = linnet_buf_append_string(url, "&since=");
        if (!rc) rc = linnet_couch_escape(url, changes->parser.seq.data);
    }
    return rc;
}

/* After `retry_ms`; at once if it is 0. */
static void schedule(struct linnet_changes *changes, long retry_ms) {
    changes->state = WAITING;
    changes->timer->timer.data = changes;
    uv_timer_start(&changes->timer->timer, on_try_again, (uint64_t)retry_ms, 0);
}

static long next_retry(struct linnet_changes *changes) {
    unsigned doublings = changes->failures < 7 ? changes->failures : 7;
    if (changes->failures < 1000) changes->failures++;
    uint32_t most = FIRST_RETRY_MS << doublings;
    if (most > LAST_RETRY_MS) most = LAST_RETRY_MS;
    uint32_t least = most / 2;
    /* So that a hundred clients do not come back as one. */
    return least + randombytes_uniform(most - least + 1);
}

/* A handle for the next request, as every request has one of its own (couch_easy_get says why). */
static int renew_handle(struct linnet_changes *changes) {
    CURL *easy = couch_easy_get(changes->couch);
    struct linnet_buf url = {0};
    int rc = easy ? write_path(changes, &url) : LINNET_E_NOMEM;
    if (!rc && curl_easy_setopt(easy, CURLOPT_URL, url.data)) rc = LINNET_E_NOMEM;
    linnet_buf_done(&url);
    if (rc) {
        curl_easy_cleanup(easy);
        return rc;
    }
    /* No Accept-Encoding: what compresses a feed also holds it back. */
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, changes->headers);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 65536L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, changes->words);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, changes);
    curl_easy_cleanup(changes->transfer.easy);
    changes->transfer.easy = easy;
    return 0;
}

static void start(struct linnet_changes *changes) {
    int rc = renew_handle(changes);
    if (rc) {
        schedule(changes, next_retry(changes));
        return;
    }
    changes->state = RUNNING;
    changes->accepted = changes->silent = false;
    changes->stopped = 0;
    changes->words[0] = '\0';
    linnet_buf_clear(&changes->reply);
    feed_parser_start(&changes->parser, changes->form);
    changes->began = uv_now(changes->couch->loop);
    changes->quiet = 0;
    changes->timer->timer.data = changes;
    uv_timer_start(&changes->timer->timer, on_watch, (uint64_t)changes->heartbeat_ms,
                   (uint64_t)changes->heartbeat_ms);
    couch_transfer_start(&changes->transfer);
}

/* ---- the end of a request ---- */

static void free_changes(struct linnet_changes *changes) {
    if (changes->couch) {
        couch_link_remove(&changes->link);
        close_timer(changes->timer);
    }
    curl_easy_cleanup(changes->transfer.easy);
    curl_slist_free_all(changes->headers);
    feed_parser_done(&changes->parser);
    linnet_buf_done(&changes->reply);
    free(changes->filter_view);
    free(changes);
}

/* Why the request failed: 0 if it did not; words in `detail`. */
static int find_failure(struct linnet_changes *changes, CURLcode code, char *detail, size_t size) {
    long status = 0;
    curl_easy_getinfo(changes->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    int rc = couch_status_error(status);
    if (changes->silent) {
        snprintf(detail, size, "the feed has been silent for too long");
        return LINNET_E_TIMEOUT;
    }
    if (changes->stopped) {
        snprintf(detail, size, "%s", changes->parser.error.detail);
        return changes->stopped;
    }
    if (rc) {
        json_t *reply =
            json_loadb(changes->reply.data ? changes->reply.data : "", changes->reply.size, 0, NULL);
        snprintf(detail, size, "the feed was refused: %ld %s: %s", status,
                 linnet_json_string(reply, "error", linnet_error_name(rc)),
                 linnet_json_string(reply, "reason", "no reason"));
        json_decref(reply);
        return rc;
    }
    if (code) {
        snprintf(detail, size, "%s", *changes->words ? changes->words : curl_easy_strerror(code));
        return couch_curl_error(code);
    }
    rc = feed_parser_finish(&changes->parser);
    if (rc) snprintf(detail, size, "%s", changes->parser.error.detail);
    return rc;
}

static void on_failure(struct linnet_changes *changes, int error, const char *detail) {
    bool for_good = linnet_error_class(error) != LINNET_TRANSIENT && error != LINNET_E_PARSE;
    long retry_ms = for_good ? -1 : next_retry(changes);
    changes->form = FEED_NORMAL;
    if (for_good)
        changes->state = OVER;
    else
        schedule(changes, retry_ms);
    if (changes->events.broken) changes->events.broken(changes->arg, error, detail, retry_ms);
}

/* A short page is the last one. What a server says is pending can keep the feed going but not end it: the
 * embedded store says 0 behind every page. */
static bool was_last_page(const struct feed_parser *parser) {
    return !parser->changes || (parser->changes < PAGE_SIZE && parser->pending <= 0);
}

static void on_success(struct linnet_changes *changes) {
    long wait_ms = 0;
    if (changes->form == FEED_CONTINUOUS) {
        /* The server ended it, with a last_seq or without. One that does so at once is not asked again at
         * once. */
        if (changes->parser.ended) tell_caught_up(changes);
        if (!changes->parser.changes && uv_now(changes->couch->loop) - changes->began < 1000)
            wait_ms = next_retry(changes);
        changes->form = FEED_NORMAL;
    } else if (was_last_page(&changes->parser)) {
        tell_caught_up(changes);
        changes->form = FEED_CONTINUOUS;
        if (!changes->continuous) {
            changes->state = OVER;
            return;
        }
    }
    if (changes->closed) return;
    if (wait_ms)
        schedule(changes, wait_ms);
    else if (changes->paused)
        changes->state = HELD;
    else
        start(changes);
}

static void on_ended(struct couch_transfer *transfer, CURLcode code) {
    struct linnet_changes *changes = (struct linnet_changes *)transfer;
    char detail[600] = "";
    uv_timer_stop(&changes->timer->timer);
    if (!changes->closed) {
        changes->state = HELD;
        int error = find_failure(changes, code, detail, sizeof detail);
        changes->busy = true;
        if (error)
            on_failure(changes, error, detail);
        else
            on_success(changes);
        changes->busy = false;
    }
    if (changes->closed) free_changes(changes);
}

/* ---- what its owner asks for ---- */

static struct linnet_changes *make_changes(struct linnet_couch *couch,
                                           const struct linnet_changes_options *options) {
    static const struct feed_events events = {on_change, on_heartbeat, wants};
    struct linnet_changes *changes = calloc(1, sizeof *changes);
    if (!changes) return NULL;
    changes->couch = changes->transfer.couch = couch;
    changes->transfer.feed = true;
    changes->transfer.ended = on_ended;
    changes->database = options->database;
    changes->include_docs = options->include_docs;
    changes->continuous = options->continuous;
    changes->heartbeat_ms = options->heartbeat_ms > 0 ? options->heartbeat_ms : 10000;
    changes->form = FEED_NORMAL;
    couch_link_append(&couch->feeds, &changes->link);
    linnet_buf_init(&changes->reply, REPLY_MOST);
    feed_parser_init(&changes->parser, options->line_limit ? options->line_limit : LINE_MOST, &events,
                     changes);
    changes->timer = make_timer(couch);
    changes->headers = curl_slist_append(NULL, "Accept: application/json");
    bool whole = changes->timer && changes->headers;
    if (options->filter_view && !(changes->filter_view = strdup(options->filter_view))) whole = false;
    if (options->since && linnet_buf_append_string(&changes->parser.seq, options->since)) whole = false;
    if (whole) return changes;
    free_changes(changes);
    return NULL;
}

int linnet_changes_open(struct linnet_couch *couch, const struct linnet_changes_options *options,
                        const struct linnet_changes_events *events, void *arg, struct linnet_changes **out,
                        struct linnet_error *err) {
    if (couch->closing) return linnet_error_set(err, LINNET_E_CANCELLED, "the client is closing");
    if (!linnet_couch_database(couch, options->database))
        return linnet_error_set(err, LINNET_E_INVALID, "there is no such database to follow");
    struct linnet_changes *changes = make_changes(couch, options);
    if (!changes) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory while opening the feed");
    changes->events = *events;
    changes->arg = arg;
    start(changes);
    *out = changes;
    return 0;
}

void linnet_changes_pause(struct linnet_changes *changes) {
    changes->paused = true; /* on_bytes tells libcurl at the next chunk */
}

void linnet_changes_resume(struct linnet_changes *changes) {
    if (!changes->paused) return;
    changes->paused = false;
    if (!changes->couch) return;
    changes->quiet = 0;
    if (changes->state == RUNNING)
        couch_transfer_resume(&changes->transfer);
    else if (changes->state == HELD && !changes->busy)
        start(changes);
}

void linnet_changes_close(struct linnet_changes *changes) {
    if (!changes || changes->closed) return;
    changes->closed = true;
    if (changes->busy) return; /* on_ended frees it */
    if (changes->couch && changes->state == RUNNING)
        couch_transfer_cancel(&changes->transfer); /* on_ended frees it, from the loop */
    else
        free_changes(changes);
}

void couch_feed_detach(struct couch_link *link) {
    struct linnet_changes *changes =
        (struct linnet_changes *)((char *)link - offsetof(struct linnet_changes, link));
    couch_link_remove(&changes->transfer.link);
    if (changes->transfer.running) curl_multi_remove_handle(changes->couch->multi, changes->transfer.easy);
    changes->transfer.running = false;
    curl_easy_cleanup(changes->transfer.easy);
    changes->transfer.easy = NULL;
    uv_timer_stop(&changes->timer->timer);
    close_timer(changes->timer);
    changes->timer = NULL;
    couch_link_remove(&changes->link);
    changes->couch = NULL;
    changes->state = OVER;
    if (changes->closed) free_changes(changes);
}
