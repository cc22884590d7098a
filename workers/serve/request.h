/* One request from its first line to the last byte of its answer, as endpoints see it.
 *
 * A route (router.h) says what body it takes; when that is read, its `handle` is called once. It answers at
 * once, or keeps the request and answers later: until then the connection is suspended. A request lives until
 * it is over, and it is not over before it is answered; so a pointer to it is good until serve_answer_* has
 * been called on it, and not after. Loop thread. */
#ifndef LINNET_SERVE_REQUEST_H
#define LINNET_SERVE_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/ulid.h"
#include "workers/serve/form.h"
#include "workers/serve/params.h"

#define SERVE_CAPTURES_MAX 3

struct serve;
struct serve_route;
struct serve_socket;
struct serve_stream;

struct serve_request {
    struct serve *serve;
    struct MHD_Connection *connection;
    struct serve_socket *socket; /* NULL: out of memory when it came */
    char id[LINNET_ULID_SIZE];
    char *target, *logged; /* decoded in place; the path as it came */
    struct serve_path path;
    struct serve_params query;
    char method[12];
    const struct serve_route *route; /* NULL: none */
    const char
        *captures[SERVE_CAPTURES_MAX]; /* what stands for {names} in the route's path; NULL: it has no more */
    char address[64];                  /* of the client, as far as it can be known */
    json_t *key;                       /* the caller's apikey document, own reference; NULL: nobody's */
    bool origin_allowed;               /* its Origin may read the answer */
    bool limited;                      /* the caller has a quota */
    uint64_t limit, remaining;         /* of it, today */

    bool has_form;
    struct serve_form form; /* of routes that take one */
    struct linnet_buf body; /* of routes that take JSON */
    json_t *json;

    /* the rest is request.c's */
    struct MHD_Response *response;
    unsigned status;
    char timing[192]; /* the value of Server-Timing; "": none */
    bool begun, handled, suspended, queued;
    enum { SERVE_TAKE, SERVE_DISCARD } taking;
    uint64_t received, declared, sent;
    int64_t started_ms;
};

/* ---- libmicrohttpd's side (http.c) ---- */

/* A request's line has come. NULL: out of memory. */
struct serve_request *serve_request_new(struct serve *serve, struct MHD_Connection *connection,
                                        const char *target);
/* libmicrohttpd's access handler: head, pieces of the body, its end. False: close the connection. */
bool serve_request_step(struct serve_request *request, const char *method, const char *data, size_t *size);
/* Nothing more will come of it: write the access log, free it. */
void serve_request_over(struct serve_request *request, bool whole);

/* ---- the endpoints' side ---- */

/* A parameter of the query, NULL if it is not there. */
const char *serve_param(const struct serve_request *request, const char *name);
/* A header of the request, NULL if it is not there. */
const char *serve_header(const struct serve_request *request, const char *name);

/* Answer with JSON (`body` is taken; NULL: out of memory, status 500). */
void serve_answer_json(struct serve_request *request, unsigned status, json_t *body);
/* Answer {statusCode, error, message}; `error` is the name of the status. */
void serve_answer_error(struct serve_request *request, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Answer with text (`text` is taken, free()d), or with bytes that stay as long as the program. */
void serve_answer_text(struct serve_request *request, unsigned status, const char *type, char *text,
                       size_t size);
void serve_answer_static(struct serve_request *request, const char *type, const void *data, size_t size);
/* Answer with shared bytes (a reference is taken). */
void serve_answer_bytes(struct serve_request *request, const char *type, struct linnet_bytes *bytes);
/* Answer with what is written to a stream (stream.h) until it is ended. Takes the stream's other half. */
void serve_answer_stream(struct serve_request *request, const char *type, struct serve_stream *stream);
/* The name of a status: "Not Found". Static string. */
const char *serve_status_name(unsigned status);
/* A new {statusCode, error, message}. */
json_t *serve_error_json(unsigned status, const char *message);

#endif
