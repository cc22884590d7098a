/* Pictures that look alike, as the API shows them: of each species of an identification, and by themselves
 * (/v2/similar), and those that are near enough to be the same (/v2/duplicates). Loop thread. */
#ifndef LINNET_SERVE_RELATED_H
#define LINNET_SERVE_RELATED_H

#include <jansson.h>

#include "common/similar/similar.h"
#include "workers/host/observation.h"
#include "workers/serve/request.h"

#define SERVE_RELATED_MAX 200 /* pictures of one answer, or of one species */

/* How the pictures of a request look, beside what they are compared with. */
struct serve_related {
    const struct linnet_similar *index; /* NULL: nothing is found */
    const char *base;                   /* of addresses */
    float *looks;                       /* n embeddings */
    size_t n;
};

/* Does this server know pictures? It answers that it does not, if not. */
bool serve_related_offered(struct serve_request *request);
/* Take the embeddings of an observation's pictures. `related->base` stays. To be given to serve_related_done.
 */
void serve_related_init(struct serve_related *related, const struct linnet_similar *index,
                        const struct linnet_observation *observation);
void serve_related_done(struct serve_related *related);
/* The `k` nearest pictures of the taxa that are set (NULL: of all), by the nearest of the request's pictures.
 */
size_t serve_related_find(const struct serve_related *related, const bool *taxa, size_t k,
                          struct linnet_similar_hit hits[SERVE_RELATED_MAX]);
/* A picture; `distance` below 0 is not told. New reference; NULL: it is gone, or out of memory. */
json_t *serve_related_picture(const struct linnet_similar *index, uint32_t picture, const char *base,
                              double distance);
/* An array of the nearest `k` pictures of a taxon, without those of the observation `but` (NULL: none). */
json_t *serve_related_json(const struct serve_related *related, const char *taxon, const char *but, size_t k);
/* The nearest `k` pictures whatever they show, each with its "taxon", and "nearDuplicate" where its distance
 * is less than `same`. */
json_t *serve_related_any(const struct serve_related *related, const char *but, double same, size_t k);

/* similar_post.c */
extern const char *const serve_looks_query[], *const serve_looks_urls_query[];
void serve_looks_post(struct serve_request *request);
void serve_looks_get(struct serve_request *request); /* identify_urls.c: pictures by URL */

/* duplicates.c */
extern const char *const serve_duplicates_query[];
void serve_duplicates_get(struct serve_request *request);

#endif
