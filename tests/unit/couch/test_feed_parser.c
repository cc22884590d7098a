/* The feed's text: every form, cut at every byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/couch/feed_parser.h"

/* What was heard, as one line of text. */
struct heard {
    struct linnet_buf text;
    int stop_at; /* the change callback returns LINNET_E_CANCELLED at this change */
    int changes;
};

static int hear_change(void *arg, const struct linnet_change *change) {
    struct heard *heard = arg;
    linnet_buf_printf(&heard->text, "%s=%s%s", change->seq, change->id, change->deleted ? "!" : "");
    for (size_t i = 0; i < change->nrevisions; i++)
        linnet_buf_printf(&heard->text, ",%s", change->revisions[i]);
    if (change->document) {
        char *text = linnet_json_canonical(change->document);
        linnet_buf_printf(&heard->text, " %.60s", text);
        free(text);
    }
    linnet_buf_append_string(&heard->text, ";");
    return ++heard->changes == heard->stop_at ? LINNET_E_CANCELLED : 0;
}

static void hear_heartbeat(void *arg) {
    struct heard *heard = arg;
    linnet_buf_append_string(&heard->text, "~");
}

static const struct feed_events EVENTS = {.change = hear_change, .heartbeat = hear_heartbeat};

/* Parse `text` in pieces: the first of `first` bytes, then of `step`. */
static int parse_in_pieces(struct heard *heard, enum feed_form form, size_t limit, const char *text,
                           size_t first, size_t step) {
    struct feed_parser parser;
    feed_parser_init(&parser, limit, &EVENTS, heard);
    feed_parser_start(&parser, form);
    linnet_buf_clear(&heard->text);
    heard->changes = 0;
    int rc = 0;
    size_t size = strlen(text);
    for (size_t at = 0; !rc && at < size;) {
        size_t piece = at == 0 ? first : step;
        if (piece > size - at) piece = size - at;
        char *copy = malloc(piece); /* exactly: so that the sanitizer sees a read beyond it */
        memcpy(copy, text + at, piece);
        rc = feed_parser_push(&parser, copy, piece);
        free(copy);
        at += piece;
    }
    if (!rc) rc = feed_parser_finish(&parser);
    linnet_buf_printf(&heard->text, "%s%s", parser.ended ? "end " : "", parser.ended ? parser.seq.data : "");
    feed_parser_done(&parser);
    return rc;
}

static void expect(enum feed_form form, size_t limit, const char *text, int wanted_rc, const char *wanted) {
    struct heard heard = {0};
    size_t size = strlen(text);
    for (size_t first = 1; first <= size; first++) {
        int rc = parse_in_pieces(&heard, form, limit, text, first, size);
        assert_int_equal(rc, wanted_rc);
        assert_string_equal(heard.text.data, wanted);
    }
    for (size_t step = 1; step < 8; step++) {
        int rc = parse_in_pieces(&heard, form, limit, text, step, step);
        assert_int_equal(rc, wanted_rc);
        assert_string_equal(heard.text.data, wanted);
    }
    linnet_buf_done(&heard.text);
}

static void continuous_lines_are_changes_and_empty_ones_heartbeats(void **state) {
    (void)state;
    expect(FEED_CONTINUOUS, 0,
           "\n{\"seq\":\"1-x\",\"id\":\"a\",\"changes\":[{\"rev\":\"1-r\"},{\"rev\":\"1-q\"}],\"doc\":{\"_"
           "id\":\"a\",\"t\":\"}{\\\"\\\\\"}}\n\n\n"
           "{\"seq\":\"2-y\",\"id\":\"b\",\"changes\":[{\"rev\":\"2-r\"}],\"deleted\":true}\n"
           "{\"last_seq\":\"2-y\",\"pending\":0}\n",
           0, "~1-x=a,1-r,1-q {\"_id\":\"a\",\"t\":\"}{\\\"\\\\\"};~~2-y=b!,2-r;end 2-y");
}

static void pages_of_couchdb_are_read(void **state) {
    (void)state;
    expect(FEED_NORMAL, 0,
           "{\"results\":[\n{\"seq\":\"1-x\",\"id\":\"a\",\"changes\":[{\"rev\":\"1-r\"}]},\n{\"seq\":\"2-"
           "x\",\"id\":\"b\",\"changes\":[]}\n],\n"
           "\"last_seq\":\"3-x\",\"pending\":7}\n",
           0, "1-x=a,1-r;2-x=b;end 3-x");
    expect(FEED_NORMAL, 0, "{\"results\":[\n\n],\n\"last_seq\":\"0\",\"pending\":0}\n", 0, "end 0");
}

static void pages_of_the_embedded_store_are_read(void **state) {
    (void)state;
    expect(FEED_NORMAL, 0,
           "{\"results\":[{\"id\":\"a\",\"changes\":[{\"rev\":\"1-r\"}],\"doc\":{\"n\":[[1]]},\"seq\":5},{"
           "\"id\":\"b\",\"changes\":[],\"deleted\":true,"
           "\"seq\":6}],\"last_seq\":6}",
           0, "5=a,1-r {\"n\":[[1]]};6=b!;end 6");
}

static void a_change_over_the_limit_comes_without_its_document(void **state) {
    (void)state;
    static const char text[] =
        "{\"seq\":\"1\",\"id\":\"a\",\"changes\":[{\"rev\":\"1-r\"}],\"doc\":{\"doc\":[1,{\"x\":\"]},{\"}],"
        "\"y\":\"0123456789012345678901234567890123456789\"}}\n"
        "{\"doc\":{\"z\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"},\"id\":"
        "\"d\\\"oc\",\"changes\":[{\"rev\":\"2\"}],"
        "\"deleted\":true,\"seq\":2}\n"
        "{\"seq\":\"3\",\"id\":\"c\",\"changes\":[],\"doc\":{\"ok\":1}}\n"
        "{\"id\":\"e\",\"seq\":\"4\",\"changes\":[],\"doc\":\"no object, "
        "0123456789012345678901234567890123456789012345678901234567890123456789\",\"deleted\":false}\n";
    expect(FEED_CONTINUOUS, 60, text, 0, "1=a,1-r;2=d\"oc!,2;3=c {\"ok\":1};4=e;");
}

static void what_cannot_be_shortened_is_an_error(void **state) {
    (void)state;
    struct linnet_buf text = {0};
    struct heard heard = {0};
    linnet_buf_append_string(&text, "{\"seq\":\"1\",\"id\":\"");
    for (int i = 0; i < 1 << 17; i++)
        linnet_buf_append_string(&text, "0123456789");
    assert_int_equal(parse_in_pieces(&heard, FEED_CONTINUOUS, 1000, text.data, 65536, 65536), LINNET_E_PARSE);
    linnet_buf_done(&text);
    linnet_buf_done(&heard.text);
}

static void documents_made_to_break_readers_are_mended(void **state) {
    (void)state;
    expect(FEED_CONTINUOUS, 0, "{\"seq\":\"1\",\"id\":\"a\",\"changes\":[],\"doc\":{\"a\\u0000\":1e999}}\n",
           0, "1=a {\"a\xef\xbf\xbd\":null};");
}

static void a_seq_that_is_null_or_no_string_is_kept_as_it_can_be(void **state) {
    (void)state;
    expect(FEED_CONTINUOUS, 0,
           "{\"seq\":null,\"id\":\"a\",\"changes\":[]}\n{\"seq\":[3,\"g1\"],\"id\":\"b\",\"changes\":[]}\n{"
           "\"seq\":null,\"id\":\"c\",\"changes\":[]}\n",
           0, "=a;[3,\"g1\"]=b;[3,\"g1\"]=c;");
}

static void text_that_is_no_feed_is_refused(void **state) {
    (void)state;
    static const struct {
        enum feed_form form;
        const char *text;
        int rc;
    } cases[] = {
        {FEED_CONTINUOUS, "<html>", LINNET_E_PARSE},
        {FEED_CONTINUOUS, "[1]", LINNET_E_PARSE},
        {FEED_CONTINUOUS, "{\"seq\":1}\n", LINNET_E_PARSE},
        {FEED_CONTINUOUS, "{\"id\" \"a\"}\n", LINNET_E_PARSE},
        {FEED_CONTINUOUS, "{]}\n", LINNET_E_PARSE},
        {FEED_CONTINUOUS, "{\"error\":\"timeout\",\"reason\":\"x\"}\n", LINNET_E_SERVER},
        {FEED_CONTINUOUS, "{\"seq\":1,\"id\":", LINNET_E_BROKEN},
        {FEED_CONTINUOUS, "{\"seq\":1,\"id\":\"\\", LINNET_E_BROKEN},
        {FEED_NORMAL, "{\"rows\":[", LINNET_E_PARSE},
        {FEED_NORMAL, "{\"results\":[", LINNET_E_BROKEN},
        {FEED_NORMAL, "{\"results\":[]", LINNET_E_BROKEN},
        {FEED_NORMAL, "{\"results\":[],\"last_s", LINNET_E_BROKEN},
        {FEED_NORMAL, "{\"results\":[],\"pending\":0}", LINNET_E_BROKEN},
        {FEED_NORMAL, "{\"results\":[x]", LINNET_E_PARSE},
        {FEED_NORMAL, "", LINNET_E_BROKEN},
    };
    struct heard heard = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t step = 1; step < 40; step++)
            assert_int_equal(parse_in_pieces(&heard, cases[i].form, 0, cases[i].text, step, step),
                             cases[i].rc);
    linnet_buf_done(&heard.text);
}

static void a_callback_can_stop_in_the_middle_of_a_chunk(void **state) {
    (void)state;
    struct heard heard = {.stop_at = 2};
    assert_int_equal(parse_in_pieces(&heard, FEED_CONTINUOUS, 0,
                                     "{\"seq\":1,\"id\":\"a\",\"changes\":[]}\n{\"seq\":2,\"id\":\"b\","
                                     "\"changes\":[]}\n{\"seq\":3,\"id\":\"c\",\"changes\":[]}\n",
                                     1000, 1000),
                     LINNET_E_CANCELLED);
    assert_string_equal(heard.text.data, "1=a;2=b;");
    linnet_buf_done(&heard.text);
}

static void a_bare_end_between_changes_is_in_order(void **state) {
    (void)state;
    expect(FEED_CONTINUOUS, 0, "{\"seq\":1,\"id\":\"a\",\"changes\":[]}\n", 0, "1=a;");
    expect(FEED_CONTINUOUS, 0, "{\"seq\":1,\"id\":\"a\",\"changes\":[]}", 0, "1=a;");
}

static bool wants_b(void *arg, const char *id) {
    struct heard *heard = arg;
    linnet_buf_printf(&heard->text, "(%s?)", id);
    return !strcmp(id, "b");
}

static void documents_that_nobody_wants_are_passed_over(void **state) {
    (void)state;
    static const struct feed_events events = {
        .change = hear_change, .heartbeat = hear_heartbeat, .wants = wants_b};
    char text[] = "{\"seq\":\"1\",\"id\":\"a\",\"changes\":[{\"rev\":\"1-r\"}],\"doc\":{\"x\":\"}\\\"\","
                  "\"n\":[1,{}]}}\n"
                  "{\"seq\":\"2\",\"id\":\"b\",\"changes\":[],\"doc\":{\"x\":2}}\n"
                  "{\"seq\":\"3\",\"id\":\"\\u0061\",\"changes\":[],\"doc\":{\"x\":3}}\n"
                  "{\"seq\":\"4\",\"id\":\"b\",\"changes\":[],\"deleted\":true}\n";
    struct heard heard = {0};
    struct feed_parser parser;
    feed_parser_init(&parser, 0, &events, &heard);
    feed_parser_start(&parser, FEED_CONTINUOUS);
    assert_int_equal(feed_parser_push(&parser, text, sizeof text - 1), 0);
    assert_string_equal(heard.text.data, "(a?)1=a,1-r;(b?)2=b {\"x\":2};(a?)3=a;4=b!;");
    feed_parser_done(&parser);
    linnet_buf_done(&heard.text);
}

static void changes_of_any_order_of_members_are_read(void **state) {
    (void)state;
    expect(FEED_CONTINUOUS, 0,
           "{ \"doc\" : {\"a\":1} , \"deleted\" : false, \"changes\" : [ {\"rev\":\"1-r\"} , { \"rev\" : "
           "\"1-s\" } ], \"id\":\"a\", \"seq\": 17 }\n"
           "{\"seq\":\"2\",\"id\":\"caf\xc3\xa9\",\"changes\":[{\"rev\":\"1-\\u0072\"}],\"doc\":null}\n"
           "{\"seq\":\"3\",\"id\":\"c\",\"changes\":[],\"doc\":{},\"more\":1}\n"
           "{\"seq\":\"4\",\"id\":\"d\",\"changes\":[{\"rev\":\"1-r\",\"x\":1}],\"id\":\"e\"}\n",
           0, "17=a,1-r,1-s {\"a\":1};2=caf\xc3\xa9,1-r;3=c {};4=e,1-r;");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(continuous_lines_are_changes_and_empty_ones_heartbeats),
        cmocka_unit_test(pages_of_couchdb_are_read),
        cmocka_unit_test(pages_of_the_embedded_store_are_read),
        cmocka_unit_test(a_change_over_the_limit_comes_without_its_document),
        cmocka_unit_test(what_cannot_be_shortened_is_an_error),
        cmocka_unit_test(documents_made_to_break_readers_are_mended),
        cmocka_unit_test(a_seq_that_is_null_or_no_string_is_kept_as_it_can_be),
        cmocka_unit_test(text_that_is_no_feed_is_refused),
        cmocka_unit_test(a_callback_can_stop_in_the_middle_of_a_chunk),
        cmocka_unit_test(a_bare_end_between_changes_is_in_order),
        cmocka_unit_test(documents_that_nobody_wants_are_passed_over),
        cmocka_unit_test(changes_of_any_order_of_members_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
