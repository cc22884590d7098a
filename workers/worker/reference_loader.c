#include "workers/worker/reference_loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "common/couch/changes.h"
#include "workers/worker/attachment_cache.h"

#define MODEL_LIMIT  ((size_t)2 << 30)
#define LINE_LIMIT   ((size_t)128 << 20) /* of one document */
#define RETRY_MS     5000
#define REVIEWERS_MS 30000 /* between snapshots for the sake of reviewers alone */

struct linnet_reference_loader {
    struct linnet_reference_loader_options options;
    char *folder; /* of the attachments */
    struct linnet_changes *changes;
    uv_timer_t timer;
    json_t *documents; /* id -> document */
    json_t *changed;   /* {id: true} since the last snapshot */
    bool caught_up, first_done, forced;
    int64_t dirty_since; /* 0: nothing has changed */
    bool urgent;         /* something else than reviewers has */
    int64_t built_ms;    /* when the last snapshot was begun */
    bool busy;           /* fetching or building */
    bool closing;
    struct build *build; /* under way */
    void (*closed)(void *arg);
    void *closed_arg;
};

/* One snapshot in the making. `documents` is a copy of the table, its values shared. */
struct build {
    uv_work_t work;
    struct linnet_reference_loader *loader;
    json_t *documents, *changed;
    json_t *files; /* [{"id","name","path"}] */
    struct linnet_references *references;
    int rc;
    struct linnet_error err;
};

static void schedule(struct linnet_reference_loader *loader, uint64_t ms);
static int64_t pause_of(const struct linnet_reference_loader *loader);

static bool wanted_kind(const char *id) {
    static const char *const prefixes[] = {"taxon:", "flora:", "model:", "wanted:", "reviewer:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(id, prefixes[i], strlen(prefixes[i])) == 0) return true;
    return false;
}

/* ---- a snapshot ---- */

static void build_free(struct build *build) {
    if (build == NULL) return;
    json_decref(build->documents);
    json_decref(build->changed);
    json_decref(build->files);
    linnet_references_unref(build->references);
    free(build);
}

static void on_timer_closed(uv_handle_t *handle) {
    struct linnet_reference_loader *loader = handle->data;
    void (*closed)(void *) = loader->closed;
    void *arg = loader->closed_arg;
    json_decref(loader->documents);
    json_decref(loader->changed);
    free(loader->folder);
    free(loader);
    if (closed != NULL) closed(arg);
}

/* The build is over, one way or the other; the changes of one that failed are part of the next. */
static void finish_build(struct build *build, const char *why) {
    struct linnet_reference_loader *loader = build->loader;
    loader->busy = false;
    loader->build = NULL;
    if (loader->closing) {
        build_free(build);
        uv_close((uv_handle_t *)&loader->timer, on_timer_closed);
        return;
    }
    if (why != NULL) {
        json_object_update_missing(loader->changed, build->changed);
        loader->options.failed(loader->options.arg, why);
    } else {
        json_t *ids = loader->first_done ? json_array() : NULL;
        const char *id;
        json_t *unused;
        if (ids != NULL)
            json_object_foreach(build->changed, id, unused) json_array_append_new(ids, json_string(id));
        loader->first_done = true;
        loader->options.loaded(loader->options.arg, build->references, ids);
        json_decref(ids);
    }
    build_free(build);
    if (loader->dirty_since != 0 && !loader->closing) schedule(loader, (uint64_t)pause_of(loader));
}

/* On libuv's pool. A document that the host refuses (a taxon without a name) is left out and said. */
static void build_work(uv_work_t *work) {
    struct build *build = work->data;
    const char *id;
    json_t *document, *file;
    build->references = linnet_references_new();
    if (build->references == NULL) {
        build->rc = linnet_error_set(&build->err, LINNET_E_NOMEM, "out of memory");
        return;
    }
    json_object_foreach(build->documents, id, document) {
        struct linnet_error err = {0};
        int rc = linnet_references_add(build->references, document, &err);
        if (rc == LINNET_E_NOMEM) {
            build->rc = linnet_error_set(&build->err, rc, "out of memory");
            return;
        }
        if (rc != 0)
            linnet_log(LINNET_WARN, "reference", "left out a document", "id", "s", id, "why", "s", err.detail,
                       NULL);
    }
    size_t i;
    json_array_foreach(build->files, i, file) linnet_references_add_file(
        build->references, linnet_json_string(file, "id", ""), linnet_json_string(file, "name", ""),
        linnet_json_string(file, "path", ""));
    build->rc = linnet_references_finish(build->references, &build->err);
}

static void build_done(uv_work_t *work, int status) {
    struct build *build = work->data;
    if (status != 0) build->rc = linnet_error_set(&build->err, LINNET_E_CANCELLED, "cancelled");
    finish_build(build, build->rc != 0 ? build->err.detail : NULL);
}

/* ---- the files ---- */

static bool model_in_use(const struct linnet_reference_loader *loader, const char *id) {
    const char *model = id + strlen("model:"), *key;
    bool any = false;
    json_t *document;
    json_object_foreach(loader->documents, key, document) {
        if (strncmp(key, "wanted:", 7) != 0) continue;
        const char *name = linnet_json_string(document, "model", NULL);
        if (name == NULL) continue;
        any = true;
        if (strcmp(name, model) == 0) return true;
    }
    if (loader->options.uses_model != NULL && loader->options.uses_model(loader->options.arg, model))
        return true;
    return !any; /* nobody has chosen yet: a stage may take any */
}

static void fetch_next(struct build *build);

static void on_file(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                    void *arg) {
    struct build *build = arg;
    struct linnet_reference_loader *loader = build->loader;
    (void)request;
    const json_t *file = json_array_get(build->files, json_array_size(build->files) - 1);
    const char *id = linnet_json_string(file, "id", ""), *name = linnet_json_string(file, "name", "");
    struct linnet_error err = {0};
    int rc = response->error;
    if (rc != 0)
        linnet_error_set(&err, rc, "%s", response->detail);
    else if (!loader->closing)
        rc = linnet_attachment_cache(loader->folder, json_object_get(file, "stub"), response->body,
                                     response->size, &err);
    if (rc != 0 || loader->closing) {
        char why[700];
        snprintf(why, sizeof why, "cannot fetch %s of %s: %s", name, id, err.detail);
        if (!loader->closing && loader->dirty_since == 0) loader->dirty_since = linnet_time_monotonic();
        finish_build(build, why);
        if (!loader->closing) schedule(loader, RETRY_MS);
        return;
    }
    linnet_log(LINNET_INFO, "reference", "fetched a file", "id", "s", id, "name", "s", name, "bytes", "i",
               (json_int_t)response->size, NULL);
    fetch_next(build);
}

/* Note the file of an attachment; false if it must be fetched first. */
static bool note_file(struct build *build, const char *id, const char *name, json_t *stub) {
    char path[PATH_MAX] = "";
    bool there = linnet_attachment_cached(build->loader->folder, stub, path);
    json_array_append_new(
        build->files, json_pack("{s:s, s:s, s:s, s:O}", "id", id, "name", name, "path", path, "stub", stub));
    return there;
}

/* Fetch what is missing, one file after the other, then build. Starts over after each: the folder says what
 * is there. */
static void fetch_next(struct build *build) {
    struct linnet_reference_loader *loader = build->loader;
    const char *id, *name;
    json_t *document, *stub;
    json_array_clear(build->files);
    json_object_foreach(build->documents, id, document) {
        if (strncmp(id, "model:", 6) != 0 || !model_in_use(loader, id)) continue;
        json_object_foreach(json_object_get(document, "_attachments"), name, stub) {
            if (note_file(build, id, name, stub)) continue;
            int rc = linnet_couch_get_attachment(loader->options.couch, LINNET_DB_REFERENCE, id, name,
                                                 linnet_json_string(document, "_rev", NULL), MODEL_LIMIT,
                                                 on_file, build);
            if (rc != 0) finish_build(build, linnet_error_message(rc));
            return;
        }
    }
    if (uv_queue_work(loader->options.loop, &build->work, build_work, build_done) != 0)
        finish_build(build, "cannot queue the build");
}

static void start_build(struct linnet_reference_loader *loader) {
    struct build *build = calloc(1, sizeof *build);
    if (build == NULL) {
        schedule(loader, RETRY_MS);
        return;
    }
    build->work.data = build;
    build->loader = loader;
    build->documents = json_copy(loader->documents);
    build->changed = loader->changed;
    build->files = json_array();
    loader->changed = json_object();
    loader->dirty_since = 0;
    loader->urgent = loader->forced = false;
    loader->built_ms = linnet_time_monotonic();
    loader->busy = true;
    loader->build = build;
    fetch_next(build);
}

/* ---- the feed ---- */

static void on_timer(uv_timer_t *timer) {
    struct linnet_reference_loader *loader = timer->data;
    if (loader->busy || !loader->caught_up || loader->closing) return;
    if (loader->dirty_since != 0 || loader->forced || !loader->first_done) start_build(loader);
}

static void schedule(struct linnet_reference_loader *loader, uint64_t ms) {
    if (!loader->closing) uv_timer_start(&loader->timer, on_timer, ms, 0);
}

/* Until things have been quiet, but never past all patience. People sign up all the time, and every snapshot
 * costs the site's stages a new start: reviewers alone may wait. */
static int64_t pause_of(const struct linnet_reference_loader *loader) {
    int64_t now = linnet_time_monotonic(), quiet = loader->options.quiet_ms,
            left = loader->dirty_since + loader->options.patience_ms - now,
            rest = loader->built_ms + REVIEWERS_MS - now;
    int64_t pause = left < quiet ? left : quiet;
    if (!loader->urgent && rest > pause) pause = rest;
    return pause > 0 ? pause : 0;
}

static void on_change(void *arg, const struct linnet_change *change) {
    struct linnet_reference_loader *loader = arg;
    if (!wanted_kind(change->id)) return;
    if (!change->deleted && change->document == NULL) {
        linnet_log(LINNET_ERROR, "reference", "a document is too long and is not followed", "id", "s",
                   change->id, NULL);
        return;
    }
    if (change->deleted) {
        if (json_object_del(loader->documents, change->id) != 0) return;
    } else {
        const json_t *old = json_object_get(loader->documents, change->id);
        if (old != NULL && strcmp(linnet_json_string(old, "_rev", ""),
                                  linnet_json_string(change->document, "_rev", "-")) == 0)
            return;
        json_object_set(loader->documents, change->id, change->document);
    }
    json_object_set_new(loader->changed, change->id, json_true());
    if (loader->dirty_since == 0) loader->dirty_since = linnet_time_monotonic();
    loader->urgent |= strncmp(change->id, "reviewer:", 9) != 0;
    if (loader->caught_up && loader->first_done) schedule(loader, (uint64_t)pause_of(loader));
}

static void on_caught_up(void *arg, const char *seq) {
    struct linnet_reference_loader *loader = arg;
    (void)seq;
    if (loader->caught_up) return;
    loader->caught_up = true;
    schedule(loader, 0);
}

static void on_broken(void *arg, int error, const char *detail, long retry_ms) {
    struct linnet_reference_loader *loader = arg;
    (void)error;
    linnet_log(LINNET_WARN, "reference", "the feed broke", "detail", "s", detail, "retry_ms", "i",
               (json_int_t)retry_ms, NULL);
    if (retry_ms < 0 || !loader->first_done) loader->options.failed(loader->options.arg, detail);
}

/* ---- outside ---- */

static const struct linnet_changes_events EVENTS = {
    .change = on_change, .caught_up = on_caught_up, .broken = on_broken};

int linnet_reference_loader_open(const struct linnet_reference_loader_options *options,
                                 struct linnet_reference_loader **out, struct linnet_error *err) {
    struct linnet_reference_loader *loader = calloc(1, sizeof *loader);
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/attachments", options->cache_dir);
    int rc = linnet_folder_make(folder, err);
    if (rc != 0 || loader == NULL) {
        free(loader);
        return rc != 0 ? rc : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    loader->options = *options;
    if (loader->options.quiet_ms == 0) loader->options.quiet_ms = 1000;
    if (loader->options.patience_ms == 0) loader->options.patience_ms = 10000;
    loader->folder = strdup(folder);
    loader->documents = json_object();
    loader->changed = json_object();
    struct linnet_changes_options feed = {
        .database = LINNET_DB_REFERENCE, .include_docs = true, .continuous = true, .line_limit = LINE_LIMIT};
    rc = linnet_changes_open(options->couch, &feed, &EVENTS, loader, &loader->changes, err);
    if (rc != 0 || loader->folder == NULL || loader->documents == NULL || loader->changed == NULL) {
        if (rc == 0) linnet_changes_close(loader->changes);
        json_decref(loader->documents);
        json_decref(loader->changed);
        free(loader->folder);
        free(loader);
        return rc != 0 ? rc : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    uv_timer_init(options->loop, &loader->timer);
    loader->timer.data = loader;
    *out = loader;
    return 0;
}

json_t *linnet_reference_loader_get(const struct linnet_reference_loader *loader, const char *id) {
    return json_object_get(loader->documents, id);
}

void linnet_reference_loader_refresh(struct linnet_reference_loader *loader) {
    loader->forced = true;
    if (!loader->busy) schedule(loader, 0);
}

void linnet_reference_loader_close(struct linnet_reference_loader *loader, void (*closed)(void *arg),
                                   void *arg) {
    loader->closing = true;
    loader->closed = closed;
    loader->closed_arg = arg;
    linnet_changes_close(loader->changes);
    uv_timer_stop(&loader->timer);
    if (!loader->busy) uv_close((uv_handle_t *)&loader->timer, on_timer_closed);
}
