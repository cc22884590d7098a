/* Who asks, and may he: the address behind a proxy, API keys, origins (CORS, by key), quotas of today. Loop
 * thread. */
#ifndef LINNET_SERVE_ADMIT_H
#define LINNET_SERVE_ADMIT_H

#include "workers/serve/request.h"

/* Find the caller's address, key and origin; answer a preflight (OPTIONS). */
void serve_admit_caller(struct serve_request *request);
/* Refuse with 401, 403 or 503 where the route wants more than the caller has. */
void serve_admit(struct serve_request *request);
/* Take `n` identifications off the caller's quota of today. False: there are not so many left, and the
 * request has been answered (429). */
bool serve_admit_count(struct serve_request *request, unsigned n);
/* Identifications of the caller today. */
uint64_t serve_admit_used(const struct serve_request *request);
/* The headers that every answer has: request id, CORS, rate limits, safety. */
void serve_admit_headers(const struct serve_request *request, struct MHD_Response *response);
/* Whose key it is, NULL if nobody's. */
const char *serve_admit_name(const struct serve_request *request);

#endif
