/* Ordinary requests: one call, one response, one callback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/json.h"
#include "common/couch/internal.h"

struct linnet_couch_request {
    struct couch_transfer transfer; /* first */
    linnet_couch_callback *done;
    void *arg;
    struct linnet_buf response;
    int failure; /* why the write function gave up, 0 if it did not */
    bool raw, rows, no_json;
    struct couch_rows read; /* where rows were asked for */
    char *body; /* what is sent */
    void (*free_body)(void *body);
    struct curl_slist *headers; /* own ones, NULL for the client's */
    char *line;                 /* "GET /linnet/…", for words about failures */
    char words[CURL_ERROR_SIZE];
};

/* A response's length is believed up to here; beyond it the buffer grows with what really comes. */
enum { RESERVE_MOST = 16 << 20 };

int couch_status_error(long status) {
    if (status < 400) return 0;
    switch (status) {
    case 401:
        return LINNET_E_AUTH;
    case 403:
        return LINNET_E_DENIED;
    case 404:
        return LINNET_E_NOT_FOUND;
    case 405:
    case 406:
    case 501:
        return LINNET_E_UNSUPPORTED;
    case 408:
        return LINNET_E_TIMEOUT;
    case 409:
        return LINNET_E_CONFLICT;
    case 412:
        return LINNET_E_EXISTS;
    case 413:
        return LINNET_E_LIMIT;
    case 429:
        return LINNET_E_SERVER;
    default:
        return status >= 500 ? LINNET_E_SERVER : LINNET_E_INVALID;
    }
}

int couch_parse(char *text, size_t size, json_t **out) {
    int rc = linnet_json_load(text, size, JSON_DECODE_ANY, out, NULL);
    if (rc != LINNET_E_PARSE) return rc;
    /* Rare: a document that somebody wrote to break us, or something that is no JSON. */
    linnet_json_mend(text, size);
    return linnet_json_load(text, size, JSON_DECODE_ANY, out, NULL);
}

static void free_request(struct linnet_couch_request *request) {
    if (!request) return;
    curl_easy_cleanup(request->transfer.easy); /* may be NULL */
    if (request->free_body && request->body) request->free_body(request->body);
    couch_rows_done(&request->read);
    linnet_buf_done(&request->response);
    curl_slist_free_all(request->headers);
    free(request->line);
    free(request);
}

static size_t on_bytes(char *bytes, size_t one, size_t size, void *arg) {
    (void)one;
    struct linnet_couch_request *request = arg;
    if (!request->response.data) {
        curl_off_t length = -1;
        curl_easy_getinfo(request->transfer.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        if (length > (curl_off_t)size && length <= RESERVE_MOST)
            linnet_buf_reserve(&request->response, (size_t)length);
    }
    request->failure = linnet_buf_append(&request->response, bytes, size);
    return request->failure ? CURL_WRITEFUNC_ERROR : size;
}

/* ---- the end ---- */

/* "GET /linnet/x: 404 not_found: missing" */
static void describe(const struct linnet_couch_request *request, const struct linnet_couch_response *response,
                     CURLcode code, char *out, size_t size) {
    if (response->error == LINNET_E_CANCELLED) {
        snprintf(out, size, "%s: cancelled", request->line);
    } else if (request->no_json) {
        snprintf(out, size, "%s: %ld, and the response is no JSON", request->line, response->status);
    } else if (request->failure) {
        snprintf(out, size, "%s: the response: %s", request->line, linnet_error_message(request->failure));
    } else if (code) {
        snprintf(out, size, "%s: %s", request->line,
                 *request->words ? request->words : curl_easy_strerror(code));
    } else {
        const char *error = linnet_json_string(response->json, "error", linnet_error_name(response->error));
        const char *reason = linnet_json_string(response->json, "reason", "");
        snprintf(out, size, "%s: %ld %s%s%s", request->line, response->status, error, *reason ? ": " : "",
                 reason);
    }
}

/* The body as JSON. What should be and is not is the fault of whatever stands between the store and us, and
 * may pass. */
static void parse(struct linnet_couch_request *request, struct linnet_couch_response *response) {
    if (!response->size || (request->raw && !response->error)) return;
    bool rows = request->rows && !response->error;
    int rc = rows ? couch_rows_read(request->response.data, response->size, &request->read, &response->json)
                  : couch_parse(request->response.data, response->size, &response->json);
    response->rows = request->read.rows;
    response->nrows = request->read.n;
    if (!rc || response->error) return;
    response->error = request->failure = rc == LINNET_E_NOMEM ? rc : LINNET_E_SERVER;
    request->no_json = rc != LINNET_E_NOMEM;
}

static void on_ended(struct couch_transfer *transfer, CURLcode code) {
    struct linnet_couch_request *request = (struct linnet_couch_request *)transfer;
    struct linnet_couch_response response = {.error = request->failure ? request->failure
                                                                       : couch_curl_error(code)};
    char detail[1024] = "";
    if (!response.error) {
        struct curl_header *etag;
        curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &response.status);
        response.error = couch_status_error(response.status);
        if (curl_easy_header(transfer->easy, "ETag", 0, CURLH_HEADER, -1, &etag) == CURLHE_OK)
            response.etag = etag->value;
        response.body = request->response.data ? request->response.data : "";
        response.size = request->response.size;
        parse(request, &response);
    }
    if (response.error) describe(request, &response, code, detail, sizeof detail);
    response.detail = detail;
    request->done(request, &response, request->arg);
    json_decref(response.json);
    free_request(request);
}

/* ---- the beginning ---- */

static int make_headers(struct linnet_couch_request *request, const struct linnet_couch_call *call) {
    struct linnet_buf line = {0};
    struct curl_slist *headers = NULL, *grown;
    int rc = linnet_buf_printf(&line, "Content-Type: %s",
                               call->content_type ? call->content_type : "application/json");
    const char *lines[] = {"Expect:", call->raw ? "Accept: */*" : "Accept: application/json", line.data};
    for (size_t i = 0; !rc && i < sizeof lines / sizeof lines[0]; i++) {
        if (!(grown = curl_slist_append(headers, lines[i]))) rc = LINNET_E_NOMEM;
        if (grown) headers = grown;
    }
    linnet_buf_clear(&line);
    if (!rc && call->if_match) {
        rc = linnet_buf_printf(&line, "If-Match: %s", call->if_match);
        grown = rc ? NULL : curl_slist_append(headers, line.data);
        if (grown)
            headers = grown;
        else
            rc = LINNET_E_NOMEM;
    }
    linnet_buf_done(&line);
    request->headers = headers;
    return rc;
}

static int take_body(struct linnet_couch_request *request, const struct linnet_couch_call *call) {
    if (!call->body || call->free_body) return 0; /* what is given is taken once nothing can fail any more */
    if (!(request->body = malloc(call->size + 1))) return LINNET_E_NOMEM;
    memcpy(request->body, call->body, call->size);
    request->free_body = free;
    return 0;
}

static void set_method(CURL *easy, const struct linnet_couch_call *call, const char *body) {
    bool sends = call->body || !strcmp(call->method, "POST") || !strcmp(call->method, "PUT");
    if (sends) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body ? body : "");
        if (call->size > 65536) curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 262144L);
    } else if (!strcmp(call->method, "HEAD")) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static int set_up(struct linnet_couch_request *request, const struct linnet_couch_call *call) {
    struct linnet_couch *couch = request->transfer.couch;
    CURL *easy = request->transfer.easy = couch_easy_get(couch);
    if (!easy) return LINNET_E_NOMEM;
    struct linnet_buf url = {0};
    int rc = linnet_buf_printf(&url, "%s%s", couch->base, call->path);
    if (!rc && curl_easy_setopt(easy, CURLOPT_URL, url.data)) rc = LINNET_E_NOMEM;
    linnet_buf_clear(&url);
    if (!rc) rc = linnet_buf_printf(&url, "%s %s", call->method, call->path);
    request->line = linnet_buf_take(&url, NULL);
    bool own = call->raw || call->if_match || call->content_type;
    if (!rc && own) rc = make_headers(request, call);
    if (!rc) rc = take_body(request, call);
    if (rc) return rc;
    set_method(easy, call, call->free_body ? call->body : request->body);
    linnet_buf_init(&request->response, call->limit ? call->limit : couch->response_limit);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, own ? request->headers : couch->json_headers);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                     call->timeout_ms > 0 ? call->timeout_ms : couch->request_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, ""); /* all that libcurl was built with */
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 65536L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->words);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    return 0;
}

int linnet_couch_request(struct linnet_couch *couch, const struct linnet_couch_call *call,
                         linnet_couch_callback *done, void *arg, struct linnet_couch_request **out) {
    if (couch->closing) return LINNET_E_CANCELLED;
    struct linnet_couch_request *request = calloc(1, sizeof *request);
    if (!request) return LINNET_E_NOMEM;
    request->transfer.couch = couch;
    request->transfer.ended = on_ended;
    request->done = done;
    request->arg = arg;
    request->raw = call->raw;
    request->rows = call->rows;
    int rc = set_up(request, call);
    if (rc) {
        free_request(request);
        return rc;
    }
    if (call->body && call->free_body) {
        request->body = (char *)call->body;
        request->free_body = call->free_body;
    }
    couch_transfer_start(&request->transfer);
    if (out) *out = request;
    return 0;
}

void linnet_couch_cancel(struct linnet_couch_request *request) {
    if (request) couch_transfer_cancel(&request->transfer);
}
