#include "common/nn/cuda/device.h"

#include <cudnn.h>
#include <stdio.h>
#include <string.h>

#include "common/nn/fail.h"

/* What the tensor cores take: cuDNN's precompiled 16-bit engines begin with Ampere. */
#define CAPABILITY_LEAST 80

bool cuda_sticky(cudaError_t status) {
    switch (status) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorDevicesUnavailable:
    case cudaErrorNoDevice:
    case cudaErrorContextIsDestroyed:
    case cudaErrorDeviceUninitialized:
    case cudaErrorUnknown: /* what a device that fell off the bus answers with */
        return true;
    default:
        return false;
    }
}

int cuda_check(cudaError_t status, const char *doing, struct linnet_error *err) {
    if (status == cudaSuccess) return 0;
    if (status == cudaErrorMemoryAllocation)
        return linnet_nn_fail(err, LINNET_E_LIMIT, "%s: the GPU has not enough memory left", doing);
    int code = cuda_sticky(status) ? LINNET_E_DEVICE : LINNET_E_INTERNAL;
    return linnet_nn_fail(err, code, "%s: CUDA: %s (%s)", doing, cudaGetErrorString(status),
                          cudaGetErrorName(status));
}

static int no_device(cudaError_t status, int count, struct linnet_error *err) {
    if (status == cudaErrorInsufficientDriver)
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED,
                              "no NVIDIA driver here, or one older than CUDA %d.%d wants",
                              CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
    if (status == cudaErrorNoDevice || (status == cudaSuccess && !count))
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "no NVIDIA GPU here");
    return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "no use of the GPU: %s", cudaGetErrorString(status));
}

int cuda_probe(struct linnet_error *err) {
    int count = 0;
    cudaError_t status = cudaGetDeviceCount(&count);
    if (status != cudaSuccess || !count) return no_device(status, count, err);
    size_t built = CUDNN_MAJOR, there = cudnnGetVersion() / 10000;
    if (there != built)
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "cuDNN %zu was built for, %zu is here", built,
                              there);
    int capability = 0, minor = 0;
    if (cudaDeviceGetAttribute(&capability, cudaDevAttrComputeCapabilityMajor, 0) != cudaSuccess ||
        cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0) != cudaSuccess)
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "the GPU does not say what it is");
    if (capability * 10 + minor < CAPABILITY_LEAST)
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED,
                              "the GPU is of compute capability %d.%d, 8.0 is wanted", capability, minor);
    return 0;
}

unsigned cuda_devices(void) {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess && count > 0 ? (unsigned)count : 0;
}

/* What is known of devices by name: dense 16-bit floating-point operations and bytes a second. NVIDIA's data
 * sheets (H100 and H200 SXM: 989 TFLOP/s; 3.35 and 4.8 TB/s), but for the H200, of which 790 TFLOP/s and 4.3
 * TB/s were measured. */
static const struct {
    const char *name;
    double flops, bytes;
} known[] = {
    {"H200", 790e12, 4.3e12},  {"H100 NVL", 835e12, 3.9e12}, {"H100 PCIe", 756e12, 2.0e12},
    {"H100", 989e12, 3.35e12}, {"A100", 312e12, 2.0e12},
};

int cuda_device_open(unsigned index, struct cuda_device *out, struct linnet_error *err) {
    struct cudaDeviceProp properties;
    int rc = cuda_check(cudaSetDevice((int)index), "choosing the GPU", err);
    if (!rc)
        rc = cuda_check(cudaGetDeviceProperties(&properties, (int)index), "asking the GPU what it is", err);
    if (rc) return rc;
    *out = (struct cuda_device){.index = (int)index, .memory = properties.totalGlobalMem};
    out->capability = properties.major * 10 + properties.minor;
    snprintf(out->name, sizeof out->name, "%.*s", (int)sizeof out->name - 1, properties.name);
    for (size_t i = 0; i < sizeof known / sizeof *known && !out->flops; i++) {
        if (!strstr(properties.name, known[i].name)) continue;
        out->flops = known[i].flops;
        out->bytes = known[i].bytes;
    }
    return 0;
}
