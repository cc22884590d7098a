#include "common/nn/cpu/lower.h"

#include <stdlib.h>
#include <string.h>

#include "common/nn/model.h"
#include "common/nn/onnx/reader.h"
#include "common/nn/room.h"

void cpu_say(struct cpu_lowering *lowering, int code, const char *why) {
    if (lowering->node == LINNET_NN_NONE) {
        linnet_error_set(lowering->err, code, "%s", why);
        return;
    }
    const struct linnet_nn_node *node = &lowering->graph->nodes[lowering->node];
    char name[64];
    linnet_error_set(lowering->err, code, "node \"%s\" (%s): oneDNN: %s",
                     linnet_onnx_clean(node->name, name, sizeof name), linnet_nn_op_name(node->op), why);
}

static int no_memory(struct cpu_lowering *lowering) {
    return cpu_fail(lowering, LINNET_E_NOMEM, "out of memory");
}

void cpu_dims(const struct cpu_lowering *lowering, uint32_t tensor, int64_t dims[LINNET_NN_RANK_MAX]) {
    const struct linnet_nn_shape *shape = &lowering->graph->tensors[tensor].shape;
    for (int i = 0; i < shape->rank; i++)
        dims[i] = linnet_nn_dim_at(shape->dims[i], lowering->plan->batch);
}

int cpu_rank(const struct cpu_lowering *lowering, uint32_t tensor) {
    return lowering->graph->tensors[tensor].shape.rank;
}

enum linnet_nn_type cpu_type(const struct cpu_lowering *lowering, uint32_t tensor) {
    return lowering->graph->tensors[tensor].type;
}

static bool is_narrow(enum linnet_nn_type type) {
    return type == LINNET_NN_U8 || type == LINNET_NN_S8;
}

bool cpu_narrow(const struct cpu_lowering *lowering, uint32_t tensor) {
    return is_narrow(cpu_type(lowering, tensor));
}

/* Room for one more of a list that grows by half. */
static bool grow(void **list, uint32_t count, size_t size) {
    if (count & 63) return true;
    void *grown = realloc(*list, ((size_t)count + 64) * size);
    if (grown) *list = grown;
    return grown != NULL;
}

int cpu_keep(struct cpu_lowering *lowering, struct dnn_layout *layout, const struct dnn_layout **kept) {
    struct cpu_plan *plan = lowering->plan;
    if (!layout) return cpu_fail(lowering, LINNET_E_UNSUPPORTED, "no memory layout");
    if (!grow((void **)&plan->layouts, plan->nlayouts, sizeof(struct dnn_layout *))) {
        dnn_layout_free(layout);
        return no_memory(lowering);
    }
    plan->layouts[plan->nlayouts++] = layout;
    *kept = layout;
    return 0;
}

int cpu_any(struct cpu_lowering *lowering, uint32_t tensor, int rank, const int64_t *dims,
            const struct dnn_layout **layout) {
    const struct linnet_nn_tensor *like = &lowering->graph->tensors[tensor];
    struct dnn_layout *any = dnn_layout_any(like->type, rank, dims),
                      *scaled = any ? dnn_layout_retype(any, like->type, like->scale) : NULL;
    dnn_layout_free(any);
    return cpu_keep(lowering, scaled, layout);
}

static int add_buffer(struct cpu_lowering *lowering, struct cpu_buffer buffer, uint32_t *index) {
    struct cpu_plan *plan = lowering->plan;
    if (!grow((void **)&plan->buffers, plan->nbuffers, sizeof *plan->buffers)) return no_memory(lowering);
    buffer.first = UINT32_MAX;
    *index = plan->nbuffers;
    plan->buffers[plan->nbuffers++] = buffer;
    return 0;
}

int cpu_allocate(struct cpu_lowering *lowering, const struct dnn_layout *layout, struct cpu_place *place) {
    struct cpu_buffer buffer = {.memory = CPU_ARENA, .bytes = dnn_layout_bytes(layout)};
    struct dnn_layout *copy = dnn_layout_copy(layout);
    int rc = cpu_keep(lowering, copy, &place->layout);
    return rc ? rc : add_buffer(lowering, buffer, &place->buffer);
}

/* The graph goes after compiling; what steps read of it stays. */
static bool keep_data(struct linnet_nn_program *program, struct linnet_nn_data *data) {
    if (!grow((void **)&program->kept, (uint32_t)program->nkept, sizeof(struct linnet_nn_data *)))
        return false;
    program->kept[program->nkept++] = linnet_nn_data_ref(data);
    return true;
}

/* What people are told of a step. A node's operations are those of its first step that is neither a copy nor
 * a function. */
static void name_step(struct cpu_lowering *lowering, struct cpu_step *step) {
    const struct linnet_nn_graph *graph = lowering->graph;
    const struct linnet_nn_node *node =
        lowering->node == LINNET_NN_NONE ? NULL : &graph->nodes[lowering->node];
    const char *name = !node ? "output" : *node->name ? node->name : graph->tensors[node->output].name;
    linnet_onnx_clean(name, step->name, sizeof step->name);
    bool product = step->op && dnn_op_kind(step->op) != DNN_COPY && dnn_op_kind(step->op) != DNN_FUNCTION;
    for (const struct cpu_step *before = step; before-- > lowering->plan->steps;) {
        if (before->node != lowering->node) break;
        product = product && !(before->flops > 0);
    }
    if (node && product) step->flops = (double)linnet_nn_node_flops(graph, node);
}

int cpu_emit(struct cpu_lowering *lowering, const struct cpu_step *step, const struct cpu_argument *arguments,
             int n) {
    struct cpu_plan *plan = lowering->plan;
    struct cpu_argument *copy = malloc((size_t)n * sizeof *copy);
    if (!copy || !grow((void **)&plan->steps, plan->nsteps, sizeof *plan->steps)) {
        free(copy);
        dnn_op_free(step->op);
        return no_memory(lowering);
    }
    memcpy(copy, arguments, (size_t)n * sizeof *copy);
    for (int i = 0; i < n; i++) {
        struct cpu_buffer *buffer = &plan->buffers[copy[i].place.buffer];
        if (buffer->first == UINT32_MAX && buffer->data && !keep_data(lowering->program, buffer->data)) {
            free(copy);
            dnn_op_free(step->op);
            return no_memory(lowering);
        }
        if (buffer->first == UINT32_MAX) buffer->first = plan->nsteps;
        buffer->last = plan->nsteps;
    }
    struct cpu_step *added = &plan->steps[plan->nsteps++];
    *added = *step;
    added->arguments = copy;
    added->narguments = n;
    added->node = lowering->node;
    name_step(lowering, added);
    if (step->op && dnn_op_scratch(step->op) > plan->scratch) plan->scratch = dnn_op_scratch(step->op);
    return 0;
}

int cpu_compile(struct cpu_lowering *lowering, const struct dnn_spec *spec, struct dnn_op **op) {
    const char *why = "";
    int rc = dnn_op_new(spec, op, &why);
    return rc ? cpu_fail(lowering, rc, why) : 0;
}

int cpu_place_of(struct cpu_lowering *lowering, uint32_t tensor, struct cpu_place *place) {
    struct cpu_place *known = &lowering->places[tensor];
    const struct linnet_nn_tensor *read = &lowering->graph->tensors[tensor];
    if (!known->layout) {
        if (!read->data) return cpu_fail(lowering, LINNET_E_INTERNAL, "an input that nothing has made");
        struct cpu_buffer buffer = {
            .memory = CPU_CONSTANT, .constant = read->data->values, .data = read->data};
        struct cpu_place added;
        int rc = cpu_keep(lowering, dnn_layout_plain(LINNET_NN_F32, read->shape.rank, read->shape.dims),
                          &added.layout);
        if (!rc) rc = add_buffer(lowering, buffer, &added.buffer);
        if (rc) return rc;
        *known = added;
    }
    *place = *known;
    return 0;
}

/* Run one copy now, on memory of our own. */
static int copy_now(struct cpu_lowering *lowering, struct dnn_op *op, const struct dnn_layout *from,
                    void *source, const struct dnn_layout *to, void *destination) {
    struct dnn_argument arguments[2] = {{DNN_SOURCE, from, source}, {DNN_DESTINATION, to, destination}};
    const char *why = "out of memory";
    struct dnn_call *call = NULL;
    struct dnn_stream *stream = dnn_stream_new();
    void *scratch = aligned_alloc(CPU_ALIGN, (dnn_op_scratch(op) + CPU_ALIGN) / CPU_ALIGN * CPU_ALIGN);
    int rc = stream && scratch ? dnn_call_new(op, arguments, 2, scratch, &call, &why) : LINNET_E_NOMEM;
    if (!rc) rc = dnn_call_run(call, stream, &why);
    dnn_call_free(call);
    dnn_stream_free(stream);
    free(scratch);
    return rc ? cpu_fail(lowering, rc, why) : 0;
}

static struct cpu_constant *find_constant(struct linnet_nn_program *program, const void *source,
                                          const struct dnn_layout *from, const struct dnn_layout *to) {
    for (size_t i = 0; i < program->nconstants; i++) {
        struct cpu_constant *each = &program->constants[i];
        if (each->source && each->source == source && dnn_layout_equal(each->from, from) &&
            dnn_layout_equal(each->to, to))
            return each;
    }
    return NULL;
}

static int add_constant(struct cpu_lowering *lowering, void *source, const struct dnn_layout *from,
                        const struct dnn_layout *to, struct cpu_constant **out) {
    struct linnet_nn_program *program = lowering->program;
    struct dnn_spec spec = {.kind = DNN_COPY, .source = from, .destination = to};
    struct dnn_op *op;
    int rc = cpu_compile(lowering, &spec, &op);
    if (rc) return rc;
    struct cpu_constant added = {.source = source, .from = dnn_layout_copy(from), .to = dnn_layout_copy(to)};
    added.memory = linnet_nn_room(dnn_layout_bytes(to));
    rc = added.memory && added.from && added.to &&
                 grow((void **)&program->constants, (uint32_t)program->nconstants, sizeof added)
             ? copy_now(lowering, op, from, source, to, added.memory)
             : no_memory(lowering);
    dnn_op_free(op);
    if (rc) {
        dnn_layout_free(added.from);
        dnn_layout_free(added.to);
        free(added.memory);
        return rc;
    }
    program->constants[program->nconstants] = added;
    *out = &program->constants[program->nconstants++];
    return 0;
}

/* A constant's memory as a place of the plan. */
static int place_constant(struct cpu_lowering *lowering, void *memory, const struct dnn_layout *layout,
                          struct cpu_place *to) {
    struct cpu_buffer buffer = {.memory = CPU_CONSTANT, .constant = memory};
    int rc = cpu_keep(lowering, dnn_layout_copy(layout), &to->layout);
    return rc ? rc : add_buffer(lowering, buffer, &to->buffer);
}

static int bring_constant(struct cpu_lowering *lowering, struct cpu_place from,
                          const struct dnn_layout *wanted, struct cpu_place *to) {
    void *source = lowering->plan->buffers[from.buffer].constant;
    struct cpu_constant *constant = find_constant(lowering->program, source, from.layout, wanted);
    int rc = constant ? 0 : add_constant(lowering, source, from.layout, wanted, &constant);
    if (rc) return rc;
    return place_constant(lowering, constant->memory, wanted, to);
}

int cpu_bring(struct cpu_lowering *lowering, struct cpu_place from, const struct dnn_layout *wanted,
              struct cpu_place *to) {
    if (dnn_layout_equal(from.layout, wanted)) {
        *to = from;
        return 0;
    }
    if (lowering->plan->buffers[from.buffer].memory == CPU_CONSTANT)
        return bring_constant(lowering, from, wanted, to);
    struct dnn_spec spec = {.kind = DNN_COPY, .source = from.layout, .destination = wanted};
    struct cpu_step step = {.kind = CPU_RUN};
    struct cpu_place made;
    int rc = cpu_allocate(lowering, wanted, &made);
    if (!rc) rc = cpu_compile(lowering, &spec, &step.op);
    if (rc) return rc;
    struct cpu_argument arguments[2] = {{DNN_SOURCE, from}, {DNN_DESTINATION, made}};
    rc = cpu_emit(lowering, &step, arguments, 2);
    if (!rc) *to = made;
    return rc;
}

int cpu_bring_plain(struct cpu_lowering *lowering, struct cpu_place from, enum linnet_nn_type type,
                    struct cpu_place *to) {
    const struct dnn_layout *wanted;
    struct dnn_layout *plain =
                          dnn_layout_plain(type, dnn_layout_rank(from.layout), dnn_layout_dims(from.layout)),
                      *scaled = plain && is_narrow(type)
                                    ? dnn_layout_retype(plain, type, dnn_layout_scale(from.layout))
                                    : NULL;
    if (scaled) dnn_layout_free(plain);
    int rc = cpu_keep(lowering, scaled ? scaled : plain, &wanted);
    if (!rc) rc = cpu_bring(lowering, from, wanted, to);
    /* In these words also where it lay so already: equal layouts may differ in how far a step goes along a
     * dimension of 1, and then oneDNN's fast kernels do not know them. */
    if (!rc) to->layout = wanted;
    return rc;
}

int cpu_bring_type(struct cpu_lowering *lowering, struct cpu_place from, enum linnet_nn_type type,
                   struct cpu_place *to) {
    const struct dnn_layout *wanted;
    int rc = cpu_keep(lowering, dnn_layout_retype(from.layout, type, 1), &wanted);
    return rc ? rc : cpu_bring(lowering, from, wanted, to);
}

int cpu_bring_as(struct cpu_lowering *lowering, struct cpu_place from, uint32_t tensor,
                 struct cpu_place *to) {
    const struct linnet_nn_tensor *like = &lowering->graph->tensors[tensor];
    const struct dnn_layout *wanted;
    int rc = cpu_keep(lowering, dnn_layout_retype(from.layout, like->type, like->scale), &wanted);
    return rc ? rc : cpu_bring(lowering, from, wanted, to);
}

int cpu_add_values(struct cpu_lowering *lowering, const void *source, const struct dnn_layout *from,
                   const struct dnn_layout *layout, void *values, struct cpu_place *to) {
    struct linnet_nn_program *program = lowering->program;
    struct cpu_constant added = {.source = source,
                                 .from = source ? dnn_layout_copy(from) : NULL,
                                 .to = source ? dnn_layout_copy(layout) : NULL,
                                 .memory = values,
                                 .passing = source != NULL};
    if (!values || (source && (!added.from || !added.to)) ||
        !grow((void **)&program->constants, (uint32_t)program->nconstants, sizeof added)) {
        dnn_layout_free(added.from);
        dnn_layout_free(added.to);
        free(values);
        return no_memory(lowering);
    }
    program->constants[program->nconstants++] = added;
    return place_constant(lowering, values, layout, to);
}

bool cpu_find_values(struct cpu_lowering *lowering, const void *source, const struct dnn_layout *from,
                     const struct dnn_layout *layout, int *rc, struct cpu_place *to) {
    const struct cpu_constant *found = find_constant(lowering->program, source, from, layout);
    if (found) *rc = place_constant(lowering, found->memory, layout, to);
    return found != NULL;
}

int cpu_view(struct cpu_lowering *lowering, struct cpu_place from, int rank, const int64_t *dims,
             struct cpu_place *to) {
    struct dnn_layout *view = dnn_layout_reshape(from.layout, rank, dims);
    int rc = 0;
    if (!view) { /* blocked, permuted or padded: the elements are not in row-major order */
        rc = cpu_bring_plain(lowering, from, dnn_layout_type(from.layout), &from);
        if (!rc) view = dnn_layout_reshape(from.layout, rank, dims);
    }
    to->buffer = from.buffer;
    return rc ? rc : cpu_keep(lowering, view, &to->layout);
}

static int lower_node(struct cpu_lowering *lowering, const struct linnet_nn_node *node) {
    static int (*const handlers[])(struct cpu_lowering *, const struct linnet_nn_node *,
                                   struct cpu_place *) = {
        [LINNET_NN_OP_CONV] = cpu_lower_conv,        [LINNET_NN_OP_GEMM] = cpu_lower_gemm,
        [LINNET_NN_OP_MATMUL] = cpu_lower_matmul,    [LINNET_NN_OP_POOL] = cpu_lower_pool,
        [LINNET_NN_OP_REDUCE] = cpu_lower_reduce,    [LINNET_NN_OP_NORM] = cpu_lower_norm,
        [LINNET_NN_OP_UNARY] = cpu_lower_unary,      [LINNET_NN_OP_BINARY] = cpu_lower_binary,
        [LINNET_NN_OP_CONCAT] = cpu_lower_concat,    [LINNET_NN_OP_SOFTMAX] = cpu_lower_softmax,
        [LINNET_NN_OP_RESHAPE] = cpu_lower_reshape,  [LINNET_NN_OP_TRANSPOSE] = cpu_lower_transpose,
        [LINNET_NN_OP_PAD] = cpu_lower_pad,          [LINNET_NN_OP_SLICE] = cpu_lower_slice,
        [LINNET_NN_OP_IDENTITY] = cpu_lower_reshape, [LINNET_NN_OP_LAYER_NORM] = cpu_lower_layer_norm,
        [LINNET_NN_OP_EXPAND] = cpu_lower_expand,    [LINNET_NN_OP_ATTENTION] = cpu_lower_attention,
    };
    struct cpu_place out;
    if (!handlers[node->op])
        return cpu_fail(lowering, LINNET_E_UNSUPPORTED, "the backend lacks this operator");
    int rc = handlers[node->op](lowering, node, &out);
    if (!rc) lowering->places[node->output] = out;
    return rc;
}

static int lower_inputs(struct cpu_lowering *lowering) {
    for (uint32_t i = 0; i < lowering->graph->ninputs; i++) {
        uint32_t tensor = lowering->graph->inputs[i];
        struct cpu_buffer buffer = {.memory = CPU_INPUT, .port = i};
        int64_t dims[LINNET_NN_RANK_MAX];
        cpu_dims(lowering, tensor, dims);
        struct cpu_place *place = &lowering->places[tensor];
        int rc = cpu_keep(lowering, dnn_layout_plain(LINNET_NN_F32, cpu_rank(lowering, tensor), dims),
                          &place->layout);
        if (!rc) rc = add_buffer(lowering, buffer, &place->buffer);
        if (rc) return rc;
    }
    return 0;
}

static int lower_outputs(struct cpu_lowering *lowering) {
    for (uint32_t i = 0; i < lowering->graph->noutputs; i++) {
        uint32_t tensor = lowering->graph->outputs[i];
        struct cpu_buffer buffer = {.memory = CPU_OUTPUT, .port = i};
        int64_t dims[LINNET_NN_RANK_MAX];
        cpu_dims(lowering, tensor, dims);
        struct cpu_place from, to;
        int rc = cpu_place_of(lowering, tensor, &from);
        if (!rc)
            rc = cpu_keep(lowering, dnn_layout_plain(LINNET_NN_F32, cpu_rank(lowering, tensor), dims),
                          &to.layout);
        if (!rc) rc = add_buffer(lowering, buffer, &to.buffer);
        if (rc) return rc;
        struct dnn_spec spec = {.kind = DNN_COPY, .source = from.layout, .destination = to.layout};
        struct cpu_step step = {.kind = CPU_RUN};
        rc = cpu_compile(lowering, &spec, &step.op);
        if (rc) return rc;
        struct cpu_argument arguments[2] = {{DNN_SOURCE, from}, {DNN_DESTINATION, to}};
        rc = cpu_emit(lowering, &step, arguments, 2);
        if (rc) return rc;
    }
    return 0;
}

/* Give back the weights that `node` was the last to read: what its steps read of them has a reference of its
 * own (keep_data), what was brought into another order is the program's. Of other operators the output may be
 * a view of a constant. */
static void drop_constants(struct linnet_nn_program *program, struct linnet_nn_graph *graph, uint32_t node) {
    enum linnet_nn_op op = graph->nodes[node].op;
    if (op != LINNET_NN_OP_CONV && op != LINNET_NN_OP_GEMM && op != LINNET_NN_OP_MATMUL) return;
    for (uint32_t i = 0; i < graph->nodes[node].ninputs; i++) {
        struct linnet_nn_tensor *tensor = &graph->tensors[graph->nodes[node].inputs[i]];
        bool last = tensor->data && !tensor->output;
        for (uint32_t k = 0; k < tensor->nusers && last; k++)
            last = tensor->users[k] <= node;
        if (!last) continue;
        for (size_t k = 0; k < program->nconstants; k++) /* another may come to lie where it lay */
            if (program->constants[k].source == tensor->data->values) program->constants[k].source = NULL;
        linnet_nn_data_unref(tensor->data);
        tensor->data = NULL;
    }
}

static int lower_all(struct cpu_lowering *lowerings, struct linnet_nn_graph *graph) {
    struct linnet_nn_program *program = lowerings->program;
    int rc = 0;
    for (size_t p = 0; p < program->nplans && !rc; p++)
        rc = lower_inputs(&lowerings[p]);
    for (uint32_t i = 0; i < graph->nnodes && !rc; i++) {
        for (size_t p = 0; p < program->nplans && !rc; p++) {
            lowerings[p].node = i;
            rc = lower_node(&lowerings[p], &graph->nodes[i]);
        }
        drop_constants(program, graph, i);
    }
    for (size_t p = 0; p < program->nplans && !rc; p++) {
        lowerings[p].node = LINNET_NN_NONE;
        rc = lower_outputs(&lowerings[p]);
    }
    return rc;
}

int cpu_lower(struct linnet_nn_program *program, struct linnet_nn_graph *graph, struct linnet_error *err) {
    struct cpu_lowering *lowerings = calloc(program->nplans, sizeof *lowerings);
    bool whole = lowerings != NULL;
    for (size_t p = 0; lowerings && p < program->nplans; p++) {
        lowerings[p] = (struct cpu_lowering){
            .program = program,
            .graph = graph,
            .plan = &program->plans[p],
            .places = calloc(graph->ntensors ? graph->ntensors : 1, sizeof *lowerings[p].places),
            .compute = program->target.precision == LINNET_NN_PRECISION_BF16 ? LINNET_NN_BF16 : LINNET_NN_F32,
            .node = LINNET_NN_NONE,
            .err = err,
        };
        whole = whole && lowerings[p].places;
    }
    int rc = whole ? lower_all(lowerings, graph) : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    for (size_t p = 0; lowerings && p < program->nplans; p++)
        free(lowerings[p].places);
    free(lowerings);
    return rc;
}

void cpu_plan_done(struct cpu_plan *plan) {
    for (uint32_t i = 0; i < plan->nsteps; i++) {
        dnn_op_free(plan->steps[i].op);
        free(plan->steps[i].arguments);
    }
    for (uint32_t i = 0; i < plan->nlayouts; i++)
        dnn_layout_free(plan->layouts[i]);
    free(plan->steps);
    free(plan->layouts);
    free(plan->buffers);
}

static bool is_read(const struct linnet_nn_program *program, const void *memory) {
    for (size_t i = 0; i < program->nplans; i++)
        for (uint32_t k = 0; k < program->plans[i].nbuffers; k++) {
            const struct cpu_buffer *buffer = &program->plans[i].buffers[k];
            if (buffer->memory == CPU_CONSTANT && buffer->constant == memory && buffer->first != UINT32_MAX)
                return true;
        }
    return false;
}

void cpu_constants_settle(struct linnet_nn_program *program) {
    for (size_t i = 0; i < program->nconstants; i++) {
        struct cpu_constant *constant = &program->constants[i];
        if (!constant->passing || is_read(program, constant->memory)) continue;
        free(constant->memory);
        constant->memory = NULL;
    }
}

void cpu_constants_done(struct linnet_nn_program *program) {
    for (size_t i = 0; i < program->nconstants; i++) {
        struct cpu_constant *constant = &program->constants[i];
        dnn_layout_free(constant->from);
        dnn_layout_free(constant->to);
        free(constant->memory);
    }
    for (size_t i = 0; i < program->nkept; i++)
        linnet_nn_data_unref(program->kept[i]);
    free(program->constants);
    free(program->kept);
}
