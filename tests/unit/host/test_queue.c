/* The order in which a stage's work is taken. */
#include "tests/unit/host/sample.h"

#include <string.h>

#include "workers/host/queue.h"

#define SOME 400

static struct linnet_work works[SOME];
static size_t made;

static int setup(void **state) {
    (void)state;
    memset(works, 0, sizeof(works));
    made = 0;
    return 0;
}

static struct linnet_work *push(struct linnet_queue *queue, enum linnet_priority priority, bool alone,
                                uint64_t since) {
    assert_true(made < SOME);
    struct linnet_work *work = &works[made++];
    work->priority = priority;
    work->alone = alone;
    work->since_ns = since;
    linnet_queue_push(queue, work);
    return work;
}

static size_t length(const struct linnet_work *chain) {
    size_t n = 0;
    for (; chain; chain = chain->next)
        n++;
    return n;
}

static void the_highest_priority_goes_first_and_within_it_the_oldest(void **state) {
    (void)state;
    struct linnet_queue queue = {0};
    struct linnet_work *retry = push(&queue, LINNET_PRIORITY_RETRY, false, 1);
    struct linnet_work *fresh = push(&queue, LINNET_PRIORITY_FRESH, false, 2);
    struct linnet_work *later = push(&queue, LINNET_PRIORITY_FRESH, false, 3);
    struct linnet_work *http = push(&queue, LINNET_PRIORITY_HTTP, false, 4);
    struct linnet_work *batch = linnet_queue_take(&queue, 3);
    assert_ptr_equal(batch, http);
    assert_ptr_equal(batch->next, fresh);
    assert_ptr_equal(batch->next->next, later);
    assert_null(later->next);
    assert_ptr_equal(linnet_queue_take(&queue, 3), retry);
    assert_null(linnet_queue_take(&queue, 3));
    assert_int_equal(queue.size, 0);
}

static void backfill_gets_one_in_twenty_under_load(void **state) {
    (void)state;
    struct linnet_queue queue = {0};
    for (int i = 0; i < 100; i++)
        push(&queue, LINNET_PRIORITY_BACKFILL, false, 0);
    for (int i = 0; i < 200; i++)
        push(&queue, LINNET_PRIORITY_FRESH, false, 0);
    size_t backfilled = 0;
    for (int batch = 0; batch < 25; batch++)
        for (struct linnet_work *work = linnet_queue_take(&queue, 8); work; work = work->next)
            backfilled += work->priority == LINNET_PRIORITY_BACKFILL;
    assert_int_equal(backfilled, 200 / LINNET_BACKFILL_SHARE);
}

static void backfill_saves_no_turns_for_later(void **state) {
    (void)state;
    struct linnet_queue queue = {0};
    for (int i = 0; i < 100; i++)
        push(&queue, LINNET_PRIORITY_FRESH, false, 0);
    assert_int_equal(length(linnet_queue_take(&queue, 60)), 60);
    push(&queue, LINNET_PRIORITY_BACKFILL, false, 0);
    for (struct linnet_work *work = linnet_queue_take(&queue, 19); work; work = work->next)
        assert_int_equal(work->priority, LINNET_PRIORITY_FRESH);
    assert_int_equal(linnet_queue_take(&queue, 1)->priority, LINNET_PRIORITY_BACKFILL);
}

static void a_suspect_runs_alone(void **state) {
    (void)state;
    struct linnet_queue queue = {0};
    push(&queue, LINNET_PRIORITY_FRESH, false, 0);
    push(&queue, LINNET_PRIORITY_FRESH, false, 0);
    struct linnet_work *suspect = push(&queue, LINNET_PRIORITY_FRESH, true, 0);
    push(&queue, LINNET_PRIORITY_FRESH, false, 0);
    assert_int_equal(length(linnet_queue_take(&queue, 8)), 2);
    assert_int_equal(linnet_queue_due_in(&queue, 8, 1000, 0), 0);
    struct linnet_work *batch = linnet_queue_take(&queue, 8);
    assert_ptr_equal(batch, suspect);
    assert_int_equal(length(batch), 1);
    assert_int_equal(length(linnet_queue_take(&queue, 8)), 1);
}

static void a_batch_waits_for_company_but_not_for_long(void **state) {
    (void)state;
    struct linnet_queue queue = {0};
    assert_true(linnet_queue_due_in(&queue, 3, 100, 1000) == UINT64_MAX);
    push(&queue, LINNET_PRIORITY_BACKFILL, false, 1000);
    push(&queue, LINNET_PRIORITY_FRESH, false, 1090);
    assert_int_equal(linnet_queue_due_in(&queue, 3, 100, 1000), 100);
    assert_int_equal(linnet_queue_due_in(&queue, 3, 100, 1099), 1);
    assert_int_equal(linnet_queue_due_in(&queue, 3, 100, 1100), 0);
    assert_int_equal(linnet_queue_due_in(&queue, 3, 100, 900), 100); /* clocks of two cores */
    assert_int_equal(linnet_queue_due_in(&queue, 2, 100, 1000), 0);
    push(&queue, LINNET_PRIORITY_HTTP, false, 1000);
    assert_int_equal(linnet_queue_due_in(&queue, 8, 100, 1000), 0); /* somebody waits for an answer */
}

static void all_are_taken_at_once(void **state) {
    (void)state;
    struct linnet_queue queue = {0};
    for (int i = 0; i < 9; i++)
        push(&queue, (enum linnet_priority)(i % LINNET_PRIORITIES), i % 2, 0);
    assert_int_equal(length(linnet_queue_take_all(&queue)), 9);
    assert_int_equal(queue.size, 0);
    assert_null(linnet_queue_take_all(&queue));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_highest_priority_goes_first_and_within_it_the_oldest, setup),
        cmocka_unit_test_setup(backfill_gets_one_in_twenty_under_load, setup),
        cmocka_unit_test_setup(backfill_saves_no_turns_for_later, setup),
        cmocka_unit_test_setup(a_suspect_runs_alone, setup),
        cmocka_unit_test_setup(a_batch_waits_for_company_but_not_for_long, setup),
        cmocka_unit_test_setup(all_are_taken_at_once, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
