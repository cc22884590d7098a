/* Running a written ONNX file through the engine and comparing with the reference. Failures are cmocka's. */
#ifndef LINNET_TESTS_NN_CHECK_H
#define LINNET_TESTS_NN_CHECK_H

#include "common/nn/nn.h"
#include "tests/unit/nn/onnx_write.h"
#include "tests/unit/nn/reference.h"

/* Largest errors allowed, as a share of the largest value of the tensor. */
#define CHECK_F32  2e-6
#define CHECK_BF16 1.2e-2
#define CHECK_F16  1.6e-3

/* The backend that is tested: LINNET_TEST_BACKEND, else "cpu". */
const char *check_backend(void);
/* Fresh for each run of the tests; LINNET_TEST_SEED repeats one. Printed when first asked for. */
uint64_t *check_seed(void);
/* Run `file` (freed after) on `ninputs` arrays whose first dimension is the batch; output `index` of it. */
struct array *check_run(struct onnx_file *file, enum linnet_nn_precision precision,
                        const struct array *const *inputs, size_t index);
/* Fail unless they are of one size and close; prints the error with what it is of. */
void check_close(const char *what, const struct array *got, const struct array *expected, double tolerance);
/* Both of the above in every precision that the backend has for a file of one input and one output "y";
 * `build` writes it. `expected` is freed. */
void check_network(const char *what, struct onnx_file *(*build)(void *state), void *state,
                   const struct array *input, struct array *expected);
/* Write an array as an initializer. */
void check_constant(struct onnx_file *file, const char *name, const struct array *array);
/* The file does not open as a model: the code, and words that `detail` has to contain. `file` is freed. */
void check_refused(struct onnx_file *file, int code, const char *words);

#endif
