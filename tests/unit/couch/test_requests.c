/* Requests: what goes out, what comes back, and what happens when it does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/couch/fixture.h"

static const struct linnet_couch_call GET_X = {.method = "GET", .path = "/linnet/x"};

static void ask(struct fixture *f, const struct linnet_couch_call *call, struct answer *answer) {
    int count = answer->count;
    assert_int_equal(linnet_couch_request(f->couch, call, keep_answer, answer, NULL), 0);
    assert_int_equal(answer->count, count); /* never from inside the call */
    run_until(&f->loop, &answer->count, count + 1);
}

static void a_json_response_is_parsed(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    fake_reply(f->server, 200, "ETag: \"1-abc\"\r\n", "{\"_id\":\"x\",\"n\":3}\n");
    ask(f, &GET_X, &answer);
    assert_int_equal(answer.error, 0);
    assert_int_equal(answer.status, 200);
    assert_int_equal(json_integer_value(json_object_get(answer.json, "n")), 3);
    assert_string_equal(answer.etag, "\"1-abc\"");
    assert_string_equal(answer.detail, "");
    assert_non_null(strstr(fake_request(f->server, 0), "GET /linnet/x HTTP/1.1\r\n"));
    assert_non_null(strstr(fake_request(f->server, 0), "Accept: application/json\r\n"));
    assert_non_null(strstr(fake_request(f->server, 0), "Accept-Encoding: "));
    assert_non_null(strstr(fake_request(f->server, 0), "User-Agent: linnet/"));
    answer_done(&answer);
}

static void credentials_travel_in_the_header_and_not_in_words(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    fake_reply(f->server, 401, "",
               "{\"error\":\"unauthorized\",\"reason\":\"Name or password is incorrect.\"}");
    ask(f, &GET_X, &answer);
    /* "ann:sec ret" */
    assert_non_null(strstr(fake_request(f->server, 0), "Authorization: Basic YW5uOnNlYyByZXQ=\r\n"));
    assert_int_equal(answer.error, LINNET_E_AUTH);
    assert_string_equal(answer.detail, "GET /linnet/x: 401 unauthorized: Name or password is incorrect.");
    fake_text(f->server, "", false, FAKE_CLOSE); /* libcurl asks once more by a connection of its own */
    fake_text(f->server, "", false, FAKE_CLOSE);
    ask(f, &GET_X, &answer);
    assert_int_equal(answer.error, LINNET_E_BROKEN);
    assert_null(strstr(answer.detail, "sec"));
    answer_done(&answer);
}

static void urls_are_taken_apart(void **state) {
    struct fixture *f = *state;
    static const char *const bad[] = {"",        "ftp://h/",        "not a url",
                                      "http://", "http://h:99999/", "file:///etc/passwd"};
    struct linnet_couch *couch = NULL;
    struct linnet_error err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct linnet_couch_options options = {.url = bad[i]};
        assert_int_equal(linnet_couch_open(&f->loop, &options, &couch, &err), LINNET_E_INVALID);
        assert_null(couch);
    }
    const struct linnet_couch_options with_password = {.url = "ftp://ann:secret@h/"};
    assert_int_equal(linnet_couch_open(&f->loop, &with_password, &couch, &err), LINNET_E_INVALID);
    assert_null(strstr(err.detail, "secret"));
    char url[200];
    snprintf(url, sizeof url, "%s/below/here/?a=b#c", fake_server_url(f->server, ""));
    fixture_reopen(f, (struct linnet_couch_options){.url = url, .prefix = "site"});
    fake_reply(f->server, 200, "", "{}");
    struct answer answer = {0};
    ask(f, &GET_X, &answer);
    assert_non_null(strstr(fake_request(f->server, 0), "GET /below/here/linnet/x HTTP/1.1\r\n"));
    assert_null(strstr(fake_request(f->server, 0), "Authorization"));
    assert_string_equal(linnet_couch_database(f->couch, LINNET_DB_MAIN), "site");
    assert_string_equal(linnet_couch_database(f->couch, LINNET_DB_OPS), "site-ops");
    assert_null(linnet_couch_database(f->couch, LINNET_DB_NONE));
    answer_done(&answer);
}

static void statuses_become_errors(void **state) {
    struct fixture *f = *state;
    static const int cases[][2] = {{200, 0},
                                   {201, 0},
                                   {202, 0},
                                   {304, 0},
                                   {400, LINNET_E_INVALID},
                                   {401, LINNET_E_AUTH},
                                   {403, LINNET_E_DENIED},
                                   {404, LINNET_E_NOT_FOUND},
                                   {405, LINNET_E_UNSUPPORTED},
                                   {408, LINNET_E_TIMEOUT},
                                   {409, LINNET_E_CONFLICT},
                                   {412, LINNET_E_EXISTS},
                                   {413, LINNET_E_LIMIT},
                                   {415, LINNET_E_INVALID},
                                   {429, LINNET_E_SERVER},
                                   {500, LINNET_E_SERVER},
                                   {501, LINNET_E_UNSUPPORTED},
                                   {503, LINNET_E_SERVER}};
    struct answer answer = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_reply(f->server, cases[i][0], "", cases[i][0] < 400 ? "" : "<html>no json</html>");
        ask(f, &GET_X, &answer);
        assert_int_equal(answer.error, cases[i][1]);
        assert_int_equal(answer.status, cases[i][0]);
        assert_null(answer.json);
    }
    assert_string_equal(answer.detail, "GET /linnet/x: 503 server");
    answer_done(&answer);
}

static void a_page_where_json_should_be_is_an_error(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    struct linnet_couch_call call = GET_X;
    fake_reply(f->server, 200, "", "<html>Welcome to the hotel</html>");
    ask(f, &call, &answer);
    assert_int_equal(answer.error, LINNET_E_SERVER);
    assert_string_equal(answer.detail, "GET /linnet/x: 200, and the response is no JSON");
    call.raw = true;
    fake_reply(f->server, 200, "", "<html>Welcome to the hotel</html>");
    ask(f, &call, &answer);
    assert_int_equal(answer.error, 0);
    assert_string_equal(answer.body, "<html>Welcome to the hotel</html>");
    answer_done(&answer);
}

static void a_connection_is_used_again(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    for (int i = 0; i < 5; i++) {
        fake_reply(f->server, 200, "", "{}");
        ask(f, &GET_X, &answer);
    }
    assert_int_equal(fake_connections(f->server), 1);
    answer_done(&answer);
}

static void no_more_connections_are_made_than_allowed(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    fixture_reopen(f, (struct linnet_couch_options){.connections = 2});
    for (int i = 0; i < 20; i++) {
        fake_reply(f->server, 200, "", "{}");
        assert_int_equal(linnet_couch_request(f->couch, &GET_X, keep_answer, &answer, NULL), 0);
    }
    run_until(&f->loop, &answer.count, 20);
    assert_int_equal(fake_connections(f->server), 2);
    assert_int_equal(answer.error, 0);
    answer_done(&answer);
}

static void bodies_are_copied_or_taken(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    char *given = strdup("{\"a\":1}");
    char copied[] = "{\"b\":2}";
    struct linnet_couch_call call = {
        .method = "POST", .path = "/linnet", .body = given, .size = 7, .free_body = free, .if_match = "1-a"};
    fake_reply(f->server, 201, "", "{}");
    ask(f, &call, &answer);
    call = (struct linnet_couch_call){
        .method = "PUT", .path = "/linnet/y", .body = copied, .size = 7, .content_type = "image/png"};
    fake_reply(f->server, 201, "", "{}");
    assert_int_equal(linnet_couch_request(f->couch, &call, keep_answer, &answer, NULL), 0);
    memset(copied, 'x', 7);
    run_until(&f->loop, &answer.count, 2);
    const char *first = fake_request(f->server, 0), *second = fake_request(f->server, 1);
    assert_non_null(strstr(first, "POST /linnet HTTP/1.1\r\n"));
    assert_non_null(strstr(first, "If-Match: 1-a\r\n"));
    assert_non_null(strstr(first, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(first, "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(first, "Expect"));
    assert_non_null(strstr(second, "PUT /linnet/y HTTP/1.1\r\n"));
    assert_non_null(strstr(second, "Content-Type: image/png\r\n"));
    assert_non_null(strstr(second, "\r\n\r\n{\"b\":2}"));
    answer_done(&answer);
}

static void methods_without_a_body_send_none(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    fake_text(f->server, "HTTP/1.1 200 OK\r\nETag: \"3-x\"\r\nContent-Length: 100\r\n\r\n", false, FAKE_KEEP);
    fake_reply(f->server, 200, "", "{}");
    fake_reply(f->server, 201, "", "{}");
    ask(f, &(struct linnet_couch_call){.method = "HEAD", .path = "/linnet/x"}, &answer);
    assert_string_equal(answer.etag, "\"3-x\"");
    ask(f, &(struct linnet_couch_call){.method = "DELETE", .path = "/linnet/x?rev=1"}, &answer);
    ask(f, &(struct linnet_couch_call){.method = "PUT", .path = "/linnet"}, &answer);
    assert_int_equal(answer.error, 0);
    assert_non_null(strstr(fake_request(f->server, 1), "DELETE /linnet/x?rev=1 "));
    assert_null(strstr(fake_request(f->server, 1), "Content-Length"));
    assert_non_null(strstr(fake_request(f->server, 2), "Content-Length: 0\r\n"));
    answer_done(&answer);
}

static void a_compressed_response_is_opened(void **state) {
    struct fixture *f = *state;
    static const char gzip[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\x49\x2d\x2e"
                               "\x51\xb2\x2a\x29\x2a\x4d\xad\x05\x00\x43\x54\xe1\x6a\x0d\x00\x00\x00";
    char reply[512];
    int head = snprintf(reply, sizeof reply,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: "
                        "gzip\r\nContent-Length: %zu\r\n\r\n",
                        sizeof gzip - 1);
    memcpy(reply + head, gzip, sizeof gzip - 1);
    fake_raw(f->server, reply, (size_t)head + sizeof gzip - 1, false, FAKE_KEEP);
    struct answer answer = {0};
    ask(f, &GET_X, &answer);
    assert_string_equal(answer.body, "{\"test\":true}");
    answer_done(&answer);
}

/* A header line that continues the one before it, where none is: curl 7.88 wrote to freed memory there when
 * its handle was used again (the sanitizers see it). */
static void a_header_that_continues_nothing_does_no_harm(void **state) {
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        struct answer answer = {0};
        fake_reply(f->server, 200, "X-Long: a header that is kept\r\n", "{}");
        ask(f, &GET_X, &answer);
        answer_done(&answer);
        fake_text(f->server, "HTTP/1.1 200 OK\r\n folded: line\r\nContent-Length: 2\r\n\r\n{}", false,
                  FAKE_CLOSE);
        ask(f, &GET_X, &answer);
        assert_int_equal(answer.count, 1);
        answer_done(&answer);
    }
}

static void a_response_over_its_limit_is_an_error(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    struct linnet_couch_call call = GET_X;
    call.limit = 10;
    fake_reply(f->server, 200, "", "{\"abc\":\"defghijklmnop\"}");
    ask(f, &call, &answer);
    assert_int_equal(answer.error, LINNET_E_LIMIT);
    assert_string_equal(answer.detail, "GET /linnet/x: the response: a limit was exceeded");
    answer_done(&answer);
}

static void a_truncated_response_is_broken(void **state) {
    struct fixture *f = *state;
    static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"abc\":";
    struct answer answer = {0};
    fake_text(f->server, cut, false, FAKE_CLOSE);
    ask(f, &GET_X, &answer);
    assert_int_equal(answer.error, LINNET_E_BROKEN);
    fake_text(f->server, cut, false, FAKE_RESET);
    ask(f, &GET_X, &answer);
    assert_int_equal(answer.error, LINNET_E_BROKEN);
    fake_text(f->server, "SSH-2.0-OpenSSH\r\n\r\n", false, FAKE_CLOSE);
    ask(f, &GET_X, &answer);
    assert_int_equal(answer.error, LINNET_E_BROKEN);
    answer_done(&answer);
}

static void a_port_where_nobody_listens_is_told(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    /* Bound, so that nobody else gets it, and not listening. */
    uv_tcp_t tcp;
    struct sockaddr_in address;
    int size = sizeof address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(&f->loop, &tcp);
    assert_int_equal(uv_tcp_bind(&tcp, (struct sockaddr *)&address, 0), 0);
    uv_tcp_getsockname(&tcp, (struct sockaddr *)&address, &size);
    char url[64];
    snprintf(url, sizeof url, "http://u:secret@127.0.0.1:%d", ntohs(address.sin_port));
    fixture_reopen(f, (struct linnet_couch_options){.url = url});
    ask(f, &GET_X, &answer);
    assert_int_equal(answer.error, LINNET_E_CONNECT);
    assert_int_equal(answer.status, 0);
    assert_null(strstr(answer.detail, "secret"));
    uv_close((uv_handle_t *)&tcp, NULL);
    answer_done(&answer);
}

static void a_server_that_says_nothing_times_out(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    struct linnet_couch_call call = GET_X;
    call.timeout_ms = 50;
    fake_text(f->server, "HTTP/1.1 200 OK\r\n", false, FAKE_HANG);
    ask(f, &call, &answer);
    assert_int_equal(answer.error, LINNET_E_TIMEOUT);
    answer_done(&answer);
}

static void cancelled_requests_answer_once(void **state) {
    struct fixture *f = *state;
    struct answer answers[3] = {0};
    struct linnet_couch_request *requests[3];
    fake_text(f->server, "HTTP/1.1 200 OK\r\n", false, FAKE_HANG);
    /* One before it starts, one after its request is out. */
    assert_int_equal(linnet_couch_request(f->couch, &GET_X, keep_answer, &answers[0], &requests[0]), 0);
    assert_int_equal(linnet_couch_request(f->couch, &GET_X, keep_answer, &answers[1], &requests[1]), 0);
    linnet_couch_cancel(requests[1]);
    linnet_couch_cancel(requests[1]);
    assert_int_equal(answers[1].count, 0);
    while (!fake_requests(f->server))
        uv_run(&f->loop, UV_RUN_ONCE);
    linnet_couch_cancel(requests[0]);
    linnet_couch_cancel(NULL);
    run_until(&f->loop, &answers[0].count, 1);
    run_until(&f->loop, &answers[1].count, 1);
    assert_int_equal(answers[0].error, LINNET_E_CANCELLED);
    assert_int_equal(answers[1].error, LINNET_E_CANCELLED);
    assert_int_equal(fake_requests(f->server), 1);
    for (int i = 0; i < 3; i++)
        answer_done(&answers[i]);
}

static void closing_answers_all_that_is_under_way(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    fixture_reopen(f, (struct linnet_couch_options){.connections = 2});
    for (int i = 0; i < 10; i++)
        assert_int_equal(linnet_couch_request(f->couch, &GET_X, keep_answer, &answer, NULL), 0);
    while (fake_requests(f->server) < 2)
        uv_run(&f->loop, UV_RUN_ONCE);
    linnet_couch_close(f->couch, NULL, NULL);
    linnet_couch_close(f->couch, NULL, NULL);
    assert_int_equal(linnet_couch_request(f->couch, &GET_X, keep_answer, &answer, NULL), LINNET_E_CANCELLED);
    assert_int_equal(answer.count, 0);
    run_until(&f->loop, &answer.count, 10);
    assert_int_equal(answer.error, LINNET_E_CANCELLED);
    f->couch = NULL;
    answer_done(&answer);
}

struct chain {
    struct fixture *f;
    int count, left;
};

static void ask_again(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                      void *arg) {
    (void)request;
    struct chain *chain = arg;
    chain->count++;
    if (!response->error && chain->left-- > 0)
        assert_int_equal(linnet_couch_request(chain->f->couch, &GET_X, ask_again, chain, NULL), 0);
    if (chain->left == 0) {
        linnet_couch_close(chain->f->couch, NULL, NULL);
        chain->f->couch = NULL;
    }
}

static void a_callback_may_ask_again_and_close_the_client(void **state) {
    struct fixture *f = *state;
    struct chain chain = {.f = f, .left = 5};
    for (int i = 0; i < 10; i++)
        fake_reply(f->server, 200, "", "{}");
    assert_int_equal(linnet_couch_request(f->couch, &GET_X, ask_again, &chain, NULL), 0);
    run_until(&f->loop, &chain.count, 6);
}

static void waiting_gives_the_answer_or_the_words(void **state) {
    struct fixture *f = *state;
    json_t *json = NULL;
    long status = 0;
    struct linnet_error err;
    fake_reply(f->server, 200, "", "{\"ok\":true}");
    assert_int_equal(linnet_couch_wait(f->couch, &GET_X, &json, &status, &err), 0);
    assert_true(json_is_true(json_object_get(json, "ok")));
    json_decref(json);
    json = NULL;
    fake_reply(f->server, 409, "", "{\"error\":\"conflict\",\"reason\":\"Document update conflict.\"}");
    assert_int_equal(linnet_couch_wait(f->couch, &GET_X, &json, &status, &err), LINNET_E_CONFLICT);
    assert_int_equal(status, 409);
    assert_null(json);
    assert_string_equal(err.detail, "GET /linnet/x: 409 conflict: Document update conflict.");
    fake_reply(f->server, 200, "", "{\"ok\":true}");
    assert_int_equal(linnet_couch_wait(f->couch, &GET_X, NULL, NULL, NULL), 0);
}

static void a_document_made_to_break_readers_is_mended(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    fake_reply(
        f->server, 200, "",
        "{\"good\":\"caf\\u00e9 "
        "\\ud83c\\udf3f\",\"a\\u0000b\":\"\\u0000\",\"s\":\"\\ud800x\\udc00\",\"n\":123456789012345678901234,"
        "\"e\":[1e999,-1e400,12345678901234567890]}");
    ask(f, &GET_X, &answer);
    assert_non_null(answer.json);
    assert_string_equal(json_string_value(json_object_get(answer.json, "good")),
                        "caf\xc3\xa9 \xf0\x9f\x8c\xbf");
    assert_string_equal(json_string_value(json_object_get(answer.json, "a\xef\xbf\xbd"
                                                                       "b")),
                        "\xef\xbf\xbd");
    assert_string_equal(json_string_value(json_object_get(answer.json, "s")), "\xef\xbf\xbdx\xef\xbf\xbd");
    double number = json_number_value(json_object_get(answer.json, "n"));
    assert_true(number > 1.2345678901e23 && number < 1.2345678902e23);
    answer_done(&answer);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_json_response_is_parsed),
        TEST(credentials_travel_in_the_header_and_not_in_words),
        TEST(urls_are_taken_apart),
        TEST(statuses_become_errors),
        TEST(a_page_where_json_should_be_is_an_error),
        TEST(a_connection_is_used_again),
        TEST(no_more_connections_are_made_than_allowed),
        TEST(bodies_are_copied_or_taken),
        TEST(methods_without_a_body_send_none),
        TEST(a_compressed_response_is_opened),
        TEST(a_header_that_continues_nothing_does_no_harm),
        TEST(a_response_over_its_limit_is_an_error),
        TEST(a_truncated_response_is_broken),
        TEST(a_port_where_nobody_listens_is_told),
        TEST(a_server_that_says_nothing_times_out),
        TEST(cancelled_requests_answer_once),
        TEST(closing_answers_all_that_is_under_way),
        TEST(a_callback_may_ask_again_and_close_the_client),
        TEST(waiting_gives_the_answer_or_the_words),
        TEST(a_document_made_to_break_readers_is_mended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
