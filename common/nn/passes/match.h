/* Looking backwards along a graph: what the passes that recognise several nodes as one share. Internal to the
 * passes. Nodes with posts never match. */
#ifndef LINNET_NN_PASSES_MATCH_H
#define LINNET_NN_PASSES_MATCH_H

#include "common/nn/graph.h"

/* The node of this operator that makes `tensor`; LINNET_NN_NONE: another does, or none. */
uint32_t linnet_nn_made_by(const struct linnet_nn_graph *graph, uint32_t tensor, enum linnet_nn_op op);
/* The same for functions and for arithmetic. */
uint32_t linnet_nn_made_by_function(const struct linnet_nn_graph *graph, uint32_t tensor,
                                    enum linnet_nn_function function);
uint32_t linnet_nn_made_by_arithmetic(const struct linnet_nn_graph *graph, uint32_t tensor,
                                      enum linnet_nn_arithmetic kind);
/* Behind multiplications by numbers: the tensor that is multiplied, *factor times what they come to. */
uint32_t linnet_nn_unscaled(const struct linnet_nn_graph *graph, uint32_t tensor, double *factor);
/* Is `tensor` a constant that is, by NumPy's rules, one value for each place of the last dimension of
 * something of shape `like`, and the same along all others? */
bool linnet_nn_last_row(const struct linnet_nn_graph *graph, uint32_t tensor,
                        const struct linnet_nn_shape *like);
/* A constant row of `count` values, copied from `from` or (NULL) all `fill`. LINNET_E_NOMEM, ... */
int linnet_nn_add_row(struct linnet_nn_graph *graph, const char *name, const float *from, float fill,
                      int64_t count, uint32_t *tensor);

#endif
