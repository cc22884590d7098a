/* GET /v2/observations/{id}, and its pictures. What is in the store is public; the place is the one that the
 * community's answer publishes. */
#ifndef LINNET_SERVE_OBSERVATIONS_H
#define LINNET_SERVE_OBSERVATIONS_H

#include "workers/serve/request.h"

extern const char *const serve_observation_query[];
void serve_observation_get(struct serve_request *request);
void serve_observation_image_get(struct serve_request *request); /* .../images/{digest}/{size}: o, m, s */

/* {o, m, s}: addresses of a picture in its sizes, as the request has reached this server. New reference. */
json_t *serve_image_urls(const struct serve_request *request, const char *observation, const char *digest);

#endif
