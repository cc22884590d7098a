/* What was found out about products on a device, kept on disk: timing them takes a while, and the answer is
 * the same until the device or a library changes. One small file for each product, named by a digest of its
 * description; writing is by rename, so that several processes share a folder. Knows nothing of CUDA. */
#ifndef LINNET_NN_CUDA_CACHE_H
#define LINNET_NN_CUDA_CACHE_H

#include "common/nn/cuda/dnn.h"

#define CUDA_KEY_SIZE 65

struct cuda_cache;

/* The cache for a device and versions of libraries ("NVIDIA H200", "cudnn 9.19.0 cublaslt 13.0"): a folder of
 * that name in LINNET_NN_CACHE, else $XDG_CACHE_HOME/linnet/nn, else ~/.cache/linnet/nn. LINNET_NN_CACHE=""
 * or no folder that can be made: nothing outlives the process, which remembers what it was told all the same.
 * NULL without memory. */
struct cuda_cache *cuda_cache_open(const char *device, const char *versions);
void cuda_cache_close(struct cuda_cache *cache);
/* What a product is known by: all of its specification, and how much of it engines do. */
void cuda_cache_key(const struct dnn_spec *spec, int safe, char key[CUDA_KEY_SIZE]);
/* What is known; the cache's own, until it is closed. NULL: nothing. */
const char *cuda_cache_get(struct cuda_cache *cache, const char *key);
/* Failures to write are no failures: it will be found out again. */
void cuda_cache_put(struct cuda_cache *cache, const char *key, const char *text);
/* Something from it turned out to be of no use. */
void cuda_cache_drop(struct cuda_cache *cache, const char *key);

#endif
