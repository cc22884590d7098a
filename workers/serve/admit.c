#include "workers/serve/admit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/json.h"
#include "workers/serve/engine.h"
#include "workers/serve/keys.h"
#include "workers/serve/router.h"
#include "workers/serve/serve.h"

/* ---- who ---- */

static bool holds(const json_t *list, const char *text) {
    size_t i;
    const json_t *one;
    json_array_foreach(list, i, one) {
        const char *item = json_string_value(one);
        if (item != NULL && (strcmp(item, "*") == 0 || strcmp(item, text) == 0)) return true;
    }
    return false;
}

/* The last address that a proxy of ours has seen: those before it anybody may have written. */
static void find_address(struct serve_request *request) {
    const json_t *proxies = json_object_get(request->serve->config, "trusted_proxies");
    const char *forwarded = serve_header(request, "X-Forwarded-For");
    if (forwarded == NULL || json_array_size(proxies) == 0 || !holds(proxies, request->address)) return;
    const char *last = strrchr(forwarded, ',');
    last = last != NULL ? last + 1 : forwarded;
    last += strspn(last, " \t");
    if (*last != '\0')
        snprintf(request->address, sizeof request->address, "%.*s", (int)strcspn(last, " \t"), last);
}

/* The key as the caller sends it: ?api-key=, the header Api-Key, or a bearer's. NULL: none. */
static const char *key_text(const struct serve_request *request) {
    const char *text = serve_param(request, "api-key"), *bearer;
    if (text == NULL) text = serve_header(request, "Api-Key");
    if (text == NULL && (bearer = serve_header(request, MHD_HTTP_HEADER_AUTHORIZATION)) != NULL &&
        strncasecmp(bearer, "Bearer ", 7) == 0)
        text = bearer + 7;
    return text != NULL && *text != '\0' ? text : NULL;
}

static void find_key(struct serve_request *request) {
    const char *text = key_text(request);
    if (text != NULL) request->key = json_incref((json_t *)serve_keys_find(request->serve->keys, text));
}

static void find_origin(struct serve_request *request) {
    const char *origin = serve_header(request, MHD_HTTP_HEADER_ORIGIN);
    if (origin == NULL) return;
    const json_t *list = request->key != NULL ? json_object_get(request->key, "origins")
                                              : linnet_json_at(request->serve->config, "cors/origins");
    request->origin_allowed = holds(list, origin);
}

uint64_t serve_admit_used(const struct serve_request *request) {
    struct serve *serve = request->serve;
    return request->key != NULL ? serve_keys_used(serve->keys, request->key)
                                : serve_tally_count(&serve->addresses, request->address);
}

static void find_quota(struct serve_request *request) {
    const json_t *config = request->serve->config;
    json_int_t daily =
        request->key != NULL
            ? linnet_json_integer(request->key, "daily", linnet_json_integer(config, "keys/daily", 500))
            : linnet_json_integer(config, "keys/anonymous_daily", 500);
    uint64_t used = serve_admit_used(request);
    request->limited = daily > 0;
    request->limit = daily > 0 ? (uint64_t)daily : 0;
    request->remaining = request->limit > used ? request->limit - used : 0;
}

void serve_admit_caller(struct serve_request *request) {
    find_address(request);
    find_key(request);
    find_origin(request);
    if (strcmp(request->method, "OPTIONS") == 0) serve_answer_text(request, 204, "text/plain", strdup(""), 0);
}

/* ---- may he ---- */

void serve_admit(struct serve_request *request) {
    struct serve *serve = request->serve;
    unsigned flags = request->route->flags;
    if ((flags & SERVE_READY) != 0 && !serve_engine_ready(serve->engine)) {
        serve_answer_error(request, 503, "the server is starting: %s", serve_engine_waits_for(serve->engine));
        return;
    }
    if ((flags & SERVE_KEYED) == 0) return;
    if (linnet_json_bool(serve->config, "keys/required", false) && request->key == NULL) {
        if (!serve_keys_ready(serve->keys))
            serve_answer_error(request, 503, "the server is starting: reading keys");
        else
            serve_answer_error(request, 401,
                               key_text(request) != NULL ? "the api-key is not known, or it is revoked"
                                                         : "an api-key is required");
        return;
    }
    if (request->key != NULL && serve_header(request, MHD_HTTP_HEADER_ORIGIN) != NULL &&
        !request->origin_allowed) {
        serve_answer_error(request, 403, "this api-key is not for web pages of %s",
                           serve_header(request, MHD_HTTP_HEADER_ORIGIN));
        return;
    }
    find_quota(request);
}

bool serve_admit_count(struct serve_request *request, unsigned n) {
    struct serve *serve = request->serve;
    find_quota(request); /* others may have been counted while the body came */
    if (request->limited && request->remaining < n) {
        serve_answer_error(request, 429,
                           "Too Many Requests: %llu identifications a day, none is left until midnight UTC",
                           (unsigned long long)request->limit);
        return false;
    }
    if (request->key != NULL)
        serve_keys_use(serve->keys, request->key, n);
    else
        serve_tally_add(&serve->addresses, request->address, n);
    if (request->limited) request->remaining -= n;
    return true;
}

/* ---- headers ---- */

static void add(struct MHD_Response *response, const char *name, const char *value) {
    MHD_add_response_header(response, name, value);
}

static void add_number(struct MHD_Response *response, const char *name, uint64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    add(response, name, text);
}

/* https://fetch.spec.whatwg.org/#http-cors-protocol */
static void add_cors(const struct serve_request *request, struct MHD_Response *response) {
    const char *origin = serve_header(request, MHD_HTTP_HEADER_ORIGIN);
    if (origin == NULL) return;
    add(response, "Vary", "Origin");
    if (!request->origin_allowed) return;
    add(response, "Access-Control-Allow-Origin", origin);
    add(response, "Access-Control-Expose-Headers",
        "X-Request-Id, X-Total-Count, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After");
    if (strcmp(request->method, "OPTIONS") != 0) return;
    add(response, "Access-Control-Allow-Methods", "GET, POST");
    add(response, "Access-Control-Allow-Headers", "Content-Type, Api-Key, Authorization, Last-Event-ID");
    add(response, "Access-Control-Max-Age", "600");
}

/* draft-ietf-httpapi-ratelimit-headers-03, the form that clients know. */
static void add_quota(const struct serve_request *request, struct MHD_Response *response) {
    uint64_t reset = (uint64_t)serve_tally_rest_ms(&request->serve->addresses) / 1000 + 1;
    if (request->limited) {
        add_number(response, "RateLimit-Limit", request->limit);
        add_number(response, "RateLimit-Remaining", request->remaining);
        add_number(response, "RateLimit-Reset", reset);
    }
    if (request->status == 429) add_number(response, "Retry-After", request->limited ? reset : 3600);
    if (request->status == 503) add(response, "Retry-After", "2");
}

void serve_admit_headers(const struct serve_request *request, struct MHD_Response *response) {
    add(response, "X-Request-Id", request->id);
    add(response, "X-Content-Type-Options", "nosniff");
    if (MHD_get_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL) == NULL)
        add(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (request->timing[0] != '\0') add(response, "Server-Timing", request->timing);
    add_cors(request, response);
    add_quota(request, response);
}

const char *serve_admit_name(const struct serve_request *request) {
    return linnet_json_string(request->key, "name", NULL);
}
