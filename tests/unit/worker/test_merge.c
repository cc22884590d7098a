/* Conflicting leaves become one document, the same whatever their order; and bodies of bulk writes. */
#include "tests/unit/test.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/worker/body.h"
#include "workers/worker/merge.h"

static json_t *leaf(const char *rev, const char *edited, const char *more) {
    json_t *document = json_loads(more, 0, NULL);
    assert_non_null(document);
    json_object_set_new(document, "_id", json_string("01J0000000000000000000TEST:observation"));
    json_object_set_new(document, "_rev", json_string(rev));
    if (edited) json_object_set_new(document, "created_at", json_string(edited));
    return document;
}

static void revisions_are_ordered_by_number_then_text(void **state) {
    (void)state;
    assert_true(linnet_merge_compare_revisions("2-f", "10-a") < 0);
    assert_true(linnet_merge_compare_revisions("2-f", "2-a") > 0);
    assert_int_equal(linnet_merge_compare_revisions("2-f", "2-f"), 0);
}

static void the_latest_vote_stays_and_among_equals_the_highest_revision(void **state) {
    (void)state;
    json_t *leaves[] = {leaf("3-a", "2026-05-03T10:00:00Z", "{}"),
                        leaf("2-a", "2026-05-03T12:00:00+01:00", "{}"),
                        leaf("2-b", "2026-05-03T11:00:00.000Z", "{}"), leaf("9-a", NULL, "{}")};
    assert_int_equal(linnet_merge_latest(leaves, 4), 2);
    json_t *swapped[] = {leaves[3], leaves[2], leaves[1], leaves[0]};
    assert_int_equal(linnet_merge_latest(swapped, 4), 1);
    for (int i = 0; i < 4; i++)
        json_decref(leaves[i]);
}

static void observations_keep_all_views_and_the_latest_edit_of_each_field(void **state) {
    (void)state;
    json_t *a = leaf("2-a", "2026-05-03T10:00:00Z",
                     "{\"flora\":\"flora:a\",\"wild\":true,\"views\":[{\"image\":\"1\",\"organ\":\"leaf\"},{"
                     "\"image\":\"2\"}],"
                     "\"_conflicts\":[\"2-b\"]}");
    json_t *b =
        leaf("2-b", "2026-05-03T11:00:00Z",
             "{\"flora\":\"flora:b\",\"views\":[{\"image\":\"3\"},{\"image\":\"1\",\"organ\":\"flower\"}]}");
    json_t *leaves[] = {a, b}, *swapped[] = {b, a};
    json_t *merged = linnet_merge_observations(leaves, 2), *other = linnet_merge_observations(swapped, 2);
    assert_string_equal(linnet_json_string(merged, "flora", ""), "flora:b");
    assert_true(linnet_json_bool(merged, "wild", false));
    assert_string_equal(linnet_json_string(merged, "_rev", ""), "2-a");
    assert_null(json_object_get(merged, "_conflicts"));
    assert_int_equal(json_array_size(json_object_get(merged, "views")), 3);
    assert_string_equal(linnet_json_string(merged, "views/0/image", ""), "3");
    assert_string_equal(linnet_json_string(merged, "views/1/organ", ""), "flower");
    assert_int_equal(linnet_merge_same(merged, leaves, 2), 2);
    json_object_set(other, "_rev", json_object_get(merged, "_rev"));
    assert_true(json_equal(merged, other));
    json_decref(merged);
    json_decref(other);
    json_decref(a);
    json_decref(b);
}

static void a_leaf_that_says_it_all_needs_no_new_document(void **state) {
    (void)state;
    json_t *a = leaf("2-a", "2026-05-03T10:00:00Z", "{\"views\":[{\"image\":\"1\"}]}");
    json_t *b = leaf("2-b", "2026-05-03T11:00:00Z", "{\"views\":[{\"image\":\"1\"}],\"wild\":true}");
    json_t *leaves[] = {a, b};
    json_t *merged = linnet_merge_observations(leaves, 2);
    assert_int_equal(linnet_merge_same(merged, leaves, 2), 1);
    json_decref(merged);
    json_decref(a);
    json_decref(b);
}

static void no_more_than_ten_views_survive(void **state) {
    (void)state;
    json_t *leaves[2];
    for (int i = 0; i < 2; i++) {
        leaves[i] = leaf(i ? "2-b" : "2-a", "2026-05-03T10:00:00Z", "{}");
        json_t *views = json_array();
        for (int k = 0; k < 8; k++)
            json_array_append_new(views, json_pack("{s:o}", "image", json_sprintf("%d-%d", i, k)));
        json_object_set_new(leaves[i], "views", views);
    }
    json_t *merged = linnet_merge_observations(leaves, 2);
    assert_int_equal(json_array_size(json_object_get(merged, "views")), 10);
    assert_string_equal(linnet_json_string(merged, "views/0/image", ""), "1-0");
    json_decref(merged);
    json_decref(leaves[0]);
    json_decref(leaves[1]);
}

/* ---- bodies ---- */

static void base64_is_that_of_the_standard(void **state) {
    (void)state;
    unsigned char bytes[200];
    char expected[400];
    randombytes_buf(bytes, sizeof(bytes));
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        struct linnet_buf buf = {0};
        assert_int_equal(linnet_body_base64(&buf, bytes, n), 0);
        sodium_bin2base64(expected, sizeof(expected), bytes, n, sodium_base64_VARIANT_ORIGINAL);
        assert_string_equal(buf.data, expected);
        linnet_buf_done(&buf);
    }
}

static void a_body_is_json_with_its_attachments_in_it(void **state) {
    (void)state;
    struct linnet_bytes *bytes = linnet_bytes_copy("\0\xff picture", 10);
    struct linnet_result_blob blobs[] = {{(char *)"page \"1\".jpg", (char *)"image/jpeg", bytes},
                                         {(char *)"b", (char *)"image/png", bytes}};
    json_t *document = json_pack("{s:s, s:s, s:s}", "_id", "a:b", "_rev", "1-x", "text", "h\xc3\xa9 \"\n");
    struct linnet_buf buf = {0};
    assert_int_equal(linnet_body_document(&buf, "a:b", "1-x", document, blobs, 2), 0);
    json_t *back = json_loads(buf.data, 0, NULL);
    assert_non_null(back);
    assert_string_equal(linnet_json_string(back, "text", ""), "h\xc3\xa9 \"\n");
    json_t *attachments = json_object_get(back, "_attachments");
    assert_int_equal(json_object_size(attachments), 2);
    json_t *page = json_object_get(attachments, "page \"1\".jpg");
    assert_string_equal(linnet_json_string(page, "content_type", ""), "image/jpeg");
    assert_string_equal(linnet_json_string(page, "data", ""), "AP8gcGljdHVyZQ==");
    assert_true(linnet_body_estimate(blobs, 2) >= buf.size);
    json_decref(back);
    linnet_buf_clear(&buf);
    assert_int_equal(linnet_body_document(&buf, "a:b", "1-x", NULL, NULL, 0), 0);
    assert_string_equal(buf.data, "{\"_id\":\"a:b\",\"_rev\":\"1-x\",\"_deleted\":true}");
    linnet_buf_done(&buf);
    json_decref(document);
    linnet_bytes_unref(bytes);
}

static void a_body_that_does_not_fit_leaves_the_buffer_as_it_was(void **state) {
    (void)state;
    struct linnet_buf buf;
    linnet_buf_init(&buf, 40);
    linnet_buf_append_string(&buf, "before");
    json_t *document =
        json_pack("{s:s, s:s}", "_id", "a:b", "text", "long enough not to fit into what is left");
    assert_int_not_equal(linnet_body_document(&buf, "a:b", NULL, document, NULL, 0), 0);
    assert_string_equal(buf.data, "before");
    assert_int_equal(buf.size, 6);
    linnet_buf_done(&buf);
    json_decref(document);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(revisions_are_ordered_by_number_then_text),
        cmocka_unit_test(the_latest_vote_stays_and_among_equals_the_highest_revision),
        cmocka_unit_test(observations_keep_all_views_and_the_latest_edit_of_each_field),
        cmocka_unit_test(a_leaf_that_says_it_all_needs_no_new_document),
        cmocka_unit_test(no_more_than_ten_views_survive),
        cmocka_unit_test(base64_is_that_of_the_standard),
        cmocka_unit_test(a_body_is_json_with_its_attachments_in_it),
        cmocka_unit_test(a_body_that_does_not_fit_leaves_the_buffer_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
