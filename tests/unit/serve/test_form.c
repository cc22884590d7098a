/* Forms as clients send them, in any pieces that a network makes of them, and what is said of those that are
 * none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"
#include "workers/serve/form.h"

#define TYPE "multipart/form-data; boundary=XX"
#define JPEG "\xff\xd8\xff\xe0 a picture\r\n--X \r\n-"

static const char *const fields[] = {"organs", NULL};
static const struct serve_form_limits limits = {
    .file = "images", .images = 5, .bytes = 1000, .fields = fields};

/* Feed a body in pieces of `step` bytes; the code. */
static int feed(struct serve_form *form, const char *type, const char *body, size_t size, size_t step,
                struct linnet_error *err) {
    int rc = serve_form_init(form, type, &limits, err);
    for (size_t at = 0; rc == 0 && at < size; at += step)
        rc = serve_form_feed(form, body + at, size - at < step ? size - at : step, err);
    return rc != 0 ? rc : serve_form_finish(form, err);
}

#define PART(name, rest, data)                                                                               \
    "--XX\r\nContent-Disposition: form-data; name=\"" name "\"" rest "\r\n\r\n" data "\r\n"
#define IMAGE(file, data) PART("images", "; filename=\"" file "\"\r\nContent-Type: image/jpeg", data)
#define END               "--XX--\r\n"

static void a_form_is_the_same_in_any_pieces(void **state) {
    static const char body[] = "a preamble\r\n" IMAGE("one.jpg", JPEG) PART("organs", "", "leaf")
        IMAGE("two \\\"x\\\".png", "\x89PNG\r\n\x1a\n" JPEG) PART("organs[]", "", "flower") END "an epilogue";
    (void)state;
    for (size_t step = 1; step < sizeof body; step++) {
        struct serve_form form;
        struct linnet_error err = {0};
        if (feed(&form, TYPE, body, sizeof body - 1, step, &err) != 0)
            fail_msg("in steps of %zu: %s", step, err.detail);
        assert_int_equal(form.nimages, 2);
        assert_int_equal(form.images[0].bytes->size, sizeof JPEG - 1);
        assert_memory_equal(form.images[0].bytes->data, JPEG, sizeof JPEG - 1);
        assert_string_equal(form.images[0].filename, "one.jpg");
        assert_string_equal(form.images[1].filename, "two \"x\".png");
        assert_string_equal(form.images[1].type, "image/png");
        assert_string_equal(serve_form_field(&form, "organs", 0), "leaf");
        assert_string_equal(serve_form_field(&form, "organs", 1), "flower");
        assert_null(serve_form_field(&form, "organs", 2));
        char digest[LINNET_DIGEST_SIZE];
        linnet_digest_bytes(JPEG, sizeof JPEG - 1, digest);
        assert_string_equal(form.images[0].digest, digest);
        serve_form_done(&form);
    }
}

static const struct wrong {
    const char *type, *body;
    int status;
    const char *words;
} wrongs[] = {
    {NULL, "", 415, "multipart/form-data"},
    {"application/json", "{}", 415, "multipart/form-data"},
    {"multipart/mixed; boundary=XX", END, 415, "multipart/form-data"},
    {"multipart/form-data", END, 400, "boundary"},
    {"multipart/form-data; boundary=", END, 400, "boundary"},
    {"multipart/form-data; boundary=\"a{b\"", END, 400, "boundary"},
    {TYPE, "", 400, "last boundary"},
    {TYPE, "--XX", 400, "last boundary"},
    {TYPE, END, 400, "\"images\" is required"},
    {TYPE, PART("organs", "", "leaf") END, 400, "\"images\" is required"},
    {TYPE, IMAGE("a.jpg", JPEG), 400, "last boundary"},
    {TYPE, "--XX\r\n\r\nx\r\n" END, 400, "without headers"},
    {TYPE, "--XXy\r\n", 400, "after a boundary"},
    {TYPE, "--XX-\r\n", 400, "one '-'"},
    {TYPE, "--XX\rx", 400, "CR without LF"},
    {TYPE, "--XX\r\nContent-Type: image/jpeg\r\n\r\nx\r\n" END, 400, "Content-Disposition"},
    {TYPE, "--XX\r\nContent-Disposition: attachment; name=\"images\"\r\n\r\nx\r\n" END, 400,
     "Content-Disposition"},
    {TYPE, "--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n" END, 400, "without a name"},
    {TYPE, "--XX\r\nContent-Disposition: form-data; name=\"images\r\n\r\nx\r\n" END, 400, "without a name"},
    {TYPE, PART("photo", "; filename=\"a.jpg\"", JPEG) END, 400, "\"photo\" is not allowed"},
    {TYPE, PART("organ", "", "leaf") END, 400, "\"organ\" is not allowed"},
    {TYPE, PART("organs", "; filename=\"a\"", "leaf") END, 400, "\"organs\" is not allowed"},
    {TYPE, PART("organs", "", "\xff\xfe") END, 400, "no UTF-8"},
    {TYPE, IMAGE("a.jpg", "") END, 400, "is empty"},
    {TYPE, IMAGE("a.gif", "GIF89a") END, 415, "neither JPEG nor PNG"},
    {TYPE, IMAGE("a.jpg", "leaf.jpg") END, 415, "neither JPEG nor PNG"},
    {TYPE,
     IMAGE("1", JPEG) IMAGE("2", JPEG) IMAGE("3", JPEG) IMAGE("4", JPEG) IMAGE("5", JPEG) IMAGE("6", JPEG)
         END,
     400, "at most 5"},
};

static void what_is_no_form_is_refused_with_its_status_and_words(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++)
        for (size_t step = 1; step < 40; step += 3) {
            const struct wrong *wrong = &wrongs[i];
            struct serve_form form;
            struct linnet_error err = {0};
            int rc = feed(&form, wrong->type, wrong->body, strlen(wrong->body), step, &err);
            if (rc == 0 || form.status != wrong->status || strstr(err.detail, wrong->words) == NULL)
                fail_msg("number %zu in steps of %zu: %d, status %d, \"%s\"", i, step, rc, form.status,
                         err.detail);
            assert_int_equal(serve_form_feed(&form, "x", 1, &err) != 0 || form.status != 0, 1);
            serve_form_done(&form);
        }
}

static void pictures_are_bounded_together(void **state) {
    static const char head[] = IMAGE("a.jpg", "\xff\xd8\xff");
    struct serve_form form;
    struct linnet_error err = {0};
    char *body = calloc(1, 4096);
    (void)state;
    int n =
        snprintf(body, 4096,
                 "%s--XX\r\nContent-Disposition: form-data; name=\"images\"; filename=\"b\"\r\n\r\n", head);
    memset(body + n, 'x', 998);
    assert_int_equal(feed(&form, TYPE, body, (size_t)n + 998, 7, &err), LINNET_E_LIMIT);
    assert_int_equal(form.status, 413);
    serve_form_done(&form);
    free(body);
}

static void a_parts_headers_are_bounded(void **state) {
    struct serve_form form;
    struct linnet_error err = {0};
    (void)state;
    assert_int_equal(serve_form_init(&form, TYPE, &limits, &err), 0);
    int rc = serve_form_feed(&form, "--XX\r\n", 6, &err);
    for (int i = 0; rc == 0 && i < 2000; i++)
        rc = serve_form_feed(&form, "X-Y: 12345\r\n", 12, &err);
    assert_int_equal(rc, LINNET_E_PARSE);
    assert_non_null(strstr(err.detail, "too long"));
    serve_form_done(&form);
}

static void parameters_of_headers_are_found_as_browsers_write_them(void **state) {
    static const struct {
        const char *header, *name, *value;
    } cases[] = {
        {"form-data; name=\"a\"; filename=\"b;c.jpg\"", "filename", "b;c.jpg"},
        {"form-data; name=a; filename=b.jpg", "name", "a"},
        {"form-data;name=\"a\";filename=\"C:\\dir\\x.jpg\"", "filename", "C:\\dir\\x.jpg"},
        {"form-data; NAME=\"a\"", "name", "a"},
        {"form-data; x=\"name=no\"; name=\"yes\"", "name", "yes"},
        {"form-data; flag; name=yes", "name", "yes"},
        {"form-data; filename*=UTF-8''x; name=\"a\"", "filename", NULL},
        {"form-data; name=\"a", "name", NULL},
        {"form-data", "name", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[64];
        bool found = serve_header_parameter(cases[i].header, cases[i].name, out, sizeof out);
        assert_int_equal(found, cases[i].value != NULL);
        if (found) assert_string_equal(out, cases[i].value);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_is_the_same_in_any_pieces),
        cmocka_unit_test(what_is_no_form_is_refused_with_its_status_and_words),
        cmocka_unit_test(pictures_are_bounded_together),
        cmocka_unit_test(a_parts_headers_are_bounded),
        cmocka_unit_test(parameters_of_headers_are_found_as_browsers_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
