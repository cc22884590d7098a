/* The table of batches under way: what a dead child leaves behind. */
#include "tests/unit/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/json.h"
#include "workers/worker/inflight.h"

static struct linnet_item item_of(struct linnet_doc *docs, size_t n) {
    return (struct linnet_item){.observation = "01JTB7K3M4N5P6Q7R8S9T0V1W2", .docs = docs, .ndocs = n};
}

static struct linnet_inflight *table_of(int *fd) {
    struct linnet_inflight *table;
    struct linnet_error err;
    assert_int_equal(linnet_inflight_create(&table, fd, &err), 0);
    return table;
}

static void count(void *arg, const struct linnet_inflight_batch *batch) {
    (void)batch;
    ++*(int *)arg;
}

static int running(struct linnet_inflight *table) {
    int n = 0;
    linnet_inflight_running(table, count, &n);
    return n;
}

static void batches_are_seen_while_they_run_and_only_then(void **state) {
    (void)state;
    int fd;
    struct linnet_inflight *table = table_of(&fd);
    struct linnet_inflight_stage stage = {.table = table, .stage = "normalize"};
    struct linnet_doc doc = {.id = "o:image:1", .kind = "image", .digest = "aa"};
    struct linnet_item item = item_of(&doc, 1);
    const struct linnet_item *items[] = {&item};
    assert_int_equal(running(table), 0);
    linnet_inflight_begin(&stage, 0, "normalize", items, 1, 1000);
    linnet_inflight_begin(&stage, 3, "normalize", items, 1, 1000);
    assert_int_equal(running(table), 2);
    linnet_inflight_end(&stage, 0);
    assert_int_equal(running(table), 1);
    linnet_inflight_end(&stage, 3);
    assert_int_equal(running(table), 0);
    linnet_inflight_detach(table);
    close(fd);
}

/* Run `crash` in a child with two batches under way, the second in the thread that crashes. */
static size_t after_death(void (*crash)(void), struct linnet_inflight_batch *out, int *fault, int *status) {
    int fd;
    struct linnet_inflight *table = table_of(&fd);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct linnet_inflight *mine;
        if (linnet_inflight_attach(fd, &mine, NULL) != 0) _exit(9);
        linnet_inflight_catch_faults(mine);
        static const struct linnet_input inputs[] = {{.kind = "image", .flags = LINNET_TRIGGER},
                                                     {.kind = "observation", .flags = LINNET_PRESENCE},
                                                     {0}};
        struct linnet_plugin plugin = {.inputs = inputs};
        struct linnet_inflight_stage stage = {
            .table = mine, .plugin = &plugin, .stage = "normalize", .fingerprint = "f1"};
        struct linnet_doc one[] = {{.id = "o:image:1", .kind = "image", .digest = "aa"},
                                   {.id = "o:observation", .kind = "observation", .digest = "bb"}};
        struct linnet_doc two[] = {{.id = "p:image:2", .kind = "image", .digest = "cc"}};
        struct linnet_item first = item_of(one, 2), second = item_of(two, 1);
        const struct linnet_item *both[] = {&first, &second}, *alone[] = {&second};
        linnet_inflight_begin(&stage, 0, "normalize", both, 2, 1000);
        linnet_inflight_begin(&stage, 1, "normalize", alone, 1, 2000);
        crash();
        _exit(8);
    }
    assert_int_equal(waitpid(pid, status, 0), pid);
    size_t n = linnet_inflight_take(table, out, LINNET_INFLIGHT_SLOTS, fault);
    assert_int_equal(running(table), 0);
    linnet_inflight_detach(table);
    close(fd);
    return n;
}

static void kill_from_outside(void) {
    raise(SIGKILL);
}

static void abort_in_thread(void) {
    abort();
}

static void a_killed_child_leaves_its_batches_and_nobody_to_blame(void **state) {
    (void)state;
    static struct linnet_inflight_batch batches[LINNET_INFLIGHT_SLOTS];
    int fault, status;
    assert_int_equal(after_death(kill_from_outside, batches, &fault, &status), 2);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(fault, 0);
    assert_false(batches[0].culprit || batches[1].culprit);
    assert_string_equal(batches[0].stage, "normalize");
    assert_string_equal(batches[0].fingerprint, "f1");
    assert_int_equal(json_array_size(batches[0].items), 2);
    const json_t *item = json_array_get(batches[0].items, 0);
    assert_string_equal(linnet_json_string(item, "id", ""), "o:image:1");
    assert_int_equal(json_array_size(json_object_get(item, "inputs")),
                     1); /* what only has to be there is no input */
    assert_string_equal(linnet_json_string(item, "inputs/0/digest", ""), "aa");
    assert_int_equal(batches[1].deadline_ms, 2000);
    linnet_inflight_batch_done(&batches[0]);
    linnet_inflight_batch_done(&batches[1]);
}

static void a_fault_names_the_batch_of_its_thread(void **state) {
    (void)state;
    static struct linnet_inflight_batch batches[LINNET_INFLIGHT_SLOTS];
    int fault, status;
    assert_int_equal(after_death(abort_in_thread, batches, &fault, &status), 2);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_int_equal(fault, SIGABRT);
    assert_false(batches[0].culprit);
    assert_true(batches[1].culprit);
    linnet_inflight_batch_done(&batches[0]);
    linnet_inflight_batch_done(&batches[1]);
}

static void a_batch_too_long_for_its_slot_is_kept_in_part(void **state) {
    (void)state;
    int fd, fault;
    static struct linnet_inflight_batch batches[LINNET_INFLIGHT_SLOTS];
    struct linnet_inflight *table = table_of(&fd);
    struct linnet_inflight_stage stage = {.table = table, .stage = "s"};
    char *id = malloc(LINNET_INFLIGHT_TEXT / 3);
    memset(id, 'x', LINNET_INFLIGHT_TEXT / 3 - 1);
    id[LINNET_INFLIGHT_TEXT / 3 - 1] = '\0';
    struct linnet_doc doc = {.id = id, .kind = "image", .digest = "d"};
    struct linnet_item item = item_of(&doc, 1);
    const struct linnet_item *items[] = {&item, &item, &item};
    linnet_inflight_begin(&stage, 0, "s", items, 3, 0);
    assert_int_equal(linnet_inflight_take(table, batches, LINNET_INFLIGHT_SLOTS, &fault), 1);
    assert_int_equal(json_array_size(batches[0].items), 1);
    linnet_inflight_batch_done(&batches[0]);
    free(id);
    linnet_inflight_detach(table);
    close(fd);
}

static void a_full_table_does_not_stop_the_work(void **state) {
    (void)state;
    int fd;
    struct linnet_inflight *table = table_of(&fd);
    struct linnet_inflight_stage a = {.table = table, .stage = "a"}, b = {.table = table, .stage = "b"};
    struct linnet_doc doc = {.id = "x", .kind = "image", .digest = "d"};
    struct linnet_item item = item_of(&doc, 1);
    const struct linnet_item *items[] = {&item};
    for (unsigned i = 0; i < LINNET_INFLIGHT_SLOTS; i++)
        linnet_inflight_begin(&a, i, "a", items, 1, 0);
    linnet_inflight_begin(&b, 0, "b", items, 1, 0);
    assert_int_equal(running(table), LINNET_INFLIGHT_SLOTS);
    linnet_inflight_end(&b, 0);
    assert_int_equal(running(table), LINNET_INFLIGHT_SLOTS);
    linnet_inflight_end(&a, 7);
    linnet_inflight_begin(&b, 0, "b", items, 1, 0);
    assert_int_equal(running(table), LINNET_INFLIGHT_SLOTS);
    linnet_inflight_detach(table);
    close(fd);
}

static void another_file_is_no_table(void **state) {
    (void)state;
    struct linnet_inflight *table;
    struct linnet_error err;
    assert_int_equal(linnet_inflight_attach(STDIN_FILENO, &table, &err), LINNET_E_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_seen_while_they_run_and_only_then),
        cmocka_unit_test(a_killed_child_leaves_its_batches_and_nobody_to_blame),
        cmocka_unit_test(a_fault_names_the_batch_of_its_thread),
        cmocka_unit_test(a_batch_too_long_for_its_slot_is_kept_in_part),
        cmocka_unit_test(a_full_table_does_not_stop_the_work),
        cmocka_unit_test(another_file_is_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
