/* Products: ONNX Gemm, MatMul, BatchNormalization. */
#include <stdlib.h>
#include <string.h>

#include "common/nn/onnx/operators.h"

/* A constant of the graph made of new values (taken). */
static int add_constant(const struct linnet_onnx_node *node, const struct linnet_nn_shape *shape,
                        float *values, const struct linnet_nn_tensor *like, uint32_t *tensor) {
    bool trained = like->trained;
    struct linnet_nn_data *data = linnet_nn_data_new(values, (size_t)linnet_nn_shape_elements(shape, 1));
    int rc = data ? linnet_nn_graph_add_constant(node->reader->graph, like->name, shape, data, tensor)
                  : LINNET_E_NOMEM;
    linnet_nn_data_unref(data);
    if (rc) return linnet_onnx_fail(node, rc, "%s", linnet_error_message(rc));
    node->reader->graph->tensors[*tensor].trained = trained;
    return 0;
}

/* Weights as the graph wants them, [O, K], times `scale`. */
static int orient_weights(const struct linnet_onnx_node *node, uint32_t *weights, bool transposed,
                          float scale) {
    const struct linnet_nn_tensor *from = linnet_onnx_tensor_at(node, *weights);
    if (transposed && scale == 1) return 0;
    struct linnet_nn_shape shape = from->shape;
    size_t rows = (size_t)shape.dims[0], columns = (size_t)shape.dims[1];
    float *values = malloc(rows * columns * sizeof *values);
    if (!values) return linnet_onnx_fail(node, LINNET_E_NOMEM, "out of memory");
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            values[transposed ? r * columns + c : c * rows + r] = scale * from->data->values[r * columns + c];
    if (!transposed) {
        shape.dims[0] = from->shape.dims[1];
        shape.dims[1] = from->shape.dims[0];
    }
    return add_constant(node, &shape, values, from, weights);
}

/* C of Gemm as a bias [O]: one value, a row, or a row of one value. Otherwise *fits is false. */
static int bias_of(const struct linnet_onnx_node *node, uint32_t *bias, int64_t outputs, float scale,
                   bool *fits) {
    const struct linnet_nn_tensor *from = linnet_onnx_tensor_at(node, *bias);
    size_t count = from->data ? from->data->count : 0;
    bool row = from->shape.rank == 0 || from->shape.dims[from->shape.rank - 1] == (int64_t)count;
    *fits = row && (count == 1 || (int64_t)count == outputs);
    if (!*fits || (scale == 1 && from->shape.rank == 1 && (int64_t)count == outputs)) return 0;
    float *values = malloc(((size_t)outputs + 1) * sizeof *values);
    if (!values) return linnet_onnx_fail(node, LINNET_E_NOMEM, "out of memory");
    for (int64_t i = 0; i < outputs; i++)
        values[i] = scale * from->data->values[count == 1 ? 0 : i];
    struct linnet_nn_shape shape = {.rank = 1, .dims = {outputs}};
    return add_constant(node, &shape, values, from, bias);
}

static int add_transpose(const struct linnet_onnx_node *node, uint32_t *tensor) {
    struct linnet_nn_node transpose = {.op = LINNET_NN_OP_TRANSPOSE, .inputs = tensor, .ninputs = 1};
    transpose.at.transpose.axes[0] = 1;
    return linnet_onnx_emit(node, &transpose, -1, NULL, tensor);
}

static int add_linear(const struct linnet_onnx_node *node, uint32_t *tensor, float scale) {
    struct linnet_nn_node linear = {.op = LINNET_NN_OP_UNARY, .inputs = tensor, .ninputs = 1};
    linear.at.unary = (struct linnet_nn_unary){LINNET_NN_LINEAR, scale, 0};
    return scale == 1 ? 0 : linnet_onnx_emit(node, &linear, -1, NULL, tensor);
}

struct gemm {
    uint32_t inputs[3];
    bool has_c;
    float alpha, beta;
    int64_t trans_a, trans_b;
};

static int read_gemm_parts(const struct linnet_onnx_node *node, struct gemm *gemm) {
    gemm->has_c = linnet_onnx_has_input(node, 2);
    int rc = linnet_onnx_float(node, "alpha", 1, &gemm->alpha);
    if (!rc) rc = linnet_onnx_float(node, "beta", 1, &gemm->beta);
    if (!rc) rc = linnet_onnx_int(node, "transA", 0, &gemm->trans_a);
    if (!rc) rc = linnet_onnx_int(node, "transB", 0, &gemm->trans_b);
    for (size_t i = 0; i < (gemm->has_c ? 3u : 2u) && !rc; i++)
        rc = linnet_onnx_tensor_input(node, i, &gemm->inputs[i]);
    if (rc) return rc;
    for (size_t i = 0; i < 2; i++)
        if (linnet_onnx_tensor_at(node, gemm->inputs[i])->shape.rank != 2)
            return linnet_onnx_fail(node, LINNET_E_INVALID,
                                    "its input %zu has %d dimensions where 2 are needed", i,
                                    linnet_onnx_tensor_at(node, gemm->inputs[i])->shape.rank);
    return gemm->trans_a ? add_transpose(node, &gemm->inputs[0]) : 0;
}

/* alpha A B + beta C as nodes of their own, where B is no constant or C is more than a bias. */
static int emit_general(const struct linnet_onnx_node *node, struct gemm *gemm) {
    int rc = gemm->trans_b ? add_transpose(node, &gemm->inputs[1]) : 0;
    struct linnet_nn_node matmul = {.op = LINNET_NN_OP_MATMUL, .inputs = gemm->inputs, .ninputs = 2};
    uint32_t sum[2];
    bool last = gemm->alpha == 1 && !gemm->has_c;
    if (!rc) rc = linnet_onnx_emit(node, &matmul, last ? 0 : -1, NULL, &sum[0]);
    if (rc || last) return rc;
    struct linnet_nn_node scaled = {.op = LINNET_NN_OP_UNARY, .inputs = sum, .ninputs = 1};
    scaled.at.unary = (struct linnet_nn_unary){LINNET_NN_LINEAR, gemm->alpha, 0};
    rc = linnet_onnx_emit(node, &scaled, gemm->has_c ? -1 : 0, NULL, &sum[0]);
    if (rc || !gemm->has_c) return rc;
    sum[1] = gemm->inputs[2];
    rc = add_linear(node, &sum[1], gemm->beta);
    struct linnet_nn_node add = {.op = LINNET_NN_OP_BINARY, .inputs = sum, .ninputs = 2};
    return rc ? rc : linnet_onnx_emit(node, &add, 0, NULL, NULL);
}

int linnet_onnx_read_gemm(const struct linnet_onnx_node *node) {
    struct gemm gemm = {0};
    int rc = read_gemm_parts(node, &gemm);
    if (rc) return rc;
    const struct linnet_nn_tensor *weights = linnet_onnx_tensor_at(node, gemm.inputs[1]);
    if (!weights->data) return emit_general(node, &gemm);
    int64_t outputs = weights->shape.dims[gemm.trans_b ? 0 : 1];
    bool fits = true;
    if (gemm.has_c) rc = bias_of(node, &gemm.inputs[2], outputs, gemm.beta, &fits);
    if (rc) return rc;
    if (!fits) return emit_general(node, &gemm);
    rc = orient_weights(node, &gemm.inputs[1], gemm.trans_b, gemm.alpha);
    struct linnet_nn_node linear = {
        .op = LINNET_NN_OP_GEMM, .inputs = gemm.inputs, .ninputs = gemm.has_c ? 3 : 2};
    return rc ? rc : linnet_onnx_emit(node, &linear, 0, NULL, NULL);
}

int linnet_onnx_read_matmul(const struct linnet_onnx_node *node) {
    uint32_t inputs[2];
    int rc = linnet_onnx_tensor_input(node, 0, &inputs[0]);
    if (!rc) rc = linnet_onnx_tensor_input(node, 1, &inputs[1]);
    if (rc) return rc;
    const struct linnet_nn_tensor *weights = linnet_onnx_tensor_at(node, inputs[1]);
    bool linear = weights->data && weights->shape.rank == 2;
    if (linear) rc = orient_weights(node, &inputs[1], false, 1);
    struct linnet_nn_node product = {
        .op = linear ? LINNET_NN_OP_GEMM : LINNET_NN_OP_MATMUL, .inputs = inputs, .ninputs = 2};
    return rc ? rc : linnet_onnx_emit(node, &product, 0, NULL, NULL);
}

int linnet_onnx_read_batch_norm(const struct linnet_onnx_node *node) {
    uint32_t inputs[5];
    struct linnet_nn_node norm = {.op = LINNET_NN_OP_NORM, .inputs = inputs, .ninputs = 5};
    int64_t training, spatial;
    int rc = linnet_onnx_float(node, "epsilon", 1e-5f, &norm.at.norm.epsilon);
    if (!rc) rc = linnet_onnx_int(node, "training_mode", 0, &training);
    if (!rc) rc = linnet_onnx_int(node, "spatial", 1, &spatial);
    if (!rc && (training || !spatial))
        rc = linnet_onnx_fail(node, LINNET_E_UNSUPPORTED,
                              "it is exported for training; export the network in eval mode");
    for (size_t i = 0; i < 5 && !rc; i++) {
        rc = linnet_onnx_tensor_input(node, i, &inputs[i]);
        if (!rc && i && !linnet_onnx_tensor_at(node, inputs[i])->data)
            rc = linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "its parameters must be constants");
    }
    return rc ? rc : linnet_onnx_emit(node, &norm, 0, NULL, NULL);
}
