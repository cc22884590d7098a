#include "workers/serve/survey.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/serve/admit.h"
#include "workers/serve/engine.h"
#include "workers/serve/observe.h"
#include "workers/serve/projects.h"
#include "workers/serve/serve.h"
#include "workers/serve/species.h"
#include "workers/serve/survey_answer.h"

#define AT_ONCE 16 /* tiles under way: other requests go between */

static const char *const fields[] = {"tile_size", "tile_stride", "multi_scale", "size_factor", "min_score",
                                     "max_rank",  "sort",        "lang",        NULL};
const struct serve_form_limits serve_survey_form = {.file = "image", .images = 1, .fields = fields};
const char *const serve_survey_query[] = {"lang", "sort", "no-reject", "authenix-access-token", NULL};

struct survey;

/* One tile under way: an observation of its own, whose one view is a region of the picture. */
struct run {
    struct survey *survey;
    size_t tile;
    struct linnet_observation observation;
};

struct survey {
    struct serve_request *request;
    struct serve_survey_question question;
    char flora[160], id[LINNET_ULID_SIZE];
    const char *flora_id; /* NULL: none */
    struct serve_view view;
    struct linnet_observation whole; /* the picture, normalized */
    json_t *normalized;              /* its document */
    struct linnet_bytes *picture;    /* the size that the network sees */
    struct serve_tile tiles[SERVE_TILES_MAX];
    struct serve_survey_finds finds;
    size_t ntiles, next, running, failed;
};

/* ---- what is asked for ---- */

/* A number of the form. False: it is none between the bounds, and the request has been answered. */
static bool read_real(struct serve_request *request, const char *name, double least, double most,
                      double *out) {
    const char *text = serve_form_field(&request->form, name, 0);
    char *end;
    if (text == NULL) return true;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most)) {
        serve_answer_error(request, 400, "\"%s\" must be a number from %g to %g", name, least, most);
        return false;
    }
    *out = value;
    return true;
}

static bool read_sort(struct serve_request *request, const char **out) {
    static const char *const sorts[] = {"max_score", "coverage", "count"};
    const char *text = serve_form_field(&request->form, "sort", 0);
    if (text == NULL) text = serve_param(request, "sort");
    for (size_t i = 0; i < 3; i++)
        if (text == NULL || strcmp(text, sorts[i]) == 0) {
            *out = sorts[i];
            return true;
        }
    serve_answer_error(request, 400, "\"sort\" must be one of [max_score, coverage, count]");
    return false;
}

static bool read_scales(struct serve_request *request, bool *out) {
    const char *text = serve_form_field(&request->form, "multi_scale", 0);
    *out = text == NULL || strcmp(text, "true") == 0;
    if (text == NULL || strcmp(text, "true") == 0 || strcmp(text, "false") == 0) return true;
    serve_answer_error(request, 400, "\"multi_scale\" must be a boolean");
    return false;
}

static bool read_question(struct survey *survey) {
    struct serve_request *request = survey->request;
    struct serve_survey_question *question = &survey->question;
    const char *project = request->captures[0] != NULL ? request->captures[0] : "all",
               *lang = serve_form_field(&request->form, "lang", 0);
    double rank = 1;
    *question = (struct serve_survey_question){
        .project = project, .tiling = {.size = 600, .stride = 300, .factor = M_SQRT2}, .min_score = 0.3};
    if (lang == NULL) lang = serve_param(request, "lang");
    question->lang = lang != NULL ? lang : "en";
    int found = serve_project_find(request->serve->config, survey->view.references, project, survey->flora,
                                   sizeof survey->flora);
    if (found < 0) {
        serve_answer_error(request, 404, "Project \"%.64s\" not found", project);
        return false;
    }
    survey->flora_id = found > 0 ? survey->flora : NULL;
    if (!read_real(request, "tile_size", 64, 8192, &question->tiling.size) ||
        !read_real(request, "tile_stride", 32, 8192, &question->tiling.stride) ||
        !read_real(request, "size_factor", 1.1, 8, &question->tiling.factor) ||
        !read_real(request, "min_score", 0, 1, &question->min_score) ||
        !read_real(request, "max_rank", 1, 20, &rank) || !read_scales(request, &question->tiling.scales) ||
        !read_sort(request, &question->sort))
        return false;
    question->max_rank = (size_t)rank;
    return true;
}

/* ---- the end ---- */

static void survey_free(struct survey *survey) {
    linnet_observation_done(&survey->whole);
    linnet_references_unref(survey->view.references);
    serve_survey_finds_done(&survey->finds);
    free(survey);
}

static void conclude(struct survey *survey) {
    struct serve_request *request = survey->request;
    if (survey->failed > 0) {
        linnet_log(LINNET_ERROR, "serve", "tiles could not be identified", "request", "s", request->id,
                   "tiles", "i", (json_int_t)survey->failed, NULL);
        serve_answer_error(request, request->serve->draining ? 503 : 500, "the survey failed");
    } else {
        json_t *answer = serve_survey_answer(&survey->question, &survey->finds, survey->tiles, survey->ntiles,
                                             &survey->view);
        if (request->limited)
            json_object_set_new(answer, "remainingIdentificationRequests",
                                json_integer((json_int_t)request->remaining));
        serve_answer_json(request, 200, answer);
    }
    survey_free(survey);
}

/* ---- the tiles ---- */

static int put(struct linnet_observation *observation, json_t *document) {
    int rc = document != NULL ? linnet_observation_put(observation, document) : LINNET_E_NOMEM;
    if (rc != 0) json_decref(document);
    return rc;
}

/* The picture again, as if another observation had it: its bytes are shared. */
static int make_tile(struct survey *survey, struct run *run) {
    const struct serve_tile *tile = &survey->tiles[run->tile];
    const char *digest = survey->request->form.images[0].digest;
    char ulid[LINNET_ULID_SIZE], id[LINNET_ID_MAX];
    linnet_ulid_new(ulid);
    linnet_observation_init(&run->observation, ulid);
    linnet_id_format(ulid, "observation", NULL, id);
    int rc = put(&run->observation,
                 json_pack("{s:s, s:s, s:s, s:s, s:[{s:s, s:s, s:[f, f, f, f]}], s:s*}", "_id", id, "kind",
                           "observation", "observer", "api", "created_at", "1970-01-01T00:00:00Z", "views",
                           "image", digest, "organ", "auto", "region", tile->x, tile->y, tile->width,
                           tile->height, "flora", survey->flora_id));
    json_t *normalized = json_copy(survey->normalized);
    linnet_id_format(ulid, "normalized", digest, id);
    if (normalized != NULL) json_object_set_new(normalized, "_id", json_string(id));
    if (rc == 0)
        rc = put(&run->observation, normalized);
    else
        json_decref(normalized);
    if (rc == 0)
        rc = linnet_observation_put_blob(&run->observation, id, "model.jpg", "image/jpeg", survey->picture);
    if (rc != 0) linnet_observation_done(&run->observation);
    return rc;
}

static void go_on(struct survey *survey);

static void on_tile(void *arg, const struct linnet_pipeline_outcome *outcome) {
    struct run *run = arg;
    struct survey *survey = run->survey;
    const json_t *found = NULL;
    (void)outcome;
    for (size_t i = 0; i < run->observation.ndocs; i++)
        if (strcmp(run->observation.docs[i].kind, "identification") == 0)
            found = run->observation.docs[i].json;
    double least = linnet_json_number(survey->request->serve->config, "reject_below", 0.25);
    if (found == NULL || (linnet_json_number(found, "plant", 1) >= least &&
                          serve_survey_note(&survey->finds, &survey->question, found, run->tile) != 0))
        survey->failed++;
    linnet_observation_done(&run->observation);
    free(run);
    survey->running--;
    go_on(survey);
}

static int start_tile(struct survey *survey) {
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL) return LINNET_E_NOMEM;
    run->survey = survey;
    run->tile = survey->next;
    int rc = make_tile(survey, run);
    if (rc == 0) {
        rc = serve_engine_run(survey->request->serve->engine, &run->observation, on_tile, run);
        if (rc != 0) linnet_observation_done(&run->observation);
    }
    if (rc != 0) free(run);
    return rc;
}

static void go_on(struct survey *survey) {
    for (; survey->next < survey->ntiles && survey->running < AT_ONCE && survey->failed == 0;
         survey->next++) {
        if (start_tile(survey) == 0)
            survey->running++;
        else
            survey->failed++;
    }
    if (survey->running == 0) conclude(survey);
}

/* ---- the picture ---- */

static bool take_picture(struct survey *survey) {
    for (size_t i = 0; i < survey->whole.ndocs; i++) {
        struct linnet_held_doc *doc = &survey->whole.docs[i];
        const struct linnet_held_blob *blob =
            strcmp(doc->kind, "normalized") == 0 ? linnet_held_doc_blob(doc, "model.jpg") : NULL;
        if (blob == NULL) continue;
        survey->normalized = doc->json;
        survey->picture = blob->bytes;
        survey->question.tiling.width = (unsigned)linnet_json_integer(doc->json, "width", 0);
        survey->question.tiling.height = (unsigned)linnet_json_integer(doc->json, "height", 0);
    }
    return survey->picture != NULL && survey->question.tiling.width > 0 && survey->question.tiling.height > 0;
}

static void on_normalized(void *arg, const struct linnet_pipeline_outcome *outcome) {
    struct survey *survey = arg;
    struct serve_request *request = survey->request;
    const char *why = "it cannot be read";
    for (size_t i = 0; i < outcome->nnotes; i++)
        if (outcome->notes[i].reason != NULL) why = outcome->notes[i].reason;
    if (!take_picture(survey)) {
        serve_answer_error(request,
                           outcome->nnotes > 0 && outcome->notes[0].verdict == LINNET_REJECT ? 400 : 500,
                           "\"image\" cannot be read: %s", why);
        survey_free(survey);
        return;
    }
    survey->ntiles = serve_tiles_make(&survey->question.tiling, survey->tiles, SERVE_TILES_MAX);
    if (survey->ntiles > SERVE_TILES_MAX) {
        serve_answer_error(request, 400, "%zu tiles are more than %d: ask for larger ones, or further apart",
                           survey->ntiles, SERVE_TILES_MAX);
        survey_free(survey);
    } else if (!serve_admit_count(request, (unsigned)survey->ntiles)) {
        survey_free(survey);
    } else {
        go_on(survey);
    }
}

void serve_survey_post(struct serve_request *request) {
    struct survey *survey = calloc(1, sizeof *survey);
    if (survey == NULL) {
        serve_answer_error(request, 500, "out of memory");
        return;
    }
    survey->request = request;
    survey->view = *serve_engine_view(request->serve->engine);
    linnet_references_ref(survey->view.references);
    memcpy(survey->id, request->id, sizeof survey->id);
    if (!read_question(survey)) {
        survey_free(survey);
        return;
    }
    struct serve_sighting sighting = {
        .ulid = survey->id, .observer = "api", .form = &request->form, .organs = {"auto"}};
    int rc = serve_observe(&sighting, &survey->whole);
    if (rc == 0) rc = serve_engine_prepare(request->serve->engine, &survey->whole, on_normalized, survey);
    if (rc == 0) return;
    serve_answer_error(request, rc == LINNET_E_FULL ? 503 : 500, "%s", linnet_error_message(rc));
    survey_free(survey);
}
