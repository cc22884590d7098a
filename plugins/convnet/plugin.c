/* convnet: what a network says of one picture. Pictures of different observations run together as one batch;
 * all instances share one compiled network, each has its own memory to run it in. */
#include <linnet/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/convnet/calibration.h"
#include "plugins/convnet/model.h"
#include "plugins/convnet/picture.h"
#include "plugins/convnet/prediction.h"
#include "plugins/convnet/shared.h"

#define WHY_SIZE  640
#define BATCH_MAX 64
#define PORTS_MAX 16
#define EMBED_MAX 16384

static const char config_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
    "\"model\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":131,\"default\":\"active\","
    "\"description\":\"<name>@<version>, or active: the model of wanted:convnet, else the newest that is "
    "published\"},"
    "\"precision\":{\"enum\":[\"f32\",\"bf16\",\"int8\",\"auto\"],\"default\":\"f32\","
    "\"description\":\"bf16 is faster where the processor has it; auto takes it there. int8 wants a model "
    "that "
    "linnet model calibrate has been through. Members of a group should agree\"},"
    "\"calibrate\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":4000,"
    "\"description\":\"a file: what linnet model calibrate works by; the network is written to it with the "
    "ranges "
    "that its values have on the pictures that come\"},"
    "\"calibrate_by\":{\"enum\":[\"error\",\"percentile\",\"most\"],\"default\":\"error\","
    "\"description\":\"which range of each value: that of the least squared error, of 99.99% of the values, "
    "of "
    "all\"},"
    "\"backend\":{\"enum\":[\"cpu\",\"cuda\",\"auto\"],\"default\":\"cpu\","
    "\"description\":\"cuda is an NVIDIA GPU by cuDNN: new, not tried on a device yet, so to be asked for; "
    "auto takes "
    "it where there is one\"},"
    "\"batch\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":64,\"default\":8,"
    "\"description\":\"most pictures that run through the network at once; on a processor fewer of a network "
    "whose "
    "layers do not fit its cache\"}}}";

struct convnet {
    const struct linnet_host *host;
    struct convnet_model *model;
    const struct convnet_engine *engine;
    struct linnet_nn_session *session;
    struct convnet_calibration *calibration; /* NULL: not wanted */
    const char *backend;
    enum linnet_nn_precision precision;
    unsigned batch;
    size_t elements;           /* of one picture as the network takes it */
    float *input;              /* batch pictures */
    float *outputs[PORTS_MAX]; /* batch results of each port; NULL: not wanted */
    size_t widths[PORTS_MAX], nports;
    int species, organ, plant, embedding; /* ports; -1: none */
    struct convnet_scratch scratch;
};

/* --- configuration and opening --- */

/* Borrowed from the configuration, which outlives the instance. */
static const char *backend_of(const json_t *config) {
    const char *name = json_string_value(json_object_get(config, "backend"));
    return name ? name : "cpu";
}

static enum linnet_nn_precision precision_of(const json_t *config) {
    const char *name = json_string_value(json_object_get(config, "precision"));
    const char *backend = backend_of(config);
    enum linnet_nn_precision precision;
    if (linnet_nn_precision_parse(name, &precision)) return precision;
    return linnet_nn_precision_native(backend, LINNET_NN_PRECISION_BF16) ? LINNET_NN_PRECISION_BF16
                                                                         : LINNET_NN_PRECISION_F32;
}

static int convnet_check(const struct linnet_host *host, const json_t *config, char *why, size_t size) {
    char name[CONVNET_NAME_MAX];
    struct convnet_model *model;
    if (convnet_model_choose(host, json_string_value(json_object_get(config, "model")), name, why, size) ||
        convnet_model_open(host, name, &model, why, size))
        return -1;
    convnet_model_free(model);
    return convnet_picture_setup(why, size);
}

static int find_port(const struct linnet_nn_port *ports, size_t count, const char *name) {
    for (size_t i = 0; name && i < count; i++)
        if (!strcmp(ports[i].name, name)) return (int)i;
    return -1;
}

/* The output that the document names, with `width` values (0: any up to EMBED_MAX) for each picture. */
static int match_output(struct convnet *self, const struct linnet_nn_port *ports, const char *name,
                        size_t width, int *port, char *why, size_t size) {
    *port = find_port(ports, self->nports, name);
    if (!name) return 0;
    if (*port < 0) {
        snprintf(why, size, "the network of %s has no output \"%s\"", self->model->name, name);
        return -1;
    }
    size_t found = 1;
    for (int i = 1; i < ports[*port].rank; i++)
        found *= (size_t)ports[*port].dims[i];
    if (width ? found != width : found > EMBED_MAX) {
        snprintf(why, size,
                 "the output \"%s\" of %s has %zu values for each picture, the model document says %zu", name,
                 self->model->name, found, width ? width : (size_t)EMBED_MAX);
        return -1;
    }
    self->widths[*port] = found;
    self->outputs[*port] = malloc(self->batch * found * sizeof(float));
    if (!self->outputs[*port]) snprintf(why, size, "out of memory");
    return self->outputs[*port] ? 0 : -1;
}

static int match_input(struct convnet *self, char *why, size_t size) {
    const struct convnet_preprocess *preprocess = &self->model->preprocess;
    const struct linnet_nn_port *ports;
    size_t count = linnet_nn_model_inputs(self->engine->model, &ports);
    int64_t wanted[4] = {0, 3, preprocess->height, preprocess->width};
    if (preprocess->channels_last) {
        wanted[1] = preprocess->height;
        wanted[2] = preprocess->width;
        wanted[3] = 3;
    }
    bool fits = count == 1 && ports[0].rank == 4 &&
                (!self->model->input || !strcmp(ports[0].name, self->model->input));
    for (int i = 1; i < 4 && fits; i++)
        fits = ports[0].dims[i] == wanted[i];
    if (!fits) {
        snprintf(
            why, size,
            "the network of %s does not take one picture of %d x %d as \"%s\", as the model document says",
            self->model->name, preprocess->width, preprocess->height,
            self->model->input ? self->model->input : "");
        return -1;
    }
    self->elements = (size_t)(wanted[1] * wanted[2] * wanted[3]);
    self->input = malloc(self->batch * self->elements * sizeof(float));
    if (!self->input) snprintf(why, size, "out of memory");
    return self->input ? 0 : -1;
}

static int match_ports(struct convnet *self, char *why, size_t size) {
    const struct convnet_model *model = self->model;
    const struct linnet_nn_port *ports;
    self->nports = linnet_nn_model_outputs(self->engine->model, &ports);
    if (self->nports > PORTS_MAX) {
        snprintf(why, size, "the network of %s has more than %d outputs", model->name, PORTS_MAX);
        return -1;
    }
    if (match_input(self, why, size) ||
        match_output(self, ports, model->species, model->classes, &self->species, why, size) ||
        match_output(self, ports, model->organ, model->norgans, &self->organ, why, size) ||
        match_output(self, ports, model->plant, 1, &self->plant, why, size) ||
        match_output(self, ports, model->embedding, 0, &self->embedding, why, size))
        return -1;
    size_t dims = self->embedding < 0 ? 0 : self->widths[self->embedding];
    if (!convnet_scratch_init(&self->scratch, model, dims)) return 0;
    snprintf(why, size, "out of memory");
    return -1;
}

static int open_calibration(struct convnet *self, const json_t *config, char *why, size_t size) {
    struct linnet_error err = {0};
    const char *to = json_string_value(json_object_get(config, "calibrate"));
    const char *by = json_string_value(json_object_get(config, "calibrate_by"));
    enum linnet_nn_range_method method = by && !strcmp(by, "percentile") ? LINNET_NN_RANGE_PERCENTILE
                                         : by && !strcmp(by, "most")     ? LINNET_NN_RANGE_MOST
                                                                         : LINNET_NN_RANGE_ERROR;
    if (!to) return 0;
    if (!convnet_calibration_ref(self->model->file, to, method, &self->calibration, &err)) return 0;
    snprintf(why, size, "calibrating the network of %s: %s", self->model->name, err.detail);
    return -1;
}

static void close_calibration(struct convnet *self) {
    struct linnet_error err = {0};
    if (convnet_calibration_unref(self->calibration, &err))
        self->host->log(self->host->ctx, 3, "the calibrated network is not written: %s", err.detail);
}

static void convnet_close(void *instance) {
    struct convnet *self = instance;
    if (!self) return;
    close_calibration(self); /* before the engine, whose model it reads */
    linnet_nn_session_close(self->session);
    convnet_engine_unref(self->engine);
    convnet_model_free(self->model);
    convnet_scratch_done(&self->scratch);
    for (size_t i = 0; i < PORTS_MAX; i++)
        free(self->outputs[i]);
    free(self->input);
    free(self);
    convnet_picture_thread_done();
}

static int open_engine(struct convnet *self, char *why, size_t size) {
    struct linnet_error err = {0};
    struct convnet_engine_key key = {self->model->file, self->model->digest, self->backend, self->precision,
                                     self->batch};
    int rc = convnet_engine_ref(&key, &self->engine, &err);
    if (!rc) self->batch = self->engine->batch;
    if (!rc) rc = linnet_nn_session_open(self->engine->engine, &self->session, &err);
    if (rc) snprintf(why, size, "the network of %s: %s", self->model->name, err.detail);
    const char *fallback = rc ? NULL : linnet_nn_engine_fallback(self->engine->engine);
    if (fallback)
        self->host->log(self->host->ctx, 1, "the GPU is not used (%s): %s computes instead", fallback,
                        linnet_nn_engine_device(self->engine->engine));
    return rc ? -1 : 0;
}

static int convnet_open(const struct linnet_host *host, const json_t *config, void **out, char *why,
                        size_t size) {
    char name[CONVNET_NAME_MAX];
    struct convnet *self = calloc(1, sizeof *self);
    if (!self) {
        snprintf(why, size, "out of memory");
        return -1;
    }
    self->host = host;
    self->backend = backend_of(config);
    self->precision = precision_of(config);
    self->batch = (unsigned)json_integer_value(json_object_get(config, "batch"));
    if (convnet_picture_setup(why, size) ||
        convnet_model_choose(host, json_string_value(json_object_get(config, "model")), name, why, size) ||
        convnet_model_open(host, name, &self->model, why, size) || open_engine(self, why, size) ||
        match_ports(self, why, size) || open_calibration(self, config, why, size)) {
        convnet_close(self);
        return -1;
    }
    *out = self;
    return 0;
}

/* The class of precision counts, not the device: f32 is f32 on any. */
static int convnet_fingerprint(void *instance, char *text, size_t size) {
    const struct convnet *self = instance;
    snprintf(text, size, "model %s %s %s", self->model->name, self->model->digest,
             linnet_nn_precision_name(self->precision));
    return 0;
}

static int convnet_qualifier(void *instance, const struct linnet_item *item, char *out, size_t size) {
    const struct convnet *self = instance;
    int n = snprintf(out, size, "%s:%s", item->docs[0].qualifier, self->model->name);
    return n < (int)size ? 0 : -1;
}

/* What runs at once is taken at once: more would keep from another instance what it could do meanwhile. */
static uint32_t convnet_batch(void *instance) {
    const struct convnet *self = instance;
    return self->batch;
}

/* --- one batch --- */

static const struct linnet_blob *picture_of(const struct linnet_doc *doc) {
    const json_t *model = json_object_get(json_object_get(doc->json, "sizes"), "model");
    const char *name = json_string_value(json_object_get(model, "attachment"));
    for (size_t i = 0; i < doc->nblobs; i++)
        if (!strcmp(doc->blobs[i].name, name ? name : "model.jpg")) return &doc->blobs[i];
    return NULL;
}

/* The part of the picture that the observation's view means; false: all of it. */
static bool region_of(const struct linnet_item *item, struct convnet_region *region) {
    for (size_t i = 1; i < item->ndocs; i++) {
        size_t k;
        json_t *view;
        json_array_foreach(json_object_get(item->docs[i].json, "views"), k, view) {
            const char *image = json_string_value(json_object_get(view, "image"));
            const json_t *list = json_object_get(view, "region");
            if (!image || strcmp(image, item->docs[0].qualifier) != 0 || json_array_size(list) != 4) continue;
            *region = (struct convnet_region){
                json_number_value(json_array_get(list, 0)), json_number_value(json_array_get(list, 1)),
                json_number_value(json_array_get(list, 2)), json_number_value(json_array_get(list, 3))};
            return region->width > 0 && region->height > 0;
        }
    }
    return false;
}

static void finish(const struct convnet *self, const struct linnet_item *item, enum linnet_verdict verdict,
                   const char *why) {
    self->host->finish(self->host->ctx, item, verdict, why);
}

/* Prepare the picture of an item as place `place` of the batch. False: the item is finished. */
static bool prepare(struct convnet *self, const struct linnet_item *item, unsigned place) {
    char why[WHY_SIZE];
    const struct linnet_blob *picture = picture_of(&item->docs[0]);
    if (!picture) {
        finish(self, item, LINNET_REJECT, "the normalized picture has no attachment of the size \"model\"");
        return false;
    }
    struct convnet_region region;
    enum convnet_picture_result result =
        convnet_picture_read(picture->data, picture->size, region_of(item, &region) ? &region : NULL,
                             &self->model->preprocess, self->input + place * self->elements, why, sizeof why);
    if (result) finish(self, item, result == CONVNET_PICTURE_LATER ? LINNET_RETRY : LINNET_REJECT, why);
    return !result;
}

static const float *result_of(const struct convnet *self, int port, unsigned place) {
    return port < 0 ? NULL : self->outputs[port] + place * self->widths[port];
}

static void conclude(struct convnet *self, const struct linnet_item *item, unsigned place) {
    struct convnet_outputs outputs = {
        .species = result_of(self, self->species, place),
        .organ = result_of(self, self->organ, place),
        .plant = result_of(self, self->plant, place),
        .embedding = result_of(self, self->embedding, place),
        .dims = self->embedding < 0 ? 0 : self->widths[self->embedding],
    };
    bool numbers;
    json_t *document =
        convnet_prediction(self->model, item->docs[0].qualifier, &outputs, &self->scratch, &numbers);
    struct linnet_output output = {.document = document,
                                   .device = linnet_nn_engine_device(self->engine->engine)};
    if (!numbers)
        finish(self, item, LINNET_REJECT, "the network's answer to this picture is no number");
    else if (!document || self->host->emit(self->host->ctx, item, &output))
        finish(self, item, LINNET_RETRY, "out of memory");
    else
        finish(self, item, LINNET_OK, NULL);
}

/* Run what was prepared. */
static void run(struct convnet *self, const struct linnet_item *const *items, unsigned n) {
    struct linnet_error err = {0};
    const float *inputs[1] = {self->input};
    if (!n) return;
    int rc = linnet_nn_session_run(self->session, n, inputs, self->outputs, &err);
    if (!rc && self->calibration) rc = convnet_calibration_add(self->calibration, n, self->input, &err);
    for (unsigned i = 0; i < n; i++) {
        if (!rc)
            conclude(self, items[i], i);
        else
            finish(self, items[i], linnet_error_class(rc) == LINNET_TRANSIENT ? LINNET_RETRY : LINNET_BROKEN,
                   err.detail);
    }
    self->host->count(self->host->ctx, "pictures", n);
    self->host->count(self->host->ctx, "batches", 1);
}

static int convnet_process(void *instance, const struct linnet_item *const *items, size_t n) {
    struct convnet *self = instance;
    const struct linnet_item *batch[BATCH_MAX];
    unsigned filled = 0;
    for (size_t i = 0; i < n; i++) {
        if (prepare(self, items[i], filled)) batch[filled++] = items[i];
        if (filled < self->batch && i + 1 < n) continue;
        run(self, batch, filled);
        filled = 0;
    }
    return 0;
}

static const char *const blobs[] = {"model.jpg", "model", NULL};
static const char *const observation_fields[] = {"views.image=@.region", NULL};
static const struct linnet_input inputs[] = {
    {"normalized", LINNET_TRIGGER, blobs, NULL},
    {"observation", LINNET_OPTIONAL, NULL, observation_fields},
    {NULL, 0, NULL, NULL},
};
static const char *const produces[] = {"prediction", NULL};

/* The fingerprint names the model and the class of precision that these lead to. */
static const char *const operational[] = {"model",     "backend",      "precision", "batch",
                                          "calibrate", "calibrate_by", NULL};

static const struct linnet_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi = LINNET_PLUGIN_ABI,
    .output_version = 2,
    .name = "convnet",
    .version = LINNET_VERSION,
    .licence = "Apache-2.0",
    .summary = "What a network says of one picture: species, genus, family, organ, embedding",
    .config_schema = config_schema,
    .operational = operational,
    .inputs = inputs,
    .produces = produces,
    .scope = LINNET_SCOPE_OBSERVATION,
    .unit = LINNET_UNIT_DOCUMENT,
    .threading = LINNET_ANY_THREAD,
    .batch_max = 32,
    .batch_delay_ms = 10,
    .deadline_ms = 120000,
    .host_bytes = (uint64_t)1 << 30,
    .check = convnet_check,
    .open = convnet_open,
    .fingerprint = convnet_fingerprint,
    .qualifier = convnet_qualifier,
    .process = convnet_process,
    .close = convnet_close,
    .batch = convnet_batch,
};

const struct linnet_plugin *linnet_plugin(void) {
    return &plugin;
}
