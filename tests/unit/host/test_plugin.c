/* Declarations of plugins: what is refused, and with which words. */
#include "tests/unit/host/sample.h"

#include <string.h>

#include "workers/host/plugin.h"

static void refused(struct linnet_plugin plugin, const char *words) {
    struct linnet_plugin_file *file = NULL;
    struct linnet_error err = {0};
    assert_int_equal(linnet_plugin_file_wrap(&plugin, &file, &err), LINNET_E_PLUGIN);
    assert_null(file);
    if (!strstr(err.detail, words)) fail_msg("\"%s\" does not say \"%s\"", err.detail, words);
}

static void good_declarations_are_taken(void **state) {
    (void)state;
    const struct linnet_plugin *const samples[] = {&sample_normalize, &sample_convnet, &sample_fusion};
    for (size_t i = 0; i < 3; i++) {
        struct linnet_plugin_file *file = NULL;
        struct linnet_error err = {0};
        if (linnet_plugin_file_wrap(samples[i], &file, &err)) fail_msg("%s", err.detail);
        assert_string_equal(file->plugin.name, samples[i]->name);
        linnet_plugin_file_free(file);
    }
    linnet_plugin_file_free(NULL);
}

static void another_abi_or_size_is_refused(void **state) {
    (void)state;
    struct linnet_plugin plugin = sample_normalize;
    plugin.abi = 7;
    refused(plugin, "ABI 7");
    plugin = sample_normalize;
    plugin.struct_size = 40;
    refused(plugin, "struct_size is 40");
}

static void a_larger_struct_of_a_newer_sdk_is_taken(void **state) {
    (void)state;
    struct {
        struct linnet_plugin plugin;
        void *more[4];
    } newer = {.plugin = sample_normalize};
    newer.plugin.struct_size = sizeof(newer);
    struct linnet_plugin_file *file = NULL;
    assert_int_equal(linnet_plugin_file_wrap(&newer.plugin, &file, NULL), 0);
    linnet_plugin_file_free(file);
}

static void identity_is_checked(void **state) {
    (void)state;
    struct linnet_plugin plugin = sample_normalize;
    plugin.name = "Normalize";
    refused(plugin, "name");
    plugin.name = NULL;
    refused(plugin, "name");
    plugin = sample_normalize;
    const char *const versions[] = {NULL, "", "1", "1.0", "1.0.", "v1.0.0", "1.0.0rc"};
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        plugin.version = versions[i];
        refused(plugin, "version");
    }
    plugin.version = "1.0.0-rc.1+5";
    assert_int_equal(linnet_plugin_declaration_check(&plugin, NULL), 0);
    plugin.licence = "";
    refused(plugin, "licence");
    plugin = sample_normalize;
    plugin.summary = "two\nlines";
    refused(plugin, "one line");
}

static void inputs_are_checked(void **state) {
    (void)state;
    struct linnet_plugin plugin = sample_normalize;
    const struct linnet_input none[] = {{NULL, 0, NULL, NULL}};
    const struct linnet_input twice[] = {
        {"image", 1, NULL, NULL}, {"image", 0, NULL, NULL}, {NULL, 0, NULL, NULL}};
    const struct linnet_input untriggered[] = {{"image", 0, NULL, NULL}, {NULL, 0, NULL, NULL}};
    const struct linnet_input flags[] = {{"image", 65, NULL, NULL}, {NULL, 0, NULL, NULL}};
    const struct linnet_input both[] = {{"image", LINNET_OPTIONAL | LINNET_PRESENCE, NULL, NULL},
                                        {NULL, 0, NULL, NULL}};
    const struct linnet_input own[] = {{"normalized", LINNET_TRIGGER, NULL, NULL}, {NULL, 0, NULL, NULL}};
    const struct linnet_input outside[] = {{"taxon", LINNET_TRIGGER, NULL, NULL}, {NULL, 0, NULL, NULL}};
    const struct linnet_input odd[] = {{"Image", LINNET_TRIGGER, NULL, NULL}, {NULL, 0, NULL, NULL}};
    const char *const bad_field[] = {"views..x", NULL};
    const struct linnet_input field[] = {{"image", LINNET_TRIGGER, NULL, bad_field}, {NULL, 0, NULL, NULL}};
    const struct linnet_input optional[] = {{"image", LINNET_TRIGGER | LINNET_OPTIONAL, NULL, NULL},
                                            {NULL, 0, NULL, NULL}};
    const struct {
        const struct linnet_input *inputs;
        const char *words;
    } cases[] = {
        {NULL, "consumes nothing"}, {none, "consumes nothing"},   {twice, "twice"},
        {untriggered, "TRIGGER"},   {flags, "unknown flags"},     {both, "both optional and presence"},
        {own, "produces itself"},   {outside, "host->reference"}, {odd, "[a-z]"},
        {field, "malformed field"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        plugin.inputs = cases[i].inputs;
        refused(plugin, cases[i].words);
    }
    plugin = sample_fusion;
    plugin.inputs = optional;
    refused(plugin, "all of its inputs are optional");
}

static void products_are_checked(void **state) {
    (void)state;
    struct linnet_plugin plugin = sample_normalize;
    const char *const none[] = {NULL}, *const twice[] = {"normalized", "normalized", NULL};
    const char *const outside[] = {"skill", NULL}, *const app[] = {"validation", NULL};
    plugin.produces = none;
    refused(plugin, "produces nothing");
    plugin.produces = twice;
    refused(plugin, "twice");
    plugin.produces = outside;
    refused(plugin, "scope `site`");
    plugin.produces = app;
    refused(plugin, "apps write");
}

static void running_is_checked(void **state) {
    (void)state;
    struct linnet_plugin plugin = sample_normalize;
    plugin.process = NULL;
    refused(plugin, "process");
    plugin = sample_normalize;
    plugin.batch_max = 0;
    refused(plugin, "batch_max");
    plugin = sample_fusion;
    plugin.scope = LINNET_SCOPE_SITE;
    refused(plugin, "single documents");
    plugin = sample_normalize;
    plugin.scope = LINNET_SCOPE_SITE;
    plugin.instances = 2;
    refused(plugin, "one instance");
    plugin = sample_normalize;
    plugin.scope = (enum linnet_scope)9;
    refused(plugin, "scope 9");
}

static void a_bad_schema_is_refused(void **state) {
    (void)state;
    struct linnet_plugin plugin = sample_normalize;
    plugin.config_schema = "{\"type\":\"object\"";
    refused(plugin, "config_schema");
    plugin.config_schema = "{\"type\":\"object\",\"propertees\":{}}";
    refused(plugin, "config_schema");
    const char *const operational[] = {"threads", NULL};
    plugin.config_schema = "{\"type\":\"object\",\"properties\":{\"size\":{\"type\":\"integer\"}}}";
    plugin.operational = operational;
    refused(plugin, "operational key \"threads\"");
}

static void files_that_are_no_plugins_are_refused(void **state) {
    (void)state;
    struct linnet_plugin_file *file = NULL;
    struct linnet_error err = {0};
    assert_int_equal(linnet_plugin_file_open("/nonexistent/plugin.so", &file, &err), LINNET_E_NOT_FOUND);
    assert_int_equal(linnet_plugin_file_open("/proc/self/exe", &file, &err), LINNET_E_PLUGIN);
    assert_int_equal(linnet_plugin_file_open("/proc/self/maps", &file, &err), LINNET_E_PLUGIN);
    assert_null(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_declarations_are_taken),
        cmocka_unit_test(another_abi_or_size_is_refused),
        cmocka_unit_test(a_larger_struct_of_a_newer_sdk_is_taken),
        cmocka_unit_test(identity_is_checked),
        cmocka_unit_test(inputs_are_checked),
        cmocka_unit_test(products_are_checked),
        cmocka_unit_test(running_is_checked),
        cmocka_unit_test(a_bad_schema_is_refused),
        cmocka_unit_test(files_that_are_no_plugins_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
