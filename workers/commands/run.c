/* linnet run: stages on files, without a store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/cli/command.h"
#include "workers/cli/local.h"
#include "workers/cli/options.h"
#include "workers/cli/say.h"
#include "workers/host/install.h"
#include "workers/host/pipeline.h"
#include "workers/worker/documents.h"

/* Least time between two lines of progress. */
#define PROGRESS_MS 100

struct options {
    const char **plugins; /* paths or names; none: all installed */
    size_t nplugins;
    const char **files;
    size_t nfiles;
    const char *config, *references, *out;
    struct linnet_local_options local;
    struct linnet_store_options say; /* quiet, json */
    unsigned threads;
    bool verbose;
};

/* What a run holds open. */
struct session {
    struct options *options;
    uv_loop_t loop;
    uv_timer_t timer;
    struct linnet_plugin_file **files;
    struct linnet_pipeline_stage *stages;
    size_t nstages;
    json_t *config;
    struct linnet_references *references;
    struct linnet_schemas *schemas;
    struct linnet_pipeline *pipeline;
    struct linnet_observation observation;
    bool loaded;
    int code;
    struct linnet_error err;
};

/* ---- the command line ---- */

enum { KEY_CONFIG = 0x2000, KEY_REFERENCES, KEY_OUT, KEY_FLORA, KEY_JSON, KEY_THREADS };

static const struct argp_option argp_options[] = {
    {"plugin", 'p', "FILE", 0,
     "A stage: a plugin's file or the name of an installed one; again for more (all installed)", 0},
    {"config", KEY_CONFIG, "FILE", 0, "Configuration of the stages: a worker's file, or {\"STAGE\": {...}}",
     0},
    {"references", KEY_REFERENCES, "DIR", 0,
     "Reference documents (taxa, floras, models) as .json and .jsonl files", 0},
    {"out", KEY_OUT, "DIR", 0, "Write documents and attachments into DIR as well, those that came in too", 0},
    {"flora", KEY_FLORA, "ID", 0, "The flora to identify within (flora:NAME)", 0},
    {"threads", KEY_THREADS, "N", 0, "Threads of each stage (as the plugin asks)", 0},
    {"json", KEY_JSON, 0, 0, "One document a line, even on a terminal", 0},
    {"verbose", 'v', 0, 0, "Log what the stages say", 0},
    {"quiet", 'q', 0, 0, "No progress", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case 'p':
        mine->plugins[mine->nplugins++] = arg;
        return 0;
    case KEY_CONFIG:
        mine->config = arg;
        return 0;
    case KEY_REFERENCES:
        mine->references = arg;
        return 0;
    case KEY_OUT:
        mine->out = arg;
        return 0;
    case KEY_FLORA:
        mine->local.flora = arg;
        return 0;
    case KEY_THREADS:
        mine->threads = (unsigned)strtoul(arg, NULL, 10);
        if (mine->threads == 0 || mine->threads > 256)
            argp_error(state, "--threads wants a number from 1 to 256");
        return 0;
    case KEY_JSON:
        mine->say.json = true;
        return 0;
    case 'v':
        mine->verbose = true;
        return 0;
    case 'q':
        mine->say.quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        mine->files[mine->nfiles++] = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "photographs or documents are wanted");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {argp_options,
                                 parse,
                                 "[ORGAN=]PHOTO... [DOCUMENT.json...]",
                                 "Run stages on photographs and documents of one observation, without a "
                                 "store, and print the documents that a worker "
                                 "would write.\vPhotographs become the views of one observation; ORGAN is "
                                 "flower, leaf, fruit, bark, habit or auto. A "
                                 ".json file holds a document of the observation, an array of them, or "
                                 "{\"docs\": [...]}. Exit status: 0 if every item came "
                                 "through, 1 if a stage refused one or failed, 2 for a wrong command line.",
                                 NULL,
                                 0,
                                 0};

/* ---- what the stages are made of ---- */

/* The configuration of a stage: its own member, or its part of a worker's file. NULL: none. */
static const json_t *config_of(const json_t *config, const char *stage) {
    const char *group;
    json_t *value;
    json_t *groups = json_object_get(config, "groups");
    if (!groups) return json_object_get(config, stage);
    json_object_foreach(groups, group, value) {
        const json_t *found =
            json_object_get(json_object_get(json_object_get(value, "stages"), stage), "config");
        if (found) return found;
    }
    return NULL;
}

/* A member that names no stage is a mistake that would go unseen. */
static int check_config(struct session *session) {
    const char *key;
    json_t *value;
    if (!session->config || json_object_get(session->config, "groups")) return 0;
    if (!json_is_object(session->config))
        return linnet_error_set(&session->err, LINNET_E_INVALID, "%s holds no JSON object",
                                session->options->config);
    json_object_foreach(session->config, key, value) {
        bool known = false;
        for (size_t i = 0; i < session->nstages; i++)
            known |= !strcmp(session->files[i]->plugin.name, key);
        if (!known)
            return linnet_error_set(&session->err, LINNET_E_INVALID,
                                    "%s configures \"%s\", which is none of the stages",
                                    session->options->config, key);
    }
    return 0;
}

static int open_plugin(struct session *session, const char *name) {
    char path[PATH_MAX];
    int rc = linnet_install_plugin(name, path, &session->err);
    if (!rc) rc = linnet_plugin_file_open(path, &session->files[session->nstages], &session->err);
    if (!rc) session->nstages++;
    return rc;
}

static int open_plugins(struct session *session) {
    const struct options *options = session->options;
    struct linnet_paths installed = {0};
    int rc = options->nplugins ? 0 : linnet_install_plugins(&installed, &session->err);
    if (rc) return rc;
    size_t n = options->nplugins + installed.n;
    session->files = calloc(n + 1, sizeof(struct linnet_plugin_file *));
    session->stages = calloc(n + 1, sizeof(*session->stages));
    if (!session->files || !session->stages)
        rc = linnet_error_set(&session->err, LINNET_E_NOMEM, "out of memory");
    for (size_t i = 0; !rc && i < options->nplugins; i++)
        rc = open_plugin(session, options->plugins[i]);
    for (size_t i = 0; !rc && i < installed.n; i++)
        rc = open_plugin(session, installed.paths[i]);
    if (!rc && !n)
        rc = linnet_error_set(&session->err, LINNET_E_NOT_FOUND,
                              "no plugin is installed; name one with --plugin, or set LINNET_PLUGIN_PATH");
    linnet_paths_done(&installed);
    return rc;
}

static int load_references(struct session *session) {
    const char *folder = session->options->references;
    char path[PATH_MAX];
    if (!folder && !linnet_install_data("references", path, NULL)) folder = path;
    session->references = linnet_references_new();
    if (!session->references) return linnet_error_set(&session->err, LINNET_E_NOMEM, "out of memory");
    int rc = folder ? linnet_references_load_folder(session->references, folder, &session->err) : 0;
    return rc ? rc : linnet_references_finish(session->references, &session->err);
}

/* Say where what was loaded departs from its schema: a stage may refuse it for that, or worse, a worker will.
 */
static void check_documents(const struct session *session) {
    for (size_t i = 0; i < session->observation.ndocs; i++) {
        const struct linnet_held_doc *doc = &session->observation.docs[i];
        struct linnet_error err = {0};
        if (linnet_schemas_check(session->schemas, doc->kind, doc->json, &err) == LINNET_E_INVALID)
            fprintf(stderr, "linnet run: %s breaks its schema, a worker would refuse it: %s\n", doc->id,
                    err.detail);
    }
}

/* Not everything that is installed is of use to everybody: a model may be missing. Who names a plugin wants
 * it. */
static void on_left_out(void *arg, const struct linnet_plugin *plugin, const char *why) {
    (void)arg;
    fprintf(stderr, "linnet run: without %s, which does not open: %s\n", plugin->name, why);
}

static int open_session(struct session *session) {
    const struct options *options = session->options;
    int rc = linnet_local_load(options->files, options->nfiles, &options->local, &session->observation,
                               &session->err);
    if (rc) return rc;
    session->loaded = true;
    if (options->out) rc = linnet_local_save_all(options->out, &session->observation, &session->err);
    if (rc) return rc;
    rc = open_plugins(session);
    if (!rc && options->config)
        rc = linnet_json_load_file(options->config, 0, &session->config, &session->err);
    if (!rc) rc = check_config(session);
    if (!rc) rc = load_references(session);
    if (!rc) rc = linnet_document_schemas(&session->schemas, &session->err);
    if (rc) return rc;
    check_documents(session);
    for (size_t i = 0; i < session->nstages; i++) {
        session->stages[i].file = session->files[i];
        session->stages[i].config = config_of(session->config, session->files[i]->plugin.name);
    }
    struct linnet_pipeline_options pipeline = {.left_out = options->nplugins ? NULL : on_left_out,
                                               .references = session->references,
                                               .schemas = session->schemas,
                                               .threads = options->threads};
    return linnet_pipeline_open(&session->loop, session->stages, session->nstages, &pipeline,
                                &session->pipeline, &session->err);
}

/* ---- what comes out ---- */

static void describe_blobs(json_t *document, const struct linnet_result *result) {
    json_t *attachments = json_object();
    for (size_t i = 0; i < result->nblobs; i++) {
        const struct linnet_result_blob *blob = &result->blobs[i];
        char hex[65], digest[80];
        linnet_digest_bytes(blob->bytes->data, blob->bytes->size, hex);
        snprintf(digest, sizeof(digest), "sha256-%s", hex);
        json_object_set_new(attachments, blob->name,
                            json_pack("{s:s, s:I, s:s}", "content_type", blob->content_type, "length",
                                      (json_int_t)blob->bytes->size, "digest", digest));
    }
    json_object_set_new(document, "_attachments", attachments);
}

static int save_result(struct session *session, const json_t *document, const struct linnet_result *result) {
    const char *folder = session->options->out;
    int rc = linnet_local_save(folder, result->id, document, &session->err);
    for (size_t i = 0; !rc && i < result->nblobs; i++)
        rc = linnet_local_save_blob(folder, result->id, result->blobs[i].name, result->blobs[i].bytes,
                                    &session->err);
    return rc ? linnet_say_error("run", &session->err) : 0;
}

/* The document as the store would show it: what it is comes first. */
static json_t *as_stored(const struct linnet_result *result) {
    json_t *document = json_pack("{s:s}", "_id", result->id);
    if (!document) return NULL;
    if (!result->document) {
        json_object_set_new(document, "_deleted", json_true());
        return document;
    }
    json_object_set(document, "kind", json_object_get(result->document, "kind"));
    json_object_update(document, result->document);
    if (result->nblobs) describe_blobs(document, result);
    return document;
}

static int print_result(struct session *session, const struct linnet_result *result) {
    const struct options *options = session->options;
    json_t *document = as_stored(result);
    if (!document) return LINNET_E_NOMEM;
    bool wide = options->say.json || !isatty(STDOUT_FILENO);
    json_dumpf(document, stdout, wide ? JSON_COMPACT : JSON_INDENT(2));
    putchar('\n');
    int rc = options->out && result->document ? save_result(session, document, result) : 0;
    json_decref(document);
    return rc;
}

static void print_note(const struct linnet_pipeline_note *note) {
    static const char *const verbs[] = {"broke the schema of its output", "passed over", "failed on",
                                        "refused", "broke on"};
    fprintf(stderr, "linnet run: %s %s %s%s%s\n", note->stage, verbs[note->verdict],
            note->document ? note->document : "?", note->reason ? ": " : "",
            note->reason ? note->reason : "");
}

static void on_over(void *arg, const struct linnet_pipeline_outcome *outcome) {
    struct session *session = arg;
    linnet_say_done(&session->options->say);
    for (size_t i = 0; i < outcome->nresults; i++) {
        bool last = true;
        for (size_t j = i + 1; j < outcome->nresults; j++)
            if (!strcmp(outcome->results[i].id, outcome->results[j].id)) last = false;
        if (last && print_result(session, &outcome->results[i])) session->code = LINNET_EXIT_FAILED;
    }
    for (size_t i = 0; i < outcome->nnotes; i++)
        print_note(&outcome->notes[i]);
    if (outcome->nfailed) session->code = LINNET_EXIT_FAILED;
    if (!outcome->nresults && !outcome->nfailed)
        fprintf(stderr, "linnet run: nothing was due: no stage consumes what is there\n");
    uv_stop(&session->loop);
}

static void on_timer(uv_timer_t *timer) {
    struct session *session = timer->data;
    size_t queued = 0;
    for (size_t i = 0; i < linnet_pipeline_stages(session->pipeline); i++)
        queued += linnet_stage_queued(linnet_pipeline_stage(session->pipeline, i));
    linnet_say_progress(&session->options->say, "%zu items done, %zu under way",
                        linnet_pipeline_processed(session->pipeline), queued);
}

static void close_session(struct session *session) {
    if (session->pipeline) linnet_pipeline_close(session->pipeline, NULL, NULL);
    uv_close((uv_handle_t *)&session->timer, NULL);
    uv_run(&session->loop, UV_RUN_DEFAULT);
    uv_loop_close(&session->loop);
    if (session->loaded) linnet_observation_done(&session->observation);
    for (size_t i = 0; i < session->nstages; i++)
        linnet_plugin_file_free(session->files[i]);
    free(session->files);
    free(session->stages);
    json_decref(session->config);
    linnet_references_unref(session->references);
    linnet_schemas_free(session->schemas);
}

static int run_session(struct options *options) {
    struct session session = {.options = options};
    if (options->out && mkdir(options->out, 0777) && errno != EEXIST) {
        linnet_error_set(&session.err, LINNET_E_IO, "%s: %s", options->out, strerror(errno));
        return linnet_say_error("run", &session.err);
    }
    uv_loop_init(&session.loop);
    uv_timer_init(&session.loop, &session.timer);
    session.timer.data = &session;
    int rc = open_session(&session);
    if (!rc)
        rc = linnet_pipeline_run(session.pipeline, &session.observation, LINNET_PRIORITY_HTTP, on_over,
                                 &session);
    if (!rc) {
        uv_timer_start(&session.timer, on_timer, PROGRESS_MS, PROGRESS_MS);
        uv_run(&session.loop, UV_RUN_DEFAULT);
    } else {
        session.err.code = rc;
        session.code = linnet_say_error("run", &session.err);
    }
    close_session(&session);
    return session.code;
}

static int run(int argc, char **argv) {
    struct options mine = {.plugins = calloc((size_t)argc, sizeof(char *)),
                           .files = calloc((size_t)argc, sizeof(char *))};
    int code = LINNET_EXIT_FAILED;
    if (mine.plugins && mine.files) code = linnet_options_parse(&argp, argc, argv, &mine);
    if (!code) {
        linnet_log_setup(mine.verbose ? LINNET_DEBUG : LINNET_WARN, isatty(STDERR_FILENO), STDERR_FILENO);
        code = run_session(&mine);
    }
    free(mine.plugins);
    free(mine.files);
    return code;
}

const struct linnet_command linnet_command_run = {
    "run", "run stages on photographs and documents, without a store", run};
