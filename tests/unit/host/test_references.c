/* Snapshots of reference documents, from memory and from a folder. */
#include "tests/unit/host/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workers/host/references.h"

static void add(struct linnet_references *references, json_t *document) {
    struct linnet_error err = {0};
    if (linnet_references_add(references, document, &err)) fail_msg("%s", err.detail);
    json_decref(document);
}

static json_t *taxon(const char *id, const char *name, const char *rank, const char *parent) {
    return json_pack("{s:s,s:s,s:s,s:s,s:s*}", "_id", id, "kind", "taxon", "scientificName", name,
                     "taxonRank", rank, "parentNameUsageID", parent);
}

struct seen {
    size_t n;
    char ids[8][32];
};

static int note(void *arg, const char *id, json_t *document) {
    struct seen *seen = arg;
    assert_string_equal(id, json_string_value(json_object_get(document, "_id")));
    snprintf(seen->ids[seen->n++], sizeof(seen->ids[0]), "%s", id);
    return !strcmp(id, "flora:stop") ? 7 : 0;
}

static void documents_are_found_by_id_and_by_prefix(void **state) {
    (void)state;
    struct linnet_references *references = linnet_references_new();
    add(references, json_pack("{s:s}", "_id", "flora:stop"));
    add(references, json_pack("{s:s,s:i}", "_id", "flora:alps", "n", 1));
    add(references, json_pack("{s:s,s:i}", "_id", "flora:alps", "n", 2)); /* the later of the two counts */
    add(references, taxon("taxon:2", "Quercus robur", "species", "taxon:1"));
    add(references, taxon("taxon:1", "Quercus", "genus", NULL));
    json_t *nameless = json_object();
    assert_int_equal(linnet_references_add(references, nameless, NULL), LINNET_E_INVALID);
    json_decref(nameless);
    assert_int_equal(linnet_references_finish(references, NULL), 0);

    struct seen seen = {0};
    assert_int_equal(linnet_references_each(references, "taxon:", note, &seen), 0);
    assert_int_equal(seen.n, 2);
    assert_string_equal(seen.ids[0], "taxon:1");
    seen.n = 0;
    assert_int_equal(linnet_references_each(references, "", note, &seen), 7);
    assert_int_equal(seen.n, 2);
    assert_int_equal(
        json_integer_value(json_object_get(linnet_references_get(references, "flora:alps"), "n")), 2);
    assert_null(linnet_references_get(references, "flora:"));

    const struct linnet_taxonomy *taxonomy = linnet_references_taxonomy(references);
    assert_int_equal(linnet_taxonomy_size(taxonomy), 2);
    assert_true(linnet_taxonomy_is_within(taxonomy, linnet_taxonomy_find(taxonomy, "taxon:2"),
                                          linnet_taxonomy_find(taxonomy, "taxon:1")));
    linnet_references_unref(linnet_references_ref(references));
    linnet_references_unref(references);
}

static void an_empty_snapshot_has_an_empty_taxonomy(void **state) {
    (void)state;
    struct linnet_references *references = linnet_references_new();
    assert_int_equal(linnet_references_finish(references, NULL), 0);
    assert_non_null(linnet_references_taxonomy(references));
    assert_null(linnet_references_get(references, "taxon:1"));
    linnet_references_unref(references);
    linnet_references_unref(NULL);
}

static void write_file(const char *folder, const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_folder_is_loaded_with_its_attachments(void **state) {
    (void)state;
    char folder[] = "/tmp/linnet-references-XXXXXX", path[256], command[300];
    assert_non_null(mkdtemp(folder));
    write_file(
        folder, "taxa.jsonl",
        "{\"_id\":\"taxon:1\",\"kind\":\"taxon\",\"scientificName\":\"Quercus\",\"taxonRank\":\"genus\"}\n\n"
        "{\"_id\":\"taxon:3\",\"kind\":\"taxon\",\"scientificName\":\"Acer\",\"taxonRank\":\"genus\"}\n");
    write_file(folder, "floras.json", "[{\"_id\":\"flora:a\"},{\"_id\":\"flora:b\"}]");
    write_file(folder, "model.json",
               "{\"_id\":\"model:m@1\",\"_attachments\":{\"model.onnx\":{\"stub\":true},\"../up\":{}}}");
    write_file(folder, "model.onnx", "onnx");
    write_file(folder, "ignored.txt", "{");
    snprintf(path, sizeof(path), "%s/other", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(folder, "other.json",
               "{\"_id\":\"model:o@1\",\"_attachments\":{\"model.onnx\":{\"stub\":true}}}");
    write_file(path, "model.onnx", "onnx of the other");

    struct linnet_references *references = linnet_references_new();
    struct linnet_error err = {0};
    if (linnet_references_load_folder(references, folder, &err)) fail_msg("%s", err.detail);
    assert_int_equal(linnet_references_finish(references, NULL), 0);
    assert_non_null(linnet_references_get(references, "flora:b"));
    assert_int_equal(linnet_taxonomy_size(linnet_references_taxonomy(references)), 2);
    snprintf(path, sizeof(path), "%s/model.onnx", folder);
    assert_string_equal(linnet_references_file(references, "model:m@1", "model.onnx"), path);
    snprintf(path, sizeof(path), "%s/other/model.onnx", folder);
    assert_string_equal(linnet_references_file(references, "model:o@1", "model.onnx"), path);
    assert_null(linnet_references_file(references, "model:m@1", "../up"));
    linnet_references_unref(references);

    write_file(folder, "zz.jsonl", "{\"_id\":\"taxon:9\"}\n{broken\n");
    references = linnet_references_new();
    assert_int_equal(linnet_references_load_folder(references, folder, &err), LINNET_E_PARSE);
    assert_non_null(strstr(err.detail, "zz.jsonl, line 2"));
    assert_int_equal(linnet_references_load_folder(references, "/nonexistent", &err), LINNET_E_NOT_FOUND);
    linnet_references_unref(references);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_found_by_id_and_by_prefix),
        cmocka_unit_test(an_empty_snapshot_has_an_empty_taxonomy),
        cmocka_unit_test(a_folder_is_loaded_with_its_attachments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
