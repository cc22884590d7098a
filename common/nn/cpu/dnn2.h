/* What the files share that implement dnn.h on oneDNN 2.x. Internal to them. */
#ifndef LINNET_NN_CPU_DNN2_H
#define LINNET_NN_CPU_DNN2_H

#include "common/nn/cpu/dnn.h"

#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR != 2
#error "these files are for oneDNN 2.x"
#endif

struct dnn_layout {
    dnnl_memory_desc_t desc;
    float scale;
};

dnnl_data_type_t dnn2_type(enum linnet_nn_type type);

#endif
