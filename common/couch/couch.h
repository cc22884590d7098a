/* A CouchDB client on one libuv loop: libcurl multi, HTTP/1.1 keep-alive, connection reuse.
 *
 * Everything here belongs to the thread that runs the loop. Calls return at once; results come by callback, on that
 * thread, never from inside the call that asked. An error return means that the callback will never run.
 * Written to the documentation of Apache CouchDB 3.x; the embedded store is served by the same calls. */
#ifndef LINNET_COUCH_COUCH_H
#define LINNET_COUCH_COUCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/base/error.h"
#include "common/base/id.h"

struct linnet_couch;         /* one server, its credentials and its connections */
struct linnet_couch_request; /* one request under way; valid until its callback has run */

struct linnet_couch_options {
    const char *url;          /* http(s)://[user:password@]host[:port][/path]; copied */
    const char *prefix;       /* names of the databases are prefix, prefix-reference, prefix-ops; NULL: "linnet" */
    unsigned connections;     /* most connections at once; 0: 16 (the feeds count apart) */
    long connect_timeout_ms;  /* 0: 5000 */
    long request_timeout_ms;  /* of an ordinary request, 0: 60000 */
    size_t response_limit;    /* most bytes of an ordinary response; 0: 256 MiB */
    const char *user_agent;   /* NULL: "linnet/<version>" */
};

/* One row of an answer to _all_docs or _bulk_docs. Texts and document are borrowed, as long as the response is valid. */
struct linnet_couch_row {
    const char *revision; /* NULL: nothing stands there, or it was not written */
    const char *error;    /* "not_found", "conflict"…; NULL if none */
    const char *reason;
    bool deleted;         /* `revision` is a tombstone's */
    json_t *document;     /* NULL: none */
};

/* What the server said. Valid during the callback only. */
struct linnet_couch_response {
    int error;            /* 0, or the failure's code: transport failures and every status >= 400 map to one
                             (401 AUTH, 403 DENIED, 404 NOT_FOUND, 409 CONFLICT, 412 EXISTS, 413 LIMIT, 429/5xx SERVER);
                             a body that should be JSON and is not is SERVER too */
    const char *detail;   /* words for `error`, CouchDB's reason included */
    long status;          /* HTTP status, 0 without an answer */
    json_t *json;         /* the body (mended by linnet_json_mend where it must be); NULL if it is empty, or was asked for raw and is
                             no error's. Borrowed: incref to keep */
    const struct linnet_couch_row *rows; /* where rows were asked for, and it is no error: in order; `json` may be NULL then */
    size_t nrows;
    const char *body;     /* the raw bytes; not where rows were asked for */
    size_t size;
    const char *etag;     /* NULL if none */
};

typedef void linnet_couch_callback(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                                   void *arg);

/* Make a client. LINNET_E_INVALID for a bad URL, LINNET_E_NOMEM. */
int linnet_couch_open(uv_loop_t *loop, const struct linnet_couch_options *options, struct linnet_couch **out,
                      struct linnet_error *err);
/* Cancel everything under way (each callback runs with LINNET_E_CANCELLED), close the handles, then call `closed`
 * (may be NULL) once the loop needs nothing more of it; the memory is freed then. Feeds stop without a callback; their owners
 * close them as ever, before or after. */
void linnet_couch_close(struct linnet_couch *couch, void (*closed)(void *arg), void *arg);

/* Any request. `path` is below the server's root, already escaped ("/linnet/_all_docs?limit=1"). `body` may be NULL and is
 * copied unless `free_body` is set, in which case it is taken (free()). `content_type` NULL: application/json. */
struct linnet_couch_call {
    const char *method;
    const char *path;
    const char *body;
    size_t size;
    void (*free_body)(void *body);
    const char *content_type;
    const char *if_match;
    long timeout_ms;      /* 0: the client's */
    size_t limit;         /* most bytes of the response; 0: the client's */
    bool raw;             /* do not parse the body as JSON */
    bool rows;            /* the body is an answer to _all_docs or _bulk_docs: read it into rows, which is quicker */
};
/* `out` may be NULL. LINNET_E_NOMEM, LINNET_E_CANCELLED while the client closes; a body to be taken is not taken then. */
int linnet_couch_request(struct linnet_couch *couch, const struct linnet_couch_call *call, linnet_couch_callback *done,
                         void *arg, struct linnet_couch_request **out);
/* Its callback runs soon, with LINNET_E_CANCELLED. Not from that callback. NULL is fine. */
void linnet_couch_cancel(struct linnet_couch_request *request);

/* The name of a database with the client's prefix. Lives as long as the client. */
const char *linnet_couch_database(const struct linnet_couch *couch, enum linnet_database database);
/* Append `text` percent-escaped for a path segment or query value (a ':' stays). */
struct linnet_buf;
int linnet_couch_escape(struct linnet_buf *out, const char *text);

/* The document in linnet-ops whose `uuid` tells this set of databases from every other; made by `linnet init`. */
#define LINNET_COUCH_IDENTITY "identity:database"

/* GET / and the database's GET: version, whether it makes partitions, its identity. */
struct linnet_couch_server {
    char version[32];
    char vendor[64];
    bool partitions;      /* database made partitioned, /_partition works */
    char identity[80];    /* of the database: differs after it was deleted and made again */
};
typedef void linnet_couch_server_callback(int error, const char *detail, const struct linnet_couch_server *server, void *arg);
/* Ask server and database. Identity is made of the document LINNET_COUCH_IDENTITY, where there is one, and of what tells this making
 * of the database from another: when it was made (CouchDB >= 3.3), its own uuid (the embedded store); "" where there is
 * nothing. What it finds out about partitions is what linnet_couch_get_observation goes by. LINNET_E_UNSUPPORTED if no
 * CouchDB answers. `server` is NULL on failure, valid during the callback. */
int linnet_couch_probe(struct linnet_couch *couch, enum linnet_database database, linnet_couch_server_callback *done,
                       void *arg);

/* GET one document (query NULL or e.g. "conflicts=true"). */
int linnet_couch_get(struct linnet_couch *couch, enum linnet_database database, const char *id, const char *query,
                     linnet_couch_callback *done, void *arg);
/* PUT one document: `document` is serialised at once, its _id names it. */
int linnet_couch_put(struct linnet_couch *couch, enum linnet_database database, const json_t *document,
                     linnet_couch_callback *done, void *arg);
/* GET _all_docs from `start` up to, not including, `end`, at most `limit` rows (0: all); documents with conflicts and stubs. */
int linnet_couch_range(struct linnet_couch *couch, enum linnet_database database, const char *start, const char *end,
                       unsigned limit, bool include_docs, linnet_couch_callback *done, void *arg);
/* All documents of one observation with bodies, conflicts and attachment stubs: by partition where a probe of the main database
 * has found that there are, else by key range. */
int linnet_couch_get_observation(struct linnet_couch *couch, const char *observation, linnet_couch_callback *done,
                                 void *arg);
/* POST _all_docs with keys (array of strings, borrowed); documents with conflicts. */
int linnet_couch_all_docs(struct linnet_couch *couch, enum linnet_database database, const json_t *keys,
                          bool include_docs, linnet_couch_callback *done, void *arg);
/* The same for `n` ids, and the response has rows. */
int linnet_couch_all_docs_rows(struct linnet_couch *couch, enum linnet_database database, const char *const *ids, size_t n,
                               bool include_docs, linnet_couch_callback *done, void *arg);
/* POST _bulk_docs: `documents` is an array (borrowed, serialised at once). Attachments inline (base64) stand in the
 * documents themselves, see linnet_couch_attach. The response's json is CouchDB's array, in order. */
int linnet_couch_bulk(struct linnet_couch *couch, enum linnet_database database, const json_t *documents,
                      bool new_edits, linnet_couch_callback *done, void *arg);
/* Put bytes inline into `document` as attachment `name` (base64, for PUT or _bulk_docs). LINNET_E_NOMEM.
 * Any thread. */
int linnet_couch_attach(json_t *document, const char *name, const char *content_type, const void *data, size_t size);
/* GET an attachment's bytes (at most `limit`, 0: the client's); `rev` may be NULL. Raw response. */
int linnet_couch_get_attachment(struct linnet_couch *couch, enum linnet_database database, const char *id,
                                const char *name, const char *rev, size_t limit, linnet_couch_callback *done, void *arg);

/* ---- blocking calls, for the admin commands: run the client's loop until the answer is there ---- */
/* As linnet_couch_request; on success *out (may be NULL) is a new reference (NULL if the body was empty or raw). *status (may be
 * NULL) is set whenever a request was made. Not from a callback of the loop. */
int linnet_couch_wait(struct linnet_couch *couch, const struct linnet_couch_call *call, json_t **out, long *status,
                      struct linnet_error *err);
/* As linnet_couch_probe. */
int linnet_couch_probe_wait(struct linnet_couch *couch, enum linnet_database database, struct linnet_couch_server *out,
                            struct linnet_error *err);

#endif
