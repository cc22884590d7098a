/* A ModelProto's graph, node by node. */
#include "common/nn/onnx/reader.h"
#include "common/nn/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *linnet_onnx_clean(const char *name, char *text, size_t size) {
    size_t i = 0;
    for (; name && name[i] && i + 1 < size; i++)
        text[i] = name[i] >= 0x20 && name[i] < 0x7f ? name[i] : '?';
    text[i] = 0;
    return text;
}

static int fail_memory(struct linnet_onnx_reader *reader) {
    return linnet_nn_fail(reader->err, LINNET_E_NOMEM, "out of memory");
}

static int read_initializer(struct linnet_onnx_reader *reader, Onnx__TensorProto *proto) {
    struct linnet_nn_shape shape;
    struct linnet_nn_data *data;
    struct linnet_onnx_integers *integers;
    char text[64];
    const char *name = proto->name ? proto->name : "";
    int rc = linnet_onnx_tensor(reader, proto, &shape, &data, &integers, reader->err);
    if (rc) {
        linnet_error_prefix(reader->err, "initializer \"%s\"", linnet_onnx_clean(name, text, sizeof text));
        return rc;
    }
    if (integers) return linnet_onnx_bind(reader, name, LINNET_NN_NONE, integers);
    uint32_t tensor;
    reader->elements += data->count;
    bool empty =
        !data->count; /* an empty placeholder, as old Resize nodes have; an error only where it is used */
    rc = empty ? 0 : linnet_nn_graph_add_constant(reader->graph, name, &shape, data, &tensor);
    linnet_nn_data_unref(data);
    if (empty) return 0;
    if (rc)
        return linnet_nn_fail(reader->err, rc, "initializer \"%s\": %s",
                              linnet_onnx_clean(name, text, sizeof text), linnet_error_message(rc));
    reader->graph->tensors[tensor].trained = true;
    return linnet_onnx_bind(reader, name, tensor, NULL);
}

/* The shape of a declared input; the first dimension may be free and is the batch then. */
static int read_input_shape(struct linnet_onnx_reader *reader, const Onnx__ValueInfoProto *info,
                            const char *name, struct linnet_nn_shape *shape) {
    const Onnx__TypeProto *type = info->type;
    if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE || !type->tensor_type->shape)
        return linnet_nn_fail(reader->err, LINNET_E_UNSUPPORTED, "input \"%s\" is no tensor of known shape",
                              name);
    int element = type->tensor_type->elem_type;
    if (element != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT &&
        element != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 &&
        element != ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 &&
        element != ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE)
        return linnet_nn_fail(reader->err, LINNET_E_UNSUPPORTED,
                              "input \"%s\" is not of floating point (data type %d)", name, element);
    const Onnx__TensorShapeProto *dims = type->tensor_type->shape;
    if (!dims->n_dim || dims->n_dim > LINNET_NN_RANK_MAX)
        return linnet_nn_fail(reader->err, LINNET_E_UNSUPPORTED,
                              "input \"%s\" has %zu dimensions; 1 to %d are supported", name, dims->n_dim,
                              LINNET_NN_RANK_MAX);
    shape->rank = (int)dims->n_dim;
    for (int i = 0; i < shape->rank; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = dims->dim[i];
        bool known =
            dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && dim->dim_value > 0;
        if (!known && i)
            return linnet_nn_fail(
                reader->err, LINNET_E_UNSUPPORTED,
                "input \"%s\" leaves dimension %d free; only the batch (dimension 0) may be free: "
                "export it with a fixed size",
                name, i);
        shape->dims[i] = known ? dim->dim_value : -1;
    }
    return 0;
}

static int read_input(struct linnet_onnx_reader *reader, const Onnx__ValueInfoProto *info) {
    const char *name = info->name ? info->name : "";
    if (linnet_onnx_find(reader, name)) return 0; /* old files list the initializers as inputs too */
    char text[64];
    struct linnet_nn_shape shape;
    int rc = read_input_shape(reader, info, linnet_onnx_clean(name, text, sizeof text), &shape);
    if (rc) return rc;
    uint32_t tensor;
    rc = linnet_nn_graph_add_input(reader->graph, name, &shape, &tensor);
    if (rc) return linnet_nn_fail(reader->err, rc, "input \"%s\": %s", text, linnet_error_message(rc));
    return linnet_onnx_bind(reader, name, tensor, NULL);
}

/* Is `word` among the words of `list`? */
static bool among(const char *word, const char *list) {
    size_t size = strlen(word);
    for (const char *at = list; size && (at = strstr(at, word)); at += size)
        if ((at == list || at[-1] == ' ') && (at[size] == ' ' || !at[size])) return true;
    return false;
}

static int read_known_node(const struct linnet_onnx_node *node, const struct linnet_onnx_operator *operator) {
    const Onnx__NodeProto *proto = node->proto;
    char text[64];
    if (proto->n_input < operator->inputs_min || proto->n_input> operator->inputs_max || !proto->n_output)
        return linnet_onnx_fail(node, LINNET_E_PARSE, "it has %zu inputs and %zu outputs", proto->n_input,
                                proto->n_output);
    for (size_t i = 0; i < proto->n_attribute; i++) {
        const char *name = proto->attribute[i]->name ? proto->attribute[i]->name : "";
        if (!among(name, operator->attributes))
            return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED,
                                    "its attribute \"%s\" is not known; known are: %s",
                                    linnet_onnx_clean(name, text, sizeof text), operator->attributes);
    }
    return operator->read(node);
}

static int read_node(struct linnet_onnx_reader *reader, const Onnx__NodeProto *proto, size_t index) {
    char name[64], op[64], known[320];
    linnet_onnx_clean(proto->op_type, op, sizeof op);
    linnet_onnx_clean(proto->name, name, sizeof name);
    struct linnet_onnx_node node = {reader, proto};
    bool standard = !proto->domain || !*proto->domain || !strcmp(proto->domain, "ai.onnx");
    const struct linnet_onnx_operator *operator= standard && proto->op_type
        ? linnet_onnx_operator(proto->op_type)
        : NULL;
    int rc;
    if (operator) {
        rc = read_known_node(&node, operator);
    } else {
        linnet_onnx_operators_print(known, sizeof known);
        rc = linnet_onnx_fail(&node, LINNET_E_UNSUPPORTED,
                              "this operator is not supported; supported are: %s", known);
    }
    if (rc) linnet_error_prefix(reader->err, "node %zu \"%s\" (%s)", index, name, op);
    return rc;
}

static int read_output(struct linnet_onnx_reader *reader, const Onnx__ValueInfoProto *info) {
    char text[64];
    linnet_onnx_clean(info->name, text, sizeof text);
    const struct linnet_onnx_value *value = info->name ? linnet_onnx_find(reader, info->name) : NULL;
    if (!value) return linnet_nn_fail(reader->err, LINNET_E_PARSE, "output \"%s\" is made by no node", text);
    if (value->tensor == LINNET_NN_NONE)
        return linnet_nn_fail(reader->err, LINNET_E_UNSUPPORTED, "output \"%s\" holds integers", text);
    if (value->rounding)
        return linnet_nn_fail(reader->err, LINNET_E_UNSUPPORTED, "output \"%s\" holds integers of 8 bits",
                              text);
    uint32_t tensor = value->tensor;
    if (reader->graph->tensors[tensor].data)
        return linnet_nn_fail(reader->err, LINNET_E_INVALID, "output \"%s\" does not depend on any input",
                              text);
    /* An output that is another one's value, or an input's, gets a tensor of its own. */
    if (reader->graph->tensors[tensor].output || reader->graph->tensors[tensor].producer == LINNET_NN_NONE) {
        struct linnet_nn_node identity = {.op = LINNET_NN_OP_IDENTITY, .inputs = &tensor, .ninputs = 1};
        uint32_t own;
        int rc = linnet_nn_graph_add_node(reader->graph, &identity, "", info->name, NULL, &own, reader->err);
        if (rc) return rc;
        tensor = own;
    }
    char *name = strdup(info->name);
    if (!name || linnet_nn_graph_add_output(reader->graph, tensor)) {
        free(name);
        return fail_memory(reader);
    }
    free(reader->graph->tensors[tensor].name);
    reader->graph->tensors[tensor].name = name;
    return 0;
}

static int read_graph(struct linnet_onnx_reader *reader, const Onnx__GraphProto *graph) {
    int rc = 0;
    if (graph->n_node > LINNET_NN_NODES_MAX)
        return linnet_nn_fail(reader->err, LINNET_E_LIMIT, "%zu nodes, more than %d", graph->n_node,
                              LINNET_NN_NODES_MAX);
    if (graph->n_sparse_initializer)
        return linnet_nn_fail(reader->err, LINNET_E_UNSUPPORTED, "sparse initializers are not supported");
    for (size_t i = 0; i < graph->n_initializer && !rc; i++)
        rc = read_initializer(reader, graph->initializer[i]);
    for (size_t i = 0; i < graph->n_input && !rc; i++)
        rc = read_input(reader, graph->input[i]);
    if (!rc && !reader->graph->ninputs)
        rc = linnet_nn_fail(reader->err, LINNET_E_INVALID, "the graph has no input");
    for (size_t i = 0; i < graph->n_node && !rc; i++)
        rc = read_node(reader, graph->node[i], i);
    if (!rc && !graph->n_output)
        rc = linnet_nn_fail(reader->err, LINNET_E_INVALID, "the graph has no output");
    for (size_t i = 0; i < graph->n_output && !rc; i++)
        rc = read_output(reader, graph->output[i]);
    if (rc) return rc;
    rc = linnet_nn_graph_sort(reader->graph);
    return rc ? linnet_nn_fail(reader->err, rc, "the graph: %s", linnet_error_message(rc)) : 0;
}

static int read_opset(struct linnet_onnx_reader *reader, const Onnx__ModelProto *model) {
    reader->opset = model->n_opset_import ? 0 : 1;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = model->opset_import[i];
        if (!set->domain || !*set->domain || !strcmp(set->domain, "ai.onnx")) reader->opset = set->version;
    }
    if (reader->opset >= LINNET_ONNX_OPSET_MIN && reader->opset <= LINNET_ONNX_OPSET_MAX) return 0;
    return linnet_nn_fail(reader->err, LINNET_E_UNSUPPORTED,
                          "the file is of operator set %lld; %d to %d are supported",
                          (long long)reader->opset, LINNET_ONNX_OPSET_MIN, LINNET_ONNX_OPSET_MAX);
}

/* The ranges by the names that the values have in the end. */
static int name_ranges(const struct linnet_onnx_reader *reader, struct linnet_nn_ranges **out) {
    if (!reader->nroundings) return 0;
    struct linnet_nn_ranges *ranges = linnet_nn_ranges_new(reader->nroundings);
    int rc = ranges ? 0 : LINNET_E_NOMEM;
    for (size_t i = 0; i < reader->nroundings && !rc; i++) {
        const struct linnet_onnx_rounding *each = &reader->roundings[i];
        rc = linnet_nn_ranges_add(ranges, reader->graph->tensors[each->tensor].name, each->low, each->high);
    }
    if (rc) {
        linnet_nn_ranges_free(ranges);
        return linnet_nn_fail(reader->err, rc, "out of memory");
    }
    linnet_nn_ranges_settle(ranges);
    *out = ranges;
    return 0;
}

/* Weights in 8 bits that have been turned into what they stand for are not wanted twice. */
static void drop_unread(struct linnet_nn_graph *graph) {
    for (uint32_t i = 0; i < graph->ntensors; i++) {
        struct linnet_nn_tensor *tensor = &graph->tensors[i];
        if (tensor->nusers || tensor->output || !tensor->data) continue;
        linnet_nn_data_unref(tensor->data);
        tensor->data = NULL;
        tensor->trained = false;
    }
}

int linnet_onnx_read(Onnx__ModelProto *model, const char *folder, struct linnet_nn_graph **out,
                     struct linnet_nn_ranges **ranges, struct linnet_error *err) {
    struct linnet_error unwanted; /* messages are built up in place */
    struct linnet_onnx_reader reader = {.folder = folder, .err = err ? err : &unwanted};
    if (!model->graph) return linnet_nn_fail(err, LINNET_E_PARSE, "the file holds no graph");
    reader.graph = linnet_nn_graph_new();
    if (!reader.graph) return fail_memory(&reader);
    int rc = read_opset(&reader, model);
    if (!rc) rc = read_graph(&reader, model->graph);
    if (!rc && reader.changed) drop_unread(reader.graph);
    *ranges = NULL;
    if (!rc) rc = name_ranges(&reader, ranges);
    linnet_onnx_values_done(&reader);
    if (rc) {
        linnet_nn_graph_free(reader.graph);
        return rc;
    }
    *out = reader.graph;
    return 0;
}
