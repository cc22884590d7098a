/* The client against a store that is really there (LINNET_COUCHDB_URL, LINNET_PREFIX): what the fake server's
 * tests believe about CouchDB and the embedded store, asked of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/ulid.h"
#include "common/couch/changes.h"
#include "tests/unit/couch/fixture.h"

struct store {
    uv_loop_t loop;
    struct linnet_couch *couch;
    bool partitions;
};

static void must(struct store *s, const char *method, const char *suffix, const char *body, long wanted) {
    char path[256];
    long status = 0;
    struct linnet_error err = {0};
    snprintf(path, sizeof path, "/%s%s", linnet_couch_database(s->couch, LINNET_DB_MAIN), suffix);
    const struct linnet_couch_call call = {
        .method = method, .path = path, .body = body, .size = body ? strlen(body) : 0};
    linnet_couch_wait(s->couch, &call, NULL, &status, &err);
    if (wanted && status != wanted)
        fail_msg("%s %s: %ld, not %ld: %s", method, path, status, wanted, err.detail);
}

/* A database made anew for each test, partitioned where that works. */
static int setup(void **state) {
    struct store *s = calloc(1, sizeof *s);
    assert_non_null(s);
    uv_loop_init(&s->loop);
    const struct linnet_couch_options options = {.url = getenv("LINNET_COUCHDB_URL"),
                                                 .prefix = getenv("LINNET_PREFIX")};
    struct linnet_error err = {0};
    if (linnet_couch_open(&s->loop, &options, &s->couch, &err)) fail_msg("%s", err.detail);
    must(s, "DELETE", "", NULL, 0);
    must(s, "PUT", "?partitioned=true", NULL, 201);
    struct linnet_couch_server server;
    if (linnet_couch_probe_wait(s->couch, LINNET_DB_MAIN, &server, &err)) fail_msg("%s", err.detail);
    s->partitions = server.partitions;
    *state = s;
    return 0;
}

static void on_closed(void *arg) {
    ++*(int *)arg;
}

static int teardown(void **state) {
    struct store *s = *state;
    int closed = 0;
    must(s, "DELETE", "", NULL, 0);
    linnet_couch_close(s->couch, on_closed, &closed);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    free(s);
    return 0;
}

static void write_bulk(struct store *s, json_t *documents, bool new_edits) {
    struct answer answer = {0};
    assert_int_equal(linnet_couch_bulk(s->couch, LINNET_DB_MAIN, documents, new_edits, keep_answer, &answer),
                     0);
    run_until(&s->loop, &answer.count, 1);
    if (answer.error) fail_msg("%s", answer.detail);
    assert_int_equal(answer.status, 201);
    answer_done(&answer);
    json_decref(documents);
}

static json_t *numbered(const char *obs, int from, int count) {
    json_t *documents = json_array();
    for (int i = from; i < from + count; i++) {
        char id[64];
        snprintf(id, sizeof id, "%s:image:%d", obs, i);
        json_array_append_new(
            documents, json_pack("{s:s,s:s,s:i,s:f}", "_id", id, "kind", "image", "n", i, "half", i / 2.0));
    }
    return documents;
}

struct feed {
    struct linnet_changes *changes;
    char seqs[4][512];
    unsigned char seen[8192];
    int count, distinct, caught_up, broken, deleted, without_document;
    size_t most_revisions;
    char detail[600], last[512];
};

static void on_change(void *arg, const struct linnet_change *change) {
    struct feed *feed = arg;
    const char *colon = strrchr(change->id, ':');
    int n = colon ? atoi(colon + 1) : 0;
    assert_in_range(n, 0, sizeof feed->seen - 1);
    feed->distinct += !feed->seen[n];
    feed->seen[n] = 1;
    feed->count++;
    feed->deleted += change->deleted;
    feed->without_document += !change->document;
    if (change->nrevisions > feed->most_revisions) feed->most_revisions = change->nrevisions;
    snprintf(feed->last, sizeof feed->last, "%s", change->seq);
    if (feed->count == 1500) snprintf(feed->seqs[0], sizeof feed->seqs[0], "%s", change->seq);
}

static void on_caught_up(void *arg, const char *seq) {
    struct feed *feed = arg;
    feed->caught_up++;
    snprintf(feed->seqs[1], sizeof feed->seqs[1], "%s", seq);
}

static void on_broken(void *arg, int error, const char *detail, long retry_ms) {
    (void)error;
    (void)retry_ms;
    struct feed *feed = arg;
    feed->broken++;
    snprintf(feed->detail, sizeof feed->detail, "%s", detail);
}

static struct feed *follow(struct store *s, const char *since, bool continuous, size_t line_limit) {
    static const struct linnet_changes_events events = {
        .change = on_change, .caught_up = on_caught_up, .broken = on_broken};
    const struct linnet_changes_options options = {.since = since,
                                                   .include_docs = true,
                                                   .continuous = continuous,
                                                   .heartbeat_ms = 1000,
                                                   .line_limit = line_limit};
    struct feed *feed = calloc(1, sizeof *feed);
    assert_non_null(feed);
    assert_int_equal(linnet_changes_open(s->couch, &options, &events, feed, &feed->changes, NULL), 0);
    return feed;
}

static void unfollow(struct feed *feed) {
    if (feed->broken) fail_msg("the feed broke: %s", feed->detail);
    linnet_changes_close(feed->changes);
    free(feed);
}

static const char A[] = "01HXYZABCDEFGHJKMNPQRSTVWX", B[] = "01HXYZABCDEFGHJKMNPQRSTVWY";

static void a_feed_of_thousands_comes_whole_and_goes_on(void **state) {
    struct store *s = *state;
    for (int i = 0; i < 5000; i += 1000)
        write_bulk(s, numbered(A, i, 1000), true);
    struct feed *feed = follow(s, NULL, true, 0);
    run_until(&s->loop, &feed->caught_up, 1);
    assert_int_equal(feed->distinct, 5000);
    assert_int_equal(feed->count, 5000);
    assert_int_equal(feed->without_document, 0);
    write_bulk(s, numbered(A, 5000, 10), true);
    run_until(&s->loop, &feed->distinct, 5010);
    run_until(&s->loop, &feed->caught_up, 2); /* by a heartbeat */
    assert_string_equal(feed->seqs[1], feed->last);

    /* From a position in the middle comes what was not before it, and from the end nothing. */
    struct feed *rest = follow(s, feed->seqs[0], false, 0);
    run_until(&s->loop, &rest->caught_up, 1);
    assert_in_range(rest->distinct, 3510, 5010);
    struct feed *none = follow(s, feed->seqs[1], false, 0);
    run_until(&s->loop, &none->caught_up, 1);
    assert_in_range(none->distinct, 0, 0);
    unfollow(feed);
    unfollow(rest);
    unfollow(none);
}

static void leaves_and_deletions_are_told(void **state) {
    struct store *s = *state;
    write_bulk(s,
               json_pack("[{s:s,s:s,s:i},{s:s,s:s,s:i}]", "_id", "01HXYZABCDEFGHJKMNPQRSTVWX:validation:1",
                         "_rev", "1-0123456789abcdef0123456789abcdef", "v", 1, "_id",
                         "01HXYZABCDEFGHJKMNPQRSTVWX:validation:1", "_rev",
                         "1-fedcba98765432100123456789abcdef", "v", 2),
               false);
    struct feed *feed = follow(s, NULL, true, 0);
    run_until(&s->loop, &feed->caught_up, 1);
    assert_int_equal(feed->most_revisions, 2);
    must(s, "DELETE", "/01HXYZABCDEFGHJKMNPQRSTVWX:validation:1?rev=1-fedcba98765432100123456789abcdef", NULL,
         200);
    must(s, "DELETE", "/01HXYZABCDEFGHJKMNPQRSTVWX:validation:1?rev=1-0123456789abcdef0123456789abcdef", NULL,
         200);
    run_until(&s->loop, &feed->deleted, 1);
    unfollow(feed);
}

static void an_observation_is_read_whole_and_alone(void **state) {
    struct store *s = *state;
    struct answer answer = {0};
    write_bulk(s, numbered(A, 0, 3), true);
    write_bulk(s, numbered(B, 3, 4), true);
    assert_int_equal(linnet_couch_get_observation(s->couch, A, keep_answer, &answer), 0);
    run_until(&s->loop, &answer.count, 1);
    assert_int_equal(json_array_size(linnet_json_at(answer.json, "rows")), 3);
    assert_true(linnet_json_number(answer.json, "rows/1/doc/half", 0) == 0.5);
    json_t *keys =
        json_pack("[s,s]", "01HXYZABCDEFGHJKMNPQRSTVWY:image:5", "01HXYZABCDEFGHJKMNPQRSTVWY:image:99");
    assert_int_equal(linnet_couch_all_docs(s->couch, LINNET_DB_MAIN, keys, true, keep_answer, &answer), 0);
    run_until(&s->loop, &answer.count, 2);
    assert_int_equal(linnet_json_integer(answer.json, "rows/0/doc/n", 0), 5);
    assert_string_equal(linnet_json_string(answer.json, "rows/1/error", ""), "not_found");
    json_decref(keys);
    answer_done(&answer);
}

static void attachments_go_and_come_back(void **state) {
    struct store *s = *state;
    struct answer answer = {0};
    unsigned char bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 7);
    json_t *document = json_pack("{s:s,s:s}", "_id", "01HXYZABCDEFGHJKMNPQRSTVWX:image:1", "kind", "image");
    assert_int_equal(linnet_couch_attach(document, "original", "image/jpeg", bytes, sizeof bytes), 0);
    assert_int_equal(linnet_couch_attach(document, "a b.txt", "text/plain", "hello", 5), 0);
    assert_int_equal(linnet_couch_put(s->couch, LINNET_DB_MAIN, document, keep_answer, &answer), 0);
    run_until(&s->loop, &answer.count, 1);
    assert_int_equal(answer.error, 0);
    char rev[80];
    snprintf(rev, sizeof rev, "%s", linnet_json_string(answer.json, "rev", ""));
    assert_int_equal(linnet_couch_get_attachment(s->couch, LINNET_DB_MAIN,
                                                 "01HXYZABCDEFGHJKMNPQRSTVWX:image:1", "a b.txt", rev, 0,
                                                 keep_answer, &answer),
                     0);
    run_until(&s->loop, &answer.count, 2);
    assert_string_equal(answer.body, "hello");
    assert_int_equal(linnet_couch_get_attachment(s->couch, LINNET_DB_MAIN,
                                                 "01HXYZABCDEFGHJKMNPQRSTVWX:image:1", "original", NULL, 0,
                                                 keep_answer, &answer),
                     0);
    run_until(&s->loop, &answer.count, 3);
    assert_int_equal(answer.size, sizeof bytes);
    assert_memory_equal(answer.body, bytes, 64);
    /* A second write without its revision is a conflict. */
    assert_int_equal(linnet_couch_put(s->couch, LINNET_DB_MAIN, document, keep_answer, &answer), 0);
    run_until(&s->loop, &answer.count, 4);
    assert_int_equal(answer.error, LINNET_E_CONFLICT);
    json_decref(document);
    answer_done(&answer);
}

static void documents_made_to_break_readers_do_not(void **state) {
    struct store *s = *state;
    struct linnet_buf deep = {0};
    linnet_buf_append_string(&deep, "{\"a\":");
    for (int i = 0; i < 3000; i++)
        linnet_buf_append_string(&deep, "[");
    for (int i = 0; i < 3000; i++)
        linnet_buf_append_string(&deep, "]");
    linnet_buf_append_string(&deep, "}");
    const char *const bodies[] = {"{\"a\":\"\\u0000\",\"b\\u0000c\":1}",
                                  "{\"a\":123456789012345678901234567890}",
                                  "{\"a\":\"\\ud800\"}",
                                  "{\"a\":1e999}",
                                  "{\"a\":1,\"a\":2}",
                                  deep.data};
    int taken = 0;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char path[200];
        long status = 0;
        snprintf(path, sizeof path, "/%s/01HXYZABCDEFGHJKMNPQRSTVWX:image:%zu",
                 linnet_couch_database(s->couch, LINNET_DB_MAIN), i);
        const struct linnet_couch_call call = {
            .method = "PUT", .path = path, .body = bodies[i], .size = strlen(bodies[i])};
        linnet_couch_wait(s->couch, &call, NULL, &status, NULL);
        taken += status == 201; /* each store refuses others */
    }
    linnet_buf_done(&deep);
    struct answer answer = {0};
    assert_int_equal(linnet_couch_get_observation(s->couch, A, keep_answer, &answer), 0);
    run_until(&s->loop, &answer.count, 1);
    if (answer.error) fail_msg("%s", answer.detail);
    assert_int_equal(json_array_size(linnet_json_at(answer.json, "rows")), taken);
    answer_done(&answer);
    struct feed *feed = follow(s, NULL, false, 0);
    run_until(&s->loop, &feed->caught_up, 1);
    assert_int_equal(feed->count, taken);
    assert_int_equal(feed->without_document, 0);
    unfollow(feed);
    print_message("%d of %zu hostile documents were taken by the store\n", taken,
                  sizeof bodies / sizeof bodies[0]);
}

static void a_long_change_comes_without_its_document(void **state) {
    struct store *s = *state;
    struct linnet_buf text = {0};
    for (int i = 0; i < 20000; i++)
        linnet_buf_append_string(&text, "0123456789");
    json_t *documents = numbered(A, 0, 3);
    json_object_set_new(json_array_get(documents, 1), "filler", json_string(text.data));
    linnet_buf_done(&text);
    write_bulk(s, documents, true);
    struct feed *feed = follow(s, NULL, false, 10000);
    run_until(&s->loop, &feed->caught_up, 1);
    assert_int_equal(feed->count, 3);
    assert_int_equal(feed->without_document, 1);
    unfollow(feed);
}

static void a_database_that_is_not_there_ends_the_feed(void **state) {
    struct store *s = *state;
    must(s, "DELETE", "", NULL, 200);
    struct feed *feed = follow(s, NULL, true, 0);
    run_until(&s->loop, &feed->broken, 1);
    assert_non_null(strstr(feed->detail, "404"));
    feed->broken = 0;
    unfollow(feed);
}

int main(void) {
    if (!getenv("LINNET_COUCHDB_URL")) {
        fprintf(stderr, "LINNET_COUCHDB_URL is not set; run this by tests/e2e/with-store.sh\n");
        return 1;
    }
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_feed_of_thousands_comes_whole_and_goes_on), TEST(leaves_and_deletions_are_told),
        TEST(an_observation_is_read_whole_and_alone),      TEST(attachments_go_and_come_back),
        TEST(documents_made_to_break_readers_do_not),      TEST(a_long_change_comes_without_its_document),
        TEST(a_database_that_is_not_there_ends_the_feed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
