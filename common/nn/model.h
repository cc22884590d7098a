/* A model in memory: its graph and its ports. Internal to common/nn. */
#ifndef LINNET_NN_MODEL_H
#define LINNET_NN_MODEL_H

#include "common/nn/graph.h"
#include "common/nn/ranges.h"

struct linnet_nn_model {
    struct linnet_nn_graph *graph;   /* as read, never rewritten; NULL once an engine has taken it */
    struct linnet_nn_ranges *ranges; /* of a calibrated model; else NULL */
    struct linnet_nn_port *inputs, *outputs;
    size_t ninputs, noutputs;
};

/* Floating-point operations of one node for one sample; a multiply-add counts two. Copies count nothing. */
uint64_t linnet_nn_node_flops(const struct linnet_nn_graph *graph, const struct linnet_nn_node *node);

#endif
