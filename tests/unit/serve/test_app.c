/* The web app out of a couchapp: what is no app is refused when the server starts, not when somebody asks. */
#include "tests/unit/test.h"

#include "workers/serve/app.h"

static json_t *couchapp(const char *data) {
    return json_pack("{s:s, s:{s:{s:[{s:s, s:{s:{s:s, s:s}}}]}}}", "policy", "default-src 'none'",
                     "databases", "main", "documents", "_id", "_design/app", "_attachments", "index.html",
                     "content_type", "text/html; charset=utf-8", "data", data);
}

static int load(const char *data, struct serve_app **out) {
    struct linnet_error err = {0};
    json_t *bundle = couchapp(data), *config = json_object();
    int rc = serve_app_new(bundle, config, out, &err);
    json_decref(bundle);
    json_decref(config);
    return rc;
}

static void an_app_is_taken_over(void **state) {
    (void)state;
    struct serve_app *app = NULL;
    assert_int_equal(load("PGh0bWw+", &app), 0);
    assert_non_null(app);
    serve_app_free(app);
}

static void files_that_are_no_base64_are_refused(void **state) {
    (void)state;
    static const char *const broken[] = {"PGh0bWw", "?", "PGh0\nbWw+", "PGh0bWw+ and more"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct serve_app *app = NULL;
        assert_int_equal(load(broken[i], &app), LINNET_E_INVALID);
        assert_null(app);
    }
}

static void a_couchapp_without_an_app_is_no_error(void **state) {
    (void)state;
    struct linnet_error err = {0};
    struct serve_app *app = NULL;
    json_t *bundle = json_pack("{s:{s:{s:[{s:s}]}}}", "databases", "main", "documents", "_id", "_design/door");
    assert_int_equal(serve_app_new(bundle, NULL, &app, &err), 0);
    assert_null(app);
    json_decref(bundle);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_app_is_taken_over),
        cmocka_unit_test(files_that_are_no_base64_are_refused),
        cmocka_unit_test(a_couchapp_without_an_app_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
