/* Matrix products by cuBLASLt: another way to compute a product, for a convolution of one pixel and for a
 * product of two activations. */
#ifndef LINNET_NN_CUDA_BLASLT_H
#define LINNET_NN_CUDA_BLASLT_H

#include "common/nn/cuda/dnn.h"

/* A product with an algorithm chosen. */
struct cuda_gemm;

/* cublasLtGetVersion. */
size_t cuda_gemm_version(void);
/* Can cuBLASLt compute this specification? Posts: at most a residual before a bias before a ReLU. */
bool cuda_gemm_takes(const struct dnn_spec *spec);
/* Up to `max` ways, best guess first; each the caller's. LINNET_E_UNSUPPORTED: none. The current device's. */
int cuda_gemm_plan(const struct dnn_spec *spec, size_t workspace, size_t max, struct cuda_gemm **out,
                   size_t *count, struct linnet_error *err);
void cuda_gemm_free(struct cuda_gemm *gemm);
size_t cuda_gemm_workspace(const struct cuda_gemm *gemm);
/* The algorithm as text for the cache ("" without memory), and a way made from such text. malloc'ed. */
char *cuda_gemm_save(const struct cuda_gemm *gemm);
int cuda_gemm_load(const struct dnn_spec *spec, const char *text, struct cuda_gemm **out,
                   struct linnet_error *err);
/* Enqueue on a stream (cudaStream_t). Any thread. */
int cuda_gemm_run(const struct cuda_gemm *gemm, const struct dnn_arguments *arguments, void *workspace,
                  void *stream, struct linnet_error *err);

#endif
