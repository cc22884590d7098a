/* The client while memory runs out: a call fails at once and its callback never runs, or it has been taken.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/couch/changes.h"
#include "common/couch/feed_parser.h"
#include "tests/unit/couch/fixture.h"
#include "tests/unit/failing.h"

/* What is tried: one call on a client that is made for it and closed after it, all on one loop. */
struct trial {
    uv_loop_t loop;
    json_t *document, *list;
    int (*call)(struct linnet_couch *couch, struct trial *trial);
    int answers;
    bool silent; /* the call has no answer */
};

static void on_closed(void *arg) {
    ++*(int *)arg;
}

static struct linnet_couch *open_client(struct trial *trial, int *rc) {
    /* Nothing is ever sent: the client closes before its loop turns. */
    const struct linnet_couch_options options = {.url = "http://ann:secret@127.0.0.1:1/x", .prefix = "p"};
    struct linnet_couch *couch = NULL;
    struct linnet_error err = {0};
    *rc = linnet_couch_open(&trial->loop, &options, &couch, &err);
    assert_true(*rc ? !couch && err.code == *rc : couch != NULL);
    return couch;
}

static void close_client(struct trial *trial, struct linnet_couch *couch) {
    int closed = 0;
    linnet_couch_close(couch, on_closed, &closed);
    uv_run(&trial->loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
}

static int use_client(void *arg) {
    struct trial *trial = arg;
    int rc;
    struct linnet_couch *couch = open_client(trial, &rc);
    failing_hold(true);
    if (couch) close_client(trial, couch);
    failing_hold(false);
    return rc;
}

static int use_call(void *arg) {
    struct trial *trial = arg;
    int rc, opened;
    failing_hold(true);
    struct linnet_couch *couch = open_client(trial, &opened);
    failing_hold(false);
    trial->answers = 0;
    rc = trial->call(couch, trial);
    failing_hold(true);
    assert_int_equal(trial->answers, 0);
    close_client(trial, couch);
    assert_int_equal(trial->answers,
                     rc || trial->silent ? 0 : 1); /* an error return means that the callback never runs */
    failing_hold(false);
    return rc;
}

static void on_answer(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                      void *arg) {
    (void)request;
    struct trial *trial = arg;
    trial->answers++;
    assert_int_equal(response->error, LINNET_E_CANCELLED);
}

static int call_any(struct linnet_couch *couch, struct trial *trial) {
    const struct linnet_couch_call call = {.method = "PUT",
                                           .path = "/x",
                                           .body = "{}",
                                           .size = 2,
                                           .if_match = "1-a",
                                           .content_type = "text/plain"};
    return linnet_couch_request(couch, &call, on_answer, trial, NULL);
}

static int call_get(struct linnet_couch *couch, struct trial *trial) {
    return linnet_couch_get(couch, LINNET_DB_MAIN, "_design/x", "a=b", on_answer, trial);
}

static int call_put(struct linnet_couch *couch, struct trial *trial) {
    return linnet_couch_put(couch, LINNET_DB_MAIN, trial->document, on_answer, trial);
}

static int call_observation(struct linnet_couch *couch, struct trial *trial) {
    return linnet_couch_get_observation(couch, "01HXYZABCDEFGHJKMNPQRSTVWX", on_answer, trial);
}

static int call_all_docs(struct linnet_couch *couch, struct trial *trial) {
    return linnet_couch_all_docs(couch, LINNET_DB_OPS, trial->list, true, on_answer, trial);
}

static int call_bulk(struct linnet_couch *couch, struct trial *trial) {
    return linnet_couch_bulk(couch, LINNET_DB_MAIN, trial->list, false, on_answer, trial);
}

static int call_attachment(struct linnet_couch *couch, struct trial *trial) {
    return linnet_couch_get_attachment(couch, LINNET_DB_MAIN, "x", "y", "1-a", 0, on_answer, trial);
}

static void on_probed(int error, const char *detail, const struct linnet_couch_server *server, void *arg) {
    (void)detail;
    struct trial *trial = arg;
    trial->answers++;
    assert_int_equal(error, LINNET_E_CANCELLED);
    assert_null(server);
}

static int call_probe(struct linnet_couch *couch, struct trial *trial) {
    return linnet_couch_probe(couch, LINNET_DB_MAIN, on_probed, trial);
}

static void ignore_change(void *arg, const struct linnet_change *change) {
    (void)arg;
    (void)change;
}

static int call_changes(struct linnet_couch *couch, struct trial *trial) {
    static const struct linnet_changes_events events = {.change = ignore_change};
    const struct linnet_changes_options options = {
        .since = "5-x", .filter_view = "a/b", .include_docs = true};
    struct linnet_changes *changes = NULL;
    struct linnet_error err = {0};
    int rc = linnet_changes_open(couch, &options, &events, trial, &changes, &err);
    assert_true(rc ? !changes && err.code == rc : changes != NULL);
    trial->silent = true;
    linnet_changes_close(changes);
    return rc;
}

static int attach(void *arg) {
    (void)arg;
    failing_hold(true);
    json_t *document = json_object();
    failing_hold(false);
    int rc = linnet_couch_attach(document, "a", "text/plain", "hello", 5);
    if (!rc) rc = linnet_couch_attach(document, "b", "text/plain", "hello", 5);
    json_decref(document);
    return rc;
}

static int hear_change(void *arg, const struct linnet_change *change) {
    ++*(int *)arg;
    assert_non_null(change->document);
    return 0;
}

static void hear_heartbeat(void *arg) {
    (void)arg;
}

static int parse_feed(void *arg) {
    (void)arg;
    static const struct feed_events events = {.change = hear_change, .heartbeat = hear_heartbeat};
    static const char text[] = "{\"results\":[\n{\"seq\":\"1\",\"id\":\"a\",\"changes\":[{\"rev\":\"1-r\"}],"
                               "\"doc\":{\"x\":\"a string of some length\"}},\n"
                               "{\"seq\":2,\"id\":\"b\",\"changes\":[{\"rev\":\"1-r\"},{\"rev\":\"1-s\"}],"
                               "\"doc\":{}}],\"last_seq\":\"3\",\"pending\":0}";
    struct feed_parser parser;
    int changes = 0, rc = 0;
    feed_parser_init(&parser, 0, &events, &changes);
    feed_parser_start(&parser, FEED_NORMAL);
    for (size_t at = 0; !rc && at < sizeof text - 1; at += 20) {
        char piece[20];
        size_t size = sizeof text - 1 - at < 20 ? sizeof text - 1 - at : 20;
        memcpy(piece, text + at, size);
        rc = feed_parser_push(&parser, piece, size);
    }
    if (!rc) rc = feed_parser_finish(&parser);
    if (!rc) assert_int_equal(changes, 2);
    if (rc) assert_string_not_equal(parser.error.detail, "");
    feed_parser_done(&parser);
    return rc;
}

static void a_client_opens_whole_or_not_at_all(void **state) {
    struct trial *trial = *state;
    assert_true(failing_each(use_client, trial, false) > 6);
}

static void calls_fail_at_once_or_are_answered(void **state) {
    struct trial *trial = *state;
    int (*const calls[])(struct linnet_couch *, struct trial *) = {
        call_any,  call_get,        call_put,   call_observation, call_all_docs,
        call_bulk, call_attachment, call_probe, call_changes};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        trial->call = calls[i];
        bool retries = calls[i] == call_changes; /* a feed that cannot start tries again */
        assert_true(failing_each(use_call, trial, retries) > 2);
    }
}

static void attachments_are_put_in_whole_or_fail(void **state) {
    (void)state;
    assert_true(failing_each(attach, NULL, true) > 5);
}

static void the_feed_says_that_memory_ran_out(void **state) {
    (void)state;
    /* Where the quick reader gets no memory for a number, jansson is asked. */
    assert_true(failing_each(parse_feed, NULL, true) > 10);
}

static int setup(void **state) {
    struct trial *trial = calloc(1, sizeof *trial);
    uv_loop_init(&trial->loop);
    trial->document = json_pack("{s:s}", "_id", "x");
    trial->list = json_pack("[s]", "x");
    *state = trial;
    return 0;
}

static int teardown(void **state) {
    struct trial *trial = *state;
    assert_int_equal(uv_loop_close(&trial->loop), 0);
    json_decref(trial->document);
    json_decref(trial->list);
    free(trial);
    return 0;
}

int main(void) {
    failing_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_client_opens_whole_or_not_at_all, setup, teardown),
        cmocka_unit_test_setup_teardown(calls_fail_at_once_or_are_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(attachments_are_put_in_whole_or_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(the_feed_says_that_memory_ran_out, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
