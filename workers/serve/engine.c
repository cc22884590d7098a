#include "workers/serve/engine.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/host/install.h"
#include "workers/serve/catalog.h"
#include "workers/worker/reference_loader.h"

#define STAGES_MAX 16

/* A snapshot and the stages on it. */
struct generation {
    struct serve_engine *engine;
    struct serve_view view;
    struct linnet_pipeline *pipeline, *large; /* the latter opened when it is first asked for */
    struct serve_catalog *catalog;            /* NULL while it is being made */
    bool cataloguing;
    struct linnet_opened *lent[STAGES_MAX]; /* in the order of the engine's stages; NULL: its own */
    size_t busy;
    bool retired; /* another one has come, or the end */
    bool ending;
};

struct job {
    struct generation *generation;
    linnet_pipeline_callback *done;
    void *arg;
};

struct serve_engine {
    struct serve_engine_options options;
    struct linnet_plugin_file *files[STAGES_MAX];
    struct linnet_pipeline_stage stages[STAGES_MAX];
    json_t *configs[STAGES_MAX];
    size_t nstages;
    struct linnet_reference_loader *loader;
    struct generation *current;
    size_t generations;             /* open */
    struct linnet_references *fed;  /* of a guest; NULL before they come */
    bool loading, closing, refused; /* the last: a stage to be borrowed was not open yet */
    char waits_for[512];
    void (*closed)(void *arg);
    void *closed_arg;
};

/* ---- the end ---- */

static void engine_free(struct serve_engine *engine) {
    for (size_t i = 0; i < engine->nstages; i++) {
        linnet_plugin_file_free(engine->files[i]);
        json_decref(engine->configs[i]);
    }
    linnet_references_unref(engine->fed);
    free(engine);
}

static void end_if_last(struct serve_engine *engine) {
    if (!engine->closing || engine->generations > 0 || engine->loading) return;
    void (*closed)(void *arg) = engine->closed;
    void *arg = engine->closed_arg;
    engine_free(engine);
    if (closed != NULL) closed(arg);
}

static void give_back(struct linnet_opened **lent) {
    for (size_t i = 0; i < STAGES_MAX; i++)
        if (lent[i] != NULL) linnet_opened_return(lent[i]);
}

static void free_if_over(struct generation *generation) {
    struct serve_engine *engine = generation->engine;
    if (generation->pipeline != NULL || generation->large != NULL || generation->cataloguing) return;
    give_back(generation->lent);
    linnet_references_unref(generation->view.references);
    serve_catalog_free(generation->catalog);
    free(generation);
    engine->generations--;
    end_if_last(engine);
}

static void on_pipeline_closed(void *arg) {
    struct generation *generation = arg;
    generation->pipeline = NULL;
    free_if_over(generation);
}

static void on_large_closed(void *arg) {
    struct generation *generation = arg;
    generation->large = NULL;
    free_if_over(generation);
}

static void on_catalog(void *arg, struct serve_catalog *catalog) {
    struct generation *generation = arg;
    generation->cataloguing = false;
    generation->catalog = catalog;
    generation->view.catalog = catalog;
    free_if_over(generation);
}

static void end_generation(struct generation *generation) {
    generation->ending = true;
    linnet_pipeline_close(generation->pipeline, on_pipeline_closed, generation);
    if (generation->large != NULL) linnet_pipeline_close(generation->large, on_large_closed, generation);
}

static void retire(struct generation *generation) {
    if (generation == NULL || generation->retired) return;
    generation->retired = true;
    if (generation->busy == 0 || generation->engine->closing) end_generation(generation);
}

/* ---- generations ---- */

static int newest_model(void *arg, const char *id, json_t *document) {
    struct serve_view *view = arg;
    const json_t *held = view->model[0] != '\0' ? linnet_references_get(view->references, view->model) : NULL;
    if (held == NULL || strcmp(linnet_json_string(document, "created_at", ""),
                               linnet_json_string(held, "created_at", "")) > 0)
        snprintf(view->model, sizeof view->model, "%s", id);
    return 0;
}

/* The model that the network's stage chooses: the configured one, the wanted one, the newest. */
static void name_model(const struct serve_engine *engine, struct serve_view *view) {
    const char *name = linnet_json_string(engine->options.config, "stages/convnet/config/model", "active");
    if (strcmp(name, "active") == 0)
        name = linnet_json_string(linnet_references_get(view->references, "wanted:convnet"), "model", NULL);
    if (name != NULL) {
        snprintf(view->model, sizeof view->model, "%s", name);
        return;
    }
    linnet_references_each(view->references, "model:", newest_model, view);
    if (view->model[0] != '\0')
        memmove(view->model, view->model + strlen("model:"), strlen(view->model + strlen("model:")) + 1);
}

/* Those stages that the host has as well. LINNET_E_FULL: one is not open yet; none is borrowed then. */
static int borrow(struct serve_engine *engine, struct linnet_opened *lent[STAGES_MAX]) {
    const struct linnet_guest_host *host = engine->options.host;
    for (size_t i = 0; host != NULL && i < engine->nstages; i++) {
        int rc =
            host->borrow(host->arg, engine->stages[i].name, engine->files[i], engine->configs[i], &lent[i]);
        if (rc != LINNET_E_FULL) continue;
        give_back(lent);
        memset(lent, 0, STAGES_MAX * sizeof(struct linnet_opened *));
        return rc;
    }
    return 0;
}

static int open_pipeline(struct serve_engine *engine, struct generation *generation,
                         struct linnet_references *references, struct linnet_error *err) {
    struct linnet_pipeline_options options = {
        .references = references, .metrics = engine->options.metrics, .eager = true};
    engine->refused = borrow(engine, generation->lent) == LINNET_E_FULL;
    if (engine->refused)
        return linnet_error_set(err, LINNET_E_FULL, "the worker has not opened its stages yet");
    for (size_t i = 0; i < engine->nstages; i++)
        engine->stages[i].lent = generation->lent[i] != NULL ? generation->lent[i]->stage : NULL;
    int rc = linnet_pipeline_open(engine->options.loop, engine->stages, engine->nstages, &options,
                                  &generation->pipeline, err);
    if (rc != 0) give_back(generation->lent);
    return rc;
}

/* Names of the stages that are the host's. */
static void list_lent(const struct serve_engine *engine, const struct generation *generation, char *out,
                      size_t size) {
    size_t used = 0;
    *out = '\0';
    for (size_t i = 0; i < engine->nstages && used < size; i++)
        if (generation->lent[i] != NULL)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? " " : "",
                                     engine->stages[i].name);
}

static int open_generation(struct serve_engine *engine, struct linnet_references *references,
                           struct linnet_error *err) {
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    int rc = open_pipeline(engine, generation, references, err);
    if (rc != 0) {
        free(generation);
        return rc;
    }
    generation->engine = engine;
    generation->view.references = linnet_references_ref(references);
    name_model(engine, &generation->view);
    engine->generations++;
    generation->cataloguing =
        serve_catalog_make(engine->options.loop, references, on_catalog, generation) == 0;
    retire(engine->current);
    engine->current = generation;
    engine->waits_for[0] = '\0';
    char shared[256];
    list_lent(engine, generation, shared, sizeof shared);
    linnet_log(LINNET_INFO, "serve", "ready", "model", "s", generation->view.model, "taxa", "i",
               (json_int_t)linnet_taxonomy_size(linnet_references_taxonomy(references)), "shared", "s",
               shared, NULL);
    if (engine->options.changed != NULL) engine->options.changed(engine->options.arg);
    return 0;
}

static void on_outcome(void *arg, const struct linnet_pipeline_outcome *outcome) {
    struct job job = *(struct job *)arg;
    free(arg);
    job.done(job.arg, outcome);
    if (--job.generation->busy == 0 && job.generation->retired && !job.generation->ending)
        end_generation(job.generation);
}

static int run_on(struct generation *generation, struct linnet_pipeline *pipeline,
                  struct linnet_observation *observation, linnet_pipeline_callback *done, void *arg) {
    struct job *job = malloc(sizeof *job);
    if (job == NULL) return LINNET_E_NOMEM;
    *job = (struct job){generation, done, arg};
    int rc = linnet_pipeline_run(pipeline, observation, LINNET_PRIORITY_HTTP, on_outcome, job);
    if (rc != 0)
        free(job);
    else
        generation->busy++;
    return rc;
}

int serve_engine_run(struct serve_engine *engine, struct linnet_observation *observation,
                     linnet_pipeline_callback *done, void *arg) {
    struct generation *generation = engine->current;
    if (generation == NULL || engine->closing) return LINNET_E_FULL;
    return run_on(generation, generation->pipeline, observation, done, arg);
}

/* ---- large pictures ---- */

/* As normalize is configured, but for the sizes: what surveys look at is large, the others are of no use to
 * them. */
static json_t *large_config(const json_t *given) {
    json_t *config = given != NULL ? json_deep_copy(given) : json_object();
    json_object_set_new(config, "sizes",
                        json_pack("{s:{s:i, s:i, s:i, s:b}, s:{s:b}, s:{s:b}}", "model", "longest", 4096,
                                  "shortest", 0, "quality", 90, "full_colour", 1, "page", "keep", 0, "thumb",
                                  "keep", 0));
    return config;
}

static int open_large(struct serve_engine *engine, struct generation *generation) {
    struct linnet_pipeline_options options = {.references = generation->view.references};
    struct linnet_error err = {0};
    for (size_t i = 0; i < engine->nstages; i++) {
        if (strcmp(engine->files[i]->plugin.name, "normalize") != 0) continue;
        json_t *config = large_config(engine->configs[i]);
        struct linnet_pipeline_stage stage = {
            .file = engine->files[i], .name = "normalize_large", .config = config, .threads = 1};
        int rc = linnet_pipeline_open(engine->options.loop, &stage, 1, &options, &generation->large, &err);
        json_decref(config);
        if (rc != 0) linnet_log(LINNET_ERROR, "serve", "no surveys", "why", "s", err.detail, NULL);
        return rc;
    }
    return LINNET_E_UNSUPPORTED;
}

int serve_engine_prepare(struct serve_engine *engine, struct linnet_observation *observation,
                         linnet_pipeline_callback *done, void *arg) {
    struct generation *generation = engine->current;
    if (generation == NULL || engine->closing) return LINNET_E_FULL;
    int rc = generation->large == NULL ? open_large(engine, generation) : 0;
    return rc != 0 ? rc : run_on(generation, generation->large, observation, done, arg);
}

bool serve_engine_ready(const struct serve_engine *engine) {
    return engine->current != NULL;
}

const char *serve_engine_waits_for(const struct serve_engine *engine) {
    return engine->waits_for;
}

const struct serve_view *serve_engine_view(const struct serve_engine *engine) {
    return engine->current != NULL ? &engine->current->view : NULL;
}

size_t serve_engine_busy(const struct serve_engine *engine) {
    return engine->current != NULL ? engine->current->busy : 0;
}

/* ---- references ---- */

/* Does a change matter to the stages? Standing of reviewers and keys of the site do not. */
static bool matters(const json_t *changed) {
    size_t i;
    const json_t *id;
    if (changed == NULL) return true;
    json_array_foreach(changed, i, id) {
        const char *text = json_string_value(id);
        if (strncmp(text, "reviewer:", 9) != 0 && strncmp(text, "skill:", 6) != 0 &&
            strncmp(text, "site:", 5) != 0)
            return true;
    }
    return false;
}

static void wait_for(struct serve_engine *engine, const char *why) {
    if (engine->current == NULL && strcmp(engine->waits_for, why) != 0)
        linnet_log(LINNET_WARN, "serve", "not ready yet", "why", "s", why, NULL);
    else if (engine->current != NULL)
        linnet_log(LINNET_ERROR, "serve", "the old reference documents stay in use", "why", "s", why, NULL);
    snprintf(engine->waits_for, sizeof engine->waits_for, "%s", why);
}

static void on_loaded(void *arg, struct linnet_references *references, const json_t *changed) {
    struct serve_engine *engine = arg;
    struct linnet_error err = {0};
    if (engine->closing || (engine->current != NULL && !matters(changed))) return;
    if (open_generation(engine, references, &err) != 0) wait_for(engine, err.detail);
}

void serve_engine_feed(struct serve_engine *engine, struct linnet_references *references,
                       const json_t *changed) {
    linnet_references_unref(engine->fed);
    engine->fed = linnet_references_ref(references);
    on_loaded(engine, references, changed);
}

/* Is a stage that was borrowed for the current generation another one now? */
static bool is_stale(struct serve_engine *engine) {
    struct linnet_opened *lent[STAGES_MAX] = {NULL};
    if (engine->current == NULL || borrow(engine, lent) != 0) return false;
    bool stale = memcmp(lent, engine->current->lent, sizeof lent) != 0;
    give_back(lent);
    return stale;
}

void serve_engine_look(struct serve_engine *engine) {
    struct linnet_error err = {0};
    if (engine->closing || engine->fed == NULL || !(engine->refused || is_stale(engine))) return;
    if (open_generation(engine, engine->fed, &err) != 0) wait_for(engine, err.detail);
}

static void on_load_failed(void *arg, const char *detail) {
    wait_for(arg, detail);
}

static bool uses_model(void *arg, const char *model) {
    const struct serve_engine *engine = arg;
    return strcmp(linnet_json_string(engine->options.config, "stages/convnet/config/model", "active"),
                  model) == 0;
}

static int follow_references(struct serve_engine *engine, struct linnet_error *err) {
    struct linnet_reference_loader_options options = {
        .loop = engine->options.loop,
        .couch = engine->options.couch,
        .cache_dir = linnet_json_string(engine->options.config, "cache_dir", "."),
        .quiet_ms = 300,
        .uses_model = uses_model,
        .loaded = on_loaded,
        .failed = on_load_failed,
        .arg = engine};
    snprintf(engine->waits_for, sizeof engine->waits_for, "loading the reference documents");
    int rc = linnet_reference_loader_open(&options, &engine->loader, err);
    engine->loading = rc == 0;
    return rc;
}

static int load_references(struct serve_engine *engine, struct linnet_error *err) {
    const char *folder = linnet_json_string(engine->options.config, "references", NULL);
    struct linnet_references *references = linnet_references_new();
    if (references == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    int rc = linnet_references_load_folder(references, folder, err);
    if (rc == 0) rc = linnet_references_finish(references, err);
    if (rc == 0) rc = open_generation(engine, references, err);
    linnet_references_unref(references);
    return rc;
}

/* ---- opening and closing ---- */

/* More species than a worker keeps: who asks says how many he wants. Of pictures the size that the network
 * sees alone: nobody looks at the others, and making them takes as long as all the rest. */
static json_t *config_of(const char *plugin, const json_t *given) {
    json_t *config = given != NULL ? json_deep_copy(given) : json_object();
    if (strcmp(plugin, "fusion") == 0 && json_object_get(config, "list") == NULL)
        json_object_set_new(config, "list",
                            json_pack("{s:i, s:i, s:i}", "species", 100, "genera", 100, "families", 100));
    if (strcmp(plugin, "normalize") == 0 && json_object_get(config, "sizes") == NULL)
        json_object_set_new(config, "sizes",
                            json_pack("{s:{s:b}, s:{s:b}}", "page", "keep", 0, "thumb", "keep", 0));
    return config;
}

static int open_stages(struct serve_engine *engine, struct linnet_error *err) {
    const char *name;
    json_t *stage;
    json_object_foreach(json_object_get(engine->options.config, "stages"), name, stage) {
        char path[PATH_MAX];
        size_t i = engine->nstages;
        if (i == STAGES_MAX) return linnet_error_set(err, LINNET_E_LIMIT, "more than %d stages", STAGES_MAX);
        int rc = linnet_install_plugin(linnet_json_string(stage, "plugin", name), path, err);
        if (rc == 0) rc = linnet_plugin_file_open(path, &engine->files[i], err);
        if (rc != 0) return rc;
        engine->configs[i] = config_of(engine->files[i]->plugin.name, json_object_get(stage, "config"));
        engine->stages[i] =
            (struct linnet_pipeline_stage){.file = engine->files[i],
                                           .name = name,
                                           .config = engine->configs[i],
                                           .threads = (unsigned)linnet_json_integer(stage, "threads", 0)};
        engine->nstages++;
    }
    return 0;
}

int serve_engine_open(const struct serve_engine_options *options, struct serve_engine **out,
                      struct linnet_error *err) {
    struct serve_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    engine->options = *options;
    int rc = open_stages(engine, err);
    if (options->host != NULL)
        snprintf(engine->waits_for, sizeof engine->waits_for, "loading the reference documents");
    else if (rc == 0)
        rc = options->couch != NULL ? follow_references(engine, err) : load_references(engine, err);
    if (rc != 0) {
        engine_free(engine);
        return rc;
    }
    *out = engine;
    return 0;
}

static void on_loader_closed(void *arg) {
    struct serve_engine *engine = arg;
    engine->loading = false;
    end_if_last(engine);
}

void serve_engine_close(struct serve_engine *engine, void (*closed)(void *arg), void *arg) {
    engine->closed = closed;
    engine->closed_arg = arg;
    struct generation *current = engine->current;
    engine->closing = true;
    if (current != NULL) retire(current);
    if (engine->loading)
        linnet_reference_loader_close(engine->loader, on_loader_closed, engine);
    else if (engine->generations == 0)
        end_if_last(engine);
}
