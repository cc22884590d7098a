/* Anybody's documents as an observation: what is planned for them, and the work that comes of it. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "tests/fuzz/fuzz.h"
#include "workers/host/plan.h"
#include "workers/host/provenance.h"

#define ULID "01J0000000000000000000TEST"

/* Declarations that use all that a declaration can say. */
static const char *const all[] = {"*", NULL}, *const original[] = {"original", NULL};
static const char *const fields[] = {"views.image=@.region", "views.*.*", "a.b.0", "*", NULL};
static const char *const normalized[] = {"normalized", NULL}, *const identification[] = {"identification",
                                                                                         NULL};
static const struct linnet_input document_inputs[] = {{"image", LINNET_TRIGGER, original, NULL},
                                                      {"observation", 0, NULL, fields},
                                                      {"validation", LINNET_OPTIONAL, NULL, fields},
                                                      {NULL, 0, NULL, NULL}};
static const struct linnet_input whole_inputs[] = {{"normalized", LINNET_TRIGGER, all, NULL},
                                                   {"observation", LINNET_PRESENCE, NULL, NULL},
                                                   {NULL, 0, NULL, NULL}};
static const struct linnet_plugin per_document = {
    .name = "one", .inputs = document_inputs, .produces = normalized};
static const struct linnet_plugin per_observation = {
    .name = "other", .inputs = whole_inputs, .produces = identification, .unit = LINNET_UNIT_OBSERVATION};

static void count(void *arg, const struct linnet_held_doc *doc, const char *name) {
    HOLD(doc && name);
    ++*(size_t *)arg;
}

/* Compute everything that is due as the host would, until nothing is: it must come to an end. */
static void settle(struct linnet_observation *observation, const struct linnet_planned_stage *stages) {
    for (int round = 0;; round++) {
        struct linnet_plan plan;
        HOLD(round < 64);
        HOLD(!linnet_plan_make(observation, stages, 2, false, &plan));
        json_t *documents = json_array();
        for (size_t i = 0; i < plan.ndue; i++) {
            const struct linnet_due *due = &plan.due[i];
            const struct linnet_planned_stage *stage = &stages[due->stage];
            size_t missing = 0;
            linnet_plan_missing_blobs(observation, stage, due, count, &missing);
            struct linnet_work *work = linnet_plan_work(observation, stage, due);
            struct linnet_provenance from = {stage->name, "1.0.0", stage->fingerprint, NULL};
            char digest[LINNET_DIGEST_SIZE];
            json_t *document = json_object(), *maker = linnet_provenance_json(&from);
            HOLD(work && !linnet_result_digest_json(stage->fingerprint, work->inputs, digest));
            HOLD(!strcmp(digest, due->inputs_digest));
            HOLD(!linnet_result_complete(document, due->output_id, stage->plugin->produces[0], maker,
                                         work->inputs, digest, NULL));
            json_array_append_new(documents, document);
            json_decref(maker);
            linnet_work_free(work);
        }
        bool any = plan.ndue > 0;
        linnet_plan_done(&plan);
        for (size_t i = 0; i < json_array_size(documents); i++)
            HOLD(!linnet_observation_put(observation, json_incref(json_array_get(documents, i))));
        json_decref(documents);
        if (!any) return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct linnet_planned_stage stages[] = {
        {"one", &per_document, "f1", NULL, LINNET_POLICY_NEW},
        {"other", &per_observation, "f2", NULL, LINNET_POLICY_BACKFILL}};
    struct linnet_observation observation;
    json_t *documents = NULL;
    if (size > 65536 || linnet_json_parse((const char *)data, size, 0, &documents, NULL)) return 0;
    linnet_observation_init(&observation, ULID);
    for (size_t i = 0; i < json_array_size(documents); i++) {
        json_t *document = json_array_get(documents, i);
        if (linnet_observation_put(&observation, json_incref(document))) json_decref(document);
    }
    settle(&observation, stages);
    linnet_observation_done(&observation);
    HOLD(observation.bytes == 0);
    json_decref(documents);
    return 0;
}
