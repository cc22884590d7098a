/* What the server says of itself. */
#ifndef LINNET_SERVE_STATUS_H
#define LINNET_SERVE_STATUS_H

#include "workers/serve/request.h"

void serve_status_get(struct serve_request *request);  /* GET /v2/_status: {status, ...} */
void serve_quota_get(struct serve_request *request);   /* GET /v2/quota/daily */
void serve_health_get(struct serve_request *request);  /* GET /healthz */
void serve_ready_get(struct serve_request *request);   /* GET /readyz */
void serve_metrics_get(struct serve_request *request); /* GET /metrics */

#endif
