/* The conformance suite finds every vice, and nothing in a plugin that has none. */
#include "tests/unit/test.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "workers/host/conformance.h"

/* AddressSanitizer has a heap of its own and finds the leak itself, when the process ends. ThreadSanitizer's
 * rounds up. */
#if defined(__SANITIZE_ADDRESS__)
#define LEAK_WORDS "it ended the process"
#elif defined(__SANITIZE_THREAD__)
#define LEAK_WORDS "heap grows by 114688"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAK_WORDS "it ended the process"
#endif
#endif
#ifndef LEAK_WORDS
#define LEAK_WORDS "heap grows by 100"
#endif

#define ULID "01J0000000000000000000TEST"

static struct linnet_observation sample;
static struct linnet_schemas *schemas;

/* What the suite said. */
struct verdicts {
    size_t n, passed;
    char failed[64]; /* the first check that failed */
    char words[1024];
    char skipped[256];
};

static int setup(void **state) {
    (void)state;
    char jpeg[256];
    memset(jpeg, 7, sizeof(jpeg));
    memcpy(jpeg, "\xff\xd8\xff\xe0", 4);
    struct linnet_bytes *bytes = linnet_bytes_copy(jpeg, sizeof(jpeg));
    linnet_observation_init(&sample, ULID);
    for (int i = 0; i < 3; i++) {
        char id[64];
        snprintf(id, sizeof(id), "%s:image:%d", ULID, i);
        json_t *image = json_pack("{s:s, s:s, s:s, s:{s:{}}}", "_id", id, "kind", "image", "observer", "u1",
                                  "_attachments", "original");
        assert_int_equal(linnet_observation_put(&sample, image), 0);
        assert_int_equal(linnet_observation_put_blob(&sample, id, "original", "image/jpeg", bytes), 0);
    }
    json_t *observation = json_pack("{s:s, s:s}", "_id", ULID ":observation", "kind", "observation");
    assert_int_equal(linnet_observation_put(&sample, observation), 0);
    linnet_bytes_unref(bytes);
    schemas = linnet_schemas_new();
    json_t *schema = json_pack("{s:{s:{s:s}}}", "properties", "score", "type", "number");
    assert_int_equal(linnet_schemas_add(schemas, "villainy", schema, NULL), 0);
    json_decref(schema);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    linnet_observation_done(&sample);
    linnet_schemas_free(schemas);
    return 0;
}

static void on_result(void *arg, const struct linnet_check_result *result) {
    struct verdicts *verdicts = arg;
    verdicts->n++;
    verdicts->passed += result->status == LINNET_CHECK_PASSED;
    if (result->status == LINNET_CHECK_SKIPPED) {
        size_t used = strlen(verdicts->skipped);
        snprintf(verdicts->skipped + used, sizeof(verdicts->skipped) - used, "%s%s", used ? " " : "",
                 result->name);
    }
    if (result->status != LINNET_CHECK_FAILED || *verdicts->failed) return;
    snprintf(verdicts->failed, sizeof(verdicts->failed), "%s", result->name);
    snprintf(verdicts->words, sizeof(verdicts->words), "%s", result->words);
}

static struct verdicts run(const char *path, const char *vice, const char *only, unsigned timeout_ms) {
    struct verdicts verdicts = {0};
    json_t *config = json_pack("{s:s}", "vice", vice);
    struct linnet_conformance_options options = {.path = path,
                                                 .config = config,
                                                 .schemas = schemas,
                                                 .samples = &sample,
                                                 .nsamples = 1,
                                                 .only = only,
                                                 .timeout_ms = timeout_ms,
                                                 .report = on_result,
                                                 .arg = &verdicts};
    size_t failed;
    struct linnet_error err = {0};
    if (linnet_conformance_run(&options, &failed, &err)) fail_msg("%s", err.detail);
    assert_int_equal(failed > 0, *verdicts.failed != '\0');
    json_decref(config);
    return verdicts;
}

static void without_a_vice_everything_passes(void **state) {
    (void)state;
    struct verdicts verdicts = run(VILLAIN, "none", NULL, 0);
    if (*verdicts.failed) fail_msg("%s: %s", verdicts.failed, verdicts.words);
    assert_string_equal(verdicts.skipped, "redelivery tombstones state");
    verdicts = run(VILLAIN_SITE, "none", NULL, 0);
    if (*verdicts.failed) fail_msg("site: %s: %s", verdicts.failed, verdicts.words);
    assert_string_equal(verdicts.skipped, "batches optional");
    assert_int_equal(verdicts.n, verdicts.passed + 2);
}

static void last_digits_may_differ(void **state) {
    (void)state;
    struct verdicts verdicts = run(VILLAIN, "last digits differ", "batches", 0);
    assert_int_equal(verdicts.passed, 1);
}

static void every_vice_is_found(void **state) {
    (void)state;
    static const struct {
        const char *vice, *check, *words;
        bool only; /* that check alone: the vice shows in others too */
    } cases[] = {
        {"crash at open", "opens", "crashed (Aborted), while an instance was being opened", false},
        {"refuse", "opens", "no model was named", false},
        {"leak a descriptor", "open_close", "1 more file descriptors", true},
        {"leak a thread", "open_close", "1 more threads", true},
        {"another fingerprint each time", "open_close", "fingerprint changed", true},
        {"another fingerprint each process", "open_close", "another in another process", false},
        {"undeclared kind", "items", "emits a prediction, which it does not declare", false},
        {"set the digest", "items", "\"digest\", which is the host's", false},
        {"break the schema", "items", "villainy:0 breaks its schema: /score", false},
        {"finish twice", "items", "finished twice", false},
        {"forget the last", "exactly_once", "never finished", false},
        {"change a document", "borrowed", "changed the document", true},
        {"change a blob", "borrowed", "changed the bytes", true},
        {"keep a reference", "borrowed", "never given back", true},
        {"give back too much", "borrowed", "given back that was not its own", true},
        {"look at the batch", "batches", "batches of one and of two, in /company", true},
        {"look at the instance", "batches", "in /score", true},
        {"crash on a bad blob", "bad_blobs",
         "crashed (Aborted), while the attachment original of " ULID ":image:0 was empty", false},
        {"exit on a bad blob", "bad_blobs", "ended the process (exit status 7)", false},
        {"refuse without a reason", "bad_blobs", "refused without a reason", false},
        {"retry for ever", "bad_blobs", "perhaps it mends itself", false},
        {"crash on a bad document", "bad_documents", "while /observer of " ULID ":image:0 was missing",
         false},
        {"dawdle", "deadline", "its deadline is 1.0 s", true},
        {"leak memory", "memory", LEAK_WORDS, true},
        {"write a file", "writes", "villain.log in the working folder", false},
        {"write to home", "writes", ".villain in the home folder", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verdicts verdicts = run(VILLAIN, cases[i].vice, cases[i].only ? cases[i].check : NULL, 0);
        if (strcmp(verdicts.failed, cases[i].check) != 0 || !strstr(verdicts.words, cases[i].words))
            fail_msg("%s: %s: %s", cases[i].vice, verdicts.failed, verdicts.words);
    }
}

static void a_hang_ends_with_the_time_that_is_given(void **state) {
    (void)state;
    struct verdicts verdicts = run(VILLAIN, "hang on a bad document", "bad_documents", 5000);
    assert_string_equal(verdicts.failed, "bad_documents");
    assert_non_null(strstr(verdicts.words, "did not end within 5 s, while /observer"));
}

static void the_vices_of_site_stages_are_found(void **state) {
    (void)state;
    static const struct {
        const char *vice, *check, *words;
    } cases[] = {
        {"count deliveries", "redelivery", "/deliveries"},
        {"crash on a tombstone", "tombstones", "while the tombstone of"},
        {"save another position", "state", "restored \"0\""},
        {"insist on a folder", "state", "restore failed"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verdicts verdicts = run(VILLAIN_SITE, cases[i].vice, cases[i].check, 0);
        if (strcmp(verdicts.failed, cases[i].check) != 0 || !strstr(verdicts.words, cases[i].words))
            fail_msg("%s: %s: %s", cases[i].vice, verdicts.failed, verdicts.words);
    }
}

static void a_schema_that_takes_anything_is_found(void **state) {
    (void)state;
    struct verdicts verdicts = run(VILLAIN_OPEN, "none", "unknown_key", 0);
    assert_string_equal(verdicts.failed, "unknown_key");
}

static void without_samples_nothing_is_claimed(void **state) {
    (void)state;
    struct verdicts verdicts = {0};
    struct linnet_conformance_options options = {.path = VILLAIN, .report = on_result, .arg = &verdicts};
    size_t failed;
    assert_int_equal(linnet_conformance_run(&options, &failed, NULL), 0);
    assert_string_equal(verdicts.failed, "items");
    assert_int_equal(failed, 1);
    struct linnet_error err = {0};
    options.only = "no such check";
    assert_int_equal(linnet_conformance_run(&options, &failed, &err), LINNET_E_NOT_FOUND);
    options.path = "/nonexistent.so";
    assert_int_equal(linnet_conformance_run(&options, &failed, &err), LINNET_E_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_vice_everything_passes),
        cmocka_unit_test(last_digits_may_differ),
        cmocka_unit_test(every_vice_is_found),
        cmocka_unit_test(a_hang_ends_with_the_time_that_is_given),
        cmocka_unit_test(the_vices_of_site_stages_are_found),
        cmocka_unit_test(a_schema_that_takes_anything_is_found),
        cmocka_unit_test(without_samples_nothing_is_claimed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
