/* Contexts, heuristics, plans. */
#include "common/nn/cuda/dnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/cuda/dnn_graph.h"
#include "common/nn/fail.h"

struct dnn_context {
    cudnnHandle_t handle;            /* NULL: a described device */
    cudnnBackendDescriptor_t device; /* NULL: the one of the handle */
};

struct dnn_plan {
    cudnnBackendDescriptor_t plan;
    int64_t workspace;
    float scale;
    enum dnn_kind kind;
    int nposts;
    bool adds[DNN_POSTS_MAX];
    bool precompiled;
    char name[DNN_NAME_SIZE];
};

const char *dnn_version(void) {
    static char text[32];
    size_t version = cudnnGetVersion();
    if (!*text)
        snprintf(text, sizeof text, "%zu.%zu.%zu", version / 10000, version / 100 % 100, version % 100);
    return text;
}

int dnn_open(struct dnn_context **out, struct linnet_error *err) {
    struct dnn_context *context = calloc(1, sizeof *context);
    if (!context) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    cudnnStatus_t status = cudnnCreate(&context->handle);
    if (status != CUDNN_STATUS_SUCCESS) {
        free(context);
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "cuDNN: %s", cudnnGetErrorString(status));
    }
    *out = context;
    return 0;
}

int dnn_open_described(const char *json, struct dnn_context **out, struct linnet_error *err) {
    struct dnn_builder builder = {0};
    struct dnn_context *context = calloc(1, sizeof *context);
    if (!context) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    cudnnBackendDescriptor_t device = dnn_make(&builder, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    dnn_set(&builder, device, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
            (int64_t)strlen(json), json);
    dnn_finish(&builder, device, "a device");
    if (builder.status == CUDNN_STATUS_SUCCESS) {
        dnn_keep(&builder, device);
        context->device = device;
        *out = context;
        return 0;
    }
    int rc = builder.status == CUDNN_STATUS_BAD_PARAM
                 ? linnet_nn_fail(err, LINNET_E_PARSE, "no description of a device: %s", builder.why)
                 : dnn_fail(&builder, err);
    dnn_builder_done(&builder);
    free(context);
    return rc;
}

void dnn_close(struct dnn_context *context) {
    if (!context) return;
    if (context->handle) cudnnDestroy(context->handle);
    if (context->device) cudnnBackendDestroyDescriptor(context->device);
    free(context);
}

/* An attribute that is text. */
static int text_of(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name, char **out,
                   struct linnet_error *err) {
    int64_t size = 0;
    cudnnStatus_t status = cudnnBackendGetAttribute(descriptor, name, CUDNN_TYPE_CHAR, 0, &size, NULL);
    char *text = status == CUDNN_STATUS_SUCCESS ? calloc((size_t)size + 1, 1) : NULL;
    if (text) status = cudnnBackendGetAttribute(descriptor, name, CUDNN_TYPE_CHAR, size, &size, text);
    if (text && status == CUDNN_STATUS_SUCCESS) {
        *out = text;
        return 0;
    }
    free(text);
    return linnet_nn_fail(err, LINNET_E_INTERNAL, "cuDNN: %s", cudnnGetErrorString(status));
}

int dnn_describe(struct dnn_context *context, char **json, struct linnet_error *err) {
    if (context->device)
        return text_of(context->device, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, json, err);
    struct dnn_builder builder = {0};
    cudnnBackendDescriptor_t device = dnn_make(&builder, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    dnn_set(&builder, device, CUDNN_ATTR_DEVICEPROP_HANDLE, CUDNN_TYPE_HANDLE, 1, &context->handle);
    dnn_finish(&builder, device, "a device");
    int rc = builder.status == CUDNN_STATUS_SUCCESS
                 ? text_of(device, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, json, err)
                 : dnn_fail(&builder, err);
    dnn_builder_done(&builder);
    return rc;
}

/* --- what engines say of themselves --- */

static cudnnBackendDescriptor_t engine_of(cudnnBackendDescriptor_t configuration) {
    cudnnBackendDescriptor_t engine = NULL;
    int64_t count = 0;
    if (cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine) != CUDNN_STATUS_SUCCESS)
        return NULL;
    if (cudnnBackendGetAttribute(configuration, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
                                 &count, &engine) == CUDNN_STATUS_SUCCESS)
        return engine;
    cudnnBackendDestroyDescriptor(engine);
    return NULL;
}

static bool notes_behaviour(cudnnBackendDescriptor_t engine, cudnnBackendBehaviorNote_t wanted) {
    cudnnBackendBehaviorNote_t notes[CUDNN_BEHAVIOR_NOTE_TYPE_COUNT];
    int64_t count = 0;
    if (cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE,
                                 CUDNN_BEHAVIOR_NOTE_TYPE_COUNT, &count, notes) != CUDNN_STATUS_SUCCESS)
        return false;
    for (int64_t i = 0; i < count && i < CUDNN_BEHAVIOR_NOTE_TYPE_COUNT; i++)
        if (notes[i] == wanted) return true;
    return false;
}

/* Does the engine round more than the specification bears? */
static bool rounds_too_much(cudnnBackendDescriptor_t engine, const struct dnn_spec *spec) {
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    int64_t count = 0;
    if (cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                 CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, notes) != CUDNN_STATUS_SUCCESS)
        return false;
    for (int64_t i = 0; i < count && i < CUDNN_NUMERICAL_NOTE_TYPE_COUNT; i++) {
        if (notes[i] == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS ||
            notes[i] == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
            notes[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC)
            return true;
        if (spec->exact && notes[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE) return true;
    }
    return false;
}

static void name_plan(struct dnn_plan *plan, cudnnBackendDescriptor_t engine) {
    int64_t index = -1, count = 0;
    cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &count, &index);
    plan->precompiled = !notes_behaviour(engine, CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION);
    snprintf(plan->name, sizeof plan->name, "cuDNN engine %lld, %s", (long long)index,
             plan->precompiled ? "precompiled" : "compiled here");
}

/* --- plans --- */

static void note_spec(struct dnn_plan *plan, const struct dnn_spec *spec) {
    plan->kind = spec->kind;
    plan->scale = spec->scale;
    plan->nposts = spec->nposts;
    for (int i = 0; i < spec->nposts; i++)
        plan->adds[i] = spec->posts[i].add;
}

static void set_device(struct dnn_builder *builder, const struct dnn_context *context,
                       cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t device,
                       bool takes_handle) {
    if (context->device)
        dnn_set(builder, descriptor, device, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &context->device);
    else if (takes_handle)
        dnn_set(builder, descriptor, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
                &context->handle);
}

/* Give the builder's finished descriptor to a plan. */
static struct dnn_plan *plan_of(struct dnn_builder *builder, cudnnBackendDescriptor_t descriptor,
                                const struct dnn_spec *spec) {
    struct dnn_plan *plan = calloc(1, sizeof *plan);
    int64_t count = 0;
    if (!plan) return NULL;
    cudnnBackendGetAttribute(descriptor, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1,
                             &count, &plan->workspace);
    note_spec(plan, spec);
    plan->plan = descriptor;
    dnn_keep(builder, descriptor);
    return plan;
}

/* A plan of one engine's configuration; NULL where it does not come about. */
static struct dnn_plan *try_configuration(struct dnn_context *context, const struct dnn_spec *spec,
                                          cudnnBackendDescriptor_t configuration, struct dnn_builder *last) {
    struct dnn_plan *plan = NULL;
    cudnnBackendDescriptor_t engine = engine_of(configuration);
    if (!engine || rounds_too_much(engine, spec)) {
        if (engine) cudnnBackendDestroyDescriptor(engine);
        last->doing = "choosing an engine: all that there are round too much";
        return NULL;
    }
    struct dnn_builder builder = {0};
    cudnnBackendDescriptor_t made = dnn_make(&builder, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    set_device(&builder, context, made, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, true);
    dnn_set(&builder, made, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
            &configuration);
    dnn_finish(&builder, made, "a plan");
    if (builder.status == CUDNN_STATUS_SUCCESS) plan = plan_of(&builder, made, spec);
    if (plan) name_plan(plan, engine);
    if (!plan) *last = builder;
    dnn_builder_done(&builder);
    cudnnBackendDestroyDescriptor(engine);
    return plan;
}

#define CONFIGURATIONS_MAX 64

/* Ask one mode of the heuristics, and plan what it proposes. */
static void plan_mode(struct dnn_context *context, const struct dnn_spec *spec,
                      cudnnBackendDescriptor_t graph, cudnnBackendHeurMode_t mode, size_t max,
                      struct dnn_plan **plans, size_t *count, struct dnn_builder *last) {
    cudnnBackendDescriptor_t configurations[CONFIGURATIONS_MAX] = {NULL};
    struct dnn_builder builder = {0};
    int64_t found = 0;
    cudnnBackendDescriptor_t heuristics = dnn_make(&builder, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    dnn_set(&builder, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
            &graph);
    dnn_set(&builder, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    set_device(&builder, context, heuristics, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, false);
    dnn_finish(&builder, heuristics, "heuristics");
    for (int i = 0; i < CONFIGURATIONS_MAX; i++)
        configurations[i] = dnn_make(&builder, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    if (builder.status == CUDNN_STATUS_SUCCESS)
        builder.status =
            cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                     CONFIGURATIONS_MAX, &found, configurations);
    if (builder.status != CUDNN_STATUS_SUCCESS) *last = builder;
    for (int64_t i = 0; i < found && *count < max; i++) {
        plans[*count] = try_configuration(context, spec, configurations[i], last);
        *count += plans[*count] != NULL;
    }
    dnn_builder_done(&builder);
}

int dnn_plan(struct dnn_context *context, const struct dnn_spec *spec, size_t max, struct dnn_plan **plans,
             size_t *count, struct linnet_error *err) {
    static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};
    struct dnn_builder builder = {0}, last = {.status = CUDNN_STATUS_NOT_SUPPORTED, .doing = "heuristics"};
    cudnnBackendDescriptor_t graph = dnn_operations(&builder, spec);
    size_t n = 0;
    int rc = 0;
    if (builder.status != CUDNN_STATUS_SUCCESS) rc = dnn_fail(&builder, err);
    for (size_t i = 0; i < sizeof modes / sizeof *modes && !rc && !n; i++)
        plan_mode(context, spec, graph, modes[i], max, plans, &n, &last);
    if (!rc && !n) rc = dnn_fail(&last, err);
    dnn_builder_done(&builder);
    if (!rc) *count = n;
    return rc;
}

void dnn_plan_free(struct dnn_plan *plan) {
    if (!plan) return;
    cudnnBackendDestroyDescriptor(plan->plan);
    free(plan);
}

size_t dnn_plan_workspace(const struct dnn_plan *plan) {
    return plan->workspace > 0 ? (size_t)plan->workspace : 0;
}

const char *dnn_plan_name(const struct dnn_plan *plan) {
    return plan->name;
}

bool dnn_plan_precompiled(const struct dnn_plan *plan) {
    return plan->precompiled;
}

int dnn_plan_save(const struct dnn_plan *plan, char **text, struct linnet_error *err) {
    return text_of(plan->plan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, text, err);
}

int dnn_plan_load(struct dnn_context *context, const struct dnn_spec *spec, const char *text,
                  struct dnn_plan **out, struct linnet_error *err) {
    struct dnn_builder builder = {0};
    cudnnBackendDescriptor_t made = dnn_make(&builder, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    set_device(&builder, context, made, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, true);
    dnn_set(&builder, made, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
            (int64_t)strlen(text), text);
    dnn_finish(&builder, made, "a plan from the cache");
    struct dnn_plan *plan = NULL;
    if (builder.status == CUDNN_STATUS_SUCCESS) plan = plan_of(&builder, made, spec);
    int rc = plan ? 0 : dnn_fail(&builder, err);
    if (plan) snprintf(plan->name, sizeof plan->name, "cuDNN, from the cache");
    dnn_builder_done(&builder);
    if (!rc) *out = plan;
    return rc;
}

/* Arguments that a plan has, with what they are known by. */
static int64_t list_arguments(const struct dnn_plan *plan, const struct dnn_arguments *arguments,
                              int64_t *uids, void **pointers) {
    int64_t n = 0;
    uids[n] = DNN_UID_A, pointers[n++] = arguments->a;
    uids[n] = DNN_UID_B, pointers[n++] = arguments->b;
    uids[n] = DNN_UID_OUT, pointers[n++] = arguments->out;
    if (plan->kind == DNN_ATTENTION) {
        uids[n] = DNN_UID_C, pointers[n++] = arguments->c;
        uids[n] = DNN_UID_SCALE, pointers[n++] = (void *)&plan->scale;
    }
    for (int i = 0; i < plan->nposts; i++) {
        if (!plan->adds[i]) continue;
        uids[n] = DNN_UID_POST + i, pointers[n++] = arguments->posts[i];
    }
    return n;
}

int dnn_run(struct dnn_context *context, const struct dnn_plan *plan, const struct dnn_arguments *arguments,
            void *workspace, void *stream, struct linnet_error *err) {
    int64_t uids[5 + DNN_POSTS_MAX];
    void *pointers[5 + DNN_POSTS_MAX];
    int64_t n = list_arguments(plan, arguments, uids, pointers);
    struct dnn_builder builder = {0};
    cudnnBackendDescriptor_t pack = dnn_make(&builder, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    dnn_set(&builder, pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n, uids);
    dnn_set(&builder, pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, n, pointers);
    dnn_set(&builder, pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
    dnn_finish(&builder, pack, "arguments");
    if (builder.status == CUDNN_STATUS_SUCCESS) builder.status = cudnnSetStream(context->handle, stream);
    if (builder.status == CUDNN_STATUS_SUCCESS) {
        builder.doing = "running";
        builder.status = cudnnBackendExecute(context->handle, plan->plan, pack);
    }
    int rc = builder.status == CUDNN_STATUS_SUCCESS ? 0 : dnn_fail(&builder, err);
    dnn_builder_done(&builder);
    return rc;
}
