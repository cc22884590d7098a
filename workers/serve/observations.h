/* GET /v2/observations/{id}, and its pictures. What is in the store is public; the place is the one that the
 * community's answer publishes. */
#ifndef LINNET_SERVE_OBSERVATIONS_H
#define LINNET_SERVE_OBSERVATIONS_H

#include "workers/serve/request.h"

extern const char *const serve_observation_query[];
void serve_observation_get(struct serve_request *request);
void serve_observation_image_get(struct serve_request *request); /* .../images/{digest}/{size}: o, m, s */

#define SERVE_BASE_SIZE 288
/* What addresses of this server begin with, as the request has reached it. */
void serve_image_base(const struct serve_request *request, char *out, size_t size);
/* {o, m, s}: addresses of a picture in its sizes. New reference. */
json_t *serve_image_urls(const char *base, const char *observation, const char *digest);

#endif
