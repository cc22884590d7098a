#include "workers/serve/app.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "workers/cli/bundle.h"
#include "workers/serve/router.h"
#include "workers/serve/serve.h"

#define DOCUMENT "_design/app"
/* Names of Vite's that hold a digest of their content: the same name is the same file, for ever. */
#define HASHED "assets/"

struct bytes {
    void *data; /* owned */
    size_t size;
    char etag[24]; /* in quotes; that of each form of a file begins with the same digest */
};

struct file {
    char *name, *type;
    struct bytes plain, packed; /* packed: by gzip; without data where that is no gain */
};

struct serve_app {
    char *policy; /* Content-Security-Policy; NULL: the page's own says enough */
    struct file *file;
    size_t n;
};

void serve_app_free(struct serve_app *app) {
    if (app == NULL) return;
    for (size_t i = 0; i < app->n; i++) {
        free(app->file[i].name);
        free(app->file[i].type);
        free(app->file[i].plain.data);
        free(app->file[i].packed.data);
    }
    free(app->file);
    free(app->policy);
    free(app);
}

/* Compress once what is sent often. Fonts and pictures are compressed by their nature: for what does not get
 * smaller by a tenth, and where there is no memory, the plain bytes do. */
static void pack(struct file *file) {
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16 /* gzip */, 9,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return;
    size_t most = file->plain.size - file->plain.size / 10;
    unsigned char *data = most > 0 ? malloc(most) : NULL;
    if (data != NULL) {
        stream.next_in = file->plain.data;
        stream.avail_in = (uInt)file->plain.size;
        stream.next_out = data;
        stream.avail_out = (uInt)most;
        if (deflate(&stream, Z_FINISH) == Z_STREAM_END) {
            file->packed.data = data;
            file->packed.size = stream.total_out;
        } else {
            free(data);
        }
    }
    deflateEnd(&stream);
}

/* Take a file's bytes over. */
static int add(struct serve_app *app, const char *name, const char *type, void *data, size_t size) {
    char digest[LINNET_DIGEST_SIZE];
    struct file *file = &app->file[app->n++];
    linnet_digest_bytes(data, size, digest);
    *file = (struct file){.name = strdup(name), .type = strdup(type), .plain = {.data = data, .size = size}};
    snprintf(file->plain.etag, sizeof file->plain.etag, "\"%.16s\"", digest);
    snprintf(file->packed.etag, sizeof file->packed.etag, "\"%.16s-gz\"", digest);
    pack(file);
    return file->name != NULL && file->type != NULL ? 0 : LINNET_E_NOMEM;
}

static int add_attachment(struct serve_app *app, const char *name, const json_t *attachment,
                          struct linnet_error *err) {
    const char *text = linnet_json_string(attachment, "data", NULL),
               *type = linnet_json_string(attachment, "content_type", NULL);
    if (text == NULL || type == NULL)
        return linnet_error_set(err, LINNET_E_INVALID, "the web app's %.64s has no bytes or no type", name);
    size_t length = strlen(text), most = length / 4 * 3 + 3, size;
    unsigned char *data = malloc(most);
    if (data == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (sodium_base642bin(data, most, text, length, NULL, &size, NULL, sodium_base64_VARIANT_ORIGINAL) != 0) {
        free(data);
        return linnet_error_set(err, LINNET_E_INVALID, "the web app's %.64s is no base64", name);
    }
    int rc = add(app, name, type, data, size);
    return rc != 0 ? linnet_error_set(err, rc, "out of memory") : 0;
}

/* Where the app finds the store and the API: what couchapp/web/src/store/site.js reads. */
static int add_config(struct serve_app *app, const json_t *config) {
    json_t *site = json_pack("{s:s, s:s, s:s}", "root", linnet_json_string(config, "app/root", "/"),
                             "database", linnet_json_string(config, "couchdb/prefix", "linnet"), "api",
                             linnet_json_string(config, "app/api", "/v2"));
    char *text = site != NULL ? json_dumps(site, JSON_COMPACT) : NULL;
    json_decref(site);
    return text != NULL ? add(app, "config.json", "application/json", text, strlen(text)) : LINNET_E_NOMEM;
}

static const json_t *attachments_of(const json_t *couchapp) {
    const json_t *database = linnet_bundle_database(couchapp, LINNET_DB_MAIN), *document;
    size_t i;
    json_array_foreach(json_object_get(database, "documents"), i, document) {
        if (strcmp(linnet_json_string(document, "_id", ""), DOCUMENT) == 0)
            return json_object_get(document, "_attachments");
    }
    return NULL;
}

int serve_app_new(const json_t *couchapp, const json_t *config, struct serve_app **out,
                  struct linnet_error *err) {
    const json_t *attachments = attachments_of(couchapp);
    const char *policy = linnet_json_string(couchapp, "policy", NULL), *name;
    json_t *attachment;
    if (attachments == NULL) {
        *out = NULL;
        return 0;
    }
    struct serve_app *app = calloc(1, sizeof *app);
    if (app != NULL) app->file = calloc(json_object_size(attachments) + 1, sizeof *app->file);
    if (app != NULL && policy != NULL) app->policy = strdup(policy);
    int rc = app == NULL || app->file == NULL || (policy != NULL && app->policy == NULL)
                 ? linnet_error_set(err, LINNET_E_NOMEM, "out of memory")
                 : 0;
    json_object_foreach((json_t *)attachments, name, attachment) {
        if (rc == 0 && strcmp(name, "config.json") != 0) rc = add_attachment(app, name, attachment, err);
    }
    if (rc == 0 && add_config(app, config) != 0)
        rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (rc != 0)
        serve_app_free(app);
    else
        *out = app;
    return rc;
}

/* ---- answering ---- */

/* What the path names: "", "name" or "folder/name". */
static const struct file *find(const struct serve_app *app, const struct serve_request *request) {
    char name[256];
    const char *first = request->captures[0], *second = request->captures[1];
    int size = snprintf(name, sizeof name, "%s%s%s", first == NULL ? "index.html" : first,
                        second != NULL ? "/" : "", second != NULL ? second : "");
    if (size < 0 || (size_t)size >= sizeof name) return NULL;
    for (size_t i = 0; i < app->n; i++)
        if (strcmp(app->file[i].name, name) == 0) return &app->file[i];
    return NULL;
}

/* The page's addresses are relative to its own, so that has to end in a slash. */
static void lead_on(struct serve_request *request) {
    serve_answer_text(request, 308, "text/plain", strdup(""), 0);
    if (request->response != NULL)
        MHD_add_response_header(request->response, MHD_HTTP_HEADER_LOCATION, "app/");
}

/* Is one of the tags of If-None-Match that of these bytes? (RFC 9110, 13.1.2: weak comparison.) */
static bool has(const struct serve_request *request, const struct bytes *bytes) {
    const char *known = serve_header(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
    return known != NULL && strstr(known, bytes->etag) != NULL;
}

/* Does who asks name gzip, and not to say that it is not wanted? (RFC 9110, 12.5.3) */
static bool takes_gzip(const struct serve_request *request) {
    const char *list = serve_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    for (const char *at = list, *end; at != NULL; at = *end == ',' ? end + 1 : NULL) {
        at += strspn(at, " \t");
        end = at + strcspn(at, ",");
        if (strncasecmp(at, "gzip", 4) != 0 || strcspn(at, " \t;,") != 4) continue;
        const char *weight = strstr(at, "q=");
        return weight == NULL || weight > end || strtod(weight + 2, NULL) > 0;
    }
    return false;
}

void serve_app_get(struct serve_request *request) {
    const struct serve_app *app = request->serve->app;
    const struct file *file = app != NULL ? find(app, request) : NULL;
    size_t length = strlen(request->logged);
    if (app == NULL) {
        serve_answer_error(request, 404, request->serve->couch == NULL ? "without a store there is no web app"
                                                                       : "the web app was not built");
        return;
    }
    if (request->path.n == 1 && length > 0 && request->logged[length - 1] != '/') {
        lead_on(request);
        return;
    }
    if (file == NULL) {
        serve_answer_error(request, 404, "Not Found");
        return;
    }
    bool hashed = strncmp(file->name, HASHED, strlen(HASHED)) == 0;
    bool packed = file->packed.data != NULL && takes_gzip(request);
    const struct bytes *bytes = packed ? &file->packed : &file->plain;
    if (has(request, bytes))
        serve_answer_text(request, 304, file->type, strdup(""), 0);
    else
        serve_answer_static(request, file->type, bytes->data, bytes->size);
    if (request->response == NULL) return;
    MHD_add_response_header(request->response, MHD_HTTP_HEADER_ETAG, bytes->etag);
    if (file->packed.data != NULL)
        MHD_add_response_header(request->response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING);
    if (packed) MHD_add_response_header(request->response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    MHD_add_response_header(request->response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            hashed ? "public, max-age=31536000, immutable" : "no-cache");
    if (app->policy != NULL)
        MHD_add_response_header(request->response, "Content-Security-Policy", app->policy);
    MHD_add_response_header(request->response, "Referrer-Policy", "same-origin");
}
