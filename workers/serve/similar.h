/* Pictures of validated observations, to be found by what they look like (common/similar): the index of the
 * model in use, kept up with the store by its changes feed, saved in the cache folder and made anew from the
 * store when that is lost or damaged. Loop thread; saving and checking a file run on libuv's pool. */
#ifndef LINNET_SERVE_SIMILAR_H
#define LINNET_SERVE_SIMILAR_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "common/base/metrics.h"
#include "common/couch/couch.h"
#include "common/similar/similar.h"

struct serve_similar;

struct serve_similar_options {
    uv_loop_t *loop;
    struct linnet_couch *couch;
    const json_t *config; /* the server's: similar, cache_dir, couchdb/prefix; borrowed */
    struct linnet_metrics *metrics;
};

int serve_similar_open(const struct serve_similar_options *options, struct serve_similar **out);
/* The model in use ("name@version"); another one has another index. */
void serve_similar_use(struct serve_similar *similar, const char *model);
/* The index, borrowed until the loop goes on; NULL: it is being opened, or no picture has come yet. */
const struct linnet_similar *serve_similar_index(const struct serve_similar *similar);
/* Has all been read that the store held when this began? */
bool serve_similar_complete(const struct serve_similar *similar);
/* Follow no more; it is freed when what is under way has come back. Before the store is closed. NULL is safe.
 */
void serve_similar_close(struct serve_similar *similar);

/* similar_pictures.c: the pictures of an observation as the store has them, put into the index.
 * `observation`, `consensus`: documents, NULL for none. `predictions`: rows of _all_docs. */

/* Does the index want pictures of it? */
bool serve_similar_wants(const json_t *observation, const json_t *consensus);
/* The halves of a prediction's embedding, `dims` of them (0: any); malloc()ed. NULL: it has none, of another
 * length, or there is no memory. */
uint16_t *serve_similar_embedding(const json_t *prediction, size_t *dims);
/* What an answer tells of one view beside what the index knows, as text; malloc()ed. NULL: out of memory. */
char *serve_similar_note(const json_t *observation, const json_t *view);

#endif
