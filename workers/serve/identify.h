/* POST and GET /v2/identify/{project}: pictures of one plant in, names with scores out. */
#ifndef LINNET_SERVE_IDENTIFY_H
#define LINNET_SERVE_IDENTIFY_H

#include "workers/host/pipeline.h"
#include "workers/serve/engine.h"
#include "workers/serve/request.h"
#include "workers/serve/uncertainty.h"

extern const struct serve_form_limits serve_identify_form;
extern const char *const serve_identify_query[]; /* parameters that it knows */

void serve_identify_post(struct serve_request *request);

/* identify_urls.c: pictures by URL (?images=URL&organs=leaf), fetched one after the other into the request's
 * form. */
extern const char *const serve_identify_urls_query[];
void serve_identify_get(struct serve_request *request);

/* A switch, or the language, in the query; *out stays without it. False: it has no value that is one, and the
 * request has been answered. */
bool serve_read_switch(struct serve_request *request, const char *name, bool *out);
bool serve_read_lang(struct serve_request *request, const char **out);

/* What was asked for. Strings are the request's. */
struct serve_question {
    const char *project, *flora; /* "all" and NULL: no restriction */
    char flora_id[160];
    const char *lang, *type;
    char organs[SERVE_IMAGES_MAX][8];
    size_t results; /* most of them */
    bool no_reject, related, detailed, explain, store, unsure;
    struct serve_uncertainty_question uncertainty; /* where `unsure` */
};

/* identify_answer.c: the answer to a question, from what the stages made; pictures of each species from
 * `index` (NULL: none), with addresses below `base`. NULL: out of memory. */
struct linnet_similar;
json_t *serve_identify_answer(const struct serve_question *question, const struct serve_form *form,
                              const struct linnet_observation *observation, const struct serve_view *view,
                              const struct linnet_similar *index, const char *base);
/* The identification among the results, NULL if there is none. Borrowed. */
const json_t *serve_identification_of(const struct linnet_observation *observation);

#endif
