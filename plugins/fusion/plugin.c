/* fusion: the predictions of the views of one observation into one identification: pooled (pool.h), within
 * the flora of the place (flora.h), rolled up the taxonomy when unsure (rollup.h). */
#include <linnet/plugin.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/fusion/choose.h"
#include "plugins/fusion/document.h"

struct fusion {
    const struct linnet_host *host;
    struct fusion_config config;
    struct fusion_floras floras;
    struct fusion_labels *labels;
};

static void fusion_close(void *instance) {
    struct fusion *self = instance;
    if (!self) return;
    fusion_floras_done(&self->floras);
    fusion_labels_free(self->labels);
    free(self);
}

static int fusion_open(const struct linnet_host *host, const json_t *json, void **out, char *why,
                       size_t size) {
    struct fusion *self = calloc(1, sizeof *self);
    if (self) {
        self->host = host;
        fusion_config_read(json, &self->config);
        self->labels = fusion_labels_new(host->taxonomy(host->ctx));
    }
    if (!self || !self->labels || sodium_init() < 0 || fusion_floras_load(host, &self->floras)) {
        snprintf(why, size, "out of memory");
        fusion_close(self);
        return -1;
    }
    *out = self;
    return 0;
}

/* --- fingerprint: floras and backbone shape the result as the configuration does --- */

static int hash_flora(void *arg, const char *id, json_t *document) {
    json_t *shape =
        json_pack("{s:s, s:O*, s:O*, s:O*}", "id", id, "taxa", json_object_get(document, "taxa"), "area",
                  json_object_get(document, "area"), "records", json_object_get(document, "records"));
    char *text = shape ? json_dumps(shape, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    json_decref(shape);
    if (!text) return -1;
    crypto_hash_sha256_update(arg, (const unsigned char *)text, strlen(text) + 1);
    free(text);
    return 0;
}

/* Of the backbone only what roll-ups see: ids, ranks, parents, accepted names. */
static void hash_taxonomy(const struct linnet_taxonomy *taxonomy, crypto_hash_sha256_state *hash) {
    for (uint32_t i = 0; i < linnet_taxonomy_size(taxonomy); i++) {
        const struct linnet_taxon *taxon = linnet_taxonomy_at(taxonomy, i);
        const uint32_t shape[3] = {(uint32_t)taxon->rank, taxon->parent, taxon->accepted};
        crypto_hash_sha256_update(hash, (const unsigned char *)taxon->id, strlen(taxon->id) + 1);
        crypto_hash_sha256_update(hash, (const unsigned char *)shape, sizeof shape);
    }
}

static int fusion_fingerprint(void *instance, char *text, size_t size) {
    struct fusion *self = instance;
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state hash;
    if (size < 2 * sizeof digest + 1) return -1;
    crypto_hash_sha256_init(&hash);
    if (self->config.flora_mode != FUSION_FLORA_OFF &&
        self->host->references(self->host->ctx, "flora:", hash_flora, &hash))
        return -1;
    hash_taxonomy(self->host->taxonomy(self->host->ctx), &hash);
    crypto_hash_sha256_final(&hash, digest);
    sodium_bin2hex(text, size, digest, sizeof digest);
    return 0;
}

/* --- work --- */

/* The observation and its views' predictions by one model. */
static bool fusion_select(void *instance, const struct linnet_item *item, bool *keep) {
    const struct fusion *self = instance;
    const struct linnet_doc *observation = fusion_observation(item);
    const char *model = observation ? fusion_choose_model(self->host, item) : NULL;
    if (!model) return false;
    for (size_t i = 0; i < item->ndocs; i++) {
        const struct linnet_doc *doc = &item->docs[i];
        const char *by = json_string_value(json_object_get(doc->json, "model"));
        keep[i] = doc == observation || (!strcmp(doc->kind, "prediction") && by && !strcmp(by, model) &&
                                         fusion_view_of(observation->json, doc->json) >= 0);
    }
    return true;
}

static const json_t *model_document(const struct fusion *self, const char *model) {
    char id[192];
    int length = snprintf(id, sizeof id, "model:%s", model);
    return length < (int)sizeof id ? self->host->reference(self->host->ctx, id) : NULL;
}

static json_t *identify(struct fusion *self, const struct linnet_item *item, const char *model) {
    struct fusion_views views;
    struct fusion_selection selection;
    struct fusion_fused fused;
    const json_t *document = model_document(self, model);
    struct fusion_context context = {&self->config, self->floras.taxonomy, self->labels, document};
    fusion_views_gather(item, model, document, &self->config, &views);
    fusion_floras_select(&self->floras, fusion_observation(item)->json, &self->config, &selection);
    if (self->config.flora_mode == FUSION_FLORA_OFF) selection = (struct fusion_selection){0};
    if (fusion_fuse(&context, &views, &selection, &fused)) return NULL;
    json_t *result = fusion_document(&self->config, &views, &selection, &fused);
    fusion_fused_done(&fused);
    return result;
}

static void fuse_one(struct fusion *self, const struct linnet_item *item) {
    const struct linnet_host *host = self->host;
    const char *model = fusion_choose_model(host, item);
    if (!model) {
        host->finish(host->ctx, item, LINNET_SKIP, "no view has a prediction");
        return;
    }
    struct linnet_output output = {.document = identify(self, item, model)};
    if (!output.document || host->emit(host->ctx, item, &output))
        host->finish(host->ctx, item, LINNET_RETRY, "out of memory");
    else
        host->finish(host->ctx, item, LINNET_OK, NULL);
}

static int fusion_process(void *instance, const struct linnet_item *const *items, size_t n) {
    for (size_t i = 0; i < n; i++)
        fuse_one(instance, items[i]);
    return 0;
}

static const char *const observation_fields[] = {"views.*.image",
                                                 "views.*.organ",
                                                 "flora",
                                                 "location.decimalLatitude",
                                                 "location.decimalLongitude",
                                                 "location.coordinateUncertaintyInMeters",
                                                 NULL};
static const struct linnet_input inputs[] = {
    {"observation", LINNET_TRIGGER, NULL, observation_fields},
    {"prediction", LINNET_TRIGGER, NULL, NULL},
    {NULL, 0, NULL, NULL},
};
static const char *const produces[] = {"identification", NULL};

static const struct linnet_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi = LINNET_PLUGIN_ABI,
    .output_version = 3,
    .name = "fusion",
    .version = LINNET_VERSION,
    .licence = "Apache-2.0",
    .summary = "The views of one observation into one identification, within the flora of the place",
    .config_schema = fusion_config_schema,
    .inputs = inputs,
    .produces = produces,
    .scope = LINNET_SCOPE_OBSERVATION,
    .unit = LINNET_UNIT_OBSERVATION,
    .threading = LINNET_ANY_THREAD,
    .instances = 1,
    .batch_max = 64,
    .deadline_ms = 30000,
    .host_bytes = (uint64_t)64 << 20,
    .open = fusion_open,
    .fingerprint = fusion_fingerprint,
    .select = fusion_select,
    .process = fusion_process,
    .close = fusion_close,
};

const struct linnet_plugin *linnet_plugin(void) {
    return &plugin;
}
