#include "common/nn/passes/passes.h"

size_t linnet_nn_batch_buckets(unsigned fixed, unsigned batch_max, unsigned buckets[LINNET_NN_BUCKETS_MAX]) {
    if (fixed) {
        buckets[0] = fixed;
        return 1;
    }
    size_t n = 0;
    for (unsigned size = 1; n < LINNET_NN_BUCKETS_MAX && (size <= batch_max || !n); size *= 2)
        buckets[n++] = size;
    return n;
}

unsigned linnet_nn_batch_next(const unsigned *buckets, size_t n, unsigned left, bool pad_up) {
    unsigned next = 0;
    for (size_t i = 0; i < n; i++) {
        if (pad_up && buckets[i] >= left) return buckets[i];
        if (buckets[i] <= left) next = buckets[i];
    }
    return next;
}
