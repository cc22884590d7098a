#include "plugins/convnet/model.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- which model --- */

struct newest {
    const char *id, *created_at;
};

static int keep_newer(void *arg, const char *id, json_t *document) {
    struct newest *newest = arg;
    const char *created_at = json_string_value(json_object_get(document, "created_at"));
    if (!created_at) created_at = "";
    int order = newest->id ? strcmp(created_at, newest->created_at) : 1;
    if (order > 0 || (!order && strcmp(id, newest->id) > 0)) *newest = (struct newest){id, created_at};
    return 0;
}

static const char *active_model(const struct linnet_host *host) {
    const char *wanted =
        json_string_value(json_object_get(host->reference(host->ctx, "wanted:convnet"), "model"));
    struct newest newest = {NULL, NULL};
    if (wanted) return wanted;
    host->references(host->ctx, "model:", keep_newer, &newest);
    return newest.id ? newest.id + strlen("model:") : NULL;
}

int convnet_model_choose(const struct linnet_host *host, const char *wanted, char name[CONVNET_NAME_MAX],
                         char *why, size_t size) {
    const char *chosen = strcmp(wanted, "active") ? wanted : active_model(host);
    if (!chosen) {
        snprintf(why, size,
                 "there is no model yet: run `linnet model publish` with an ONNX file and its labels");
        return -1;
    }
    char id[CONVNET_NAME_MAX + 8];
    if (snprintf(id, sizeof id, "model:%s", chosen) >= (int)sizeof id || strlen(chosen) >= CONVNET_NAME_MAX) {
        snprintf(why, size, "the name of the model is longer than %d bytes", CONVNET_NAME_MAX - 1);
        return -1;
    }
    if (!host->reference(host->ctx, id) || !host->reference_file(host->ctx, id, "model.onnx")) {
        snprintf(why, size, "the model %s is %s: run `linnet model publish`", chosen,
                 host->reference(host->ctx, id) ? "published without its network" : "not published");
        return -1;
    }
    snprintf(name, CONVNET_NAME_MAX, "%s", chosen);
    return 0;
}

/* --- its digest --- */

static int digest_file(crypto_hash_sha256_state *state, const char *path) {
    unsigned char buffer[65536];
    FILE *file = fopen(path, "rb");
    size_t n = 0;
    while (file && (n = fread(buffer, 1, sizeof buffer, file)) > 0)
        crypto_hash_sha256_update(state, buffer, n);
    int rc = file && !ferror(file) ? 0 : -1;
    if (file) fclose(file);
    return rc;
}

/* The network, and the members of the document that shape results. Another date or accuracy is no other
 * model. */
static int digest_model(struct convnet_model *model, char *why, size_t size) {
    static const char *const members[] = {"labels", "input", "outputs", "organs", "calibration"};
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    if (digest_file(&state, model->file)) {
        snprintf(why, size, "%s can't be read", model->file);
        return -1;
    }
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *member = json_object_get(model->document, members[i]);
        char *text =
            member ? json_dumps(member, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY) : strdup("");
        if (!text) {
            snprintf(why, size, "out of memory");
            return -1;
        }
        crypto_hash_sha256_update(&state, (const unsigned char *)text, strlen(text) + 1);
        free(text);
    }
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(model->digest, sizeof model->digest, hash, sizeof hash);
    return 0;
}

/* --- its classes --- */

/* The taxon of one class at one level; NULL: none. A label that the backbone lacks stands for itself as a
 * species. */
static const char *taxon_at(const struct linnet_taxonomy *taxonomy, const char *label,
                            enum convnet_level level) {
    static const enum linnet_rank ranks[] = {LINNET_RANK_SPECIES, LINNET_RANK_GENUS, LINNET_RANK_FAMILY};
    uint32_t index = linnet_taxonomy_find(taxonomy, label);
    if (index == LINNET_NO_TAXON) return level == CONVNET_SPECIES ? label : NULL;
    index = linnet_taxonomy_ancestor(taxonomy, linnet_taxonomy_accepted(taxonomy, index), ranks[level]);
    const struct linnet_taxon *taxon = index == LINNET_NO_TAXON ? NULL : linnet_taxonomy_at(taxonomy, index);
    return taxon ? taxon->id : NULL;
}

struct named {
    const char *id;
    uint32_t class_index;
};

static int by_id(const void *a, const void *b) {
    return strcmp(((const struct named *)a)->id, ((const struct named *)b)->id);
}

/* Gather the taxa of a level; classes of one taxon share its place. */
static int group(const struct linnet_taxonomy *taxonomy, const json_t *labels, size_t classes,
                 enum convnet_level level, struct convnet_taxa *taxa) {
    struct named *named = malloc(classes * sizeof *named);
    taxa->ids = malloc(classes * sizeof *taxa->ids);
    taxa->of_class = malloc(classes * sizeof *taxa->of_class);
    size_t count = 0;
    for (size_t i = 0; named && taxa->ids && taxa->of_class && i < classes; i++) {
        const char *label = json_string_value(json_array_get(labels, i));
        const char *id = label ? taxon_at(taxonomy, label, level) : NULL;
        taxa->of_class[i] = CONVNET_NONE;
        if (id) named[count++] = (struct named){id, (uint32_t)i};
    }
    int rc = named && taxa->ids && taxa->of_class ? 0 : -1;
    if (!rc) qsort(named, count, sizeof *named, by_id);
    for (size_t i = 0; !rc && i < count; i++) {
        if (!i || strcmp(named[i].id, named[i - 1].id) != 0) taxa->ids[taxa->count++] = named[i].id;
        taxa->of_class[named[i].class_index] = taxa->count - 1;
    }
    free(named);
    return rc;
}

static int read_classes(struct convnet_model *model, const struct linnet_taxonomy *taxonomy, char *why,
                        size_t size) {
    const json_t *labels = json_object_get(model->document, "labels");
    model->classes = json_array_size(labels);
    if (!model->classes) {
        snprintf(why, size, "the model document has no labels");
        return -1;
    }
    for (int level = 0; level < CONVNET_LEVELS; level++) {
        if (!group(taxonomy, labels, model->classes, (enum convnet_level)level, &model->taxa[level]))
            continue;
        snprintf(why, size, "out of memory");
        return -1;
    }
    return 0;
}

static int read_outputs(struct convnet_model *model, char *why, size_t size) {
    const json_t *outputs = json_object_get(model->document, "outputs");
    const json_t *organs = json_object_get(model->document, "organs");
    const json_t *temperature =
        json_object_get(json_object_get(model->document, "calibration"), "temperature");
    model->input = json_string_value(json_object_get(json_object_get(model->document, "input"), "name"));
    model->species = json_string_value(json_object_get(outputs, "species"));
    model->organ = json_string_value(json_object_get(outputs, "organ"));
    model->plant = json_string_value(json_object_get(outputs, "plant"));
    model->embedding = json_string_value(json_object_get(outputs, "embedding"));
    model->temperature = json_is_number(temperature) ? (float)json_number_value(temperature) : 1;
    model->norgans = json_array_size(organs);
    const char *wrong = NULL;
    if (!model->species) wrong = "outputs.species is missing";
    if (!(model->temperature > 0)) wrong = "calibration.temperature must be above 0";
    if (model->norgans > CONVNET_ORGANS_MAX) wrong = "it has too many organs";
    if (model->organ && !model->norgans) wrong = "outputs.organ is there, but organs are missing";
    for (size_t i = 0; !wrong && i < model->norgans; i++) {
        model->organs[i] = json_string_value(json_array_get(organs, i));
        if (!model->organs[i]) wrong = "organs must be names";
    }
    if (wrong) snprintf(why, size, "the model document: %s", wrong);
    return wrong ? -1 : 0;
}

int convnet_model_open(const struct linnet_host *host, const char *name, struct convnet_model **out,
                       char *why, size_t size) {
    char id[CONVNET_NAME_MAX + 8];
    struct convnet_model *model = calloc(1, sizeof *model);
    if (!model || sodium_init() < 0) {
        snprintf(why, size, "out of memory");
        free(model);
        return -1;
    }
    snprintf(id, sizeof id, "model:%s", name);
    snprintf(model->name, sizeof model->name, "%s", name);
    model->document = json_incref(host->reference(host->ctx, id));
    model->file = host->reference_file(host->ctx, id, "model.onnx");
    if (read_outputs(model, why, size) ||
        convnet_preprocess_read(json_object_get(model->document, "input"), &model->preprocess, why, size) ||
        read_classes(model, host->taxonomy(host->ctx), why, size) || digest_model(model, why, size)) {
        convnet_model_free(model);
        return -1;
    }
    *out = model;
    return 0;
}

void convnet_model_free(struct convnet_model *model) {
    if (!model) return;
    for (int level = 0; level < CONVNET_LEVELS; level++) {
        free(model->taxa[level].ids);
        free(model->taxa[level].of_class);
    }
    json_decref(model->document);
    free(model);
}
