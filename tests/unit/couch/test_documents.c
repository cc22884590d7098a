/* Documents, ranges, bulk writes, attachments and the probe: the paths and bodies that CouchDB wants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "tests/unit/couch/fixture.h"

static const char OBS[] = "01HXYZABCDEFGHJKMNPQRSTVWX";

/* The first line of the last request, without " HTTP/1.1". */
static const char *asked(struct fixture *f) {
    static char line[1024];
    snprintf(line, sizeof line, "%s", fake_request(f->server, fake_requests(f->server) - 1));
    char *end = strstr(line, " HTTP/1.1\r\n");
    assert_non_null(end);
    *end = '\0';
    return line;
}

static const char *sent(struct fixture *f) {
    const char *body = strstr(fake_request(f->server, fake_requests(f->server) - 1), "\r\n\r\n");
    return body ? body + 4 : "";
}

static void answered(struct fixture *f, int rc, struct answer *answer) {
    assert_int_equal(rc, 0);
    run_until(&f->loop, &answer->count, answer->count + 1);
}

static void texts_are_escaped_for_paths(void **state) {
    (void)state;
    struct linnet_buf out = {0};
    assert_int_equal(linnet_couch_escape(&out, "01H:image:a/b?c=d&e f\"+%\xc3\xa9"), 0);
    assert_string_equal(out.data, "01H:image:a%2Fb%3Fc%3Dd%26e%20f%22%2B%25%C3%A9");
    linnet_buf_done(&out);
    linnet_buf_init(&out, 5);
    assert_int_equal(linnet_couch_escape(&out, "abc//"), LINNET_E_LIMIT);
    assert_string_equal(out.data, "");
    linnet_buf_done(&out);
}

static void one_document_is_read_and_written(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    fake_reply(f->server, 200, "", "{}");
    answered(f,
             linnet_couch_get(f->couch, LINNET_DB_REFERENCE, "model:a/b@1", "conflicts=true", keep_answer,
                              &answer),
             &answer);
    assert_string_equal(asked(f), "GET /linnet-reference/model:a%2Fb%401?conflicts=true");
    fake_reply(f->server, 200, "", "{}");
    answered(f, linnet_couch_get(f->couch, LINNET_DB_MAIN, "_design/linnet", NULL, keep_answer, &answer),
             &answer);
    assert_string_equal(asked(f), "GET /linnet/_design/linnet");
    fake_reply(f->server, 201, "", "{\"ok\":true}");
    json_t *document = json_pack("{s:s,s:f,s:f,s:i}", "_id", "share:images:07", "a", 0.1, "b", 3.0, "c", 4);
    answered(f, linnet_couch_put(f->couch, LINNET_DB_OPS, document, keep_answer, &answer), &answer);
    assert_string_equal(asked(f), "PUT /linnet-ops/share:images:07");
    assert_string_equal(sent(f), "{\"_id\":\"share:images:07\",\"a\":0.1,\"b\":3.0,\"c\":4}");
    json_object_del(document, "_id");
    assert_int_equal(linnet_couch_put(f->couch, LINNET_DB_OPS, document, keep_answer, &answer),
                     LINNET_E_INVALID);
    assert_int_equal(linnet_couch_get(f->couch, LINNET_DB_NONE, "x", NULL, keep_answer, &answer),
                     LINNET_E_INVALID);
    json_decref(document);
    answer_done(&answer);
}

static void an_observation_is_read_by_key_range_then_by_partition(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    fake_reply(f->server, 200, "", "{\"rows\":[]}");
    answered(f, linnet_couch_get_observation(f->couch, OBS, keep_answer, &answer), &answer);
    assert_string_equal(asked(f),
                        "GET /linnet/_all_docs?inclusive_end=false&startkey=%2201HXYZABCDEFGHJKMNPQRSTVWX:%22"
                        "&endkey=%2201HXYZABCDEFGHJKMNPQRSTVWX%3B%22&include_docs=true&conflicts=true");
    fake_reply(f->server, 200, "",
               "{\"version\":\"3.5.0\",\"vendor\":{\"name\":\"The Apache Software Foundation\"}}");
    fake_reply(f->server, 200, "",
               "{\"instance_start_time\":\"1795450596\",\"props\":{\"partitioned\":true}}");
    fake_reply(f->server, 404, "", "{\"error\":\"not_found\"}");
    struct linnet_couch_server server;
    assert_int_equal(linnet_couch_probe_wait(f->couch, LINNET_DB_MAIN, &server, NULL), 0);
    fake_reply(f->server, 200, "", "{\"rows\":[]}");
    answered(f, linnet_couch_get_observation(f->couch, OBS, keep_answer, &answer), &answer);
    assert_string_equal(
        asked(f),
        "GET /linnet/_partition/01HXYZABCDEFGHJKMNPQRSTVWX/_all_docs?include_docs=true&conflicts=true");
    answer_done(&answer);
}

static void many_documents_are_read_by_keys_and_ranges(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    json_t *keys = json_pack("[s,s]", "a", "b\"");
    fake_reply(f->server, 200, "", "{\"rows\":[]}");
    answered(f, linnet_couch_all_docs(f->couch, LINNET_DB_MAIN, keys, false, keep_answer, &answer), &answer);
    assert_string_equal(asked(f), "POST /linnet/_all_docs");
    assert_string_equal(sent(f), "{\"keys\":[\"a\",\"b\\\"\"]}");
    fake_reply(f->server, 200, "", "{\"rows\":[]}");
    answered(f, linnet_couch_all_docs(f->couch, LINNET_DB_MAIN, keys, true, keep_answer, &answer), &answer);
    assert_string_equal(asked(f), "POST /linnet/_all_docs?include_docs=true&conflicts=true");
    json_decref(keys);
    fake_reply(f->server, 200, "", "{\"rows\":[]}");
    answered(f,
             linnet_couch_range(f->couch, LINNET_DB_REFERENCE, "taxon:", "taxon;", 500, false, keep_answer,
                                &answer),
             &answer);
    assert_string_equal(
        asked(f), "GET "
                  "/linnet-reference/"
                  "_all_docs?inclusive_end=false&startkey=%22taxon:%22&endkey=%22taxon%3B%22&limit=500");
    answer_done(&answer);
}

static void bulk_writes_carry_documents_and_attachments(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    json_t *document = json_pack("{s:s}", "_id", "x");
    assert_int_equal(linnet_couch_attach(document, "a", "text/plain", "hello", 5), 0);
    assert_int_equal(linnet_couch_attach(document, "b", "image/jpeg", "\xff\xd8\xff\xe0", 4), 0);
    assert_int_equal(linnet_couch_attach(document, "c", "image/jpeg", "\x00\x01\x02\x03\x04\x05", 6), 0);
    assert_int_equal(linnet_couch_attach(document, "d", "text/plain", "", 0), 0);
    json_t *documents = json_pack("[o]", document);
    fake_reply(f->server, 201, "", "[{\"ok\":true,\"id\":\"x\",\"rev\":\"1-a\"}]");
    answered(f, linnet_couch_bulk(f->couch, LINNET_DB_MAIN, documents, true, keep_answer, &answer), &answer);
    assert_string_equal(asked(f), "POST /linnet/_bulk_docs");
    assert_string_equal(
        sent(f),
        "{\"docs\":[{\"_id\":\"x\",\"_attachments\":{\"a\":{\"content_type\":\"text/plain\",\"data\":"
        "\"aGVsbG8=\"},\"b\":{\"content_type\":\"image/jpeg\",\"data\":\"/9j/4A==\"},\"c\":{"
        "\"content_type\":\"image/jpeg\",\"data\":\"AAECAwQF\"},\"d\":{\"content_type\":\"text/plain\","
        "\"data\":\"\"}}}]}");
    assert_true(json_is_array(answer.json));
    fake_reply(f->server, 201, "", "[]");
    answered(f, linnet_couch_bulk(f->couch, LINNET_DB_MAIN, documents, false, keep_answer, &answer), &answer);
    assert_int_equal(strncmp(sent(f), "{\"new_edits\":false,\"docs\":[", 27), 0);
    json_decref(documents);
    answer_done(&answer);
}

static void an_attachment_comes_as_its_bytes(void **state) {
    struct fixture *f = *state;
    struct answer answer = {0};
    fake_reply(f->server, 200, "", "{\"looks\":\"like JSON\"}");
    answered(f,
             linnet_couch_get_attachment(f->couch, LINNET_DB_MAIN, "01H:image:x", "page 1.jpg", "2-b", 0,
                                         keep_answer, &answer),
             &answer);
    assert_string_equal(asked(f), "GET /linnet/01H:image:x/page%201.jpg?rev=2-b");
    assert_null(answer.json);
    assert_string_equal(answer.body, "{\"looks\":\"like JSON\"}");
    fake_reply(f->server, 200, "", "0123456789");
    answered(f,
             linnet_couch_get_attachment(f->couch, LINNET_DB_MAIN, "x", "y", NULL, 9, keep_answer, &answer),
             &answer);
    assert_int_equal(answer.error, LINNET_E_LIMIT);
    fake_reply(f->server, 404, "", "{\"error\":\"not_found\",\"reason\":\"Document is missing attachment\"}");
    answered(f,
             linnet_couch_get_attachment(f->couch, LINNET_DB_MAIN, "x", "y", NULL, 0, keep_answer, &answer),
             &answer);
    assert_int_equal(answer.error, LINNET_E_NOT_FOUND);
    assert_string_equal(answer.detail, "GET /linnet/x/y: 404 not_found: Document is missing attachment");
    answer_done(&answer);
}

static void the_probe_tells_servers_and_databases_apart(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *root, *database;
        int status;
        const char *identity, *wanted;
        bool partitions;
    } cases[] = {
        {"{\"version\":\"3.5.0\",\"vendor\":{\"name\":\"The Apache Software Foundation\"}}",
         "{\"instance_start_time\":\"1795450596\",\"props\":{\"partitioned\":true}}", 200,
         "{\"uuid\":\"abc\"}", "abc-1795450596", true},
        {"{\"version\":\"3.2.0\",\"vendor\":{\"name\":\"The Apache Software Foundation\"}}",
         "{\"instance_start_time\":\"0\",\"props\":{}}", 200, "{\"uuid\":\"abc\"}", "abc", false},
        {"{\"version\":\"7.2.2\",\"vendor\":{\"name\":\"PouchDB authors\"}}",
         "{\"instance_start_time\":\"1795450596\"}", 200, "{\"uuid\":\"abc\"}", "abc", false},
        {"{\"version\":\"0.1.0\",\"vendor\":{\"name\":\"Linnet embedded store\"}}",
         "{\"instance_start_time\":\"0\",\"uuid\":\"def\"}", 200, "{\"uuid\":\"abc\"}", "abc-def", false},
        {"{\"version\":\"7.2.2\"}", "{}", 404, "{\"error\":\"not_found\"}", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct linnet_couch_server server;
        fake_reply(f->server, 200, "", cases[i].root);
        fake_reply(f->server, 200, "", cases[i].database);
        fake_reply(f->server, cases[i].status, "", cases[i].identity);
        assert_int_equal(linnet_couch_probe_wait(f->couch, LINNET_DB_MAIN, &server, NULL), 0);
        assert_string_equal(asked(f), "GET /linnet-ops/identity:database");
        assert_string_equal(server.identity, cases[i].wanted);
        assert_int_equal(server.partitions, cases[i].partitions);
    }
}

static void the_probe_fails_with_words(void **state) {
    struct fixture *f = *state;
    struct linnet_couch_server server;
    struct linnet_error err;
    fake_reply(f->server, 200, "", "{\"hello\":1}");
    assert_int_equal(linnet_couch_probe_wait(f->couch, LINNET_DB_MAIN, &server, &err), LINNET_E_UNSUPPORTED);
    assert_string_equal(err.detail, "what answers at the store's URL is no CouchDB");
    fake_reply(f->server, 200, "", "{\"version\":\"3.5.0\"}");
    fake_reply(f->server, 404, "", "{\"error\":\"not_found\",\"reason\":\"Database does not exist.\"}");
    assert_int_equal(linnet_couch_probe_wait(f->couch, LINNET_DB_MAIN, &server, &err), LINNET_E_NOT_FOUND);
    fake_reply(f->server, 200, "", "{\"version\":\"3.5.0\"}");
    fake_reply(f->server, 200, "", "{}");
    fake_reply(f->server, 401, "", "{}");
    assert_int_equal(linnet_couch_probe_wait(f->couch, LINNET_DB_MAIN, &server, &err), LINNET_E_AUTH);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped_for_paths),
        TEST(one_document_is_read_and_written),
        TEST(an_observation_is_read_by_key_range_then_by_partition),
        TEST(many_documents_are_read_by_keys_and_ranges),
        TEST(bulk_writes_carry_documents_and_attachments),
        TEST(an_attachment_comes_as_its_bytes),
        TEST(the_probe_tells_servers_and_databases_apart),
        TEST(the_probe_fails_with_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
