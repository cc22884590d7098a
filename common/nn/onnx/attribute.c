/* Reading a node's attributes. */
#include <string.h>

#include "common/nn/onnx/reader.h"

Onnx__AttributeProto *linnet_onnx_attribute(const struct linnet_onnx_node *node, const char *name) {
    for (size_t i = 0; i < node->proto->n_attribute; i++) {
        Onnx__AttributeProto *attribute = node->proto->attribute[i];
        if (attribute->name && !strcmp(attribute->name, name)) return attribute;
    }
    return NULL;
}

static int wrong_type(const struct linnet_onnx_node *node, const char *name, const char *wanted) {
    return linnet_onnx_fail(node, LINNET_E_PARSE, "its attribute %s is no %s", name, wanted);
}

/* Old files have no `type`; what is there then counts. */
static bool is(const Onnx__AttributeProto *attribute, Onnx__AttributeProto__AttributeType type,
               bool present) {
    return attribute->has_type ? attribute->type == type : present;
}

int linnet_onnx_int(const struct linnet_onnx_node *node, const char *name, int64_t fallback, int64_t *out) {
    const Onnx__AttributeProto *attribute = linnet_onnx_attribute(node, name);
    if (attribute && !is(attribute, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT, attribute->has_i))
        return wrong_type(node, name, "integer");
    *out = attribute ? attribute->i : fallback;
    return 0;
}

int linnet_onnx_float(const struct linnet_onnx_node *node, const char *name, float fallback, float *out) {
    const Onnx__AttributeProto *attribute = linnet_onnx_attribute(node, name);
    if (attribute && !is(attribute, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT, attribute->has_f))
        return wrong_type(node, name, "number");
    *out = attribute ? attribute->f : fallback;
    return 0;
}

int linnet_onnx_ints(const struct linnet_onnx_node *node, const char *name, int max, int64_t *out,
                     int *count) {
    const Onnx__AttributeProto *attribute = linnet_onnx_attribute(node, name);
    if (!attribute) {
        *count = -1;
        return 0;
    }
    if (!is(attribute, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, true))
        return wrong_type(node, name, "list of integers");
    if (attribute->n_ints > (size_t)max)
        return linnet_onnx_fail(node, LINNET_E_PARSE, "its attribute %s has more than %d values", name, max);
    if (attribute->n_ints) memcpy(out, attribute->ints, attribute->n_ints * sizeof *out);
    *count = (int)attribute->n_ints;
    return 0;
}

int linnet_onnx_choice(const struct linnet_onnx_node *node, const char *name, const char *const *choices,
                       int *out) {
    const Onnx__AttributeProto *attribute = linnet_onnx_attribute(node, name);
    if (!attribute) {
        *out = 0;
        return 0;
    }
    if (!is(attribute, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING, attribute->has_s))
        return wrong_type(node, name, "string");
    for (int i = 0; choices[i]; i++) {
        if (strlen(choices[i]) != attribute->s.len ||
            memcmp(choices[i], attribute->s.data, attribute->s.len) != 0)
            continue;
        *out = i;
        return 0;
    }
    return linnet_onnx_fail(node, LINNET_E_UNSUPPORTED, "its attribute %s has a value that is not supported",
                            name);
}
