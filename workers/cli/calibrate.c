#include "workers/cli/calibrate.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/calibration/conformal.h"
#include "common/calibration/temperature.h"
#include "workers/cli/evaluation_rows.h"

enum { BINS = 15, PARTS = 3 };

/* Of the pictures of one pass: what the network says of each. */
struct answers {
    struct linnet_answer *list;
    size_t n, capacity;
};

struct calibrating {
    const struct linnet_evaluation_options *options;
    const json_t *labels;
    json_t *places;   /* {taxon: place in `weights`} of the labels that the backbone knows */
    uint32_t *counts; /* of the truths of the part that fits, by place */
    double *weights;  /* how common each is */
    size_t nplaces;
    struct answers answers;
    double *conformities[LINNET_CONFORMALS]; /* of the truths of one pass */
    size_t nconformities, capacity;
    bool failed; /* out of memory */
};

/* ---- passes over pictures ---- */

static bool fits(const struct linnet_picture *picture) {
    return linnet_hash(picture->observation, strlen(picture->observation)) % PARTS == 0;
}

/* The pictures of the part that fits, or of the rest. Items are borrowed from `all`. */
static int part_of(const struct linnet_pictures *all, bool fitting, struct linnet_pictures *out) {
    out->items = malloc((all->n + 1) * sizeof *out->items);
    if (!out->items) return LINNET_E_NOMEM;
    for (size_t i = 0; i < all->n; i++)
        if (fits(&all->items[i]) == fitting) out->items[out->n++] = all->items[i];
    return 0;
}

static void note_prediction(struct calibrating *self, const json_t *prediction, const char *truth) {
    const json_t *species = json_object_get(prediction, "species"), *entry;
    struct answers *answers = &self->answers;
    size_t n = json_array_size(species), i;
    double unused, *listed = malloc((n + 1) * sizeof *listed);
    if (answers->n == answers->capacity) {
        size_t capacity = answers->capacity ? 2 * answers->capacity : 1024;
        struct linnet_answer *bigger = realloc(answers->list, capacity * sizeof *bigger);
        if (bigger) {
            answers->list = bigger;
            answers->capacity = capacity;
        }
    }
    if (!listed || answers->n == answers->capacity) {
        free(listed);
        self->failed = true;
        return;
    }
    json_array_foreach(species, i, entry) listed[i] = linnet_json_number(entry, "score", 0);
    answers->list[answers->n++] =
        (struct linnet_answer){.listed = listed,
                               .nlisted = n,
                               .others = (uint32_t)(self->nplaces > n ? self->nplaces - n : 0),
                               .truth = (long)linnet_evaluation_rank(species, truth, &unused) - 1};
}

static void forget_answers(struct answers *answers) {
    for (size_t i = 0; i < answers->n; i++)
        free((double *)answers->list[i].listed);
    free(answers->list);
    *answers = (struct answers){0};
}

static void note_predictions(struct calibrating *self, const struct linnet_evaluation_answer *answer) {
    for (size_t i = 0; i < answer->n; i++)
        if (answer->predictions[i]) note_prediction(self, answer->predictions[i], answer->truth);
}

/* Its place among the weights; the truth is always one of the model's classes. */
static size_t place_of(const struct calibrating *self, const char *taxon) {
    return (size_t)json_integer_value(json_object_get(self->places, taxon));
}

static void on_fitting(void *arg, const struct linnet_evaluation_answer *answer) {
    struct calibrating *self = arg;
    self->counts[place_of(self, answer->truth)]++;
    note_predictions(self, answer);
}

static void note_truth(struct calibrating *self, const struct linnet_evaluation_answer *answer) {
    double p;
    if (!answer->identification) return;
    if (self->nconformities == self->capacity) {
        self->failed = true; /* more answers than observations */
        return;
    }
    linnet_evaluation_rank(json_object_get(answer->identification, "species"), answer->truth, &p);
    double weight = self->weights[place_of(self, answer->truth)];
    for (int kind = 0; kind < LINNET_CONFORMALS; kind++)
        self->conformities[kind][self->nconformities] =
            linnet_conformity((enum linnet_conformal)kind, p, weight);
    self->nconformities++;
}

static void on_measuring(void *arg, const struct linnet_evaluation_answer *answer) {
    note_truth(arg, answer);
    note_predictions(arg, answer);
}

static void on_measuring_flora(void *arg, const struct linnet_evaluation_answer *answer) {
    note_truth(arg, answer);
}

static int pass(struct calibrating *self, const struct linnet_pictures *pictures, const json_t *description,
                bool flora, void (*answered)(void *, const struct linnet_evaluation_answer *),
                struct linnet_error *err) {
    /* As long a list as `linnet serve` has: a truth below its end conforms to nothing. */
    json_t *fusion = json_pack("{s:{s:i}}", "list", "species", 100);
    struct linnet_evaluation_options options = *self->options;
    struct linnet_evaluation evaluation;
    options.description = description;
    options.fusion = fusion;
    options.flora = flora;
    options.organs = options.unknown = false;
    options.answered = answered;
    options.answered_arg = self;
    int error = linnet_evaluate(&options, pictures, &evaluation, err);
    if (!error) linnet_evaluation_done(&evaluation);
    if (!error && self->failed) error = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    json_decref(fusion);
    return error;
}

/* ---- what comes of them ---- */

static json_t *thresholds_json(struct calibrating *self) {
    json_t *json = json_object();
    for (int kind = 0; kind < LINNET_CONFORMALS; kind++) {
        double levels[LINNET_CONFORMAL_LEVELS];
        json_t *list = json_array();
        linnet_conformal_thresholds(self->conformities[kind], self->nconformities, levels);
        for (size_t i = 0; i < LINNET_CONFORMAL_LEVELS; i++)
            json_array_append_new(list, json_real(levels[i]));
        json_object_set_new(json, linnet_conformal_name((enum linnet_conformal)kind), list);
    }
    json_object_set_new(json, "observations", json_integer((json_int_t)self->nconformities));
    return json;
}

/* How common each of the labels is, in their order; null where the backbone lacks it. */
static json_t *prevalence_json(const struct calibrating *self) {
    json_t *list = json_array(), *label;
    size_t i;
    json_array_foreach(self->labels, i, label) json_array_append_new(
        list, json_is_string(label) ? json_real(self->weights[place_of(self, json_string_value(label))])
                                    : json_null());
    return list;
}

/* The temperature by the part that fits. *description is a new reference to the one with it. */
static int fit(struct calibrating *self, const struct linnet_pictures *fitting, json_t **description,
               double *before, double *after, struct linnet_error *err) {
    *before = linnet_json_number(self->options->description, "calibration/temperature", 1);
    int error = pass(self, fitting, self->options->description, false, on_fitting, err);
    if (error) return error;
    *after = *before * linnet_temperature_fit(self->answers.list, self->answers.n);
    forget_answers(&self->answers);
    linnet_prevalence(self->counts, self->nplaces, self->weights);
    *description = self->options->description ? json_deep_copy(self->options->description) : json_object();
    json_object_set_new(*description, "calibration", json_pack("{s:f}", "temperature", *after));
    return *description ? 0 : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
}

static bool have_floras(const struct linnet_pictures *pictures) {
    for (size_t i = 0; i < pictures->n; i++)
        if (*pictures->items[i].flora) return true;
    return false;
}

static int measure(struct calibrating *self, const struct linnet_pictures *measuring,
                   const json_t *description, double before, double after, json_t **calibration,
                   json_t **uncertainty, struct linnet_error *err) {
    int error = pass(self, measuring, description, false, on_measuring, err);
    if (error) return error;
    if (self->nconformities < (size_t)LINNET_CALIBRATION_LEAST * 2 / 3)
        return linnet_error_set(err, LINNET_E_INVALID,
                                "to calibrate, at least %d observations of species that the model knows are "
                                "wanted; %zu of two thirds of them were found",
                                LINNET_CALIBRATION_LEAST, self->nconformities);
    json_t *anywhere = thresholds_json(self), *flora = NULL;
    if (have_floras(measuring)) {
        self->nconformities = 0;
        error = pass(self, measuring, description, true, on_measuring_flora, err);
        if (!error) flora = thresholds_json(self);
    }
    const struct answers *answers = &self->answers;
    *calibration = json_pack(
        "{s:f, s:f, s:f, s:f, s:I}", "temperature", after, "temperature_before", before, "error_before",
        linnet_calibration_error(answers->list, answers->n, before / after, BINS), "error",
        linnet_calibration_error(answers->list, answers->n, 1, BINS), "pictures", (json_int_t)answers->n);
    *uncertainty = json_pack("{s:f, s:f, s:o, s:o*, s:o}", "least", 0.5, "step", 0.01, "anywhere", anywhere,
                             "flora", flora, "prevalence", prevalence_json(self));
    if (!error && (!*calibration || !*uncertainty))
        error = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    return error;
}

static int set_up(struct calibrating *self, const struct linnet_pictures *measuring) {
    json_t *label;
    size_t i;
    json_array_foreach(self->labels, i, label) if (json_is_string(label) &&
                                                   !json_object_get(self->places, json_string_value(label)))
        json_object_set_new(self->places, json_string_value(label),
                            json_integer((json_int_t)self->nplaces++));
    self->counts = calloc(self->nplaces + 1, sizeof *self->counts);
    self->weights = calloc(self->nplaces + 1, sizeof *self->weights);
    self->capacity = measuring->n;
    for (int kind = 0; kind < LINNET_CONFORMALS; kind++)
        self->conformities[kind] = malloc((self->capacity + 1) * sizeof **self->conformities);
    bool whole =
        self->places && self->counts && self->weights && self->conformities[0] && self->conformities[1];
    return whole ? 0 : LINNET_E_NOMEM;
}

static void tear_down(struct calibrating *self) {
    forget_answers(&self->answers);
    json_decref(self->places);
    free(self->counts);
    free(self->weights);
    for (int kind = 0; kind < LINNET_CONFORMALS; kind++)
        free(self->conformities[kind]);
}

int linnet_calibrate(const struct linnet_evaluation_options *options, const struct linnet_pictures *pictures,
                     const json_t *labels, json_t **calibration, json_t **uncertainty,
                     struct linnet_error *err) {
    struct calibrating self = {.options = options, .labels = labels, .places = json_object()};
    struct linnet_pictures fitting = {0}, measuring = {0};
    json_t *description = NULL, *scores = NULL, *sets = NULL;
    double before, after;
    int error =
        part_of(pictures, true, &fitting) || part_of(pictures, false, &measuring) || set_up(&self, &measuring)
            ? linnet_error_set(err, LINNET_E_NOMEM, "out of memory")
            : 0;
    if (!error) error = fit(&self, &fitting, &description, &before, &after, err);
    if (!error) error = measure(&self, &measuring, description, before, after, &scores, &sets, err);
    json_decref(description);
    free(fitting.items);
    free(measuring.items);
    tear_down(&self);
    if (error) {
        json_decref(scores);
        json_decref(sets);
        return error;
    }
    *calibration = scores;
    *uncertainty = sets;
    return 0;
}
