/* A request's pictures as an observation, as an app would have written it. */
#ifndef LINNET_SERVE_OBSERVE_H
#define LINNET_SERVE_OBSERVE_H

#include "workers/host/observation.h"
#include "workers/serve/form.h"

struct serve_sighting {
    const char *ulid;
    const char *observer; /* uid */
    const struct serve_form *form;
    const char *organs[SERVE_IMAGES_MAX]; /* of each picture; "auto" */
    const char *flora;                    /* id; NULL: none */
};

/* The documents and pictures of it; to be given to linnet_observation_done on success. Pictures are shared,
 * not copied. The same picture twice is one view. LINNET_E_NOMEM. */
int serve_observe(const struct serve_sighting *sighting, struct linnet_observation *out);

#endif
