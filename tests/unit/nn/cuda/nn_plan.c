/* nn_plan MODEL f16|bf16|f32 BATCH DEVICE.json [--list]: plan a network for a GPU that is not here. nn_plan
 * --device prints the description of the one that is.
 *
 * The network goes through the GPU backend's passes and lowering; every product that comes out is planned by
 * cuDNN for the device that DEVICE.json describes. Prints one line, and with --list one for each launch;
 * fails (1) if a convolution has no precompiled plan, or a product of activations is none that cuBLASLt takes
 * (which itself opens on a GPU only). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/cuda/blaslt.h"
#include "common/nn/cuda/cache.h"
#include "common/nn/cuda/program.h"
#include "common/nn/model.h"
#include "common/nn/passes/passes.h"

/* An H200's measured limits: what a network costs at least, launch by launch. */
#define FLOPS 790e12
#define BYTES 4.3e12

struct count {
    int products, distinct, unplanned, activations, kernels, tailed;
    double floor, flops;
};

static void check(int rc, const struct linnet_error *err) {
    if (!rc) return;
    fprintf(stderr, "%s: %s\n", linnet_error_name(rc), err->detail);
    exit(2);
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 16);
    if (!file || !text || !fread(text, 1, (1 << 16) - 1, file)) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    fclose(file);
    return text;
}

/* Plan a convolution once for all that are alike. False: there is no precompiled plan. */
static bool plan(struct dnn_context *dnn, struct cuda_cache *seen, const struct cuda_step *step,
                 struct count *count, char *how, size_t size) {
    char key[CUDA_KEY_SIZE];
    struct linnet_error err = {0};
    struct dnn_spec spec;
    struct dnn_plan *found[1];
    size_t n = 0;
    cuda_step_safe_spec(step, &spec);
    cuda_cache_key(&spec, step->safe, key);
    const char *known = cuda_cache_get(seen, key);
    if (!known) {
        count->distinct++;
        int rc = dnn_plan(dnn, &spec, 1, found, &n, &err);
        bool good = !rc && dnn_plan_precompiled(found[0]);
        snprintf(how, size, "%s%s", good ? "" : "!", rc ? err.detail : dnn_plan_name(found[0]));
        cuda_cache_put(seen, key, how);
        if (!rc) dnn_plan_free(found[0]);
    } else {
        snprintf(how, size, "%s", known);
    }
    return *how != '!';
}

static void plan_step(struct dnn_context *dnn, struct cuda_cache *seen, const struct cuda_program *program,
                      const struct cuda_step *step, struct count *count, bool list) {
    char how[600] = "a kernel of ours";
    double compute = step->flops / FLOPS, memory = step->bytes / BYTES;
    bool good = true;
    count->floor += compute > memory ? compute : memory;
    count->flops += step->flops;
    count->products += step->kind == CUDA_PRODUCT;
    count->kernels += step->kind == CUDA_KERNEL;
    count->tailed += step->kind == CUDA_PRODUCT && step->tailed;
    if (step->kind == CUDA_PRODUCT && step->spec.kind == DNN_CONVOLUTION) {
        good = plan(dnn, seen, step, count, how, sizeof how);
    } else if (step->kind == CUDA_PRODUCT) {
        struct dnn_spec spec;
        cuda_step_safe_spec(step, &spec);
        good = cuda_gemm_takes(&spec);
        count->activations++;
        snprintf(how, sizeof how, "%s", good ? "cuBLASLt" : "!nothing");
    }
    count->unplanned += !good;
    if (list || !good)
        printf("  %-40s %-12s %8.2f MFLOP %8.2f MB  %s%s\n", cuda_step_name(program, step),
               cuda_step_what(step), step->flops * 1e-6, step->bytes * 1e-6, how,
               step->tailed ? " + map" : "");
}

/* What cuDNN says of the GPU that is here: what DEVICE.json is made of. */
static int describe_device(void) {
    struct linnet_error err = {0};
    struct dnn_context *dnn;
    char *json = NULL;
    int rc = dnn_open(&dnn, &err);
    if (!rc) rc = dnn_describe(dnn, &json, &err);
    check(rc, &err);
    puts(json);
    free(json);
    dnn_close(dnn);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "--device")) return describe_device();
    if (argc < 5) {
        fprintf(stderr, "usage: nn_plan MODEL f16|bf16|f32 BATCH DEVICE.json [--list]\n");
        return 2;
    }
    struct linnet_error err = {0};
    struct linnet_nn_model *model;
    struct dnn_context *dnn;
    struct cuda_program *program;
    struct linnet_nn_backend backend = {.takes = cuda_takes};
    struct linnet_nn_target target = {.threads = 1, .nbuckets = 1, .buckets = {(unsigned)atoi(argv[3])}};
    target.precision = !strcmp(argv[2], "f16")    ? LINNET_NN_PRECISION_F16
                       : !strcmp(argv[2], "bf16") ? LINNET_NN_PRECISION_BF16
                                                  : LINNET_NN_PRECISION_F32;
    char *json = read_file(argv[4]);
    check(dnn_open_described(json, &dnn, &err), &err);
    check(linnet_nn_model_load(argv[1], &model, &err), &err);
    struct linnet_nn_graph *graph = linnet_nn_graph_clone(model->graph);
    check(linnet_nn_optimize(graph, &backend, target.precision, NULL, &err), &err);
    check(cuda_program_new(graph, &target, &program, &err), &err);
    setenv("LINNET_NN_CACHE", "", 1);
    struct cuda_cache *seen = cuda_cache_open("", "");
    struct count count = {0};
    const struct cuda_plan *steps = &program->plans[0];
    for (uint32_t i = 0; i < steps->nsteps; i++)
        plan_step(dnn, seen, program, &steps->steps[i], &count, argc > 5);
    printf("%d products, %d distinct, %d without a plan, %d by cuBLASLt alone, %d with a kernel behind; %d "
           "kernels; arena %.0f "
           "MB; %.2f GFLOP a sample, at most %.0f samples/s\n",
           count.products, count.distinct, count.unplanned, count.activations, count.tailed, count.kernels,
           (double)steps->arena * 1e-6, count.flops * 1e-9 / steps->batch, steps->batch / count.floor);
    cuda_cache_close(seen);
    cuda_program_free(program);
    linnet_nn_graph_free(graph);
    linnet_nn_model_free(model);
    dnn_close(dnn);
    free(json);
    return count.unplanned ? 1 : 0;
}
