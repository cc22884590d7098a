/* linnet_error_set, written so that a reader (and a static analyser) sees that its value is `code`. Internal
 * to common/nn. */
#ifndef LINNET_NN_FAIL_H
#define LINNET_NN_FAIL_H

#include "common/base/error.h"

#define linnet_nn_fail(err, code, ...) (linnet_error_set((err), (code), __VA_ARGS__), (code))

#endif
