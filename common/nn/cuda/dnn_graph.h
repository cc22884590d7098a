/* cuDNN's descriptors, a little less verbosely. Internal to dnn*.c. */
#ifndef LINNET_NN_CUDA_DNN_GRAPH_H
#define LINNET_NN_CUDA_DNN_GRAPH_H

#include <cudnn.h>

#include "common/nn/cuda/dnn.h"

/* By what a plan's arguments are known. */
enum dnn_uid {
    DNN_UID_A = 1,
    DNN_UID_B,
    DNN_UID_C,
    DNN_UID_OUT,
    DNN_UID_SCALE,
    DNN_UID_POST,
    DNN_UID_VIRTUAL = 64
};

/* Descriptors made so far, and the first failure: calls after it do nothing, so that it is looked at once. */
#define DNN_DESCRIPTORS_MAX 96
struct dnn_builder {
    cudnnBackendDescriptor_t made[DNN_DESCRIPTORS_MAX];
    int nmade;
    cudnnStatus_t status;
    const char *doing; /* when it failed */
    char why[256];     /* cuDNN's words */
};

/* A descriptor of the builder's; set an attribute; finish it. */
cudnnBackendDescriptor_t dnn_make(struct dnn_builder *builder, cudnnBackendDescriptorType_t type);
void dnn_set(struct dnn_builder *builder, cudnnBackendDescriptor_t descriptor,
             cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
             const void *values);
void dnn_finish(struct dnn_builder *builder, cudnnBackendDescriptor_t descriptor, const char *doing);
/* Take a descriptor out of the builder's hands: the caller's. */
void dnn_keep(struct dnn_builder *builder, cudnnBackendDescriptor_t descriptor);
void dnn_builder_done(struct dnn_builder *builder);
/* The failure in words. LINNET_E_UNSUPPORTED where cuDNN has no way. */
int dnn_fail(const struct dnn_builder *builder, struct linnet_error *err);

/* The operation graph of a specification, the builder's. */
cudnnBackendDescriptor_t dnn_operations(struct dnn_builder *builder, const struct dnn_spec *spec);

#endif
