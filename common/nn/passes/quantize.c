/* Where 8 bits are used, and with which scales: symmetric, one scale for a whole value, as in Jacob et al.
 * 2018 ("Quantization and training of neural networks for efficient integer-arithmetic-only inference") but
 * without zero points; values that are never negative have all 256 steps for what they are. */
#include <stdlib.h>
#include <string.h>

#include "common/nn/passes/passes.h"

/* What is known of one tensor. */
struct note {
    bool ranged;    /* its range is known */
    bool possible;  /* it could be kept in 8 bits */
    bool narrow;    /* it is */
    uint32_t group; /* tensors of one scale: the first of them */
    float low, high;
    uint32_t copy; /* the same values in the other form; LINNET_NN_NONE: not made yet */
};

struct quantising {
    struct linnet_nn_graph *graph;
    struct note *notes; /* of each tensor that was there at first */
};

/* The node's data is multiplied by constants, and its range is known: it can compute in integers. */
static bool is_product(const struct quantising *self, const struct linnet_nn_node *node) {
    if (node->op != LINNET_NN_OP_CONV && node->op != LINNET_NN_OP_GEMM) return false;
    const struct linnet_nn_graph *graph = self->graph;
    uint32_t own = node->ninputs;
    for (uint32_t i = 0; i < node->nposts; i++)
        own -= node->posts[i].kind == LINNET_NN_POST_ADD;
    for (uint32_t i = 1; i < own; i++)
        if (!graph->tensors[node->inputs[i]].data) return false;
    return self->notes[node->inputs[0]].ranged && !graph->tensors[node->inputs[0]].data;
}

/* Nodes whose results are among, or between, their inputs' elements: these share a scale. */
static bool moves(const struct linnet_nn_node *node) {
    switch (node->op) {
    case LINNET_NN_OP_POOL:
    case LINNET_NN_OP_CONCAT:
    case LINNET_NN_OP_RESHAPE:
    case LINNET_NN_OP_TRANSPOSE:
    case LINNET_NN_OP_SLICE:
    case LINNET_NN_OP_IDENTITY:
        return !node->nposts;
    default:
        return false;
    }
}

/* Could what the node makes be kept in 8 bits? The network's answers are not: rounding them would be the last
 * error, and nothing reads them in 8 bits. What comes before the node is decided. */
static bool is_possible(const struct quantising *self, const struct linnet_nn_node *node) {
    if (!self->notes[node->output].ranged || self->graph->tensors[node->output].output) return false;
    if (moves(node)) {
        for (uint32_t i = 0; i < node->ninputs; i++)
            if (!self->notes[node->inputs[i]].possible) return false;
        return true;
    }
    if (!is_product(self, node)) return false;
    for (uint32_t i = 0; i < node->nposts; i++)
        if (node->posts[i].kind == LINNET_NN_POST_ADD &&
            !self->notes[node->inputs[node->posts[i].input]].ranged)
            return false;
    return true;
}

/* Would `user` read `tensor` in 8 bits? What it makes is decided. */
static bool reads_narrow(const struct quantising *self, const struct linnet_nn_node *user, uint32_t tensor) {
    if (moves(user)) return self->notes[user->output].narrow;
    if (!is_product(self, user)) return false;
    return user->inputs[0] == tensor || self->notes[user->output].narrow;
}

/* What is possible from the beginning, what is wanted of it from the end, so that what reads a value is
 * decided before it. */
static void decide(struct quantising *self) {
    for (uint32_t i = 0; i < self->graph->nnodes; i++) {
        const struct linnet_nn_node *node = &self->graph->nodes[i];
        self->notes[node->output].possible = is_possible(self, node);
    }
    for (uint32_t i = self->graph->nnodes; i-- > 0;) {
        const struct linnet_nn_node *node = &self->graph->nodes[i];
        const struct linnet_nn_tensor *made = &self->graph->tensors[node->output];
        bool wanted = false;
        for (uint32_t k = 0; k < made->nusers; k++)
            wanted = wanted || reads_narrow(self, &self->graph->nodes[made->users[k]], node->output);
        self->notes[node->output].narrow = wanted && self->notes[node->output].possible;
    }
}

static uint32_t first_of(struct quantising *self, uint32_t tensor) {
    while (self->notes[tensor].group != tensor)
        tensor = self->notes[tensor].group;
    return tensor;
}

static void join(struct quantising *self, uint32_t a, uint32_t b) {
    a = first_of(self, a);
    b = first_of(self, b);
    if (a == b) return;
    self->notes[b].group = a;
    if (self->notes[b].low < self->notes[a].low) self->notes[a].low = self->notes[b].low;
    if (self->notes[b].high > self->notes[a].high) self->notes[a].high = self->notes[b].high;
}

static void join_moved(struct quantising *self) {
    for (uint32_t i = 0; i < self->graph->nnodes; i++) {
        const struct linnet_nn_node *node = &self->graph->nodes[i];
        for (uint32_t k = 0; k < node->ninputs; k++)
            if (moves(node) && self->notes[node->output].narrow) join(self, node->output, node->inputs[k]);
    }
}

/* The type and the scale of a tensor in 8 bits. */
static void form_of(struct quantising *self, uint32_t tensor, enum linnet_nn_type *type, float *scale) {
    const struct note *note = &self->notes[first_of(self, tensor)];
    float size = -note->low > note->high ? -note->low : note->high;
    *type = note->low < 0 ? LINNET_NN_S8 : LINNET_NN_U8;
    *scale = size / (note->low < 0 ? 127 : 255);
}

/* The tensor in the other form: an IDENTITY made once. */
static int other_form(struct quantising *self, uint32_t tensor, uint32_t *copy) {
    struct note *note = &self->notes[tensor];
    if (note->copy == LINNET_NN_NONE) {
        struct linnet_nn_node identity = {.op = LINNET_NN_OP_IDENTITY, .inputs = &tensor, .ninputs = 1};
        int rc = linnet_nn_graph_add_node(self->graph, &identity, "", self->graph->tensors[tensor].name, NULL,
                                          &note->copy, NULL);
        if (rc) return rc;
        struct linnet_nn_tensor *made = &self->graph->tensors[note->copy];
        if (!note->narrow) form_of(self, tensor, &made->type, &made->scale);
    }
    *copy = note->copy;
    return 0;
}

static int convert_input(struct quantising *self, uint32_t node, uint32_t index) {
    uint32_t copy;
    int rc = other_form(self, self->graph->nodes[node].inputs[index], &copy);
    return rc ? rc : linnet_nn_graph_set_input(self->graph, node, index, copy);
}

/* What the node reads, in the form that it reads: products their data, and what is added to a narrow result,
 * in 8 bits. */
static int convert_inputs(struct quantising *self, uint32_t index) {
    const struct linnet_nn_node *node = &self->graph->nodes[index];
    if (!is_product(self, node)) return 0;
    bool narrow = self->notes[node->output].narrow;
    int rc = self->notes[node->inputs[0]].narrow ? 0 : convert_input(self, index, 0);
    for (uint32_t i = 0; i < self->graph->nodes[index].nposts && !rc; i++) {
        node = &self->graph->nodes[index];
        const struct linnet_nn_post *post = &node->posts[i];
        if (post->kind != LINNET_NN_POST_ADD || !narrow || self->notes[node->inputs[post->input]].narrow)
            continue;
        rc = convert_input(self, index, post->input);
    }
    return rc;
}

static void note_ranges(struct quantising *self, const struct linnet_nn_ranges *ranges) {
    for (uint32_t i = 0; i < self->graph->ntensors; i++) {
        const struct linnet_nn_tensor *tensor = &self->graph->tensors[i];
        const struct linnet_nn_range *range =
            tensor->data ? NULL : linnet_nn_ranges_find(ranges, tensor->name);
        self->notes[i] = (struct note){.ranged = range != NULL, .group = i, .copy = LINNET_NN_NONE};
        if (!range) continue;
        self->notes[i].low = range->low;
        self->notes[i].high = range->high;
    }
}

int linnet_nn_quantize(struct linnet_nn_graph *graph, const struct linnet_nn_ranges *ranges) {
    struct quantising self = {graph, calloc(graph->ntensors ? graph->ntensors : 1, sizeof *self.notes)};
    uint32_t tensors = graph->ntensors, nodes = graph->nnodes;
    int rc = self.notes ? 0 : LINNET_E_NOMEM;
    if (rc) return rc;
    note_ranges(&self, ranges);
    decide(&self);
    join_moved(&self);
    for (uint32_t i = 0; i < tensors; i++)
        if (self.notes[i].narrow) form_of(&self, i, &graph->tensors[i].type, &graph->tensors[i].scale);
    for (uint32_t i = 0; i < nodes && !rc; i++)
        rc = convert_inputs(&self, i);
    free(self.notes);
    return rc ? rc : linnet_nn_graph_sort(graph);
}
