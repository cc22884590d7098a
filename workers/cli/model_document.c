#include "workers/cli/model_document.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/json.h"

static const struct linnet_nn_port *port_named(const struct linnet_nn_port *ports, size_t n,
                                               const char *name) {
    for (size_t i = 0; name && i < n; i++)
        if (strcmp(ports[i].name, name) == 0) return &ports[i];
    return NULL;
}

/* Width of an output of one sample: the product of its dimensions but the batch. */
static int64_t width_of(const struct linnet_nn_port *port) {
    int64_t width = 1;
    for (int i = 1; i < port->rank; i++)
        width *= port->dims[i];
    return width;
}

static void assume(json_t *assumed, const char *what) {
    json_array_append_new(assumed, json_string(what));
}

static int describe_input(const struct linnet_nn_model *model, json_t *input, json_t *assumed,
                          struct linnet_error *err) {
    const struct linnet_nn_port *ports;
    size_t n = linnet_nn_model_inputs(model, &ports);
    const char *wanted = linnet_json_string(input, "name", NULL);
    const struct linnet_nn_port *port = wanted ? port_named(ports, n, wanted) : n == 1 ? &ports[0] : NULL;
    if (!port)
        return linnet_error_set(err, LINNET_E_INVALID,
                                "the graph has %zu inputs and none is named \"%s\"; say input.name in the "
                                "description",
                                n, wanted ? wanted : "");
    if (port->rank != 4 || port->dims[1] != 3)
        return linnet_error_set(err, LINNET_E_INVALID,
                                "input %s is no batch of RGB pictures (N, 3, height, width)", port->name);
    json_object_set_new(input, "name", json_string(port->name));
    json_object_set_new(input, "layout", json_string("NCHW"));
    if (port->dims[2] > 0 && !json_object_get(input, "height"))
        json_object_set_new(input, "height", json_integer(port->dims[2]));
    if (port->dims[3] > 0 && !json_object_get(input, "width"))
        json_object_set_new(input, "width", json_integer(port->dims[3]));
    long long width = linnet_json_integer(input, "width", 0),
              height = linnet_json_integer(input, "height", 0);
    if (width <= 0 || height <= 0)
        return linnet_error_set(err, LINNET_E_INVALID,
                                "the graph takes pictures of any size; say input.width and input.height");
    if (!json_object_get(input, "resize")) {
        json_object_set_new(input, "resize", json_string("shortest"));
        json_object_set_new(input, "resize_to", json_integer((width > height ? width : height) * 256 / 224));
        json_object_set_new(input, "crop", json_string("center"));
        assume(assumed, "the shortest side is resized to 256/224 of the input, then the centre is cropped");
    }
    if (!json_object_get(input, "mean") || !json_object_get(input, "std")) {
        json_object_set_new(input, "mean", json_pack("[f,f,f]", 0.485, 0.456, 0.406));
        json_object_set_new(input, "std", json_pack("[f,f,f]", 0.229, 0.224, 0.225));
        assume(assumed, "pictures are normalised by ImageNet's mean and deviation");
    }
    return 0;
}

static int find_species(const struct linnet_nn_port *ports, size_t n, size_t labels, json_t *outputs,
                        struct linnet_error *err) {
    const char *wanted = linnet_json_string(outputs, "species", NULL);
    const struct linnet_nn_port *port = port_named(ports, n, wanted);
    for (size_t i = 0; !wanted && !port && i < n; i++)
        if (width_of(&ports[i]) == (int64_t)labels) port = &ports[i];
    if (!port && wanted)
        return linnet_error_set(err, LINNET_E_INVALID, "the graph has no output \"%s\"", wanted);
    if (!port || width_of(port) != (int64_t)labels)
        return linnet_error_set(err, LINNET_E_INVALID,
                                "there are %zu labels, but output %s has %" PRId64
                                " values; the labels' file needs "
                                "one row for each class, in order",
                                labels,
                                port ? port->name
                                : n  ? ports[0].name
                                     : "(none)",
                                port ? width_of(port)
                                : n  ? width_of(&ports[0])
                                     : 0);
    json_object_set_new(outputs, "species", json_string(port->name));
    return 0;
}

static int describe_outputs(const struct linnet_nn_model *model, const struct linnet_labels *labels,
                            json_t *outputs, const json_t *description, struct linnet_error *err) {
    static const char *const others[] = {"organ", "plant", "embedding"};
    const struct linnet_nn_port *ports;
    size_t n = linnet_nn_model_outputs(model, &ports);
    int error = find_species(ports, n, json_array_size(labels->taxa), outputs, err);
    for (size_t i = 0; !error && i < 3; i++) {
        const char *name = linnet_json_string(outputs, others[i], NULL);
        if (name && !port_named(ports, n, name))
            error = linnet_error_set(err, LINNET_E_INVALID, "the graph has no output \"%s\" (outputs.%s)",
                                     name, others[i]);
        if (!name) json_object_set_new(outputs, others[i], json_null());
    }
    const struct linnet_nn_port *organ = port_named(ports, n, linnet_json_string(outputs, "organ", NULL));
    size_t organs = json_array_size(json_object_get(description, "organs"));
    if (!error && organ && width_of(organ) != (int64_t)organs)
        error = linnet_error_set(err, LINNET_E_INVALID,
                                 "output %s has %" PRId64 " values, the description names %zu organs",
                                 organ->name, width_of(organ), organs);
    return error;
}

int linnet_model_document(const char *name, const char *version, const struct linnet_nn_model *model,
                          const struct linnet_labels *labels, const json_t *description, json_t *assumed,
                          json_t **out, struct linnet_error *err) {
    static const char *const kept[] = {"organs",     "calibration", "accuracy", "trained_on",
                                       "created_at", "licence",     "title"};
    char id[LINNET_ID_MAX], qualifier[256];
    snprintf(qualifier, sizeof qualifier, "%s@%s", name, version);
    if (linnet_id_format(NULL, "model", qualifier, id) != 0)
        return linnet_error_set(err, LINNET_E_INVALID, "\"%s\" is no name and version of a model", qualifier);
    json_t *input = json_deep_copy(json_object_get(description, "input"));
    json_t *outputs = json_deep_copy(json_object_get(description, "outputs"));
    if (!input) input = json_object();
    if (!outputs) outputs = json_object();
    int error = describe_input(model, input, assumed, err);
    if (!error) error = describe_outputs(model, labels, outputs, description, err);
    json_t *document = error ? NULL
                             : json_pack("{s:s, s:s, s:s, s:s, s:O, s:O, s:O, s:O}", "_id", id, "kind",
                                         "model", "name", name, "version", version, "labels", labels->taxa,
                                         "unmapped", labels->unmapped, "input", input, "outputs", outputs);
    json_decref(input);
    json_decref(outputs);
    if (!document) return error ? error : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        json_t *value = json_object_get(description, kept[i]);
        if (value) json_object_set(document, kept[i], value);
    }
    if (!json_object_get(document, "calibration")) {
        json_object_set_new(document, "calibration", json_pack("{s:f}", "temperature", 1.0));
        assume(assumed,
               "the scores are not calibrated (temperature 1); `linnet eval` tells how sure they may be");
    }
    *out = document;
    return 0;
}
