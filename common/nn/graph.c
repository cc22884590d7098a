#include "common/nn/graph.h"
#include "common/nn/fail.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/nn/shape.h"

const char *linnet_nn_op_name(enum linnet_nn_op op) {
    static const char *const names[] = {
#define X(name, label) label,
        LINNET_NN_OPS(X)
#undef X
    };
    return (size_t)op < sizeof names / sizeof *names ? names[op] : "unknown";
}

struct linnet_nn_data *linnet_nn_data_new(float *values, size_t count) {
    struct linnet_nn_data *data = values ? calloc(1, sizeof *data) : NULL;
    if (!data) {
        free(values);
        return NULL;
    }
    atomic_init(&data->references, 1);
    data->values = values;
    data->count = count;
    return data;
}

struct linnet_nn_data *linnet_nn_data_ref(struct linnet_nn_data *data) {
    if (data) atomic_fetch_add_explicit(&data->references, 1, memory_order_relaxed);
    return data;
}

void linnet_nn_data_unref(struct linnet_nn_data *data) {
    if (!data || atomic_fetch_sub_explicit(&data->references, 1, memory_order_acq_rel) != 1) return;
    free(data->values);
    free(data->steps);
    free(data);
}

struct linnet_nn_graph *linnet_nn_graph_new(void) {
    return calloc(1, sizeof(struct linnet_nn_graph));
}

static void tensor_done(struct linnet_nn_tensor *tensor) {
    free(tensor->name);
    free(tensor->users);
    linnet_nn_data_unref(tensor->data);
}

static void node_done(struct linnet_nn_node *node) {
    free(node->name);
    free(node->inputs);
}

void linnet_nn_graph_free(struct linnet_nn_graph *graph) {
    if (!graph) return;
    for (uint32_t i = 0; i < graph->ntensors; i++)
        tensor_done(&graph->tensors[i]);
    for (uint32_t i = 0; i < graph->nnodes; i++)
        node_done(&graph->nodes[i]);
    free(graph->tensors);
    free(graph->nodes);
    free(graph->inputs);
    free(graph->outputs);
    free(graph);
}

/* Room for one more in an array whose length is a power of two or below the first step. */
static int grow(void **array, uint32_t count, size_t size) {
    if (count && (count & (count - 1))) return 0;
    if (count > UINT32_MAX / 4) return LINNET_E_LIMIT;
    void *grown = realloc(*array, (count ? 2 * (size_t)count : 1) * size);
    if (!grown) return LINNET_E_NOMEM;
    *array = grown;
    return 0;
}

static int push(uint32_t **list, uint32_t *count, uint32_t value) {
    int rc = grow((void **)list, *count, sizeof **list);
    if (rc) return rc;
    (*list)[(*count)++] = value;
    return 0;
}

static bool copy_list(const uint32_t *from, uint32_t count, uint32_t **to) {
    uint32_t capacity = 1;
    while (capacity < count)
        capacity *= 2; /* as grow() expects */
    *to = calloc(capacity, sizeof **to);
    if (!*to) return false;
    if (count) memcpy(*to, from, count * sizeof **to);
    return true;
}

static bool clone_parts(const struct linnet_nn_graph *graph, struct linnet_nn_graph *copy) {
    for (; copy->ntensors < graph->ntensors; copy->ntensors++) {
        const struct linnet_nn_tensor *from = &graph->tensors[copy->ntensors];
        struct linnet_nn_tensor *to = &copy->tensors[copy->ntensors];
        *to = *from;
        linnet_nn_data_ref(to->data);
        to->name = strdup(from->name);
        if (!copy_list(from->users, from->nusers, &to->users) || !to->name) {
            tensor_done(to);
            return false;
        }
    }
    for (; copy->nnodes < graph->nnodes; copy->nnodes++) {
        const struct linnet_nn_node *from = &graph->nodes[copy->nnodes];
        struct linnet_nn_node *to = &copy->nodes[copy->nnodes];
        *to = *from;
        to->name = strdup(from->name);
        if (!copy_list(from->inputs, from->ninputs, &to->inputs) || !to->name) {
            node_done(to);
            return false;
        }
    }
    return true;
}

struct linnet_nn_graph *linnet_nn_graph_clone(const struct linnet_nn_graph *graph) {
    struct linnet_nn_graph *copy = linnet_nn_graph_new();
    if (!copy) return NULL;
    uint32_t tensors = 1, nodes = 1;
    while (tensors < graph->ntensors)
        tensors *= 2;
    while (nodes < graph->nnodes)
        nodes *= 2;
    copy->tensors = calloc(tensors, sizeof *copy->tensors);
    copy->nodes = calloc(nodes, sizeof *copy->nodes);
    copy->ninputs = graph->ninputs;
    copy->noutputs = graph->noutputs;
    if (!copy->tensors || !copy->nodes || !copy_list(graph->inputs, graph->ninputs, &copy->inputs) ||
        !copy_list(graph->outputs, graph->noutputs, &copy->outputs) || !clone_parts(graph, copy)) {
        linnet_nn_graph_free(copy);
        return NULL;
    }
    return copy;
}

static int add_tensor(struct linnet_nn_graph *graph, const char *name, const struct linnet_nn_shape *shape,
                      uint32_t *tensor) {
    int64_t elements = linnet_nn_shape_elements(shape, 1);
    if (!elements) return LINNET_E_INVALID;
    if (elements < 0 || elements > LINNET_NN_ELEMENTS_MAX) return LINNET_E_LIMIT;
    int rc = grow((void **)&graph->tensors, graph->ntensors, sizeof *graph->tensors);
    if (rc) return rc;
    struct linnet_nn_tensor *added = &graph->tensors[graph->ntensors];
    memset(added, 0, sizeof *added);
    added->name = strdup(name ? name : "");
    if (!added->name) return LINNET_E_NOMEM;
    added->shape = *shape;
    added->type = LINNET_NN_F32;
    added->scale = 1;
    added->producer = LINNET_NN_NONE;
    *tensor = graph->ntensors++;
    return 0;
}

int linnet_nn_graph_add_input(struct linnet_nn_graph *graph, const char *name,
                              const struct linnet_nn_shape *shape, uint32_t *tensor) {
    uint32_t added;
    int rc = add_tensor(graph, name, shape, &added);
    if (!rc) rc = push(&graph->inputs, &graph->ninputs, added);
    if (!rc) *tensor = added;
    return rc;
}

int linnet_nn_graph_add_constant(struct linnet_nn_graph *graph, const char *name,
                                 const struct linnet_nn_shape *shape, struct linnet_nn_data *data,
                                 uint32_t *tensor) {
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0) return LINNET_E_INVALID;
    if (linnet_nn_shape_elements(shape, 1) != (int64_t)data->count) return LINNET_E_INVALID;
    uint32_t added;
    int rc = add_tensor(graph, name, shape, &added);
    if (rc) return rc;
    graph->tensors[added].data = linnet_nn_data_ref(data);
    *tensor = added;
    return 0;
}

/* Take the last tensor back, which nobody uses yet. */
static void drop_last_tensor(struct linnet_nn_graph *graph) {
    tensor_done(&graph->tensors[--graph->ntensors]);
}

static int use(struct linnet_nn_graph *graph, uint32_t tensor, uint32_t node) {
    struct linnet_nn_tensor *used = &graph->tensors[tensor];
    return push(&used->users, &used->nusers, node);
}

static void unuse(struct linnet_nn_graph *graph, uint32_t tensor, uint32_t node) {
    struct linnet_nn_tensor *used = &graph->tensors[tensor];
    for (uint32_t i = 0; i < used->nusers; i++) {
        if (used->users[i] != node) continue;
        memmove(used->users + i, used->users + i + 1, (used->nusers - i - 1) * sizeof *used->users);
        used->nusers--;
        return;
    }
}

/* Append the node, its output's tensor being there already. */
static int append_node(struct linnet_nn_graph *graph, const struct linnet_nn_node *wanted, const char *name,
                       uint32_t output) {
    if (graph->nnodes >= LINNET_NN_NODES_MAX) return LINNET_E_LIMIT;
    int rc = grow((void **)&graph->nodes, graph->nnodes, sizeof *graph->nodes);
    if (rc) return rc;
    struct linnet_nn_node node = *wanted;
    node.posts[0] = (struct linnet_nn_post){0};
    node.nposts = 0;
    node.output = output;
    node.name = strdup(name ? name : "");
    if (!copy_list(wanted->inputs, wanted->ninputs, &node.inputs) || !node.name) {
        node_done(&node);
        return LINNET_E_NOMEM;
    }
    for (uint32_t i = 0; i < node.ninputs && !rc; i++) {
        rc = use(graph, node.inputs[i], graph->nnodes);
        for (uint32_t k = 0; rc && k < i; k++)
            unuse(graph, node.inputs[k], graph->nnodes);
    }
    if (rc) {
        node_done(&node);
        return rc;
    }
    graph->tensors[output].producer = graph->nnodes;
    graph->nodes[graph->nnodes++] = node;
    return 0;
}

int linnet_nn_graph_add_node(struct linnet_nn_graph *graph, const struct linnet_nn_node *wanted,
                             const char *node_name, const char *name, const struct linnet_nn_shape *shape,
                             uint32_t *tensor, struct linnet_error *err) {
    struct linnet_nn_shape inferred;
    int rc = linnet_nn_infer(graph, wanted, shape, &inferred, err);
    if (rc) return rc;
    uint32_t output;
    rc = add_tensor(graph, name, &inferred, &output);
    if (!rc) {
        rc = append_node(graph, wanted, node_name, output);
        if (rc) drop_last_tensor(graph);
    }
    if (rc == LINNET_E_LIMIT)
        return linnet_nn_fail(err, rc, "the network is too large (more than %d nodes or %lld elements)",
                              LINNET_NN_NODES_MAX, (long long)LINNET_NN_ELEMENTS_MAX);
    if (rc == LINNET_E_INVALID) return linnet_nn_fail(err, rc, "its output would have no elements");
    if (rc) return linnet_nn_fail(err, rc, "%s", linnet_error_message(rc));
    *tensor = output;
    return 0;
}

int linnet_nn_graph_add_output(struct linnet_nn_graph *graph, uint32_t tensor) {
    int rc = push(&graph->outputs, &graph->noutputs, tensor);
    if (!rc) graph->tensors[tensor].output = true;
    return rc;
}

int linnet_nn_graph_set_input(struct linnet_nn_graph *graph, uint32_t node, uint32_t index, uint32_t tensor) {
    uint32_t *input = &graph->nodes[node].inputs[index];
    if (*input == tensor) return 0;
    int rc = use(graph, tensor, node);
    if (rc) return rc;
    unuse(graph, *input, node);
    *input = tensor;
    return 0;
}

void linnet_nn_graph_drop_input(struct linnet_nn_graph *graph, uint32_t node, uint32_t index) {
    struct linnet_nn_node *changed = &graph->nodes[node];
    unuse(graph, changed->inputs[index], node);
    changed->ninputs--;
    memmove(changed->inputs + index, changed->inputs + index + 1,
            (changed->ninputs - index) * sizeof *changed->inputs);
}

int linnet_nn_graph_append_input(struct linnet_nn_graph *graph, uint32_t node, uint32_t tensor) {
    struct linnet_nn_node *changed = &graph->nodes[node];
    int rc = use(graph, tensor, node);
    if (rc) return rc;
    rc = push(&changed->inputs, &changed->ninputs, tensor);
    if (rc) unuse(graph, tensor, node);
    return rc;
}

int linnet_nn_graph_replace(struct linnet_nn_graph *graph, uint32_t from, uint32_t to) {
    struct linnet_nn_tensor *old = &graph->tensors[from];
    while (old->nusers) {
        uint32_t node = old->users[old->nusers - 1];
        int rc = use(graph, to, node);
        if (rc) return rc;
        old->nusers--;
        struct linnet_nn_node *user = &graph->nodes[node];
        for (uint32_t i = 0; i < user->ninputs; i++) {
            if (user->inputs[i] != from) continue;
            user->inputs[i] = to;
            break; /* one entry of users stands for one input */
        }
    }
    char *name = graph->tensors[to].name;
    graph->tensors[to].name = old->name;
    old->name = name;
    if (!old->output) return 0;
    for (uint32_t i = 0; i < graph->noutputs; i++)
        if (graph->outputs[i] == from) graph->outputs[i] = to;
    old->output = false;
    graph->tensors[to].output = true;
    return 0;
}

void linnet_nn_graph_remove(struct linnet_nn_graph *graph, uint32_t node) {
    struct linnet_nn_node *removed = &graph->nodes[node];
    for (uint32_t i = 0; i < removed->ninputs; i++)
        unuse(graph, removed->inputs[i], node);
    graph->tensors[removed->output].producer = LINNET_NN_NONE;
    removed->ninputs = 0;
    removed->nposts = 0;
    removed->op = LINNET_NN_OP_NONE;
}

uint32_t linnet_nn_graph_only_user(const struct linnet_nn_graph *graph, uint32_t tensor) {
    const struct linnet_nn_tensor *used = &graph->tensors[tensor];
    return used->nusers == 1 && !used->output ? used->users[0] : LINNET_NN_NONE;
}
