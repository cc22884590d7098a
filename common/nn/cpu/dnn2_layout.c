/* The layouts of dnn.h on oneDNN 2.x. */
#include "common/nn/cpu/dnn2.h"

#include <stdlib.h>

dnnl_data_type_t dnn2_type(enum linnet_nn_type type) {
    return type == LINNET_NN_BF16 ? dnnl_bf16
           : type == LINNET_NN_U8 ? dnnl_u8
           : type == LINNET_NN_S8 ? dnnl_s8
                                  : dnnl_f32;
}

static struct dnn_layout *layout_of(const dnnl_memory_desc_t *desc, float scale) {
    struct dnn_layout *layout = malloc(sizeof *layout);
    if (layout) *layout = (struct dnn_layout){*desc, scale};
    return layout;
}

struct dnn_layout *dnn_layout_plain(enum linnet_nn_type type, int rank, const int64_t *dims) {
    dnnl_memory_desc_t desc;
    dnnl_dims_t strides = {0};
    int64_t one = 1; /* what has no dimension is one element */
    if (!rank) {
        rank = 1;
        dims = &one;
    }
    for (int i = rank - 1, step = 1; i >= 0; i--, step = 0)
        strides[i] = step ? 1 : strides[i + 1] * dims[i + 1];
    dnnl_status_t status = dnnl_memory_desc_init_by_strides(&desc, rank, dims, dnn2_type(type), strides);
    return status ? NULL : layout_of(&desc, 1);
}

struct dnn_layout *dnn_layout_any(enum linnet_nn_type type, int rank, const int64_t *dims) {
    dnnl_memory_desc_t desc;
    dnnl_status_t status =
        dnnl_memory_desc_init_by_tag(&desc, rank, dims, dnn2_type(type), dnnl_format_tag_any);
    return status ? NULL : layout_of(&desc, 1);
}

struct dnn_layout *dnn_layout_copy(const struct dnn_layout *layout) {
    return layout_of(&layout->desc, layout->scale);
}

struct dnn_layout *dnn_layout_reshape(const struct dnn_layout *layout, int rank, const int64_t *dims) {
    dnnl_memory_desc_t desc;
    int64_t one = 1;
    if (!rank) {
        rank = 1;
        dims = &one;
    }
    return dnnl_memory_desc_reshape(&desc, &layout->desc, rank, dims) ? NULL
                                                                      : layout_of(&desc, layout->scale);
}

struct dnn_layout *dnn_layout_permute(const struct dnn_layout *layout, const int *axes) {
    dnnl_memory_desc_t desc;
    int places[LINNET_NN_RANK_MAX] = {
        0}; /* oneDNN wants to know where each dimension goes, not where it comes from */
    for (int i = 0; i < layout->desc.ndims; i++)
        places[axes[i]] = i;
    return dnnl_memory_desc_permute_axes(&desc, &layout->desc, places) ? NULL
                                                                       : layout_of(&desc, layout->scale);
}

struct dnn_layout *dnn_layout_slice(const struct dnn_layout *layout, const int64_t *starts,
                                    const int64_t *dims) {
    dnnl_memory_desc_t desc;
    return dnnl_memory_desc_init_submemory(&desc, &layout->desc, dims, starts)
               ? NULL
               : layout_of(&desc, layout->scale);
}

struct dnn_layout *dnn_layout_retype(const struct dnn_layout *layout, enum linnet_nn_type type, float scale) {
    struct dnn_layout *copy = layout_of(&layout->desc, scale);
    if (copy) copy->desc.data_type = dnn2_type(type); /* strides count elements */
    return copy;
}

void dnn_layout_free(struct dnn_layout *layout) {
    free(layout);
}

bool dnn_layout_equal(const struct dnn_layout *a, const struct dnn_layout *b) {
    return a->scale >= b->scale && a->scale <= b->scale && dnnl_memory_desc_equal(&a->desc, &b->desc);
}

size_t dnn_layout_bytes(const struct dnn_layout *layout) {
    return dnnl_memory_desc_get_size(&layout->desc);
}

enum linnet_nn_type dnn_layout_type(const struct dnn_layout *layout) {
    return layout->desc.data_type == dnnl_bf16 ? LINNET_NN_BF16
           : layout->desc.data_type == dnnl_u8 ? LINNET_NN_U8
           : layout->desc.data_type == dnnl_s8 ? LINNET_NN_S8
                                               : LINNET_NN_F32;
}

float dnn_layout_scale(const struct dnn_layout *layout) {
    return layout->scale;
}

int dnn_layout_rank(const struct dnn_layout *layout) {
    return layout->desc.ndims;
}

const int64_t *dnn_layout_dims(const struct dnn_layout *layout) {
    return layout->desc.dims;
}
