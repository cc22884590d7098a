#include "common/nn/model.h"
#include "common/nn/fail.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/nn/onnx/metadata.h"
#include "common/nn/onnx/reader.h"

static void free_ports(struct linnet_nn_port *ports, size_t count) {
    for (size_t i = 0; ports && i < count; i++)
        free((char *)ports[i].name);
    free(ports);
}

/* With names of their own: the graph may go before the model. */
static struct linnet_nn_port *make_ports(const struct linnet_nn_graph *graph, const uint32_t *tensors,
                                         size_t count) {
    struct linnet_nn_port *ports = calloc(count ? count : 1, sizeof *ports);
    for (size_t i = 0; ports && i < count; i++) {
        const struct linnet_nn_tensor *tensor = &graph->tensors[tensors[i]];
        ports[i].name = strdup(tensor->name);
        if (!ports[i].name) {
            free_ports(ports, i);
            return NULL;
        }
        ports[i].type = tensor->type;
        ports[i].rank = tensor->shape.rank;
        memcpy(ports[i].dims, tensor->shape.dims, sizeof ports[i].dims);
    }
    return ports;
}

/* A batch runs through all ports alike: the first dimension of each is the batch, or none is free. */
static int check_batch(const struct linnet_nn_model *model, struct linnet_error *err) {
    int64_t batch = model->inputs[0].dims[0];
    for (size_t i = 0; i < model->ninputs + model->noutputs; i++) {
        const struct linnet_nn_port *port =
            i < model->ninputs ? &model->inputs[i] : &model->outputs[i - model->ninputs];
        char text[64];
        linnet_onnx_clean(port->name, text, sizeof text);
        if (port->rank < 1 || port->dims[0] != batch)
            return linnet_nn_fail(
                err, LINNET_E_UNSUPPORTED,
                "%s \"%s\" does not have the batch as its first dimension, as the other ports do",
                i < model->ninputs ? "input" : "output", text);
        for (int k = 1; k < port->rank; k++)
            if (port->dims[k] < 0)
                return linnet_nn_fail(err, LINNET_E_UNSUPPORTED,
                                      "dimension %d of output \"%s\" depends on the batch", k, text);
    }
    return 0;
}

/* `mapped`: the bytes are a file's, mapped. */
static int parse(const void *data, size_t size, bool mapped, const char *folder, struct linnet_nn_model **out,
                 struct linnet_error *err) {
    Onnx__ModelProto *proto;
    int rc = linnet_onnx_unpack(data, size, mapped, &proto, err);
    if (rc) return rc;
    struct linnet_nn_model *model = calloc(1, sizeof *model);
    rc = model ? linnet_onnx_read(proto, folder, &model->graph, &model->ranges, err)
               : linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    const char *ranges = linnet_onnx_metadata(proto, LINNET_NN_RANGES_KEY);
    if (!rc && ranges) { /* calibrated by us: that, not what the file's own roundings span */
        linnet_nn_ranges_free(model->ranges);
        model->ranges = NULL;
        rc = linnet_nn_ranges_parse(ranges, strlen(ranges), &model->ranges, err);
    }
    onnx__model_proto__free_unpacked(proto, NULL);
    if (!rc) {
        model->ninputs = model->graph->ninputs;
        model->noutputs = model->graph->noutputs;
        model->inputs = make_ports(model->graph, model->graph->inputs, model->ninputs);
        model->outputs = make_ports(model->graph, model->graph->outputs, model->noutputs);
        rc = model->inputs && model->outputs ? check_batch(model, err)
                                             : linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    }
    if (rc) {
        linnet_nn_model_free(model);
        return rc;
    }
    *out = model;
    return 0;
}

int linnet_nn_model_parse(const void *data, size_t size, struct linnet_nn_model **out,
                          struct linnet_error *err) {
    return parse(data, size, false, NULL, out, err);
}

/* The folder of a path, "." where it names none. */
static void folder_of(const char *path, char folder[PATH_MAX]) {
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;
    if (!slash || size >= PATH_MAX)
        strcpy(folder, ".");
    else if (!size)
        strcpy(folder, "/");
    else {
        memcpy(folder, path, size);
        folder[size] = 0;
    }
}

int linnet_nn_model_load(const char *path, struct linnet_nn_model **out, struct linnet_error *err) {
    char folder[PATH_MAX];
    folder_of(path, folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return linnet_nn_fail(err, errno == ENOENT ? LINNET_E_NOT_FOUND : LINNET_E_IO, "%s: %s", path,
                              strerror(errno));
    if (fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size <= 0) {
        close(fd);
        return linnet_nn_fail(err, LINNET_E_PARSE, "%s: empty, or no file", path);
    }
    size_t size = (size_t)status.st_size;
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (data == MAP_FAILED) return linnet_nn_fail(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    int rc = parse(data, size, true, folder, out, err);
    munmap(data, size);
    if (rc && err) linnet_error_prefix(err, "%s", path);
    return rc;
}

void linnet_nn_model_free(struct linnet_nn_model *model) {
    if (!model) return;
    linnet_nn_graph_free(model->graph);
    linnet_nn_ranges_free(model->ranges);
    free_ports(model->inputs, model->ninputs);
    free_ports(model->outputs, model->noutputs);
    free(model);
}

size_t linnet_nn_model_inputs(const struct linnet_nn_model *model, const struct linnet_nn_port **ports) {
    *ports = model->inputs;
    return model->ninputs;
}

size_t linnet_nn_model_outputs(const struct linnet_nn_model *model, const struct linnet_nn_port **ports) {
    *ports = model->outputs;
    return model->noutputs;
}

size_t linnet_nn_model_ranges(const struct linnet_nn_model *model) {
    return model->ranges ? model->ranges->count : 0;
}
