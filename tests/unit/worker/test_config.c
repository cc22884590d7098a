/* The worker's configuration: defaults, where values come from, and errors that say what to do. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "workers/worker/config.h"

static const char *const variables[] = {
    "LINNET_COUCHDB_URL", "LINNET_COUCHDB_USER",   "LINNET_COUCHDB_PASSWORD_FILE",
    "LINNET_PREFIX",      "CREDENTIALS_DIRECTORY", "STATE_DIRECTORY",
    "CACHE_DIRECTORY",    "LINNET_PLUGIN_PATH"};

static int clean(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    return 0;
}

/* A file with this text; the caller unlinks and frees its path. */
static char *file_of(const char *text) {
    char *path = strdup("/tmp/linnet-config-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

static int load(const char *text, const struct linnet_worker_overrides *more, json_t **out,
                struct linnet_error *err) {
    struct linnet_worker_overrides overrides = more != NULL ? *more : (struct linnet_worker_overrides){0};
    char *path = text != NULL ? file_of(text) : NULL;
    overrides.file = path;
    int rc = linnet_worker_config_load(&overrides, out, err);
    if (path != NULL) unlink(path);
    free(path);
    return rc;
}

static void refused(const char *text, int code, const char *word) {
    json_t *config = NULL;
    struct linnet_error err = {0};
    assert_int_equal(load(text, NULL, &config, &err), code);
    assert_null(config);
    if (strstr(err.detail, word) == NULL) fail_msg("\"%s\" does not say \"%s\"", err.detail, word);
}

static void without_a_file_all_has_its_default(void **state) {
    (void)state;
    json_t *config;
    struct linnet_error err = {0};
    setenv("LINNET_COUCHDB_URL", "http://admin:secret@store:5984", 1);
    setenv("STATE_DIRECTORY", "/var/lib/a:/var/lib/b", 1);
    assert_int_equal(load(NULL, NULL, &config, &err), 0);
    assert_string_equal(linnet_json_string(config, "couchdb/url", ""), "http://admin:secret@store:5984");
    assert_string_equal(linnet_json_string(config, "couchdb/prefix", ""), "linnet");
    assert_int_equal(linnet_json_integer(config, "lease/term_ms", 0), 30000);
    assert_int_equal(json_object_size(linnet_json_at(config, "groups/images/stages")), 3);
    assert_int_equal(json_object_size(linnet_json_at(config, "groups/community/stages")), 2);
    assert_non_null(linnet_json_at(config, "groups/images/stages/normalize/config"));
    assert_int_equal(linnet_json_integer(config, "groups/images/tasks", 0), 2048);
    assert_string_equal(linnet_json_string(config, "state_dir", ""), "/var/lib/a");
    assert_true(json_array_size(linnet_json_at(config, "plugin_path")) > 0);
    json_decref(config);
}

static void the_command_line_comes_before_the_environment_before_the_file(void **state) {
    (void)state;
    json_t *config;
    struct linnet_error err = {0};
    const char *text = "{\"couchdb\":{\"url\":\"http://file:1\",\"prefix\":\"file\"}}";
    struct linnet_worker_overrides overrides = {.url = "http://line:3"};
    assert_int_equal(load(text, NULL, &config, &err), 0);
    assert_string_equal(linnet_json_string(config, "couchdb/url", ""), "http://file:1");
    json_decref(config);
    setenv("LINNET_COUCHDB_URL", "http://environment:2", 1);
    setenv("LINNET_PREFIX", "environment", 1);
    assert_int_equal(load(text, NULL, &config, &err), 0);
    assert_string_equal(linnet_json_string(config, "couchdb/url", ""), "http://environment:2");
    assert_string_equal(linnet_json_string(config, "couchdb/prefix", ""), "environment");
    json_decref(config);
    assert_int_equal(load(text, &overrides, &config, &err), 0);
    assert_string_equal(linnet_json_string(config, "couchdb/url", ""), "http://line:3");
    json_decref(config);
}

static void a_password_comes_from_a_file_and_is_escaped(void **state) {
    (void)state;
    json_t *config;
    struct linnet_error err = {0};
    char *password = file_of("p@ss/word\nsecond line\n"), text[256];
    snprintf(text, sizeof text,
             "{\"couchdb\":{\"url\":\"http://store:5984/x\",\"user\":\"worker\",\"password_file\":\"%s\"}}",
             password);
    assert_int_equal(load(text, NULL, &config, &err), 0);
    assert_string_equal(linnet_json_string(config, "couchdb/url", ""),
                        "http://worker:p%40ss%2Fword@store:5984/x");
    json_decref(config);
    unlink(password);
    refused(text, LINNET_E_DENIED, "cannot read the store's password");
    free(password);
    refused("{\"couchdb\":{\"user\":\"worker\"}}", LINNET_E_DENIED, "LINNET_COUCHDB_PASSWORD_FILE");
}

static void a_password_on_the_command_line_is_refused(void **state) {
    (void)state;
    json_t *config = NULL;
    struct linnet_error err = {0};
    struct linnet_worker_overrides overrides = {.url = "http://admin:secret@store"};
    assert_int_equal(load(NULL, &overrides, &config, &err), LINNET_E_DENIED);
    assert_non_null(strstr(err.detail, "LINNET_COUCHDB_URL"));
    assert_null(strstr(err.detail, "secret"));
    overrides.url = "http://admin@store";
    assert_int_equal(load(NULL, &overrides, &config, &err), 0);
    json_decref(config);
}

static void groups_are_picked_by_name(void **state) {
    (void)state;
    json_t *config = NULL;
    struct linnet_error err = {0};
    struct linnet_worker_overrides overrides = {.groups = "community"};
    assert_int_equal(load(NULL, &overrides, &config, &err), 0);
    assert_int_equal(json_object_size(json_object_get(config, "groups")), 1);
    json_decref(config);
    overrides.groups = "images,birds";
    assert_int_equal(load(NULL, &overrides, &config, &err), LINNET_E_INVALID);
    assert_non_null(strstr(err.detail, "birds"));
}

static void mistakes_are_named_with_their_place(void **state) {
    (void)state;
    refused("{\"couchdb\":{\"ulr\":\"http://x\"}}", LINNET_E_INVALID, "ulr");
    refused("{\"couchdb\":{\"url\":5}}", LINNET_E_INVALID, "/couchdb/url");
    refused("{\"lease\":{\"term_ms\":1}}", LINNET_E_INVALID, "/lease/term_ms");
    refused("{\"groups\":{}}", LINNET_E_INVALID, "/groups");
    refused("{\"groups\":{\"a\":{\"stages\":{\"s\":{}}},\"b\":{\"stages\":{\"s\":{}}}}}", LINNET_E_INVALID,
            "both groups");
    refused("{\"log\":{\"level\":\"loud\"}}", LINNET_E_INVALID, "/log/level");
    refused("{", LINNET_E_PARSE, "configuration");
    json_t *config = NULL;
    struct linnet_error err = {0};
    struct linnet_worker_overrides overrides = {.file = "/nowhere/linnet.json"};
    assert_int_not_equal(linnet_worker_config_load(&overrides, &config, &err), 0);
    assert_non_null(strstr(err.detail, "/nowhere/linnet.json"));
}

static void what_a_running_child_cannot_take_is_told(void **state) {
    (void)state;
    json_t *a, *b;
    struct linnet_error err = {0};
    assert_int_equal(load("{\"groups\":{\"g\":{\"stages\":{\"s\":{}}}}}", NULL, &a, &err), 0);
    assert_int_equal(load("{\"groups\":{\"g\":{\"stages\":{\"s\":{\"threads\":2}}}}}", NULL, &b, &err), 0);
    assert_null(linnet_worker_config_needs_restart(a, b));
    json_decref(b);
    assert_int_equal(load("{\"couchdb\":{\"prefix\":\"other\"}}", NULL, &b, &err), 0);
    assert_string_equal(linnet_worker_config_needs_restart(a, b), "couchdb");
    json_decref(b);
    assert_int_equal(load("{\"groups\":{\"g\":{\"stages\":{\"s\":{}}}},\"serve\":{\"stages\":{\"s\":{"
                          "\"plugin\":\"/dev/null\"}}}}",
                          NULL, &b, &err),
                     0);
    assert_string_equal(linnet_worker_config_needs_restart(a, b), "serve");
    json_decref(b);
    json_decref(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_file_all_has_its_default, clean),
        cmocka_unit_test_setup(the_command_line_comes_before_the_environment_before_the_file, clean),
        cmocka_unit_test_setup(a_password_comes_from_a_file_and_is_escaped, clean),
        cmocka_unit_test_setup(a_password_on_the_command_line_is_refused, clean),
        cmocka_unit_test_setup(groups_are_picked_by_name, clean),
        cmocka_unit_test_setup(mistakes_are_named_with_their_place, clean),
        cmocka_unit_test_setup(what_a_running_child_cannot_take_is_told, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
