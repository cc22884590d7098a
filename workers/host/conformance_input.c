/* Checks on input that is missing, broken or hostile. Whatever comes in, an item ends in a lawful way: with a
 * result, passed over, or refused in words; never a crash, never a hang, never an instance that breaks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/host/conformance_rig.h"

static const struct linnet_rig_shape one_by_one = {.threads = 1};

/* Process the items that a changed sample makes; a broken instance is a fault of its own. */
static bool submit_each(void *arg, struct linnet_rig *rig, struct linnet_work *work) {
    ++*(size_t *)arg;
    return linnet_rig_submit(rig, work);
}

static bool process(struct linnet_rig *rig, const struct linnet_observation *observation, size_t *n) {
    if (!linnet_rig_items(rig, observation, submit_each, n) || !linnet_rig_settle(rig, false)) return false;
    linnet_rig_forget(rig);
    return true;
}

/* ---- optional ---- */

bool linnet_check_optional(struct linnet_rig *rig) {
    size_t tried = 0, items = 0;
    if (!linnet_rig_open(rig, &one_by_one)) return false;
    const struct linnet_plugin *plugin = linnet_stage_plugin(rig->stage);
    for (const struct linnet_input *input = plugin->inputs; input->kind; input++) {
        if (!(input->flags & LINNET_OPTIONAL) || plugin->scope == LINNET_SCOPE_SITE) continue;
        for (size_t s = 0; s < rig->options->nsamples; s++) {
            struct linnet_observation without;
            if (!linnet_rig_copy(&rig->options->samples[s], &without))
                return linnet_rig_fail(rig, "out of memory");
            for (size_t i = without.ndocs; i-- > 0;)
                if (!strcmp(without.docs[i].kind, input->kind))
                    linnet_observation_remove(&without, without.docs[i].id);
            linnet_rig_phase(rig, "there was no %s", input->kind);
            bool went = process(rig, &without, &items);
            linnet_observation_done(&without);
            if (!went) return false;
            tried++;
        }
    }
    if (!linnet_rig_close(rig)) return false;
    return tried ? true : linnet_rig_skip(rig, "none of its inputs is optional");
}

/* ---- blobs ---- */

static struct linnet_bytes *bad_bytes(int variant, const struct linnet_bytes *good, const char **words) {
    static const char svg[] = "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"><image "
                              "href=\"file:///etc/passwd\"/></svg>";
    enum { NOISE = 4096 };
    unsigned char noise[NOISE];
    uint32_t seed = 1;
    for (size_t i = 0; i < NOISE; i++)
        noise[i] = (unsigned char)((seed = seed * 1664525u + 1013904223u) >> 24);
    struct linnet_bytes *bytes;
    switch (variant) {
    case 0:
        *words = "empty";
        return linnet_bytes_copy("", 0);
    case 1:
        *words = "a single byte";
        return linnet_bytes_copy("\xff", 1);
    case 2:
        *words = "noise";
        return linnet_bytes_copy(noise, NOISE);
    case 3:
        *words = "cut in the middle";
        return linnet_bytes_copy(good->data, good->size / 2);
    case 4:
        *words = "cut after its first 16 bytes";
        return linnet_bytes_copy(good->data, good->size < 16 ? good->size : 16);
    case 5: /* the beginning right, the rest not */
        *words = "right at its beginning and noise after";
        bytes = linnet_bytes_copy(noise, NOISE);
        if (bytes) memcpy(bytes->data, good->data, good->size < 64 ? good->size : 64);
        return bytes;
    case 6: /* every 31st byte another */
        *words = "garbled";
        bytes = linnet_bytes_copy(good->data, good->size);
        for (size_t i = 30; bytes && i < bytes->size; i += 31)
            ((unsigned char *)bytes->data)[i] ^= 0x5a;
        return bytes;
    case 7:
        *words = "an SVG that refers to a file";
        return linnet_bytes_copy(svg, sizeof(svg) - 1);
    default:
        return NULL;
    }
}

/* One blob of one document replaced by each of the bad ones. */
static bool try_blob(struct linnet_rig *rig, const struct linnet_observation *sample, size_t doc, size_t blob,
                     size_t *items) {
    const struct linnet_held_doc *held = &sample->docs[doc];
    const struct linnet_held_blob *good = &held->blobs[blob];
    const char *words;
    struct linnet_bytes *bytes;
    for (int variant = 0; (bytes = bad_bytes(variant, good->bytes, &words)); variant++) {
        struct linnet_observation changed;
        if (!linnet_rig_copy(sample, &changed)) return linnet_rig_fail(rig, "out of memory");
        int rc = linnet_observation_put_blob(&changed, held->id, good->name, good->content_type, bytes);
        linnet_bytes_unref(bytes);
        linnet_rig_phase(rig, "the attachment %s of %s was %s", good->name, held->id, words);
        bool went = rc ? linnet_rig_fail(rig, "out of memory") : process(rig, &changed, items);
        linnet_observation_done(&changed);
        if (!went) return false;
    }
    return true;
}

bool linnet_check_bad_blobs(struct linnet_rig *rig) {
    size_t items = 0, wanted = 0;
    if (!linnet_rig_open(rig, &one_by_one)) return false;
    const struct linnet_plugin *plugin = linnet_stage_plugin(rig->stage);
    for (size_t s = 0; s < rig->options->nsamples; s++) {
        const struct linnet_observation *sample = &rig->options->samples[s];
        for (size_t d = 0; d < sample->ndocs; d++) {
            const struct linnet_input *input = linnet_plugin_input(plugin, sample->docs[d].kind);
            for (size_t b = 0; input && b < sample->docs[d].nblobs; b++) {
                if (!linnet_input_wants_blob(input, sample->docs[d].blobs[b].name)) continue;
                wanted++;
                if (!try_blob(rig, sample, d, b, &items)) return false;
            }
            if (!input || !input->blobs) continue;
            struct linnet_observation without; /* and no attachment at all */
            if (!linnet_rig_copy(sample, &without)) return linnet_rig_fail(rig, "out of memory");
            linnet_observation_drop_blobs(&without);
            linnet_rig_phase(rig, "the attachments of %s were missing", sample->docs[d].id);
            bool went = process(rig, &without, &items);
            linnet_observation_done(&without);
            if (!went) return false;
        }
    }
    if (!linnet_rig_close(rig)) return false;
    if (!wanted) return linnet_rig_skip(rig, "it asks for no attachment, or the samples have none");
    linnet_rig_note(rig, "%zu items", items);
    return true;
}

/* ---- documents ---- */

/* Values that no app would send, and that somebody will. */
static json_t *bad_value(int variant, const char **words) {
    char *text;
    json_t *value;
    switch (variant) {
    case 0:
        *words = "null";
        return json_null();
    case 1:
        *words = "a huge number";
        return json_real(1e308);
    case 2:
        *words = "a huge negative integer";
        return json_integer(INT64_MIN);
    case 3:
        *words = "an empty text";
        return json_string("");
    case 4: /* 64 KiB */
        *words = "a very long text";
        text = malloc(65537);
        if (!text) return NULL;
        memset(text, 'x', 65536);
        text[65536] = '\0';
        value = json_string(text);
        free(text);
        return value;
    case 5:
        *words = "a path";
        return json_string("../../../../etc/passwd%s%n");
    case 6:
        *words = "an empty object";
        return json_object();
    case 7:
        *words = "an empty array";
        return json_array();
    case 8: /* 60 deep */
        *words = "deeply nested";
        value = json_array();
        for (int depth = 0; depth < 60; depth++)
            value = json_pack("[o]", value);
        return value;
    case 9:
        *words = "minus one";
        return json_integer(-1);
    default:
        return NULL;
    }
}

/* A place in a document: the path of keys and indexes to it. */
struct spot {
    size_t depth;
    char steps[16][64];
};

/* Follow `spot` to the container of its last step. */
static json_t *container_of(json_t *root, const struct spot *spot) {
    for (size_t i = 0; i + 1 < spot->depth && root; i++)
        root = json_is_object(root) ? json_object_get(root, spot->steps[i])
                                    : json_array_get(root, strtoul(spot->steps[i], NULL, 10));
    return root;
}

static void set_spot(json_t *root, const struct spot *spot, json_t *value) {
    json_t *container = container_of(root, spot);
    const char *last = spot->steps[spot->depth - 1];
    if (json_is_object(container) && value)
        json_object_set_new(container, last, value);
    else if (json_is_object(container))
        json_object_del(container, last);
    else if (json_is_array(container) && value)
        json_array_set_new(container, strtoul(last, NULL, 10), value);
    else if (json_is_array(container))
        json_array_remove(container, strtoul(last, NULL, 10));
    else
        json_decref(value);
}

/* One document with one place changed (NULL: taken out). */
static bool try_spot(struct linnet_rig *rig, const struct linnet_observation *sample, size_t doc,
                     const struct spot *spot, json_t *value, const char *words, size_t *items) {
    struct linnet_observation changed;
    char place[256] = "";
    for (size_t i = 0; i < spot->depth; i++) {
        size_t used = strlen(place);
        snprintf(place + used, sizeof(place) - used, "/%s", spot->steps[i]);
    }
    linnet_observation_init(&changed, sample->ulid);
    bool copied = linnet_rig_copy(sample, &changed);
    json_t *document = copied ? json_deep_copy(sample->docs[doc].json) : NULL;
    if (!document) {
        json_decref(value);
        return linnet_rig_fail(rig, "out of memory");
    }
    set_spot(document, spot, value);
    linnet_rig_phase(rig, "%s of %s was %s", place, sample->docs[doc].id, words);
    bool went = true;
    if (linnet_observation_put(&changed, document))
        json_decref(document); /* such a document does not even arrive */
    else
        went = process(rig, &changed, items);
    linnet_observation_done(&changed);
    return went;
}

static bool try_value(struct linnet_rig *rig, const struct linnet_observation *sample, size_t doc,
                      const struct spot *spot, size_t *items) {
    const char *words;
    json_t *value;
    if (!try_spot(rig, sample, doc, spot, NULL, "missing", items)) return false;
    for (int variant = 0; (value = bad_value(variant, &words)); variant++)
        if (!try_spot(rig, sample, doc, spot, value, words, items)) return false;
    return true;
}

/* Every place of a document, the host's own members apart (they are checked before a plugin sees them). */
static bool try_places(struct linnet_rig *rig, const struct linnet_observation *sample, size_t doc,
                       json_t *at, struct spot *spot, size_t *items) {
    const char *key;
    json_t *value;
    size_t n = json_array_size(at);
    if (spot->depth == sizeof(spot->steps) / sizeof(spot->steps[0])) return true;
    json_object_foreach(at, key, value) {
        bool own = spot->depth == 0 && (*key == '_' || !strcmp(key, "kind") || !strcmp(key, "stage") ||
                                        !strcmp(key, "inputs") || !strcmp(key, "digest"));
        if (own || strlen(key) >= sizeof(spot->steps[0])) continue;
        snprintf(spot->steps[spot->depth++], sizeof(spot->steps[0]), "%s", key);
        bool went =
            try_value(rig, sample, doc, spot, items) && try_places(rig, sample, doc, value, spot, items);
        spot->depth--;
        if (!went) return false;
    }
    if (n > 2) n = 2; /* the others are like these */
    for (size_t i = 0; i < n; i++) {
        snprintf(spot->steps[spot->depth++], sizeof(spot->steps[0]), "%zu", i);
        bool went = try_value(rig, sample, doc, spot, items) &&
                    try_places(rig, sample, doc, json_array_get(at, i), spot, items);
        spot->depth--;
        if (!went) return false;
    }
    return true;
}

bool linnet_check_bad_documents(struct linnet_rig *rig) {
    size_t items = 0;
    if (!linnet_rig_open(rig, &one_by_one)) return false;
    const struct linnet_plugin *plugin = linnet_stage_plugin(rig->stage);
    for (size_t s = 0; s < rig->options->nsamples; s++) {
        const struct linnet_observation *sample = &rig->options->samples[s];
        for (size_t d = 0; d < sample->ndocs; d++) {
            struct spot spot = {0};
            if (!linnet_plugin_input(plugin, sample->docs[d].kind)) continue;
            if (!try_places(rig, sample, d, sample->docs[d].json, &spot, &items)) return false;
        }
    }
    if (!linnet_rig_close(rig)) return false;
    linnet_rig_note(rig, "%zu items", items);
    return true;
}
