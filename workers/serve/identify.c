#include "workers/serve/identify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/serve/admit.h"
#include "workers/serve/observe.h"
#include "workers/serve/projects.h"
#include "workers/serve/serve.h"

#define RESULTS_MAX 100

static const char *const fields[] = {"organs", NULL};
const struct serve_form_limits serve_identify_form = {
    .file = "images", .images = SERVE_IMAGES_MAX, .fields = fields};
const char *const serve_identify_query[] = {
    "include-related-images", "no-reject", "nb-results", "lang", "detailed", "type", "explain",
    "authenix-access-token",  "images",    "organs",     NULL};

/* A request that the stages work on. */
struct job {
    struct serve_request *request;
    struct serve_question question;
    struct linnet_observation observation;
    struct serve_view view;
};

/* ---- the question ---- */

/* A switch in the query. False: it has no value that is one, and the request has been answered. */
static bool read_switch(struct serve_request *request, const char *name, bool *out) {
    const char *value = serve_param(request, name);
    if (value == NULL) return true;
    bool on = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
    if (!on && strcmp(value, "false") != 0 && strcmp(value, "0") != 0) {
        serve_answer_error(request, 400, "\"%s\" must be a boolean", name);
        return false;
    }
    *out = on;
    return true;
}

static bool read_count(struct serve_request *request, size_t *out) {
    const char *value = serve_param(request, "nb-results");
    char *end;
    if (value == NULL) return true;
    unsigned long n = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end != '\0' || n < 1 || n > RESULTS_MAX) {
        serve_answer_error(request, 400, "\"nb-results\" must be a number from 1 to %d", RESULTS_MAX);
        return false;
    }
    *out = n;
    return true;
}

static bool read_lang(struct serve_request *request, const char **out) {
    const char *value = serve_param(request, "lang");
    if (value == NULL) return true;
    size_t size = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if (size < 2 || size > 16 || value[size] != '\0') {
        serve_answer_error(request, 400, "\"lang\" must be a language's code");
        return false;
    }
    *out = value;
    return true;
}

static bool known_organ(const char *organ) {
    static const char *const organs[] = {"leaf", "flower", "fruit", "bark", "habit", "other", "auto"};
    for (size_t i = 0; i < sizeof organs / sizeof *organs; i++)
        if (strcmp(organ, organs[i]) == 0) return true;
    return false;
}

/* As many organs as pictures, or none. */
static bool read_organs(struct serve_request *request, struct serve_question *question) {
    const struct serve_form *form = &request->form;
    size_t n = 0;
    for (const char *organ; (organ = serve_form_field(form, "organs", n)) != NULL; n++) {
        if (!known_organ(organ)) {
            serve_answer_error(
                request, 400,
                "\"organs[%zu]\" must be one of [leaf, flower, fruit, bark, habit, other, auto]", n);
            return false;
        }
        if (n < form->nimages) question->organs[n] = organ;
    }
    if (n != 0 && n != form->nimages) {
        serve_answer_error(request, 400, "\"images\" and \"organs\" must have the same length: %zu and %zu",
                           form->nimages, n);
        return false;
    }
    for (size_t i = n; i < form->nimages; i++)
        question->organs[i] = "auto";
    return true;
}

static bool read_project(struct serve_request *request, struct serve_question *question) {
    const struct serve_view *view = serve_engine_view(request->serve->engine);
    int found = serve_project_find(request->serve->config, view->references, request->capture,
                                   question->flora_id, sizeof question->flora_id);
    question->project = request->capture;
    question->flora = found > 0 ? question->flora_id : NULL;
    if (found < 0) serve_answer_error(request, 404, "Project \"%.64s\" not found", request->capture);
    return found >= 0;
}

static bool read_question(struct serve_request *request, struct serve_question *question) {
    const char *type = serve_param(request, "type");
    *question =
        (struct serve_question){.lang = "en", .type = type != NULL ? type : "kt", .results = RESULTS_MAX};
    return read_project(request, question) &&
           read_switch(request, "include-related-images", &question->related) &&
           read_switch(request, "no-reject", &question->no_reject) &&
           read_switch(request, "detailed", &question->detailed) &&
           read_switch(request, "explain", &question->explain) && read_count(request, &question->results) &&
           read_lang(request, &question->lang) && read_organs(request, question);
}

/* ---- the answer ---- */

/* Which picture of the form a document of the observation is about: from 1; 0: none. */
static size_t picture_of(const struct serve_form *form, const char *document) {
    for (size_t i = 0; document != NULL && i < form->nimages; i++)
        if (strstr(document, form->images[i].digest) != NULL) return i + 1;
    return 0;
}

/* What a stage said of a picture that it did not take; true: the request has been answered. */
static bool answer_refusal(struct serve_request *request, const struct linnet_pipeline_outcome *outcome) {
    for (size_t i = 0; i < outcome->nnotes; i++) {
        const struct linnet_pipeline_note *note = &outcome->notes[i];
        size_t place = picture_of(&request->form, note->document);
        if (note->verdict != LINNET_REJECT || place == 0) continue;
        serve_answer_error(request, 400, "\"images\" number %zu cannot be read: %s", place,
                           note->reason != NULL ? note->reason : note->stage);
        return true;
    }
    return false;
}

static void answer_failure(struct serve_request *request, const struct linnet_pipeline_outcome *outcome) {
    const char *why = "nothing came of it", *stage = "";
    for (size_t i = 0; i < outcome->nnotes; i++) {
        stage = outcome->notes[i].stage;
        if (outcome->notes[i].reason != NULL) why = outcome->notes[i].reason;
    }
    linnet_log(LINNET_ERROR, "serve", "no identification", "request", "s", request->id, "stage", "s", stage,
               "why", "s", why, NULL);
    serve_answer_error(request, request->serve->draining ? 503 : 500, "the identification failed");
}

static bool rejected(const struct serve_request *request, const json_t *identification) {
    double least = linnet_json_number(request->serve->config, "reject_below", 0.5);
    return linnet_json_number(identification, "plant", 1) < least;
}

static void on_outcome(void *arg, const struct linnet_pipeline_outcome *outcome) {
    struct job *job = arg;
    struct serve_request *request = job->request;
    const json_t *identification = serve_identification_of(&job->observation);
    if (answer_refusal(request, outcome)) {
        /* said */
    } else if (identification == NULL) {
        answer_failure(request, outcome);
    } else if (json_array_size(json_object_get(identification, "species")) == 0 ||
               (!job->question.no_reject && rejected(request, identification))) {
        serve_answer_error(request, 404, "Species not found");
    } else {
        json_t *answer = serve_identify_answer(&job->question, &request->form, &job->observation, &job->view);
        if (request->limited)
            json_object_set_new(answer, "remainingIdentificationRequests",
                                json_integer((json_int_t)request->remaining));
        serve_answer_json(request, 200, answer);
    }
    linnet_observation_done(&job->observation);
    linnet_references_unref(job->view.references);
    free(job);
}

void serve_identify_post(struct serve_request *request) {
    struct serve_engine *engine = request->serve->engine;
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        serve_answer_error(request, 500, "out of memory");
        return;
    }
    if (!read_question(request, &job->question) || !serve_admit_count(request, 1)) {
        free(job);
        return;
    }
    struct serve_sighting sighting = {
        .ulid = request->id, .observer = "api", .form = &request->form, .flora = job->question.flora};
    for (size_t i = 0; i < request->form.nimages; i++)
        sighting.organs[i] = strcmp(job->question.organs[i], "other") == 0 ? "auto" : job->question.organs[i];
    int rc = serve_observe(&sighting, &job->observation);
    if (rc == 0) {
        job->request = request;
        job->view = *serve_engine_view(engine);
        linnet_references_ref(job->view.references);
        rc = serve_engine_run(engine, &job->observation, on_outcome, job);
        if (rc == 0) return;
        linnet_references_unref(job->view.references);
        linnet_observation_done(&job->observation);
    }
    serve_answer_error(request, rc == LINNET_E_FULL ? 503 : 500, "%s", linnet_error_message(rc));
    free(job);
}
