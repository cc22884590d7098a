#include "workers/cli/local.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/time.h"
#include "workers/cli/file.h"

/* As large as an app may send. */
#define PICTURE_LIMIT ((size_t)64 * 1024 * 1024)

/* What is read of one file. */
struct picture {
    char organ[16];
    char digest[LINNET_DIGEST_SIZE];
    struct linnet_bytes *bytes;
    int64_t modified_ms;
};

struct loader {
    const struct linnet_local_options *options;
    struct linnet_observation *observation;
    json_t *documents; /* as found, in order */
    json_t *sources;   /* the path of each */
    struct picture *pictures;
    size_t npictures;
    char ulid[LINNET_ULID_SIZE];
    char created_at[LINNET_TIME_SIZE];
};

const char *linnet_local_type(const void *data, size_t size) {
    static const struct {
        size_t at, size;
        const char *bytes, *type;
    } signs[] = {
        {0, 3, "\xff\xd8\xff", "image/jpeg"}, {0, 8, "\x89PNG\r\n\x1a\n", "image/png"},
        {8, 4, "WEBP", "image/webp"},         {4, 8, "ftypavif", "image/avif"},
        {4, 8, "ftypheic", "image/heic"},     {4, 8, "ftypheix", "image/heic"},
        {4, 8, "ftypmif1", "image/heif"},     {4, 8, "ftypmsf1", "image/heif"},
    };
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (size >= signs[i].at + signs[i].size &&
            !memcmp((const char *)data + signs[i].at, signs[i].bytes, signs[i].size))
            return signs[i].type;
    return "application/octet-stream";
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text), tail = strlen(end);
    return size > tail && !strcmp(text + size - tail, end);
}

/* ---- reading ---- */

static int add_documents(struct loader *loader, const char *path, struct linnet_error *err) {
    json_t *root = NULL;
    int rc = linnet_json_load_file(path, PICTURE_LIMIT, &root, err);
    if (rc) return rc;
    json_t *list = json_is_object(root) && json_is_array(json_object_get(root, "docs"))
                       ? json_object_get(root, "docs")
                       : root;
    if (json_is_array(list) ? json_array_extend(loader->documents, list)
                            : json_array_append(loader->documents, list))
        rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    while (!rc && json_array_size(loader->sources) < json_array_size(loader->documents))
        if (json_array_append_new(loader->sources, json_string(path)))
            rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    json_decref(root);
    return rc;
}

/* "leaf=PATH", if what stands before '=' is an organ. */
static const char *split_organ(const char *path, char organ[16]) {
    static const char *const organs[] = {"flower", "leaf", "fruit", "bark", "habit", "auto"};
    strcpy(organ, "auto");
    for (size_t i = 0; i < sizeof(organs) / sizeof(organs[0]); i++) {
        size_t size = strlen(organs[i]);
        if (strncmp(path, organs[i], size) != 0 || path[size] != '=') continue;
        strcpy(organ, organs[i]);
        return path + size + 1;
    }
    return path;
}

static int add_picture(struct loader *loader, const char *path, struct linnet_error *err) {
    struct picture picture = {0};
    void *data;
    size_t size;
    struct stat status;
    path = split_organ(path, picture.organ);
    int rc = linnet_file_read(path, PICTURE_LIMIT, &data, &size, err);
    if (rc) return rc;
    linnet_digest_bytes(data, size, picture.digest);
    picture.modified_ms = stat(path, &status) ? 0 : (int64_t)status.st_mtime * 1000;
    picture.bytes = linnet_bytes_new(data, size, free);
    struct picture *more = realloc(loader->pictures, (loader->npictures + 1) * sizeof(*more));
    if (more) loader->pictures = more;
    if (!more || !picture.bytes) {
        linnet_bytes_unref(picture.bytes);
        return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < loader->npictures; i++) {
        if (strcmp(more[i].digest, picture.digest) != 0) continue;
        linnet_bytes_unref(picture.bytes); /* the same photograph again is the same view */
        return 0;
    }
    more[loader->npictures++] = picture;
    return 0;
}

/* ---- the observation's id and date ---- */

static void choose_date(struct loader *loader) {
    int64_t oldest = loader->npictures ? loader->pictures[0].modified_ms : 0;
    for (size_t i = 1; i < loader->npictures; i++)
        if (loader->pictures[i].modified_ms < oldest) oldest = loader->pictures[i].modified_ms;
    linnet_time_format(oldest, loader->created_at);
}

/* That of the first document that has one, else one made of what was loaded. */
static void choose_id(struct loader *loader) {
    struct linnet_digest digest;
    char hex[LINNET_DIGEST_SIZE];
    uint8_t random[32];
    int64_t oldest = 0;
    linnet_digest_init(&digest);
    for (size_t i = 0; i < json_array_size(loader->documents); i++) {
        const char *id = linnet_json_string(json_array_get(loader->documents, i), "_id", "");
        struct linnet_id parsed;
        if (!linnet_id_parse(id, &parsed) && *parsed.observation) {
            memcpy(loader->ulid, parsed.observation, sizeof(loader->ulid));
            return;
        }
    }
    for (size_t i = 0; i < loader->npictures; i++)
        linnet_digest_update_string(&digest, loader->pictures[i].digest);
    linnet_digest_final(&digest, hex);
    sodium_hex2bin(random, sizeof(random), hex, strlen(hex), NULL, NULL, NULL);
    linnet_time_parse(loader->created_at, &oldest);
    linnet_ulid_make((uint64_t)(oldest > 0 ? oldest : 0), random, loader->ulid);
}

/* ---- putting together ---- */

static json_t *stub_of(const char *content_type, const struct linnet_bytes *bytes) {
    char digest[LINNET_DIGEST_SIZE], text[LINNET_DIGEST_SIZE + 8];
    linnet_digest_bytes(bytes->data, bytes->size, digest);
    snprintf(text, sizeof(text), "sha256-%s", digest);
    return json_pack("{s:s, s:I, s:s, s:b}", "content_type", content_type, "length", (json_int_t)bytes->size,
                     "digest", text, "stub", 1);
}

static int decode(const char *text, void **data, size_t *size) {
    size_t room = strlen(text) / 4 * 3 + 3;
    *data = malloc(room);
    if (!*data) return LINNET_E_NOMEM;
    if (!sodium_base642bin(*data, room, text, strlen(text), " \r\n", size, NULL,
                           sodium_base64_VARIANT_ORIGINAL))
        return 0;
    free(*data);
    return LINNET_E_PARSE;
}

/* <path without .json>/<name>. LINNET_E_NOT_FOUND: there is no such file. */
static int read_beside(const char *path, const char *name, void **data, size_t *size,
                       struct linnet_error *err) {
    char file[PATH_MAX];
    int length = snprintf(file, sizeof(file), "%.*s/%s", (int)(strlen(path) - strlen(".json")), path, name);
    if (length >= (int)sizeof(file) || strchr(name, '/') || access(file, F_OK)) return LINNET_E_NOT_FOUND;
    return linnet_file_read(file, PICTURE_LIMIT, data, size, err);
}

/* An attachment's bytes, from the document or from beside it; its place in the document becomes a stub. */
static int take_attachment(struct loader *loader, const char *id, const char *path, const char *name,
                           json_t *attachments, struct linnet_error *err) {
    json_t *attachment = json_object_get(attachments, name);
    const char *text = json_string_value(json_object_get(attachment, "data"));
    void *data;
    size_t size;
    int rc = text ? decode(text, &data, &size) : read_beside(path, name, &data, &size, err);
    if (rc == LINNET_E_NOT_FOUND) return 0; /* then a stage that wants it does without */
    if (rc == LINNET_E_PARSE)
        return linnet_error_set(err, rc, "the attachment %s of %s is no base64", name, id);
    if (rc) return rc;
    char type[128];
    snprintf(type, sizeof(type), "%s",
             linnet_json_string(attachment, "content_type", linnet_local_type(data, size)));
    struct linnet_bytes *bytes = linnet_bytes_new(data, size, free);
    if (!bytes) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (text && json_object_set_new(attachments, name, stub_of(type, bytes))) rc = LINNET_E_NOMEM;
    if (!rc) rc = linnet_observation_put_blob(loader->observation, id, name, type, bytes);
    linnet_bytes_unref(bytes);
    return rc ? linnet_error_set(err, rc, "out of memory") : 0;
}

static int put(struct loader *loader, json_t *document, struct linnet_error *err) {
    const char *id = linnet_json_string(document, "_id", "");
    int rc = document ? linnet_observation_put(loader->observation, document) : LINNET_E_NOMEM;
    if (rc == LINNET_E_INVALID)
        linnet_error_set(err, rc, "the document \"%s\" is not of the observation %s", id, loader->ulid);
    else if (rc)
        linnet_error_set(err, rc, "out of memory");
    if (rc) json_decref(document);
    return rc;
}

static int put_document(struct loader *loader, json_t *found, const char *path, struct linnet_error *err) {
    if (!json_is_object(found))
        return linnet_error_set(err, LINNET_E_INVALID, "a document must be a JSON object");
    json_t *document = json_deep_copy(found);
    const char *kind = linnet_json_string(document, "kind", "observation");
    if (document && !json_object_get(document, "_id") && !strcmp(kind, "observation")) {
        char id[LINNET_ID_MAX];
        linnet_id_format(loader->ulid, "observation", NULL, id);
        json_object_set_new(document, "_id", json_string(id));
    }
    int rc = put(loader, document, err);
    json_t *attachments = json_object_get(document, "_attachments");
    if (rc || !attachments) return rc;
    char id[LINNET_ID_MAX];
    snprintf(id, sizeof(id), "%s", linnet_json_string(document, "_id", ""));
    const char *name;
    json_t *attachment;
    void *next;
    json_object_foreach_safe(attachments, next, name, attachment) {
        char copy[256];
        snprintf(copy, sizeof(copy), "%s", name);
        if (!rc) rc = take_attachment(loader, id, path, copy, attachments, err);
    }
    return rc;
}

static int put_picture(struct loader *loader, const struct picture *picture, struct linnet_error *err) {
    char id[LINNET_ID_MAX];
    linnet_id_format(loader->ulid, "image", picture->digest, id);
    const char *type = linnet_local_type(picture->bytes->data, picture->bytes->size);
    int rc = 0;
    if (!linnet_observation_find(loader->observation, id)) {
        const char *observer = loader->options->observer ? loader->options->observer : "local";
        rc = put(loader,
                 json_pack("{s:s, s:s, s:s, s:s, s:{s:o}}", "_id", id, "kind", "image", "observer", observer,
                           "created_at", loader->created_at, "_attachments", "original",
                           stub_of(type, picture->bytes)),
                 err);
    }
    if (!rc) rc = linnet_observation_put_blob(loader->observation, id, "original", type, picture->bytes);
    return rc;
}

static bool has_view(const json_t *views, const char *digest) {
    for (size_t i = 0; i < json_array_size(views); i++)
        if (!strcmp(linnet_json_string(json_array_get(views, i), "image", ""), digest)) return true;
    return false;
}

/* The observation document, with a view for each photograph. */
static int put_observation(struct loader *loader, struct linnet_error *err) {
    char id[LINNET_ID_MAX];
    linnet_id_format(loader->ulid, "observation", NULL, id);
    const struct linnet_held_doc *held = linnet_observation_find(loader->observation, id);
    if (!held && !loader->npictures)
        return 0; /* documents of other kinds alone: then that is what is wanted */
    const char *observer = loader->options->observer ? loader->options->observer : "local";
    json_t *document = held ? json_deep_copy(held->json)
                            : json_pack("{s:s, s:s, s:s, s:s, s:s, s:[]}", "_id", id, "kind", "observation",
                                        "observer", observer, "created_at", loader->created_at, "observed_at",
                                        loader->created_at, "views");
    json_t *views = json_object_get(document, "views");
    if (document && !views) json_object_set_new(document, "views", views = json_array());
    for (size_t i = 0; i < loader->npictures; i++) {
        const struct picture *picture = &loader->pictures[i];
        if (!has_view(views, picture->digest))
            json_array_append_new(views,
                                  json_pack("{s:s, s:s}", "image", picture->digest, "organ", picture->organ));
    }
    if (loader->options->flora) json_object_set_new(document, "flora", json_string(loader->options->flora));
    return put(loader, document, err);
}

static int assemble(struct loader *loader, struct linnet_error *err) {
    int rc = 0;
    for (size_t i = 0; !rc && i < json_array_size(loader->documents); i++)
        rc = put_document(loader, json_array_get(loader->documents, i),
                          json_string_value(json_array_get(loader->sources, i)), err);
    for (size_t i = 0; !rc && i < loader->npictures; i++)
        rc = put_picture(loader, &loader->pictures[i], err);
    return rc ? rc : put_observation(loader, err);
}

int linnet_local_load(const char *const *paths, size_t n, const struct linnet_local_options *options,
                      struct linnet_observation *out, struct linnet_error *err) {
    struct linnet_observation observation;
    struct loader loader = {.options = options, .observation = &observation, .documents = json_array()};
    loader.sources = json_array();
    int rc = loader.documents && loader.sources ? 0 : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    for (size_t i = 0; !rc && i < n; i++)
        rc = ends_with(paths[i], ".json") ? add_documents(&loader, paths[i], err)
                                          : add_picture(&loader, paths[i], err);
    if (!rc) {
        choose_date(&loader);
        choose_id(&loader);
        linnet_observation_init(&observation, loader.ulid);
        rc = assemble(&loader, err);
        if (rc)
            linnet_observation_done(&observation);
        else
            *out = observation;
    }
    for (size_t i = 0; i < loader.npictures; i++)
        linnet_bytes_unref(loader.pictures[i].bytes);
    free(loader.pictures);
    json_decref(loader.documents);
    json_decref(loader.sources);
    return rc;
}
