/* Writing small ONNX files in memory, for the tests. Functions abort when memory runs out. */
#ifndef LINNET_TESTS_NN_ONNX_WRITE_H
#define LINNET_TESTS_NN_ONNX_WRITE_H

#include <stddef.h>
#include <stdint.h>

struct onnx_file;
struct onnx_node;

struct onnx_file *onnx_new(int64_t opset);
void onnx_free(struct onnx_file *file);
/* An input of floats; a negative dimension is free and called "N". */
void onnx_input(struct onnx_file *file, const char *name, int rank, const int64_t *dims);
void onnx_output(struct onnx_file *file, const char *name);
/* Initializers; the values are copied. A rank of 0 is a scalar. */
void onnx_floats(struct onnx_file *file, const char *name, int rank, const int64_t *dims,
                 const float *values);
void onnx_integers(struct onnx_file *file, const char *name, size_t count, const int64_t *values);
/* Whole numbers of ONNX's type 2 (U8), 3 (S8) or 6 (S32). */
void onnx_whole(struct onnx_file *file, const char *name, int type, int rank, const int64_t *dims,
                const int32_t *values);
/* A node; names of inputs and outputs divided by spaces, "-" for one left out. */
struct onnx_node *onnx_add(struct onnx_file *file, const char *op, const char *inputs, const char *outputs);
struct onnx_node *onnx_int(struct onnx_node *node, const char *name, int64_t value);
struct onnx_node *onnx_float(struct onnx_node *node, const char *name, float value);
struct onnx_node *onnx_ints(struct onnx_node *node, const char *name, size_t count, const int64_t *values);
struct onnx_node *onnx_string(struct onnx_node *node, const char *name, const char *value);
/* A text of the file's metadata. */
void onnx_metadata(struct onnx_file *file, const char *key, const char *value);
/* The file's bytes; the caller frees. */
uint8_t *onnx_bytes(const struct onnx_file *file, size_t *size);

#endif
