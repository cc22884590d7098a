/* What a model is made of: parameters, operations, layers. */
#include <inttypes.h>
#include <stdio.h>

#include "common/nn/model.h"
#include "common/nn/onnx/reader.h"

static uint64_t elements_of(const struct linnet_nn_graph *graph, uint32_t tensor) {
    return (uint64_t)linnet_nn_shape_elements(&graph->tensors[tensor].shape, 1);
}

static uint64_t window_size(const struct linnet_nn_window *window) {
    uint64_t size = 1;
    for (int i = 0; i < window->rank; i++)
        size *= (uint64_t)window->kernel[i];
    return size;
}

uint64_t linnet_nn_node_flops(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node) {
    uint64_t out = elements_of(graph, node->output),
             in = node->ninputs ? elements_of(graph, node->inputs[0]) : 0;
    uint64_t bias = node->ninputs > 2 ? out : 0;
    const struct linnet_nn_shape *first = node->ninputs ? &graph->tensors[node->inputs[0]].shape : NULL;
    switch (node->op) {
    case LINNET_NN_OP_CONV: /* per output: a multiply-add for each weight of its channel */
        return 2 * out *
                   (elements_of(graph, node->inputs[1]) /
                    (uint64_t)graph->tensors[node->inputs[1]].shape.dims[0]) +
               bias;
    case LINNET_NN_OP_GEMM:
        return 2 * out * (uint64_t)graph->tensors[node->inputs[1]].shape.dims[1] + bias;
    case LINNET_NN_OP_MATMUL:
        return first ? 2 * out * (uint64_t)linnet_nn_dim_at(first->dims[first->rank - 1], 1) : 0;
    case LINNET_NN_OP_POOL:
        return out * window_size(&node->at.pool.window);
    case LINNET_NN_OP_REDUCE:
        return in;
    case LINNET_NN_OP_ATTENTION: { /* two products and a softmax, over the keys for each query */
        if (first == NULL) return 0;
        uint64_t scores = out / (uint64_t)graph->tensors[node->output].shape.dims[first->rank - 1] *
                          (uint64_t)graph->tensors[node->inputs[1]].shape.dims[first->rank - 2];
        return 2 * scores * (uint64_t)first->dims[first->rank - 1] +
               2 * out * (uint64_t)graph->tensors[node->inputs[1]].shape.dims[first->rank - 2] + 3 * scores;
    }
    case LINNET_NN_OP_LAYER_NORM:
        return 7 * out;
    case LINNET_NN_OP_NORM:
        return 2 * out;
    case LINNET_NN_OP_UNARY:
    case LINNET_NN_OP_BINARY:
        return out;
    case LINNET_NN_OP_SOFTMAX:
        return 3 * out;
    default:
        return 0;
    }
}

uint64_t linnet_nn_model_parameters(const struct linnet_nn_model *model) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < model->graph->ntensors; i++) {
        const struct linnet_nn_tensor *tensor = &model->graph->tensors[i];
        if (tensor->data && tensor->trained && tensor->nusers) count += tensor->data->count;
    }
    return count;
}

uint64_t linnet_nn_model_flops(const struct linnet_nn_model *model) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < model->graph->nnodes; i++)
        count += linnet_nn_node_flops(model->graph, &model->graph->nodes[i]);
    return count;
}

static void print_ports(FILE *file, const char *label, const struct linnet_nn_port *ports, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct linnet_nn_shape shape = {.rank = ports[i].rank};
        for (int k = 0; k < shape.rank; k++)
            shape.dims[k] = ports[i].dims[k];
        char name[64], text[128];
        linnet_nn_shape_print(&shape, text, sizeof text);
        fprintf(file, "%-8s %-32s %s\n", label, linnet_onnx_clean(ports[i].name, name, sizeof name), text);
    }
}

static uint64_t node_parameters(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node) {
    uint64_t count = 0;
    for (uint32_t i = 0; i < node->ninputs; i++) {
        const struct linnet_nn_tensor *tensor = &graph->tensors[node->inputs[i]];
        if (tensor->data && tensor->trained) count += tensor->data->count;
    }
    return count;
}

void linnet_nn_model_print(const struct linnet_nn_model *model, void *out) {
    FILE *file = out;
    const struct linnet_nn_graph *graph = model->graph;
    print_ports(file, "input", model->inputs, model->ninputs);
    print_ports(file, "output", model->outputs, model->noutputs);
    fprintf(file, "%4s  %-18s %-32s %-24s %12s %12s\n", "", "operator", "output", "shape", "parameters",
            "MFLOP");
    for (uint32_t i = 0; i < graph->nnodes; i++) {
        const struct linnet_nn_node *node = &graph->nodes[i];
        const struct linnet_nn_tensor *made = &graph->tensors[node->output];
        char name[33], shape[128];
        linnet_nn_shape_print(&made->shape, shape, sizeof shape);
        fprintf(file, "%4" PRIu32 "  %-18s %-32s %-24s %12" PRIu64 " %12.3f\n", i,
                node->op == LINNET_NN_OP_UNARY ? linnet_nn_function_name(node->at.unary.function)
                                               : linnet_nn_op_name(node->op),
                linnet_onnx_clean(made->name, name, sizeof name), shape, node_parameters(graph, node),
                (double)linnet_nn_node_flops(graph, node) * 1e-6);
    }
    fprintf(file, "%" PRIu32 " nodes, %" PRIu64 " parameters (%.1f MB as f32), %.3f GFLOP a sample\n",
            graph->nnodes, linnet_nn_model_parameters(model),
            (double)linnet_nn_model_parameters(model) * 4e-6, (double)linnet_nn_model_flops(model) * 1e-9);
}
