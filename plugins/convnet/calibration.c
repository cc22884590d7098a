#include "plugins/convnet/calibration.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct convnet_calibration {
    struct linnet_nn_model *model; /* its own: that of the instances has given its weights to their engine */
    struct linnet_nn_calibration *gathered;
    char *path, *to;
    enum linnet_nn_range_method method;
    unsigned references;
    struct convnet_calibration *next;
};

/* Those of the process. */
static struct {
    pthread_mutex_t lock;
    struct convnet_calibration *first;
} calibrations = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void calibration_free(struct convnet_calibration *calibration) {
    linnet_nn_calibration_close(calibration->gathered);
    linnet_nn_model_free(calibration->model);
    free(calibration->path);
    free(calibration->to);
    free(calibration);
}

static int make(const char *path, const char *to, struct convnet_calibration **out,
                struct linnet_error *err) {
    struct convnet_calibration *calibration = calloc(1, sizeof *calibration);
    if (calibration) {
        calibration->path = strdup(path);
        calibration->to = strdup(to);
    }
    int rc = calibration && calibration->path && calibration->to
                 ? linnet_nn_model_load(path, &calibration->model, err)
                 : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (!rc) rc = linnet_nn_calibration_open(calibration->model, &calibration->gathered, err);
    if (!rc)
        *out = calibration;
    else if (calibration)
        calibration_free(calibration);
    return rc;
}

int convnet_calibration_ref(const char *path, const char *to, enum linnet_nn_range_method method,
                            struct convnet_calibration **out, struct linnet_error *err) {
    int rc = 0;
    pthread_mutex_lock(&calibrations.lock);
    struct convnet_calibration *found = calibrations.first;
    while (found && strcmp(found->to, to) != 0)
        found = found->next;
    if (!found) rc = make(path, to, &found, err);
    if (!rc && !found->references) {
        found->method = method;
        found->next = calibrations.first;
        calibrations.first = found;
    }
    if (!rc) {
        found->references++;
        *out = found;
    }
    pthread_mutex_unlock(&calibrations.lock);
    return rc;
}

int convnet_calibration_add(struct convnet_calibration *calibration, unsigned n, const float *pictures,
                            struct linnet_error *err) {
    const float *inputs[1] = {pictures};
    pthread_mutex_lock(&calibrations.lock);
    int rc = linnet_nn_calibration_add(calibration->gathered, n, inputs, err);
    pthread_mutex_unlock(&calibrations.lock);
    return rc;
}

int convnet_calibration_unref(struct convnet_calibration *calibration, struct linnet_error *err) {
    int rc = 0;
    if (!calibration) return 0;
    pthread_mutex_lock(&calibrations.lock);
    bool last = !--calibration->references;
    struct convnet_calibration **at = &calibrations.first;
    while (last && *at != calibration)
        at = &(*at)->next;
    if (last) *at = calibration->next;
    pthread_mutex_unlock(&calibrations.lock);
    if (!last) return 0;
    if (linnet_nn_calibration_samples(calibration->gathered))
        rc = linnet_nn_calibration_write(calibration->gathered, calibration->method, calibration->path,
                                         calibration->to, err);
    calibration_free(calibration);
    return rc;
}
