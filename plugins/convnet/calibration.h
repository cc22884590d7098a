/* Calibrating a network by the pictures that come through the stage: instances that are given the same file
 * to write share one calibration, and the last that goes writes it. */
#ifndef LINNET_CONVNET_CALIBRATION_H
#define LINNET_CONVNET_CALIBRATION_H

#include "common/nn/nn.h"

struct convnet_calibration;

/* Get the calibration of the network in the file `path` that is to be written to `to`, made if there is none
 * yet. Any thread. Errors are those of the ConvNet engine, in words. */
int convnet_calibration_ref(const char *path, const char *to, enum linnet_nn_range_method method,
                            struct convnet_calibration **out, struct linnet_error *err);
/* Take notice of `n` pictures as the network takes them. Any thread; one at a time. */
int convnet_calibration_add(struct convnet_calibration *calibration, unsigned n, const float *pictures,
                            struct linnet_error *err);
/* Give it back; the last writes the file if there were pictures. */
int convnet_calibration_unref(struct convnet_calibration *calibration, struct linnet_error *err);

#endif
