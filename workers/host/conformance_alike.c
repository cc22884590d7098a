/* Comparing what two runs made of the same inputs: the same but for the last digits of floating point. */
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "workers/host/conformance_rig.h"

/* Scores may differ in the last bits between batches; 16-bit floats have 11 of them. */
#define TOLERANCE      1e-4
#define TOLERANCE_HALF 5e-3

/* IEEE 754 binary16, as embeddings are kept. */
static double half(const unsigned char *bytes) {
    unsigned value = bytes[0] | (unsigned)bytes[1] << 8;
    int exponent = value >> 10 & 31;
    double fraction = (value & 1023) / 1024.0, sign = value & 0x8000 ? -1 : 1;
    if (exponent == 31) return value & 1023 ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1 + fraction, exponent - 15) : ldexp(fraction, -14));
}

static bool halves_alike(const char *one, const char *other) {
    size_t room = strlen(one), size, size_other;
    unsigned char *a = malloc(room + 1), *b = malloc(room + 1);
    bool alike =
        a && b && strlen(other) == room &&
        !sodium_base642bin(a, room, one, room, NULL, &size, NULL, sodium_base64_VARIANT_ORIGINAL) &&
        !sodium_base642bin(b, room, other, room, NULL, &size_other, NULL, sodium_base64_VARIANT_ORIGINAL) &&
        size == size_other && size % 2 == 0;
    for (size_t i = 0; alike && i < size; i += 2)
        alike = fabs(half(a + i) - half(b + i)) <= TOLERANCE_HALF;
    free(a);
    free(b);
    return alike;
}

/* Where in the document we are, for the words. */
struct place {
    char *text;
    size_t size;
};

static bool values_alike(const json_t *one, const json_t *other, struct place *place);

static bool differs(struct place *place, const char *key) {
    char tail[256];
    snprintf(tail, sizeof(tail), "%s", place->text);
    snprintf(place->text, place->size, "/%s%s", key, tail);
    return false;
}

static bool objects_alike(const json_t *one, const json_t *other, struct place *place) {
    const char *type = json_string_value(json_object_get(one, "type")), *key;
    bool halves = type && !strcmp(type, "f16");
    json_t *value;
    if (json_object_size(one) != json_object_size(other)) return false;
    json_object_foreach((json_t *)one, key, value) {
        json_t *twin = json_object_get(other, key);
        bool alike = halves && json_is_string(value) && json_is_string(twin) && !strcmp(key, "data")
                         ? halves_alike(json_string_value(value), json_string_value(twin))
                         : twin && values_alike(value, twin, place);
        if (!alike) return differs(place, key);
    }
    return true;
}

static bool values_alike(const json_t *one, const json_t *other, struct place *place) {
    if (json_is_number(one) && json_is_number(other)) {
        double a = json_number_value(one), b = json_number_value(other);
        return fabs(a - b) <= TOLERANCE * fmax(1, fmax(fabs(a), fabs(b)));
    }
    if (json_typeof(one) != json_typeof(other)) return false;
    if (json_is_object(one)) return objects_alike(one, other, place);
    if (!json_is_array(one)) return json_equal(one, other);
    if (json_array_size(one) != json_array_size(other)) return false;
    for (size_t i = 0; i < json_array_size(one); i++) {
        char index[24];
        snprintf(index, sizeof(index), "%zu", i);
        if (!values_alike(json_array_get(one, i), json_array_get(other, i), place))
            return differs(place, index);
    }
    return true;
}

/* Without what may differ: where it was computed. */
static json_t *comparable(const json_t *document) {
    json_t *copy = json_deep_copy(document);
    json_object_del(json_object_get(copy, "stage"), "device");
    return copy;
}

static bool blobs_alike(const struct linnet_result *one, const struct linnet_result *other, char *where,
                        size_t size) {
    if (one->nblobs != other->nblobs) {
        snprintf(where, size, "the number of attachments");
        return false;
    }
    for (size_t i = 0; i < one->nblobs; i++) {
        const struct linnet_result_blob *a = &one->blobs[i], *b = &other->blobs[i];
        if (!strcmp(a->name, b->name) && !strcmp(a->content_type, b->content_type) &&
            a->bytes->size == b->bytes->size && !memcmp(a->bytes->data, b->bytes->data, a->bytes->size))
            continue;
        snprintf(where, size, "the attachment %s", a->name);
        return false;
    }
    return true;
}

bool linnet_results_alike(const struct linnet_result *one, const struct linnet_result *other, char *where,
                          size_t size) {
    where[0] = '\0';
    if (strcmp(one->id, other->id) != 0 || !one->document != !other->document) {
        snprintf(where, size, "%s and %s", one->id, other->id);
        return false;
    }
    if (!one->document) return true;
    json_t *a = comparable(one->document), *b = comparable(other->document);
    struct place place = {where, size};
    bool alike = a && b && values_alike(a, b, &place);
    json_decref(a);
    json_decref(b);
    return alike && blobs_alike(one, other, where, size);
}
