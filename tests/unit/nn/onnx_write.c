#include "tests/unit/nn/onnx_write.h"

#include <stdlib.h>
#include <string.h>

#include "onnx.pb-c.h"

struct onnx_file {
    Onnx__ModelProto model;
    Onnx__GraphProto graph;
    Onnx__OperatorSetIdProto opset, *opsets[1];
};

struct onnx_node {
    Onnx__NodeProto proto; /* first: a node of the graph is one of these */
};

static void *need(void *memory) {
    if (!memory) abort();
    return memory;
}

static char *copy(const char *text) {
    return need(strdup(text));
}

/* Append `item` to a list of pointers. */
static void append(void *list, size_t *count, void *item) {
    void ***items = list;
    *items = need(realloc(*items, (*count + 1) * sizeof **items));
    (*items)[(*count)++] = item;
}

struct onnx_file *onnx_new(int64_t opset) {
    struct onnx_file *file = need(calloc(1, sizeof *file));
    onnx__model_proto__init(&file->model);
    onnx__graph_proto__init(&file->graph);
    onnx__operator_set_id_proto__init(&file->opset);
    file->opset.domain = (char *)protobuf_c_empty_string;
    file->opset.has_version = 1;
    file->opset.version = opset;
    file->opsets[0] = &file->opset;
    file->model.has_ir_version = 1;
    file->model.ir_version = 7;
    file->model.n_opset_import = 1;
    file->model.opset_import = file->opsets;
    file->model.graph = &file->graph;
    return file;
}

static void attribute_free(Onnx__AttributeProto *attribute) {
    free(attribute->name);
    free(attribute->ints);
    free(attribute->s.data);
    free(attribute);
}

static void node_free(Onnx__NodeProto *node) {
    for (size_t i = 0; i < node->n_input; i++)
        free(node->input[i]);
    for (size_t i = 0; i < node->n_output; i++)
        free(node->output[i]);
    for (size_t i = 0; i < node->n_attribute; i++)
        attribute_free(node->attribute[i]);
    free(node->input);
    free(node->output);
    free(node->attribute);
    free(node->name);
    free(node->op_type);
    free(node);
}

static void tensor_free(Onnx__TensorProto *tensor) {
    free(tensor->name);
    free(tensor->dims);
    free(tensor->raw_data.data);
    free(tensor->int64_data);
    free(tensor);
}

static void port_free(Onnx__ValueInfoProto *port) {
    free(port->name);
    if (port->type) {
        Onnx__TensorShapeProto *shape = port->type->tensor_type->shape;
        for (size_t i = 0; i < shape->n_dim; i++) {
            if (shape->dim[i]->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
                free(shape->dim[i]->dim_param);
            free(shape->dim[i]);
        }
        free(shape->dim);
        free(shape);
        free(port->type->tensor_type);
        free(port->type);
    }
    free(port);
}

void onnx_free(struct onnx_file *file) {
    if (!file) return;
    for (size_t i = 0; i < file->graph.n_node; i++)
        node_free(file->graph.node[i]);
    for (size_t i = 0; i < file->graph.n_initializer; i++)
        tensor_free(file->graph.initializer[i]);
    for (size_t i = 0; i < file->graph.n_input; i++)
        port_free(file->graph.input[i]);
    for (size_t i = 0; i < file->graph.n_output; i++)
        port_free(file->graph.output[i]);
    for (size_t i = 0; i < file->model.n_metadata_props; i++) {
        free(file->model.metadata_props[i]->key);
        free(file->model.metadata_props[i]->value);
        free(file->model.metadata_props[i]);
    }
    free(file->model.metadata_props);
    free(file->graph.node);
    free(file->graph.initializer);
    free(file->graph.input);
    free(file->graph.output);
    free(file);
}

static Onnx__TensorShapeProto *make_shape(int rank, const int64_t *dims) {
    Onnx__TensorShapeProto *shape = need(malloc(sizeof *shape));
    onnx__tensor_shape_proto__init(shape);
    for (int i = 0; i < rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim = need(malloc(sizeof *dim));
        onnx__tensor_shape_proto__dimension__init(dim);
        dim->value_case = dims[i] < 0 ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                                      : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (dims[i] < 0)
            dim->dim_param = copy("N");
        else
            dim->dim_value = dims[i];
        append(&shape->dim, &shape->n_dim, dim);
    }
    return shape;
}

void onnx_input(struct onnx_file *file, const char *name, int rank, const int64_t *dims) {
    Onnx__ValueInfoProto *port = need(malloc(sizeof *port));
    onnx__value_info_proto__init(port);
    port->name = copy(name);
    port->type = need(malloc(sizeof *port->type));
    onnx__type_proto__init(port->type);
    port->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    port->type->tensor_type = need(malloc(sizeof *port->type->tensor_type));
    onnx__type_proto__tensor__init(port->type->tensor_type);
    port->type->tensor_type->has_elem_type = 1;
    port->type->tensor_type->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    port->type->tensor_type->shape = make_shape(rank, dims);
    append(&file->graph.input, &file->graph.n_input, port);
}

void onnx_output(struct onnx_file *file, const char *name) {
    Onnx__ValueInfoProto *port = need(malloc(sizeof *port));
    onnx__value_info_proto__init(port);
    port->name = copy(name);
    append(&file->graph.output, &file->graph.n_output, port);
}

static Onnx__TensorProto *add_tensor(struct onnx_file *file, const char *name, int rank,
                                     const int64_t *dims) {
    Onnx__TensorProto *tensor = need(malloc(sizeof *tensor));
    onnx__tensor_proto__init(tensor);
    tensor->name = copy(name);
    tensor->n_dims = (size_t)rank;
    tensor->dims = need(malloc(((size_t)rank + 1) * sizeof *tensor->dims));
    for (int i = 0; i < rank; i++)
        tensor->dims[i] = dims[i];
    tensor->has_data_type = 1;
    append(&file->graph.initializer, &file->graph.n_initializer, tensor);
    return tensor;
}

void onnx_floats(struct onnx_file *file, const char *name, int rank, const int64_t *dims,
                 const float *values) {
    Onnx__TensorProto *tensor = add_tensor(file, name, rank, dims);
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->has_raw_data = 1;
    tensor->raw_data.len = count * sizeof *values;
    tensor->raw_data.data = need(malloc(tensor->raw_data.len + 1));
    memcpy(tensor->raw_data.data, values, tensor->raw_data.len);
}

void onnx_integers(struct onnx_file *file, const char *name, size_t count, const int64_t *values) {
    int64_t dims[1] = {(int64_t)count};
    Onnx__TensorProto *tensor = add_tensor(file, name, 1, dims);
    tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__INT64;
    tensor->n_int64_data = count;
    tensor->int64_data = need(malloc((count + 1) * sizeof *values));
    if (count) memcpy(tensor->int64_data, values, count * sizeof *values);
}

void onnx_whole(struct onnx_file *file, const char *name, int type, int rank, const int64_t *dims,
                const int32_t *values) {
    Onnx__TensorProto *tensor = add_tensor(file, name, rank, dims);
    size_t count = 1, each = type == ONNX__TENSOR_PROTO__DATA_TYPE__INT32 ? 4 : 1;
    for (int i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    tensor->data_type = type;
    tensor->has_raw_data = 1;
    tensor->raw_data.len = count * each;
    tensor->raw_data.data = need(malloc(tensor->raw_data.len + 1));
    for (size_t i = 0; i < count; i++) /* little-endian: the low bytes come first */
        memcpy(tensor->raw_data.data + i * each, &values[i], each);
}

static void append_names(char ***list, size_t *count, const char *names) {
    char *text = copy(names), *rest = NULL;
    for (char *name = strtok_r(text, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
        append(list, count, copy(strcmp(name, "-") ? name : ""));
    free(text);
}

struct onnx_node *onnx_add(struct onnx_file *file, const char *op, const char *inputs, const char *outputs) {
    struct onnx_node *node = need(malloc(sizeof *node));
    onnx__node_proto__init(&node->proto);
    node->proto.op_type = copy(op);
    node->proto.name = copy(op);
    append_names(&node->proto.input, &node->proto.n_input, inputs);
    append_names(&node->proto.output, &node->proto.n_output, outputs);
    append(&file->graph.node, &file->graph.n_node, node);
    return node;
}

static Onnx__AttributeProto *add_attribute(struct onnx_node *node, const char *name,
                                           Onnx__AttributeProto__AttributeType type) {
    Onnx__AttributeProto *attribute = need(malloc(sizeof *attribute));
    onnx__attribute_proto__init(attribute);
    attribute->name = copy(name);
    attribute->has_type = 1;
    attribute->type = type;
    append(&node->proto.attribute, &node->proto.n_attribute, attribute);
    return attribute;
}

struct onnx_node *onnx_int(struct onnx_node *node, const char *name, int64_t value) {
    Onnx__AttributeProto *attribute = add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    attribute->has_i = 1;
    attribute->i = value;
    return node;
}

struct onnx_node *onnx_float(struct onnx_node *node, const char *name, float value) {
    Onnx__AttributeProto *attribute = add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    attribute->has_f = 1;
    attribute->f = value;
    return node;
}

struct onnx_node *onnx_ints(struct onnx_node *node, const char *name, size_t count, const int64_t *values) {
    Onnx__AttributeProto *attribute = add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    attribute->n_ints = count;
    attribute->ints = need(malloc((count + 1) * sizeof *values));
    if (count) memcpy(attribute->ints, values, count * sizeof *values);
    return node;
}

struct onnx_node *onnx_string(struct onnx_node *node, const char *name, const char *value) {
    Onnx__AttributeProto *attribute =
        add_attribute(node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    attribute->has_s = 1;
    attribute->s.len = strlen(value);
    attribute->s.data = (uint8_t *)copy(value);
    return node;
}

void onnx_metadata(struct onnx_file *file, const char *key, const char *value) {
    Onnx__StringStringEntryProto *entry = need(malloc(sizeof *entry));
    onnx__string_string_entry_proto__init(entry);
    entry->key = copy(key);
    entry->value = copy(value);
    append(&file->model.metadata_props, &file->model.n_metadata_props, entry);
}

uint8_t *onnx_bytes(const struct onnx_file *file, size_t *size) {
    *size = onnx__model_proto__get_packed_size(&file->model);
    uint8_t *bytes = need(malloc(*size + 1));
    onnx__model_proto__pack(&file->model, bytes);
    return bytes;
}
