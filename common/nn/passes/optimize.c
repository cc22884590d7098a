#include "common/nn/fail.h"
#include "common/nn/passes/passes.h"

/* Passes without a backend, in an order where each makes room for those after it. */
static const struct {
    const char *name;
    int (*run)(struct linnet_nn_graph *graph);
} plain[] = {
    {"drop_identity", linnet_nn_drop_identity}, {"fold_constants", linnet_nn_fold_constants},
    {"fold_pad", linnet_nn_fold_pad},           {"fold_norm", linnet_nn_fold_norm},
    {"fold_bias", linnet_nn_fold_bias},         {"fold_scale", linnet_nn_fold_scale},
    {"fold_scalar", linnet_nn_fold_scalar},     {"fuse_layer_norm", linnet_nn_fuse_layer_norm},
    {"fuse_gelu", linnet_nn_fuse_gelu},         {"fuse_attention", linnet_nn_fuse_attention},
    {"fuse_gate", linnet_nn_fuse_gate},
};

/* Residuals come before the activation that follows them, and again for nodes that were activated first. */
static const struct {
    const char *name;
    int (*run)(struct linnet_nn_graph *graph, const struct linnet_nn_backend *backend);
} fusing[] = {
    {"fuse_residual", linnet_nn_fuse_residual},
    {"fuse_activation", linnet_nn_fuse_activation},
    {"fuse_residual", linnet_nn_fuse_residual},
    {"fuse_activation", linnet_nn_fuse_activation},
};

int linnet_nn_optimize(struct linnet_nn_graph *graph, const struct linnet_nn_backend *backend,
                       enum linnet_nn_precision precision, const struct linnet_nn_ranges *ranges,
                       struct linnet_error *err) {
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        int rc = plain[i].run(graph);
        if (rc) return linnet_nn_fail(err, rc, "%s: %s", plain[i].name, linnet_error_message(rc));
    }
    for (size_t i = 0; backend && i < sizeof fusing / sizeof *fusing; i++) {
        int rc = fusing[i].run(graph, backend);
        if (rc) return linnet_nn_fail(err, rc, "%s: %s", fusing[i].name, linnet_error_message(rc));
    }
    if (precision != LINNET_NN_PRECISION_INT8) return linnet_nn_set_precision(graph, precision);
    int rc = linnet_nn_quantize(graph, ranges);
    return rc ? linnet_nn_fail(err, rc, "quantize: %s", linnet_error_message(rc)) : 0;
}
