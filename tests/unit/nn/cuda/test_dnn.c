/* cuDNN's plans for a device that is described, not here. The description is the first argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/cuda/dnn.h"
#include "tests/unit/test.h"

static const char *path;

static struct dnn_context *open_described(void) {
    struct linnet_error err = {0};
    struct dnn_context *context = NULL;
    char json[1 << 13] = "";
    FILE *file = fopen(path, "rb");
    if (!file || !fread(json, 1, sizeof json - 1, file)) fail_msg("%s cannot be read", path);
    fclose(file);
    if (dnn_open_described(json, &context, &err)) fail_msg("%s", err.detail);
    return context;
}

static struct dnn_tensor image(int64_t n, int64_t c, int64_t h, int64_t w) {
    return (struct dnn_tensor){LINNET_NN_F16, 4, {n, c, h, w}, {c * h * w, 1, c * w, c}};
}

/* A 3 x 3 convolution with nothing after it. */
static struct dnn_spec convolution(void) {
    struct dnn_spec spec = {.kind = DNN_CONVOLUTION,
                            .a = image(8, 64, 56, 56),
                            .b = image(64, 64, 3, 3),
                            .out = image(8, 64, 56, 56)};
    spec.window = (struct linnet_nn_window){2, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
    return spec;
}

/* Is the first plan one of the library's own kernels? */
static bool precompiled(struct dnn_context *context, const struct dnn_spec *spec) {
    struct dnn_plan *plan = NULL;
    size_t count = 0;
    if (dnn_plan(context, spec, 1, &plan, &count, NULL)) return false;
    bool own = dnn_plan_precompiled(plan);
    dnn_plan_free(plan);
    return own;
}

static void a_residual_goes_before_the_bias(void **state) {
    (void)state;
    struct dnn_context *context = open_described();
    struct dnn_spec spec = convolution();
    const struct dnn_post residual = {.add = true, .tensor = spec.out},
                          bias = {.add = true, .tensor = {LINNET_NN_F16, 4, {1, 64, 1, 1}, {64, 1, 64, 64}}},
                          relu = {.unary = {LINNET_NN_RELU, 0, 0}};
    spec.nposts = 3;
    spec.posts[2] = relu;
    spec.posts[0] = residual;
    spec.posts[1] = bias;
    assert_true(precompiled(context, &spec));
    spec.posts[0] = bias;
    spec.posts[1] = residual;
    assert_false(precompiled(context, &spec));
    dnn_close(context);
}

static void a_plan_that_was_saved_is_made_again(void **state) {
    (void)state;
    struct dnn_context *context = open_described();
    struct dnn_spec spec = convolution();
    struct dnn_plan *plan = NULL, *again = NULL;
    struct linnet_error err = {0};
    size_t count = 0;
    char *text = NULL;
    if (dnn_plan(context, &spec, 1, &plan, &count, &err)) fail_msg("%s", err.detail);
    if (dnn_plan_save(plan, &text, &err)) fail_msg("%s", err.detail);
    if (dnn_plan_load(context, &spec, text, &again, &err)) fail_msg("%s", err.detail);
    assert_int_equal(dnn_plan_workspace(again), dnn_plan_workspace(plan));
    dnn_plan_free(again);
    again = NULL;
    text[strlen(text) / 2] = 0;
    assert_int_not_equal(dnn_plan_load(context, &spec, text, &again, &err), 0);
    assert_null(again);
    free(text);
    dnn_plan_free(plan);
    dnn_close(context);
}

static void what_describes_no_device_is_refused(void **state) {
    (void)state;
    struct linnet_error err = {0};
    struct dnn_context *context = NULL;
    assert_int_equal(dnn_open_described("{}", &context, &err), LINNET_E_PARSE);
    print_message("%s\n", err.detail);
    assert_non_null(strstr(err.detail, "maxGridSize"));
    assert_null(context);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_residual_goes_before_the_bias),
        cmocka_unit_test(a_plan_that_was_saved_is_made_again),
        cmocka_unit_test(what_describes_no_device_is_refused),
    };
    if (argc != 2) return 2;
    path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
