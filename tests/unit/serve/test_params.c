/* Targets of requests taken apart: paths, queries, and routes that they lead to. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"
#include "workers/serve/page.h"
#include "workers/serve/params.h"
#include "workers/serve/router.h"

static void a_query_is_decoded_in_order(void **state) {
    char text[] = "a=1&b=x%20y+z&&c&a=%C3%A9&organs[]=leaf&organs=flower";
    struct serve_params params;
    (void)state;
    assert_int_equal(serve_params_parse(text, &params, NULL), 0);
    assert_string_equal(serve_params_get(&params, "a"), "1");
    assert_string_equal(serve_params_nth(&params, "a", 1), "\xc3\xa9");
    assert_string_equal(serve_params_get(&params, "b"), "x y z");
    assert_string_equal(serve_params_get(&params, "c"), "");
    assert_null(serve_params_get(&params, "d"));
    assert_string_equal(serve_params_nth(&params, "organs", 0), "leaf");
    assert_string_equal(serve_params_nth(&params, "organs", 1), "flower");
    assert_null(serve_params_nth(&params, "organs", 2));
    assert_int_equal(serve_params_parse(NULL, &params, NULL), 0);
    assert_int_equal(params.n, 0);
}

static void a_query_that_does_not_decode_is_refused(void **state) {
    static const char *const texts[] = {"a=%",   "a=%4",  "a=%zz", "a=%00",
                                        "%00=a", "a=%ff", "a=%c3", "a=%ed%a0%80"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[32];
        struct serve_params params;
        struct linnet_error err = {0};
        snprintf(text, sizeof text, "%s", texts[i]);
        assert_int_equal(serve_params_parse(text, &params, &err), LINNET_E_PARSE);
        assert_true(strlen(err.detail) > 5);
    }
    char many[4 * (SERVE_PARAMS_MAX + 1) + 1] = "";
    struct serve_params params;
    for (int i = 0; i <= SERVE_PARAMS_MAX; i++)
        strcat(many, "a=1&");
    assert_int_equal(serve_params_parse(many, &params, NULL), LINNET_E_LIMIT);
}

static void a_path_is_segments_and_never_a_file(void **state) {
    char text[] = "//v2/../a%2Fb/x+y/";
    struct serve_path path;
    (void)state;
    assert_int_equal(serve_path_parse(text, &path, NULL), 0);
    assert_int_equal(path.n, 4);
    assert_string_equal(path.segment[1], "..");
    assert_string_equal(path.segment[2], "a/b");
    assert_string_equal(path.segment[3], "x+y");
    char none[] = "v2", deep[] = "/1/2/3/4/5/6/7/8/9", root[] = "/";
    assert_int_equal(serve_path_parse(none, &path, NULL), LINNET_E_PARSE);
    assert_int_equal(serve_path_parse(deep, &path, NULL), LINNET_E_LIMIT);
    assert_int_equal(serve_path_parse(root, &path, NULL), 0);
    assert_int_equal(path.n, 0);
}

static const struct serve_route *find(const char *method, const char *target, const char **capture,
                                      char *allowed) {
    const char *captures[SERVE_CAPTURES_MAX];
    char text[128];
    struct serve_path path;
    snprintf(text, sizeof text, "%s", target);
    assert_int_equal(serve_path_parse(text, &path, NULL), 0);
    static char kept[128];
    const struct serve_route *route = serve_route_find(method, &path, captures, allowed, 64);
    *capture = captures[0];
    if (*capture != NULL) {
        snprintf(kept, sizeof kept, "%s", *capture);
        *capture = kept;
    }
    return route;
}

static void routes_are_found_by_method_and_path(void **state) {
    const char *capture;
    char allowed[64];
    (void)state;
    const struct serve_route *route = find("POST", "/v2/identify/south%20hills", &capture, allowed);
    assert_non_null(route);
    assert_string_equal(route->path, "/v2/identify/{project}");
    assert_string_equal(capture, "south hills");
    assert_ptr_equal(find("HEAD", "/v2/projects", &capture, allowed),
                     find("GET", "/v2/projects/", &capture, allowed));
    assert_null(capture);
    assert_null(find("DELETE", "/v2/projects", &capture, allowed));
    assert_string_equal(allowed, "GET");
    assert_null(find("GET", "/v2/identify", &capture, allowed));
    assert_string_equal(allowed, "");
    assert_null(find("GET", "/v3/projects", &capture, allowed));
    assert_non_null(find("GET", "/v2/observations/a/images/b/s", &capture, allowed));
    assert_string_equal(capture, "a");
}

static void every_route_is_described(void **state) {
    (void)state;
    json_t *api = NULL;
    for (const struct serve_asset *asset = serve_assets; asset->name != NULL; asset++)
        if (strcmp(asset->name, "openapi.json") == 0)
            api = json_loadb((const char *)asset->data, asset->size, 0, NULL);
    assert_non_null(api);
    for (const struct serve_route *route = serve_routes; route->method != NULL; route++) {
        char method[8] = "";
        for (size_t i = 0; route->method[i] != '\0'; i++)
            method[i] = (char)(route->method[i] | 0x20);
        if (route->handle == serve_page_get) continue; /* pages */
        const json_t *described =
            json_object_get(json_object_get(json_object_get(api, "paths"), route->path), method);
        if (described == NULL) fail_msg("%s %s is not in openapi.json", route->method, route->path);
    }
    json_decref(api);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_is_decoded_in_order),
        cmocka_unit_test(a_query_that_does_not_decode_is_refused),
        cmocka_unit_test(a_path_is_segments_and_never_a_file),
        cmocka_unit_test(routes_are_found_by_method_and_path),
        cmocka_unit_test(every_route_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
