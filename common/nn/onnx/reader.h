/* The ONNX reader: a ModelProto becomes a graph (common/nn/graph.h).
 *
 * Each node is read by one handler of the table in operators.c. A value of the file is either a float tensor
 * of the graph or integers known at reading time (shapes, axes, indices): PyTorch's exports compute shapes by
 * Shape, Gather, Concat, ..., and these are resolved here, the batch staying symbolic. All input is foreign:
 * every count, size and name is checked, and errors name the node and its operator.
 *
 * Internal to common/nn. One thread per reader. */
#ifndef LINNET_NN_ONNX_READER_H
#define LINNET_NN_ONNX_READER_H

#include "common/nn/graph.h"
#include "common/nn/ranges.h"
#include "onnx.pb-c.h"

#define LINNET_ONNX_OPSET_MIN 7
#define LINNET_ONNX_OPSET_MAX 21
/* The most integers that one shape computation may hold, and the largest attribute of a window. */
#define LINNET_ONNX_INTEGERS_MAX 65536
#define LINNET_ONNX_WINDOW_MAX   (1 << 20)

/* One integer known while reading: `value`, or `value` times the batch. */
struct linnet_onnx_integer {
    int64_t value;
    bool per_batch;
};

/* An integer tensor known while reading. */
struct linnet_onnx_integers {
    int rank;
    int64_t dims[LINNET_NN_RANK_MAX];
    size_t count;
    int type;                          /* ONNX's, of a constant of the file; else 0 */
    struct linnet_onnx_integer *items; /* owned */
};

/* What a QuantizeLinear does to a value that is not constant. */
struct linnet_onnx_rounding {
    uint32_t tensor; /* the value */
    float scale, zero;
    float low, high; /* what its 8 bits span */
};

/* What a name of the file stands for. */
struct linnet_onnx_value {
    char *name;                            /* owned; NULL: free place of the table */
    uint32_t tensor;                       /* LINNET_NN_NONE: integers */
    struct linnet_onnx_integers *integers; /* owned */
    uint32_t rounding;                     /* `tensor` in 8 bits: index + 1 of the reader's; 0: it is not */
};

struct linnet_onnx_reader {
    struct linnet_nn_graph *graph;
    struct linnet_onnx_value *table; /* open addressing, capacity a power of two */
    size_t capacity, count;
    struct linnet_onnx_rounding *roundings;
    size_t nroundings;
    size_t elements, changed; /* of float constants: as read, and made of others */
    int64_t opset;
    const char *folder; /* of external data; NULL: none */
    struct linnet_error *err;
};

/* A node being read. */
struct linnet_onnx_node {
    struct linnet_onnx_reader *reader;
    const Onnx__NodeProto *proto;
};

/* wire.c: unpack with bounded depth and memory. `mapped`: the bytes are a file's, mapped privately and never
 * written to, whose pages may be dropped on the way. LINNET_E_PARSE, LINNET_E_LIMIT. The caller frees with
 * onnx__model_proto__free_unpacked(m, NULL). */
int linnet_onnx_unpack(const void *data, size_t size, bool mapped, Onnx__ModelProto **out,
                       struct linnet_error *err);

/* reader.c: the graph of a model, and of one that is quantised already the ranges of its values (NULL:
 * none). `folder` may be NULL. */
int linnet_onnx_read(Onnx__ModelProto *model, const char *folder, struct linnet_nn_graph **out,
                     struct linnet_nn_ranges **ranges, struct linnet_error *err);
/* A foreign name made fit for a message: printable ASCII, at most size-1 bytes; returns `text`. */
const char *linnet_onnx_clean(const char *name, char *text, size_t size);

/* values.c: names. Bind takes `integers` whatever it returns. LINNET_E_PARSE: the name is taken. */
int linnet_onnx_bind(struct linnet_onnx_reader *reader, const char *name, uint32_t tensor,
                     struct linnet_onnx_integers *integers);
/* Make the name stand for a value in 8 bits. */
int linnet_onnx_bind_rounded(struct linnet_onnx_reader *reader, const char *name,
                             const struct linnet_onnx_rounding *rounding);
const struct linnet_onnx_value *linnet_onnx_find(const struct linnet_onnx_reader *reader, const char *name);
void linnet_onnx_values_done(struct linnet_onnx_reader *reader);
struct linnet_onnx_integers *linnet_onnx_integers_new(int rank, const int64_t *dims);
void linnet_onnx_integers_free(struct linnet_onnx_integers *integers);

/* tensor.c: a TensorProto as integers or as float values (one of the outputs set, the other NULL). raw_data
 * is taken over where it can be. */
int linnet_onnx_tensor(const struct linnet_onnx_reader *reader, Onnx__TensorProto *proto,
                       struct linnet_nn_shape *shape, struct linnet_nn_data **data,
                       struct linnet_onnx_integers **integers, struct linnet_error *err);

/* attribute.c: reading a node's attributes. Outputs keep the default where the attribute is absent.
 * LINNET_E_PARSE where it has another type. */
int linnet_onnx_int(const struct linnet_onnx_node *node, const char *name, int64_t fallback, int64_t *out);
int linnet_onnx_float(const struct linnet_onnx_node *node, const char *name, float fallback, float *out);
/* A list of at most `max`; *count -1 where absent. */
int linnet_onnx_ints(const struct linnet_onnx_node *node, const char *name, int max, int64_t *out,
                     int *count);
/* A string attribute equal to one of `choices` (ended by NULL): its index; 0 where absent. */
int linnet_onnx_choice(const struct linnet_onnx_node *node, const char *name, const char *const *choices,
                       int *out);
Onnx__AttributeProto *linnet_onnx_attribute(const struct linnet_onnx_node *node, const char *name);

/* node.c: inputs and outputs of the node being read. */
bool linnet_onnx_has_input(const struct linnet_onnx_node *node, size_t index);
/* What was done to an input in 8 bits, until the next one is bound; NULL: it is none. */
const struct linnet_onnx_rounding *linnet_onnx_rounded(const struct linnet_onnx_node *node, size_t index);
/* Float input; integers that are no multiple of the batch become a constant. */
int linnet_onnx_tensor_input(const struct linnet_onnx_node *node, size_t index, uint32_t *tensor);
/* Integers; LINNET_E_UNSUPPORTED where they depend on the data. */
int linnet_onnx_integer_input(const struct linnet_onnx_node *node, size_t index,
                              const struct linnet_onnx_integers **integers);
/* Integers without the batch in them, at most `max`. */
int linnet_onnx_plain_integers(const struct linnet_onnx_node *node, size_t index, int max, int64_t *out,
                               int *count);
/* The value of a constant float input of one element. */
int linnet_onnx_scalar_input(const struct linnet_onnx_node *node, size_t index, float *out);
const struct linnet_nn_tensor *linnet_onnx_tensor_at(const struct linnet_onnx_node *node, uint32_t tensor);
/* An axis counted from the end where negative, into 0..rank-1. */
int linnet_onnx_axis(const struct linnet_onnx_node *node, int64_t axis, int rank, int *out);
/* Add a node to the graph; bound to output `index` of the file's node, or (index < 0) internal to it. */
int linnet_onnx_emit(const struct linnet_onnx_node *node, const struct linnet_nn_node *wanted, int index,
                     const struct linnet_nn_shape *shape, uint32_t *tensor);
/* Make the output another name of `tensor`, or integers (taken). */
int linnet_onnx_output_tensor(const struct linnet_onnx_node *node, size_t index, uint32_t tensor);
int linnet_onnx_output_integers(const struct linnet_onnx_node *node, size_t index,
                                struct linnet_onnx_integers *integers);
/* An error of this node, in words; the value is the code. */
#define linnet_onnx_fail(node, code, ...) (linnet_onnx_say((node), (code), __VA_ARGS__), (code))
void linnet_onnx_say(const struct linnet_onnx_node *node, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* operators.c: the table. `attributes` are the names that the handler knows, divided by spaces: another one
 * is an error, as it could change the result. */
struct linnet_onnx_operator {
    const char *name;
    const char *attributes;
    size_t inputs_min, inputs_max;
    int (*read)(const struct linnet_onnx_node *node);
};
const struct linnet_onnx_operator *linnet_onnx_operator(const char *name);
/* All names, divided by ", ". */
void linnet_onnx_operators_print(char *text, size_t size);

#endif
