/* Who asks, and may he: origins (CORS), API keys, quotas of today. Loop thread. */
#ifndef LINNET_SERVE_ADMIT_H
#define LINNET_SERVE_ADMIT_H

#include "workers/serve/request.h"

/* Answer a preflight (OPTIONS). */
void serve_admit_origin(struct serve_request *request);
/* Find the caller's key; refuse with 401, 403, 429, 503 where that is due. */
void serve_admit(struct serve_request *request);
/* Take `n` identifications off the caller's quota of today. False: it is used up, and the request has been
 * answered (429). */
bool serve_admit_count(struct serve_request *request, unsigned n);
/* The headers that every answer has: request id, CORS, rate limits, safety. */
void serve_admit_headers(const struct serve_request *request, struct MHD_Response *response);
/* Whose key it is, NULL if nobody's. */
const char *serve_admit_name(const struct serve_request *request);

#endif
