/* Which function answers what, and what it wants beforehand. The table of all endpoints is routes.c. */
#ifndef LINNET_SERVE_ROUTER_H
#define LINNET_SERVE_ROUTER_H

#include "workers/serve/request.h"

enum serve_body { SERVE_NO_BODY, SERVE_FORM, SERVE_JSON };

enum serve_route_flags {
    SERVE_KEYED = 1, /* of the API: keys are asked for where the server wants them, origins and quotas hold */
    SERVE_QUIET = 2, /* not worth a line in the access log */
    SERVE_READY = 4  /* only when a model is there; before it is 503 */
};

struct serve_route {
    const char *method;
    const char
        *path; /* "/v2/identify/{project}": segments in braces are captured, SERVE_CAPTURES_MAX at most */
    enum serve_body body;
    unsigned flags;
    const struct serve_form_limits *form; /* of SERVE_FORM; its `bytes` is the server's */
    const char *const *query; /* parameters that it knows, ended by NULL (besides "api-key"); NULL: any */
    void (*handle)(struct serve_request *request);
};

extern const struct serve_route serve_routes[]; /* ended by a NULL method */

/* The route of a method and path; captures as in struct serve_request. NULL: none; then *allowed (room for
 * `size`) lists the methods that the path has, "" if there is no such path. HEAD is answered by GET's. */
const struct serve_route *serve_route_find(const char *method, const struct serve_path *path,
                                           const char *captures[SERVE_CAPTURES_MAX], char *allowed,
                                           size_t size);

#endif
