/* The graph of stages, and where plugins are looked for. */
#include "tests/unit/host/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workers/host/graph.h"
#include "workers/host/install.h"

static void ordered(const struct linnet_graph_stage *stages, size_t n, const char *expected) {
    struct linnet_graph graph;
    struct linnet_error err = {0};
    if (linnet_graph_make(stages, n, NULL, &graph, &err)) fail_msg("%s", err.detail);
    char text[256] = "";
    for (size_t i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
                 stages[graph.order[i]].name);
    assert_string_equal(text, expected);
    linnet_graph_done(&graph);
}

static void refused(const struct linnet_graph_stage *stages, size_t n, const char *words) {
    struct linnet_graph graph;
    struct linnet_error err = {0};
    assert_int_equal(linnet_graph_make(stages, n, NULL, &graph, &err), LINNET_E_INVALID);
    if (!strstr(err.detail, words)) fail_msg("\"%s\" does not say \"%s\"", err.detail, words);
}

static void stages_come_after_those_that_they_consume_from(void **state) {
    (void)state;
    const struct linnet_graph_stage stages[] = {
        {"fusion", &sample_fusion}, {"convnet", &sample_convnet}, {"normalize", &sample_normalize}};
    ordered(stages, 3, "normalize convnet fusion");
    const struct linnet_graph_stage twins[] = {{"fusion", &sample_fusion},
                                               {"second", &sample_convnet},
                                               {"normalize", &sample_normalize},
                                               {"first", &sample_convnet}};
    ordered(twins, 4, "normalize second first fusion");
    ordered(NULL, 0, "");
}

static void a_missing_producer_is_refused(void **state) {
    (void)state;
    const struct linnet_graph_stage stages[] = {{"fusion", &sample_fusion}, {"convnet", &sample_convnet}};
    refused(stages, 2, "the stage convnet needs documents of kind normalized");
    const char *const elsewhere[] = {"normalized", NULL}, *const anything[] = {"*", NULL};
    struct linnet_graph graph;
    assert_int_equal(linnet_graph_make(stages, 2, elsewhere, &graph, NULL), 0);
    linnet_graph_done(&graph);
    assert_int_equal(linnet_graph_make(stages, 1, anything, &graph, NULL), 0);
    linnet_graph_done(&graph);
}

static void an_optional_input_needs_no_producer(void **state) {
    (void)state;
    const struct linnet_input inputs[] = {{"image", LINNET_TRIGGER, NULL, NULL},
                                          {"consensus", LINNET_OPTIONAL, NULL, NULL},
                                          {NULL, 0, NULL, NULL}};
    struct linnet_plugin plugin = sample_normalize;
    plugin.inputs = inputs;
    const struct linnet_graph_stage stages[] = {{"normalize", &plugin}};
    ordered(stages, 1, "normalize");
}

static void a_cycle_is_refused_by_name(void **state) {
    (void)state;
    const struct linnet_input inputs[] = {{"image", LINNET_TRIGGER, NULL, NULL},
                                          {"identification", LINNET_TRIGGER, NULL, NULL},
                                          {NULL, 0, NULL, NULL}};
    struct linnet_plugin plugin = sample_normalize;
    plugin.inputs = inputs;
    const struct linnet_graph_stage stages[] = {
        {"convnet", &sample_convnet}, {"normalize", &plugin}, {"fusion", &sample_fusion}};
    refused(stages, 3,
            "the stages wait for each other: convnet needs what normalize produces, which needs what fusion "
            "produces, "
            "which needs what convnet produces");
}

static void two_stages_of_one_name_or_one_output_are_refused(void **state) {
    (void)state;
    const struct linnet_graph_stage names[] = {{"normalize", &sample_normalize},
                                               {"normalize", &sample_normalize}};
    refused(names, 2, "two stages are named normalize");
    const struct linnet_graph_stage outputs[] = {{"one", &sample_normalize}, {"other", &sample_normalize}};
    refused(outputs, 2, "would both write the same normalized documents");
}

static void touch(const char *folder, const char *name) {
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void plugins_are_found_along_the_search_path(void **state) {
    (void)state;
    char one[] = "/tmp/linnet-plugins-XXXXXX", other[] = "/tmp/linnet-plugins-XXXXXX", text[3 * PATH_MAX],
         path[PATH_MAX];
    assert_non_null(mkdtemp(one));
    assert_non_null(mkdtemp(other));
    touch(one, "linnet-sharpness.so");
    touch(one, "libother.so");
    touch(one, "linnet-.so");
    touch(other, "linnet-sharpness.so");
    touch(other, "linnet-colours.so");
    snprintf(text, sizeof(text), "/nonexistent:%s::%s", one, other);
    setenv("LINNET_PLUGIN_PATH", text, 1);
    struct linnet_paths list;
    assert_int_equal(linnet_install_plugins(&list, NULL), 0);
    assert_int_equal(list.n, 2);
    snprintf(path, sizeof(path), "%s/linnet-colours.so", other);
    assert_string_equal(list.paths[0], path);
    snprintf(path, sizeof(path), "%s/linnet-sharpness.so", one);
    assert_string_equal(list.paths[1], path);
    linnet_paths_done(&list);

    char found[PATH_MAX];
    struct linnet_error err = {0};
    assert_int_equal(linnet_install_plugin("sharpness", found, &err), 0);
    assert_string_equal(found, path);
    assert_int_equal(linnet_install_plugin("./mine.so", found, &err), 0);
    assert_string_equal(found, "./mine.so");
    assert_int_equal(linnet_install_plugin("sharp", found, &err), LINNET_E_NOT_FOUND);
    assert_string_equal(
        err.detail, "no plugin sharp is installed (there are colours, sharpness); give a path to use a file");
    unsetenv("LINNET_PLUGIN_PATH");
    snprintf(text, sizeof(text), "rm -r %s %s", one, other);
    assert_int_equal(system(text), 0);
}

static void data_is_found_beside_the_program(void **state) {
    (void)state;
    char path[PATH_MAX] = "untouched";
    struct linnet_error err = {0};
    assert_int_equal(linnet_install_data("schemas", path, &err), 0);
    assert_non_null(strstr(path, "/share/linnet/schemas"));
    assert_int_equal(linnet_install_data("no such thing", path, &err), LINNET_E_NOT_FOUND);
    setenv("LINNET_DATA_PATH", "/proc", 1);
    assert_int_equal(linnet_install_data("self", path, &err), 0);
    assert_string_equal(path, "/proc/self");
    unsetenv("LINNET_DATA_PATH");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_come_after_those_that_they_consume_from),
        cmocka_unit_test(a_missing_producer_is_refused),
        cmocka_unit_test(an_optional_input_needs_no_producer),
        cmocka_unit_test(a_cycle_is_refused_by_name),
        cmocka_unit_test(two_stages_of_one_name_or_one_output_are_refused),
        cmocka_unit_test(plugins_are_found_along_the_search_path),
        cmocka_unit_test(data_is_found_beside_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
