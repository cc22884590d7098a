/* The backend "emulated": the GPU backend's programs on the CPU, for tests. Lowering, memory planning and
 * constants are the GPU backend's own; its kernels are the host's compilation of the same bodies; products,
 * which on a GPU are cuDNN's and cuBLASLt's, are done here from the very specification that those get,
 * accumulated in f32 and rounded as they round. What this does not show is how a GPU's threads share the
 * work, and what NVIDIA's libraries do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/cuda/program.h"
#include "common/nn/fail.h"

struct linnet_nn_program {
    struct cuda_program *program;
};

struct linnet_nn_run {
    const struct cuda_program *program;
    char *arena;
    const float *const *inputs;
    float *const *outputs;
    float *nowhere[64];                    /* outputs that nobody wants */
    const struct linnet_nn_pixels *pixels; /* instead of numbers */
};

static void *address(const struct linnet_nn_run *run, const struct cuda_plan *plan,
                     const struct cuda_pointer *pointer) {
    if (pointer->buffer == LINNET_NN_NONE) return NULL;
    const struct cuda_buffer *buffer = &plan->buffers[pointer->buffer];
    char *base = NULL;
    switch (buffer->memory) {
    case CUDA_ARENA:
        base = run->arena + buffer->offset;
        break;
    case CUDA_CONSTANT:
        base = run->program->constants[buffer->index].memory;
        break;
    case CUDA_INPUT:
        base = (char *)run->inputs[buffer->index];
        break;
    case CUDA_OUTPUT:
        base =
            (char *)(run->outputs[buffer->index] ? run->outputs[buffer->index] : run->nowhere[buffer->index]);
        break;
    }
    return base + pointer->offset;
}

static float at(const struct dnn_tensor *tensor, const void *memory, int64_t offset) {
    float value;
    cuda_convert_to_f32(tensor->type, (const char *)memory + (size_t)offset * cuda_type_size(tensor->type),
                        &value, 1);
    return value;
}

/* Elements of a tensor as dense floats, dimension order[0] outermost. */
static float *gather(const struct dnn_tensor *tensor, const void *memory, const int *order) {
    int64_t count = 1;
    for (int d = 0; d < tensor->rank; d++)
        count *= tensor->dims[d];
    float *values = malloc((size_t)(count ? count : 1) * sizeof *values);
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, offset = 0;
        for (int d = tensor->rank - 1; d >= 0; d--) {
            offset += rest % tensor->dims[order[d]] * tensor->strides[order[d]];
            rest /= tensor->dims[order[d]];
        }
        values[i] = at(tensor, memory, offset);
    }
    return values;
}

/* Posts on the result at `index` (an index for each dimension), then the store. */
static void finish(const struct dnn_spec *spec, void *const *memory, const int64_t *index, float value) {
    const struct dnn_tensor *out = &spec->out;
    int64_t offset = 0;
    for (int i = 0; i < spec->nposts; i++) {
        const struct dnn_post *post = &spec->posts[i];
        int64_t other = 0;
        for (int d = 0; d < post->tensor.rank; d++)
            other += (post->tensor.dims[d] == 1 ? 0 : index[d]) * post->tensor.strides[d];
        value = post->add ? value + at(&post->tensor, memory[CUDA_POST + i], other)
                          : (float)linnet_nn_function_apply(&post->unary, (double)value);
    }
    for (int d = 0; d < out->rank; d++)
        offset += index[d] * out->strides[d];
    cuda_convert_from_f32(out->type, &value,
                          (char *)memory[CUDA_OUT] + (size_t)offset * cuda_type_size(out->type), 1);
}

/* One output pixel: sums of all output channels. */
static void pixel(const struct dnn_spec *spec, const float *data, const float *weights, int64_t n, int64_t oy,
                  int64_t ox, float *sums) {
    const int64_t *a = spec->a.dims, *b = spec->b.dims;
    int64_t groups = a[1] / b[1], each = b[0] / groups;
    const struct linnet_nn_window *w = &spec->window;
    memset(sums, 0, (size_t)b[0] * sizeof *sums);
    for (int64_t i = 0; i < b[2]; i++)
        for (int64_t j = 0; j < b[3]; j++) {
            int64_t y = oy * w->strides[0] - w->before[0] + i * w->dilations[0],
                    x = ox * w->strides[1] - w->before[1] + j * w->dilations[1];
            if (y < 0 || y >= a[2] || x < 0 || x >= a[3]) continue;
            const float *from = data + ((n * a[2] + y) * a[3] + x) * a[1];
            const float *row = weights + (i * b[3] + j) * b[1] * b[0]; /* [in, out] */
            for (int64_t g = 0; g < groups; g++)
                for (int64_t c = 0; c < b[1]; c++) {
                    float value = from[g * b[1] + c];
                    for (int64_t o = 0; o < each; o++)
                        sums[g * each + o] += value * row[c * b[0] + g * each + o];
                }
        }
}

static void convolution(const struct dnn_spec *spec, void *const *memory) {
    static const int image[4] = {0, 2, 3, 1}, kernel[4] = {2, 3, 1, 0};
    const int64_t *out = spec->out.dims;
    float *data = gather(&spec->a, memory[CUDA_A], image),
          *weights = gather(&spec->b, memory[CUDA_B], kernel);
    float *sums = malloc((size_t)out[1] * sizeof *sums);
    for (int64_t n = 0; n < out[0]; n++)
        for (int64_t y = 0; y < out[2]; y++)
            for (int64_t x = 0; x < out[3]; x++) {
                pixel(spec, data, weights, n, y, x, sums);
                for (int64_t o = 0; o < out[1]; o++)
                    finish(spec, memory, (int64_t[4]){n, o, y, x}, sums[o]);
            }
    free(sums);
    free(data);
    free(weights);
}

static void product(const struct dnn_spec *spec, void *const *memory) {
    static const int plain[3] = {0, 1, 2};
    float *a = gather(&spec->a, memory[CUDA_A], plain), *b = gather(&spec->b, memory[CUDA_B], plain);
    const int64_t *out = spec->out.dims;
    int64_t k = spec->a.dims[2];
    for (int64_t n = 0; n < out[0]; n++)
        for (int64_t y = 0; y < out[1]; y++)
            for (int64_t x = 0; x < out[2]; x++) {
                float sum = 0;
                const float *row = a + ((spec->a.dims[0] == 1 ? 0 : n) * out[1] + y) * k,
                            *column = b + (spec->b.dims[0] == 1 ? 0 : n) * k * out[2] + x;
                for (int64_t i = 0; i < k; i++)
                    sum += row[i] * column[i * out[2]];
                finish(spec, memory, (int64_t[3]){n, y, x}, sum);
            }
    free(a);
    free(b);
}

static int run_step(const struct linnet_nn_run *run, const struct cuda_plan *plan,
                    const struct cuda_step *step) {
    void *memory[CUDA_POINTERS_MAX], *operands[KERNEL_OPERANDS_MAX + 1];
    struct dnn_spec spec;
    for (int i = 0; i < CUDA_POINTERS_MAX; i++)
        memory[i] = address(run, plan, &step->pointers[i]);
    if (step->kind == CUDA_KERNEL) {
        struct cuda_kernel kernel = step->kernel;
        if (run->pixels && kernel.kind == KERNEL_PACK)
            cuda_kernel_take_bytes(&kernel, run->pixels->scale, run->pixels->shift);
        cuda_kernel_host(&kernel, memory);
        return 0;
    }
    cuda_step_safe_spec(step, &spec);
    if (spec.kind == DNN_CONVOLUTION && spec.window.rank == 2)
        convolution(&spec, memory);
    else if (spec.kind == DNN_PRODUCT)
        product(&spec, memory);
    else
        return LINNET_E_UNSUPPORTED;
    if (!step->tailed) return 0;
    operands[0] = operands[1] = memory[CUDA_OUT];
    operands[2] = operands[3] = NULL;
    operands[KERNEL_OPERANDS_MAX] = address(run, plan, &step->tail_post);
    cuda_kernel_host(&step->kernel, operands);
    return 0;
}

static int probe(struct linnet_error *err) {
    (void)err;
    return 0;
}

static bool native(enum linnet_nn_precision precision) {
    (void)precision;
    return true;
}

static void release(struct linnet_nn_program *program) {
    if (program) cuda_program_free(program->program);
    free(program);
}

static int compile(struct linnet_nn_graph *graph, const struct linnet_nn_target *target,
                   struct linnet_nn_program **out, struct linnet_error *err) {
    struct linnet_nn_program *program = calloc(1, sizeof *program);
    if (!program) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    int rc = cuda_program_new(graph, target, &program->program, err);
    if (rc) {
        free(program);
        return rc;
    }
    *out = program;
    return 0;
}

static const char *device(const struct linnet_nn_program *program) {
    (void)program;
    return "emulated (the GPU backend's programs, on the CPU)";
}

static void session_close(struct linnet_nn_run *run) {
    if (!run) return;
    for (size_t i = 0; i < run->program->noutputs && i < 64; i++)
        free(run->nowhere[i]);
    free(run->arena);
    free(run);
}

static int session_open(struct linnet_nn_program *program, struct linnet_nn_run **out,
                        struct linnet_error *err) {
    struct linnet_nn_run *run = calloc(1, sizeof *run);
    if (!run) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    run->program = program->program;
    size_t size = cuda_program_arena(run->program) + CUDA_ALIGN;
    run->arena = aligned_alloc(CUDA_ALIGN, size / CUDA_ALIGN * CUDA_ALIGN);
    if (run->arena)
        memset(run->arena, 0xff, size / CUDA_ALIGN * CUDA_ALIGN); /* NaN: what is read was written before */
    for (size_t i = 0; i < run->program->nplans; i++)
        for (uint32_t b = 0; b < run->program->plans[i].nbuffers; b++) {
            const struct cuda_buffer *buffer = &run->program->plans[i].buffers[b];
            if (buffer->memory != CUDA_OUTPUT) continue;
            free(run->nowhere[buffer->index]);
            run->nowhere[buffer->index] = malloc(buffer->bytes);
        }
    *out = run;
    return 0;
}

static int session_run(struct linnet_nn_run *run, unsigned n, const float *const *inputs,
                       float *const *outputs, struct linnet_error *err) {
    const struct cuda_plan *plan = cuda_program_plan(run->program, n);
    if (!plan) return linnet_nn_fail(err, LINNET_E_INTERNAL, "no bucket of %u", n);
    run->inputs = inputs;
    run->outputs = outputs;
    for (uint32_t i = 0; i < plan->nsteps; i++)
        if (run_step(run, plan, &plan->steps[i]))
            return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "%s: not emulated",
                                  cuda_step_name(run->program, &plan->steps[i]));
    return 0;
}

static int session_run_pixels(struct linnet_nn_run *run, unsigned n, const struct linnet_nn_pixels *pixels,
                              float *const *outputs, struct linnet_error *err) {
    const float *inputs[1] = {(const float *)(const void *)pixels->data};
    if (!cuda_program_packs(run->program))
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "this network wants numbers");
    run->pixels = pixels;
    int rc = session_run(run, n, inputs, outputs, err);
    run->pixels = NULL;
    return rc;
}

static const struct linnet_nn_backend backend = {
    .struct_size = sizeof backend,
    .abi = LINNET_NN_BACKEND_ABI,
    .name = "emulated",
    .pad_up = true,
    .probe = probe,
    .native = native,
    .takes = cuda_takes,
    .compile = compile,
    .release = release,
    .device = device,
    .session_open = session_open,
    .session_close = session_close,
    .session_run = session_run,
    .session_run_pixels = session_run_pixels,
};

__attribute__((visibility("default"))) const struct linnet_nn_backend *linnet_nn_backend(void);

const struct linnet_nn_backend *linnet_nn_backend(void) {
    return &backend;
}
