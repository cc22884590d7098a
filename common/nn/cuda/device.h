/* The GPU as the rest of the backend sees it: how many there are, what one is, and CUDA's errors as Linnet's.
 *
 * An error of CUDA is either of one call, or "sticky": the context is broken, and every later call of the
 * process fails alike until the process ends (a kernel that trapped, an uncorrectable memory error, a device
 * that fell off the bus). The latter is LINNET_E_DEVICE, of the fatal class, so that whoever runs the engine
 * starts over in a fresh process, which finds out by `probe` whether there is still a device. */
#ifndef LINNET_NN_CUDA_DEVICE_H
#define LINNET_NN_CUDA_DEVICE_H

#include <cuda_runtime_api.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

struct cuda_device {
    int index;
    char name[96];       /* "NVIDIA H200" */
    int capability;      /* 90 for sm_90 */
    size_t memory;       /* bytes */
    double flops, bytes; /* a second, dense 16-bit products and memory; 0: not known */
};

/* Is there a driver, a device, and libraries that fit? LINNET_E_UNSUPPORTED with words. Any thread. */
int cuda_probe(struct linnet_error *err);
/* Devices, after a successful probe. */
unsigned cuda_devices(void);
int cuda_device_open(unsigned index, struct cuda_device *out, struct linnet_error *err);
/* 0 for success; a code and "doing: what CUDA says" otherwise. LINNET_E_LIMIT where the device has no memory
 * left. */
int cuda_check(cudaError_t status, const char *doing, struct linnet_error *err);
/* Is the context lost with this error? */
bool cuda_sticky(cudaError_t status);

#endif
