#include "workers/cli/samples.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/ulid.h"
#include "workers/cli/local.h"
#include "workers/worker/embedded.h"

/* ---- from a folder ---- */

static int visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static bool is_folder(const char *path) {
    struct stat status;
    return !stat(path, &status) && S_ISDIR(status.st_mode);
}

/* The paths of what is in a folder (its own folders too, if asked for), in order; NULL with *n 0 if there is
 * nothing. The caller frees each and the array. */
static char **list(const char *folder, bool folders, size_t *n) {
    struct dirent **entries = NULL;
    int found = scandir(folder, &entries, visible, alphasort);
    char **paths = found > 0 ? calloc((size_t)found, sizeof(char *)) : NULL;
    *n = 0;
    for (int i = 0; i < found; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (paths && (folders || !is_folder(path)) && (paths[*n] = strdup(path))) ++*n;
        free(entries[i]);
    }
    free(entries);
    return paths;
}

static void free_paths(char **paths, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(paths);
}

static int add(struct linnet_samples *samples, const char *const *paths, size_t n, struct linnet_error *err) {
    struct linnet_local_options options = {0};
    struct linnet_observation *more = realloc(samples->observations, (samples->n + 1) * sizeof(*more));
    if (!more) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    samples->observations = more;
    int rc = linnet_local_load(paths, n, &options, &more[samples->n], err);
    if (!rc) samples->n++;
    return rc;
}

static int add_folder(struct linnet_samples *samples, const char *folder, struct linnet_error *err) {
    size_t n;
    char **paths = list(folder, false, &n); /* a folder in it holds attachments */
    int rc = n ? add(samples, (const char *const *)paths, n, err) : 0;
    free_paths(paths, n);
    return rc;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Is it the folder of a document's attachments, `<document>.json` beside it? */
static bool holds_attachments(const char *path) {
    char document[PATH_MAX];
    snprintf(document, sizeof(document), "%s.json", path);
    return access(document, F_OK) == 0;
}

/* How many of the paths, from the first on, are documents of one observation by their names
 * ("<obs>:<kind>….json"), as `linnet run --out` leaves them; 1 if the first is anything else. */
static size_t same_observation(char *const *paths, size_t n) {
    const char *first = base_name(paths[0]);
    size_t ulid = LINNET_ULID_SIZE - 1, i = 1;
    if (!linnet_ulid_valid(first, strcspn(first, ":")) || is_folder(paths[0])) return 1;
    while (i < n && !strncmp(base_name(paths[i]), first, ulid))
        i++;
    return i;
}

/* All that a folder holds, one observation after the other. */
static int add_each(struct linnet_samples *samples, const char *folder, struct linnet_error *err) {
    size_t n, step;
    char **paths = list(folder, true, &n), **entries = calloc(n + 1, sizeof(char *));
    size_t nentries = 0;
    int rc = entries ? 0 : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    for (size_t i = 0; entries && i < n; i++)
        if (!is_folder(paths[i]) || !holds_attachments(paths[i])) entries[nentries++] = paths[i];
    for (size_t i = 0; !rc && i < nentries; i += step) {
        step = same_observation(entries + i, nentries - i);
        rc = is_folder(entries[i]) ? add_folder(samples, entries[i], err)
                                   : add(samples, (const char *const *)entries + i, step, err);
    }
    free(entries);
    free_paths(paths, n);
    return rc;
}

int linnet_samples_load(const char *path, struct linnet_samples *out, struct linnet_error *err) {
    struct linnet_samples samples = {0};
    int rc = is_folder(path) ? add_each(&samples, path, err) : add(&samples, &path, 1, err);
    if (!rc && !samples.n) rc = linnet_error_set(err, LINNET_E_NOT_FOUND, "%s holds no sample", path);
    if (rc)
        linnet_samples_done(&samples);
    else
        *out = samples;
    return rc;
}

/* ---- made up ---- */

/* All example documents of one observation, the digest of the example's picture replaced by that of ours. */
struct maker {
    struct linnet_observation observation;
    bool begun;
    char *pictured; /* the digest in the examples */
    char digest[LINNET_DIGEST_SIZE];
};

/* `text` with every `from` replaced by `to`, which is as long. */
static void replace(char *text, const char *from, const char *to) {
    size_t size = strlen(from);
    for (char *at = text; size && (at = strstr(at, from)); at += size)
        memcpy(at, to, size);
}

static json_t *with_our_picture(const struct maker *maker, const json_t *example) {
    char *text = json_dumps(example, JSON_COMPACT);
    if (text && maker->pictured) replace(text, maker->pictured, maker->digest);
    json_t *document = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    return document;
}

static int add_picture(struct maker *maker, const char *id, const json_t *attachments) {
    struct linnet_bytes *picture = linnet_bytes_copy(linnet_sample_picture, linnet_sample_picture_size);
    int rc = picture ? 0 : LINNET_E_NOMEM;
    const char *name;
    json_t *attachment;
    json_object_foreach((json_t *)attachments, name, attachment) {
        const char *type = linnet_json_string(attachment, "content_type", "image/jpeg");
        if (!rc) rc = linnet_observation_put_blob(&maker->observation, id, name, type, picture);
    }
    linnet_bytes_unref(picture);
    return rc;
}

static int add_example(struct maker *maker, const json_t *example) {
    struct linnet_id id; /* an example may be of anything */
    const char *text = linnet_json_string(example, "_id", "");
    if (linnet_id_parse(text, &id) || !*id.observation) return 0; /* of another database */
    if (!maker->begun) linnet_observation_init(&maker->observation, id.observation);
    maker->begun = true;
    json_t *document = with_our_picture(maker, example);
    int rc = document ? linnet_observation_put(&maker->observation, document) : LINNET_E_NOMEM;
    if (rc) {
        json_decref(document);
        return rc == LINNET_E_INVALID ? 0 : rc; /* of another observation */
    }
    char own[LINNET_ID_MAX];
    snprintf(own, sizeof(own), "%s", linnet_json_string(document, "_id", ""));
    return add_picture(maker, own, json_object_get(document, "_attachments"));
}

/* Call `each` for the example documents that the schemas hold, until it fails. */
static int each_example(int (*each)(struct maker *maker, const json_t *example), struct maker *maker) {
    int rc = 0;
    for (const struct linnet_embedded *text = linnet_embedded_schemas; !rc && text->name; text++) {
        json_t *schema = NULL;
        rc = linnet_json_parse(text->text, strlen(text->text), 0, &schema, NULL);
        const json_t *examples = json_object_get(schema, "examples");
        for (size_t i = 0; !rc && i < json_array_size(examples); i++)
            rc = each(maker, json_array_get(examples, i));
        json_decref(schema);
    }
    return rc;
}

/* The digest that the examples' picture has: in the id of the example of an image. */
static int find_pictured(struct maker *maker, const json_t *example) {
    struct linnet_id id;
    if (maker->pictured || linnet_id_parse(linnet_json_string(example, "_id", ""), &id) ||
        strcmp(id.kind, "image") != 0)
        return 0;
    if (strlen(id.qualifier) != strlen(maker->digest)) return 0;
    maker->pictured = strdup(id.qualifier);
    return maker->pictured ? 0 : LINNET_E_NOMEM;
}

int linnet_samples_make(struct linnet_samples *out, struct linnet_error *err) {
    struct maker maker = {0};
    linnet_digest_bytes(linnet_sample_picture, linnet_sample_picture_size, maker.digest);
    int rc = each_example(find_pictured, &maker);
    if (!rc) rc = each_example(add_example, &maker);
    if (rc) linnet_error_set(err, rc, "the examples of the schemas: %s", linnet_error_message(rc));
    free(maker.pictured);
    if (!rc && !maker.begun) rc = linnet_error_set(err, LINNET_E_NOT_FOUND, "the schemas hold no example");
    struct linnet_observation *observation = rc ? NULL : malloc(sizeof(*observation));
    if (!observation) {
        if (!rc) rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
        if (maker.begun) linnet_observation_done(&maker.observation);
        return rc;
    }
    *observation = maker.observation;
    *out = (struct linnet_samples){observation, 1};
    return 0;
}

void linnet_samples_done(struct linnet_samples *samples) {
    for (size_t i = 0; i < samples->n; i++)
        linnet_observation_done(&samples->observations[i]);
    free(samples->observations);
    *samples = (struct linnet_samples){0};
}
