/* POST and GET /v2/similar[/{project}]: pictures in, pictures of validated observations out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/serve/admit.h"
#include "workers/serve/engine.h"
#include "workers/serve/identify.h"
#include "workers/serve/lists.h"
#include "workers/serve/observations.h"
#include "workers/serve/observe.h"
#include "workers/serve/projects.h"
#include "workers/serve/related.h"
#include "workers/serve/serve.h"
#include "workers/serve/similar.h"
#include "workers/serve/species.h"

#define PICTURES 50

const char *const serve_looks_query[] = {"nb-results", "lang", "type", "authenix-access-token", NULL};
const char *const serve_looks_urls_query[] = {"nb-results", "lang",   "type", "authenix-access-token",
                                              "images",     "organs", NULL};

/* A request that the stages work on. It stays until it is answered, so its strings do too. */
struct job {
    struct serve_request *request;
    struct linnet_observation observation;
    struct serve_sighting sighting;
    struct serve_view view;
    char flora[160]; /* "": all */
    const char *lang;
    size_t pictures;
};

static void job_free(struct job *job) {
    linnet_references_unref(job->view.references);
    free(job);
}

/* ---- the answer ---- */

/* Which taxa of the index the flora lists; NULL: no flora, or out of memory (*failed). */
static bool *taxa_of(const struct job *job, const struct linnet_similar *index, bool *failed) {
    *failed = false;
    if (job->flora[0] == '\0') return NULL;
    const struct linnet_taxonomy *taxonomy = linnet_references_taxonomy(job->view.references);
    bool *listed = serve_listed_taxa(job->view.references, job->flora),
         *taxa = calloc(linnet_similar_taxa(index) + 1, sizeof *taxa);
    for (uint32_t i = 0; listed != NULL && taxa != NULL && i < linnet_similar_taxa(index); i++) {
        uint32_t found = linnet_taxonomy_find(taxonomy, linnet_similar_taxon(index, i));
        taxa[i] = found != LINNET_NO_TAXON && listed[linnet_taxonomy_accepted(taxonomy, found)];
    }
    *failed = listed == NULL || taxa == NULL;
    free(listed);
    return taxa;
}

/* The pictures of a species among the results; made where it is the first. */
static json_t *group_of(const struct job *job, json_t *results, const char *taxon, double distance) {
    json_t *group;
    size_t i;
    json_array_foreach(results, i, group) {
        if (strcmp(linnet_json_string(group, "taxon", ""), taxon) == 0)
            return json_object_get(group, "images");
    }
    group = json_pack("{s:s, s:f, s:o, s:[]}", "taxon", taxon, "distance", distance, "species",
                      serve_species_json(job->view.references, taxon, job->lang), "images");
    serve_species_identifiers(job->view.references, taxon, group);
    json_array_append_new(results, group);
    return json_object_get(group, "images");
}

static json_t *results_json(const struct job *job, const struct linnet_similar *index, const char *base) {
    struct serve_related related = {.base = base};
    struct linnet_similar_hit hits[SERVE_RELATED_MAX];
    struct linnet_similar_picture picture;
    double same = linnet_json_number(job->request->serve->config, "similar/duplicate_below", 0.01);
    bool failed, *taxa = taxa_of(job, index, &failed);
    json_t *results = json_array();
    serve_related_init(&related, index, &job->observation);
    size_t n = failed ? 0 : serve_related_find(&related, taxa, job->pictures, hits);
    for (size_t i = 0; i < n; i++) {
        double distance = hits[i].distance > 0 ? (double)hits[i].distance : 0;
        if (!linnet_similar_at(index, hits[i].picture, &picture)) continue;
        json_t *one = serve_related_picture(index, hits[i].picture, base, distance);
        if (distance < same) json_object_set_new(one, "nearDuplicate", json_true());
        json_array_append_new(group_of(job, results, picture.taxon, distance), one);
    }
    serve_related_done(&related);
    free(taxa);
    return results;
}

static void answer(struct job *job) {
    struct serve_request *request = job->request;
    const struct linnet_similar *index = serve_similar_index(request->serve->similar);
    char base[SERVE_BASE_SIZE];
    json_t *images = json_array();
    serve_image_base(request, base, sizeof base);
    for (size_t i = 0; i < request->form.nimages; i++)
        json_array_append_new(images, json_string(request->form.images[i].digest));
    json_t *body =
        json_pack("{s:{s:s, s:o}, s:s, s:o, s:I, s:b, s:s}", "query", "project",
                  request->captures[0] != NULL ? request->captures[0] : "all", "images", images, "language",
                  job->lang, "results", index != NULL ? results_json(job, index, base) : json_array(),
                  "indexedImages", (json_int_t)(index != NULL ? linnet_similar_size(index) : 0), "complete",
                  (int)serve_similar_complete(request->serve->similar), "version", job->view.model);
    if (request->limited)
        json_object_set_new(body, "remainingIdentificationRequests",
                            json_integer((json_int_t)request->remaining));
    serve_answer_json(request, 200, body);
}

static void on_outcome(void *arg, const struct linnet_pipeline_outcome *outcome) {
    struct job *job = arg;
    const char *why = NULL;
    bool seen = false;
    for (size_t i = 0; i < job->observation.ndocs; i++)
        seen |= strcmp(job->observation.docs[i].kind, "prediction") == 0;
    for (size_t i = 0; i < outcome->nnotes; i++)
        if (outcome->notes[i].verdict == LINNET_REJECT && outcome->notes[i].reason != NULL)
            why = outcome->notes[i].reason;
    if (why != NULL)
        serve_answer_error(job->request, 400, "\"images\" cannot be read: %s", why);
    else if (!seen)
        serve_answer_error(job->request, job->request->serve->draining ? 503 : 500,
                           "the pictures were not looked at");
    else
        answer(job);
    linnet_observation_done(&job->observation);
    job_free(job);
}

/* ---- the question ---- */

static bool read_question(struct serve_request *request, struct job *job) {
    const struct serve_view *view = serve_engine_view(request->serve->engine);
    const char *project = request->captures[0] != NULL ? request->captures[0] : "all";
    if (!serve_related_offered(request)) return false;
    int found =
        serve_project_find(request->serve->config, view->references, project, job->flora, sizeof job->flora);
    if (found <= 0) job->flora[0] = '\0';
    if (found < 0) serve_answer_error(request, 404, "Project \"%.64s\" not found", project);
    job->lang = "en";
    return found >= 0 && serve_read_lang(request, &job->lang) &&
           serve_read_number(request, "nb-results", 1, SERVE_RELATED_MAX, PICTURES, &job->pictures);
}

static int start(struct job *job) {
    job->sighting =
        (struct serve_sighting){.ulid = job->request->id, .observer = "api", .form = &job->request->form};
    for (size_t i = 0; i < job->request->form.nimages; i++)
        job->sighting.organs[i] = "auto";
    int rc = serve_observe(&job->sighting, &job->observation);
    if (rc != 0) return rc;
    rc = serve_engine_run(job->request->serve->engine, &job->observation, on_outcome, job);
    if (rc != 0) linnet_observation_done(&job->observation);
    return rc;
}

void serve_looks_post(struct serve_request *request) {
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        serve_answer_error(request, 500, "out of memory");
        return;
    }
    if (!read_question(request, job) || !serve_admit_count(request, 1)) {
        free(job);
        return;
    }
    job->request = request;
    job->view = *serve_engine_view(request->serve->engine);
    linnet_references_ref(job->view.references);
    int rc = start(job);
    if (rc == 0) return;
    serve_answer_error(request, rc == LINNET_E_FULL ? 503 : 500, "%s", linnet_error_message(rc));
    job_free(job);
}
