/* Sets of species by the thresholds of a model's document. */
#include <string.h>

#include "common/base/json.h"
#include "tests/unit/test.h"
#include "workers/serve/uncertainty.h"

static struct linnet_references *references;

static void add(json_t *document) {
    assert_non_null(document);
    assert_int_equal(linnet_references_add(references, document, NULL), 0);
    json_decref(document);
}

static void taxon(const char *id, const char *name, const char *rank, const char *parent) {
    add(json_pack("{s:s, s:s, s:s, s:s, s:s?}", "_id", id, "kind", "taxon", "scientificName", name,
                  "taxonRank", rank, "parentNameUsageID", parent));
}

/* 50 thresholds: `least` up to 0.9, nothing promised above. */
static json_t *levels(double least) {
    json_t *list = json_array();
    for (int i = 0; i < LINNET_CONFORMAL_LEVELS; i++)
        json_array_append_new(list, json_real(i <= 40 ? least : 0));
    return list;
}

static int setup(void **state) {
    (void)state;
    references = linnet_references_new();
    taxon("taxon:f", "Rosaceae", "family", NULL);
    taxon("taxon:g", "Rosa", "genus", "taxon:f");
    taxon("taxon:h", "Rubus", "genus", "taxon:f");
    taxon("taxon:a", "Rosa canina", "species", "taxon:g");
    taxon("taxon:b", "Rosa gallica", "species", "taxon:g");
    taxon("taxon:c", "Rubus idaeus", "species", "taxon:h");
    add(json_pack("{s:s, s:s, s:[s,s,s], s:{s:[f,f,f], s:{s:i, s:o, s:o}}}", "_id", "model:m@1", "kind",
                  "model", "labels", "taxon:a", "taxon:b", "taxon:c", "uncertainty", "prevalence", 0.7, 0.28,
                  0.02, "anywhere", "observations", 400, "plain", levels(0.25), "balanced", levels(1.0)));
    add(json_pack("{s:s, s:s, s:[s,s]}", "_id", "model:bare@1", "kind", "model", "labels", "taxon:a",
                  "taxon:b"));
    return linnet_references_finish(references, NULL);
}

static int teardown(void **state) {
    (void)state;
    linnet_references_unref(references);
    return 0;
}

static json_t *ask(double probability, enum linnet_conformal kind, const char *flora, const char *model) {
    struct serve_uncertainty_question question = {.probability = probability, .kind = kind, .lang = "en"};
    json_t *identification = json_pack("{s:s?, s:[{s:s, s:f}, {s:s, s:f}, {s:s, s:f}]}", "flora", flora,
                                       "species", "taxon", "taxon:a", "score", 0.6, "taxon", "taxon:b",
                                       "score", 0.3, "taxon", "taxon:c", "score", 0.1);
    json_t *json = serve_uncertainty(&question, references, identification, model);
    json_decref(identification);
    assert_non_null(json);
    return json;
}

static const char *name_of(const json_t *json, const char *path) {
    return linnet_json_string(json, path, "");
}

static void several_species_have_their_genus_in_common(void **state) {
    (void)state;
    json_t *json = ask(0.9, LINNET_CONFORMAL_PLAIN, NULL, "m@1");
    assert_int_equal(json_array_size(json_object_get(json, "species")), 2);
    assert_true(linnet_json_bool(json, "complete", false));
    assert_string_equal(name_of(json, "scope"), "anywhere");
    assert_string_equal(name_of(json, "ancestor/scientificNameWithoutAuthor"), "Rosa");
    assert_string_equal(name_of(json, "ancestor/rank"), "genus");
    assert_int_equal(linnet_json_integer(json, "observations", 0), 400);
    json_decref(json);
}

/* 0.6 / 0.7 and 0.3 / 0.28 and 0.1 / 0.02 against 1: the best belongs all the same, the rare one too. */
static void balanced_sets_take_the_rare_one(void **state) {
    (void)state;
    json_t *json = ask(0.9, LINNET_CONFORMAL_BALANCED, NULL, "m@1");
    assert_int_equal(json_array_size(json_object_get(json, "species")), 3);
    assert_string_equal(name_of(json, "ancestor/scientificNameWithoutAuthor"), "Rosaceae");
    json_decref(json);
}

static void what_no_threshold_promises_is_not_complete(void **state) {
    (void)state;
    json_t *json = ask(0.95, LINNET_CONFORMAL_PLAIN, NULL, "m@1");
    assert_false(linnet_json_bool(json, "complete", true));
    assert_int_equal(json_array_size(json_object_get(json, "species")), 3);
    assert_true(json_is_null(json_object_get(json, "ancestor")));
    json_decref(json);
}

static void without_held_out_pictures_nothing_is_said(void **state) {
    (void)state;
    static const char *const models[] = {"bare@1", "nobody@1"};
    for (size_t i = 0; i < 2; i++) {
        for (int kind = 0; kind < LINNET_CONFORMALS; kind++) {
            json_t *json = ask(0.9, (enum linnet_conformal)kind, NULL, models[i]);
            assert_true(json_is_null(json_object_get(json, "species")));
            assert_string_not_equal(name_of(json, "why"), "");
            json_decref(json);
        }
    }
    json_t *json = ask(0.9, LINNET_CONFORMAL_PLAIN, "flora:isles", "m@1"); /* measured without floras only */
    assert_true(json_is_null(json_object_get(json, "species")));
    json_decref(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_species_have_their_genus_in_common),
        cmocka_unit_test(balanced_sets_take_the_rare_one),
        cmocka_unit_test(what_no_threshold_promises_is_not_complete),
        cmocka_unit_test(without_held_out_pictures_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
