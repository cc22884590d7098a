#include "workers/cli/model_document.h"

#include <inttypes.h>
#include <stdbool.h>
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

/* One side of the input: as the graph has it (the reader takes no graph that leaves it free). */
static int describe_side(json_t *input, const char *side, int64_t dim, struct linnet_error *err) {
    long long said = linnet_json_integer(input, side, dim);
    if (said != dim)
        return linnet_error_set(err, LINNET_E_INVALID,
                                "the description says input.%s %lld, the graph takes %" PRId64, side, said,
                                dim);
    json_object_set_new(input, side, json_integer(dim));
    return 0;
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
    int error = describe_side(input, "height", port->dims[2], err);
    if (!error) error = describe_side(input, "width", port->dims[3], err);
    if (error) return error;
    if (!json_object_get(input, "resize")) {
        json_object_set_new(input, "resize", json_string("shortest"));
        json_object_set_new(
            input, "resize_to",
            json_integer((port->dims[2] > port->dims[3] ? port->dims[2] : port->dims[3]) * 256 / 224));
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
    const struct linnet_nn_port *shown = port || !n ? port : ports;
    if (!port || width_of(port) != (int64_t)labels)
        return linnet_error_set(err, LINNET_E_INVALID,
                                "there are %zu labels, but output %s has %" PRId64
                                " values; the labels' file needs "
                                "one row for each class, in order",
                                labels, shown ? shown->name : "(none)", shown ? width_of(shown) : 0);
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

/* As schemas/model.schema.json has names and versions. */
static bool is_word(const char *text, const char *marks) {
    size_t n = 0;
    for (; text[n]; n++) {
        bool plain = (text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z') ||
                     (text[n] >= '0' && text[n] <= '9');
        if (!plain && (n == 0 || !strchr(marks, text[n]))) return false;
    }
    return n >= 1 && n <= 64;
}

/* A copy of an object of the description, empty where it says nothing. */
static int part_of(const json_t *description, const char *name, json_t **out, struct linnet_error *err) {
    const json_t *part = json_object_get(description, name);
    if (part && !json_is_object(part))
        return linnet_error_set(err, LINNET_E_INVALID, "%s of the description is no object", name);
    json_t *copy = part ? json_deep_copy(part) : json_object();
    if (!copy) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    *out = copy;
    return 0;
}

int linnet_model_document(const char *name, const char *version, const struct linnet_nn_model *model,
                          const struct linnet_labels *labels, const json_t *description, json_t *assumed,
                          json_t **out, struct linnet_error *err) {
    static const char *const kept[] = {"organs",     "calibration", "accuracy", "trained_on",
                                       "created_at", "licence",     "title"};
    char id[LINNET_ID_MAX], qualifier[256];
    if (!is_word(name, "._-") || !is_word(version, "._+-"))
        return linnet_error_set(
            err, LINNET_E_INVALID,
            "\"%.80s@%.80s\" is no name and version of a model: each has 1 to 64 letters, "
            "digits, '.', '_' or '-', a letter or a digit first",
            name, version);
    snprintf(qualifier, sizeof qualifier, "%s@%s", name, version);
    int error = linnet_id_format(NULL, "model", qualifier, id);
    if (error) return linnet_error_set(err, error, "%s: too long", qualifier);
    json_t *input = NULL, *outputs = NULL;
    error = part_of(description, "input", &input, err);
    if (!error) error = part_of(description, "outputs", &outputs, err);
    if (!error) error = describe_input(model, input, assumed, err);
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
