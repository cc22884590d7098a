/* The parts of the GPU backend that need no GPU: views, number formats, the cache, and each kernel's body
 * against a naive one in double precision. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/nn/cuda/cache.h"
#include "common/nn/cuda/program.h"
#include "tests/unit/nn/check.h"
#include "tests/unit/test.h"

static struct cuda_view view_of(int rank, const int64_t *dims, bool last) {
    struct cuda_view view = {.type = LINNET_NN_F32, .rank = rank};
    memcpy(view.dims, dims, (size_t)rank * sizeof *dims);
    if (last)
        cuda_view_channels_last(&view);
    else
        cuda_view_plain(&view);
    return view;
}

static int64_t offset_of(const struct cuda_view *view, int64_t index) {
    int64_t offset = view->offset;
    for (int d = view->rank - 1; d >= 0; d--) {
        offset += index % view->dims[d] * view->strides[d];
        index /= view->dims[d];
    }
    return offset;
}

static void a_reshaped_view_names_the_same_elements(void **state) {
    (void)state;
    const int64_t image[4] = {2, 6, 4, 5}, flat[2] = {2, 120}, rows[3] = {2, 6, 20},
                  split[5] = {2, 2, 3, 4, 5}, ones[6] = {2, 1, 6, 1, 20, 1};
    const struct {
        bool last;
        int rank;
        const int64_t *dims;
        bool can;
    } cases[] = {{false, 2, flat, true}, {true, 2, flat, false}, {true, 3, rows, true},
                 {true, 5, split, true}, {true, 6, ones, true},  {false, 5, split, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cuda_view from = view_of(4, image, cases[i].last), to;
        assert_int_equal(cuda_view_reshape(&from, cases[i].rank, cases[i].dims, &to), cases[i].can);
        for (int64_t k = 0; k < 240 && cases[i].can; k++)
            assert_int_equal(offset_of(&from, k), offset_of(&to, k));
    }
    struct cuda_view pixel = view_of(4, (const int64_t[4]){3, 8, 1, 1}, true), to;
    assert_true(cuda_view_reshape(&pixel, 2, (const int64_t[2]){3, 8}, &to) && to.strides[0] == 8);
}

static void views_collapse_to_as_few_dimensions_as_say_the_same(void **state) {
    (void)state;
    const int64_t image[4] = {2, 8, 4, 5};
    struct cuda_view views[3] = {view_of(4, image, true), view_of(4, image, true), view_of(4, image, true)};
    cuda_views_collapse(views, 1);
    assert_int_equal(views[0].rank, 1);
    assert_int_equal(views[0].dims[0], 320);
    views[0] = view_of(4, image, true);
    views[2].strides[0] = 8; /* one value for each image and channel */
    views[2].strides[2] = views[2].strides[3] = 0;
    cuda_views_collapse(views, 3);
    assert_int_equal(views[0].rank, 3);
    assert_int_equal(views[0].dims[1], 20);
    assert_int_equal(views[2].strides[1], 0);
    assert_int_equal(views[2].strides[2], 1);
}

static void numbers_are_rounded_to_nearest_even(void **state) {
    (void)state;
    const struct {
        float value;
        uint16_t f16, bf16;
    } known[] = {{1, 0x3c00, 0x3f80},         {-2, 0xc000, 0xc000},         {65504, 0x7bff, 0x4780},
                 {65519.99f, 0x7bff, 0x4780}, {65520, 0x7c00, 0x4780},      {0x1p-24f, 0x0001, 0x3380},
                 {0x1p-25f, 0x0000, 0x3300},  {0x1.8p-25f, 0x0001, 0x3340}, {1.00048828125f, 0x3c00, 0x3f80},
                 {1.001f, 0x3c01, 0x3f80},    {0x1p-14f, 0x0400, 0x3880}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint16_t got;
        cuda_convert_from_f32(LINNET_NN_F16, &known[i].value, &got, 1);
        assert_int_equal(got, known[i].f16);
        cuda_convert_from_f32(LINNET_NN_BF16, &known[i].value, &got, 1);
        assert_int_equal(got, known[i].bf16);
    }
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        uint16_t half = (uint16_t)bits, back;
        float value;
        for (int k = 0; k < 2; k++) {
            enum linnet_nn_type type = k ? LINNET_NN_BF16 : LINNET_NN_F16;
            cuda_convert_to_f32(type, &half, &value, 1);
            cuda_convert_from_f32(type, &value, &back, 1);
            if (!isnan(value)) assert_int_equal(back, half);
            if (isnan(value)) assert_true((back & 0x7fff) > (k ? 0x7f80 : 0x7c00));
        }
    }
}

static void what_was_found_out_is_found_again_by_another_process(void **state) {
    (void)state;
    char folder[] = "/tmp/linnet-cache-XXXXXX", command[64], key[CUDA_KEY_SIZE], other[CUDA_KEY_SIZE];
    assert_non_null(mkdtemp(folder));
    setenv("LINNET_NN_CACHE", folder, 1);
    struct dnn_spec spec = {.kind = DNN_CONVOLUTION, .a = {.rank = 4, .dims = {1, 8, 4, 4}}};
    cuda_cache_key(&spec, 1, key);
    spec.a.dims[3] = 5;
    cuda_cache_key(&spec, 1, other);
    assert_string_not_equal(key, other);
    struct cuda_cache *first = cuda_cache_open("NVIDIA H200", "cudnn 9"), *second, *elsewhere;
    assert_null(cuda_cache_get(first, key));
    cuda_cache_put(first, key, "engine 7");
    assert_string_equal(cuda_cache_get(first, key), "engine 7");
    second = cuda_cache_open("NVIDIA H200", "cudnn 9");
    elsewhere = cuda_cache_open("NVIDIA H200", "cudnn 10");
    assert_string_equal(cuda_cache_get(second, key), "engine 7");
    assert_null(cuda_cache_get(second, other));
    assert_null(cuda_cache_get(elsewhere, key));
    cuda_cache_drop(second, key);
    assert_null(cuda_cache_get(second, key));
    cuda_cache_close(first);
    cuda_cache_close(second);
    cuda_cache_close(elsewhere);
    setenv("LINNET_NN_CACHE", "", 1); /* nothing on disk: the process remembers */
    first = cuda_cache_open("x", "y");
    cuda_cache_put(first, key, "engine 8");
    assert_string_equal(cuda_cache_get(first, key), "engine 8");
    cuda_cache_close(first);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* Pictures as bytes are packed as the floats that they stand for. */
static void bytes_are_packed_as_the_numbers_that_they_stand_for(void **state) {
    (void)state;
    enum { N = 2, H = 3, W = 5, C = 3, P = 4 };
    uint8_t bytes[N * H * W * C];
    float floats[N * C * H * W], scale[4] = {0.5f, 0.25f, 2}, shift[4] = {1, -3, 0}, a[N * H * W * P],
                                 b[N * H * W * P];
    struct cuda_kernel kernel = {
        .kind = KERNEL_PACK, .rank = 4, .dims = {N, H, W, P}, .width = 1, .channels = C};
    const int64_t out[4] = {H * W * P, W * P, P, 1}, in[4] = {C * H * W, W, 1, H * W};
    memcpy(kernel.operands[0].strides, out, sizeof out);
    memcpy(kernel.operands[1].strides, in, sizeof in);
    for (int i = 0; i < N * H * W; i++)
        for (int c = 0; c < C; c++) {
            uint8_t byte = (uint8_t)(reference_random(check_seed()) * 256);
            bytes[i * C + c] = byte;
            floats[(i / (H * W) * C + c) * H * W + i % (H * W)] = (float)byte * scale[c] + shift[c];
        }
    void *memory[KERNEL_OPERANDS_MAX + 1] = {a, floats};
    cuda_kernel_host(&kernel, memory);
    cuda_kernel_take_bytes(&kernel, scale, shift);
    memory[0] = b;
    memory[1] = bytes;
    cuda_kernel_host(&kernel, memory);
    assert_memory_equal(a, b, sizeof a);
    for (int i = 0; i < N * H * W; i++)
        assert_true(a[i * P + C] == 0);
}

/* All functions, eight at a time and one at a time, against their definition. */
static void functions_are_those_of_the_graph(void **state) {
    (void)state;
    enum { COUNT = 64 };
    float in[COUNT], out[COUNT];
    for (int i = 0; i < COUNT; i++)
        in[i] = (float)(reference_random(check_seed()) * 12 - 6);
    for (int f = LINNET_NN_RELU; f <= LINNET_NN_ABS; f++)
        for (int width = 1; width <= 8; width += 7) {
            struct linnet_nn_unary unary = {(enum linnet_nn_function)f, 0.3f, 0.6f};
            struct cuda_kernel kernel = {
                .kind = KERNEL_MAP, .rank = 1, .dims = {COUNT}, .width = width, .operation = -1};
            kernel.operands[0].strides[0] = kernel.operands[1].strides[0] = 1;
            kernel.posts[kernel.nposts++] = (struct kernel_post){f, unary.alpha, unary.beta};
            void *memory[KERNEL_OPERANDS_MAX + 1] = {out, in};
            cuda_kernel_host(&kernel, memory);
            for (int i = 0; i < COUNT; i++) {
                double expected = linnet_nn_function_apply(&unary, (double)in[i]);
                if (isnan(expected)) continue; /* the root of a negative number */
                assert_true(fabs((double)out[i] - expected) <= 2e-6 * fmax(1, fabs(expected)));
            }
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reshaped_view_names_the_same_elements),
        cmocka_unit_test(views_collapse_to_as_few_dimensions_as_say_the_same),
        cmocka_unit_test(numbers_are_rounded_to_nearest_even),
        cmocka_unit_test(what_was_found_out_is_found_again_by_another_process),
        cmocka_unit_test(bytes_are_packed_as_the_numbers_that_they_stand_for),
        cmocka_unit_test(functions_are_those_of_the_graph),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
