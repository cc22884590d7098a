/* A model's classes find their taxa: by id, by name, by the name that they had before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cli/scratch.h"
#include "workers/cli/labels.h"

static void add(struct linnet_taxonomy *backbone, const char *id, const char *name, const char *authors,
                const char *rank, const char *accepted) {
    json_t *document = json_pack("{s:s, s:s, s:s, s:s}", "kind", "taxon", "scientificName", name,
                                 "scientificNameAuthorship", authors, "taxonRank", rank);
    if (accepted) json_object_set_new(document, "acceptedNameUsageID", json_string(accepted));
    assert_int_equal(linnet_taxonomy_add(backbone, id, document, NULL), 0);
    json_decref(document);
}

static struct linnet_taxonomy *oaks(void) {
    struct linnet_taxonomy *backbone = linnet_taxonomy_new();
    assert_non_null(backbone);
    add(backbone, "taxon:1", "Quercus robur", "L.", "species", NULL);
    add(backbone, "taxon:2", "Quercus pedunculata", "Ehrh.", "species", "taxon:1");
    add(backbone, "taxon:3", "Rosa canina", "L.", "species", NULL);
    assert_int_equal(linnet_taxonomy_finish(backbone, NULL, NULL), 0);
    return backbone;
}

/* Load labels of a table; the code. */
static int load(const char *folder, const char *text, struct linnet_labels *labels,
                struct linnet_error *err) {
    struct linnet_taxonomy *backbone = oaks();
    char *path = scratch_text(folder, "labels.csv", text);
    int code = linnet_labels_load(path, backbone, labels, err);
    linnet_taxonomy_free(backbone);
    free(path);
    return code;
}

/* Compare with the JSON text {"taxa":…,"unmapped":…,"synonyms":…}. */
static void labels_are(const char *folder, const char *text, const char *expected) {
    struct linnet_labels labels;
    struct linnet_error err = {0};
    if (load(folder, text, &labels, &err) != 0) fail_msg("%s", err.detail);
    json_t *wanted = json_loads(expected, 0, NULL);
    json_t *got = json_pack("{s:O, s:O, s:O}", "taxa", labels.taxa, "unmapped", labels.unmapped, "synonyms",
                            labels.synonyms);
    assert_non_null(wanted);
    if (!json_equal(got, wanted)) fail_msg("%s, not %s", json_dumps(got, JSON_COMPACT), expected);
    json_decref(wanted);
    json_decref(got);
    linnet_labels_done(&labels);
    assert_null(labels.taxa);
}

static void each_row_is_a_class_in_order(void **state) {
    labels_are(*state, "name\nRosa canina\nQuercus robur L.\n",
               "{\"taxa\":[\"taxon:3\",\"taxon:1\"],\"unmapped\":[],\"synonyms\":{}}");
    labels_are(*state, "index,taxon\n0,taxon:3\n1,taxon:1\n",
               "{\"taxa\":[\"taxon:3\",\"taxon:1\"],\"unmapped\":[],\"synonyms\":{}}");
}

static void underscores_are_spaces_and_synonyms_their_accepted_names(void **state) {
    labels_are(*state, "label\nquercus_pedunculata\nROSA_CANINA\n",
               "{\"taxa\":[\"taxon:1\",\"taxon:3\"],\"unmapped\":[],"
               "\"synonyms\":{\"quercus_pedunculata\":\"Quercus robur\"}}");
}

static void what_the_backbone_lacks_is_said_and_keeps_its_place(void **state) {
    labels_are(*state, "species\nBellis perennis\nRosa canina\ntaxon:99\n",
               "{\"taxa\":[null,\"taxon:3\",null],\"unmapped\":[\"Bellis perennis\",\"taxon:99\"],"
               "\"synonyms\":{}}");
}

static void an_unknown_header_means_the_last_column(void **state) {
    labels_are(*state, "number,what\n0,Rosa canina\n1,Quercus robur\n",
               "{\"taxa\":[\"taxon:3\",\"taxon:1\"],\"unmapped\":[],\"synonyms\":{}}");
}

static void a_row_without_a_label_is_a_class_without_a_taxon(void **state) {
    labels_are(*state, "index,name\n0\n1,Rosa canina\n",
               "{\"taxa\":[null,\"taxon:3\"],\"unmapped\":[\"\"],\"synonyms\":{}}");
}

static void a_file_that_is_no_table_is_refused(void **state) {
    struct linnet_labels labels = {0};
    struct linnet_error err = {0};
    assert_int_equal(load(*state, "", &labels, &err), LINNET_E_PARSE);
    assert_int_equal(load(*state, "name\nRosa \xe9\n", &labels, &err), LINNET_E_PARSE);
    assert_non_null(strstr(err.detail, "UTF-8"));
    assert_null(labels.taxa);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_a_class_in_order),
        cmocka_unit_test(underscores_are_spaces_and_synonyms_their_accepted_names),
        cmocka_unit_test(what_the_backbone_lacks_is_said_and_keeps_its_place),
        cmocka_unit_test(an_unknown_header_means_the_last_column),
        cmocka_unit_test(a_row_without_a_label_is_a_class_without_a_taxon),
        cmocka_unit_test(a_file_that_is_no_table_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
