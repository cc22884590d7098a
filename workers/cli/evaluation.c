#include "workers/cli/evaluation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/time.h"
#include "workers/cli/evaluation_model.h"
#include "workers/cli/file.h"
#include "workers/host/install.h"
#include "workers/host/pipeline.h"

enum { IN_FLIGHT = 32, VIEWS_MAX = LINNET_EVALUATION_VIEWS };
#define PICTURE_LIMIT ((size_t)64 << 20)

const char *const linnet_organs[LINNET_ORGANS] = {"flower", "leaf", "fruit", "bark", "habit"};

static const char *const stage_names[] = {"normalize", "convnet", "fusion"};
enum { STAGES = 3 };

struct evaluating {
    const struct linnet_evaluation_options *options;
    const struct linnet_pictures *pictures;
    struct linnet_evaluation_model model;
    struct linnet_pipeline *pipeline;
    struct linnet_plugin_file *files[STAGES];
    uv_loop_t loop;
    struct linnet_evaluation *out;
    size_t next, in_flight, done;
};

/* One observation on its way: the pictures [from, from + n) of the list. */
struct sample {
    struct evaluating *evaluating;
    struct linnet_observation observation;
    size_t from, n;
    char digests[VIEWS_MAX][LINNET_DIGEST_SIZE];
    bool sent[VIEWS_MAX];
};

static void count(const struct evaluating *self, struct linnet_score *score, uint32_t truth,
                  const json_t *species) {
    const char *wanted = linnet_taxonomy_at(linnet_references_taxonomy(self->model.references), truth)->id;
    unsigned rank = 0;
    size_t i;
    json_t *entry;
    json_array_foreach(species, i, entry) {
        if (strcmp(linnet_json_string(entry, "taxon", ""), wanted) != 0) continue;
        rank = (unsigned)i + 1;
        break;
    }
    linnet_score_add(score, truth, rank, linnet_json_number(species, "0/score", 0));
}

static void write_prediction(FILE *table, const struct linnet_picture *picture, const json_t *prediction) {
    const json_t *species = json_object_get(prediction, "species");
    fprintf(table, "\"%s\",\"%s\",%s,%.6f,%s,%.6f\n", picture->path, picture->label,
            linnet_json_string(species, "0/taxon", ""), linnet_json_number(species, "0/score", 0),
            linnet_json_string(species, "1/taxon", ""), linnet_json_number(species, "1/score", 0));
}

static json_t *prediction_of(const struct sample *sample, size_t view) {
    char id[LINNET_ID_MAX], qualifier[160];
    snprintf(qualifier, sizeof qualifier, "%s:evaluated@1", sample->digests[view]);
    linnet_id_format(sample->observation.ulid, "prediction", qualifier, id);
    const struct linnet_held_doc *doc = linnet_observation_find(&sample->observation, id);
    return doc ? doc->json : NULL;
}

static void count_view(struct sample *sample, size_t view, uint32_t truth) {
    struct evaluating *self = sample->evaluating;
    const struct linnet_picture *picture = &self->pictures->items[sample->from + view];
    const json_t *prediction = prediction_of(sample, view);
    if (!prediction) {
        self->out->failed++;
        return;
    }
    self->out->read++;
    if (self->options->predictions) write_prediction(self->options->predictions, picture, prediction);
    if (truth == LINNET_NO_TAXON) return;
    count(self, &self->out->pictures, truth, json_object_get(prediction, "species"));
    for (size_t o = 0; o < LINNET_ORGANS; o++)
        if (strcmp(picture->organ, linnet_organs[o]) == 0)
            count(self, &self->out->organs[o], truth, json_object_get(prediction, "species"));
}

/* Let the caller see for himself. */
static void tell(const struct sample *sample, uint32_t truth, const json_t *identification) {
    const struct evaluating *self = sample->evaluating;
    struct linnet_evaluation_answer answer = {
        .pictures = &self->pictures->items[sample->from], .n = sample->n, .identification = identification};
    if (!self->options->answered) return;
    if (truth != LINNET_NO_TAXON)
        answer.truth = linnet_taxonomy_at(linnet_references_taxonomy(self->model.references), truth)->id;
    for (size_t i = 0; i < sample->n; i++)
        answer.predictions[i] = prediction_of(sample, i);
    self->options->answered(self->options->answered_arg, &answer);
}

static void start_more(struct evaluating *self);

static void on_done(void *arg, const struct linnet_pipeline_outcome *outcome) {
    struct sample *sample = arg;
    struct evaluating *self = sample->evaluating;
    char id[LINNET_ID_MAX];
    (void)outcome;
    uint32_t truth = linnet_evaluation_truth(&self->model, self->pictures->items[sample->from].label);
    for (size_t i = 0; i < sample->n; i++)
        count_view(sample, i, truth);
    linnet_id_format(sample->observation.ulid, "identification", NULL, id);
    const struct linnet_held_doc *identification = linnet_observation_find(&sample->observation, id);
    if (identification && truth != LINNET_NO_TAXON)
        count(self, &self->out->observations, truth, json_object_get(identification->json, "species"));
    tell(sample, truth, identification ? identification->json : NULL);
    linnet_observation_done(&sample->observation);
    free(sample);
    self->in_flight--;
    self->done++;
    if (self->options->progress)
        self->options->progress(self->options->progress_arg, self->done, self->pictures->n);
    start_more(self);
}

static int put_picture(struct sample *sample, size_t view, json_t *views) {
    const struct linnet_picture *picture = &sample->evaluating->pictures->items[sample->from + view];
    void *data;
    size_t size;
    char id[LINNET_ID_MAX];
    if (linnet_file_read(picture->path, PICTURE_LIMIT, &data, &size, NULL) != 0) return -1;
    linnet_digest_bytes(data, size, sample->digests[view]);
    linnet_id_format(sample->observation.ulid, "image", sample->digests[view], id);
    json_t *image = json_pack("{s:s, s:s, s:s, s:{s:{s:s, s:I, s:b}}}", "_id", id, "kind", "image",
                              "observer", "eval", "_attachments", "original", "content_type", "image/jpeg",
                              "length", (json_int_t)size, "stub", 1);
    struct linnet_bytes *bytes = linnet_bytes_new(data, size, NULL);
    int error = !image || !bytes || linnet_observation_put(&sample->observation, image) != 0 ||
                linnet_observation_put_blob(&sample->observation, id, "original", "image/jpeg", bytes) != 0;
    linnet_bytes_unref(bytes);
    if (error) return -1;
    sample->sent[view] = true;
    bool known = sample->evaluating->options->organs && *picture->organ;
    return json_array_append_new(views, json_pack("{s:s, s:s}", "image", sample->digests[view], "organ",
                                                  known ? picture->organ : "auto"));
}

/* Make the observation and send it through the stages. */
static int start(struct evaluating *self, size_t from, size_t n) {
    struct sample *sample = calloc(1, sizeof *sample);
    char ulid[LINNET_ULID_SIZE], id[LINNET_ID_MAX];
    json_t *views = json_array();
    if (!sample) return LINNET_E_NOMEM;
    sample->evaluating = self;
    sample->from = from;
    sample->n = n;
    linnet_ulid_new(ulid);
    linnet_observation_init(&sample->observation, ulid);
    for (size_t i = 0; i < n; i++)
        put_picture(sample, i, views);
    linnet_id_format(ulid, "observation", NULL, id);
    json_t *observation = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "_id", id, "kind", "observation",
                                    "observer", "eval", "created_at", "2026-01-01T00:00:00Z", "observed_at",
                                    "2026-01-01T00:00:00Z", "views", views);
    const char *flora = self->pictures->items[from].flora;
    if (self->options->flora && *flora) json_object_set_new(observation, "flora", json_string(flora));
    int error = observation ? linnet_observation_put(&sample->observation, observation) : LINNET_E_NOMEM;
    if (!error)
        error =
            linnet_pipeline_run(self->pipeline, &sample->observation, LINNET_PRIORITY_FRESH, on_done, sample);
    if (error) {
        linnet_observation_done(&sample->observation);
        free(sample);
        return error;
    }
    self->in_flight++;
    return 0;
}

static void start_more(struct evaluating *self) {
    const struct linnet_picture *items = self->pictures->items;
    size_t end = self->options->limit && self->options->limit < self->pictures->n ? self->options->limit
                                                                                  : self->pictures->n;
    while (self->in_flight < IN_FLIGHT && self->next < end) {
        size_t from = self->next, n = 1;
        while (from + n < end && n < VIEWS_MAX &&
               strcmp(items[from + n].observation, items[from].observation) == 0)
            n++;
        self->next += n;
        bool known = linnet_evaluation_truth(&self->model, items[from].label) != LINNET_NO_TAXON;
        if (!known) self->out->unknown += n;
        if ((known || self->options->unknown) && start(self, from, n) != 0) self->out->failed += n;
    }
    if (self->in_flight == 0 && self->next >= end && self->pipeline) {
        linnet_pipeline_close(self->pipeline, NULL, NULL);
        self->pipeline = NULL;
    }
}

static int open_stages(struct evaluating *self, struct linnet_error *err) {
    struct linnet_pipeline_stage stages[STAGES] = {{0}};
    struct linnet_pipeline_options options = {.references = self->model.references};
    json_t *config = json_pack("{s:s, s:s*, s:s*}", "precision",
                               self->options->precision ? self->options->precision : "f32", "calibrate",
                               self->options->calibrate, "calibrate_by", self->options->by);
    int error = config ? 0 : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    for (size_t i = 0; !error && i < STAGES; i++) {
        char path[PATH_MAX];
        error = linnet_install_plugin(stage_names[i], path, err);
        if (!error) error = linnet_plugin_file_open(path, &self->files[i], err);
        stages[i].file = self->files[i];
        if (strcmp(stage_names[i], "convnet") == 0) stages[i].config = config;
        if (strcmp(stage_names[i], "fusion") == 0) stages[i].config = self->options->fusion;
    }
    if (!error) error = linnet_pipeline_open(&self->loop, stages, STAGES, &options, &self->pipeline, err);
    json_decref(config);
    return error;
}

static int init_scores(struct linnet_evaluation *out, uint32_t classes) {
    int error = linnet_score_init(&out->pictures, classes) | linnet_score_init(&out->observations, classes);
    for (size_t i = 0; i < LINNET_ORGANS; i++)
        error |= linnet_score_init(&out->organs[i], classes);
    return error ? LINNET_E_NOMEM : 0;
}

int linnet_evaluate(const struct linnet_evaluation_options *options, const struct linnet_pictures *pictures,
                    struct linnet_evaluation *out, struct linnet_error *err) {
    struct linnet_evaluation evaluation = {0};
    struct evaluating self = {.options = options, .pictures = pictures, .out = &evaluation};
    int error = linnet_evaluation_model_load(options, &self.model, err);
    if (error) return error;
    uv_loop_init(&self.loop);
    if (init_scores(&evaluation,
                    (uint32_t)linnet_taxonomy_size(linnet_references_taxonomy(self.model.references))) != 0)
        error = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (!error) error = open_stages(&self, err);
    int64_t begin = linnet_time_monotonic();
    if (!error) start_more(&self);
    uv_run(&self.loop, UV_RUN_DEFAULT);
    evaluation.seconds = (double)(linnet_time_monotonic() - begin) / 1000;
    uv_loop_close(&self.loop);
    for (size_t i = 0; i < STAGES; i++)
        linnet_plugin_file_free(self.files[i]);
    linnet_evaluation_model_done(&self.model);
    if (error)
        linnet_evaluation_done(&evaluation);
    else
        *out = evaluation;
    return error;
}

void linnet_evaluation_done(struct linnet_evaluation *evaluation) {
    linnet_score_done(&evaluation->pictures);
    linnet_score_done(&evaluation->observations);
    for (size_t i = 0; i < LINNET_ORGANS; i++)
        linnet_score_done(&evaluation->organs[i]);
}
