#include "workers/host/provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"

/* ---- fingerprint ---- */

int linnet_fingerprint(const struct linnet_plugin *plugin, const json_t *config, const char *text,
                       char out[LINNET_DIGEST_SIZE]) {
    json_t *shaping = json_copy((json_t *)config);
    if (!shaping) return LINNET_E_NOMEM;
    for (const char *const *key = plugin->operational; key && *key; key++)
        json_object_del(shaping, *key);
    char *canonical = linnet_json_canonical(shaping);
    json_decref(shaping);
    if (!canonical) return LINNET_E_NOMEM;

    char version[16];
    snprintf(version, sizeof(version), "%u", plugin->output_version);
    struct linnet_digest digest;
    linnet_digest_init(&digest);
    linnet_digest_update_string(&digest, plugin->name);
    linnet_digest_update_string(&digest, version);
    linnet_digest_update_string(&digest, canonical);
    linnet_digest_update_string(&digest, text ? text : "");
    linnet_digest_final(&digest, out);
    free(canonical);
    return 0;
}

/* ---- fields of an input ---- */

/* A walk along one path through a document. */
struct selection {
    const char *trigger;
    struct linnet_buf place; /* the path taken so far, concrete */
    json_t *found;           /* {concrete path: value} */
};

bool linnet_field_valid(const char *path) {
    for (;;) {
        size_t size = strcspn(path, ".");
        const char *equals = memchr(path, '=', size);
        if (size == 0 || equals == path) return false;
        if (equals && ((size_t)(equals - path) + 2 != size || equals[1] != '@')) return false;
        if (path[size] == '\0') return true;
        path += size + 1;
    }
}

static int select_from(struct selection *selection, json_t *value, const char *path);

/* Go one step down under the name `step`, then on along `rest`. */
static int descend(struct selection *selection, json_t *value, const char *step, size_t size,
                   const char *rest) {
    size_t before = selection->place.size;
    int rc = linnet_buf_append(&selection->place, step, size);
    if (!rc) rc = linnet_buf_append_string(&selection->place, ".");
    if (!rc) rc = select_from(selection, value, rest);
    selection->place.size = before;
    if (selection->place.data) selection->place.data[before] = '\0';
    return rc;
}

static int select_each(struct selection *selection, json_t *value, const char *rest) {
    int rc = 0;
    if (json_is_object(value)) {
        const char *key;
        json_t *member;
        json_object_foreach(value, key, member) {
            if (!rc) rc = descend(selection, member, key, strlen(key), rest);
        }
    }
    for (size_t i = 0; !rc && i < json_array_size(value); i++) {
        char index[24];
        int size = snprintf(index, sizeof(index), "%zu", i);
        rc = descend(selection, json_array_get(value, i), index, (size_t)size, rest);
    }
    return rc;
}

/* `key=@`: the objects of an array that are about the item's trigger. Their place is no part of the path: the
 * order of the array does not shape what is chosen. */
static int select_matching(struct selection *selection, json_t *value, const char *step, size_t size,
                           const char *rest) {
    int rc = 0;
    for (size_t i = 0; !rc && i < json_array_size(value); i++) {
        json_t *member = json_array_get(value, i);
        const char *about = json_string_value(json_object_getn(member, step, size - 2));
        if (about && !strcmp(about, selection->trigger)) rc = descend(selection, member, step, size, rest);
    }
    return rc;
}

static int select_from(struct selection *selection, json_t *value, const char *path) {
    if (!path) return json_object_set(selection->found, selection->place.data, value) ? LINNET_E_NOMEM : 0;
    size_t size = strcspn(path, ".");
    const char *rest = path[size] ? path + size + 1 : NULL;
    if (size == 1 && *path == '*') return select_each(selection, value, rest);
    if (size > 2 && path[size - 2] == '=') return select_matching(selection, value, path, size, rest);

    json_t *member = json_object_getn(value, path, size);
    if (!member && json_is_array(value)) {
        char *end;
        unsigned long index = strtoul(path, &end, 10);
        if (end == path + size) member = json_array_get(value, index);
    }
    return member ? descend(selection, member, path, size, rest) : 0;
}

int linnet_input_digest(const json_t *document, const char *whole, const struct linnet_input *input,
                        const char *trigger, char out[LINNET_DIGEST_SIZE]) {
    if (!input->fields) {
        memcpy(out, whole, LINNET_DIGEST_SIZE);
        return 0;
    }
    struct selection selection = {.trigger = trigger, .found = json_object()};
    linnet_buf_init(&selection.place, 0);
    int rc = selection.found ? 0 : LINNET_E_NOMEM;
    for (const char *const *field = input->fields; !rc && *field; field++)
        rc = select_from(&selection, (json_t *)document, *field);
    char *canonical = rc ? NULL : linnet_json_canonical(selection.found);
    if (canonical)
        linnet_digest_bytes(canonical, strlen(canonical), out);
    else
        rc = LINNET_E_NOMEM;
    free(canonical);
    json_decref(selection.found);
    linnet_buf_done(&selection.place);
    return rc;
}

/* ---- inputs and results ---- */

static int by_id(const void *a, const void *b) {
    return strcmp(((const struct linnet_input_ref *)a)->id, ((const struct linnet_input_ref *)b)->id);
}

void linnet_inputs_sort(struct linnet_input_ref *inputs, size_t n) {
    if (n > 1) qsort(inputs, n, sizeof(*inputs), by_id);
}

json_t *linnet_input_json(const char *id, const char *digest) {
    json_t *entry = json_object();
    if (!json_object_set_new(entry, "id", json_string(id)) &&
        !json_object_set_new(entry, "digest", json_string(digest)))
        return entry;
    json_decref(entry);
    return NULL;
}

json_t *linnet_inputs_json(const struct linnet_input_ref *inputs, size_t n) {
    json_t *array = json_array();
    for (size_t i = 0; array && i < n; i++) {
        if (!json_array_append_new(array, linnet_input_json(inputs[i].id, inputs[i].digest))) continue;
        json_decref(array);
        array = NULL;
    }
    return array;
}

/* One stored entry. False if it is none. */
static bool entry_read(const json_t *entry, struct linnet_input_ref *out) {
    const char *digest = json_string_value(json_object_get(entry, "digest"));
    out->id = json_string_value(json_object_get(entry, "id"));
    if (!out->id || !digest || strlen(digest) >= sizeof(out->digest)) return false;
    memcpy(out->digest, digest, strlen(digest) + 1);
    return true;
}

bool linnet_inputs_equal(const json_t *stored, const struct linnet_input_ref *inputs, size_t n) {
    if (!json_is_array(stored) || json_array_size(stored) != n) return false;
    for (size_t i = 0; i < n; i++) {
        struct linnet_input_ref entry;
        if (!entry_read(json_array_get(stored, i), &entry)) return false;
        if (strcmp(entry.id, inputs[i].id) != 0 || strcmp(entry.digest, inputs[i].digest) != 0) return false;
    }
    return true;
}

void linnet_result_digest(const char *fingerprint, const struct linnet_input_ref *inputs, size_t n,
                          char out[LINNET_DIGEST_SIZE]) {
    struct linnet_digest digest;
    linnet_digest_init(&digest);
    linnet_digest_update_string(&digest, fingerprint);
    for (size_t i = 0; i < n; i++) {
        linnet_digest_update_string(&digest, inputs[i].id);
        linnet_digest_update_string(&digest, inputs[i].digest);
    }
    linnet_digest_final(&digest, out);
}

/* Is this {id, digest} and no more, in order? The host's own inputs always are. */
static bool in_order(const json_t *entries, const struct linnet_input_ref *refs, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (json_object_size(json_array_get(entries, i)) != 2 || (i && by_id(&refs[i - 1], &refs[i]) > 0))
            return false;
    return true;
}

int linnet_result_digest_json(const char *fingerprint, json_t *inputs, char out[LINNET_DIGEST_SIZE]) {
    size_t n = json_array_size(inputs);
    if (!json_is_array(inputs)) return LINNET_E_INVALID;
    struct linnet_input_ref *refs = calloc(n ? n : 1, sizeof(*refs));
    if (!refs) return LINNET_E_NOMEM;
    int rc = 0;
    for (size_t i = 0; !rc && i < n; i++)
        if (!entry_read(json_array_get(inputs, i), &refs[i])) rc = LINNET_E_INVALID;
    if (!rc) {
        bool as_they_are = in_order(inputs, refs, n);
        linnet_inputs_sort(refs, n);
        linnet_result_digest(fingerprint, refs, n, out);
        json_t *sorted = as_they_are ? NULL : linnet_inputs_json(refs, n);
        if (!as_they_are && (!sorted || json_array_clear(inputs) || json_array_extend(inputs, sorted)))
            rc = LINNET_E_NOMEM;
        json_decref(sorted);
    }
    free(refs);
    return rc;
}

static int refuse_own_members(json_t *document, const char *kind, struct linnet_error *err) {
    static const char *const reserved[] = {"stage", "inputs", "digest"};
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (json_object_get(document, reserved[i]))
            return linnet_error_set(err, LINNET_E_INVALID,
                                    "the emitted %s sets \"%s\", which is the host's to set", kind,
                                    reserved[i]);
    const char *own_kind = json_string_value(json_object_get(document, "kind"));
    if (json_object_get(document, "kind") && (!own_kind || strcmp(own_kind, kind) != 0))
        return linnet_error_set(err, LINNET_E_INVALID, "the emitted %s says that it is of another kind",
                                kind);
    const char *key;
    json_t *value;
    json_object_foreach(document, key, value) {
        if (*key == '_')
            return linnet_error_set(err, LINNET_E_INVALID,
                                    "the emitted %s sets \"%s\": such names are the store's", kind, key);
    }
    return 0;
}

json_t *linnet_provenance_json(const struct linnet_provenance *from) {
    json_t *stage = json_object();
    if (!json_object_set_new(stage, "name", json_string(from->stage)) &&
        !json_object_set_new(stage, "version", json_string(from->version)) &&
        !json_object_set_new(stage, "fingerprint", json_string(from->fingerprint)) &&
        (!from->device || !json_object_set_new(stage, "device", json_string(from->device))))
        return stage;
    json_decref(stage);
    return NULL;
}

int linnet_result_complete(json_t *document, const char *id, const char *kind,
                           json_t *stage, json_t *inputs, const char *digest, struct linnet_error *err) {
    if (!json_is_object(document))
        return linnet_error_set(err, LINNET_E_INVALID, "the emitted %s is no JSON object", kind);
    int rc = refuse_own_members(document, kind, err);
    if (rc) return rc;
    if (!stage || json_object_set_new(document, "_id", json_string(id)) ||
        json_object_set_new(document, "kind", json_string(kind)) ||
        json_object_set(document, "stage", stage) || json_object_set(document, "inputs", inputs) ||
        json_object_set_new(document, "digest", json_string(digest)))
        rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory, or an id that is no UTF-8");
    return rc;
}
