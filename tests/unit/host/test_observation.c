/* Blobs that are shared, and the documents of one observation. */
#include "tests/unit/host/sample.h"

#include <string.h>

static int released;

static void count_release(void *data) {
    (void)data;
    released++;
}

static void bytes_are_released_with_the_last_reference(void **state) {
    (void)state;
    static char data[4];
    released = 0;
    struct linnet_bytes *bytes = linnet_bytes_new(data, sizeof(data), count_release);
    linnet_bytes_ref(bytes);
    linnet_bytes_unref(bytes);
    assert_int_equal(released, 0);
    linnet_bytes_unref(bytes);
    assert_int_equal(released, 1);
    linnet_bytes_unref(NULL);
}

static void documents_are_kept_in_order_of_id(void **state) {
    (void)state;
    struct linnet_observation observation;
    linnet_observation_init(&observation, ULID);
    sample_put(&observation, sample_doc("observation", "{}"));
    sample_put(&observation, sample_doc("image:bb", "{}"));
    sample_put(&observation, sample_doc("validation:u", "{}"));
    sample_put(&observation, sample_doc("image:aa", "{}"));
    for (size_t i = 1; i < observation.ndocs; i++)
        assert_true(strcmp(observation.docs[i - 1].id, observation.docs[i].id) < 0);
    struct linnet_held_doc *doc = linnet_observation_find(&observation, ULID ":image:bb");
    assert_string_equal(doc->kind, "image");
    assert_string_equal(doc->qualifier, "bb");
    assert_null(linnet_observation_find(&observation, ULID ":image:cc"));
    linnet_observation_done(&observation);
    assert_int_equal(observation.bytes, 0);
}

static void documents_of_others_are_refused(void **state) {
    (void)state;
    struct linnet_observation observation;
    linnet_observation_init(&observation, ULID);
    const char *const ids[] = {OTHER ":observation", "taxon:1", "_design/linnet", ULID, ULID ":",
                               "observation",        ""};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        json_t *document = json_pack("{s:s}", "_id", ids[i]);
        assert_int_equal(linnet_observation_put(&observation, document), LINNET_E_INVALID);
        assert_int_equal(document->refcount, 1);
        json_decref(document);
    }
    json_t *nameless = json_object();
    assert_int_equal(linnet_observation_put(&observation, nameless), LINNET_E_INVALID);
    json_decref(nameless);
    linnet_observation_done(&observation);
}

static void a_new_revision_keeps_blobs_only_with_the_same_digest(void **state) {
    (void)state;
    struct linnet_observation observation;
    linnet_observation_init(&observation, ULID);
    struct linnet_bytes *bytes = linnet_bytes_copy("jpeg", 4);
    sample_put(&observation, sample_doc("image:aa", "{s:s,s:i}", "_rev", "1-a", "width", 3));
    assert_int_equal(
        linnet_observation_put_blob(&observation, ULID ":image:aa", "original", "image/jpeg", bytes), 0);
    sample_put(&observation, sample_doc("image:aa", "{s:s,s:i}", "_rev", "2-b", "width", 3));
    struct linnet_held_doc *doc = linnet_observation_find(&observation, ULID ":image:aa");
    assert_string_equal(doc->revision, "2-b");
    assert_non_null(linnet_held_doc_blob(doc, "original"));
    assert_null(linnet_held_doc_blob(doc, "thumb.jpg"));

    sample_put(&observation, sample_doc("image:aa", "{s:i}", "width", 4));
    doc = linnet_observation_find(&observation, ULID ":image:aa");
    assert_int_equal(doc->nblobs, 0);
    assert_null(doc->revision);
    assert_int_equal(bytes->references, 1);
    linnet_bytes_unref(bytes);
    linnet_observation_done(&observation);
}

static void a_tombstone_takes_the_document_out(void **state) {
    (void)state;
    struct linnet_observation observation;
    linnet_observation_init(&observation, ULID);
    sample_put(&observation, sample_doc("observation", "{}"));
    sample_put(&observation, sample_doc("image:aa", "{}"));
    sample_put(&observation, sample_doc("image:aa", "{s:b}", "_deleted", 1));
    sample_put(&observation, sample_doc("image:never", "{s:b}", "_deleted", 1));
    assert_int_equal(observation.ndocs, 1);
    linnet_observation_remove(&observation, ULID ":observation");
    assert_int_equal(observation.ndocs, 0);
    assert_int_equal(observation.bytes, 0);
    linnet_observation_done(&observation);
}

static void bytes_held_are_counted(void **state) {
    (void)state;
    struct linnet_observation observation;
    linnet_observation_init(&observation, ULID);
    sample_put(&observation, sample_doc("image:aa", "{}"));
    size_t empty = observation.bytes;
    struct linnet_bytes *large = linnet_bytes_copy("0123456789", 10), *small = linnet_bytes_copy("01", 2);
    assert_int_equal(
        linnet_observation_put_blob(&observation, ULID ":image:aa", "original", "image/jpeg", large), 0);
    assert_int_equal(observation.bytes, empty + 10);
    assert_int_equal(
        linnet_observation_put_blob(&observation, ULID ":image:aa", "original", "image/jpeg", small), 0);
    assert_int_equal(observation.bytes, empty + 2);
    linnet_observation_drop_blobs(&observation);
    assert_int_equal(observation.bytes, empty);
    assert_int_equal(linnet_observation_put_blob(&observation, ULID ":image:bb", "original", NULL, large),
                     LINNET_E_NOT_FOUND);
    linnet_bytes_unref(large);
    linnet_bytes_unref(small);
    linnet_observation_done(&observation);
}

static void only_results_bring_a_digest_of_their_own(void **state) {
    (void)state;
    char digest[65], claimed[65];
    memset(claimed, 'a', 64);
    claimed[64] = '\0';
    json_t *document = json_pack("{s:s, s:{s:s}}", "digest", claimed, "stage", "name", "normalize");
    assert_int_equal(linnet_document_digest("normalized", document, digest), 0);
    assert_string_equal(digest, claimed);
    assert_int_equal(linnet_document_digest("observation", document, digest), 0);
    assert_string_not_equal(digest, claimed);
    json_object_set_new(document, "digest", json_string("short"));
    assert_int_equal(linnet_document_digest("normalized", document, digest), 0);
    assert_int_equal(strlen(digest), 64);
    json_decref(document);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_released_with_the_last_reference),
        cmocka_unit_test(documents_are_kept_in_order_of_id),
        cmocka_unit_test(documents_of_others_are_refused),
        cmocka_unit_test(a_new_revision_keeps_blobs_only_with_the_same_digest),
        cmocka_unit_test(a_tombstone_takes_the_document_out),
        cmocka_unit_test(bytes_held_are_counted),
        cmocka_unit_test(only_results_bring_a_digest_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
