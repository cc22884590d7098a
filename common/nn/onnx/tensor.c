/* TensorProto: weights and shape constants, inline, raw or in a file beside the model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/half.h"
#include "common/nn/fail.h"
#include "common/nn/onnx/reader.h"

#define TYPE(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

/* Bytes of one element in raw_data; 0: a type that is not read. */
static size_t raw_size(int type) {
    switch (type) {
    case TYPE(FLOAT):
    case TYPE(INT32):
        return 4;
    case TYPE(DOUBLE):
    case TYPE(INT64):
        return 8;
    case TYPE(FLOAT16):
    case TYPE(BFLOAT16):
        return 2;
    case TYPE(BOOL):
    case TYPE(UINT8):
    case TYPE(INT8):
        return 1;
    default:
        return 0;
    }
}

/* Bytes are numbers where there are many: weights in 8 bits. */
static bool is_weights(int type, size_t count) {
    return (type == TYPE(UINT8) || type == TYPE(INT8)) && count > LINNET_ONNX_INTEGERS_MAX;
}

static bool is_float(int type) {
    return type == TYPE(FLOAT) || type == TYPE(DOUBLE) || type == TYPE(FLOAT16) || type == TYPE(BFLOAT16);
}

static float bfloat_to_float(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* Element i of little-endian raw data, which need not be aligned. */
static double raw_element(const uint8_t *raw, int type, size_t i) {
    union {
        float f;
        double d;
        int32_t i32;
        int64_t i64;
        uint16_t u16;
        int8_t i8;
    } value;
    size_t size = raw_size(type);
    memcpy(&value, raw + i * size, size);
    switch (type) {
    case TYPE(FLOAT):
        return (double)value.f;
    case TYPE(DOUBLE):
        return value.d;
    case TYPE(FLOAT16):
        return (double)linnet_half_to_float(value.u16);
    case TYPE(BFLOAT16):
        return (double)bfloat_to_float(value.u16);
    case TYPE(INT32):
        return value.i32;
    case TYPE(INT8):
        return value.i8;
    default:
        return raw[i];
    }
}

static int64_t raw_integer(const uint8_t *raw, int type, size_t i) {
    if (type == TYPE(INT64)) {
        int64_t value;
        memcpy(&value, raw + 8 * i, sizeof value);
        return value;
    }
    return (int64_t)raw_element(raw, type, i);
}

/* Elements that the typed fields hold for a type (int32_data serves all small ones). */
static size_t typed_count(const Onnx__TensorProto *proto) {
    switch (proto->data_type) {
    case TYPE(FLOAT):
        return proto->n_float_data;
    case TYPE(DOUBLE):
        return proto->n_double_data;
    case TYPE(INT64):
        return proto->n_int64_data;
    default:
        return proto->n_int32_data;
    }
}

static float typed_float(const Onnx__TensorProto *proto, size_t i) {
    switch (proto->data_type) {
    case TYPE(FLOAT):
        return proto->float_data[i];
    case TYPE(DOUBLE):
        return (float)proto->double_data[i];
    case TYPE(FLOAT16):
        return linnet_half_to_float((uint16_t)proto->int32_data[i]);
    case TYPE(UINT8):
    case TYPE(INT8):
        return (float)proto->int32_data[i];
    default:
        return bfloat_to_float((uint16_t)proto->int32_data[i]);
    }
}

static int read_shape(const Onnx__TensorProto *proto, struct linnet_nn_shape *shape, size_t *count,
                      struct linnet_error *err) {
    if (proto->n_dims > LINNET_NN_RANK_MAX)
        return linnet_nn_fail(err, LINNET_E_LIMIT, "a constant has %zu dimensions, more than %d",
                              proto->n_dims, LINNET_NN_RANK_MAX);
    shape->rank = (int)proto->n_dims;
    for (int i = 0; i < shape->rank; i++) {
        if (proto->dims[i] < 0)
            return linnet_nn_fail(err, LINNET_E_PARSE, "a constant has a negative dimension");
        shape->dims[i] = proto->dims[i];
    }
    int64_t elements = linnet_nn_shape_elements(shape, 1);
    if (elements < 0 || elements > LINNET_NN_ELEMENTS_MAX)
        return linnet_nn_fail(err, LINNET_E_LIMIT, "a constant is too large");
    *count = (size_t)elements;
    return 0;
}

static const char *external_entry(const Onnx__TensorProto *proto, const char *key) {
    for (size_t i = 0; i < proto->n_external_data; i++) {
        const Onnx__StringStringEntryProto *entry = proto->external_data[i];
        if (entry->key && entry->value && !strcmp(entry->key, key)) return entry->value;
    }
    return NULL;
}

/* Data in another file: a plain name in the model's folder, nothing that leads out of it. */
static int read_external(const char *folder, const Onnx__TensorProto *proto, size_t size, uint8_t **bytes,
                         struct linnet_error *err) {
    const char *location = external_entry(proto, "location"), *offset = external_entry(proto, "offset");
    if (!folder)
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED,
                              "its weights are in another file, which is not here");
    if (!location || !*location || *location == '/' || strstr(location, ".."))
        return linnet_nn_fail(err, LINNET_E_INVALID, "its weights are said to be outside the model's folder");
    char path[4096];
    long long start = offset ? strtoll(offset, NULL, 10) : 0;
    if (snprintf(path, sizeof path, "%s/%s", folder, location) >= (int)sizeof path || start < 0)
        return linnet_nn_fail(err, LINNET_E_INVALID, "its weights are at no proper place");
    FILE *file = fopen(path, "rb");
    uint8_t *read = file ? malloc(size ? size : 1) : NULL;
    bool whole = read && !fseeko(file, start, SEEK_SET) && fread(read, 1, size, file) == size;
    if (file) fclose(file);
    if (!whole) {
        free(read);
        return linnet_nn_fail(err, LINNET_E_IO, "its weights could not be read (%zu bytes from %lld of %s)",
                              size, start, path);
    }
    *bytes = read;
    return 0;
}

/* The raw bytes of a constant, checked for size: NULL where the typed fields hold it. */
static int raw_bytes(const struct linnet_onnx_reader *reader, const Onnx__TensorProto *proto, size_t count,
                     const uint8_t **raw, uint8_t **owned, struct linnet_error *err) {
    size_t size = count * raw_size(proto->data_type);
    *raw = *owned = NULL;
    if (proto->has_data_location && proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL) {
        int rc = read_external(reader->folder, proto, size, owned, err);
        if (!rc) *raw = *owned;
        return rc;
    }
    if (!proto->has_raw_data) {
        if (typed_count(proto) == count) return 0;
        return linnet_nn_fail(err, LINNET_E_PARSE, "a constant of %zu elements holds %zu", count,
                              typed_count(proto));
    }
    if (proto->raw_data.len != size)
        return linnet_nn_fail(err, LINNET_E_PARSE, "a constant of %zu bytes holds %zu", size,
                              proto->raw_data.len);
    *raw = proto->raw_data.data;
    return 0;
}

static struct linnet_nn_data *to_floats(Onnx__TensorProto *proto, size_t count, const uint8_t *raw,
                                        uint8_t **owned) {
    if (proto->data_type == TYPE(FLOAT) && raw && count) { /* as it is: take the bytes over */
        float *values = *owned ? (float *)(void *)*owned : (float *)(void *)proto->raw_data.data;
        if (*owned) {
            *owned = NULL;
        } else {
            proto->raw_data.data = NULL;
            proto->raw_data.len = 0;
        }
        return linnet_nn_data_new(values, count);
    }
    float *values = malloc((count ? count : 1) * sizeof *values);
    for (size_t i = 0; values && i < count; i++)
        values[i] = raw ? (float)raw_element(raw, proto->data_type, i) : typed_float(proto, i);
    return linnet_nn_data_new(values, count);
}

static struct linnet_onnx_integers *to_integers(const Onnx__TensorProto *proto,
                                                const struct linnet_nn_shape *shape, const uint8_t *raw) {
    struct linnet_onnx_integers *integers = linnet_onnx_integers_new(shape->rank, shape->dims);
    if (integers) integers->type = proto->data_type;
    for (size_t i = 0; integers && i < integers->count; i++) {
        if (raw)
            integers->items[i].value = raw_integer(raw, proto->data_type, i);
        else if (proto->data_type == TYPE(INT64))
            integers->items[i].value = proto->int64_data[i];
        else
            integers->items[i].value = proto->int32_data[i];
    }
    return integers;
}

int linnet_onnx_tensor(const struct linnet_onnx_reader *reader, Onnx__TensorProto *proto,
                       struct linnet_nn_shape *shape, struct linnet_nn_data **data,
                       struct linnet_onnx_integers **integers, struct linnet_error *err) {
    size_t count = 0;
    int type = proto->data_type, rc = read_shape(proto, shape, &count, err);
    if (rc) return rc;
    if (!raw_size(type))
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "a constant has data type %d", type);
    bool floating = is_float(type) || is_weights(type, count);
    if (!floating && count > LINNET_ONNX_INTEGERS_MAX)
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "an integer constant has %zu elements", count);
    const uint8_t *raw;
    uint8_t *owned;
    rc = raw_bytes(reader, proto, count, &raw, &owned, err);
    if (rc) return rc;
    struct linnet_nn_data *floats = floating ? to_floats(proto, count, raw, &owned) : NULL;
    struct linnet_onnx_integers *ints = floating ? NULL : to_integers(proto, shape, raw);
    free(owned);
    if (!floats && !ints) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory for a constant");
    *data = floats;
    *integers = ints;
    return 0;
}
