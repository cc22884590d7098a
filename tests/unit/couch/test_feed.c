/* The feed as its owner sees it, while the connection under it does what connections do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/couch/changes.h"
#include "tests/unit/couch/fixture.h"

struct feed {
    struct fixture *f;
    struct linnet_changes *changes;
    struct linnet_buf ids;    /* "a b c" */
    struct linnet_buf caught; /* the seqs of caught_up */
    char last_seq[128], detail[600];
    int changes_seen, caught_up, broken, error, documents;
    long retry_ms;
    int pause_at, close_at; /* at this change */
    bool close_when_caught_up, close_when_broken;
};

static void on_change(void *arg, const struct linnet_change *change) {
    struct feed *feed = arg;
    linnet_buf_printf(&feed->ids, "%s%s%s", feed->ids.size ? " " : "", change->id,
                      change->deleted ? "!" : "");
    snprintf(feed->last_seq, sizeof feed->last_seq, "%s", change->seq);
    feed->documents += change->document != NULL;
    feed->changes_seen++;
    if (feed->changes_seen == feed->pause_at) linnet_changes_pause(feed->changes);
    if (feed->changes_seen == feed->close_at) {
        linnet_changes_close(feed->changes);
        feed->changes = NULL;
    }
}

static void on_caught_up(void *arg, const char *seq) {
    struct feed *feed = arg;
    feed->caught_up++;
    linnet_buf_printf(&feed->caught, "%s%s", feed->caught.size ? " " : "", seq);
    if (!feed->close_when_caught_up) return;
    linnet_changes_close(feed->changes);
    feed->changes = NULL;
}

static void on_broken(void *arg, int error, const char *detail, long retry_ms) {
    struct feed *feed = arg;
    feed->broken++;
    feed->error = error;
    feed->retry_ms = retry_ms;
    snprintf(feed->detail, sizeof feed->detail, "%s", detail);
    if (!feed->close_when_broken) return;
    linnet_changes_close(feed->changes);
    feed->changes = NULL;
}

static const struct linnet_changes_events EVENTS = {
    .change = on_change, .caught_up = on_caught_up, .broken = on_broken};

static void follow(struct feed *feed, struct fixture *f, struct linnet_changes_options options) {
    struct linnet_error err;
    feed->f = f;
    linnet_buf_append(&feed->ids, "", 0);
    linnet_buf_append(&feed->caught, "", 0);
    assert_int_equal(linnet_changes_open(f->couch, &options, &EVENTS, feed, &feed->changes, &err), 0);
    assert_int_equal(feed->changes_seen + feed->caught_up + feed->broken, 0);
}

static void feed_done(struct feed *feed) {
    linnet_changes_close(feed->changes);
    linnet_buf_done(&feed->ids);
    linnet_buf_done(&feed->caught);
}

static const struct linnet_changes_options ON = {.continuous = true, .include_docs = true};

#define LINE(seq, id)                                                                                        \
    "{\"seq\":\"" seq "\",\"id\":\"" id "\",\"changes\":[{\"rev\":\"1-r\"}],\"doc\":{\"_id\":\"" id "\"}}"
#define PAGE(lines, last) "{\"results\":[\n" lines "\n],\n\"last_seq\":\"" last "\",\"pending\":0}\n"
#define EMPTY(last)       PAGE("", last)

static void feed_reads_pages_to_the_end_then_goes_on(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    fake_reply(f->server, 200, "", PAGE(LINE("1", "a") ",\n" LINE("2", "b"), "2"));
    fake_feed(f->server, false, FAKE_HANG, "\n", LINE("3", "c") "\n", NULL);
    follow(&feed, f,
           (struct linnet_changes_options){
               .continuous = true, .include_docs = true, .since = "0-x", .heartbeat_ms = 9000});
    run_until(&f->loop, &feed.changes_seen, 3);
    assert_string_equal(feed.ids.data, "a b c");
    assert_string_equal(feed.last_seq, "3");
    assert_string_equal(feed.caught.data, "2");
    assert_int_equal(feed.documents, 3);
    assert_int_equal(feed.broken, 0);
    assert_non_null(strstr(fake_request(f->server, 0),
                           "GET /linnet/_changes?style=all_docs&limit=2000&include_docs=true&since=0-x "));
    assert_non_null(strstr(
        fake_request(f->server, 1),
        "GET /linnet/_changes?style=all_docs&feed=continuous&heartbeat=9000&include_docs=true&since=2 "));
    assert_null(strstr(fake_request(f->server, 1), "Accept-Encoding"));
    assert_int_equal(fake_connections(f->server), 1);
    feed_done(&feed);
}

static bool wants_b(void *arg, const char *id) {
    (void)arg;
    return !strcmp(id, "b");
}

static void feed_asks_which_documents_are_wanted(void **state) {
    struct fixture *f = *state;
    struct feed feed = {.f = f};
    static const struct linnet_changes_events events = {
        .change = on_change, .caught_up = on_caught_up, .wants = wants_b};
    fake_reply(f->server, 200, "", PAGE(LINE("1", "a") ",\n" LINE("2", "b"), "2"));
    const struct linnet_changes_options options = {.include_docs = true};
    assert_int_equal(linnet_changes_open(f->couch, &options, &events, &feed, &feed.changes, NULL), 0);
    run_until(&f->loop, &feed.caught_up, 1);
    assert_int_equal(feed.changes_seen, 2);
    assert_int_equal(feed.documents, 1);
    feed_done(&feed);
}

static void feed_of_a_database_as_it_stands_ends(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    fake_reply(f->server, 200, "", PAGE(LINE("1", "a"), "7-end"));
    follow(&feed, f,
           (struct linnet_changes_options){.database = LINNET_DB_OPS, .filter_view = "linnet/open"});
    run_until(&f->loop, &feed.caught_up, 1);
    assert_string_equal(feed.caught.data, "7-end");
    assert_non_null(
        strstr(fake_request(f->server, 0),
               "GET /linnet-ops/_changes?style=all_docs&limit=2000&filter=_view&view=linnet%2Fopen "));
    assert_int_equal(fake_requests(f->server), 1);
    feed_done(&feed);
}

static void feed_goes_on_page_by_page(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    struct linnet_buf page = {0};
    linnet_buf_append_string(&page, "{\"results\":[\n");
    for (int i = 1; i <= 2000; i++)
        linnet_buf_printf(&page, "{\"seq\":%d,\"id\":\"d%d\",\"changes\":[]}%s\n", i, i, i < 2000 ? "," : "");
    linnet_buf_append_string(&page,
                             "],\"last_seq\":2000,\"pending\":0}\n"); /* as the embedded store has it */
    fake_reply(f->server, 200, "", page.data);
    linnet_buf_done(&page);
    fake_reply(f->server, 200, "",
               "{\"results\":[{\"seq\":2001,\"id\":\"z\",\"changes\":[]}],\"last_seq\":2001}");
    follow(&feed, f, (struct linnet_changes_options){0});
    run_until(&f->loop, &feed.caught_up, 1);
    assert_int_equal(feed.changes_seen, 2001);
    assert_non_null(strstr(fake_request(f->server, 1), "&since=2000 "));
    feed_done(&feed);
}

static void feed_resumes_after_a_truncated_line(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    fake_reply(f->server, 200, "", EMPTY("0"));
    fake_feed(f->server, false, FAKE_CLOSE, LINE("1", "a") "\n", "{\"seq\":\"2\",\"id\":\"b\",\"chan", NULL);
    fake_reply(f->server, 200, "", PAGE(LINE("2", "b"), "2"));
    follow(&feed, f, ON);
    run_until(&f->loop, &feed.caught_up, 2);
    assert_string_equal(feed.ids.data, "a b");
    assert_int_equal(feed.broken, 1);
    assert_int_equal(feed.error, LINNET_E_BROKEN);
    assert_in_range(feed.retry_ms, 125, 250);
    assert_non_null(strstr(fake_request(f->server, 2), "&since=1 "));
    feed_done(&feed);
}

static void feed_resumes_after_a_line_cut_by_an_orderly_end(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    fake_reply(f->server, 200, "", EMPTY("0"));
    fake_feed(f->server, true, FAKE_KEEP, LINE("1", "a") "\n{\"seq\":\"2\",\"id\":\"b\"", NULL);
    fake_reply(f->server, 200, "", PAGE(LINE("2", "b"), "2"));
    follow(&feed, f, ON);
    run_until(&f->loop, &feed.caught_up, 2);
    assert_string_equal(feed.ids.data, "a b");
    assert_string_equal(feed.detail, "the feed ended in the middle of a change");
    feed_done(&feed);
}

static void feed_resumes_after_a_page_was_cut(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    fake_feed(f->server, false, FAKE_RESET, "{\"results\":[\n" LINE("1", "a") ",\n" LINE("2", "b") ",\n{\"se",
              NULL);
    fake_reply(f->server, 200, "", PAGE(LINE("3", "c"), "3"));
    follow(&feed, f, (struct linnet_changes_options){0});
    run_until(&f->loop, &feed.caught_up, 1);
    /* A reset may overtake what was sent before it; what was delivered is never asked for again. */
    char since[32];
    snprintf(since, sizeof since, feed.changes_seen == 3 ? "&since=2 " : " HTTP/1.1");
    assert_non_null(strstr(fake_request(f->server, 1), since));
    assert_int_equal(feed.broken, 1);
    feed_done(&feed);
}

static void feed_survives_one_byte_at_a_time(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    struct linnet_buf text = {0};
    static const char body[] = "\n" LINE("1", "a") "\n" LINE("2", "b") "\n\n{\"last_seq\":\"2\"}\n";
    linnet_buf_append_string(&text, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char *s = body; *s; s++)
        linnet_buf_printf(&text, "1\r\n%c\r\n", *s);
    linnet_buf_append_string(&text, "0\r\n\r\n");
    fake_reply(f->server, 200, "", EMPTY("0"));
    fake_text(f->server, text.data, true, FAKE_KEEP);
    fake_reply(f->server, 200, "", EMPTY("2"));
    linnet_buf_done(&text);
    follow(&feed, f, ON);
    run_until(&f->loop, &feed.caught_up, 2);
    assert_string_equal(feed.ids.data, "a b");
    assert_string_equal(feed.caught.data, "0 2");
    assert_int_equal(feed.broken, 0);
    feed_done(&feed);
}

static void feed_goes_on_after_a_last_seq_and_after_a_bare_end(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    fake_reply(f->server, 200, "", EMPTY("0"));
    fake_feed(f->server, true, FAKE_KEEP, LINE("1", "a") "\n{\"last_seq\":\"5\",\"pending\":0}\n", NULL);
    fake_reply(f->server, 200, "", EMPTY("5"));
    fake_feed(f->server, true, FAKE_CLOSE, LINE("6", "b") "\n", NULL);
    fake_reply(f->server, 200, "", PAGE(LINE("7", "c"), "7"));
    follow(&feed, f, ON);
    run_until(&f->loop, &feed.changes_seen, 3);
    assert_string_equal(feed.ids.data, "a b c");
    assert_int_equal(feed.broken, 0);
    assert_non_null(strstr(fake_request(f->server, 2), "&since=5 "));
    assert_non_null(strstr(fake_request(f->server, 4), "&since=6 "));
    feed_done(&feed);
}

static void feed_is_caught_up_again_at_a_heartbeat(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    fake_reply(f->server, 200, "", EMPTY("0"));
    fake_feed(f->server, false, FAKE_HANG, "\n", LINE("1", "a") "\n", "\n", "\n", LINE("2", "b") "\n", "\n",
              NULL);
    follow(&feed, f, ON);
    run_until(&f->loop, &feed.caught_up, 3);
    assert_string_equal(feed.caught.data, "0 1 2"); /* once for each end that was reached */
    feed_done(&feed);
}

static void feed_gives_up_where_asking_again_cannot_help(void **state) {
    struct fixture *f = *state;
    static const struct {
        int status, error;
    } cases[] = {
        {401, LINNET_E_AUTH}, {403, LINNET_E_DENIED}, {404, LINNET_E_NOT_FOUND}, {400, LINNET_E_INVALID}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct feed feed = {0};
        fake_reply(f->server, cases[i].status, "", "{\"error\":\"no\",\"reason\":\"Not \\u00e9 today.\"}");
        follow(&feed, f, ON);
        run_until(&f->loop, &feed.broken, 1);
        assert_int_equal(feed.error, cases[i].error);
        assert_true(feed.retry_ms < 0);
        assert_non_null(strstr(feed.detail, " no: Not \xc3\xa9 today."));
        feed_done(&feed);
    }
    assert_int_equal(fake_requests(f->server), 4);
}

static void feed_tries_again_after_errors_of_the_server_and_garbage(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    fake_reply(f->server, 500, "", "{\"error\":\"internal_server_error\"}");
    fake_reply(f->server, 200, "", "<html>a proxy's page</html>");
    fake_text(f->server, "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", false, FAKE_KEEP);
    fake_reply(f->server, 200, "", PAGE(LINE("1", "a"), "1"));
    follow(&feed, f, (struct linnet_changes_options){0});
    run_until(&f->loop, &feed.broken, 1);
    assert_int_equal(feed.error, LINNET_E_SERVER);
    run_until(&f->loop, &feed.broken, 2);
    assert_int_equal(feed.error, LINNET_E_PARSE);
    assert_in_range(feed.retry_ms, 250, 500);
    run_until(&f->loop, &feed.broken, 3);
    assert_int_equal(feed.error, LINNET_E_SERVER);
    assert_in_range(feed.retry_ms, 500, 1000);
    run_until(&f->loop, &feed.caught_up, 1);
    assert_string_equal(feed.ids.data, "a");
    feed_done(&feed);
}

static void feed_breaks_a_connection_that_is_silent(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    fake_reply(f->server, 200, "", EMPTY("0"));
    fake_feed(f->server, false, FAKE_HANG, LINE("1", "a") "\n", NULL);
    fake_reply(f->server, 200, "", PAGE(LINE("2", "b"), "2"));
    struct linnet_changes_options options = ON;
    options.heartbeat_ms = 50;
    follow(&feed, f, options);
    run_until(&f->loop, &feed.changes_seen, 2);
    assert_int_equal(feed.broken, 1);
    assert_int_equal(feed.error, LINNET_E_TIMEOUT);
    assert_string_equal(feed.ids.data, "a b");
    feed_done(&feed);
}

static void feed_breaks_a_page_that_is_silent_for_longer(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    fixture_reopen(f, (struct linnet_couch_options){.request_timeout_ms = 200});
    fake_feed(f->server, false, FAKE_HANG, "{\"results\":[\n", NULL);
    fake_reply(f->server, 200, "", PAGE(LINE("2", "b"), "2"));
    struct linnet_changes_options options = ON;
    options.heartbeat_ms = 20;
    uint64_t began = uv_now(&f->loop);
    follow(&feed, f, options);
    run_until(&f->loop, &feed.broken, 1);
    assert_int_equal(feed.error, LINNET_E_TIMEOUT);
    assert_true(uv_now(&f->loop) - began >= 200);
    feed_done(&feed);
}

static void feed_delivers_a_change_over_the_limit_without_document(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    struct linnet_buf page = {0};
    linnet_buf_append_string(
        &page,
        "{\"results\":[\n" LINE("1", "a") ",\n{\"seq\":\"2\",\"id\":\"b\",\"changes\":[],\"doc\":{\"x\":\"");
    for (int i = 0; i < 20000; i++)
        linnet_buf_append_string(&page, "0123456789");
    linnet_buf_append_string(&page, "\"}},\n" LINE("3", "c") "\n],\n\"last_seq\":\"3\",\"pending\":0}\n");
    fake_reply(f->server, 200, "", page.data);
    linnet_buf_done(&page);
    follow(&feed, f, (struct linnet_changes_options){.include_docs = true, .line_limit = 1000});
    run_until(&f->loop, &feed.caught_up, 1);
    assert_string_equal(feed.ids.data, "a b c");
    assert_int_equal(feed.documents, 2);
    feed_done(&feed);
}

static void on_turn(uv_timer_t *timer) {
    ++*(int *)timer->data;
}

static void feed_pauses_the_server_by_the_connection(void **state) {
    struct fixture *f = *state;
    struct feed feed = {.pause_at = 3};
    enum { COUNT = 40000 };
    struct linnet_buf lines = {0};
    linnet_buf_append_string(&lines, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    for (int i = 1; i <= COUNT; i++)
        linnet_buf_printf(&lines,
                          "{\"seq\":%d,\"id\":\"d\",\"changes\":[],\"doc\":{\"filler\":\"%0500d\"}}\n", i, i);
    size_t size = lines.size;
    fake_reply(f->server, 200, "", EMPTY("0"));
    fake_raw(f->server, lines.data, lines.size, false, FAKE_CLOSE);
    fake_reply(f->server, 200, "", EMPTY("40000"));
    linnet_buf_done(&lines);
    struct linnet_changes_options options = ON;
    options.heartbeat_ms = 20; /* silence while paused is our own doing and breaks nothing */
    follow(&feed, f, options);
    run_until(&f->loop, &feed.changes_seen, 3);
    /* Ten heartbeats later nothing more has come but the rest of the chunk, and TCP holds the server back. */
    uv_timer_t timer;
    int turns = 0;
    uv_timer_init(&f->loop, &timer);
    timer.data = &turns;
    uv_timer_start(&timer, on_turn, 20, 20);
    run_until(&f->loop, &turns, 10);
    uv_close((uv_handle_t *)&timer, NULL);
    assert_in_range(feed.changes_seen, 3, 200);
    assert_true(fake_unsent(f->server) > size / 4);
    assert_int_equal(feed.broken, 0);
    linnet_changes_resume(feed.changes);
    run_until(&f->loop, &feed.changes_seen, COUNT);
    run_until(&f->loop, &feed.caught_up, 2);
    assert_int_equal(feed.changes_seen, COUNT);
    assert_string_equal(feed.last_seq, "40000");
    feed_done(&feed);
}

static void feed_paused_between_pages_asks_for_none(void **state) {
    struct fixture *f = *state;
    struct feed feed = {.pause_at = 1};
    fake_reply(f->server, 200, "", PAGE(LINE("1", "a"), "1"));
    fake_feed(f->server, false, FAKE_HANG, LINE("2", "b") "\n", NULL);
    follow(&feed, f, ON);
    run_until(&f->loop, &feed.caught_up, 1);
    for (int i = 0; i < 20; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(fake_requests(f->server), 1);
    linnet_changes_resume(feed.changes);
    linnet_changes_resume(feed.changes);
    run_until(&f->loop, &feed.changes_seen, 2);
    assert_int_equal(fake_requests(f->server), 2);
    feed_done(&feed);
}

static void feed_can_be_closed_from_any_callback(void **state) {
    struct fixture *f = *state;
    struct feed a = {.close_at = 2}, b = {.close_when_caught_up = true}, c = {.close_when_broken = true},
                d = {.close_at = 1};
    fake_reply(f->server, 200, "", PAGE(LINE("1", "a") ",\n" LINE("2", "b") ",\n" LINE("3", "c"), "3"));
    follow(&a, f, ON);
    run_until(&f->loop, &a.changes_seen, 2);
    fake_reply(f->server, 200, "", PAGE(LINE("1", "a"), "1"));
    follow(&b, f, ON);
    run_until(&f->loop, &b.caught_up, 1);
    fake_reply(f->server, 503, "", "{}");
    follow(&c, f, ON);
    run_until(&f->loop, &c.broken, 1);
    fake_reply(f->server, 200, "", EMPTY("0"));
    fake_feed(f->server, false, FAKE_HANG, LINE("1", "a") "\n\n" LINE("2", "b") "\n\n", NULL);
    follow(&d, f, ON);
    run_until(&f->loop, &d.changes_seen, 1);
    for (int i = 0; i < 20; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(a.changes_seen, 2);
    assert_int_equal(b.changes_seen, 1);
    assert_int_equal(d.changes_seen, 1);
    assert_int_equal(fake_requests(f->server), 5);
    feed_done(&a);
    feed_done(&b);
    feed_done(&c);
    feed_done(&d);
}

static void feed_outlives_its_client(void **state) {
    struct fixture *f = *state;
    struct feed running = {0}, waiting = {0}, closed = {0};
    fake_reply(f->server, 200, "", EMPTY("0"));
    fake_feed(f->server, false, FAKE_HANG, LINE("1", "a") "\n", NULL);
    follow(&running, f, ON);
    run_until(&f->loop, &running.changes_seen, 1);
    fake_reply(f->server, 503, "", "{}");
    follow(&waiting, f, ON);
    run_until(&f->loop, &waiting.broken, 1);
    follow(&closed, f, ON);
    linnet_changes_close(closed.changes); /* under way still when the client goes */
    closed.changes = NULL;
    fixture_reopen(f, (struct linnet_couch_options){0});
    linnet_changes_pause(running.changes);
    linnet_changes_resume(running.changes);
    feed_done(&running);
    feed_done(&waiting);
    feed_done(&closed);
}

static void feed_leaves_connections_to_requests(void **state) {
    struct fixture *f = *state;
    struct feed feed = {0};
    struct answer answer = {0};
    fixture_reopen(f, (struct linnet_couch_options){.connections = 1});
    fake_reply(f->server, 200, "", EMPTY("0"));
    fake_feed(f->server, false, FAKE_HANG, LINE("1", "a") "\n", NULL);
    follow(&feed, f, ON);
    run_until(&f->loop, &feed.changes_seen, 1);
    fake_reply(f->server, 200, "", "{}");
    assert_int_equal(linnet_couch_get(f->couch, LINNET_DB_MAIN, "x", NULL, keep_answer, &answer), 0);
    run_until(&f->loop, &answer.count, 1);
    assert_int_equal(answer.error, 0);
    answer_done(&answer);
    feed_done(&feed);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(feed_reads_pages_to_the_end_then_goes_on),
        TEST(feed_asks_which_documents_are_wanted),
        TEST(feed_of_a_database_as_it_stands_ends),
        TEST(feed_goes_on_page_by_page),
        TEST(feed_resumes_after_a_truncated_line),
        TEST(feed_resumes_after_a_line_cut_by_an_orderly_end),
        TEST(feed_resumes_after_a_page_was_cut),
        TEST(feed_survives_one_byte_at_a_time),
        TEST(feed_goes_on_after_a_last_seq_and_after_a_bare_end),
        TEST(feed_is_caught_up_again_at_a_heartbeat),
        TEST(feed_gives_up_where_asking_again_cannot_help),
        TEST(feed_tries_again_after_errors_of_the_server_and_garbage),
        TEST(feed_breaks_a_connection_that_is_silent),
        TEST(feed_breaks_a_page_that_is_silent_for_longer),
        TEST(feed_delivers_a_change_over_the_limit_without_document),
        TEST(feed_pauses_the_server_by_the_connection),
        TEST(feed_paused_between_pages_asks_for_none),
        TEST(feed_can_be_closed_from_any_callback),
        TEST(feed_outlives_its_client),
        TEST(feed_leaves_connections_to_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
