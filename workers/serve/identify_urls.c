#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/serve/fetch.h"
#include "workers/serve/identify.h"
#include "workers/serve/related.h"
#include "workers/serve/router.h"
#include "workers/serve/serve.h"

static void on_fetched(void *arg, int error, const char *detail, struct linnet_bytes *bytes);

static size_t room(const struct serve_request *request) {
    size_t held = 0;
    for (size_t i = 0; i < request->form.nimages; i++)
        held += request->form.images[i].bytes->size;
    return request->form.limits.bytes > held ? request->form.limits.bytes - held : 0;
}

/* Fetch the next picture, or begin where there is none any more. */
static void go_on(struct serve_request *request) {
    struct linnet_error err = {0};
    size_t n = request->form.nimages;
    const char *url = serve_params_nth(&request->query, "images", n);
    if (url == NULL) {
        strcmp(request->route->path, "/v2/identify/{project}") == 0 ? serve_identify_post(request)
                                                                    : serve_looks_post(request);
        return;
    }
    if (serve_fetch(request->serve->fetcher, url, room(request), on_fetched, request, &err) != 0)
        serve_answer_error(request, 400, "\"images[%zu]\" cannot be fetched: %s", n, err.detail);
}

static void on_fetched(void *arg, int error, const char *detail, struct linnet_bytes *bytes) {
    struct serve_request *request = arg;
    struct linnet_error err = {0};
    size_t n = request->form.nimages;
    if (error != 0) {
        serve_answer_error(request,
                           error == LINNET_E_LIMIT       ? 413
                           : error == LINNET_E_CANCELLED ? 503
                                                         : 400,
                           "\"images[%zu]\" cannot be fetched: %s", n, detail);
        return;
    }
    const char *url = serve_params_nth(&request->query, "images", n), *slash = strrchr(url, '/');
    if (serve_form_add_image(&request->form, bytes, slash != NULL ? slash + 1 : url, &err) != 0)
        serve_answer_error(request, (unsigned)request->form.status, "%s", err.detail);
    else
        go_on(request);
}

void serve_identify_get(struct serve_request *request) {
    if (request->serve->fetcher == NULL) {
        serve_answer_error(request, 403, "this server fetches no pictures: send them by POST");
        return;
    }
    if (serve_params_nth(&request->query, "images", 0) == NULL) {
        serve_answer_error(request, 400, "\"images\" is required");
        return;
    }
    if (serve_params_nth(&request->query, "images", SERVE_IMAGES_MAX) != NULL) {
        serve_answer_error(request, 400, "\"images\" must contain at most %d items", SERVE_IMAGES_MAX);
        return;
    }
    request->form = (struct serve_form){.limits = serve_identify_form};
    request->form.limits.bytes =
        (size_t)linnet_json_integer(request->serve->config, "limits/body_mb", 50) * 1024 * 1024;
    request->has_form = true;
    go_on(request);
}

void serve_looks_get(struct serve_request *request) {
    serve_identify_get(request);
}
