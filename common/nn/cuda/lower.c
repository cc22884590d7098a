/* The parts that all handlers stand on: buffers, constants, steps, and the walk over the graph. */
#include "common/nn/cuda/lower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/fail.h"
#include "common/nn/passes/passes.h"

int cuda_say(struct cuda_lowering *lowering, int code, const char *words) {
    const struct linnet_nn_node *node =
        lowering->node == LINNET_NN_NONE ? NULL : &lowering->graph->nodes[lowering->node];
    if (!node) return linnet_nn_fail(lowering->err, code, "%s", words);
    return linnet_nn_fail(lowering->err, code, "node \"%s\" (%s): %s", node->name,
                          linnet_nn_op_name(node->op), words);
}

void cuda_shape_of(const struct cuda_lowering *lowering, uint32_t tensor, struct cuda_view *out) {
    const struct linnet_nn_shape *shape = &lowering->graph->tensors[tensor].shape;
    *out = (struct cuda_view){.buffer = LINNET_NN_NONE, .type = lowering->type, .rank = shape->rank};
    for (int i = 0; i < shape->rank; i++)
        out->dims[i] = linnet_nn_dim_at(shape->dims[i], lowering->plan->batch);
}

/* Room for one more at every power of two. */
static int grow(struct cuda_lowering *lowering, void **list, uint32_t count, size_t size) {
    if (count & (count - 1)) return 0;
    void *more = realloc(*list, (count ? 2 * (size_t)count : 1) * size);
    if (!more) return cuda_say(lowering, LINNET_E_NOMEM, "out of memory");
    *list = more;
    return 0;
}

static int add_buffer(struct cuda_lowering *lowering, const struct cuda_buffer *buffer, uint32_t *index) {
    struct cuda_plan *plan = lowering->plan;
    int rc = grow(lowering, (void **)&plan->buffers, plan->nbuffers, sizeof *buffer);
    if (rc) return rc;
    plan->buffers[plan->nbuffers] = *buffer;
    plan->buffers[plan->nbuffers].first = UINT32_MAX;
    *index = plan->nbuffers++;
    return 0;
}

/* Bytes from the first to behind the last element. */
static size_t extent_of(const struct cuda_view *view) {
    int64_t last = 0;
    for (int i = 0; i < view->rank; i++) {
        if (!view->dims[i]) return 0;
        last += (view->dims[i] - 1) * view->strides[i];
    }
    return (size_t)(last + 1) * cuda_type_size(view->type);
}

int cuda_allocate(struct cuda_lowering *lowering, struct cuda_view *view) {
    /* Up to a whole vector behind the end may be padding of the last row. */
    struct cuda_buffer buffer = {.memory = CUDA_ARENA, .bytes = extent_of(view) + 16};
    view->offset = 0;
    return add_buffer(lowering, &buffer, &view->buffer);
}

/* --- constants --- */

static bool same_view(const struct cuda_view *a, const struct cuda_view *b) {
    return a->type == b->type && a->rank == b->rank &&
           !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) &&
           !memcmp(a->strides, b->strides, (size_t)a->rank * sizeof *a->strides);
}

static void put(void *memory, enum linnet_nn_type type, int64_t at, float value) {
    cuda_convert_from_f32(type, &value, (char *)memory + (size_t)at * cuda_type_size(type), 1);
}

static void fill_constant(const struct cuda_constant *constant) {
    const struct cuda_view *from = &constant->from, *to = &constant->to;
    int64_t count = constant->data ? cuda_view_elements(from) : 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, a = 0, b = 0;
        for (int d = from->rank - 1; d >= 0; d--) {
            int64_t at = rest % from->dims[d];
            rest /= from->dims[d];
            a += at * from->strides[d];
            b += at * to->strides[d];
        }
        put(constant->memory, to->type, b, constant->data->values[a]);
    }
}

static int add_constant(struct cuda_lowering *lowering, struct linnet_nn_data *data,
                        const struct cuda_view *from, const struct cuda_view *wanted, uint32_t *index) {
    struct cuda_program *program = lowering->program;
    int rc = grow(lowering, (void **)&program->constants, program->nconstants, sizeof *program->constants);
    if (rc) return rc;
    struct cuda_constant made = {.from = *from, .to = *wanted, .bytes = extent_of(wanted) + 16};
    made.memory = calloc(1, made.bytes);
    if (!made.memory) return cuda_say(lowering, LINNET_E_NOMEM, "out of memory for constants");
    if (data) made.data = linnet_nn_data_ref(data);
    fill_constant(&made);
    program->constants[program->nconstants] = made;
    *index = program->nconstants++;
    return 0;
}

int cuda_constant(struct cuda_lowering *lowering, struct linnet_nn_data *data, const struct cuda_view *from,
                  const struct cuda_view *wanted, struct cuda_view *out) {
    struct cuda_program *program = lowering->program;
    uint32_t index = 0;
    int rc = 0;
    while (index < program->nconstants &&
           (program->constants[index].data != data || !same_view(&program->constants[index].from, from) ||
            !same_view(&program->constants[index].to, wanted)))
        index++;
    if (index == program->nconstants) rc = add_constant(lowering, data, from, wanted, &index);
    if (rc) return rc;
    struct cuda_buffer buffer = {
        .memory = CUDA_CONSTANT, .bytes = program->constants[index].bytes, .index = index};
    *out = *wanted;
    out->offset = 0;
    return add_buffer(lowering, &buffer, &out->buffer);
}

int cuda_place_of(struct cuda_lowering *lowering, uint32_t tensor, struct cuda_view *out) {
    struct linnet_nn_data *data = lowering->graph->tensors[tensor].data;
    if (lowering->places[tensor].rank >= 0) {
        *out = lowering->places[tensor];
        return 0;
    }
    if (!data) return cuda_say(lowering, LINNET_E_INTERNAL, "an input that nobody made");
    struct cuda_view plain;
    cuda_shape_of(lowering, tensor, &plain);
    plain.type = LINNET_NN_F32;
    cuda_view_plain(&plain);
    int rc = cuda_constant(lowering, data, &plain, &plain, out);
    if (!rc) lowering->places[tensor] = *out;
    return rc;
}

/* --- steps --- */

struct cuda_pointer cuda_pointer_to(const struct cuda_view *view) {
    return (struct cuda_pointer){view->buffer, (size_t)view->offset * cuda_type_size(view->type)};
}

void cuda_step_init(const struct cuda_lowering *lowering, enum cuda_step_kind kind, struct cuda_step *step) {
    memset(step, 0, sizeof *step);
    step->kind = kind;
    step->node = lowering->node;
    for (int i = 0; i < CUDA_POINTERS_MAX; i++)
        step->pointers[i].buffer = LINNET_NN_NONE;
    step->tail_post.buffer = LINNET_NN_NONE;
}

static void use(struct cuda_plan *plan, const struct cuda_pointer *pointer) {
    if (pointer->buffer == LINNET_NN_NONE) return;
    struct cuda_buffer *buffer = &plan->buffers[pointer->buffer];
    if (buffer->first == UINT32_MAX) buffer->first = plan->nsteps;
    buffer->last = plan->nsteps;
}

int cuda_emit(struct cuda_lowering *lowering, const struct cuda_step *step) {
    struct cuda_plan *plan = lowering->plan;
    int rc = grow(lowering, (void **)&plan->steps, plan->nsteps, sizeof *step);
    if (rc) return rc;
    for (int i = 0; i < CUDA_POINTERS_MAX; i++)
        use(plan, &step->pointers[i]);
    use(plan, &step->tail_post);
    plan->steps[plan->nsteps++] = *step;
    return 0;
}

/* --- the walk --- */

static int lower_node(struct cuda_lowering *lowering, const struct linnet_nn_node *node) {
    static const cuda_handler handlers[] = {
        [LINNET_NN_OP_CONV] = cuda_lower_conv,        [LINNET_NN_OP_GEMM] = cuda_lower_gemm,
        [LINNET_NN_OP_MATMUL] = cuda_lower_matmul,    [LINNET_NN_OP_POOL] = cuda_lower_pool,
        [LINNET_NN_OP_REDUCE] = cuda_lower_reduce,    [LINNET_NN_OP_NORM] = cuda_lower_norm,
        [LINNET_NN_OP_UNARY] = cuda_lower_unary,      [LINNET_NN_OP_BINARY] = cuda_lower_binary,
        [LINNET_NN_OP_CONCAT] = cuda_lower_concat,    [LINNET_NN_OP_SOFTMAX] = cuda_lower_softmax,
        [LINNET_NN_OP_RESHAPE] = cuda_lower_reshape,  [LINNET_NN_OP_TRANSPOSE] = cuda_lower_transpose,
        [LINNET_NN_OP_PAD] = cuda_lower_pad,          [LINNET_NN_OP_SLICE] = cuda_lower_slice,
        [LINNET_NN_OP_IDENTITY] = cuda_lower_reshape, [LINNET_NN_OP_LAYER_NORM] = cuda_lower_layer_norm,
        [LINNET_NN_OP_EXPAND] = cuda_lower_expand,    [LINNET_NN_OP_ATTENTION] = cuda_lower_attention,
    };
    struct cuda_view out;
    if ((size_t)node->op >= sizeof handlers / sizeof *handlers || !handlers[node->op])
        return cuda_say(lowering, LINNET_E_UNSUPPORTED, "the GPU backend lacks this operator");
    int rc = handlers[node->op](lowering, node, &out);
    if (!rc) lowering->places[node->output] = out;
    return rc;
}

/* A picture becomes channels-last with padded channels in one launch. */
static int pack_picture(struct cuda_lowering *lowering, const struct cuda_view *port, struct cuda_view *out) {
    struct cuda_view packed = *out;
    packed.dims[1] = packed.dims[1] <= 4 ? 4 : 8;
    cuda_view_channels_last(&packed);
    struct cuda_step step;
    cuda_step_init(lowering, CUDA_KERNEL, &step);
    int rc = cuda_allocate(lowering, &packed);
    if (rc) return rc;
    struct cuda_kernel *kernel = &step.kernel;
    *kernel = (struct cuda_kernel){
        .kind = KERNEL_PACK, .rank = 4, .width = 1, .channels = (int)port->dims[1], .operation = KERNEL_COPY};
    static const int order[4] = {0, 2, 3, 1};
    for (int d = 0; d < 4; d++) {
        kernel->dims[d] = packed.dims[order[d]];
        kernel->operands[0].strides[d] = packed.strides[order[d]];
        kernel->operands[1].strides[d] = port->strides[order[d]];
    }
    kernel->operands[0].type = (int)packed.type;
    kernel->operands[1].type = KERNEL_F32;
    step.pointers[CUDA_OUT] = cuda_pointer_to(&packed);
    step.pointers[CUDA_A] = cuda_pointer_to(port);
    step.bytes = (double)cuda_view_elements(port) * 4 + (double)cuda_view_elements(&packed) * 2;
    packed.dims[1] = port->dims[1];
    *out = packed;
    return cuda_emit(lowering, &step);
}

/* Is an input a picture that convolutions alone read? */
static bool is_picture(const struct linnet_nn_graph *graph, uint32_t index) {
    const struct linnet_nn_tensor *tensor = &graph->tensors[index];
    if (tensor->shape.rank != 4 || tensor->shape.dims[1] > LINNET_NN_CHANNELS_MAX || tensor->output)
        return false;
    for (uint32_t i = 0; i < tensor->nusers; i++)
        if (graph->nodes[tensor->users[i]].op != LINNET_NN_OP_CONV) return false;
    return tensor->nusers > 0;
}

static int lower_input(struct cuda_lowering *lowering, uint32_t i) {
    uint32_t tensor = lowering->graph->inputs[i];
    struct cuda_buffer buffer = {.memory = CUDA_INPUT, .index = i};
    struct cuda_view port, out;
    cuda_shape_of(lowering, tensor, &port);
    port.type = LINNET_NN_F32;
    cuda_view_plain(&port);
    buffer.bytes = extent_of(&port);
    int rc = add_buffer(lowering, &buffer, &port.buffer);
    if (rc) return rc;
    /* Anything else stays as the caller has it, in f32, until a step wants it otherwise. */
    if (!is_picture(lowering->graph, tensor)) {
        lowering->places[tensor] = port;
        return 0;
    }
    cuda_shape_of(lowering, tensor, &out);
    rc = pack_picture(lowering, &port, &out);
    lowering->places[tensor] = out;
    return rc;
}

static int lower_output(struct cuda_lowering *lowering, uint32_t i) {
    struct cuda_buffer buffer = {.memory = CUDA_OUTPUT, .index = i};
    struct cuda_view views[2];
    int rc = cuda_place_of(lowering, lowering->graph->outputs[i], &views[1]);
    if (rc) return rc;
    views[0] = views[1];
    views[0].type = LINNET_NN_F32;
    views[0].offset = 0;
    cuda_view_plain(&views[0]);
    buffer.bytes = extent_of(&views[0]);
    rc = add_buffer(lowering, &buffer, &views[0].buffer);
    return rc ? rc : cuda_emit_map(lowering, views, 2, KERNEL_COPY, NULL, 0, NULL);
}

static int plan_arena(struct cuda_plan *plan, struct linnet_error *err) {
    struct linnet_nn_buffer *buffers = calloc(plan->nbuffers ? plan->nbuffers : 1, sizeof *buffers);
    if (!buffers) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    for (uint32_t i = 0; i < plan->nbuffers; i++) {
        const struct cuda_buffer *buffer = &plan->buffers[i];
        if (buffer->memory != CUDA_ARENA || buffer->first == UINT32_MAX) continue;
        buffers[i] =
            (struct linnet_nn_buffer){.size = buffer->bytes, .first = buffer->first, .last = buffer->last};
    }
    int rc = linnet_nn_plan_memory(buffers, plan->nbuffers, CUDA_ALIGN, &plan->arena);
    for (uint32_t i = 0; i < plan->nbuffers && !rc; i++)
        plan->buffers[i].offset = buffers[i].offset;
    free(buffers);
    return rc ? linnet_nn_fail(err, rc, "out of memory") : 0;
}

static int lower_bucket(struct cuda_program *program, const struct linnet_nn_graph *graph,
                        struct cuda_plan *plan, struct linnet_error *err) {
    static const enum linnet_nn_type types[] = {LINNET_NN_F32, LINNET_NN_BF16, LINNET_NN_F16};
    struct cuda_lowering lowering = {.program = program,
                                     .graph = graph,
                                     .plan = plan,
                                     .places = calloc(graph->ntensors + 1, sizeof *lowering.places),
                                     .type = types[program->target.precision],
                                     .node = LINNET_NN_NONE,
                                     .err = err};
    if (!lowering.places) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    int rc = 0;
    for (uint32_t i = 0; i < graph->ntensors; i++)
        lowering.places[i].rank = -1;
    for (uint32_t i = 0; i < graph->ninputs && !rc; i++)
        rc = lower_input(&lowering, i);
    for (uint32_t i = 0; i < graph->nnodes && !rc; i++) {
        lowering.node = i;
        rc = lower_node(&lowering, &graph->nodes[i]);
    }
    lowering.node = LINNET_NN_NONE;
    for (uint32_t i = 0; i < graph->noutputs && !rc; i++)
        rc = lower_output(&lowering, i);
    free(lowering.places);
    return rc ? rc : plan_arena(plan, err);
}

static int keep_names(struct cuda_program *program, const struct linnet_nn_graph *graph) {
    program->names = calloc(graph->nnodes + 1, sizeof *program->names);
    for (uint32_t i = 0; program->names && i < graph->nnodes; i++) {
        program->names[i] = strdup(graph->nodes[i].name);
        if (!program->names[i]) return LINNET_E_NOMEM;
        program->nnodes = i + 1;
    }
    return program->names ? 0 : LINNET_E_NOMEM;
}

int cuda_program_new(const struct linnet_nn_graph *graph, const struct linnet_nn_target *target,
                     struct cuda_program **out, struct linnet_error *err) {
    struct cuda_program *program = calloc(1, sizeof *program);
    if (program) program->plans = calloc(target->nbuckets + 1, sizeof *program->plans);
    int rc = program && program->plans ? keep_names(program, graph) : LINNET_E_NOMEM;
    if (rc) {
        cuda_program_free(program);
        return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    }
    program->target = *target;
    program->ninputs = graph->ninputs;
    program->noutputs = graph->noutputs;
    for (size_t i = 0; i < target->nbuckets && !rc; i++) {
        program->plans[i].batch = target->buckets[i];
        program->nplans = i + 1;
        rc = lower_bucket(program, graph, &program->plans[i], err);
    }
    if (rc) {
        cuda_program_free(program);
        return rc;
    }
    *out = program;
    return 0;
}
