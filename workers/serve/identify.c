#include "workers/serve/identify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/serve/admit.h"
#include "workers/serve/observations.h"
#include "workers/serve/observe.h"
#include "workers/serve/projects.h"
#include "workers/serve/serve.h"
#include "workers/serve/similar.h"
#include "workers/serve/stream.h"
#include "workers/serve/submit.h"

#define RESULTS_MAX 100

static const char *const fields[] = {"organs", NULL};
const struct serve_form_limits serve_identify_form = {
    .file = "images", .images = SERVE_IMAGES_MAX, .fields = fields};
#define OPTIONS                                                                                              \
    "include-related-images", "no-reject", "nb-results", "lang", "detailed", "type", "explain", "store",     \
        "include-uncertainty", "uncertainty-probability", "uncertainty-kind", "authenix-access-token"
const char *const serve_identify_query[] = {OPTIONS, NULL};
const char *const serve_identify_urls_query[] = {OPTIONS, "images", "organs", NULL};

#define STREAM_LIMIT ((size_t)4 * 1024 * 1024)

/* A request that the stages work on. It owns the form from then on; with a stream the request has been
 * answered already, and `request` is NULL. */
struct job {
    struct serve *serve;
    struct serve_request *request;
    struct serve_stream *stream; /* NULL: none, or its client has left */
    char id[LINNET_ULID_SIZE];
    struct serve_question question;
    struct serve_form form;
    struct linnet_observation observation;
    struct serve_view view;
    struct serve_sighting sighting;
    char observer[65];
    json_t *answer; /* while it is being stored */
    bool limited, over;
    uint64_t remaining;
    char *copy; /* of the question's strings */
    char base[SERVE_BASE_SIZE];
};

/* ---- the question ---- */

bool serve_read_switch(struct serve_request *request, const char *name, bool *out) {
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

bool serve_read_lang(struct serve_request *request, const char **out) {
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

/* A number as people write it, nothing behind it. */
static bool is_number(const char *text, double *out) {
    char *end;
    *out = strtod(text, &end);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

/* Is a set wanted that holds the truth, how surely, and of which kind? */
static bool read_uncertainty(struct serve_request *request, struct serve_question *question) {
    const char *probability = serve_param(request, "uncertainty-probability"),
               *kind = serve_param(request, "uncertainty-kind");
    struct serve_uncertainty_question *asked = &question->uncertainty;
    size_t level;
    *asked = (struct serve_uncertainty_question){.probability = 0.9, .lang = question->lang};
    if (!serve_read_switch(request, "include-uncertainty", &question->unsure)) return false;
    if (probability != NULL && (!is_number(probability, &asked->probability) ||
                                !linnet_conformal_level(asked->probability, &level))) {
        serve_answer_error(request, 400, "\"uncertainty-probability\" must be a number from 0.5 to 0.99");
        return false;
    }
    if (kind != NULL) asked->kind = linnet_conformal_parse(kind);
    if (asked->kind != LINNET_CONFORMALS) return true;
    serve_answer_error(request, 400, "\"uncertainty-kind\" must be one of [plain, balanced]");
    return false;
}

static bool known_organ(const char *organ) {
    static const char *const organs[] = {"leaf", "flower", "fruit", "bark", "habit", "other", "auto"};
    for (size_t i = 0; i < sizeof organs / sizeof *organs; i++)
        if (strcmp(organ, organs[i]) == 0) return true;
    return false;
}

/* Of a form, or of a query that gives pictures by URL. */
static const char *organ_at(const struct serve_request *request, size_t n) {
    const char *organ = serve_form_field(&request->form, "organs", n);
    return organ != NULL || strcmp(request->method, "POST") == 0
               ? organ
               : serve_params_nth(&request->query, "organs", n);
}

/* As many organs as pictures, or none. */
static bool read_organs(struct serve_request *request, struct serve_question *question) {
    const struct serve_form *form = &request->form;
    size_t n = 0;
    for (const char *organ; (organ = organ_at(request, n)) != NULL; n++) {
        if (!known_organ(organ)) {
            serve_answer_error(
                request, 400,
                "\"organs[%zu]\" must be one of [leaf, flower, fruit, bark, habit, other, auto]", n);
            return false;
        }
        if (n < form->nimages) snprintf(question->organs[n], sizeof question->organs[n], "%s", organ);
    }
    if (n != 0 && n != form->nimages) {
        serve_answer_error(request, 400, "\"images\" and \"organs\" must have the same length: %zu and %zu",
                           form->nimages, n);
        return false;
    }
    for (size_t i = n; i < form->nimages; i++)
        strcpy(question->organs[i], "auto");
    return true;
}

static bool read_project(struct serve_request *request, struct serve_question *question) {
    const struct serve_view *view = serve_engine_view(request->serve->engine);
    int found = serve_project_find(request->serve->config, view->references, request->captures[0],
                                   question->flora_id, sizeof question->flora_id);
    question->project = request->captures[0];
    question->flora = found > 0 ? question->flora_id : NULL;
    if (found < 0) serve_answer_error(request, 404, "Project \"%.64s\" not found", request->captures[0]);
    return found >= 0;
}

/* What is stored must be somebody's: the key says whose. */
static bool read_store(struct serve_request *request, bool *out) {
    if (!serve_read_switch(request, "store", out)) return false;
    if (!*out || (request->serve->couch != NULL && json_object_get(request->key, "observer") != NULL))
        return true;
    serve_answer_error(
        request, 403,
        request->serve->couch == NULL
            ? "this server has no store"
            : "\"store\" wants an api-key that stands for an observer (linnet key add --observer)");
    return false;
}

static bool read_question(struct serve_request *request, struct serve_question *question) {
    const char *type = serve_param(request, "type");
    *question =
        (struct serve_question){.lang = "en", .type = type != NULL ? type : "kt", .results = RESULTS_MAX};
    return read_project(request, question) &&
           serve_read_switch(request, "include-related-images", &question->related) &&
           serve_read_switch(request, "no-reject", &question->no_reject) &&
           serve_read_switch(request, "detailed", &question->detailed) &&
           serve_read_switch(request, "explain", &question->explain) &&
           read_store(request, &question->store) && read_count(request, &question->results) &&
           serve_read_lang(request, &question->lang) && read_uncertainty(request, question) &&
           read_organs(request, question);
}

/* ---- the answer ---- */

static void job_free(struct job *job) {
    serve_form_done(&job->form);
    linnet_references_unref(job->view.references);
    free(job->copy);
    free(job);
}

/* To the request, or as the last event of its stream. */
static void reply(struct job *job, unsigned status, json_t *body) {
    if (job->request != NULL) {
        serve_answer_json(job->request, status, body);
        return;
    }
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    if (job->stream != NULL) {
        if (text != NULL) serve_stream_event(job->stream, status == 200 ? "result" : "error", NULL, text);
        serve_stream_end(job->stream);
    }
    free(text);
    json_decref(body);
}

static void reply_error(struct job *job, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void reply_error(struct job *job, unsigned status, const char *format, ...) {
    char message[640];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    reply(job, status, serve_error_json(status, message));
}

/* Which picture of the form a document of the observation is about: from 1; 0: none. */
static size_t picture_of(const struct serve_form *form, const char *document) {
    for (size_t i = 0; document != NULL && i < form->nimages; i++)
        if (strstr(document, form->images[i].digest) != NULL) return i + 1;
    return 0;
}

/* What a stage said of a picture that it did not take; true: that is the answer. */
static bool reply_refusal(struct job *job, const struct linnet_pipeline_outcome *outcome) {
    for (size_t i = 0; i < outcome->nnotes; i++) {
        const struct linnet_pipeline_note *note = &outcome->notes[i];
        size_t place = picture_of(&job->form, note->document);
        if (note->verdict != LINNET_REJECT || place == 0) continue;
        reply_error(job, 400, "\"images\" number %zu cannot be read: %s", place,
                    note->reason != NULL ? note->reason : note->stage);
        return true;
    }
    return false;
}

static void reply_failure(struct job *job, const struct linnet_pipeline_outcome *outcome) {
    const char *why = "nothing came of it", *stage = "";
    for (size_t i = 0; i < outcome->nnotes; i++) {
        stage = outcome->notes[i].stage;
        if (outcome->notes[i].reason != NULL) why = outcome->notes[i].reason;
    }
    linnet_log(LINNET_ERROR, "serve", "no identification", "request", "s", job->id, "stage", "s", stage,
               "why", "s", why, NULL);
    reply_error(job, job->serve->draining ? 503 : 500, "the identification failed");
}

static bool rejected(const struct job *job, const json_t *identification) {
    double least = linnet_json_number(job->serve->config, "reject_below", 0.25);
    if (json_array_size(json_object_get(identification, "species")) == 0) return true;
    return !job->question.no_reject && linnet_json_number(identification, "plant", 1) < least;
}

/* Where the time went, for who measures (https://www.w3.org/TR/server-timing/): of all pictures together,
 * waiting apart. */
static void note_times(struct job *job, const struct linnet_pipeline_outcome *outcome) {
    char *text = job->request != NULL ? job->request->timing : NULL;
    size_t used = 0, size = sizeof job->request->timing;
    double queued = 0;
    for (size_t i = 0; text != NULL && i < outcome->ntimes && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s;dur=%.2f, ", outcome->times[i].stage,
                                 outcome->times[i].process_s * 1000);
        queued += outcome->times[i].queued_s;
    }
    if (text != NULL && used < size) snprintf(text + used, size - used, "wait;dur=%.2f", queued * 1000);
}

static void end(struct job *job) {
    if (job->request == NULL && job->stream != NULL)
        job->over = true; /* the stream still points here */
    else
        job_free(job);
}

static void on_stored(void *arg, int error, const char *detail) {
    struct job *job = arg;
    if (error != 0) {
        linnet_log(LINNET_ERROR, "serve", "an observation could not be stored", "request", "s", job->id,
                   "why", "s", detail, NULL);
        json_decref(job->answer);
        reply_error(job, linnet_error_class(error) == LINNET_TRANSIENT ? 503 : 500,
                    "it was identified, but could not be stored: %s", detail);
    } else {
        json_object_set_new(job->answer, "observation", json_string(job->id));
        reply(job, 200, job->answer);
    }
    end(job);
}

/* True: the answer waits for the store. */
static bool store(struct job *job, json_t *answer) {
    if (!job->question.store || answer == NULL) return false;
    job->answer = answer;
    int rc = serve_submit(job->serve->couch, &job->sighting, on_stored, job);
    if (rc == 0) return true;
    json_decref(answer);
    reply_error(job, rc == LINNET_E_NOMEM ? 500 : 400,
                "it was identified, but the pictures cannot be stored: %s", linnet_error_message(rc));
    end(job);
    return true;
}

static void on_outcome(void *arg, const struct linnet_pipeline_outcome *outcome) {
    struct job *job = arg;
    json_t *answer = NULL;
    const json_t *identification = serve_identification_of(&job->observation);
    note_times(job, outcome);
    if (reply_refusal(job, outcome)) {
        /* said */
    } else if (identification == NULL) {
        reply_failure(job, outcome);
    } else if (rejected(job, identification)) {
        reply_error(job, 404, "Species not found");
    } else {
        answer = serve_identify_answer(&job->question, &job->form, &job->observation, &job->view,
                                       serve_similar_index(job->serve->similar), job->base);
        if (job->limited)
            json_object_set_new(answer, "remainingIdentificationRequests",
                                json_integer((json_int_t)job->remaining));
        if (!job->question.store || answer == NULL) reply(job, 200, answer);
    }
    linnet_observation_done(&job->observation);
    if (!store(job, answer)) end(job);
}

/* ---- the beginning ---- */

static void on_gone(void *arg) {
    struct job *job = arg;
    job->stream = NULL;
    if (job->over) job_free(job);
}

/* Who asks for events gets them: that it was taken, then the result when it comes. */
static void open_stream(struct job *job) {
    char text[96];
    const char *accept = serve_header(job->request, MHD_HTTP_HEADER_ACCEPT);
    if (accept == NULL || strstr(accept, "text/event-stream") == NULL) return;
    job->stream = serve_stream_new(job->serve->http, STREAM_LIMIT, on_gone, job);
    if (job->stream == NULL) return;
    struct serve_request *request = job->request;
    job->request = NULL;
    snprintf(text, sizeof text, "{\"request\":\"%s\",\"images\":%zu}", job->id, job->form.nimages);
    serve_stream_event(job->stream, "accepted", NULL, text);
    serve_answer_stream(request, "text/event-stream; charset=utf-8", job->stream);
}

/* The question's strings are the request's, which a stream outlives. */
static bool own_strings(struct job *job) {
    struct serve_question *question = &job->question;
    const char **strings[] = {&question->project, &question->lang, &question->type};
    size_t size = 0;
    for (size_t i = 0; i < 3; i++)
        size += strlen(*strings[i]) + 1;
    char *to = job->copy = malloc(size);
    if (to == NULL) return false;
    for (size_t i = 0; i < 3; i++) {
        size_t n = strlen(*strings[i]) + 1;
        *strings[i] = memcpy(to, *strings[i], n);
        to += n;
    }
    question->uncertainty.lang = question->lang;
    return true;
}

static int start(struct job *job) {
    job->sighting = (struct serve_sighting){
        .ulid = job->id, .observer = job->observer, .form = &job->form, .flora = job->question.flora};
    for (size_t i = 0; i < job->form.nimages; i++)
        job->sighting.organs[i] =
            strcmp(job->question.organs[i], "other") == 0 ? "auto" : job->question.organs[i];
    int rc = serve_observe(&job->sighting, &job->observation);
    if (rc != 0) return rc;
    rc = serve_engine_run(job->serve->engine, &job->observation, on_outcome, job);
    if (rc != 0) linnet_observation_done(&job->observation);
    return rc;
}

void serve_identify_post(struct serve_request *request) {
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        serve_answer_error(request, 500, "out of memory");
        return;
    }
    if (!read_question(request, &job->question) || !serve_admit_count(request, 1)) {
        free(job);
        return;
    }
    job->serve = request->serve;
    job->request = request;
    job->limited = request->limited;
    job->remaining = request->remaining;
    memcpy(job->id, request->id, sizeof job->id);
    serve_image_base(request, job->base, sizeof job->base);
    snprintf(job->observer, sizeof job->observer, "%s", linnet_json_string(request->key, "observer", "api"));
    job->view = *serve_engine_view(request->serve->engine);
    linnet_references_ref(job->view.references);
    serve_form_move(&request->form, &job->form);
    request->has_form = false;
    if (job->question.flora != NULL) job->question.flora = job->question.flora_id;
    int rc = own_strings(job) ? start(job) : LINNET_E_NOMEM;
    if (rc == 0) {
        open_stream(job);
        return;
    }
    serve_answer_error(request, rc == LINNET_E_FULL ? 503 : 500, "%s", linnet_error_message(rc));
    job_free(job);
}
