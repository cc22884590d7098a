#include "common/nn/passes/passes.h"

int linnet_nn_set_precision(struct linnet_nn_graph *graph, enum linnet_nn_precision precision) {
    enum linnet_nn_type narrow = precision == LINNET_NN_PRECISION_BF16  ? LINNET_NN_BF16
                                 : precision == LINNET_NN_PRECISION_F16 ? LINNET_NN_F16
                                                                        : LINNET_NN_F32;
    for (uint32_t i = 0; i < graph->ntensors; i++) {
        struct linnet_nn_tensor *tensor = &graph->tensors[i];
        bool handed_on = tensor->producer != LINNET_NN_NONE && !tensor->output;
        tensor->type = handed_on ? narrow : LINNET_NN_F32;
    }
    return 0;
}
