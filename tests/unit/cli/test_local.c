/* Observations in memory from files, back to files, and as samples. */
#include "tests/unit/cli/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "workers/cli/local.h"
#include "workers/cli/samples.h"

#define ULID "01J0000000000000000000TEST"

static char *picture(const char *folder, const char *name, char last) {
    char jpeg[64];
    memset(jpeg, last, sizeof(jpeg));
    memcpy(jpeg, "\xff\xd8\xff\xe0", 4);
    return scratch_file(folder, name, jpeg, sizeof(jpeg));
}

static void load(const char *const *paths, size_t n, struct linnet_observation *out) {
    const struct linnet_local_options options = {0};
    struct linnet_error err = {0};
    if (linnet_local_load(paths, n, &options, out, &err)) fail_msg("%s", err.detail);
}

static int refuse(const char *path, struct linnet_error *err) {
    const struct linnet_local_options options = {0};
    struct linnet_observation observation;
    return linnet_local_load(&path, 1, &options, &observation, err);
}

static const json_t *observation_of(const struct linnet_observation *observation) {
    char id[64];
    snprintf(id, sizeof(id), "%s:observation", observation->ulid);
    return linnet_observation_find(observation, id)->json;
}

static void photographs_become_an_observation(void **state) {
    char *one = picture(*state, "one.jpg", 1), *other = picture(*state, "other.jpg", 2), named[256];
    snprintf(named, sizeof(named), "leaf=%s", other);
    const char *const paths[] = {one, named, one}; /* the same photograph twice is one view */
    struct linnet_observation observation, again;
    load(paths, 3, &observation);
    assert_int_equal(observation.ndocs, 3);
    const json_t *document = observation_of(&observation);
    assert_int_equal(json_array_size(json_object_get(document, "views")), 2);
    assert_string_equal(linnet_json_string(document, "views/0/organ", ""), "auto");
    assert_string_equal(linnet_json_string(document, "views/1/organ", ""), "leaf");
    char id[160];
    snprintf(id, sizeof(id), "%s:image:%s", observation.ulid,
             linnet_json_string(document, "views/1/image", ""));
    const struct linnet_held_doc *image = linnet_observation_find(&observation, id);
    assert_string_equal(linnet_json_string(image->json, "_attachments/original/content_type", ""),
                        "image/jpeg");
    assert_int_equal(linnet_held_doc_blob(image, "original")->bytes->size, 64);

    load(paths, 2, &again); /* to the last digit */
    for (size_t i = 0; i < again.ndocs; i++) {
        assert_string_equal(again.docs[i].id, observation.docs[i].id);
        assert_string_equal(again.docs[i].digest, observation.docs[i].digest);
    }
    linnet_observation_done(&observation);
    linnet_observation_done(&again);
    free(one);
    free(other);
}

static void documents_and_photographs_go_together(void **state) {
    char *one = picture(*state, "one.jpg", 1);
    char *document = scratch_text(*state, "doc.json",
                                  "{\"kind\":\"observation\",\"flora\":\"flora:a\",\"observer\":\"u1\"}");
    char *others =
        scratch_text(*state, "others.json",
                     "{\"docs\":[{\"_id\":\"" ULID ":validation:u2\",\"vote\":\"taxon\"},{\"_id\":\"" ULID
                     ":normalized:x\",\"_attachments\":{\"thumb.jpg\":{\"data\":\"/9j/4A==\"}}}]}");
    const char *const paths[] = {document, one, others};
    struct linnet_observation observation;
    load(paths, 3, &observation);
    assert_string_equal(observation.ulid, ULID);
    assert_int_equal(observation.ndocs, 4);
    assert_string_equal(linnet_json_string(observation_of(&observation), "flora", ""), "flora:a");
    const struct linnet_held_doc *normalized = linnet_observation_find(&observation, ULID ":normalized:x");
    const struct linnet_held_blob *thumb = linnet_held_doc_blob(normalized, "thumb.jpg");
    assert_memory_equal(thumb->bytes->data, "\xff\xd8\xff\xe0", 4);
    assert_string_equal(thumb->content_type, "image/jpeg");
    assert_null(linnet_json_at(normalized->json, "_attachments/thumb.jpg/data"));
    linnet_observation_done(&observation);
    free(one);
    free(document);
    free(others);
}

static void what_is_saved_is_loaded_again_and_is_a_sample(void **state) {
    char *one = picture(*state, "one.jpg", 1), *folder = scratch_text(*state, "saved/.keep", "");
    *strrchr(folder, '/') = '\0';
    const char *path = one;
    struct linnet_observation observation;
    struct linnet_samples samples;
    struct linnet_error err = {0};
    load(&path, 1, &observation);
    assert_int_equal(linnet_local_save_all(folder, &observation, &err), 0);
    if (linnet_samples_load(folder, &samples, &err)) fail_msg("%s", err.detail);
    assert_int_equal(samples.n, 1);
    assert_int_equal(samples.observations[0].ndocs, observation.ndocs);
    for (size_t i = 0; i < observation.ndocs; i++) {
        const struct linnet_held_doc *saved = &samples.observations[0].docs[i];
        assert_string_equal(saved->id, observation.docs[i].id);
        assert_string_equal(saved->digest, observation.docs[i].digest);
        assert_int_equal(saved->nblobs, observation.docs[i].nblobs);
    }
    linnet_samples_done(&samples);
    assert_int_equal(linnet_local_save_blob(folder, "id", "../up", observation.docs[0].blobs[0].bytes, &err),
                     LINNET_E_INVALID);
    linnet_observation_done(&observation);
    free(folder);
    free(one);
}

static void files_that_make_no_observation_are_refused(void **state) {
    static const struct {
        const char *text;
        int error;
    } cases[] = {
        {"{", LINNET_E_PARSE},
        {"3", LINNET_E_INVALID},
        {"[{\"_id\":\"taxon:1\"}]", LINNET_E_INVALID},
        {"[{\"_id\":\"" ULID ":observation\"},{\"_id\":\"01J0000000000000000000XXXX:observation\"}]",
         LINNET_E_INVALID},
        {"{\"_id\":\"" ULID ":normalized:x\",\"_attachments\":{\"a\":{\"data\":\"&\"}}}", LINNET_E_PARSE}};
    struct linnet_error err = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *path = scratch_text(*state, "bad.json", cases[i].text);
        if (refuse(path, &err) != cases[i].error) fail_msg("%s: %s", cases[i].text, err.detail);
        assert_true(strlen(err.detail) > 5);
        free(path);
    }
    assert_int_equal(refuse("/nonexistent.jpg", &err), LINNET_E_IO);
    assert_int_equal(refuse(*state, &err), LINNET_E_IO); /* a folder */
}

static void types_are_read_from_the_first_bytes(void **state) {
    (void)state;
    assert_string_equal(linnet_local_type("\xff\xd8\xff\xdb", 4), "image/jpeg");
    assert_string_equal(linnet_local_type("\x89PNG\r\n\x1a\n", 8), "image/png");
    assert_string_equal(linnet_local_type("RIFF....WEBPVP8 ", 16), "image/webp");
    assert_string_equal(linnet_local_type("....ftypheic....", 16), "image/heic");
    assert_string_equal(linnet_local_type("<svg>", 5), "application/octet-stream");
    assert_string_equal(linnet_local_type("", 0), "application/octet-stream");
}

static void samples_of_a_folder_are_one_an_entry(void **state) {
    char *files[] = {picture(*state, "a.jpg", 1), picture(*state, "b.jpg", 2),
                     picture(*state, "both/c.jpg", 3), picture(*state, "both/d.jpg", 4),
                     scratch_text(*state, "e.json", "{\"_id\":\"" ULID ":observation\"}")};
    struct linnet_samples samples;
    struct linnet_error err = {0};
    if (linnet_samples_load(*state, &samples, &err)) fail_msg("%s", err.detail);
    assert_int_equal(samples.n, 4);
    assert_int_equal(samples.observations[2].ndocs, 3); /* both/: two images and their observation */
    linnet_samples_done(&samples);
    if (linnet_samples_load(files[0], &samples, &err)) fail_msg("%s", err.detail);
    assert_int_equal(samples.n, 1);
    linnet_samples_done(&samples);
    assert_int_equal(linnet_samples_load("/nonexistent", &samples, &err), LINNET_E_IO);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        free(files[i]);
}

static void samples_are_made_of_the_schemas_examples(void **state) {
    (void)state;
    struct linnet_samples samples;
    struct linnet_error err = {0};
    if (linnet_samples_make(&samples, &err)) fail_msg("%s", err.detail);
    assert_int_equal(samples.n, 1);
    static const char *const kinds[] = {"observation",    "image",     "normalized", "prediction",
                                        "identification", "consensus", "validation"};
    const struct linnet_observation *observation = &samples.observations[0];
    char digest[65];
    linnet_digest_bytes(linnet_sample_picture, linnet_sample_picture_size, digest);
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        const struct linnet_held_doc *found = NULL;
        for (size_t i = 0; i < observation->ndocs && !found; i++)
            if (!strcmp(observation->docs[i].kind, kinds[k])) found = &observation->docs[i];
        if (!found) fail_msg("no %s", kinds[k]);
        if (!strcmp(kinds[k], "image")) {
            assert_string_equal(found->qualifier, digest); /* of the bytes that it has */
            assert_int_equal(linnet_held_doc_blob(found, "original")->bytes->size,
                             linnet_sample_picture_size);
        }
        if (!strcmp(kinds[k], "normalized")) assert_non_null(linnet_held_doc_blob(found, "thumb.jpg"));
    }
    assert_string_equal(linnet_json_string(observation_of(observation), "views/0/image", ""), digest);
    linnet_samples_done(&samples);
}

#define LOCAL_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void) {
    const struct CMUnitTest tests[] = {
        LOCAL_TEST(photographs_become_an_observation),
        LOCAL_TEST(documents_and_photographs_go_together),
        LOCAL_TEST(what_is_saved_is_loaded_again_and_is_a_sample),
        LOCAL_TEST(files_that_make_no_observation_are_refused),
        LOCAL_TEST(samples_of_a_folder_are_one_an_entry),
        cmocka_unit_test(types_are_read_from_the_first_bytes),
        cmocka_unit_test(samples_are_made_of_the_schemas_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
