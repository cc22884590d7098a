/* What the names of a file stand for: a hash table from name to tensor or integers. */
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/nn/fail.h"
#include "common/nn/onnx/reader.h"

struct linnet_onnx_integers *linnet_onnx_integers_new(int rank, const int64_t *dims) {
    size_t count = 1;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0 || dims[i] > LINNET_ONNX_INTEGERS_MAX) return NULL;
        count *= (size_t)dims[i];
        if (count > LINNET_ONNX_INTEGERS_MAX) return NULL;
    }
    struct linnet_onnx_integers *integers = calloc(1, sizeof *integers);
    if (!integers) return NULL;
    integers->rank = rank;
    if (rank) memcpy(integers->dims, dims, (size_t)rank * sizeof *dims);
    integers->count = count;
    integers->items = calloc(count ? count : 1, sizeof *integers->items);
    if (integers->items) return integers;
    free(integers);
    return NULL;
}

void linnet_onnx_integers_free(struct linnet_onnx_integers *integers) {
    if (!integers) return;
    free(integers->items);
    free(integers);
}

/* The place of a name, or the free place where it would go. */
static struct linnet_onnx_value *place(struct linnet_onnx_value *table, size_t capacity, const char *name) {
    size_t at = (size_t)linnet_hash(name, strlen(name)) & (capacity - 1);
    while (table[at].name && strcmp(table[at].name, name) != 0)
        at = (at + 1) & (capacity - 1);
    return &table[at];
}

static int grow(struct linnet_onnx_reader *reader) {
    size_t capacity = reader->capacity ? 2 * reader->capacity : 256;
    struct linnet_onnx_value *table = calloc(capacity, sizeof *table);
    if (!table) return LINNET_E_NOMEM;
    for (size_t i = 0; i < reader->capacity; i++)
        if (reader->table[i].name) *place(table, capacity, reader->table[i].name) = reader->table[i];
    free(reader->table);
    reader->table = table;
    reader->capacity = capacity;
    return 0;
}

static int bind(struct linnet_onnx_reader *reader, const char *name, uint32_t tensor,
                struct linnet_onnx_integers *integers) {
    char text[64];
    if (2 * reader->count >= reader->capacity && grow(reader))
        return linnet_nn_fail(reader->err, LINNET_E_NOMEM, "out of memory");
    struct linnet_onnx_value *value = place(reader->table, reader->capacity, name);
    if (value->name)
        return linnet_nn_fail(reader->err, LINNET_E_PARSE, "the name \"%s\" stands for two values",
                              linnet_onnx_clean(name, text, sizeof text));
    char *copy = strdup(name);
    if (!copy) return linnet_nn_fail(reader->err, LINNET_E_NOMEM, "out of memory");
    *value = (struct linnet_onnx_value){copy, tensor, integers, 0};
    reader->count++;
    return 0;
}

int linnet_onnx_bind(struct linnet_onnx_reader *reader, const char *name, uint32_t tensor,
                     struct linnet_onnx_integers *integers) {
    int rc = bind(reader, name, tensor, integers);
    if (rc) linnet_onnx_integers_free(integers);
    return rc;
}

int linnet_onnx_bind_rounded(struct linnet_onnx_reader *reader, const char *name,
                             const struct linnet_onnx_rounding *rounding) {
    struct linnet_onnx_rounding *grown =
        realloc(reader->roundings, (reader->nroundings + 1) * sizeof *reader->roundings);
    if (!grown) return linnet_nn_fail(reader->err, LINNET_E_NOMEM, "out of memory");
    reader->roundings = grown;
    reader->roundings[reader->nroundings] = *rounding;
    int rc = bind(reader, name, rounding->tensor, NULL);
    if (rc) return rc;
    place(reader->table, reader->capacity, name)->rounding = (uint32_t)++reader->nroundings;
    return 0;
}

const struct linnet_onnx_value *linnet_onnx_find(const struct linnet_onnx_reader *reader, const char *name) {
    if (!reader->capacity) return NULL;
    const struct linnet_onnx_value *value = place(reader->table, reader->capacity, name);
    return value->name ? value : NULL;
}

void linnet_onnx_values_done(struct linnet_onnx_reader *reader) {
    for (size_t i = 0; i < reader->capacity; i++) {
        free(reader->table[i].name);
        linnet_onnx_integers_free(reader->table[i].integers);
    }
    free(reader->table);
    free(reader->roundings);
    reader->table = NULL;
    reader->roundings = NULL;
    reader->capacity = reader->count = reader->nroundings = 0;
}
