/* linnet reference: put reference documents (taxa, floras, ...) into linnet-reference, and look at them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/cli/command.h"
#include "workers/cli/file.h"
#include "workers/cli/options.h"
#include "workers/cli/say.h"
#include "workers/cli/store.h"

enum { BATCH = 1000 };
#define FILE_LIMIT ((size_t)4 << 30)

struct options {
    struct linnet_store_options store;
    char **words;
    int nwords;
    bool dry_run;
};

static const struct argp_option options[] = {
    {"dry-run", 'n', 0, 0, "Say what would be written, write nothing", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    (void)arg;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->store;
        return 0;
    case 'n':
        mine->dry_run = true;
        return 0;
    case ARGP_KEY_ARGS:
        mine->words = state->argv + state->next;
        mine->nwords = state->argc - state->next;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp_child children[] = {{&linnet_store_argp, 0, "Store:", 1}, {0}};
static const struct argp argp = {options,
                                 parse,
                                 "load FILE...\nget ID\nlist [PREFIX]",
                                 "Put reference documents into linnet-reference, or look at them.\v"
                                 "load takes files with a JSON array of documents, or one document a line. "
                                 "Documents that stand there unchanged are left "
                                 "alone, so that loading twice changes nothing.",
                                 children,
                                 0,
                                 0};

struct loading {
    const struct options *options;
    struct linnet_store *store;
    json_t *waiting;
    size_t written, unchanged;
    struct linnet_error *err;
};

/* Take over the revision of what stands there; true if nothing but the revision differs. */
static bool stands_already(json_t *document, json_t *standing) {
    char a[65], b[65];
    if (!standing) return false;
    json_object_set(document, "_rev", json_object_get(standing, "_rev"));
    return linnet_json_digest(document, a) == 0 && linnet_json_digest(standing, b) == 0 && strcmp(a, b) == 0;
}

static int flush(struct loading *loading) {
    size_t n = json_array_size(loading->waiting);
    if (n == 0) return 0;
    json_t *keys = json_array(), *answer = NULL, *changed = json_array(), *document;
    size_t i;
    json_array_foreach(loading->waiting, i, document)
        json_array_append(keys, json_object_get(document, "_id"));
    int error = linnet_store_bodies(loading->store, LINNET_DB_REFERENCE, keys, &answer, loading->err);
    if (!error) {
        json_array_foreach(loading->waiting, i, document) {
            json_t *standing = json_array_get(answer, i);
            if (stands_already(document, json_is_object(standing) ? standing : NULL))
                loading->unchanged++;
            else
                json_array_append(changed, document);
        }
        if (json_array_size(changed) && !loading->options->dry_run)
            error = linnet_store_bulk(loading->store, LINNET_DB_REFERENCE, changed, NULL, loading->err);
        if (!error) loading->written += json_array_size(changed);
    }
    json_array_clear(loading->waiting);
    json_decref(keys);
    json_decref(answer);
    json_decref(changed);
    linnet_say_progress(&loading->options->store, "%zu written, %zu unchanged", loading->written,
                        loading->unchanged);
    return error;
}

static int add(struct loading *loading, json_t *document, const char *path, size_t line) {
    const char *id = json_string_value(json_object_get(document, "_id"));
    struct linnet_id parsed;
    if (!id || linnet_id_parse(id, &parsed) != 0 || parsed.database != LINNET_DB_REFERENCE)
        return linnet_error_set(
            loading->err, LINNET_E_INVALID,
            "%s:%zu: \"%s\" is no id of a reference document (taxon:..., flora:..., model:...)", path, line,
            id ? id : "");
    if (!json_object_get(document, "kind")) json_object_set_new(document, "kind", json_string(parsed.kind));
    json_array_append(loading->waiting, document);
    return json_array_size(loading->waiting) >= BATCH ? flush(loading) : 0;
}

static int load_lines(struct loading *loading, const char *path, const char *text, size_t size) {
    size_t line = 0;
    int error = 0;
    for (const char *at = text, *end = text + size; !error && at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = stop ? (size_t)(stop - at) : (size_t)(end - at);
        json_t *document = NULL;
        if (length > 0) {
            error = linnet_json_parse(at, length, 0, &document, loading->err);
            if (error)
                linnet_error_prefix(loading->err, "%s:%zu: ", path, line + 1);
            else
                error = add(loading, document, path, line + 1);
        }
        json_decref(document);
        at += length + 1;
    }
    return error;
}

static int load_array(struct loading *loading, const char *path, const char *text, size_t size) {
    json_t *array = NULL, *document;
    size_t i;
    int error = linnet_json_parse(text, size, 0, &array, loading->err);
    if (error) return linnet_error_prefix(loading->err, "%s: ", path);
    json_array_foreach(array, i, document) if (!error) error = add(loading, document, path, i + 1);
    json_decref(array);
    return error;
}

static int load_file(struct loading *loading, const char *path) {
    void *text;
    size_t size;
    int error = linnet_file_read(path, FILE_LIMIT, &text, &size, loading->err);
    if (error) return error;
    const char *first = (const char *)text + strspn(text, " \t\r\n");
    error = *first == '[' ? load_array(loading, path, text, size) : load_lines(loading, path, text, size);
    free(text);
    return error ? error : flush(loading);
}

static int load(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    struct loading loading = {.options = mine, .store = store, .waiting = json_array(), .err = err};
    int error = 0;
    for (int i = 1; !error && i < mine->nwords; i++)
        error = load_file(&loading, mine->words[i]);
    linnet_say_done(&mine->store);
    json_decref(loading.waiting);
    if (error) return error;
    if (mine->store.json)
        printf("{\"written\":%zu,\"unchanged\":%zu,\"dry_run\":%s}\n", loading.written, loading.unchanged,
               mine->dry_run ? "true" : "false");
    else
        printf("%zu documents %s, %zu unchanged\n", loading.written,
               mine->dry_run ? "would be written" : "written", loading.unchanged);
    return 0;
}

static int get(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    json_t *document = NULL;
    int error = linnet_store_get(store, LINNET_DB_REFERENCE, mine->words[1], NULL, &document, err);
    if (error) return error;
    json_dumpf(document, stdout, mine->store.json ? JSON_COMPACT : JSON_INDENT(2));
    putchar('\n');
    json_decref(document);
    return 0;
}

static int list(const struct options *mine, struct linnet_store *store, struct linnet_error *err) {
    char end[256];
    const char *prefix = mine->nwords > 1 ? mine->words[1] : "";
    json_t *documents = NULL, *document;
    size_t i;
    snprintf(end, sizeof end, "%s\xef\xbf\xb0", prefix);
    int error = linnet_store_range(store, LINNET_DB_REFERENCE, prefix, end, 0, &documents, err);
    if (error) return error;
    json_array_foreach(documents, i, document) {
        const char *id = linnet_json_string(document, "_id", "");
        if (id[0] == '_') continue;
        const char *name =
            linnet_json_string(document, "scientificName", linnet_json_string(document, "title", ""));
        printf("%s%s%s\n", id, *name ? "  " : "", name);
    }
    json_decref(documents);
    return 0;
}

static int run(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_store *store = NULL;
    struct linnet_error err = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    const char *verb = mine.nwords ? mine.words[0] : "";
    int (*act)(const struct options *, struct linnet_store *, struct linnet_error *) =
        strcmp(verb, "load") == 0 && mine.nwords > 1   ? load
        : strcmp(verb, "get") == 0 && mine.nwords == 2 ? get
        : strcmp(verb, "list") == 0                    ? list
                                                       : NULL;
    if (!act) {
        fprintf(stderr, "linnet reference: load FILE..., get ID or list [PREFIX] is wanted; see --help\n");
        return LINNET_EXIT_USAGE;
    }
    int error = linnet_store_open(&mine.store, &store, &err);
    if (!error) error = act(&mine, store, &err);
    linnet_store_close(store);
    return error ? linnet_say_error("reference", &err) : LINNET_EXIT_OK;
}

const struct linnet_command linnet_command_reference = {
    "reference", "load and list taxa, floras and other reference documents", run};
