#include "tests/unit/host/sample.h"

#include <stdio.h>
#include <string.h>

#include "workers/host/provenance.h"

json_t *sample_doc(const char *rest, const char *format, ...) {
    va_list args;
    json_error_t error;
    va_start(args, format);
    json_t *document = json_vpack_ex(&error, 0, format, args);
    va_end(args);
    if (!document) fail_msg("%s", error.text);
    char id[LINNET_ID_MAX], kind[LINNET_KIND_MAX];
    snprintf(id, sizeof(id), "%s:%s", ULID, rest);
    snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(rest, ":"), rest);
    json_object_set_new(document, "_id", json_string(id));
    json_object_set_new(document, "kind", json_string(kind));
    return document;
}

void sample_put(struct linnet_observation *observation, json_t *document) {
    assert_non_null(document);
    assert_int_equal(linnet_observation_put(observation, document), 0);
}

json_t *sample_output(const struct linnet_observation *observation, const struct linnet_planned_stage *stage,
                      const struct linnet_due *due) {
    struct linnet_work *work = linnet_plan_work(observation, stage, due);
    assert_non_null(work);
    json_t *document = json_object();
    struct linnet_provenance from = {stage->name, "1.0.0", stage->fingerprint, NULL};
    json_t *maker = linnet_provenance_json(&from);
    char digest[LINNET_DIGEST_SIZE];
    assert_int_equal(linnet_result_digest_json(stage->fingerprint, work->inputs, digest), 0);
    assert_string_equal(digest, due->inputs_digest);
    assert_int_equal(linnet_result_complete(document, due->output_id, stage->plugin->produces[0], maker,
                                            work->inputs, digest, NULL),
                     0);
    json_decref(maker);
    linnet_work_free(work);
    return document;
}

static int never_open(const struct linnet_host *host, const json_t *config, void **instance, char *why,
                      size_t size) {
    (void)host;
    (void)config;
    (void)instance;
    snprintf(why, size, "a sample is not to be opened");
    return -1;
}

static int never_process(void *instance, const struct linnet_item *const *items, size_t n) {
    (void)instance;
    (void)items;
    (void)n;
    return -1;
}

static void never_close(void *instance) {
    (void)instance;
}

/* In the tests an instance is the name of the model that it has. */
static int model_qualifier(void *instance, const struct linnet_item *item, char *out, size_t size) {
    return snprintf(out, size, "%s:%s", item->docs[0].qualifier, (const char *)instance) < (int)size ? 0 : -1;
}

static bool of_active_model(void *instance, const struct linnet_item *item, bool *keep) {
    bool any = false;
    for (size_t i = 0; i < item->ndocs; i++) {
        if (strcmp(item->docs[i].kind, "prediction")) continue;
        const char *model = strchr(item->docs[i].qualifier, ':');
        keep[i] = model && !strcmp(model + 1, (const char *)instance);
        any |= keep[i];
    }
    return any;
}

#define SAMPLE                                                                                               \
    .struct_size = sizeof(struct linnet_plugin), .abi = LINNET_PLUGIN_ABI, .output_version = 1,              \
    .version = "1.0.0", .licence = "Apache-2.0", .summary = "a sample", .batch_max = 4, .open = never_open,  \
    .process = never_process, .close = never_close

static const char *const original[] = {"original", NULL}, *const model_jpg[] = {"model.jpg", NULL};
static const char *const view_fields[] = {"views.image=@.region", "views.image=@.organ", NULL};
static const char *const fusion_fields[] = {"views.*.image", "views.*.organ", "flora", NULL};
static const char *const normalized[] = {"normalized", NULL}, *const prediction[] = {"prediction", NULL},
                         *const identification[] = {"identification", NULL};

static const struct linnet_input normalize_inputs[] = {{"image", LINNET_TRIGGER, original, NULL},
                                                       {"observation", LINNET_PRESENCE, NULL, NULL},
                                                       {NULL, 0, NULL, NULL}};
static const struct linnet_input convnet_inputs[] = {{"normalized", LINNET_TRIGGER, model_jpg, NULL},
                                                     {"observation", 0, NULL, view_fields},
                                                     {NULL, 0, NULL, NULL}};
static const struct linnet_input fusion_inputs[] = {{"observation", LINNET_TRIGGER, NULL, fusion_fields},
                                                    {"prediction", LINNET_TRIGGER, NULL, NULL},
                                                    {"validation", LINNET_OPTIONAL, NULL, NULL},
                                                    {NULL, 0, NULL, NULL}};

const struct linnet_plugin sample_normalize = {SAMPLE, .name = "normalize", .inputs = normalize_inputs,
                                               .produces = normalized};
const struct linnet_plugin sample_convnet = {SAMPLE, .name = "convnet", .inputs = convnet_inputs,
                                             .produces = prediction, .qualifier = model_qualifier};
const struct linnet_plugin sample_fusion = {SAMPLE,
                                            .name = "fusion",
                                            .inputs = fusion_inputs,
                                            .produces = identification,
                                            .unit = LINNET_UNIT_OBSERVATION,
                                            .select = of_active_model};
