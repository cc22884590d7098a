/* Convolutions and pools against the reference, in both precisions, on fresh random numbers. */
#include <stdio.h>

#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

struct conv {
    const char *what;
    int64_t n, channels, height, width, outputs, groups;
    struct reference_window window;
    bool biased;
    const char *auto_pad;
    struct array *w, *b;
};

static void write_window(struct onnx_node *node, const struct reference_window *window) {
    int64_t pads[4] = {window->before[0], window->before[1], window->after[0], window->after[1]};
    onnx_ints(node, "kernel_shape", 2, window->kernel);
    onnx_ints(node, "strides", 2, window->strides);
    onnx_ints(node, "pads", 4, pads);
}

static struct onnx_file *build_conv(void *state) {
    const struct conv *conv = state;
    int64_t dims[4] = {-1, conv->channels, conv->height, conv->width};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    check_constant(file, "w", conv->w);
    if (conv->b) check_constant(file, "b", conv->b);
    struct onnx_node *node = onnx_add(file, "Conv", conv->b ? "x w b" : "x w", "y");
    if (conv->auto_pad) {
        onnx_string(node, "auto_pad", conv->auto_pad);
        onnx_ints(node, "strides", 2, conv->window.strides);
    } else {
        write_window(node, &conv->window);
    }
    onnx_ints(node, "dilations", 2, conv->window.dilations);
    onnx_int(node, "group", conv->groups);
    onnx_output(file, "y");
    return file;
}

static void check_conv(struct conv *conv) {
    int64_t x_dims[4] = {conv->n, conv->channels, conv->height, conv->width};
    int64_t w_dims[4] = {conv->outputs, conv->channels / conv->groups, conv->window.kernel[0],
                         conv->window.kernel[1]};
    struct array *x = array_random(check_seed(), 4, x_dims);
    conv->w = array_random(check_seed(), 4, w_dims);
    conv->b = conv->biased ? array_random(check_seed(), 1, &conv->outputs) : NULL;
    check_network(conv->what, build_conv, conv, x,
                  reference_conv(x, conv->w, conv->b, conv->groups, &conv->window));
    array_free(x);
    array_free(conv->w);
    array_free(conv->b);
}

static void convolutions_equal_the_reference(void **state) {
    (void)state;
    struct conv cases[] = {
        {"conv 3x3", 2, 3, 17, 19, 8, 1, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, true, NULL, NULL, NULL},
        {"conv 1x1", 3, 40, 9, 9, 24, 1, {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, false, NULL, NULL, NULL},
        {"conv 7x7 stride 2",
         1,
         3,
         32,
         30,
         16,
         1,
         {{7, 7}, {2, 2}, {1, 1}, {3, 3}, {3, 3}},
         true,
         NULL,
         NULL,
         NULL},
        {"conv 1x7", 2, 16, 12, 12, 16, 1, {{1, 7}, {1, 1}, {1, 1}, {0, 3}, {0, 3}}, false, NULL, NULL, NULL},
        {"conv, padding on one side",
         2,
         5,
         11,
         8,
         7,
         1,
         {{3, 2}, {2, 1}, {1, 1}, {0, 1}, {2, 0}},
         true,
         NULL,
         NULL,
         NULL},
        {"conv, dilated",
         2,
         8,
         15,
         15,
         8,
         1,
         {{3, 3}, {1, 2}, {2, 3}, {2, 1}, {2, 4}},
         true,
         NULL,
         NULL,
         NULL},
        {"conv of 4 groups",
         5,
         32,
         9,
         7,
         48,
         4,
         {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
         true,
         NULL,
         NULL,
         NULL},
        {"conv, depthwise",
         3,
         24,
         14,
         14,
         24,
         24,
         {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}},
         true,
         NULL,
         NULL,
         NULL},
        {"conv, depthwise 5x5",
         1,
         33,
         10,
         10,
         33,
         33,
         {{5, 5}, {1, 1}, {1, 1}, {2, 2}, {2, 2}},
         false,
         NULL,
         NULL,
         NULL},
        {"conv, depthwise times 2",
         2,
         6,
         10,
         10,
         12,
         6,
         {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
         true,
         NULL,
         NULL,
         NULL},
        {"conv, SAME_UPPER",
         1,
         4,
         10,
         11,
         6,
         1,
         {{3, 3}, {2, 2}, {1, 1}, {0, 1}, {1, 1}},
         true,
         "SAME_UPPER",
         NULL,
         NULL},
        {"conv, SAME_LOWER",
         1,
         4,
         10,
         11,
         6,
         1,
         {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {0, 1}},
         true,
         "SAME_LOWER",
         NULL,
         NULL},
        {"conv, VALID",
         1,
         4,
         10,
         11,
         6,
         1,
         {{4, 3}, {2, 2}, {1, 1}, {0, 0}, {0, 0}},
         true,
         "VALID",
         NULL,
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_conv(&cases[i]);
}

struct pool {
    const char *what;
    struct reference_window window;
    bool average, include, ceil;
    int64_t extra[2]; /* what ceil_mode adds, by hand */
    int64_t height, width;
};

static struct onnx_file *build_pool(void *state) {
    const struct pool *pool = state;
    int64_t dims[4] = {-1, 20, pool->height, pool->width};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    struct onnx_node *node = onnx_add(file, pool->average ? "AveragePool" : "MaxPool", "x", "y");
    write_window(node, &pool->window);
    if (pool->average) onnx_int(node, "count_include_pad", pool->include);
    if (!pool->average) onnx_ints(node, "dilations", 2, pool->window.dilations);
    onnx_int(node, "ceil_mode", pool->ceil);
    onnx_output(file, "y");
    return file;
}

static void pools_equal_the_reference(void **state) {
    (void)state;
    struct pool cases[] = {
        {"maximum pool 3x3 stride 2",
         {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}},
         false,
         false,
         false,
         {0, 0},
         16,
         15},
        {"maximum pool, ceil_mode",
         {{3, 3}, {2, 2}, {1, 1}, {0, 0}, {0, 0}},
         false,
         false,
         true,
         {1, 0},
         16,
         15},
        {"maximum pool, ceil_mode, last window outside",
         {{1, 1}, {3, 3}, {1, 1}, {0, 0}, {0, 0}},
         false,
         false,
         true,
         {0, 0},
         15,
         15},
        {"maximum pool, dilated",
         {{3, 2}, {1, 1}, {2, 3}, {1, 1}, {1, 1}},
         false,
         false,
         false,
         {0, 0},
         16,
         15},
        {"average pool 3x3", {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, true, false, false, {0, 0}, 8, 9},
        {"average pool 3x3 with its padding",
         {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
         true,
         true,
         false,
         {0, 0},
         8,
         9},
        {"average pool, ceil_mode",
         {{3, 3}, {2, 2}, {1, 1}, {0, 0}, {0, 0}},
         true,
         false,
         true,
         {1, 0},
         16,
         15},
        {"average pool, ceil_mode, with its padding",
         {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}},
         true,
         true,
         true,
         {1, 0},
         16,
         15},
        {"average pool of one side padded",
         {{2, 2}, {2, 2}, {1, 1}, {1, 0}, {0, 1}},
         true,
         false,
         false,
         {0, 0},
         15,
         15},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t dims[4] = {3, 20, cases[i].height, cases[i].width};
        struct array *x = array_random(check_seed(), 4, dims);
        check_network(
            cases[i].what, build_pool, &cases[i], x,
            reference_pool(x, &cases[i].window, cases[i].extra, cases[i].average, cases[i].include));
        array_free(x);
    }
}

static struct onnx_file *build_padded_pool(void *state) {
    const struct array *x = state;
    int64_t pads[8] = {0, 0, 1, 1, 0, 0, 1, 1}, kernel[2] = {3, 3};
    int64_t dims[4] = {-1, x->dims[1], x->dims[2], x->dims[3]};
    struct onnx_file *file = onnx_new(13);
    onnx_input(file, "x", 4, dims);
    onnx_integers(file, "pads", 8, pads);
    onnx_add(file, "Pad", "x pads", "p");
    onnx_ints(onnx_add(file, "AveragePool", "p", "y"), "kernel_shape", 2, kernel);
    onnx_output(file, "y");
    return file;
}

/* As PyTorch exports avg_pool2d with padding. */
static void a_pad_before_an_average_pool_counts_as_zeros(void **state) {
    (void)state;
    int64_t dims[4] = {2, 5, 9, 7}, extra[2] = {0, 0};
    struct reference_window window = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
    struct array *x = array_random(check_seed(), 4, dims);
    check_network("pad, average pool", build_padded_pool, x, x,
                  reference_pool(x, &window, extra, true, true));
    array_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_equal_the_reference),
        cmocka_unit_test(pools_equal_the_reference),
        cmocka_unit_test(a_pad_before_an_average_pool_counts_as_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
