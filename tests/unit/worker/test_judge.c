/* Who is blamed for a child's death, and when a suspicion becomes a dead letter. */
#include "tests/unit/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/worker/suspects.h"

#define A "01JTB7K3M4N5P6Q7R8S9T0V1W2:image:a"
#define B "01JTB7K3M4N5P6Q7R8S9T0V1W2:image:b"

static const struct linnet_death fault = {LINNET_DEATH_FAULT, SIGSEGV, 10000},
                                 memory = {LINNET_DEATH_MEMORY, SIGKILL, 10000},
                                 deadline = {LINNET_DEATH_DEADLINE, SIGKILL, 10000},
                                 killed = {LINNET_DEATH_KILLED, SIGKILL, 10000},
                                 ended = {LINNET_DEATH_EXIT, 3, 10000};

/* A batch of these documents (ended by NULL), begun `age_ms` before the death. */
static struct linnet_inflight_batch batch_of(bool culprit, int64_t age_ms, const char *const *ids) {
    struct linnet_inflight_batch batch = {
        .started_ms = 10000 - age_ms, .deadline_ms = 4000, .culprit = culprit, .items = json_array()};
    snprintf(batch.stage, sizeof batch.stage, "normalize");
    memset(batch.fingerprint, 'f', 64);
    for (; *ids != NULL; ids++)
        json_array_append_new(batch.items,
                              json_pack("{s:s, s:[{s:s, s:s}]}", "id", *ids, "inputs", "id", *ids, "digest",
                                        "00000000000000000000000000000000000000000000000000000000000000aa"));
    return batch;
}

#define batch(culprit, age, ...) batch_of(culprit, age, (const char *const[]){__VA_ARGS__, NULL})

/* A suspect document as it stands, in `known`. */
static json_t *with(json_t *known, const char *document, int kills, int doubts) {
    char id[256];
    snprintf(id, sizeof id, "suspect:normalize:%s", document);
    json_object_set_new(
        known, id,
        json_pack("{s:s, s:s, s:i, s:i}", "_id", id, "_rev", "1-x", "kills", kills, "doubts", doubts));
    return known;
}

static const json_t *find(const json_t *documents, const char *kind, const char *document) {
    char id[256];
    size_t i;
    json_t *one;
    snprintf(id, sizeof id, "%s:normalize:%s", kind, document);
    json_array_foreach(documents, i, one) if (strcmp(linnet_json_string(one, "_id", ""), id) == 0) return one;
    return NULL;
}

static void counted(const json_t *documents, const char *document, int kills, int doubts) {
    const json_t *suspect = find(documents, "suspect", document);
    assert_non_null(suspect);
    assert_int_equal(linnet_json_integer(suspect, "kills", -1), kills);
    assert_int_equal(linnet_json_integer(suspect, "doubts", -1), doubts);
}

static void check(struct linnet_inflight_batch *batches, size_t n, const struct linnet_death *death,
                  json_t *known, json_t **out) {
    *out = linnet_suspects_judge(batches, n, death, known, "w");
    assert_non_null(*out);
    for (size_t i = 0; i < n; i++)
        linnet_inflight_batch_done(&batches[i]);
    json_decref(known);
}

static void a_fault_in_a_batchs_thread_blames_that_batch_alone(void **state) {
    (void)state;
    json_t *out;
    struct linnet_inflight_batch batches[] = {batch(false, 10, B), batch(true, 10, A)};
    check(batches, 2, &fault, json_object(), &out);
    assert_int_equal(json_array_size(out), 1);
    counted(out, A, 1, 0);
    json_decref(out);
}

static void a_second_kill_alone_is_a_dead_letter(void **state) {
    (void)state;
    json_t *out;
    struct linnet_inflight_batch batches[] = {batch(true, 10, A)};
    check(batches, 1, &fault, with(json_object(), A, 1, 0), &out);
    const json_t *dead = find(out, "deadletter", A), *gone = find(out, "suspect", A);
    assert_non_null(dead);
    assert_string_equal(linnet_json_string(dead, "class", ""), "crash");
    assert_int_equal(linnet_json_integer(dead, "attempts", 0), 2);
    assert_int_equal(strlen(linnet_json_string(dead, "fingerprint", "")), 64);
    assert_string_equal(linnet_json_string(dead, "inputs/0/id", ""), A);
    assert_string_equal(linnet_json_string(dead, "worker", ""), "w");
    assert_true(linnet_json_bool(gone, "_deleted", false));
    assert_string_equal(linnet_json_string(gone, "_rev", ""), "1-x");
    json_decref(out);
}

static void a_second_kill_in_company_is_not(void **state) {
    (void)state;
    json_t *out;
    struct linnet_inflight_batch batches[] = {batch(true, 10, A, B)};
    check(batches, 1, &fault, with(json_object(), A, 1, 0), &out);
    assert_null(find(out, "deadletter", A));
    counted(out, A, 2, 0);
    counted(out, B, 1, 0);
    json_decref(out);
}

static void a_fault_that_nobody_saw_is_a_doubt_for_all(void **state) {
    (void)state;
    json_t *out;
    struct linnet_inflight_batch batches[] = {batch(false, 10, A), batch(false, 10, B)};
    check(batches, 2, &fault, with(json_object(), A, 0, 1), &out);
    counted(out, A, 0, 2);
    counted(out, B, 0, 1);
    json_decref(out);
}

static void a_third_doubt_alone_is_a_dead_letter(void **state) {
    (void)state;
    json_t *out;
    struct linnet_inflight_batch batches[] = {batch(false, 10, A), batch(false, 10, B)};
    check(batches, 2, &memory, with(json_object(), A, 0, 2), &out);
    assert_non_null(find(out, "deadletter", A));
    assert_non_null(strstr(linnet_json_string(find(out, "deadletter", A), "reason", ""), "memory"));
    counted(out, B, 0, 1);
    json_decref(out);
}

static void what_ran_with_nothing_beside_it_did_it(void **state) {
    (void)state;
    json_t *out;
    struct linnet_inflight_batch batches[] = {batch(false, 10, A)};
    check(batches, 1, &ended, json_object(), &out);
    counted(out, A, 1, 0);
    json_decref(out);
}

static void memory_that_ran_out_is_never_sure(void **state) {
    (void)state;
    json_t *out;
    struct linnet_inflight_batch batches[] = {batch(false, 10, A)};
    check(batches, 1, &memory, json_object(), &out);
    counted(out, A, 0, 1);
    json_decref(out);
}

static void a_kill_from_outside_touches_only_what_was_slow(void **state) {
    (void)state;
    json_t *out;
    struct linnet_inflight_batch batches[] = {batch(false, LINNET_SUSPECT_PATIENCE_MS - 1, A),
                                              batch(false, LINNET_SUSPECT_PATIENCE_MS, B)};
    json_t *ids = linnet_suspects_ids(batches, 2, &killed);
    assert_int_equal(json_array_size(ids), 2); /* suspect and dead letter of the slow one */
    json_decref(ids);
    check(batches, 2, &killed, json_object(), &out);
    assert_int_equal(json_array_size(out), 1);
    counted(out, B, 0, 1);
    json_decref(out);
}

static void a_deadline_has_its_own_class(void **state) {
    (void)state;
    json_t *out;
    struct linnet_inflight_batch batches[] = {batch(true, 5000, A), batch(false, 5, B)};
    check(batches, 2, &deadline, with(json_object(), A, 1, 0), &out);
    assert_string_equal(linnet_json_string(find(out, "deadletter", A), "class", ""), "deadline");
    assert_null(find(out, "suspect", B));
    json_decref(out);
}

static void a_dead_letter_of_before_is_replaced(void **state) {
    (void)state;
    json_t *out, *known = with(json_object(), A, 1, 0);
    json_object_set_new(known, "deadletter:normalize:" A, json_pack("{s:s}", "_rev", "4-old"));
    struct linnet_inflight_batch batches[] = {batch(true, 10, A)};
    check(batches, 1, &fault, known, &out);
    assert_string_equal(linnet_json_string(find(out, "deadletter", A), "_rev", ""), "4-old");
    json_decref(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_in_a_batchs_thread_blames_that_batch_alone),
        cmocka_unit_test(a_second_kill_alone_is_a_dead_letter),
        cmocka_unit_test(a_second_kill_in_company_is_not),
        cmocka_unit_test(a_fault_that_nobody_saw_is_a_doubt_for_all),
        cmocka_unit_test(a_third_doubt_alone_is_a_dead_letter),
        cmocka_unit_test(what_ran_with_nothing_beside_it_did_it),
        cmocka_unit_test(memory_that_ran_out_is_never_sure),
        cmocka_unit_test(a_kill_from_outside_touches_only_what_was_slow),
        cmocka_unit_test(a_deadline_has_its_own_class),
        cmocka_unit_test(a_dead_letter_of_before_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
