/* The backend "cuda": programs compiled by cuDNN, cuBLASLt and kernels of our own, sessions that run them as
 * CUDA graphs. */
#include "common/nn/backend.h"
#include "common/nn/cuda/device.h"
#include "common/nn/fail.h"

static bool native(enum linnet_nn_precision precision) {
    (void)precision;
    return true;
}

static bool takes(const struct linnet_nn_node *node, const struct linnet_nn_post *post) {
    (void)node;
    (void)post;
    return false;
}

static int compile(const struct linnet_nn_graph *graph, const struct linnet_nn_target *target,
                   struct linnet_nn_program **out, struct linnet_error *err) {
    (void)graph;
    (void)target;
    (void)out;
    return linnet_nn_fail(err, LINNET_E_UNSUPPORTED,
                          "the GPU backend has no operator yet: use the backend \"cpu\"");
}

static const struct linnet_nn_backend backend = {
    .struct_size = sizeof backend,
    .abi = LINNET_NN_BACKEND_ABI,
    .name = "cuda",
    .pad_up = true,
    .probe = cuda_probe,
    .devices = cuda_devices,
    .native = native,
    .takes = takes,
    .compile = compile,
};

__attribute__((visibility("default"))) const struct linnet_nn_backend *linnet_nn_backend(void);

const struct linnet_nn_backend *linnet_nn_backend(void) {
    return &backend;
}
