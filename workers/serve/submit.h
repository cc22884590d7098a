/* ?store=true: what was identified becomes an observation in the store, as an app would have written it; a
 * worker does the rest. Pictures are cut free of metadata first, and written one after the other, so that one
 * copy at most is under way besides what the request holds. */
#ifndef LINNET_SERVE_SUBMIT_H
#define LINNET_SERVE_SUBMIT_H

#include "common/couch/couch.h"
#include "workers/serve/observe.h"

/* `error` 0, or what the store or a picture would not have, in words. */
typedef void serve_submitted_callback(void *arg, int error, const char *detail);

/* Write the images and then the observation. `sighting` and all it names stay until `done`, which is never
 * called from inside. LINNET_E_NOMEM. */
int serve_submit(struct linnet_couch *couch, const struct serve_sighting *sighting,
                 serve_submitted_callback *done, void *arg);

#endif
