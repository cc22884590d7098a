/* From a specification to cuDNN's operation graph. */
#include "common/nn/cuda/dnn_graph.h"

#include <float.h>
#include <stdio.h>

#include "common/nn/fail.h"

#define OPERATIONS_MAX (2 + DNN_POSTS_MAX)

cudnnBackendDescriptor_t dnn_make(struct dnn_builder *builder, cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t descriptor = NULL;
    if (builder->status != CUDNN_STATUS_SUCCESS) return NULL;
    builder->status = builder->nmade < DNN_DESCRIPTORS_MAX ? cudnnBackendCreateDescriptor(type, &descriptor)
                                                           : CUDNN_STATUS_NOT_SUPPORTED;
    builder->doing = "making a descriptor";
    if (builder->status == CUDNN_STATUS_SUCCESS) builder->made[builder->nmade++] = descriptor;
    return descriptor;
}

/* Status and words of the call that was made. */
static void note(struct dnn_builder *builder, cudnnStatus_t status, const char *doing) {
    builder->status = status;
    builder->doing = doing;
    if (status != CUDNN_STATUS_SUCCESS) cudnnGetLastErrorString(builder->why, sizeof builder->why);
}

void dnn_set(struct dnn_builder *builder, cudnnBackendDescriptor_t descriptor,
             cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
             const void *values) {
    if (builder->status == CUDNN_STATUS_SUCCESS)
        note(builder, cudnnBackendSetAttribute(descriptor, name, type, count, values), "describing");
}

void dnn_finish(struct dnn_builder *builder, cudnnBackendDescriptor_t descriptor, const char *doing) {
    if (builder->status == CUDNN_STATUS_SUCCESS) note(builder, cudnnBackendFinalize(descriptor), doing);
}

void dnn_keep(struct dnn_builder *builder, cudnnBackendDescriptor_t descriptor) {
    for (int i = 0; i < builder->nmade; i++)
        if (builder->made[i] == descriptor) builder->made[i] = NULL;
}

void dnn_builder_done(struct dnn_builder *builder) {
    for (int i = builder->nmade; i--;)
        if (builder->made[i]) cudnnBackendDestroyDescriptor(builder->made[i]);
    builder->nmade = 0;
}

int dnn_fail(const struct dnn_builder *builder, struct linnet_error *err) {
    int code = builder->status == CUDNN_STATUS_EXECUTION_FAILED ? LINNET_E_INTERNAL : LINNET_E_UNSUPPORTED;
    return linnet_nn_fail(err, code, "cuDNN, %s: %s%s%s", builder->doing ? builder->doing : "planning",
                          cudnnGetErrorString(builder->status), *builder->why ? ": " : "", builder->why);
}

static cudnnDataType_t data_type(enum linnet_nn_type type) {
    switch (type) {
    case LINNET_NN_F16:
        return CUDNN_DATA_HALF;
    case LINNET_NN_BF16:
        return CUDNN_DATA_BFLOAT16;
    default:
        return CUDNN_DATA_FLOAT;
    }
}

/* What memory of ours is aligned to at least: the channels of 16-bit images come by eights. */
static const int64_t alignment = 16;

/* A descriptor that an operation refers to, and under which name. */
struct operand {
    cudnnBackendAttributeName_t name;
    cudnnBackendDescriptor_t descriptor;
};

/* An operation with what it refers to, not finished yet. */
static cudnnBackendDescriptor_t operation(struct dnn_builder *builder, cudnnBackendDescriptorType_t type,
                                          const struct operand *operands, int n) {
    cudnnBackendDescriptor_t made = dnn_make(builder, type);
    for (int i = 0; i < n; i++)
        dnn_set(builder, made, operands[i].name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &operands[i].descriptor);
    return made;
}

/* What every tensor has: the caller says what kind it is, and finishes it. */
static cudnnBackendDescriptor_t start_tensor(struct dnn_builder *builder, cudnnDataType_t type, int rank,
                                             const int64_t *dims, const int64_t *strides, int64_t uid) {
    cudnnBackendDescriptor_t made = dnn_make(builder, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    dnn_set(builder, made, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    dnn_set(builder, made, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, rank, dims);
    dnn_set(builder, made, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, rank, strides);
    dnn_set(builder, made, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &uid);
    dnn_set(builder, made, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    return made;
}

static cudnnBackendDescriptor_t tensor_of(struct dnn_builder *builder, const struct dnn_tensor *tensor,
                                          int64_t uid, bool is_virtual) {
    cudnnDataType_t type = is_virtual ? CUDNN_DATA_FLOAT : data_type(tensor->type);
    cudnnBackendDescriptor_t made =
        start_tensor(builder, type, tensor->rank, tensor->dims, tensor->strides, uid);
    dnn_set(builder, made, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
    dnn_finish(builder, made, "a tensor");
    return made;
}

/* A number that the caller hands over at each run. */
static cudnnBackendDescriptor_t number_of(struct dnn_builder *builder, int rank, int64_t uid) {
    static const int64_t ones[DNN_RANK_MAX] = {1, 1, 1, 1, 1};
    bool by_value = true;
    cudnnBackendDescriptor_t made = start_tensor(builder, CUDNN_DATA_FLOAT, rank, ones, ones, uid);
    dnn_set(builder, made, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &by_value);
    dnn_finish(builder, made, "a number");
    return made;
}

static cudnnBackendDescriptor_t convolution(struct dnn_builder *builder, const struct dnn_spec *spec,
                                            cudnnBackendDescriptor_t a, cudnnBackendDescriptor_t b,
                                            cudnnBackendDescriptor_t out) {
    const struct linnet_nn_window *window = &spec->window;
    cudnnBackendDescriptor_t how = dnn_make(builder, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    int64_t rank = window->rank;
    double one = 1, zero = 0;
    dnn_set(builder, how, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    dnn_set(builder, how, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    dnn_set(builder, how, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &rank);
    dnn_set(builder, how, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, rank, window->dilations);
    dnn_set(builder, how, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, rank, window->strides);
    dnn_set(builder, how, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, rank, window->before);
    dnn_set(builder, how, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, rank, window->after);
    dnn_finish(builder, how, "a convolution");
    const struct operand operands[] = {{CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, how},
                                       {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, a},
                                       {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, b},
                                       {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, out}};
    cudnnBackendDescriptor_t made =
        operation(builder, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, operands, 4);
    dnn_set(builder, made, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_DOUBLE, 1, &one);
    dnn_set(builder, made, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_DOUBLE, 1, &zero);
    dnn_finish(builder, made, "a convolution");
    return made;
}

static cudnnBackendDescriptor_t product(struct dnn_builder *builder, cudnnBackendDescriptor_t a,
                                        cudnnBackendDescriptor_t b, cudnnBackendDescriptor_t out) {
    cudnnBackendDescriptor_t how = dnn_make(builder, CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    dnn_set(builder, how, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    dnn_finish(builder, how, "a matrix product");
    const struct operand operands[] = {{CUDNN_ATTR_OPERATION_MATMUL_ADESC, a},
                                       {CUDNN_ATTR_OPERATION_MATMUL_BDESC, b},
                                       {CUDNN_ATTR_OPERATION_MATMUL_CDESC, out},
                                       {CUDNN_ATTR_OPERATION_MATMUL_DESC, how}};
    cudnnBackendDescriptor_t made =
        operation(builder, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR, operands, 4);
    dnn_finish(builder, made, "a matrix product");
    return made;
}

static cudnnBackendDescriptor_t attention(struct dnn_builder *builder, const struct dnn_spec *spec,
                                          cudnnBackendDescriptor_t a, cudnnBackendDescriptor_t b,
                                          cudnnBackendDescriptor_t out) {
    const struct operand operands[] = {
        {CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, a},
        {CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, b},
        {CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, tensor_of(builder, &spec->c, DNN_UID_C, false)},
        {CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, out},
        {CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, number_of(builder, spec->a.rank, DNN_UID_SCALE)}};
    cudnnBackendDescriptor_t made =
        operation(builder, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR, operands, 5);
    dnn_finish(builder, made, "attention");
    return made;
}

/* cuDNN's name for a function, and its parameters. */
struct mode {
    cudnnPointwiseMode_t mode;
    cudnnBackendAttributeName_t names[2];
    double values[2];
    int nvalues;
};

static bool mode_of(const struct linnet_nn_unary *unary, struct mode *mode) {
    double alpha = (double)unary->alpha, beta = (double)unary->beta;
    switch (unary->function) {
    case LINNET_NN_RELU:
        *mode = (struct mode){.mode = CUDNN_POINTWISE_RELU_FWD};
        return true;
    case LINNET_NN_LEAKY_RELU:
        *mode =
            (struct mode){CUDNN_POINTWISE_RELU_FWD, {CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE}, {alpha}, 1};
        return true;
    case LINNET_NN_CLIP:
        *mode = (struct mode){CUDNN_POINTWISE_RELU_FWD,
                              {CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP, CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP},
                              {alpha, beta},
                              2};
        return true;
    case LINNET_NN_SIGMOID:
        *mode = (struct mode){.mode = CUDNN_POINTWISE_SIGMOID_FWD};
        return true;
    case LINNET_NN_SWISH:
        *mode = (struct mode){CUDNN_POINTWISE_SWISH_FWD, {CUDNN_ATTR_POINTWISE_SWISH_BETA}, {alpha}, 1};
        return true;
    case LINNET_NN_TANH:
        *mode = (struct mode){.mode = CUDNN_POINTWISE_TANH_FWD};
        return true;
    case LINNET_NN_ELU:
        *mode = (struct mode){CUDNN_POINTWISE_ELU_FWD, {CUDNN_ATTR_POINTWISE_ELU_ALPHA}, {alpha}, 1};
        return true;
    default:
        return false;
    }
}

bool dnn_has_function(const struct linnet_nn_unary *unary) {
    struct mode mode;
    return mode_of(unary, &mode);
}

static cudnnBackendDescriptor_t pointwise(struct dnn_builder *builder, const struct dnn_post *post,
                                          cudnnBackendDescriptor_t from, cudnnBackendDescriptor_t other,
                                          cudnnBackendDescriptor_t to) {
    struct mode mode = {.mode = CUDNN_POINTWISE_ADD};
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    if (!post->add && !mode_of(&post->unary, &mode)) {
        builder->status = CUDNN_STATUS_NOT_SUPPORTED;
        builder->doing = "a function that it has no name for";
    }
    cudnnBackendDescriptor_t how = dnn_make(builder, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    dnn_set(builder, how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode.mode);
    dnn_set(builder, how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &type);
    for (int i = 0; i < mode.nvalues; i++)
        dnn_set(builder, how, mode.names[i], CUDNN_TYPE_DOUBLE, 1, &mode.values[i]);
    dnn_finish(builder, how, "a function");
    const struct operand operands[] = {{CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how},
                                       {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, from},
                                       {CUDNN_ATTR_OPERATION_POINTWISE_YDESC, to},
                                       {CUDNN_ATTR_OPERATION_POINTWISE_BDESC, other}};
    cudnnBackendDescriptor_t made =
        operation(builder, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, operands, other ? 4 : 3);
    dnn_finish(builder, made, "a function");
    return made;
}

cudnnBackendDescriptor_t dnn_operations(struct dnn_builder *builder, const struct dnn_spec *spec) {
    cudnnBackendDescriptor_t operations[OPERATIONS_MAX], made;
    int64_t n = 0;
    cudnnBackendDescriptor_t a = tensor_of(builder, &spec->a, DNN_UID_A, false),
                             b = tensor_of(builder, &spec->b, DNN_UID_B, false);
    cudnnBackendDescriptor_t at =
        tensor_of(builder, &spec->out, spec->nposts ? DNN_UID_VIRTUAL : DNN_UID_OUT, spec->nposts > 0);
    operations[n++] = spec->kind == DNN_CONVOLUTION ? convolution(builder, spec, a, b, at)
                      : spec->kind == DNN_PRODUCT   ? product(builder, a, b, at)
                                                    : attention(builder, spec, a, b, at);
    for (int i = 0; i < spec->nposts; i++) {
        const struct dnn_post *post = &spec->posts[i];
        bool last = i + 1 == spec->nposts;
        cudnnBackendDescriptor_t other =
            post->add ? tensor_of(builder, &post->tensor, DNN_UID_POST + i, false) : NULL;
        cudnnBackendDescriptor_t to =
            tensor_of(builder, &spec->out, last ? DNN_UID_OUT : DNN_UID_VIRTUAL + 1 + i, !last);
        operations[n++] = pointwise(builder, post, at, other, to);
        at = to;
    }
    made = dnn_make(builder, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    dnn_set(builder, made, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n, operations);
    dnn_finish(builder, made, "a graph");
    return made;
}
