/* dnn.h on oneDNN 2.x: memory descriptors are plain structs, operations are described first and then
 * compiled. */
#include "common/nn/cpu/dnn2.h"
#include "common/nn/fail.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenMP's own, of the libgomp that libdnnl brings. */
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int threads);

struct argument {
    int role;
    struct dnn_layout layout;
};

struct dnn_op {
    dnnl_primitive_t primitive;
    const_dnnl_primitive_desc_t desc; /* the primitive's */
    enum dnn_kind kind;
    struct argument fixed[8]; /* what it settled on */
    int nfixed;
    size_t scratch;
};

struct dnn_call {
    dnnl_primitive_t primitive; /* borrowed of the operation */
    dnnl_exec_arg_t *arguments;
    int n, nbound; /* those of the caller come first */
};

static struct {
    pthread_once_t once;
    dnnl_status_t status;
    dnnl_engine_t engine;
    char version[32];
} library = {.once = PTHREAD_ONCE_INIT};

static const char *status_text(dnnl_status_t status) {
    switch (status) {
    case dnnl_success:
        return "success";
    case dnnl_out_of_memory:
        return "out of memory";
    case dnnl_invalid_arguments:
        return "invalid arguments";
    case dnnl_unimplemented:
        return "not implemented";
    case dnnl_iterator_ends:
        return "no implementation";
    case dnnl_not_required:
        return "not required";
    default:
        return "runtime error";
    }
}

static int fail(dnnl_status_t status, const char **why) {
    *why = status_text(status);
    if (status == dnnl_out_of_memory) return LINNET_E_NOMEM;
    return status == dnnl_runtime_error ? LINNET_E_INTERNAL : LINNET_E_UNSUPPORTED;
}

static void open_library(void) {
    const dnnl_version_t *version = dnnl_version();
    snprintf(library.version, sizeof library.version, "%d.%d.%d", version->major, version->minor,
             version->patch);
    library.status = dnnl_engine_create(&library.engine, dnnl_cpu, 0);
}

int dnn_open(struct linnet_error *err) {
    pthread_once(&library.once, open_library);
    if (!library.status) return 0;
    return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "oneDNN does not start: %s",
                          status_text(library.status));
}

const char *dnn_version(void) {
    return library.version;
}

const char *dnn_isa(void) {
    static const struct {
        dnnl_cpu_isa_t isa;
        const char *name;
    } names[] = {
        {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
        {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
        {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
        {dnnl_cpu_isa_avx512_core, "avx512_core"},
        {dnnl_cpu_isa_avx2_vnni, "avx2_vnni"},
        {dnnl_cpu_isa_avx2, "avx2"},
        {dnnl_cpu_isa_avx, "avx"},
        {dnnl_cpu_isa_sse41, "sse41"},
    };
    unsigned isa = (unsigned)dnnl_get_effective_cpu_isa();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((isa & (unsigned)names[i].isa) == (unsigned)names[i].isa) return names[i].name;
    return "generic";
}

static bool has(dnnl_cpu_isa_t isa) {
    return ((unsigned)dnnl_get_effective_cpu_isa() & (unsigned)isa) == (unsigned)isa;
}

bool dnn_has_bf16(void) {
    return has(dnnl_cpu_isa_avx512_core_bf16);
}

bool dnn_has_vnni(void) {
    return has(dnnl_cpu_isa_avx512_core_vnni) || has(dnnl_cpu_isa_avx2_vnni);
}

int dnn_set_threads(int threads) {
    int before = omp_get_max_threads();
    if (before != threads) omp_set_num_threads(threads);
    return before;
}

/* oneDNN's name for a function, with its parameters. */
static dnnl_alg_kind_t algorithm(const struct linnet_nn_unary *unary, float *alpha, float *beta) {
    *alpha = unary->alpha;
    *beta = unary->beta;
    switch (unary->function) {
    case LINNET_NN_RELU:
        *alpha = 0;
        return dnnl_eltwise_relu;
    case LINNET_NN_LEAKY_RELU:
        return dnnl_eltwise_relu;
    case LINNET_NN_CLIP:
        return dnnl_eltwise_clip;
    case LINNET_NN_SIGMOID:
        return dnnl_eltwise_logistic;
    case LINNET_NN_HARD_SWISH:
        return dnnl_eltwise_hardswish;
    case LINNET_NN_SWISH:
        return dnnl_eltwise_swish;
    case LINNET_NN_TANH:
        return dnnl_eltwise_tanh;
    case LINNET_NN_ELU:
        return dnnl_eltwise_elu;
    case LINNET_NN_LINEAR:
        return dnnl_eltwise_linear;
    case LINNET_NN_SQRT:
        return dnnl_eltwise_sqrt;
    case LINNET_NN_EXP:
        return dnnl_eltwise_exp;
    case LINNET_NN_ABS:
        return dnnl_eltwise_abs;
    case LINNET_NN_GELU:
        return dnnl_eltwise_gelu_erf;
    case LINNET_NN_GELU_TANH:
        return dnnl_eltwise_gelu_tanh;
    case LINNET_NN_POW: /* alpha x^beta there */
        *alpha = 1;
        *beta = unary->alpha;
        return dnnl_eltwise_pow;
    case LINNET_NN_HARD_SIGMOID: /* cut into steps before it gets here */
    case LINNET_NN_ERF:          /* never asked for */
        break;
    }
    return dnnl_alg_kind_undef;
}

int dnn_function_steps(const struct linnet_nn_unary *unary, struct linnet_nn_unary steps[2]) {
    steps[0] = *unary;
    if (unary->function == LINNET_NN_ERF) return 0;
    if (unary->function != LINNET_NN_HARD_SIGMOID) return 1;
    steps[0].function = LINNET_NN_LINEAR;
    steps[1] = (struct linnet_nn_unary){LINNET_NN_CLIP, 0, 1};
    return 2;
}

static dnnl_status_t append_posts(dnnl_post_ops_t posts, const struct dnn_spec *spec) {
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < spec->nposts && !status; i++) {
        float alpha, beta;
        const struct dnn_post *post = &spec->posts[i];
        float scale = post->scale > 0 ? post->scale : 1;
        if (post->accumulate) {
            status = dnnl_post_ops_append_sum_v2(posts, scale, dnn2_type(post->type));
        } else if (post->add) {
            status = dnnl_post_ops_append_binary(posts, dnnl_binary_add, &post->add->desc);
        } else {
            dnnl_alg_kind_t kind = algorithm(&post->unary, &alpha, &beta);
            status = dnnl_post_ops_append_eltwise(posts, scale, kind, alpha, beta);
        }
    }
    return status;
}

/* Scales of the result: of a copy what takes one layout's to the other's, else the channels' own, which are
 * the destination's second dimension. */
static dnnl_status_t set_scales(const struct dnn_spec *spec, dnnl_primitive_attr_t attributes) {
    if (spec->kind == DNN_COPY && !(spec->source->scale >= spec->destination->scale &&
                                    spec->source->scale <= spec->destination->scale)) {
        float scale = spec->source->scale / spec->destination->scale;
        return dnnl_primitive_attr_set_output_scales(attributes, 1, 0, &scale);
    }
    if (!spec->scales) return dnnl_success;
    return dnnl_primitive_attr_set_output_scales(attributes, spec->nscales, 1 << 1, spec->scales);
}

static dnnl_status_t make_attributes(const struct dnn_spec *spec, dnnl_primitive_attr_t *attributes) {
    dnnl_post_ops_t posts = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(attributes);
    if (status) return status;
    /* Scratch memory of the session's: the library's own belongs to the thread that compiled. */
    status = dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user);
    if (!status) status = set_scales(spec, *attributes);
    if (!status && spec->nposts) {
        status = dnnl_post_ops_create(&posts);
        if (!status) status = append_posts(posts, spec);
        if (!status) status = dnnl_primitive_attr_set_post_ops(*attributes, posts);
        dnnl_post_ops_destroy(posts);
    }
    if (status) dnnl_primitive_attr_destroy(*attributes);
    return status;
}

union description {
    dnnl_convolution_desc_t convolution;
    dnnl_inner_product_desc_t inner;
    dnnl_matmul_desc_t matmul;
    dnnl_pooling_v2_desc_t pool;
    dnnl_reduction_desc_t reduction;
    dnnl_batch_normalization_desc_t normalise;
    dnnl_layer_normalization_desc_t layer_norm;
    dnnl_eltwise_desc_t function;
    dnnl_binary_desc_t arithmetic;
    dnnl_softmax_v2_desc_t softmax;
};

/* A window in arrays as long as oneDNN's. */
struct window {
    dnnl_dims_t kernel, strides, dilations, before, after;
};

static void widen_window(const struct linnet_nn_window *from, struct window *to) {
    memset(to, 0, sizeof *to);
    for (int i = 0; i < from->rank; i++) {
        to->kernel[i] = from->kernel[i];
        to->strides[i] = from->strides[i];
        to->dilations[i] = from->dilations[i] - 1; /* oneDNN counts the gaps */
        to->before[i] = from->before[i];
        to->after[i] = from->after[i];
    }
}

static dnnl_status_t describe_window(const struct dnn_spec *spec, union description *out) {
    struct window window;
    widen_window(spec->window, &window);
    if (spec->kind == DNN_CONVOLUTION)
        return dnnl_dilated_convolution_forward_desc_init(
            &out->convolution, dnnl_forward_inference, dnnl_convolution_direct, &spec->source->desc,
            &spec->weights->desc, spec->bias ? &spec->bias->desc : NULL, &spec->destination->desc,
            window.strides, window.dilations, window.before, window.after);
    dnnl_alg_kind_t kind = !spec->average          ? dnnl_pooling_max
                           : spec->include_padding ? dnnl_pooling_avg_include_padding
                                                   : dnnl_pooling_avg_exclude_padding;
    return dnnl_pooling_v2_forward_desc_init(&out->pool, dnnl_forward_inference, kind, &spec->source->desc,
                                             &spec->destination->desc, window.strides, window.kernel,
                                             window.dilations, window.before, window.after);
}

static dnnl_status_t describe_elementwise(const struct dnn_spec *spec, union description *out) {
    static const dnnl_alg_kind_t arithmetic[] = {
        [LINNET_NN_ADD] = dnnl_binary_add, [LINNET_NN_SUB] = dnnl_binary_sub,
        [LINNET_NN_MUL] = dnnl_binary_mul, [LINNET_NN_DIV] = dnnl_binary_div,
        [LINNET_NN_MIN] = dnnl_binary_min, [LINNET_NN_MAX] = dnnl_binary_max};
    if (spec->kind == DNN_ARITHMETIC)
        return dnnl_binary_desc_init(&out->arithmetic, arithmetic[spec->arithmetic], &spec->source->desc,
                                     &spec->source_1->desc, &spec->destination->desc);
    float alpha, beta;
    dnnl_alg_kind_t kind = algorithm(&spec->unary, &alpha, &beta);
    return dnnl_eltwise_forward_desc_init(&out->function, dnnl_forward_inference, kind, &spec->source->desc,
                                          alpha, beta);
}

static dnnl_status_t describe(const struct dnn_spec *spec, union description *out) {
    static const dnnl_alg_kind_t reductions[] = {[LINNET_NN_REDUCE_MEAN] = dnnl_reduction_mean,
                                                 [LINNET_NN_REDUCE_SUM] = dnnl_reduction_sum,
                                                 [LINNET_NN_REDUCE_MAX] = dnnl_reduction_max,
                                                 [LINNET_NN_REDUCE_MIN] = dnnl_reduction_min};
    switch (spec->kind) {
    case DNN_CONVOLUTION:
    case DNN_POOL:
        return describe_window(spec, out);
    case DNN_FUNCTION:
    case DNN_ARITHMETIC:
        return describe_elementwise(spec, out);
    case DNN_INNER:
        return dnnl_inner_product_forward_desc_init(
            &out->inner, dnnl_forward_inference, &spec->source->desc, &spec->weights->desc,
            spec->bias ? &spec->bias->desc : NULL, &spec->destination->desc);
    case DNN_MATMUL:
        return dnnl_matmul_desc_init(&out->matmul, &spec->source->desc, &spec->weights->desc, NULL,
                                     &spec->destination->desc);
    case DNN_REDUCTION:
        return dnnl_reduction_desc_init(&out->reduction, reductions[spec->reduction], &spec->source->desc,
                                        &spec->destination->desc, 0, 0);
    case DNN_NORMALISE:
        return dnnl_batch_normalization_forward_desc_init(
            &out->normalise, dnnl_forward_inference, &spec->source->desc, spec->epsilon,
            dnnl_use_global_stats | dnnl_use_scale | dnnl_use_shift);
    case DNN_LAYER_NORM:
        return dnnl_layer_normalization_forward_desc_init(&out->layer_norm, dnnl_forward_inference,
                                                          &spec->source->desc, NULL, spec->epsilon,
                                                          dnnl_use_scale | dnnl_use_shift);
    case DNN_SOFTMAX:
        return dnnl_softmax_v2_forward_desc_init(&out->softmax, dnnl_forward_inference, dnnl_softmax_accurate,
                                                 &spec->source->desc, &spec->destination->desc, spec->axis);
    case DNN_COPY:
    case DNN_CONCATENATION:
        break;
    }
    return dnnl_invalid_arguments;
}

static dnnl_status_t concat_desc(const struct dnn_spec *spec, dnnl_primitive_attr_t attributes,
                                 dnnl_primitive_desc_t *out) {
    dnnl_memory_desc_t *sources = malloc((size_t)spec->nsources * sizeof *sources);
    if (!sources) return dnnl_out_of_memory;
    for (int i = 0; i < spec->nsources; i++)
        sources[i] = spec->sources[i]->desc;
    bool any = spec->destination->desc.format_kind == dnnl_format_kind_any;
    dnnl_status_t status =
        dnnl_concat_primitive_desc_create(out, any ? NULL : &spec->destination->desc, spec->nsources,
                                          spec->axis, sources, attributes, library.engine);
    free(sources);
    return status;
}

static dnnl_status_t make_desc(const struct dnn_spec *spec, dnnl_primitive_desc_t *out) {
    dnnl_primitive_attr_t attributes;
    dnnl_status_t status = make_attributes(spec, &attributes);
    if (status) return status;
    union description description;
    if (spec->kind == DNN_COPY) {
        status = dnnl_reorder_primitive_desc_create(out, &spec->source->desc, library.engine,
                                                    &spec->destination->desc, library.engine, attributes);
    } else if (spec->kind == DNN_CONCATENATION) {
        status = concat_desc(spec, attributes, out);
    } else {
        status = describe(spec, &description);
        if (!status) status = dnnl_primitive_desc_create(out, &description, attributes, library.engine, NULL);
    }
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

static int argument_of(int role) {
    static const int arguments[] = {[DNN_SOURCE] = DNNL_ARG_SRC,        [DNN_SOURCE_1] = DNNL_ARG_SRC_1,
                                    [DNN_WEIGHTS] = DNNL_ARG_WEIGHTS,   [DNN_BIAS] = DNNL_ARG_BIAS,
                                    [DNN_DESTINATION] = DNNL_ARG_DST,   [DNN_MEAN] = DNNL_ARG_MEAN,
                                    [DNN_VARIANCE] = DNNL_ARG_VARIANCE, [DNN_SCALE] = DNNL_ARG_SCALE,
                                    [DNN_SHIFT] = DNNL_ARG_SHIFT};
    if (role >= DNN_SOURCES) return DNNL_ARG_MULTIPLE_SRC + (role - DNN_SOURCES);
    if (role >= DNN_POSTS) return DNNL_ARG_ATTR_MULTIPLE_POST_OP(role - DNN_POSTS) | DNNL_ARG_SRC_1;
    return arguments[role];
}

/* The scale of what an operation reads or writes is as it was wanted. */
static float scale_of(const struct dnn_spec *spec, enum dnn_role role) {
    const struct dnn_layout *wanted = role == DNN_SOURCE        ? spec->source
                                      : role == DNN_SOURCE_1    ? spec->source_1
                                      : role == DNN_WEIGHTS     ? spec->weights
                                      : role == DNN_DESTINATION ? spec->destination
                                                                : NULL;
    if (!wanted && role == DNN_DESTINATION) wanted = spec->source; /* an operation of one layout */
    return wanted ? wanted->scale : 1;
}

/* Note down the layouts that the caller may have left open. */
static void settle(struct dnn_op *op, const struct dnn_spec *spec) {
    static const enum dnn_role roles[] = {DNN_SOURCE,      DNN_SOURCE_1, DNN_WEIGHTS, DNN_BIAS,
                                          DNN_DESTINATION, DNN_MEAN,     DNN_VARIANCE};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        const dnnl_memory_desc_t *desc =
            dnnl_primitive_desc_query_md(op->desc, dnnl_query_exec_arg_md, argument_of(roles[i]));
        if (!desc || !desc->ndims) continue;
        op->fixed[op->nfixed].role = roles[i];
        op->fixed[op->nfixed++].layout = (struct dnn_layout){*desc, scale_of(spec, roles[i])};
    }
    const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(op->desc, dnnl_query_scratchpad_md, 0);
    op->scratch = scratch ? dnnl_memory_desc_get_size(scratch) : 0;
}

int dnn_op_new(const struct dnn_spec *spec, struct dnn_op **out, const char **why) {
    dnnl_primitive_desc_t desc;
    dnnl_status_t status = make_desc(spec, &desc);
    if (status) return fail(status, why);
    struct dnn_op *op = calloc(1, sizeof *op);
    status = op ? dnnl_primitive_create(&op->primitive, desc) : dnnl_out_of_memory;
    dnnl_primitive_desc_destroy(desc);
    if (!status) status = dnnl_primitive_get_primitive_desc(op->primitive, &op->desc);
    if (status) {
        dnn_op_free(op);
        return fail(status, why);
    }
    op->kind = spec->kind;
    settle(op, spec);
    *out = op;
    return 0;
}

void dnn_op_free(struct dnn_op *op) {
    if (!op) return;
    if (op->primitive) dnnl_primitive_destroy(op->primitive);
    free(op);
}

const struct dnn_layout *dnn_op_layout(const struct dnn_op *op, enum dnn_role role) {
    for (int i = 0; i < op->nfixed; i++)
        if (op->fixed[i].role == (int)role) return &op->fixed[i].layout;
    return NULL;
}

size_t dnn_op_scratch(const struct dnn_op *op) {
    return op->scratch;
}

enum dnn_kind dnn_op_kind(const struct dnn_op *op) {
    return op->kind;
}

const char *dnn_op_implementation(const struct dnn_op *op) {
    const char *text = NULL;
    dnnl_primitive_desc_query(op->desc, dnnl_query_impl_info_str, 0, &text);
    return text ? text : "";
}

static dnnl_status_t add_memory(struct dnn_call *call, int argument, const dnnl_memory_desc_t *desc,
                                void *memory) {
    dnnl_exec_arg_t *added = &call->arguments[call->n];
    dnnl_status_t status = dnnl_memory_create(&added->memory, desc, library.engine, memory);
    if (status) return status;
    added->arg = argument;
    call->n++;
    return dnnl_success;
}

int dnn_call_new(const struct dnn_op *op, const struct dnn_argument *arguments, int n, void *scratch,
                 struct dnn_call **out, const char **why) {
    struct dnn_call *call = calloc(1, sizeof *call);
    if (call) call->arguments = calloc((size_t)n + 1, sizeof *call->arguments);
    dnnl_status_t status = call && call->arguments ? dnnl_success : dnnl_out_of_memory;
    for (int i = 0; i < n && !status; i++)
        status =
            add_memory(call, argument_of(arguments[i].role), &arguments[i].layout->desc, arguments[i].memory);
    if (!status) call->nbound = n;
    if (!status && op->scratch)
        status = add_memory(call, DNNL_ARG_SCRATCHPAD,
                            dnnl_primitive_desc_query_md(op->desc, dnnl_query_scratchpad_md, 0), scratch);
    if (status) {
        dnn_call_free(call);
        return fail(status, why);
    }
    call->primitive = op->primitive;
    *out = call;
    return 0;
}

void dnn_call_free(struct dnn_call *call) {
    if (!call) return;
    for (int i = 0; i < call->n; i++)
        dnnl_memory_destroy(call->arguments[i].memory);
    free(call->arguments);
    free(call);
}

void dnn_call_bind(struct dnn_call *call, int i, void *memory) {
    dnnl_memory_set_data_handle(call->arguments[i].memory, memory);
}

int dnn_call_run(struct dnn_call *call, struct dnn_stream *stream, const char **why) {
    dnnl_status_t status =
        dnnl_primitive_execute(call->primitive, (dnnl_stream_t)stream, call->n, call->arguments);
    return status ? fail(status, why) : 0;
}

/* A stream of ours is oneDNN's. */
struct dnn_stream *dnn_stream_new(void) {
    dnnl_stream_t stream;
    if (dnnl_stream_create(&stream, library.engine, dnnl_stream_default_flags)) return NULL;
    return (struct dnn_stream *)stream;
}

void dnn_stream_free(struct dnn_stream *stream) {
    if (stream) dnnl_stream_destroy((dnnl_stream_t)stream);
}
