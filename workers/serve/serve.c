#include "workers/serve/serve.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/cli/bundle.h"
#include "workers/cli/command.h"
#include "workers/serve/app.h"
#include "workers/serve/engine.h"
#include "workers/serve/events.h"
#include "workers/serve/fetch.h"
#include "workers/serve/frugal.h"
#include "workers/serve/guest.h"
#include "workers/serve/http.h"
#include "workers/serve/keys.h"
#include "workers/serve/similar.h"
#include "workers/worker/monitor.h"
#include "workers/worker/notify.h"

#define DRAIN_LOOK_MS 20

/* The process: what begins and ends with it. */
struct process {
    struct serve serve;
    uv_signal_t terminate, interrupt; /* of a process of its own */
    uv_timer_t drain;
    int64_t drain_until_ms;
    const struct linnet_guest_host *host; /* NULL: a process of its own */
    bool closing;
    void (*closed)(void *arg); /* may be NULL */
    void *closed_arg;
};

/* ---- the end: no new connections, answer what was asked, then take it all apart. The stages and the store
 * go first: what waits for them is answered by that, and libmicrohttpd cannot end while a request is
 * suspended. ---- */

static void close_handle(uv_handle_t *handle) {
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void on_http_closed(void *arg) {
    struct process *process = arg;
    serve_events_close(process->serve.events);
    if (process->closed != NULL) process->closed(process->closed_arg);
}

static void on_couch_closed(void *arg) {
    struct process *process = arg;
    if (process->serve.http != NULL)
        serve_http_close(process->serve.http, on_http_closed, process);
    else
        on_http_closed(process);
}

static void on_keys_closed(void *arg) {
    struct process *process = arg;
    if (process->serve.couch != NULL)
        linnet_couch_close(process->serve.couch, on_couch_closed, process);
    else
        on_couch_closed(process);
}

static void on_engine_closed(void *arg) {
    struct process *process = arg;
    serve_fetcher_close(process->serve.fetcher);
    serve_similar_close(process->serve.similar);
    process->serve.similar = NULL;
    serve_keys_close(process->serve.keys, on_keys_closed, process);
}

static void close_all(struct process *process) {
    if (process->closing) return;
    process->closing = true;
    if (process->host == NULL) close_handle((uv_handle_t *)&process->terminate);
    if (process->host == NULL) close_handle((uv_handle_t *)&process->interrupt);
    close_handle((uv_handle_t *)&process->drain);
    if (process->serve.engine != NULL)
        serve_engine_close(process->serve.engine, on_engine_closed, process);
    else
        on_engine_closed(process);
}

static void on_drain(uv_timer_t *timer) {
    struct process *process = timer->data;
    if (serve_http_requests(process->serve.http) > 0 &&
        (int64_t)uv_now(process->serve.loop) < process->drain_until_ms)
        return;
    close_all(process);
}

static void stop(struct process *process) {
    struct serve *serve = &process->serve;
    if (serve->draining) return;
    serve->draining = true;
    linnet_log(LINNET_INFO, "serve", "stopping", "requests", "i",
               (json_int_t)serve_http_requests(serve->http), NULL);
    if (process->host == NULL) linnet_notify("STOPPING=1");
    serve_http_quiesce(serve->http);
    serve_events_end(serve->events);
    process->drain_until_ms =
        (int64_t)uv_now(serve->loop) + linnet_json_integer(serve->config, "drain_s", 30) * 1000;
    uv_timer_start(&process->drain, on_drain, 0, DRAIN_LOOK_MS);
}

static void on_signal(uv_signal_t *signal, int number) {
    (void)number;
    stop(signal->data);
}

/* ---- the beginning ---- */

static void on_generation(void *arg) {
    const struct process *process = arg;
    const struct serve *serve = &process->serve;
    /* With a store the stages are opened later than the engine; of a folder at once, when it is not known
     * yet. */
    if (serve->similar != NULL) serve_similar_use(serve->similar, serve_engine_view(serve->engine)->model);
    if (process->host == NULL) linnet_notify("READY=1");
}

static int open_couch(struct serve *serve, struct linnet_error *err) {
    if (linnet_json_string(serve->config, "references", NULL) != NULL) return 0; /* a folder: no store */
    struct linnet_couch_options options = {
        .url = linnet_json_string(serve->config, "couchdb/url", ""),
        .prefix = linnet_json_string(serve->config, "couchdb/prefix", "linnet"),
        .connections = (unsigned)linnet_json_integer(serve->config, "couchdb/connections", 0)};
    return linnet_couch_open(serve->loop, &options, &serve->couch, err);
}

/* Before the stages: they say which model it is about. */
static int open_similar(struct serve *serve, struct linnet_error *err) {
    struct serve_similar_options options = {
        .loop = serve->loop, .couch = serve->couch, .config = serve->config, .metrics = serve->metrics};
    if (serve->couch == NULL || !linnet_json_bool(serve->config, "similar/enabled", true)) return 0;
    int rc = serve_similar_open(&options, &serve->similar);
    return rc != 0 ? linnet_error_set(err, rc, "out of memory") : 0;
}

static int open_fetcher(struct serve *serve) {
    const json_t *fetch = json_object_get(serve->config, "fetch");
    struct serve_fetch_options options = {.loop = serve->loop,
                                          .hosts = json_object_get(fetch, "hosts"),
                                          .private_too = linnet_json_bool(fetch, "private", false),
                                          .timeout_ms =
                                              (long)linnet_json_integer(fetch, "timeout_s", 10) * 1000,
                                          .redirects = (unsigned)linnet_json_integer(fetch, "redirects", 3)};
    return json_array_size(options.hosts) > 0 ? serve_fetcher_open(&options, &serve->fetcher) : 0;
}

/* The web app reads and writes the store: without one there is nothing for it to show. A server whose program
 * stands alone, without its couchapp, has none. */
static int open_app(struct serve *serve, struct linnet_error *err) {
    json_t *couchapp;
    if (serve->couch == NULL) return 0;
    int rc = linnet_bundle_load(NULL, &couchapp, err);
    if (rc == LINNET_E_NOT_FOUND) return 0;
    if (rc != 0) return rc;
    rc = serve_app_new(couchapp, serve->config, &serve->app, err);
    json_decref(couchapp);
    return rc;
}

static int open_parts(struct serve *serve, struct linnet_error *err) {
    serve_tally_init(&serve->addresses, INT64_C(86400000));
    serve_tally_init(&serve->signups, INT64_C(3600000));
    int rc = serve_keys_open(serve->loop, serve->couch, &serve->keys);
    if (rc == 0 && serve->couch != NULL)
        rc = serve_events_open(serve->loop, serve->couch, serve->metrics, &serve->events);
    if (rc == 0) rc = open_fetcher(serve);
    return rc != 0 ? linnet_error_set(err, rc, "out of memory") : open_app(serve, err);
}

static int open_http(struct serve *serve, struct linnet_error *err) {
    int fd;
    const char *address = linnet_json_string(serve->config, "listen", "127.0.0.1:8080");
    int rc = linnet_monitor_listen(address, &fd, err);
    if (rc != 0) return rc;
    unsigned port = linnet_monitor_port(fd);
    struct serve_http_options options = {
        .loop = serve->loop,
        .fd = fd,
        .connections = (unsigned)linnet_json_integer(serve->config, "limits/connections", 4096),
        .connections_per_address =
            (unsigned)linnet_json_integer(serve->config, "limits/connections_per_address", 0),
        .head_s = (unsigned)linnet_json_integer(serve->config, "limits/head_s", 20),
        .body_s = (unsigned)linnet_json_integer(serve->config, "limits/body_s", 30),
        .rate = (unsigned)linnet_json_integer(serve->config, "limits/least_bytes_per_s", 16384),
        .arg = serve};
    rc = serve_http_open(&options, &serve->http, err);
    if (rc == 0)
        linnet_log(LINNET_INFO, "serve", "listening", "address", "s", address, "port", "i", (json_int_t)port,
                   NULL);
    return rc;
}

static int open_engine(struct process *process, struct linnet_error *err) {
    struct serve *serve = &process->serve;
    struct serve_engine_options options = {.loop = serve->loop,
                                           .config = serve->config,
                                           .metrics = serve->metrics,
                                           .couch = serve->couch,
                                           .host = process->host,
                                           .changed = on_generation,
                                           .arg = process};
    return serve_engine_open(&options, &serve->engine, err);
}

static int open_all(struct process *process, struct linnet_error *err) {
    int rc = open_couch(&process->serve, err);
    if (rc == 0) rc = open_similar(&process->serve, err);
    if (rc == 0) rc = open_engine(process, err);
    if (rc == 0) rc = open_parts(&process->serve, err);
    return rc == 0 ? open_http(&process->serve, err) : rc;
}

static void watch_signal(struct process *process, uv_signal_t *handle, int number) {
    uv_signal_init(process->serve.loop, handle);
    handle->data = process;
    uv_signal_start(handle, on_signal, number);
}

static void done(struct process *process) {
    serve_app_free(process->serve.app);
    serve_tally_done(&process->serve.addresses);
    serve_tally_done(&process->serve.signups);
    linnet_metrics_free(process->serve.metrics);
}

static int start(struct process *process, struct linnet_error *err) {
    process->drain.data = process;
    uv_timer_init(process->serve.loop, &process->drain);
    return open_all(process, err);
}

int serve_run(const json_t *config) {
    uv_loop_t loop;
    struct process process = {.serve = {.loop = &loop, .config = config, .metrics = linnet_metrics_new()}};
    struct linnet_error err = {0};
    if (process.serve.metrics == NULL || uv_loop_init(&loop) != 0) return LINNET_EXIT_FAILED;
    serve_be_frugal();
    signal(SIGPIPE, SIG_IGN);
    watch_signal(&process, &process.terminate, SIGTERM);
    watch_signal(&process, &process.interrupt, SIGINT);
    int rc = start(&process, &err);
    if (rc != 0) {
        linnet_log(LINNET_ERROR, "serve", "cannot start", "why", "s", err.detail, NULL);
        close_all(&process);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    done(&process);
    return rc == 0 ? LINNET_EXIT_OK : LINNET_EXIT_FAILED;
}

/* ---- the same as a worker's guest ---- */

/* What could not be opened stays until the child's end, which comes then: its loop has to close it. */
static int guest_open(const struct linnet_guest_host *host, void **out, struct linnet_error *err) {
    struct process *process = calloc(1, sizeof *process);
    if (process == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    process->serve =
        (struct serve){.loop = host->loop, .config = host->config, .metrics = linnet_metrics_new()};
    process->host = host;
    *out = process;
    int rc = start(process, err);
    if (rc == 0) return 0;
    close_all(process);
    return linnet_error_prefix(err, "serve");
}

static void guest_changed(void *guest, struct linnet_references *references, const json_t *changed) {
    serve_engine_feed(((struct process *)guest)->serve.engine, references, changed);
}

static void guest_look(void *guest) {
    serve_engine_look(((struct process *)guest)->serve.engine);
}

static void guest_drain(void *guest, void (*closed)(void *arg), void *arg) {
    struct process *process = guest;
    process->closed = closed;
    process->closed_arg = arg;
    stop(process);
}

static void guest_close(void *guest, void (*closed)(void *arg), void *arg) {
    struct process *process = guest;
    process->closed = closed;
    process->closed_arg = arg;
    process->serve.draining = true;
    close_all(process);
}

static void guest_free(void *guest) {
    done(guest);
    free(guest);
}

const struct linnet_guest serve_guest = {.open = guest_open,
                                         .changed = guest_changed,
                                         .look = guest_look,
                                         .drain = guest_drain,
                                         .close = guest_close,
                                         .free = guest_free};
