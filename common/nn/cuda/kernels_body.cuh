// The bodies of the kernels, for the GPU and for the host. One call is one thread's (or, where threads work together,
// one team's) work; `team` says which lane of how many this is and sums over them. On the host a team has one lane.
#ifndef LINNET_NN_CUDA_KERNELS_BODY_CUH
#define LINNET_NN_CUDA_KERNELS_BODY_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <math.h>

#include "common/nn/cuda/kernels.h"

#define BODY __host__ __device__ inline

// enum linnet_nn_function, enum linnet_nn_arithmetic, enum linnet_nn_reduction: in their order; the tests of every function hold
// them to it.
enum {
    F_RELU, F_LEAKY_RELU, F_CLIP, F_SIGMOID, F_HARD_SIGMOID, F_HARD_SWISH, F_SWISH, F_TANH, F_ELU, F_LINEAR, F_SQRT,
    F_EXP, F_ABS, F_ERF, F_GELU, F_GELU_TANH, F_POW
};
enum { A_ADD, A_SUB, A_MUL, A_DIV, A_MIN, A_MAX };
enum { R_MEAN, R_SUM, R_MAX, R_MIN };

BODY float load_one(const void *memory, int type, int64_t at) {
    switch (type) {
    case KERNEL_F16: return __half2float(((const __half *)memory)[at]);
    case KERNEL_BF16: return __bfloat162float(((const __nv_bfloat16 *)memory)[at]);
    case KERNEL_U8: return (float)((const uint8_t *)memory)[at];
    default: return ((const float *)memory)[at];
    }
}

BODY void store_one(void *memory, int type, int64_t at, float value) {
    switch (type) {
    case KERNEL_F16: ((__half *)memory)[at] = __float2half_rn(value); break;
    case KERNEL_BF16: ((__nv_bfloat16 *)memory)[at] = __float2bfloat16_rn(value); break;
    default: ((float *)memory)[at] = value;
    }
}

struct alignas(16) halves { __half v[8]; };
struct alignas(16) bhalves { __nv_bfloat16 v[8]; };
struct alignas(16) quads { float v[4]; };

// W consecutive elements (stride 1), or one element W times (stride 0).
template <int W> BODY void load(const void *memory, int type, int64_t at, int64_t stride, float *out) {
    if (W == 1 || stride == 0) {
        float one = load_one(memory, type, at);
        for (int i = 0; i < W; i++) out[i] = one;
    } else if (type == KERNEL_F16) {
        halves all = *(const halves *)((const __half *)memory + at);
        for (int i = 0; i < W; i++) out[i] = __half2float(all.v[i]);
    } else if (type == KERNEL_BF16) {
        bhalves all = *(const bhalves *)((const __nv_bfloat16 *)memory + at);
        for (int i = 0; i < W; i++) out[i] = __bfloat162float(all.v[i]);
    } else {
        const quads *all = (const quads *)((const float *)memory + at);
        for (int i = 0; i < W; i++) out[i] = all[i / 4].v[i % 4];
    }
}

template <int W> BODY void store(void *memory, int type, int64_t at, const float *values) {
    if (W == 1) {
        store_one(memory, type, at, values[0]);
    } else if (type == KERNEL_F16) {
        halves all;
        for (int i = 0; i < W; i++) all.v[i] = __float2half_rn(values[i]);
        *(halves *)((__half *)memory + at) = all;
    } else if (type == KERNEL_BF16) {
        bhalves all;
        for (int i = 0; i < W; i++) all.v[i] = __float2bfloat16_rn(values[i]);
        *(bhalves *)((__nv_bfloat16 *)memory + at) = all;
    } else {
        for (int i = 0; i < W; i++) ((float *)memory)[at + i] = values[i];
    }
}

// common/nn/graph.h defines them.
BODY float apply(int function, float alpha, float beta, float x) {
    switch (function) {
    case F_RELU: return fmaxf(x, 0.0f);
    case F_LEAKY_RELU: return x > 0 ? x : alpha * x;
    case F_CLIP: return fminf(fmaxf(x, alpha), beta);
    case F_SIGMOID: return 1.0f / (1.0f + expf(-x));
    case F_HARD_SIGMOID: return fminf(fmaxf(alpha * x + beta, 0.0f), 1.0f);
    case F_HARD_SWISH: return x * fminf(fmaxf(x * (1.0f / 6) + 0.5f, 0.0f), 1.0f);
    case F_SWISH: return x / (1.0f + expf(-alpha * x));
    case F_TANH: return tanhf(x);
    case F_ELU: return x > 0 ? x : alpha * expm1f(x);
    case F_LINEAR: return alpha * x + beta;
    case F_SQRT: return sqrtf(x);
    case F_EXP: return expf(x);
    case F_ABS: return fabsf(x);
    case F_ERF: return erff(x);
    case F_GELU: return 0.5f * x * (1.0f + erff(x * 0.70710678f));
    case F_GELU_TANH: return 0.5f * x * (1.0f + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));
    case F_POW: return alpha == 2.0f ? x * x : powf(x, alpha);
    default: return x;
    }
}

BODY float combine(int operation, float a, float b) {
    switch (operation) {
    case A_ADD: return a + b;
    case A_SUB: return a - b;
    case A_MUL: return a * b;
    case A_DIV: return a / b;
    case A_MIN: return fminf(a, b);
    case A_MAX: return fmaxf(a, b);
    default: return a;
    }
}

// Element offsets of an operand from the index in the kernel's dimensions, the last of which counts by `width`.
BODY void indices(const cuda_kernel &k, int rank, int64_t index, int64_t *at) {
    for (int d = rank - 1; d >= 0; d--) {
        int64_t size = d == k.rank - 1 ? k.dims[d] / k.width : k.dims[d], rest = index / size;
        at[d] = (index - rest * size) * (d == k.rank - 1 ? k.width : 1);
        index = rest;
    }
}

BODY int64_t offset_of(const kernel_operand &operand, int rank, const int64_t *at) {
    int64_t offset = 0;
    for (int d = 0; d < rank; d++) offset += at[d] * operand.strides[d];
    return offset;
}

// Posts on W values, then the store. `at` are all dimensions.
template <int W> BODY void finish(const cuda_kernel &k, void *const *memory, const int64_t *at, float *v) {
    for (int p = 0; p < k.nposts; p++) {
        const kernel_post &post = k.posts[p];
        if (post.function < 0) {
            const kernel_operand &other = k.operands[KERNEL_OPERANDS_MAX];
            float more[W];
            load<W>(memory[KERNEL_OPERANDS_MAX], other.type, offset_of(other, k.rank, at), other.strides[k.rank - 1],
                    more);
            for (int i = 0; i < W; i++) v[i] += more[i];
        } else {
            for (int i = 0; i < W; i++) v[i] = apply(post.function, post.alpha, post.beta, v[i]);
        }
    }
    store<W>(memory[0], k.operands[0].type, offset_of(k.operands[0], k.rank, at), v);
}

template <int W> BODY void map_body(const cuda_kernel &k, void *const *memory, int64_t index) {
    int64_t at[KERNEL_RANK_MAX];
    float a[W], b[W], c[W];
    indices(k, k.rank, index, at);
    int last = k.rank - 1;
    const kernel_operand *o = k.operands;
    load<W>(memory[1], o[1].type, offset_of(o[1], k.rank, at), o[1].strides[last], a);
    if (k.operation != KERNEL_COPY)
        load<W>(memory[2], o[2].type, offset_of(o[2], k.rank, at), o[2].strides[last], b);
    if (k.operation == KERNEL_MULADD) {
        load<W>(memory[3], o[3].type, offset_of(o[3], k.rank, at), o[3].strides[last], c);
        for (int i = 0; i < W; i++) a[i] = a[i] * b[i] + c[i];
    } else if (k.operation != KERNEL_COPY) {
        for (int i = 0; i < W; i++) a[i] = combine(k.operation, a[i], b[i]);
    }
    finish<W>(k, memory, at, a);
}

template <int W> BODY void fill_body(const cuda_kernel &k, void *const *memory, int64_t index) {
    int64_t at[KERNEL_RANK_MAX];
    float v[W];
    indices(k, k.rank, index, at);
    for (int i = 0; i < W; i++) v[i] = k.value;
    store<W>(memory[0], k.operands[0].type, offset_of(k.operands[0], k.rank, at), v);
}

// One pixel: dims are [N, H, W, padded channels], a's strides those of the picture with its channels last.
BODY void pack_body(const cuda_kernel &k, void *const *memory, int64_t index) {
    const kernel_operand &from = k.operands[1], &to = k.operands[0];
    int64_t x = index % k.dims[2], y = index / k.dims[2] % k.dims[1], n = index / k.dims[2] / k.dims[1];
    int64_t a = n * from.strides[0] + y * from.strides[1] + x * from.strides[2];
    int64_t out = n * to.strides[0] + y * to.strides[1] + x * to.strides[2];
    for (int c = 0; c < k.dims[3]; c++) {
        float value = 0;
        if (c < k.channels) value = load_one(memory[1], from.type, a + c * from.strides[3]);
        if (c < k.channels && from.type == KERNEL_U8) value = value * k.scale[c] + k.shift[c];
        store_one(memory[0], to.type, out + c, value);
    }
}

template <int W> BODY void pool_body(const cuda_kernel &k, void *const *memory, int64_t index) {
    int64_t at[KERNEL_RANK_MAX];
    float sum[W], v[W];
    const kernel_operand &from = k.operands[1];
    indices(k, 4, index, at);
    for (int i = 0; i < W; i++) sum[i] = k.average ? 0.0f : -INFINITY;
    int64_t count = 0, base = at[0] * from.strides[0] + at[3] * from.strides[3];
    int64_t top = at[1] * k.strides[0] - k.before[0], left = at[2] * k.strides[1] - k.before[1];
    for (int64_t i = 0; i < k.kernel[0]; i++)
        for (int64_t j = 0; j < k.kernel[1]; j++) {
            int64_t y = top + i * k.dilations[0], x = left + j * k.dilations[1];
            bool inside = y >= 0 && y < k.in[0] && x >= 0 && x < k.in[1];
            bool counts = y < k.padded[0] - k.before[0] && x < k.padded[1] - k.before[1];
            count += k.include_padding ? counts : inside;
            if (!inside) continue;
            load<W>(memory[1], from.type, base + y * from.strides[1] + x * from.strides[2], from.strides[3], v);
            for (int c = 0; c < W; c++) sum[c] = k.average ? sum[c] + v[c] : fmaxf(sum[c], v[c]);
        }
    if (k.average)
        for (int c = 0; c < W; c++) sum[c] /= (float)count;
    finish<W>(k, memory, at, sum);
}

// T neighbours of a row at once, so that each weight is loaded once for all of them. dims[2] counts by T here.
template <int W, int T> BODY void depthwise_body(const cuda_kernel &k, void *const *memory, int64_t index) {
    int64_t at[KERNEL_RANK_MAX], runs = (k.dims[2] + T - 1) / T, rest = index / (k.dims[3] / k.width);
    const kernel_operand &from = k.operands[1], &weights = k.operands[2], &bias = k.operands[3];
    at[3] = index % (k.dims[3] / k.width) * k.width;
    at[2] = rest % runs * T;
    at[1] = rest / runs % k.dims[1];
    at[0] = rest / runs / k.dims[1];
    float sum[T][W], w[W], v[W];
    load<W>(memory[3], bias.type, at[3] * bias.strides[3], bias.strides[3], w);
    for (int t = 0; t < T; t++)
        for (int c = 0; c < W; c++) sum[t][c] = w[c];
    int64_t base = at[0] * from.strides[0] + at[3] * from.strides[3];
    for (int64_t i = 0; i < k.kernel[0]; i++) {
        int64_t y = at[1] * k.strides[0] - k.before[0] + i * k.dilations[0];
        if (y < 0 || y >= k.in[0]) continue;
        for (int64_t j = 0; j < k.kernel[1]; j++) {
            load<W>(memory[2], weights.type, (i * k.kernel[1] + j) * k.dims[3] + at[3], 1, w);
            for (int t = 0; t < T; t++) {
                int64_t x = (at[2] + t) * k.strides[1] - k.before[1] + j * k.dilations[1];
                if (x < 0 || x >= k.in[1] || at[2] + t >= k.dims[2]) continue;
                load<W>(memory[1], from.type, base + y * from.strides[1] + x * from.strides[2], from.strides[3], v);
                for (int c = 0; c < W; c++) sum[t][c] += v[c] * w[c];
            }
        }
    }
    for (int t = 0; t < T && at[2] < k.dims[2]; t++, at[2]++) finish<W>(k, memory, at, sum[t]);
}

BODY float reduce_start(int kind) {
    return kind == R_MAX ? -INFINITY : kind == R_MIN ? INFINITY : 0.0f;
}
BODY float reduce_two(int kind, float a, float b) {
    return kind == R_MAX ? fmaxf(a, b) : kind == R_MIN ? fminf(a, b) : a + b;
}

// One kept index (W of them where the innermost kept dimension is one stretch): dims[0..kept) stay, the rest goes.
template <int W, class Team>
BODY void reduce_body(const cuda_kernel &k, void *const *memory, int64_t index, const Team &team) {
    int64_t at[KERNEL_RANK_MAX] = {0}, many = 1;
    const kernel_operand &from = k.operands[1];
    for (int d = k.kept - 1; d >= 0; d--) {
        int64_t size = d == k.kept - 1 ? k.dims[d] / W : k.dims[d];
        at[d] = index % size * (d == k.kept - 1 ? W : 1);
        index /= size;
    }
    int64_t base = offset_of(from, k.kept, at), out = offset_of(k.operands[0], k.kept, at);
    for (int d = k.kept; d < k.rank; d++) many *= k.dims[d];
    float sum[W], v[W];
    for (int c = 0; c < W; c++) sum[c] = reduce_start(k.operation);
    for (int64_t i = team.lane(); i < many; i += team.size()) {
        int64_t rest = i, offset = base;
        for (int d = k.rank - 1; d >= k.kept; d--) {
            offset += rest % k.dims[d] * from.strides[d];
            rest /= k.dims[d];
        }
        load<W>(memory[1], from.type, offset, 1, v);
        for (int c = 0; c < W; c++) sum[c] = reduce_two(k.operation, sum[c], v[c]);
    }
    for (int c = 0; c < W; c++) {
        sum[c] = team.all(k.operation, sum[c]);
        if (k.operation == R_MEAN) sum[c] /= (float)many;
        for (int p = 0; p < k.nposts; p++)
            sum[c] = apply(k.posts[p].function, k.posts[p].alpha, k.posts[p].beta, sum[c]);
    }
    if (team.lane() == 0) store<W>(memory[0], k.operands[0].type, out, sum);
}

// One row: exp(x - max) / sum, in f32 whatever the storage.
template <class Team>
BODY void softmax_body(const cuda_kernel &k, void *const *memory, int64_t index, const Team &team) {
    int64_t at[KERNEL_RANK_MAX], n = k.dims[k.rank - 1];
    for (int d = k.rank - 2; d >= 0; d--) {
        at[d] = index % k.dims[d];
        index /= k.dims[d];
    }
    const kernel_operand &from = k.operands[1], &to = k.operands[0];
    int64_t a = offset_of(from, k.rank - 1, at), out = offset_of(to, k.rank - 1, at);
    int64_t step = from.strides[k.rank - 1], out_step = to.strides[k.rank - 1];
    float most = -INFINITY, sum = 0;
    for (int64_t i = team.lane(); i < n; i += team.size()) most = fmaxf(most, load_one(memory[1], from.type, a + i * step));
    most = team.all(R_MAX, most);
    for (int64_t i = team.lane(); i < n; i += team.size()) sum += expf(load_one(memory[1], from.type, a + i * step) - most);
    sum = team.all(R_SUM, sum);
    for (int64_t i = team.lane(); i < n; i += team.size())
        store_one(memory[0], to.type, out + i * out_step, expf(load_one(memory[1], from.type, a + i * step) - most) / sum);
}

// One row: scale (x - mean) / sqrt(variance + epsilon) + shift, in f32 whatever the storage.
template <class Team>
BODY void layer_norm_body(const cuda_kernel &k, void *const *memory, int64_t index, const Team &team) {
    int64_t at[KERNEL_RANK_MAX], n = k.dims[k.rank - 1];
    for (int d = k.rank - 2; d >= 0; d--) {
        at[d] = index % k.dims[d];
        index /= k.dims[d];
    }
    const kernel_operand *o = k.operands;
    int64_t a = offset_of(o[1], k.rank - 1, at), out = offset_of(o[0], k.rank - 1, at);
    int64_t step = o[1].strides[k.rank - 1], out_step = o[0].strides[k.rank - 1];
    float sum = 0, squares = 0;
    for (int64_t i = team.lane(); i < n; i += team.size()) sum += load_one(memory[1], o[1].type, a + i * step);
    float mean = team.all(R_SUM, sum) / (float)n;
    for (int64_t i = team.lane(); i < n; i += team.size()) {
        float centred = load_one(memory[1], o[1].type, a + i * step) - mean;
        squares += centred * centred;
    }
    float factor = 1.0f / sqrtf(team.all(R_SUM, squares) / (float)n + k.value);
    for (int64_t i = team.lane(); i < n; i += team.size()) {
        float centred = load_one(memory[1], o[1].type, a + i * step) - mean;
        store_one(memory[0], o[0].type, out + i * out_step,
                  centred * factor * load_one(memory[2], o[2].type, i) + load_one(memory[3], o[3].type, i));
    }
}

// One output of a small product: dims are [M, O], kernel[0] is K; rows of a and of b are one stretch each.
template <class Team>
BODY void small_body(const cuda_kernel &k, void *const *memory, int64_t index, const Team &team) {
    int64_t at[KERNEL_RANK_MAX] = {index / k.dims[1], index % k.dims[1]}, n = k.kernel[0];
    const kernel_operand *o = k.operands;
    int64_t a = at[0] * o[1].strides[0], b = at[1] * o[2].strides[1];
    float sum = 0;
    for (int64_t i = team.lane(); i < n; i += team.size())
        sum += load_one(memory[1], o[1].type, a + i) * load_one(memory[2], o[2].type, b + i);
    sum = team.all(R_SUM, sum) + load_one(memory[3], o[3].type, at[1]);
    if (team.lane() == 0) finish<1>(k, memory, at, &sum);
}

#endif
