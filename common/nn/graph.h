/* The one representation of a network between the ONNX reader and the backends.
 *
 * A graph is tensors and nodes. A node is one operator with attributes, some input tensors and exactly one
 * output tensor; an ONNX operator with several outputs becomes several nodes. A tensor is an input of the
 * graph, a constant (it has data), or what one node makes. Tensors and nodes are named by index, stable for
 * the life of the graph; what a pass removes stays as a hole (LINNET_NN_OP_NONE) until linnet_nn_graph_sort
 * drops dead nodes and puts the rest in topological order.
 *
 * Shapes. All tensors are float; integers that only compute shapes (Shape, Gather, Concat before a Reshape)
 * are resolved by the reader and never get here. A dimension d >= 0 is itself; d < 0 is -d times the batch,
 * so one graph stands for every batch size, and constants are shared by all of them. Images are N, C, then
 * the spatial dimensions; the order in memory is the backend's business.
 *
 * What a backward pass needs is kept: the model's own graph is never rewritten (passes work on a clone),
 * operators keep their full attributes, BatchNormalization stays a node until the fold pass of an engine for
 * inference, and `trained` marks the constants that are parameters. A gradient can be derived node by node
 * from `users` and `producer`.
 *
 * A graph belongs to one thread while it is changed. Clones share constants, which are counted and immutable.
 */
#ifndef LINNET_NN_GRAPH_H
#define LINNET_NN_GRAPH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/nn/nn.h"

#define LINNET_NN_NONE        UINT32_MAX
#define LINNET_NN_SPATIAL_MAX 3
#define LINNET_NN_POSTS_MAX   4
#define LINNET_NN_NODES_MAX   100000
/* The most elements of one tensor, per sample. */
#define LINNET_NN_ELEMENTS_MAX (INT64_C(1) << 33)

/*        operator     what its inputs are */
#define LINNET_NN_OPS(X)                                                                                     \
    X(NONE, "removed")                                                                                       \
    X(CONV, "Conv")               /* data, weights [O, I/groups, k...], optional bias [O] */                 \
    X(GEMM, "Gemm")               /* data [..., K], weights [O, K], optional bias [O] */                     \
    X(MATMUL, "MatMul")           /* a [..., M, K], b [..., K, N], leading dimensions broadcast */           \
    X(POOL, "Pool")               /* data */                                                                 \
    X(REDUCE, "Reduce")           /* data; reduced dimensions stay as 1 */                                   \
    X(NORM, "BatchNormalization") /* data, scale [C], shift [C], mean [C], variance [C] */                   \
    X(UNARY, "Unary")             /* data */                                                                 \
    X(BINARY, "Binary")           /* a, b, broadcast by NumPy's rules */                                     \
    X(CONCAT, "Concat")           /* one or more */                                                          \
    X(SOFTMAX, "Softmax")         /* data */                                                                 \
    X(RESHAPE, "Reshape")         /* data; also Flatten, Squeeze, Unsqueeze */                               \
    X(TRANSPOSE, "Transpose")     /* data */                                                                 \
    X(PAD, "Pad")                 /* data */                                                                 \
    X(SLICE, "Slice")             /* data; also Split and Gather of one index */                             \
    X(IDENTITY, "Identity")       /* data; also Dropout and casts that change nothing */                     \
    X(LAYER_NORM, "LayerNorm")    /* data [..., C], scale [C], shift [C]: over the last dimension */         \
    X(ATTENTION, "Attention")     /* queries [..., L, K], keys [..., S, K], values [..., S, V] */            \
    X(EXPAND, "Expand")           /* data, repeated to a shape by NumPy's rules */

enum linnet_nn_op {
#define X(name, label) LINNET_NN_OP_##name,
    LINNET_NN_OPS(X)
#undef X
};

/* Functions of one value. alpha and beta as said; others ignore them. */
enum linnet_nn_function {
    LINNET_NN_RELU,         /* max(x, 0) */
    LINNET_NN_LEAKY_RELU,   /* x > 0 ? x : alpha x */
    LINNET_NN_CLIP,         /* min(max(x, alpha), beta) */
    LINNET_NN_SIGMOID,      /* 1 / (1 + exp(-x)) */
    LINNET_NN_HARD_SIGMOID, /* min(max(alpha x + beta, 0), 1) */
    LINNET_NN_HARD_SWISH,   /* x min(max(x / 6 + 1/2, 0), 1) */
    LINNET_NN_SWISH,        /* x sigmoid(alpha x) */
    LINNET_NN_TANH,
    LINNET_NN_ELU,    /* x > 0 ? x : alpha (exp(x) - 1) */
    LINNET_NN_LINEAR, /* alpha x + beta */
    LINNET_NN_SQRT,
    LINNET_NN_EXP,
    LINNET_NN_ABS,
    LINNET_NN_ERF,       /* 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x */
    LINNET_NN_GELU,      /* x (1 + erf(x / sqrt(2))) / 2 (Hendrycks and Gimpel 2016) */
    LINNET_NN_GELU_TANH, /* x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, theirs too */
    LINNET_NN_POW,       /* x to the power alpha */
};

enum linnet_nn_arithmetic {
    LINNET_NN_ADD,
    LINNET_NN_SUB,
    LINNET_NN_MUL,
    LINNET_NN_DIV,
    LINNET_NN_MIN,
    LINNET_NN_MAX
};
enum linnet_nn_reduction {
    LINNET_NN_REDUCE_MEAN,
    LINNET_NN_REDUCE_SUM,
    LINNET_NN_REDUCE_MAX,
    LINNET_NN_REDUCE_MIN
};

struct linnet_nn_shape {
    int rank;
    int64_t dims[LINNET_NN_RANK_MAX];
};

/* A function with its parameters. */
struct linnet_nn_unary {
    enum linnet_nn_function function;
    float alpha, beta;
};

/* The moving window of a convolution or a pool, per spatial dimension. */
struct linnet_nn_window {
    int rank;
    int64_t kernel[LINNET_NN_SPATIAL_MAX];
    int64_t strides[LINNET_NN_SPATIAL_MAX];
    int64_t dilations[LINNET_NN_SPATIAL_MAX];
    int64_t before[LINNET_NN_SPATIAL_MAX]; /* padding */
    int64_t after[LINNET_NN_SPATIAL_MAX];
};

/* What is done to a node's result before it is written, fused there by the passes, in order. */
enum linnet_nn_post_kind {
    LINNET_NN_POST_UNARY, /* a function */
    LINNET_NN_POST_ADD    /* plus inputs[input], of the result's own shape: a residual */
};
struct linnet_nn_post {
    enum linnet_nn_post_kind kind;
    struct linnet_nn_unary unary;
    uint32_t input;
};

union linnet_nn_attributes {
    struct {
        struct linnet_nn_window window;
        int64_t groups;
    } conv;
    struct {
        struct linnet_nn_window window;
        bool average;         /* else the maximum */
        bool include_padding; /* of the average: padding counts as zeros */
    } pool;
    struct {
        enum linnet_nn_reduction kind;
        bool axes[LINNET_NN_RANK_MAX];
    } reduce;
    struct {
        float epsilon;
    } norm; /* NORM, LAYER_NORM */
    struct {
        float scale; /* softmax(scale Q K^T) V (Vaswani et al. 2017) */
    } attention;
    struct linnet_nn_unary unary;
    struct {
        enum linnet_nn_arithmetic kind;
    } binary;
    struct {
        int axis;
    } concat, softmax;
    struct {
        int axes[LINNET_NN_RANK_MAX]; /* output dimension i is input dimension axes[i] */
    } transpose;
    struct {
        int64_t before[LINNET_NN_RANK_MAX];
        int64_t after[LINNET_NN_RANK_MAX];
        float value;
    } pad;
    struct {
        int64_t starts[LINNET_NN_RANK_MAX]; /* lengths are the output's dimensions, steps are 1 */
    } slice;
};

/* Constant values, counted and immutable once a tensor has them. */
struct linnet_nn_data {
    atomic_uint references;
    size_t count;  /* elements */
    float *values; /* owned, malloc'ed */
    float *steps;  /* owned; of values that came as whole numbers: what one step is, for each place of the
                      first dimension of `nsteps`. NULL: they did not */
    size_t nsteps;
};

struct linnet_nn_tensor {
    char *name;
    struct linnet_nn_shape shape;
    enum linnet_nn_type type;    /* F32 until the precision pass */
    float scale;                 /* of U8 and S8: an element stands for itself times that; else 1 */
    struct linnet_nn_data *data; /* of a constant; NULL otherwise */
    bool trained;                /* a parameter of the network */
    bool output;                 /* of the graph */
    uint32_t producer;           /* node; LINNET_NN_NONE for inputs and constants */
    uint32_t *users;             /* nodes that read it, one entry for each time */
    uint32_t nusers;
};

struct linnet_nn_node {
    enum linnet_nn_op op;
    char *name;       /* the ONNX node's; "" if it had none */
    uint32_t *inputs; /* tensors */
    uint32_t ninputs;
    uint32_t output;
    union linnet_nn_attributes at;
    struct linnet_nn_post posts[LINNET_NN_POSTS_MAX];
    uint32_t nposts;
};

struct linnet_nn_graph {
    struct linnet_nn_tensor *tensors;
    struct linnet_nn_node *nodes;
    uint32_t *inputs;  /* tensors */
    uint32_t *outputs; /* tensors, in the model's order; after passes not always of the output's name */
    uint32_t ntensors, nnodes, ninputs, noutputs;
};

const char *linnet_nn_op_name(enum linnet_nn_op op);
const char *linnet_nn_function_name(enum linnet_nn_function function);
/* f(x) in double precision, the definition that all backends are held to. */
double linnet_nn_function_apply(const struct linnet_nn_unary *unary, double x);

/* Shapes: equal, elements of one batch (LINNET_E_LIMIT by -1 on overflow), one dimension at a batch size. */
bool linnet_nn_shape_equal(const struct linnet_nn_shape *a, const struct linnet_nn_shape *b);
int64_t linnet_nn_shape_elements(const struct linnet_nn_shape *shape, unsigned batch);
int64_t linnet_nn_dim_at(int64_t dim, unsigned batch);
/* "[N, 3, 299, 299]", "[12N, 49]" into text[size]. */
void linnet_nn_shape_print(const struct linnet_nn_shape *shape, char *text, size_t size);

/* Constant values: take `values` (malloc'ed, `count` floats); NULL and `values` freed without memory. */
struct linnet_nn_data *linnet_nn_data_new(float *values, size_t count);
struct linnet_nn_data *linnet_nn_data_ref(struct linnet_nn_data *data);
void linnet_nn_data_unref(struct linnet_nn_data *data);

struct linnet_nn_graph *linnet_nn_graph_new(void);
void linnet_nn_graph_free(struct linnet_nn_graph *graph);
/* A copy that shares the constants. NULL without memory. */
struct linnet_nn_graph *linnet_nn_graph_clone(const struct linnet_nn_graph *graph);

/* Add a tensor without a producer: an input of the graph, or a constant (takes a reference of its own of
 * `data`, whose count must fit the shape). Names are copied. LINNET_E_NOMEM, LINNET_E_LIMIT,
 * LINNET_E_INVALID. */
int linnet_nn_graph_add_input(struct linnet_nn_graph *graph, const char *name,
                              const struct linnet_nn_shape *shape, uint32_t *tensor);
int linnet_nn_graph_add_constant(struct linnet_nn_graph *graph, const char *name,
                                 const struct linnet_nn_shape *shape, struct linnet_nn_data *data,
                                 uint32_t *tensor);
/* Add a node and its output tensor `name`, whose shape is inferred (common/nn/shape.h) from `wanted`'s
 * operator, attributes and inputs (wanted->inputs is copied; name, output and posts are ignored). `shape` is
 * the output's for RESHAPE, SLICE and EXPAND, where it can't be inferred, and NULL for others.
 * LINNET_E_INVALID in words of shapes, LINNET_E_LIMIT, LINNET_E_NOMEM. */
int linnet_nn_graph_add_node(struct linnet_nn_graph *graph, const struct linnet_nn_node *wanted,
                             const char *node_name, const char *name, const struct linnet_nn_shape *shape,
                             uint32_t *tensor, struct linnet_error *err);
int linnet_nn_graph_add_output(struct linnet_nn_graph *graph, uint32_t tensor);

/* Rewriting. Change one input of a node; drop one; append one; let every user (and output) of `from` use
 * `to`, which takes its name, being that value from then on; take a node out (its output must have no user
 * left). LINNET_E_NOMEM: nothing was changed, but for
 * replace, which may have got half way. */
int linnet_nn_graph_set_input(struct linnet_nn_graph *graph, uint32_t node, uint32_t index, uint32_t tensor);
void linnet_nn_graph_drop_input(struct linnet_nn_graph *graph, uint32_t node, uint32_t index);
int linnet_nn_graph_append_input(struct linnet_nn_graph *graph, uint32_t node, uint32_t tensor);
int linnet_nn_graph_replace(struct linnet_nn_graph *graph, uint32_t from, uint32_t to);
void linnet_nn_graph_remove(struct linnet_nn_graph *graph, uint32_t node);
/* The node that alone reads `tensor`, LINNET_NN_NONE if there are none or several, or it is an output of the
 * graph. */
uint32_t linnet_nn_graph_only_user(const struct linnet_nn_graph *graph, uint32_t tensor);
/* Drop what no output depends on, and put nodes in an order where each follows those it reads, otherwise as
 * they stood. Node indexes change, tensor indexes do not. LINNET_E_INVALID: a cycle. */
int linnet_nn_graph_sort(struct linnet_nn_graph *graph);

#endif
