/* linnet plugin: what is installed, what a plugin declares, whether it keeps its contract. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "workers/cli/command.h"
#include "workers/cli/options.h"
#include "workers/cli/samples.h"
#include "workers/cli/say.h"
#include "workers/host/config.h"
#include "workers/host/conformance.h"
#include "workers/host/install.h"
#include "workers/worker/documents.h"

struct options {
    const char *verb, *plugin;
    const char *config, *references, *samples, *only;
    unsigned timeout_s;
    bool json, verbose;
};

enum { KEY_CONFIG = 0x3000, KEY_REFERENCES, KEY_SAMPLES, KEY_ONLY, KEY_TIMEOUT, KEY_JSON };

static const struct argp_option argp_options[] = {
    {"json", KEY_JSON, 0, 0, "Print JSON for scripts", 0},
    {0, 0, 0, 0, "For check:", 1},
    {"config", KEY_CONFIG, "FILE", 0, "The stage's configuration (its defaults)", 1},
    {"references", KEY_REFERENCES, "DIR", 0,
     "Reference documents (taxa, floras, models) as .json and .jsonl files", 1},
    {"samples", KEY_SAMPLES, "PATH", 0,
     "What it is tried on: a folder with an observation (a .json file, a photograph, a folder of these) in "
     "each entry; made up "
     "from the examples of the schemas if not given",
     1},
    {"only", KEY_ONLY, "CHECK", 0, "Run a single check", 1},
    {"timeout", KEY_TIMEOUT, "SECONDS", 0, "Longest time for one check (120)", 1},
    {"verbose", 'v', 0, 0, "What each check holds, and what the plugin wrote", 1},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case KEY_JSON:
        mine->json = true;
        return 0;
    case KEY_CONFIG:
        mine->config = arg;
        return 0;
    case KEY_REFERENCES:
        mine->references = arg;
        return 0;
    case KEY_SAMPLES:
        mine->samples = arg;
        return 0;
    case KEY_ONLY:
        mine->only = arg;
        return 0;
    case KEY_TIMEOUT:
        mine->timeout_s = (unsigned)strtoul(arg, NULL, 10);
        if (!mine->timeout_s || mine->timeout_s > 86400)
            argp_error(state, "--timeout wants seconds, 1 to 86400");
        return 0;
    case 'v':
        mine->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            mine->verb = arg;
        else if (state->arg_num == 1)
            mine->plugin = arg;
        else
            return ARGP_ERR_UNKNOWN;
        return 0;
    case ARGP_KEY_END:
        if (!mine->verb || (strcmp(mine->verb, "list") != 0 && strcmp(mine->verb, "show") != 0 &&
                            strcmp(mine->verb, "check") != 0))
            argp_error(state, "one of list, show, check is wanted");
        else if (strcmp(mine->verb, "list") != 0 && !mine->plugin)
            argp_error(state, "%s wants a plugin: a file, or the name of an installed one", mine->verb);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    argp_options,
    parse,
    "list\nshow PLUGIN\ncheck PLUGIN",
    "List the installed plugins, show what one declares, or check that one keeps the contract of "
    "linnet/plugin.h."
    "\vPLUGIN is a file, or the name of an installed plugin (LINNET_PLUGIN_PATH, else beside the program). "
    "Exit status: 0 if all is "
    "well, 1 if a plugin is broken or a check failed, 2 for a wrong command line.",
    NULL,
    0,
    0};

/* ---- list and show ---- */

static json_t *kinds_json(const char *const *kinds) {
    json_t *array = json_array();
    for (; kinds && *kinds; kinds++)
        json_array_append_new(array, json_string(*kinds));
    return array;
}

static json_t *inputs_json(const struct linnet_input *input) {
    json_t *array = json_array();
    for (; input->kind; input++) {
        json_t *entry =
            json_pack("{s:s, s:b, s:b, s:b}", "kind", input->kind, "trigger", input->flags & LINNET_TRIGGER,
                      "optional", input->flags & LINNET_OPTIONAL, "presence", input->flags & LINNET_PRESENCE);
        if (input->blobs) json_object_set_new(entry, "blobs", kinds_json(input->blobs));
        if (input->fields) json_object_set_new(entry, "fields", kinds_json(input->fields));
        json_array_append_new(array, entry);
    }
    return array;
}

static json_t *declaration_json(const struct linnet_plugin_file *file) {
    const struct linnet_plugin *plugin = &file->plugin;
    json_t *defaults = NULL;
    if (linnet_config_complete(file, NULL, &defaults, NULL))
        defaults = json_null(); /* something has no default */
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:i, s:o, s:o, s:s, s:s, s:s, s:i, s:i, s:i, s:I, s:I, s:O, s:o}", "name",
        plugin->name, "version", plugin->version, "licence", plugin->licence, "summary", plugin->summary,
        "path", file->path, "output_version", (int)plugin->output_version, "inputs",
        inputs_json(plugin->inputs), "produces", kinds_json(plugin->produces), "scope",
        plugin->scope == LINNET_SCOPE_SITE ? "site" : "observation", "unit",
        plugin->unit == LINNET_UNIT_DOCUMENT ? "document" : "observation", "threading",
        plugin->threading == LINNET_PINNED_THREAD ? "pinned" : "any", "batch_max", (int)plugin->batch_max,
        "batch_delay_ms", (int)plugin->batch_delay_ms, "deadline_ms",
        (int)(plugin->deadline_ms ? plugin->deadline_ms : 60000), "host_bytes",
        (json_int_t)plugin->host_bytes, "device_bytes", (json_int_t)plugin->device_bytes, "config_schema",
        file->config_schema, "config", defaults);
}

static void print_json(json_t *value) {
    json_dumpf(value, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(value);
}

static void join_kinds(const struct linnet_plugin *plugin, struct linnet_buf *out) {
    for (const struct linnet_input *input = plugin->inputs; input->kind; input++)
        linnet_buf_printf(out, "%s%s%s", input == plugin->inputs ? "" : ", ", input->kind,
                          input->flags & LINNET_OPTIONAL ? "?" : "");
    linnet_buf_append_string(out, " -> ");
    for (const char *const *kind = plugin->produces; *kind; kind++)
        linnet_buf_printf(out, "%s%s", kind == plugin->produces ? "" : ", ", *kind);
}

static int list(const struct options *options) {
    struct linnet_paths installed;
    struct linnet_error err = {0};
    int code = LINNET_EXIT_OK;
    if (linnet_install_plugins(&installed, &err)) return linnet_say_error("plugin", &err);
    json_t *array = json_array();
    for (size_t i = 0; i < installed.n; i++) {
        struct linnet_plugin_file *file = NULL;
        struct linnet_buf kinds = {0};
        if (linnet_plugin_file_open(installed.paths[i], &file, &err)) {
            code = linnet_say_error("plugin", &err);
            continue;
        }
        join_kinds(&file->plugin, &kinds);
        if (options->json)
            json_array_append_new(array, declaration_json(file));
        else
            printf("%-12s %-8s %-12s %s\n", file->plugin.name, file->plugin.version,
                   file->plugin.scope == LINNET_SCOPE_SITE ? "site" : "observation",
                   kinds.data ? kinds.data : "");
        linnet_buf_done(&kinds);
        linnet_plugin_file_free(file);
    }
    if (options->json)
        print_json(array);
    else
        json_decref(array);
    if (!installed.n)
        fprintf(stderr, "linnet plugin: none is installed; set LINNET_PLUGIN_PATH to where they are\n");
    linnet_paths_done(&installed);
    return code;
}

static void print_inputs(const struct linnet_plugin *plugin) {
    for (const struct linnet_input *input = plugin->inputs; input->kind; input++) {
        printf("  consumes   %s", input->kind);
        if (input->flags & LINNET_TRIGGER) printf(", a change makes work");
        if (input->flags & LINNET_OPTIONAL) printf(", optional");
        if (input->flags & LINNET_PRESENCE) printf(", only its presence counts");
        for (const char *const *blob = input->blobs; blob && *blob; blob++)
            printf("%s%s", blob == input->blobs ? ", with " : " ", *blob);
        for (const char *const *field = input->fields; field && *field; field++)
            printf("%s%s", field == input->fields ? ", of it " : " ", *field);
        putchar('\n');
    }
}

static void print_config(const struct linnet_plugin_file *file) {
    const char *key;
    json_t *schema;
    json_object_foreach(json_object_get(file->config_schema, "properties"), key, schema) {
        json_t *fallback = json_object_get(schema, "default");
        char *text = fallback ? json_dumps(fallback, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
        printf("  config     %s = %s  %s\n", key, text ? text : "(none)",
               linnet_json_string(schema, "description", ""));
        free(text);
    }
}

static int show(const struct options *options) {
    char path[PATH_MAX];
    struct linnet_plugin_file *file = NULL;
    struct linnet_error err = {0};
    int rc = linnet_install_plugin(options->plugin, path, &err);
    if (!rc) rc = linnet_plugin_file_open(path, &file, &err);
    if (rc) return linnet_say_error("plugin", &err);
    const struct linnet_plugin *plugin = &file->plugin;
    if (options->json) {
        print_json(declaration_json(file));
    } else {
        printf("%s %s: %s\n", plugin->name, plugin->version, plugin->summary);
        printf("  file       %s\n  licence    %s\n", file->path, plugin->licence);
        print_inputs(plugin);
        for (const char *const *kind = plugin->produces; *kind; kind++)
            printf("  produces   %s\n", *kind);
        printf("  runs       scope %s, an item is %s, on %s, batches of %u after %u ms, deadline %u ms\n",
               plugin->scope == LINNET_SCOPE_SITE ? "site" : "observation",
               plugin->unit == LINNET_UNIT_DOCUMENT ? "a document" : "an observation",
               plugin->threading == LINNET_PINNED_THREAD ? "a thread of its own" : "any thread",
               plugin->batch_max, plugin->batch_delay_ms, plugin->deadline_ms ? plugin->deadline_ms : 60000);
        print_config(file);
    }
    linnet_plugin_file_free(file);
    return LINNET_EXIT_OK;
}

/* ---- check ---- */

struct tally {
    const struct options *options;
    size_t passed, skipped, failed;
    json_t *results;
};

static void on_result(void *arg, const struct linnet_check_result *result) {
    static const char *const marks[] = {"?", "ok", "FAIL", "skip"}, *const names[] = {"none", "passed",
                                                                                      "failed", "skipped"};
    struct tally *tally = arg;
    bool failed = result->status == LINNET_CHECK_FAILED;
    tally->passed += result->status == LINNET_CHECK_PASSED;
    tally->skipped += result->status == LINNET_CHECK_SKIPPED;
    tally->failed += failed;
    if (tally->options->json) {
        json_array_append_new(tally->results,
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:f}", "check", result->name, "status",
                                        names[result->status], "words", result->words, "holds", result->holds,
                                        "output", result->output, "seconds", result->seconds));
        return;
    }
    printf("%-4s %-14s %s\n", marks[result->status], result->name,
           failed || tally->options->verbose ? result->holds : result->words);
    if (failed || (tally->options->verbose && *result->words)) printf("     %-14s %s\n", "", result->words);
    if ((failed || tally->options->verbose) && *result->output)
        for (const char *line = result->output; *line; line += strcspn(line, "\n"), line += *line == '\n')
            printf("     %-14s | %.*s\n", "", (int)strcspn(line, "\n"), line);
    fflush(stdout);
}

static int load_references(const char *folder, struct linnet_references **out, struct linnet_error *err) {
    char *absolute = realpath(folder, NULL); /* checks run in a folder of their own */
    if (!absolute) return linnet_error_set(err, LINNET_E_NOT_FOUND, "%s: %s", folder, strerror(errno));
    struct linnet_references *references = linnet_references_new();
    int rc = references ? linnet_references_load_folder(references, absolute, err)
                        : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (!rc) rc = linnet_references_finish(references, err);
    free(absolute);
    if (rc)
        linnet_references_unref(references);
    else
        *out = references;
    return rc;
}

static int run_suite(const struct options *options, struct linnet_conformance_options *suite,
                     struct tally *tally, struct linnet_error *err) {
    struct linnet_samples samples = {0};
    struct linnet_schemas *schemas = NULL;
    json_t *config = NULL;
    char path[PATH_MAX];
    size_t failed = 0;
    int rc = linnet_install_plugin(options->plugin, path, err);
    if (!rc && options->config) rc = linnet_json_load_file(options->config, 0, &config, err);
    if (!rc && options->references) rc = load_references(options->references, &suite->references, err);
    if (!rc)
        rc = options->samples ? linnet_samples_load(options->samples, &samples, err)
                              : linnet_samples_make(&samples, err);
    if (!rc) rc = linnet_document_schemas(&schemas, err);
    if (!rc) {
        suite->path = path;
        suite->config = config;
        suite->schemas = schemas;
        suite->samples = samples.observations;
        suite->nsamples = samples.n;
        rc = linnet_conformance_run(suite, &failed, err);
    }
    if (!rc && !options->json)
        printf("%s: %zu passed, %zu failed, %zu skipped\n", path, tally->passed, tally->failed,
               tally->skipped);
    linnet_samples_done(&samples);
    linnet_schemas_free(schemas);
    linnet_references_unref(suite->references);
    json_decref(config);
    return rc;
}

static int check(const struct options *options) {
    struct tally tally = {.options = options, .results = json_array()};
    struct linnet_conformance_options suite = {
        .timeout_ms = options->timeout_s * 1000, .only = options->only, .report = on_result, .arg = &tally};
    struct linnet_error err = {0};
    int rc = run_suite(options, &suite, &tally, &err);
    if (rc) {
        json_decref(tally.results);
        return linnet_say_error("plugin", &err);
    }
    if (options->json)
        print_json(json_pack("{s:s, s:b, s:o}", "plugin", options->plugin, "passed", tally.failed == 0,
                             "checks", tally.results));
    else
        json_decref(tally.results);
    return tally.failed ? LINNET_EXIT_FAILED : LINNET_EXIT_OK;
}

static int run(int argc, char **argv) {
    struct options mine = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    if (!strcmp(mine.verb, "list")) return list(&mine);
    return !strcmp(mine.verb, "show") ? show(&mine) : check(&mine);
}

const struct linnet_command linnet_command_plugin = {"plugin", "list, show and check plugins", run};
