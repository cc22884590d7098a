#include "tests/unit/worker/stages.h"

#include <ctype.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_size_t processed;
static atomic_bool healed;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moves = PTHREAD_COND_INITIALIZER;
static bool released = true;

size_t stages_processed(void) {
    return atomic_load(&processed);
}

void stages_reset(void) {
    atomic_store(&processed, 0);
    atomic_store(&healed, false);
    stages_release(true);
}

void stages_heal(bool yes) {
    atomic_store(&healed, yes);
}

void stages_release(bool yes) {
    pthread_mutex_lock(&gate);
    released = yes;
    pthread_cond_broadcast(&gate_moves);
    pthread_mutex_unlock(&gate);
}

static void pass_gate(void) {
    pthread_mutex_lock(&gate);
    while (!released)
        pthread_cond_wait(&gate_moves, &gate);
    pthread_mutex_unlock(&gate);
}

/* ---- what they share ---- */

struct instance {
    const struct linnet_host *host;
    char by[32]; /* of the configuration: part of the output and of the fingerprint */
};

static int open_instance(const struct linnet_host *host, const json_t *config, void **out, char *why,
                         size_t size) {
    struct instance *instance = calloc(1, sizeof(*instance));
    if (!instance) {
        snprintf(why, size, "out of memory");
        return -1;
    }
    const char *by = json_string_value(json_object_get(config, "by"));
    instance->host = host;
    snprintf(instance->by, sizeof(instance->by), "%s", by ? by : "nobody");
    *out = instance;
    return 0;
}

static void close_instance(void *instance) {
    free(instance);
}

/* Has the document its own way? */
static bool has_its_way(struct instance *in, const struct linnet_item *item) {
    const char *todo = json_string_value(json_object_get(item->docs[0].json, "do"));
    atomic_fetch_add(&processed, 1);
    if (!todo) return false;
    if (strcmp(todo, "hold") == 0) pass_gate();
    if (strcmp(todo, "skip") == 0)
        in->host->finish(in->host->ctx, item, LINNET_SKIP, "it said so");
    else if (strcmp(todo, "reject") == 0)
        in->host->finish(in->host->ctx, item, LINNET_REJECT, "refused: d\xc3\xa9j\xc3\xa0 vu");
    else if (strcmp(todo, "retry") == 0 && !atomic_load(&healed))
        in->host->finish(in->host->ctx, item, LINNET_RETRY, "not yet");
    else
        return false;
    return true;
}

static void emit(struct instance *in, const struct linnet_item *item, json_t *document,
                 const struct linnet_blob *blob) {
    struct linnet_output output = {.document = document, .blobs = blob, .nblobs = blob != NULL};
    int rc = in->host->emit(in->host->ctx, item, &output);
    in->host->finish(in->host->ctx, item, rc ? LINNET_REJECT : LINNET_OK, rc ? "could not be emitted" : NULL);
}

#define CONFIG "{\"type\":\"object\",\"properties\":{\"by\":{\"type\":\"string\",\"default\":\"nobody\"}}}"

/* ---- copy ---- */

static int process_copy(void *instance, const struct linnet_item *const *items, size_t n) {
    struct instance *in = instance;
    for (size_t i = 0; i < n; i++) {
        const struct linnet_item *item = items[i];
        if (has_its_way(in, item)) continue;
        const struct linnet_doc *image = &item->docs[0];
        if (!image->nblobs) {
            in->host->finish(in->host->ctx, item, LINNET_REJECT, "there is no original");
            continue;
        }
        size_t size = image->blobs[0].size;
        char *capitals = malloc(size + 1);
        for (size_t k = 0; k < size; k++)
            capitals[k] = (char)toupper(((const unsigned char *)image->blobs[0].data)[k]);
        struct linnet_blob blob = {"copy", "text/plain", capitals, size};
        emit(in, item, json_pack("{s:i, s:s}", "size", (int)size, "by", in->by), &blob);
        free(capitals);
    }
    return 0;
}

static const char *const original[] = {"original", NULL};
static const struct linnet_input copy_inputs[] = {{"image", LINNET_TRIGGER, original, NULL},
                                                  {NULL, 0, NULL, NULL}};
static const char *const copy_produces[] = {"normalized", NULL};

const struct linnet_plugin stage_copy = {.struct_size = sizeof(struct linnet_plugin),
                                         .abi = LINNET_PLUGIN_ABI,
                                         .output_version = 1,
                                         .name = "copy",
                                         .version = "1.0.0",
                                         .licence = "GPL-3.0-or-later",
                                         .summary = "Copies a picture",
                                         .config_schema = CONFIG,
                                         .inputs = copy_inputs,
                                         .produces = copy_produces,
                                         .unit = LINNET_UNIT_DOCUMENT,
                                         .batch_max = 8,
                                         .instances = 1,
                                         .open = open_instance,
                                         .process = process_copy,
                                         .close = close_instance};

/* ---- note ---- */

static int process_note(void *instance, const struct linnet_item *const *items, size_t n) {
    struct instance *in = instance;
    for (size_t i = 0; i < n; i++) {
        if (has_its_way(in, items[i])) continue;
        json_t *views = json_object_get(items[i]->docs[0].json, "views");
        emit(in, items[i], json_pack("{s:i, s:s}", "views", (int)json_array_size(views), "by", in->by), NULL);
    }
    return 0;
}

static int no_qualifier(void *instance, const struct linnet_item *item, char *out, size_t size) {
    (void)instance;
    (void)item;
    (void)size;
    out[0] = '\0';
    return 0;
}

static const struct linnet_input note_inputs[] = {{"observation", LINNET_TRIGGER, NULL, NULL},
                                                  {NULL, 0, NULL, NULL}};
static const char *const note_produces[] = {"identification", NULL};

const struct linnet_plugin stage_note = {.struct_size = sizeof(struct linnet_plugin),
                                         .abi = LINNET_PLUGIN_ABI,
                                         .output_version = 1,
                                         .name = "note",
                                         .version = "1.0.0",
                                         .licence = "GPL-3.0-or-later",
                                         .summary = "Counts views",
                                         .config_schema = CONFIG,
                                         .inputs = note_inputs,
                                         .produces = note_produces,
                                         .unit = LINNET_UNIT_DOCUMENT,
                                         .batch_max = 64,
                                         .instances = 1,
                                         .open = open_instance,
                                         .qualifier = no_qualifier,
                                         .process = process_note,
                                         .close = close_instance};

/* ---- tally ---- */

static int process_tally(void *instance, const struct linnet_item *const *items, size_t n) {
    struct instance *in = instance;
    for (size_t i = 0; i < n; i++) {
        const struct linnet_item *item = items[i];
        if (has_its_way(in, item)) continue;
        json_t *names = json_array();
        json_int_t bytes = 0;
        for (size_t k = 0; k < item->ndocs; k++) {
            if (strcmp(item->docs[k].kind, "normalized") != 0) continue;
            json_array_append_new(names, json_string(item->docs[k].qualifier));
            bytes += item->docs[k].nblobs ? (json_int_t)item->docs[k].blobs[0].size : -1000;
        }
        emit(in, item, json_pack("{s:o, s:I, s:s}", "names", names, "bytes", bytes, "by", in->by), NULL);
    }
    return 0;
}

static const char *const copies[] = {"copy", NULL};
static const struct linnet_input tally_inputs[] = {{"observation", LINNET_TRIGGER, NULL, NULL},
                                                   {"normalized", LINNET_TRIGGER, copies, NULL},
                                                   {NULL, 0, NULL, NULL}};

const struct linnet_plugin stage_tally = {.struct_size = sizeof(struct linnet_plugin),
                                          .abi = LINNET_PLUGIN_ABI,
                                          .output_version = 1,
                                          .name = "tally",
                                          .version = "1.0.0",
                                          .licence = "GPL-3.0-or-later",
                                          .summary = "Counts bytes",
                                          .config_schema = CONFIG,
                                          .inputs = tally_inputs,
                                          .produces = note_produces,
                                          .unit = LINNET_UNIT_OBSERVATION,
                                          .batch_max = 8,
                                          .instances = 1,
                                          .open = open_instance,
                                          .process = process_tally,
                                          .close = close_instance};

/* ---- census ---- */

struct census {
    struct instance base;
    json_t *votes; /* {validation's id: taxon} */
};

static char *state_path(const struct census *census, const char *end, char out[512]) {
    snprintf(out, 512, "%s/census.json%s", census->base.host->state_dir, end);
    return out;
}

static int open_census(const struct linnet_host *host, const json_t *config, void **out, char *why,
                       size_t size) {
    (void)config;
    struct census *census = calloc(1, sizeof(*census));
    if (!census || !host->state_dir) {
        snprintf(why, size, "no state folder");
        free(census);
        return -1;
    }
    census->base.host = host;
    census->votes = json_object();
    *out = census;
    return 0;
}

static void close_census(void *instance) {
    struct census *census = instance;
    json_decref(census->votes);
    free(census);
}

static int snapshot_census(void *instance, const char *position) {
    struct census *census = instance;
    char aside[512], path[512];
    json_t *state = json_pack("{s:s, s:O}", "position", position, "votes", census->votes);
    int rc = json_dump_file(state, state_path(census, ".new", aside), 0);
    json_decref(state);
    return rc ? rc : rename(aside, state_path(census, "", path));
}

static int restore_census(void *instance, char *position, size_t size) {
    struct census *census = instance;
    char path[512];
    json_t *state = json_load_file(state_path(census, "", path), 0, NULL);
    position[0] = '\0';
    if (!state) return 0;
    snprintf(position, size, "%s", json_string_value(json_object_get(state, "position")));
    json_object_update(census->votes, json_object_get(state, "votes"));
    json_decref(state);
    return 0;
}

static int process_census(void *instance, const struct linnet_item *const *items, size_t n) {
    struct census *census = instance;
    const struct linnet_host *host = census->base.host;
    for (size_t i = 0; i < n; i++) {
        const struct linnet_item *item = items[i];
        const struct linnet_doc *doc = &item->docs[0];
        if (has_its_way(&census->base, item)) continue;
        if (doc->deleted)
            json_object_del(census->votes, doc->id);
        else
            json_object_set(census->votes, doc->id, json_object_get(doc->json, "taxon"));
        json_t *votes = json_object(), *taxon, *inputs = json_array();
        const char *id;
        json_object_foreach(census->votes, id, taxon) {
            if (strncmp(id, item->observation, strlen(item->observation)) != 0) continue;
            json_object_set(votes, json_string_value(taxon) ? json_string_value(taxon) : "?", json_true());
        }
        if (!doc->deleted)
            json_array_append_new(inputs, json_pack("{s:s, s:s}", "id", doc->id, "digest", doc->digest));
        struct linnet_output output = {.inputs = inputs};
        if (json_object_size(votes)) output.document = json_pack("{s:O}", "votes", votes);
        json_decref(votes);
        int rc = host->emit(host->ctx, item, &output);
        host->finish(host->ctx, item, rc ? LINNET_REJECT : LINNET_OK, rc ? "could not be emitted" : NULL);
    }
    return 0;
}

static const struct linnet_input census_inputs[] = {{"validation", LINNET_TRIGGER, NULL, NULL},
                                                    {NULL, 0, NULL, NULL}};
static const char *const census_produces[] = {"consensus", NULL};

const struct linnet_plugin stage_census = {.struct_size = sizeof(struct linnet_plugin),
                                           .abi = LINNET_PLUGIN_ABI,
                                           .output_version = 1,
                                           .name = "census",
                                           .version = "1.0.0",
                                           .licence = "GPL-3.0-or-later",
                                           .summary = "Counts votes",
                                           .config_schema = "{\"type\":\"object\"}",
                                           .inputs = census_inputs,
                                           .produces = census_produces,
                                           .scope = LINNET_SCOPE_SITE,
                                           .unit = LINNET_UNIT_DOCUMENT,
                                           .batch_max = 8,
                                           .instances = 1,
                                           .open = open_census,
                                           .process = process_census,
                                           .snapshot = snapshot_census,
                                           .restore = restore_census,
                                           .close = close_census};
