/* linnet-reference in memory, the wanted fingerprints, and the gate of suspects: against a store. */
#include "tests/unit/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "tests/unit/worker/store.h"
#include "workers/worker/reference_loader.h"
#include "workers/worker/suspects.h"
#include "workers/worker/wanted.h"

#define FIRST  "0000000000000000000000000000000000000000000000000000000000000001"
#define SECOND "0000000000000000000000000000000000000000000000000000000000000002"

static uv_loop_t loop;
static struct linnet_couch *couch;
static char cache[64];
static struct linnet_references *snapshot;
static json_t *changed;
static int snapshots, failures;
static bool closed;

#define until(condition)                                                                                     \
    do {                                                                                                     \
        uv_timer_t bound_;                                                                                   \
        uv_timer_init(&loop, &bound_);                                                                       \
        uv_timer_start(&bound_, on_too_late, 15000, 0);                                                      \
        while (!(condition))                                                                                 \
            uv_run(&loop, UV_RUN_ONCE);                                                                      \
        uv_close((uv_handle_t *)&bound_, NULL);                                                              \
        uv_run(&loop, UV_RUN_NOWAIT);                                                                        \
    } while (0)

static void on_too_late(uv_timer_t *timer) {
    (void)timer;
    fail_msg("not within 15 s");
}

static void on_closed(void *arg) {
    (void)arg;
    closed = true;
}

static int set_up(void **state) {
    (void)state;
    struct linnet_error err;
    store_fresh();
    snprintf(cache, sizeof cache, "/tmp/linnet-cache-XXXXXX");
    assert_non_null(mkdtemp(cache));
    uv_loop_init(&loop);
    struct linnet_couch_options options = {.url = store_url(), .prefix = store_prefix()};
    assert_int_equal(linnet_couch_open(&loop, &options, &couch, &err), 0);
    snapshots = failures = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    linnet_couch_close(couch, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    linnet_references_unref(snapshot);
    snapshot = NULL;
    json_decref(changed);
    changed = NULL;
    snprintf(command, sizeof command, "rm -rf %s", cache);
    return system(command);
}

/* ---- the loader ---- */

static void on_loaded(void *arg, struct linnet_references *references, const json_t *ids) {
    (void)arg;
    linnet_references_unref(snapshot);
    snapshot = linnet_references_ref(references);
    json_decref(changed);
    changed = json_deep_copy(ids);
    snapshots++;
}

static void on_failed(void *arg, const char *detail) {
    (void)arg, (void)detail;
    failures++;
}

static struct linnet_reference_loader *open_loader(void) {
    struct linnet_reference_loader *loader;
    struct linnet_error err = {0};
    struct linnet_reference_loader_options options = {.loop = &loop,
                                                      .couch = couch,
                                                      .cache_dir = cache,
                                                      .quiet_ms = 50,
                                                      .loaded = on_loaded,
                                                      .failed = on_failed};
    if (linnet_reference_loader_open(&options, &loader, &err) != 0) fail_msg("%s", err.detail);
    return loader;
}

static void close_loader(struct linnet_reference_loader *loader) {
    closed = false;
    linnet_reference_loader_close(loader, on_closed, NULL);
    until(closed);
}

static json_t *taxon(const char *id, const char *name, const char *rank) {
    return json_pack("{s:s, s:s, s:s, s:s}", "_id", id, "kind", "taxon", "scientificName", name, "taxonRank",
                     rank);
}

static json_t *model(const char *id, const char *bytes) {
    json_t *document = json_pack("{s:s, s:s, s:s}", "_id", id, "kind", "model", "name", "m");
    assert_int_equal(
        linnet_couch_attach(document, "model.onnx", "application/octet-stream", bytes, strlen(bytes)), 0);
    return document;
}

static void expect_file(const char *id, const char *bytes) {
    char text[64] = "";
    const char *path = linnet_references_file(snapshot, id, "model.onnx");
    assert_non_null(path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_int_equal(n, strlen(bytes));
    assert_string_equal(text, bytes);
}

static void a_snapshot_holds_documents_and_files(void **state) {
    (void)state;
    store_put(LINNET_DB_REFERENCE, taxon("taxon:1", "Quercus", "genus"));
    store_put(LINNET_DB_REFERENCE, json_pack("{s:s, s:s}", "_id", "skill:ann", "kind", "skill"));
    store_put(LINNET_DB_REFERENCE, model("model:m@1", "the first model"));
    struct linnet_reference_loader *loader = open_loader();
    until(snapshots == 1);
    assert_null(changed);
    assert_int_equal(linnet_taxonomy_size(linnet_references_taxonomy(snapshot)), 1);
    assert_null(linnet_references_get(snapshot, "skill:ann"));
    assert_non_null(linnet_reference_loader_get(loader, "taxon:1"));
    expect_file("model:m@1", "the first model");
    close_loader(loader);
}

static void changes_make_a_new_snapshot_that_says_what_changed(void **state) {
    (void)state;
    store_put(LINNET_DB_REFERENCE, taxon("taxon:1", "Quercus", "genus"));
    struct linnet_reference_loader *loader = open_loader();
    until(snapshots == 1);
    struct linnet_references *first = linnet_references_ref(snapshot);
    store_put(LINNET_DB_REFERENCE, taxon("taxon:2", "Quercus robur", "species"));
    until(snapshots == 2);
    assert_int_equal(json_array_size(changed), 1);
    assert_string_equal(json_string_value(json_array_get(changed, 0)), "taxon:2");
    assert_int_equal(linnet_taxonomy_size(linnet_references_taxonomy(snapshot)), 2);
    assert_int_equal(linnet_taxonomy_size(linnet_references_taxonomy(first)),
                     1); /* whoever has it keeps it */
    linnet_references_unref(first);
    json_t *gone = store_get(LINNET_DB_REFERENCE, "taxon:2");
    json_object_set_new(gone, "_deleted", json_true());
    store_put(LINNET_DB_REFERENCE, gone);
    until(snapshots == 3);
    assert_null(linnet_references_get(snapshot, "taxon:2"));
    store_put(LINNET_DB_REFERENCE, json_pack("{s:s, s:s}", "_id", "skill:ann", "kind", "skill"));
    store_put(LINNET_DB_REFERENCE, taxon("taxon:3", "Fagus", "genus"));
    until(snapshots == 4);
    assert_int_equal(json_array_size(changed), 1);
    close_loader(loader);
}

static void only_models_in_use_are_fetched(void **state) {
    (void)state;
    store_put(LINNET_DB_REFERENCE, model("model:m@1", "the first model"));
    store_put(LINNET_DB_REFERENCE, model("model:m@2", "the second model"));
    store_put(LINNET_DB_REFERENCE, json_pack("{s:s, s:s, s:s, s:s, s:s}", "_id", "wanted:convnet", "kind",
                                             "wanted", "stage", "convnet", "model", "m@1", "policy", "new"));
    struct linnet_reference_loader *loader = open_loader();
    until(snapshots == 1);
    expect_file("model:m@1", "the first model");
    assert_null(linnet_references_file(snapshot, "model:m@2", "model.onnx"));
    store_put(LINNET_DB_REFERENCE, json_pack("{s:s, s:s, s:s, s:s, s:s}", "_id", "wanted:convnet", "kind",
                                             "wanted", "stage", "convnet", "model", "m@2", "policy", "new"));
    until(snapshots == 2);
    expect_file("model:m@2", "the second model");
    close_loader(loader);
}

static void a_backbone_with_a_cycle_keeps_the_snapshot_before(void **state) {
    (void)state;
    store_put(LINNET_DB_REFERENCE, taxon("taxon:1", "Quercus", "genus"));
    struct linnet_reference_loader *loader = open_loader();
    until(snapshots == 1);
    json_t *own_parent = taxon("taxon:1", "Quercus", "genus");
    json_object_set_new(own_parent, "parentNameUsageID", json_string("taxon:1"));
    store_put(LINNET_DB_REFERENCE, own_parent);
    until(failures == 1);
    assert_int_equal(snapshots, 1);
    store_put(LINNET_DB_REFERENCE, taxon("taxon:1", "Quercus", "genus"));
    until(snapshots == 2);
    assert_int_equal(json_array_size(changed), 1); /* what the failed one knew is not forgotten */
    close_loader(loader);
}

/* ---- what is wanted ---- */

static void on_adopted(void *arg) {
    ++*(int *)arg;
}

static struct linnet_wanted *stage_with(const char *fingerprint, int *adopted) {
    struct linnet_wanted *wanted;
    assert_int_equal(linnet_wanted_new(couch, "convnet", fingerprint, on_adopted, adopted, &wanted), 0);
    return wanted;
}

static void the_first_is_adopted_and_another_stands_by(void **state) {
    (void)state;
    int adopted = 0;
    struct linnet_wanted *first = stage_with(FIRST, &adopted), *second = stage_with(SECOND, &adopted);
    assert_true(linnet_wanted_standby(first));
    linnet_wanted_review(first, NULL);
    assert_true(linnet_wanted_standby(first)); /* until CouchDB has taken it */
    until(adopted == 1);
    assert_false(linnet_wanted_standby(first));
    json_t *document = store_get(LINNET_DB_REFERENCE, "wanted:convnet");
    assert_string_equal(linnet_json_string(document, "fingerprint", ""), FIRST);
    assert_string_equal(linnet_json_string(document, "policy", ""), "new");
    linnet_wanted_review(second, document);
    assert_true(linnet_wanted_standby(second));
    assert_non_null(strstr(linnet_wanted_why(second), "convnet"));
    linnet_wanted_free(second);
    linnet_wanted_free(first);
    json_decref(document);
}

static void who_comes_late_to_adopt_does_not_overwrite(void **state) {
    (void)state;
    int adopted = 0;
    struct linnet_wanted *first = stage_with(FIRST, &adopted), *second = stage_with(SECOND, &adopted);
    linnet_wanted_review(first, NULL);
    until(adopted == 1);
    linnet_wanted_review(second, NULL); /* an old snapshot */
    json_t *document = NULL;
    for (int i = 0; i < 50; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    document = store_get(LINNET_DB_REFERENCE, "wanted:convnet");
    assert_string_equal(linnet_json_string(document, "fingerprint", ""), FIRST);
    assert_true(linnet_wanted_standby(second));
    linnet_wanted_free(second); /* with its write under way, perhaps */
    linnet_wanted_free(first);
    json_decref(document);
}

static void a_newly_wanted_model_is_adopted_with_its_policy(void **state) {
    (void)state;
    int adopted = 0;
    store_put(LINNET_DB_REFERENCE,
              json_pack("{s:s, s:s, s:s, s:s, s:s}", "_id", "wanted:convnet", "kind", "wanted", "stage",
                        "convnet", "model", "m@2", "policy", "backfill"));
    json_t *document = store_get(LINNET_DB_REFERENCE, "wanted:convnet");
    struct linnet_wanted *wanted = stage_with(SECOND, &adopted);
    linnet_wanted_review(wanted, document);
    json_decref(document);
    until(adopted == 1);
    assert_int_equal(linnet_wanted_policy(wanted), LINNET_POLICY_BACKFILL);
    document = store_get(LINNET_DB_REFERENCE, "wanted:convnet");
    assert_string_equal(linnet_json_string(document, "fingerprint", ""), SECOND);
    assert_string_equal(linnet_json_string(document, "model", ""), "m@2");
    assert_string_equal(linnet_json_string(document, "policy", ""), "backfill");
    assert_false(linnet_wanted_review(wanted, document));
    json_decref(document);
    linnet_wanted_free(wanted);
}

/* ---- the gate ---- */

#define DOCUMENT "01JTB7K3M4N5P6Q7R8S9T0V1W2:image:a"

static void on_refreshed(void *arg, int error, const char *detail) {
    if (error != 0) fail_msg("%s", detail);
    *(bool *)arg = true;
}

struct passing {
    struct linnet_suspects *suspects;
    const char *document;
    atomic_int *inside, *most;
    int rounds;
};

/* Batches pass the gate; the doubted one must find nobody inside. */
static void *pass(void *arg) {
    struct passing *passing = arg;
    struct linnet_doc doc = {.id = passing->document, .kind = "image"};
    struct linnet_item item = {.docs = &doc, .ndocs = 1};
    const struct linnet_item *items[] = {&item};
    for (int i = 0; i < passing->rounds; i++) {
        int passed = linnet_suspects_enter(passing->suspects, "normalize", items, 1);
        int now = atomic_fetch_add(passing->inside, 1) + 1, most = atomic_load(passing->most);
        while (now > most && !atomic_compare_exchange_weak(passing->most, &most, now)) {
        }
        if (strcmp(passing->document, DOCUMENT) == 0 && now != 1) atomic_store(passing->most, -1000000);
        for (volatile int spin = 0; spin < 2000; spin++) {
        }
        if (strcmp(passing->document, DOCUMENT) == 0 && atomic_load(passing->inside) != 1)
            atomic_store(passing->most, -1000000);
        atomic_fetch_sub(passing->inside, 1);
        linnet_suspects_leave(passing->suspects, passed);
    }
    return NULL;
}

static void what_is_doubted_runs_with_nothing_beside_it(void **state) {
    (void)state;
    struct linnet_suspects *suspects;
    bool refreshed = false;
    store_put(LINNET_DB_OPS, json_pack("{s:s, s:s, s:s, s:i, s:i}", "_id", "suspect:normalize:" DOCUMENT,
                                       "kind", "suspect", "stage", "normalize", "kills", 0, "doubts", 1));
    assert_int_equal(linnet_suspects_open(couch, &suspects), 0);
    assert_int_equal(linnet_suspects_refresh(suspects, on_refreshed, &refreshed), 0);
    until(refreshed);
    assert_true(linnet_suspects_has(suspects, "normalize", DOCUMENT));
    assert_false(linnet_suspects_has(suspects, "fusion", DOCUMENT));
    atomic_int inside = 0, most = 0;
    struct passing passing[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        passing[i] = (struct passing){suspects, i == 0 ? DOCUMENT : "01JTB7K3M4N5P6Q7R8S9T0V1W2:image:b",
                                      &inside, &most, 2000};
        assert_int_equal(pthread_create(&threads[i], NULL, pass, &passing[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_true(atomic_load(&most) >= 1); /* and never spoilt by company of the doubted one */
    linnet_suspects_cleared(suspects, "normalize", DOCUMENT);
    assert_false(linnet_suspects_has(suspects, "normalize", DOCUMENT));
    closed = false;
    linnet_suspects_close(suspects, on_closed, NULL);
    until(closed);
}

static bool is_past(void *arg, const char *stage, const char *document, int64_t age_ms) {
    (void)arg, (void)age_ms;
    assert_string_equal(stage, "normalize");
    return strcmp(document, DOCUMENT) == 0;
}

static void suspicions_that_are_over_are_swept(void **state) {
    (void)state;
    struct linnet_suspects *suspects;
    bool refreshed = false;
    static const char *const ids[] = {"suspect:normalize:" DOCUMENT,
                                      "suspect:normalize:01JTB7K3M4N5P6Q7R8S9T0V1W2:image:b"};
    for (int i = 0; i < 2; i++)
        store_put(LINNET_DB_OPS, json_pack("{s:s, s:s, s:i}", "_id", ids[i], "kind", "suspect", "kills", 1));
    assert_int_equal(linnet_suspects_open(couch, &suspects), 0);
    linnet_suspects_refresh(suspects, on_refreshed, &refreshed);
    until(refreshed);
    assert_int_equal(linnet_suspects_count(suspects), 2);
    linnet_suspects_sweep(suspects, is_past, NULL);
    do {
        refreshed = false;
        linnet_suspects_refresh(suspects, on_refreshed, &refreshed);
        until(refreshed);
    } while (linnet_suspects_count(suspects) == 2);
    assert_int_equal(linnet_suspects_count(suspects), 1);
    assert_false(linnet_suspects_has(suspects, "normalize", DOCUMENT));
    closed = false;
    linnet_suspects_close(suspects, on_closed, NULL);
    until(closed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_snapshot_holds_documents_and_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_make_a_new_snapshot_that_says_what_changed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(only_models_in_use_are_fetched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_backbone_with_a_cycle_keeps_the_snapshot_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_is_adopted_and_another_stands_by, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_comes_late_to_adopt_does_not_overwrite, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_newly_wanted_model_is_adopted_with_its_policy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_doubted_runs_with_nothing_beside_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(suspicions_that_are_over_are_swept, set_up, tear_down),
    };
    linnet_log_setup(getenv("LINNET_TEST_LOG") ? LINNET_DEBUG : LINNET_ERROR, 1, 2);
    if (!store_open()) return 77;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    store_close();
    return failed;
}
