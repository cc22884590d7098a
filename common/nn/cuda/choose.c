/* Which of the ways to compute a product is the fastest here: measured once, then known by the cache.
 *
 * Precompiled engines and cuBLASLt do a product with residual, bias and ReLU; anything else after it is a
 * kernel of ours on the result. Engines that cuDNN compiles at run time do all of it at once, but take
 * seconds to make: they are tried where there is no other way, and everywhere if LINNET_NN_TUNE is "all". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/cuda/cache.h"
#include "common/nn/cuda/execute.h"
#include "common/nn/fail.h"

#define PLANS_MAX     8
#define COMPILED_MAX  2
#define GEMMS_MAX     8
#define WAYS_MAX      (PLANS_MAX + COMPILED_MAX + GEMMS_MAX)
#define WORKSPACE_MAX ((size_t)256 << 20)
#define ROUNDS        10

struct chooser {
    struct linnet_nn_program *program;
    struct cuda_cache *cache;
    struct cuda_binding binding;
    cudaStream_t stream;
    cudaEvent_t start, end;
    bool all;
    struct linnet_error *err;
};

void cuda_choice_done(struct cuda_choice *choice) {
    dnn_plan_free(choice->dnn);
    cuda_gemm_free(choice->gemm);
    *choice = (struct cuda_choice){0};
}

static void whole_or_safe(const struct cuda_step *step, bool whole, struct dnn_spec *spec) {
    if (whole)
        *spec = step->spec;
    else
        cuda_step_safe_spec(step, spec);
}

/* "dnn 1\n..." or "gemm 0\n...": whole or not, then what makes it again. */
static bool load_choice(struct chooser *chooser, const struct cuda_step *step, const char *text,
                        struct cuda_choice *out) {
    const char *rest = strchr(text, '\n');
    struct cuda_choice made = {0};
    struct dnn_spec spec;
    if (!rest) return false;
    bool dnn = !strncmp(text, "dnn ", 4);
    made.whole = rest[-1] == '1';
    whole_or_safe(step, made.whole, &spec);
    int rc = dnn ? dnn_plan_load(chooser->program->dnn, &spec, rest + 1, &made.dnn, NULL)
                 : cuda_gemm_load(&spec, rest + 1, &made.gemm, NULL);
    if (rc) return false;
    made.workspace = dnn ? dnn_plan_workspace(made.dnn) : cuda_gemm_workspace(made.gemm);
    *out = made;
    return true;
}

static void save_choice(struct chooser *chooser, const char *key, const struct cuda_choice *choice) {
    char *text = NULL, *file = NULL;
    if (choice->dnn && dnn_plan_save(choice->dnn, &text, NULL)) return;
    if (choice->gemm) text = cuda_gemm_save(choice->gemm);
    if (text && asprintf(&file, "%s %d\n%s", choice->dnn ? "dnn" : "gemm", choice->whole, text) >= 0)
        cuda_cache_put(chooser->cache, key, file);
    free(file);
    free(text);
}

static size_t add_dnn(struct chooser *chooser, const struct dnn_spec *spec, bool whole, size_t max,
                      struct cuda_choice *ways, size_t n, struct linnet_error *why) {
    struct dnn_plan *plans[PLANS_MAX];
    size_t count = 0;
    if (dnn_plan(chooser->program->dnn, spec, max, plans, &count, why)) return n;
    for (size_t i = 0; i < count; i++) {
        size_t workspace = dnn_plan_workspace(plans[i]);
        if (workspace > WORKSPACE_MAX)
            dnn_plan_free(plans[i]);
        else
            ways[n++] = (struct cuda_choice){.dnn = plans[i], .whole = whole, .workspace = workspace};
    }
    return n;
}

/* All ways to compute a step. */
static size_t list_ways(struct chooser *chooser, const struct cuda_step *step, struct cuda_choice *ways,
                        struct linnet_error *why) {
    struct dnn_spec safe;
    struct cuda_gemm *gemms[GEMMS_MAX];
    size_t n = 0, count = 0;
    cuda_step_safe_spec(step, &safe);
    bool complete = safe.nposts == step->spec.nposts;
    if (cuda_gemm_takes(&safe) && !cuda_gemm_plan(&safe, WORKSPACE_MAX, GEMMS_MAX, gemms, &count, why))
        for (size_t i = 0; i < count; i++)
            ways[n++] = (struct cuda_choice){
                .gemm = gemms[i], .whole = complete, .workspace = cuda_gemm_workspace(gemms[i])};
    if (safe.kind == DNN_CONVOLUTION || !n || chooser->all)
        n = add_dnn(chooser, &safe, complete, safe.kind == DNN_CONVOLUTION ? PLANS_MAX : COMPILED_MAX, ways,
                    n, why);
    if (!complete && (!n || chooser->all))
        n = add_dnn(chooser, &step->spec, true, COMPILED_MAX, ways, n, why);
    return n;
}

/* Milliseconds of one run; negative: it does not run. */
static float measure(struct chooser *chooser, const struct cuda_plan *plan, const struct cuda_step *step,
                     const struct cuda_choice *way) {
    float elapsed = -1;
    int rc = 0;
    for (int i = 0; i < 2 && !rc; i++)
        rc = cuda_run_product(&chooser->binding, chooser->program->dnn, plan, step, way, chooser->stream,
                              NULL);
    if (rc || cudaEventRecord(chooser->start, chooser->stream) != cudaSuccess) return -1;
    for (int i = 0; i < ROUNDS && !rc; i++)
        rc = cuda_run_product(&chooser->binding, chooser->program->dnn, plan, step, way, chooser->stream,
                              NULL);
    if (rc || cudaEventRecord(chooser->end, chooser->stream) != cudaSuccess ||
        cudaEventSynchronize(chooser->end) != cudaSuccess ||
        cudaEventElapsedTime(&elapsed, chooser->start, chooser->end) != cudaSuccess)
        return -1;
    return elapsed / ROUNDS;
}

static int find_fastest(struct chooser *chooser, const struct cuda_plan *plan, const struct cuda_step *step,
                        struct cuda_choice *out) {
    struct cuda_choice ways[WAYS_MAX];
    struct linnet_error why = {.code = LINNET_E_UNSUPPORTED};
    size_t n = list_ways(chooser, step, ways, &why), best = n;
    float least = 0;
    for (size_t i = 0; i < n; i++) {
        float time = measure(chooser, plan, step, &ways[i]);
        if (time < 0 || (best < n && time >= least)) continue;
        best = i;
        least = time;
    }
    if (best < n) *out = ways[best];
    for (size_t i = 0; i < n; i++)
        if (i != best) cuda_choice_done(&ways[i]);
    if (best < n) return 0;
    int rc = cuda_check(cudaStreamSynchronize(chooser->stream), "timing", chooser->err);
    if (rc) return rc;
    return linnet_nn_fail(chooser->err, LINNET_E_UNSUPPORTED,
                          "node \"%s\": no way to compute it on this GPU: %s",
                          cuda_step_name(chooser->program->program, step), why.detail);
}

static int choose_step(struct chooser *chooser, const struct cuda_plan *plan, const struct cuda_step *step,
                       struct cuda_choice *out) {
    char key[CUDA_KEY_SIZE];
    cuda_cache_key(&step->spec, step->safe, key);
    const char *text = cuda_cache_get(chooser->cache, key);
    if (text && load_choice(chooser, step, text, out)) return 0;
    if (text) cuda_cache_drop(chooser->cache, key);
    int rc = find_fastest(chooser, plan, step, out);
    if (!rc) save_choice(chooser, key, out);
    return rc;
}

static int choose_all(struct chooser *chooser) {
    struct linnet_nn_program *program = chooser->program;
    int rc = 0;
    for (size_t p = 0; p < program->program->nplans && !rc; p++) {
        const struct cuda_plan *plan = &program->program->plans[p];
        for (uint32_t i = 0; i < plan->nsteps && !rc; i++) {
            struct cuda_choice *choice = &program->choices[p][i];
            if (plan->steps[i].kind == CUDA_PRODUCT) rc = choose_step(chooser, plan, &plan->steps[i], choice);
            if (!rc && choice->workspace > program->workspace) program->workspace = choice->workspace;
        }
    }
    return rc;
}

/* Memory to time in: an arena and the most workspace; ports are never read by products. */
static int open_chooser(struct chooser *chooser) {
    struct linnet_nn_program *program = chooser->program;
    struct linnet_error *err = chooser->err;
    char versions[128];
    snprintf(versions, sizeof versions, "sm%d cudnn %s cublaslt %zu", program->device.capability,
             dnn_version(), cuda_gemm_version());
    const char *tune = getenv("LINNET_NN_TUNE");
    chooser->all = tune && !strcmp(tune, "all");
    chooser->cache = cuda_cache_open(program->device.name, versions);
    if (!chooser->cache) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    size_t arena = cuda_program_arena(program->program) + CUDA_ALIGN;
    int rc = cuda_check(cudaMalloc((void **)&chooser->binding.arena, arena), "memory to time in", err);
    if (!rc) rc = cuda_check(cudaMemset(chooser->binding.arena, 0, arena), "memory to time in", err);
    if (!rc)
        rc = cuda_check(cudaMalloc((void **)&chooser->binding.workspace, WORKSPACE_MAX), "memory to time in",
                        err);
    if (!rc)
        rc = cuda_check(cudaStreamCreateWithFlags(&chooser->stream, cudaStreamNonBlocking), "a stream", err);
    if (!rc) rc = cuda_check(cudaEventCreate(&chooser->start), "an event", err);
    if (!rc) rc = cuda_check(cudaEventCreate(&chooser->end), "an event", err);
    return rc;
}

int cuda_choose(struct linnet_nn_program *program, struct linnet_error *err) {
    struct chooser chooser = {.program = program, .binding = {.program = program}, .err = err};
    int rc = open_chooser(&chooser);
    if (!rc) rc = choose_all(&chooser);
    if (chooser.start) cudaEventDestroy(chooser.start);
    if (chooser.end) cudaEventDestroy(chooser.end);
    if (chooser.stream) cudaStreamDestroy(chooser.stream);
    cudaFree(chooser.binding.arena);
    cudaFree(chooser.binding.workspace);
    cuda_cache_close(chooser.cache);
    return rc;
}
