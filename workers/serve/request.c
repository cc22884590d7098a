#include "workers/serve/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "workers/serve/admit.h"
#include "workers/serve/http.h"
#include "workers/serve/router.h"
#include "workers/serve/serve.h"
#include "workers/serve/stream.h"

#define TARGET_MAX 8192
#define JSON_MAX   ((size_t)64 * 1024)
#define FORM_SLACK ((uint64_t)1024 * 1024) /* of boundaries, headers and fields */
#define DISCARD_MAX                                                                                          \
    ((uint64_t)128 * 1024 * 1024) /* read to its end before a refusal, so that the client hears it */

/* ---- beginning and end ---- */

struct serve_request *serve_request_new(struct serve *serve, struct MHD_Connection *connection,
                                        const char *target) {
    struct serve_request *request = calloc(1, sizeof *request);
    const union MHD_ConnectionInfo *context =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (request == NULL) return NULL;
    request->serve = serve;
    request->connection = connection;
    request->socket = context != NULL ? context->socket_context : NULL;
    request->started_ms = linnet_time_monotonic();
    request->target = strdup(target);
    request->logged = strndup(target, strcspn(target, "?#"));
    linnet_ulid_new(request->id);
    if (request->socket == NULL || request->target == NULL || request->logged == NULL) {
        free(request->target);
        free(request->logged);
        free(request);
        return NULL;
    }
    snprintf(request->address, sizeof request->address, "%s", request->socket->address);
    serve_http_count(serve->http, 1);
    return request;
}

static void log_access(const struct serve_request *request, bool whole) {
    if (request->route != NULL && (request->route->flags & SERVE_QUIET) != 0) return;
    linnet_log(LINNET_INFO, "access", "request", "id", "s", request->id, "address", "s", request->address,
               "key", "s", serve_admit_name(request), "method", "s", request->method, "path", "s",
               request->logged, "status", "i", (json_int_t)request->status, "received", "i",
               (json_int_t)request->received, "sent", "i", (json_int_t)request->sent, "ms", "i",
               (json_int_t)(linnet_time_monotonic() - request->started_ms), "whole", "b", (int)whole, NULL);
}

static void measure(const struct serve_request *request) {
    char labels[128];
    snprintf(labels, sizeof labels, "route=\"%s\",status=\"%u\"",
             request->route != NULL ? request->route->path : "", request->status);
    linnet_metric_add(linnet_metrics_counter(request->serve->metrics, "linnet_http_requests_total", labels,
                                             "Requests by route and status"),
                      1);
    snprintf(labels, sizeof labels, "route=\"%s\"", request->route != NULL ? request->route->path : "");
    linnet_metric_observe(linnet_metrics_histogram(request->serve->metrics, "linnet_http_seconds", labels,
                                                   "From a request's first line to its last byte"),
                          (double)(linnet_time_monotonic() - request->started_ms) / 1000);
}

void serve_request_over(struct serve_request *request, bool whole) {
    log_access(request, whole);
    measure(request);
    serve_socket_expect_head(request->socket);
    serve_http_count(request->serve->http, -1);
    if (request->response != NULL) MHD_destroy_response(request->response);
    if (request->has_form) serve_form_done(&request->form);
    linnet_buf_done(&request->body);
    json_decref(request->json);
    json_decref(request->key);
    free(request->target);
    free(request->logged);
    free(request);
}

const char *serve_param(const struct serve_request *request, const char *name) {
    return serve_params_get(&request->query, name);
}

const char *serve_header(const struct serve_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* ---- answers ---- */

const char *serve_status_name(unsigned status) {
    static const struct {
        unsigned status;
        const char *name;
    } names[] = {{200, "OK"},
                 {201, "Created"},
                 {202, "Accepted"},
                 {204, "No Content"},
                 {304, "Not Modified"},
                 {308, "Permanent Redirect"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {409, "Conflict"},
                 {413, "Payload Too Large"},
                 {414, "URI Too Long"},
                 {415, "Unsupported Media Type"},
                 {429, "Too Many Requests"},
                 {500, "Internal Server Error"},
                 {502, "Bad Gateway"},
                 {503, "Service Unavailable"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].status == status) return names[i].name;
    return "Error";
}

json_t *serve_error_json(unsigned status, const char *message) {
    return json_pack("{s:i, s:s, s:s}", "statusCode", (int)status, "error", serve_status_name(status),
                     "message", message);
}

/* The answer is there: send it, now or when libmicrohttpd asks again. */
static void answered(struct serve_request *request, unsigned status, struct MHD_Response *response) {
    request->status = status;
    request->response = response;
    if (!request->suspended) return;
    request->suspended = false;
    MHD_resume_connection(request->connection);
    serve_http_kick(request->serve->http);
}

static void typed(struct MHD_Response *response, const char *type) {
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
}

void serve_answer_text(struct serve_request *request, unsigned status, const char *type, char *text,
                       size_t size) {
    static const char none[] =
        "{\"statusCode\":500,\"error\":\"Internal Server Error\",\"message\":\"out of memory\"}";
    struct MHD_Response *response =
        text != NULL ? MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE) : NULL;
    if (response == NULL) {
        free(text);
        status = 500;
        type = "application/json";
        size = sizeof none - 1;
        response = MHD_create_response_from_buffer(size, (void *)none, MHD_RESPMEM_PERSISTENT);
    }
    request->sent = size;
    if (response != NULL) typed(response, type);
    answered(request, status, response);
}

void serve_answer_json(struct serve_request *request, unsigned status, json_t *body) {
    struct linnet_buf text = {0};
    size_t size = 0;
    int rc = body != NULL ? linnet_json_write(&text, body) : LINNET_E_NOMEM;
    json_decref(body);
    if (rc != 0) linnet_buf_done(&text);
    char *taken = linnet_buf_take(&text, &size);
    serve_answer_text(request, status, "application/json; charset=utf-8", taken, size);
}

void serve_answer_error(struct serve_request *request, unsigned status, const char *format, ...) {
    char message[640];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    serve_answer_json(request, status, serve_error_json(status, message));
}

void serve_answer_static(struct serve_request *request, const char *type, const void *data, size_t size) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)data, MHD_RESPMEM_PERSISTENT);
    request->sent = size;
    if (response != NULL) typed(response, type);
    answered(request, 200, response);
}

static void drop_bytes(void *arg) {
    linnet_bytes_unref(arg);
}

static ssize_t read_bytes(void *arg, uint64_t position, char *out, size_t most) {
    const struct linnet_bytes *bytes = arg;
    size_t left = position < bytes->size ? bytes->size - (size_t)position : 0,
           size = left < most ? left : most;
    memcpy(out, (const char *)bytes->data + position, size);
    return size > 0 ? (ssize_t)size : MHD_CONTENT_READER_END_OF_STREAM;
}

void serve_answer_bytes(struct serve_request *request, const char *type, struct linnet_bytes *bytes) {
    struct MHD_Response *response = MHD_create_response_from_callback(bytes->size, 16384, read_bytes,
                                                                      linnet_bytes_ref(bytes), drop_bytes);
    request->sent = bytes->size;
    if (response != NULL)
        typed(response, type);
    else
        linnet_bytes_unref(bytes);
    answered(request, 200, response);
}

void serve_answer_stream(struct serve_request *request, const char *type, struct serve_stream *stream) {
    struct MHD_Response *response = serve_stream_response(stream, request->connection);
    if (response != NULL) {
        typed(response, type);
        MHD_add_response_header(response, "X-Accel-Buffering", "no");
    }
    answered(request, 200, response);
    serve_socket_expect_nothing(request->socket);
}

/* ---- the head ---- */

static void parse_target(struct serve_request *request) {
    struct linnet_error err = {0};
    char *query = strchr(request->target, '?');
    if (strlen(request->target) > TARGET_MAX) {
        serve_answer_error(request, 414, "the request's target is longer than %d bytes", TARGET_MAX);
        return;
    }
    if (query != NULL) *query++ = '\0';
    if (serve_path_parse(request->target, &request->path, &err) != 0)
        serve_answer_error(request, 400, "the path is malformed: %s", err.detail);
    else if (serve_params_parse(query, &request->query, &err) != 0)
        serve_answer_error(request, 400, "the query is malformed: %s", err.detail);
}

static bool known_param(const struct serve_route *route, const char *name) {
    size_t size = strlen(name);
    if (strcmp(name, "api-key") == 0) return true;
    if (size > 2 && strcmp(name + size - 2, "[]") == 0) size -= 2;
    for (const char *const *known = route->query; *known != NULL; known++)
        if (strlen(*known) == size && memcmp(*known, name, size) == 0) return true;
    return false;
}

static void find_route(struct serve_request *request) {
    char allowed[64];
    request->route =
        serve_route_find(request->method, &request->path, request->captures, allowed, sizeof allowed);
    if (request->route == NULL && *allowed == '\0') {
        serve_answer_error(request, 404, "Not Found");
    } else if (request->route == NULL) {
        serve_answer_error(request, 405, "%s is not allowed here, only %s", request->method, allowed);
        if (request->response != NULL)
            MHD_add_response_header(request->response, MHD_HTTP_HEADER_ALLOW, allowed);
    } else if (request->route->query != NULL) {
        for (size_t i = 0; i < request->query.n && request->response == NULL; i++)
            if (!known_param(request->route, request->query.list[i].name))
                serve_answer_error(request, 400, "\"%.64s\" is not allowed", request->query.list[i].name);
    }
}

/* What is said of the body's size. False: nonsense. */
static bool read_length(struct serve_request *request) {
    const char *text = serve_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    char *end;
    if (text == NULL) return true;
    request->declared = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

static void prepare_body(struct serve_request *request) {
    const struct serve_route *route = request->route;
    struct linnet_error err = {0};
    uint64_t limit =
        (uint64_t)linnet_json_integer(request->serve->config, "limits/body_mb", 50) * 1024 * 1024;
    if (route->body == SERVE_NO_BODY) {
        request->taking = SERVE_DISCARD;
        return;
    }
    if (request->declared > (route->body == SERVE_FORM ? limit + FORM_SLACK : JSON_MAX)) {
        serve_answer_error(request, 413, "the body has %llu bytes", (unsigned long long)request->declared);
        return;
    }
    if (route->body == SERVE_JSON) {
        const char *type = serve_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
        linnet_buf_init(&request->body, JSON_MAX);
        if (type == NULL || strncasecmp(type, "application/json", 16) != 0)
            serve_answer_error(request, 415, "the body must be application/json");
        return;
    }
    struct serve_form_limits limits = *route->form;
    limits.bytes = (size_t)limit;
    request->has_form = true;
    if (serve_form_init(&request->form, serve_header(request, MHD_HTTP_HEADER_CONTENT_TYPE), &limits, &err) !=
        0)
        serve_answer_error(request, (unsigned)request->form.status, "%s", err.detail);
}

static void begin(struct serve_request *request, const char *method) {
    snprintf(request->method, sizeof request->method, "%s", method);
    serve_socket_expect(request->socket, request->started_ms, 0);
    if (!read_length(request)) serve_answer_error(request, 400, "Content-Length is no number");
    if (request->response == NULL) parse_target(request);
    if (request->response == NULL) serve_admit_caller(request);
    if (request->response == NULL) find_route(request);
    if (request->response == NULL) serve_admit(request);
    if (request->response == NULL) prepare_body(request);
    if (request->response != NULL) request->taking = SERVE_DISCARD;
}

/* ---- the body and its end ---- */

/* False: so much is not even thrown away. */
static bool take(struct serve_request *request, const char *data, size_t size) {
    struct linnet_error err = {0};
    request->received += size;
    serve_socket_expect(request->socket, request->started_ms, request->received);
    if (request->taking == SERVE_DISCARD) return request->received <= DISCARD_MAX;
    int rc = request->has_form ? serve_form_feed(&request->form, data, size, &err)
                               : linnet_buf_append(&request->body, data, size);
    if (rc == 0) return true;
    request->taking = SERVE_DISCARD;
    if (request->has_form)
        serve_answer_error(request, (unsigned)request->form.status, "%s", err.detail);
    else if (rc == LINNET_E_LIMIT)
        serve_answer_error(request, 413, "more than %zu bytes of JSON", JSON_MAX);
    else
        serve_answer_error(request, 500, "out of memory");
    if (request->has_form) { /* what was read of it is of no use to anybody */
        serve_form_done(&request->form);
        request->has_form = false;
    }
    return true;
}

static void end_body(struct serve_request *request) {
    struct linnet_error err = {0};
    if (request->taking == SERVE_DISCARD) return;
    if (request->has_form) {
        if (serve_form_finish(&request->form, &err) != 0)
            serve_answer_error(request, (unsigned)request->form.status, "%s", err.detail);
    } else if (linnet_json_parse(request->body.data != NULL ? request->body.data : "", request->body.size, 16,
                                 &request->json, &err) != 0) {
        serve_answer_error(request, 400, "the body is no JSON: %s", err.detail);
    }
}

static void handle(struct serve_request *request) {
    request->handled = true;
    serve_socket_expect_nothing(request->socket);
    end_body(request);
    if (request->response != NULL) return;
    if (request->serve->draining)
        serve_answer_error(request, 503, "the server is stopping");
    else
        request->route->handle(request);
    if (request->response != NULL) return;
    request->suspended = true;
    MHD_suspend_connection(request->connection);
}

static bool queue(struct serve_request *request) {
    if (request->queued) return true;
    request->queued = true;
    serve_admit_headers(request, request->response);
    if (request->has_form && request->handled) { /* the stages have their own references */
        serve_form_done(&request->form);
        request->has_form = false;
    }
    if (request->sent > 0) serve_socket_expect(request->socket, linnet_time_monotonic(), request->sent);
    return MHD_queue_response(request->connection, request->status, request->response) == MHD_YES;
}

/* Who asks before sending hears the refusal at once; so does who would send more than we would throw away. */
static bool refuse_early(const struct serve_request *request) {
    const char *expect = serve_header(request, MHD_HTTP_HEADER_EXPECT);
    return request->response != NULL &&
           (request->declared > DISCARD_MAX || (expect != NULL && strcasecmp(expect, "100-continue") == 0));
}

bool serve_request_step(struct serve_request *request, const char *method, const char *data, size_t *size) {
    if (!request->begun) {
        request->begun = true;
        begin(request, method);
        return refuse_early(request) ? queue(request) : true;
    }
    if (*size > 0) {
        bool going = take(request, data, *size);
        *size = 0;
        return going;
    }
    if (!request->handled && request->response == NULL) handle(request);
    return request->response != NULL ? queue(request) : true;
}
