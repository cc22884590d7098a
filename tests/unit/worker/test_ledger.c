/* The low-water mark, the revisions that are known, and the tables. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"
#include "workers/worker/known.h"
#include "workers/worker/ledger.h"
#include "workers/worker/table.h"

static void expect_low(const struct linnet_ledger *ledger, const char *seq) {
    const char *low = linnet_ledger_low(ledger);
    if (seq)
        assert_string_equal(low ? low : "(null)", seq);
    else
        assert_null(low);
}

static void the_mark_starts_where_it_was_told_to(void **state) {
    (void)state;
    struct linnet_ledger ledger;
    assert_int_equal(linnet_ledger_init(&ledger, ""), 0);
    expect_low(&ledger, NULL);
    linnet_ledger_done(&ledger);
    assert_int_equal(linnet_ledger_init(&ledger, "7-abc"), 0);
    expect_low(&ledger, "7-abc");
    linnet_ledger_done(&ledger);
}

static void passed_changes_move_the_mark_when_nothing_waits(void **state) {
    (void)state;
    struct linnet_ledger ledger;
    linnet_ledger_init(&ledger, NULL);
    linnet_ledger_pass(&ledger, "1");
    linnet_ledger_pass(&ledger, "2");
    expect_low(&ledger, "2");
    assert_int_equal(ledger.span, 0);
    linnet_ledger_done(&ledger);
}

static void the_mark_stays_below_what_is_unanswered(void **state) {
    (void)state;
    struct linnet_ledger ledger;
    linnet_ledger_init(&ledger, NULL);
    linnet_ledger_pass(&ledger, "1");
    struct linnet_entry *a = linnet_ledger_add(&ledger, "2");
    linnet_ledger_pass(&ledger, "3");
    struct linnet_entry *b = linnet_ledger_add(&ledger, "4");
    linnet_ledger_pass(&ledger, "5");
    struct linnet_entry *c = linnet_ledger_add(&ledger, "6");
    assert_int_equal(ledger.span, 5);
    assert_int_equal(ledger.unanswered, 3);
    linnet_ledger_answer(b);
    expect_low(&ledger, "1");
    linnet_ledger_answer(a);
    expect_low(&ledger, "5"); /* a, the passed 3, b and the passed 5 */
    assert_int_equal(ledger.span, 1);
    linnet_ledger_answer(c);
    expect_low(&ledger, "6");
    assert_int_equal(ledger.span, 0);
    linnet_ledger_done(&ledger);
}

static void a_change_with_two_holders_waits_for_both(void **state) {
    (void)state;
    struct linnet_ledger ledger;
    linnet_ledger_init(&ledger, NULL);
    linnet_ledger_pass(&ledger, "1");
    struct linnet_entry *entry = linnet_ledger_add(&ledger, "2");
    linnet_ledger_hold(entry);
    linnet_ledger_answer(entry);
    expect_low(&ledger, "1");
    assert_int_equal(ledger.unanswered, 1);
    linnet_ledger_answer(entry);
    expect_low(&ledger, "2");
    assert_int_equal(ledger.unanswered, 0);
    linnet_ledger_done(&ledger);
}

static void seqs_of_any_length_are_kept_whole(void **state) {
    (void)state;
    struct linnet_ledger ledger;
    char seq[700];
    linnet_ledger_init(&ledger, NULL);
    for (size_t n = 1; n < sizeof(seq); n += 7) {
        memset(seq, 'x', n);
        seq[n] = '\0';
        linnet_ledger_answer(linnet_ledger_add(&ledger, seq));
        expect_low(&ledger, seq);
    }
    linnet_ledger_done(&ledger);
}

/* Against a model: all changes in an array, the mark found by looking. */
static void any_order_of_answers_gives_the_same_mark_as_looking(void **state) {
    (void)state;
    enum { N = 4000 };
    static struct linnet_entry *entries[N];
    static bool answered[N];
    struct linnet_ledger ledger;
    char seq[16];
    size_t told = 0, first = 0;
    linnet_ledger_init(&ledger, NULL);
    srand(7);
    memset(answered, 0, sizeof(answered));
    for (size_t step = 0; step < 4 * N; step++) {
        if (told < N && rand() % 2) {
            snprintf(seq, sizeof(seq), "%zu", told);
            entries[told] = rand() % 3 ? linnet_ledger_add(&ledger, seq) : NULL;
            if (!entries[told]) {
                linnet_ledger_pass(&ledger, seq);
                answered[told] = true;
            }
            told++;
        } else if (told) {
            size_t i = first + (size_t)rand() % (told - first + 1);
            if (i < told && !answered[i]) {
                linnet_ledger_answer(entries[i]);
                answered[i] = true;
            }
        }
        while (first < told && answered[first])
            first++;
        snprintf(seq, sizeof(seq), "%zu", first - 1);
        expect_low(&ledger, first ? seq : NULL);
        assert_int_equal(ledger.span, told - first);
    }
    linnet_ledger_done(&ledger);
}

static void entries_that_still_wait_are_freed_at_the_end(void **state) {
    (void)state;
    struct linnet_ledger ledger;
    linnet_ledger_init(&ledger, "0");
    linnet_ledger_add(&ledger, "1");
    linnet_ledger_answer(linnet_ledger_add(&ledger, "2"));
    linnet_ledger_done(&ledger);
}

static void the_oldest_is_the_first_that_waits(void **state) {
    (void)state;
    struct linnet_ledger ledger;
    linnet_ledger_init(&ledger, "0");
    assert_int_equal(linnet_ledger_oldest(&ledger), -1);
    struct linnet_entry *a = linnet_ledger_add(&ledger, "1"), *b = linnet_ledger_add(&ledger, "2");
    a->since = 10;
    b->since = 20;
    assert_int_equal(linnet_ledger_oldest(&ledger), 10);
    linnet_ledger_answer(a);
    assert_int_equal(linnet_ledger_oldest(&ledger), 20);
    linnet_ledger_done(&ledger);
}

/* ---- known ---- */

static void the_newest_revisions_are_known_and_the_oldest_forgotten(void **state) {
    (void)state;
    struct linnet_known known;
    char id[32];
    assert_int_equal(linnet_known_init(&known, 64, 16), 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof(id), "doc%d", i);
        linnet_known_add(&known, linnet_known_key_one(id, "1-a"));
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(id, sizeof(id), "doc%d", i);
        assert_int_equal(linnet_known_has(&known, linnet_known_key_one(id, "1-a")), i >= 1000 - 64);
        assert_false(linnet_known_has(&known, linnet_known_key_one(id, "2-a")));
    }
    linnet_known_clear(&known);
    assert_false(linnet_known_has(&known, linnet_known_key_one("doc999", "1-a")));
    linnet_known_done(&known);
}

/* Behind a backlog the feed tells own writes long after the newest of everything else has been replaced. */
static void what_was_written_is_known_until_the_feed_has_told_it(void **state) {
    (void)state;
    struct linnet_known known;
    assert_int_equal(linnet_known_init(&known, 16, 1000), 0);
    for (uint64_t key = 1; key <= 1000; key++)
        linnet_known_await(&known, key << 32 | key);
    for (uint64_t key = 1; key <= 1000; key++)
        linnet_known_add(&known, key << 32);
    for (uint64_t key = 1; key <= 1000; key++) {
        assert_true(linnet_known_tell(&known, key << 32 | key));
        assert_true(linnet_known_tell(&known, key << 32 | key)); /* by another feed */
    }
    for (uint64_t key = 1; key <= 1000; key++) /* from now on as all others */
        assert_int_equal(linnet_known_has(&known, key << 32 | key), key > 1000 - 16);
    linnet_known_done(&known);
}

static void what_is_awaited_is_bounded_and_the_first_of_it_kept(void **state) {
    (void)state;
    struct linnet_known known;
    assert_int_equal(linnet_known_init(&known, 16, 100), 0);
    for (uint64_t key = 1; key <= 1000; key++)
        linnet_known_await(&known, key);
    for (uint64_t key = 1; key <= 1000; key++)
        assert_int_equal(linnet_known_has(&known, key), key <= 100 || key > 1000 - 16);
    linnet_known_done(&known);
}

static void what_has_not_come_by_the_second_end_of_the_feed_is_forgotten(void **state) {
    (void)state;
    struct linnet_known known;
    assert_int_equal(linnet_known_init(&known, 16, 100), 0);
    linnet_known_await(&known, 7);
    linnet_known_caught_up(&known);
    linnet_known_await(&known, 8);
    assert_true(linnet_known_has(&known, 7));
    linnet_known_caught_up(&known);
    assert_false(linnet_known_has(&known, 7));
    assert_true(linnet_known_tell(&known, 8));
    linnet_known_caught_up(&known);
    assert_true(linnet_known_has(&known, 8));
    linnet_known_done(&known);
}

static void a_set_of_leaves_is_another_revision_than_one_of_them(void **state) {
    (void)state;
    const char *one[] = {"2-a"}, *two[] = {"2-a", "2-b"}, *swapped[] = {"2-b", "2-a"},
               *three[] = {"2-a", "2-b", "2-c"}, *turned[] = {"2-a", "2-c", "2-b"};
    assert_true(linnet_known_key("d", one, 1) == linnet_known_key_one("d", "2-a"));
    assert_true(linnet_known_key("d", one, 1) != linnet_known_key("d", two, 2));
    assert_true(linnet_known_key("d", two, 2) != linnet_known_key("d", swapped, 2));
    assert_true(linnet_known_key("d", two, 2) != linnet_known_key("d", three, 3));
    assert_true(linnet_known_key("d", three, 3) == linnet_known_key("d", turned, 3));
    assert_true(linnet_known_key("d", one, 1) != linnet_known_key("e", one, 1));
}

/* ---- tables ---- */

static const char *itself(const void *value) {
    return value;
}

static void what_is_put_is_found_until_it_is_taken(void **state) {
    (void)state;
    enum { N = 3000 };
    static char keys[N][16];
    bool in[N] = {false};
    size_t count = 0;
    struct linnet_table table;
    linnet_table_init(&table, itself);
    srand(11);
    for (int i = 0; i < N; i++)
        snprintf(keys[i], sizeof(keys[i]), "key%d", i);
    for (int step = 0; step < 20 * N; step++) {
        int i = rand() % N;
        if (in[i]) {
            assert_ptr_equal(linnet_table_take(&table, keys[i]), keys[i]);
            count--;
        } else {
            assert_null(linnet_table_take(&table, keys[i]));
            assert_int_equal(linnet_table_put(&table, keys[i]), 0);
            count++;
        }
        in[i] = !in[i];
        assert_int_equal(table.count, count);
    }
    for (int i = 0; i < N; i++)
        assert_ptr_equal(linnet_table_get(&table, keys[i]), in[i] ? keys[i] : NULL);
    size_t at = 0, walked = 0;
    while (linnet_table_next(&table, &at))
        walked++;
    assert_int_equal(walked, count);
    linnet_table_done(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mark_starts_where_it_was_told_to),
        cmocka_unit_test(passed_changes_move_the_mark_when_nothing_waits),
        cmocka_unit_test(the_mark_stays_below_what_is_unanswered),
        cmocka_unit_test(a_change_with_two_holders_waits_for_both),
        cmocka_unit_test(seqs_of_any_length_are_kept_whole),
        cmocka_unit_test(any_order_of_answers_gives_the_same_mark_as_looking),
        cmocka_unit_test(entries_that_still_wait_are_freed_at_the_end),
        cmocka_unit_test(the_oldest_is_the_first_that_waits),
        cmocka_unit_test(the_newest_revisions_are_known_and_the_oldest_forgotten),
        cmocka_unit_test(what_was_written_is_known_until_the_feed_has_told_it),
        cmocka_unit_test(what_is_awaited_is_bounded_and_the_first_of_it_kept),
        cmocka_unit_test(what_has_not_come_by_the_second_end_of_the_feed_is_forgotten),
        cmocka_unit_test(a_set_of_leaves_is_another_revision_than_one_of_them),
        cmocka_unit_test(what_is_put_is_found_until_it_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
