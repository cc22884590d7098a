/* A backend "cuda" that has a device and fails as LINNET_TEST_REFUSE says: "compile" (no plan for a node),
 * "memory" (the network is too large for it). It computes in 16 bits and f32, not in int8. */
#include <stdlib.h>
#include <string.h>

#include "common/nn/backend.h"
#include "common/nn/fail.h"

static int probe(struct linnet_error *err) {
    (void)err;
    return 0;
}

static bool native(enum linnet_nn_precision precision) {
    return precision != LINNET_NN_PRECISION_INT8;
}

static bool takes(const struct linnet_nn_node *node, const struct linnet_nn_post *post) {
    (void)node, (void)post;
    return true; /* other fusions than the CPU's: what it leaves must not be what the CPU gets */
}

static int compile(struct linnet_nn_graph *graph, const struct linnet_nn_target *target,
                   struct linnet_nn_program **out, struct linnet_error *err) {
    const char *how = getenv("LINNET_TEST_REFUSE");
    (void)target, (void)out;
    for (uint32_t i = 0; i < graph->ntensors; i++) { /* as backends may: weights are given back on the way */
        linnet_nn_data_unref(graph->tensors[i].data);
        graph->tensors[i].data = NULL;
    }
    if (how && !strcmp(how, "memory"))
        return linnet_nn_fail(err, LINNET_E_LIMIT, "the device has 1.0 GB of memory");
    return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "node \"c\" (Conv): cuDNN: no plan");
}

static void release(struct linnet_nn_program *program) {
    (void)program;
}

static const struct linnet_nn_backend backend = {.struct_size = sizeof backend,
                                                 .abi = LINNET_NN_BACKEND_ABI,
                                                 .name = "cuda",
                                                 .pad_up = true,
                                                 .probe = probe,
                                                 .native = native,
                                                 .takes = takes,
                                                 .compile = compile,
                                                 .release = release};

__attribute__((visibility("default"))) const struct linnet_nn_backend *linnet_nn_backend(void);

const struct linnet_nn_backend *linnet_nn_backend(void) {
    return &backend;
}
