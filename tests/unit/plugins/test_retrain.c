/* The retrain stage: each rule by a crowd that just meets it, once, and never again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/plugins/fake_host.h"

static struct fake_host *host_with(const char *config, const char *state) {
    struct fake_host *host = fake_host_load(PLUGIN_PATH);
    const char *taxa[][4] = {{"taxon:g", "Rosa", "genus", NULL},
                             {"taxon:a", "Rosa alba", "species", "taxon:g"},
                             {"taxon:b", "Rosa bella", "species", "taxon:g"}};
    for (size_t i = 0; i < 3; i++)
        fake_host_reference(host, json_pack("{s:s, s:s, s:s, s:s, s:s?}", "_id", taxa[i][0], "kind", "taxon",
                                            "scientificName", taxa[i][1], "taxonRank", taxa[i][2],
                                            "parentNameUsageID", taxa[i][3]));
    fake_host_reference(host, json_pack("{s:s, s:s, s:s, s:s}", "_id", "wanted:convnet", "kind", "wanted",
                                        "stage", "convnet", "model", "m@1"));
    fake_host_reference(host, json_pack("{s:s, s:s, s:s, s:s}", "_id", "model:m@1", "kind", "model", "name",
                                        "m", "version", "1"));
    if (state) fake_host_state_dir(host, state);
    fake_host_set_now(host, 1000);
    assert_int_equal(fake_host_open(host, json_loads(config, 0, NULL)), 0);
    assert_int_equal(fake_host_tick(host), 0); /* takes the baseline */
    return host;
}

static void send_doc(struct fake_host *host, const char *obs, json_t *document) {
    struct fake_item *item = fake_item_new(obs);
    assert_non_null(document);
    fake_item_doc(item, document);
    assert_int_equal(fake_host_process(host, item), 0);
    assert_int_equal(item->verdict, LINNET_OK);
    fake_item_free(item);
}

static const char *id_of(const char *obs, const char *rest, char out[128]) {
    snprintf(out, 128, "%s:%s", obs, rest);
    return out;
}

/* An observation with two pictures, its consensus, the model's word, and one vote. */
static void add(struct fake_host *host, int i, const char *taxon, const char *machine, bool valid,
                bool shown) {
    char obs[27], id[128], a[65], b[65];
    snprintf(obs, sizeof obs, "01JD00000000000000000%05d", i);
    snprintf(a, sizeof a, "%064d", 2 * i);
    snprintf(b, sizeof b, "%064d", 2 * i + 1);
    send_doc(host, obs,
             json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}, {s:s}]}", "_id", id_of(obs, "observation", id), "kind",
                       "observation", "observer", "ann", "views", "image", a, "organ", "leaf", "image", b));
    send_doc(host, obs,
             json_pack("{s:s, s:s, s:s, s:[{s:s, s:f}]}", "_id", id_of(obs, "identification", id), "kind",
                       "identification", "model", "m@1", "species", "taxon", machine, "score", 0.8));
    send_doc(host, obs,
             json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:b, s:i, s:s}}", "_id",
                       id_of(obs, "validation:bob", id), "kind", "validation", "user", "bob", "vote", "taxon",
                       "taxon", taxon, "suggested", "shown", shown, "rank", 1, "model", "m@1"));
    send_doc(host, obs,
             json_pack("{s:s, s:s, s:s, s:b}", "_id", id_of(obs, "consensus", id), "kind", "consensus",
                       "taxon", taxon, "valid", valid));
}

static size_t raised(struct fake_host *host, const struct fake_output **outputs) {
    size_t n;
    assert_int_equal(fake_host_tick(host), 0);
    *outputs = fake_host_outputs(host, &n);
    return n;
}

#define QUIET "\"new_valid\":0,\"species\":0,\"agreement\":0"

static void enough_new_valid_observations_raise_one_request_with_its_manifest(void **state) {
    (void)state;
    struct fake_host *host = host_with("{\"new_valid\":3,\"species\":0,\"agreement\":0}", NULL);
    const struct fake_output *outputs;
    add(host, 1, "taxon:a", "taxon:a", true, false);
    add(host, 2, "taxon:a", "taxon:a", true, false);
    add(host, 3, "taxon:b", "taxon:b", false, false);
    add(host, 4, "taxon:g", "taxon:b", true, false); /* a genus is nothing to train a species on */
    assert_int_equal(raised(host, &outputs), 0);
    add(host, 2, "taxon:a", "taxon:a", true, false); /* the same documents again count once */
    assert_int_equal(raised(host, &outputs), 0);
    add(host, 5, "taxon:b", "taxon:b", true, false);
    assert_int_equal(raised(host, &outputs), 1);
    assert_string_equal(outputs[0].kind, "retraining");
    assert_string_equal(outputs[0].qualifier, "new_valid:m@1");
    assert_non_null(strstr(json_string_value(json_object_get(outputs[0].document, "why")), "3 new valid"));
    assert_int_equal(outputs[0].nblobs, 1);
    char *manifest = calloc(1, outputs[0].blobs[0].size + 1);
    memcpy(manifest, outputs[0].blobs[0].data, outputs[0].blobs[0].size);
    size_t lines = 0;
    for (const char *c = manifest; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 7); /* a header and two pictures of each */
    assert_non_null(strstr(manifest, ",leaf,taxon:b,\"Rosa bella\",\"ann\"\n"));
    free(manifest);
    add(host, 6, "taxon:b", "taxon:b", true, false);
    assert_int_equal(raised(host, &outputs), 1); /* still the one */
    fake_host_free(host);
}

static void species_that_come_to_enough_pictures_raise_a_request(void **state) {
    (void)state;
    struct fake_host *host = host_with("{\"new_valid\":0,\"species\":2,\"images\":4,\"agreement\":0}", NULL);
    const struct fake_output *outputs;
    add(host, 1, "taxon:a", "taxon:a", true, false);
    add(host, 2, "taxon:a", "taxon:a", true, false);
    add(host, 3, "taxon:b", "taxon:b", true, false);
    assert_int_equal(raised(host, &outputs), 0);
    add(host, 4, "taxon:b", "taxon:b", true, false);
    assert_int_equal(raised(host, &outputs), 1);
    assert_string_equal(outputs[0].qualifier, "species:m@1");
    fake_host_free(host);
}

static void agreement_is_judged_on_votes_without_a_suggestion(void **state) {
    (void)state;
    struct fake_host *host =
        host_with("{\"new_valid\":0,\"species\":0,\"agreement\":0.8,\"agreement_least\":4}", NULL);
    const struct fake_output *outputs;
    for (int i = 1; i <= 4; i++)
        add(host, i, "taxon:a", "taxon:b", true, true); /* suggested: tells nothing */
    assert_int_equal(raised(host, &outputs), 0);
    for (int i = 5; i <= 7; i++)
        add(host, i, "taxon:a", "taxon:a", true, false);
    assert_int_equal(raised(host, &outputs), 0);
    add(host, 8, "taxon:a", "taxon:b", true, false); /* 3 of 4 agree: 75% */
    assert_int_equal(raised(host, &outputs), 1);
    assert_string_equal(outputs[0].qualifier, "agreement:m@1");
    assert_non_null(strstr(json_string_value(json_object_get(outputs[0].document, "why")), "75.0%"));
    fake_host_free(host);
}

static void the_schedule_asks_once_a_period(void **state) {
    (void)state;
    struct fake_host *host = host_with("{" QUIET ",\"every_days\":7}", NULL);
    const struct fake_output *outputs;
    int64_t day = INT64_C(86400000);
    fake_host_set_now(host, 6 * day);
    assert_int_equal(raised(host, &outputs), 0);
    fake_host_set_now(host, 7 * day + 2000);
    assert_int_equal(raised(host, &outputs), 1);
    assert_int_equal(raised(host, &outputs), 1);
    fake_host_set_now(host, 14 * day + 2000);
    assert_int_equal(raised(host, &outputs), 2);
    assert_string_equal(outputs[1].qualifier, "schedule:m@1:2");
    fake_host_free(host);
}

static void a_restart_raises_nothing_again(void **state) {
    (void)state;
    char folder[] = "/tmp/linnet-retrain-XXXXXX";
    assert_non_null(mkdtemp(folder));
    const char *config = "{\"new_valid\":2,\"species\":0,\"agreement\":0}";
    struct fake_host *host = host_with(config, folder);
    const struct fake_output *outputs;
    add(host, 1, "taxon:a", "taxon:a", true, false);
    add(host, 2, "taxon:a", "taxon:a", true, false);
    assert_int_equal(raised(host, &outputs), 1);
    assert_int_equal(fake_host_snapshot(host, "7-abc"), 0);
    fake_host_free(host);
    host = fake_host_load(PLUGIN_PATH);
    fake_host_free(host);
    host = host_with(config, folder);
    char *position = fake_host_restore(host);
    assert_string_equal(position, "7-abc");
    free(position);
    add(host, 3, "taxon:a", "taxon:a", true, false);
    assert_int_equal(raised(host, &outputs), 0);
    fake_host_free(host);
    char path[128];
    snprintf(path, sizeof path, "%s/tally.jsonl", folder);
    unlink(path);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enough_new_valid_observations_raise_one_request_with_its_manifest),
        cmocka_unit_test(species_that_come_to_enough_pictures_raise_a_request),
        cmocka_unit_test(agreement_is_judged_on_votes_without_a_suggestion),
        cmocka_unit_test(the_schedule_asks_once_a_period),
        cmocka_unit_test(a_restart_raises_nothing_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
