#include "workers/serve/admit.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "workers/serve/engine.h"
#include "workers/serve/router.h"
#include "workers/serve/serve.h"

void serve_admit_origin(struct serve_request *request) {
    if (strcmp(request->method, "OPTIONS") == 0) serve_answer_static(request, "text/plain", "", 0);
}

void serve_admit(struct serve_request *request) {
    if ((request->route->flags & SERVE_READY) != 0 && !serve_engine_ready(request->serve->engine))
        serve_answer_error(request, 503, "the server is starting: %s",
                           serve_engine_waits_for(request->serve->engine));
}

bool serve_admit_count(struct serve_request *request, unsigned n) {
    (void)request, (void)n;
    return true;
}

static void add(struct MHD_Response *response, const char *name, const char *value) {
    MHD_add_response_header(response, name, value);
}

void serve_admit_headers(const struct serve_request *request, struct MHD_Response *response) {
    add(response, "X-Request-Id", request->id);
    add(response, "X-Content-Type-Options", "nosniff");
    if (MHD_get_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL) == NULL)
        add(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

const char *serve_admit_name(const struct serve_request *request) {
    (void)request;
    return NULL;
}
