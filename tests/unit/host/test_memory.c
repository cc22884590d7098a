/* Everything pure in the host while memory runs out: a clean failure each time, outputs untouched, nothing
 * lost. */
#include "tests/unit/host/sample.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/failing.h"
#include "workers/host/config.h"
#include "workers/host/graph.h"
#include "workers/host/provenance.h"
#include "workers/host/references.h"

static char model[] = "m@1";

static void fill(struct linnet_observation *observation) {
    static const char *const rests[] = {"observation",   "image:aa",          "image:bb",
                                        "normalized:aa", "prediction:aa:m@1", "validation:u"};
    linnet_observation_init(observation, ULID);
    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++)
        sample_put(observation, sample_doc(rests[i], "{s:[{s:s, s:s}], s:{s:{}}}", "views", "image", "aa",
                                           "organ", "leaf", "_attachments", "original"));
}

static int use_observation(void *arg) {
    (void)arg;
    struct linnet_observation observation;
    failing_hold(true);
    json_t *first = sample_doc("image:aa", "{s:i}", "width", 3),
           *second = sample_doc("image:aa", "{s:i}", "width", 4);
    struct linnet_bytes *bytes = linnet_bytes_copy("jpeg", 4);
    failing_hold(false);
    linnet_observation_init(&observation, ULID);
    int rc = linnet_observation_put(&observation, first);
    if (rc) json_decref(first);
    if (!rc)
        rc = linnet_observation_put_blob(&observation, ULID ":image:aa", "original", "image/jpeg", bytes);
    if (!rc) rc = linnet_observation_put(&observation, json_incref(second));
    if (rc && second->refcount == 2 && observation.ndocs == 1 && observation.docs[0].json != second)
        json_decref(second);
    linnet_observation_done(&observation);
    json_decref(second);
    linnet_bytes_unref(bytes);
    return rc;
}

static int use_bytes(void *arg) {
    (void)arg;
    struct linnet_bytes *copy = linnet_bytes_copy("0123", 4);
    linnet_bytes_unref(copy);
    return copy ? 0 : LINNET_E_NOMEM;
}

static int use_plan(void *arg) {
    (void)arg;
    struct linnet_planned_stage stages[] = {{"normalize", &sample_normalize, "f1", NULL, LINNET_POLICY_NEW},
                                            {"convnet", &sample_convnet, "f2", model, LINNET_POLICY_NEW},
                                            {"fusion", &sample_fusion, "f3", model, LINNET_POLICY_NEW}};
    struct linnet_observation observation;
    struct linnet_plan plan = {.ndue = 99};
    failing_hold(true);
    fill(&observation);
    failing_hold(false);
    int rc = linnet_plan_make(&observation, stages, 3, false, &plan);
    if (rc) assert_int_equal(plan.ndue, 99);
    for (size_t i = 0; !rc && i < plan.ndue; i++) {
        struct linnet_work *work = linnet_plan_work(&observation, &stages[plan.due[i].stage], &plan.due[i]);
        if (!work) rc = LINNET_E_NOMEM;
        linnet_work_free(work);
    }
    if (plan.ndue != 99) linnet_plan_done(&plan);
    linnet_observation_done(&observation);
    return rc;
}

static int use_site_work(void *arg) {
    (void)arg;
    struct linnet_work *work = NULL;
    failing_hold(true);
    json_t *document = sample_doc("image:aa", "{s:i}", "width", 3);
    failing_hold(false);
    int rc = linnet_work_document(&sample_normalize, ULID ":image:aa", document, &work);
    if (rc) assert_null(work);
    linnet_work_free(work);
    json_decref(document);
    return rc;
}

static int use_plugin(void *arg) {
    (void)arg;
    struct linnet_plugin plugin = sample_normalize;
    struct linnet_plugin_file *file = NULL;
    json_t *config = NULL;
    plugin.config_schema = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"object\",\"properties\":{"
                           "\"b\":{\"default\":[1,2]}}},"
                           "\"c\":{\"type\":\"string\",\"default\":\"text\"}}}";
    int rc = linnet_plugin_file_wrap(&plugin, &file, NULL);
    if (rc) assert_null(file);
    if (!rc) rc = linnet_config_complete(file, NULL, &config, NULL);
    char fingerprint[LINNET_DIGEST_SIZE];
    if (!rc) rc = linnet_fingerprint(&plugin, config, "text", fingerprint);
    json_decref(config);
    linnet_plugin_file_free(file);
    return rc;
}

static int use_fields(void *arg) {
    (void)arg;
    static const char *const fields[] = {"views.*.organ", "views.image=@.organ", NULL};
    const struct linnet_input input = {"observation", 0, NULL, fields};
    char digest[LINNET_DIGEST_SIZE] = "untouched";
    failing_hold(true);
    json_t *document = sample_doc("observation", "{s:[{s:s, s:s}]}", "views", "image", "aa", "organ", "leaf");
    failing_hold(false);
    int rc = linnet_input_digest(document, "whole", &input, "aa", digest);
    if (rc) assert_string_equal(digest, "untouched");
    json_decref(document);
    return rc;
}

static int use_result(void *arg) {
    (void)arg;
    const struct linnet_provenance from = {"normalize", "1.0.0", "ff", "cpu"};
    const struct linnet_input_ref refs[] = {{"a", "1"}, {"b", "2"}};
    json_t *document = json_object(), *inputs = linnet_inputs_json(refs, 2),
           *stage = linnet_provenance_json(&from);
    char digest[LINNET_DIGEST_SIZE];
    int rc = document && inputs ? linnet_result_digest_json("ff", inputs, digest) : LINNET_E_NOMEM;
    if (!rc) rc = linnet_result_complete(document, "id", "normalized", stage, inputs, digest, NULL);
    json_decref(stage);
    json_decref(document);
    json_decref(inputs);
    return rc;
}

static int use_references(void *arg) {
    (void)arg;
    struct linnet_references *references = linnet_references_new();
    failing_hold(true);
    json_t *taxon =
        json_pack("{s:s,s:s,s:s}", "_id", "taxon:1", "scientificName", "Quercus", "taxonRank", "genus");
    failing_hold(false);
    int rc = references ? linnet_references_add(references, taxon, NULL) : LINNET_E_NOMEM;
    if (!rc) rc = linnet_references_add_file(references, "model:m@1", "model.onnx", "/nowhere");
    if (!rc) rc = linnet_references_finish(references, NULL);
    json_decref(taxon);
    linnet_references_unref(references);
    return rc;
}

static int use_graph(void *arg) {
    (void)arg;
    const struct linnet_graph_stage stages[] = {
        {"fusion", &sample_fusion}, {"convnet", &sample_convnet}, {"normalize", &sample_normalize}};
    struct linnet_graph graph = {0};
    int rc = linnet_graph_make(stages, 3, NULL, &graph, NULL);
    linnet_graph_done(&graph);
    return rc;
}

static void the_host_fails_cleanly_at_every_allocation(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int (*use)(void *arg);
        bool tolerant; /* writing JSON does without memory that only makes it quicker */
    } uses[] = {{"observation", use_observation, false},
                {"bytes", use_bytes, false},
                {"plan", use_plan, false},
                {"site work", use_site_work, false},
                {"plugin", use_plugin, true},
                {"fields", use_fields, false},
                {"result", use_result, false},
                {"graph", use_graph, false},
                {"references", use_references, false}};
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        size_t allocations = failing_each(uses[i].use, NULL, uses[i].tolerant);
        print_message("%s: %zu allocations\n", uses[i].name, allocations);
        assert_true(allocations > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_host_fails_cleanly_at_every_allocation)};
    failing_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
