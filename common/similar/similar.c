#include "common/similar/similar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/digest.h"
#include "common/base/half.h"
#include "common/base/ulid.h"
#include "common/similar/fixed.h"
#include "common/similar/internal.h"

#define OBSERVATION sizeof(((struct similar_record *)0)->observation)

int linnet_similar_new(const char *model, size_t dims, struct linnet_similar **out) {
    if (dims == 0 || dims > LINNET_SIMILAR_DIMS || strlen(model) >= LINNET_SIMILAR_MODEL)
        return LINNET_E_INVALID;
    struct linnet_similar *similar = calloc(1, sizeof *similar);
    if (similar == NULL) return LINNET_E_NOMEM;
    snprintf(similar->model, sizeof similar->model, "%s", model);
    similar->dims = dims;
    *out = similar;
    return 0;
}

void linnet_similar_free(struct linnet_similar *similar) {
    if (similar == NULL) return;
    similar_taxa_free(similar);
    linnet_graph_free(similar->index);
    if (similar->header != NULL) munmap(similar->header, similar->mapped);
    free(similar->gone);
    free(similar->tail);
    free(similar->tail_vectors);
    free(similar->tail_notes);
    free(similar);
}

size_t linnet_similar_dims(const struct linnet_similar *similar) {
    return similar->dims;
}

size_t linnet_similar_size(const struct linnet_similar *similar) {
    return similar->nrecords - similar->ngone + similar->ntail - similar->tail_gone;
}

size_t linnet_similar_numbers(const struct linnet_similar *similar) {
    return similar->nrecords + similar->ntail;
}

size_t linnet_similar_changes(const struct linnet_similar *similar) {
    return similar->changes;
}

const char *linnet_similar_position(const struct linnet_similar *similar) {
    return similar->header != NULL ? similar->position : "";
}

bool linnet_similar_at(const struct linnet_similar *similar, uint32_t picture,
                       struct linnet_similar_picture *out) {
    if (picture >= linnet_similar_numbers(similar) || similar_is_dead(similar, picture)) return false;
    const struct similar_record *record = similar_record_at(similar, picture);
    memcpy(out->observation, record->observation, OBSERVATION);
    out->observation[OBSERVATION] = '\0';
    for (size_t i = 0; i < sizeof record->digest; i++)
        snprintf(out->digest + 2 * i, 3, "%02x", record->digest[i]);
    out->taxon = similar->taxon[record->taxon]->id;
    out->taxon_number = record->taxon;
    out->note = similar_note_at(similar, picture);
    out->twin = record->twin;
    out->twin_distance = record->twin_distance;
    return true;
}

/* ---- adding ---- */

static bool grow(struct linnet_similar *similar, size_t text) {
    if (similar->ntail == similar->tail_room) {
        size_t room = similar->tail_room * 2 + 64;
        struct similar_record *tail = realloc(similar->tail, room * sizeof *tail);
        if (tail != NULL) similar->tail = tail;
        int16_t *vectors = realloc(similar->tail_vectors, room * similar->dims * sizeof *vectors);
        if (vectors != NULL) similar->tail_vectors = vectors;
        if (tail == NULL || vectors == NULL) return false;
        similar->tail_room = room;
    }
    if (similar->tail_text + text > similar->tail_text_room) {
        size_t room = similar->tail_text_room * 2 + text + 4096;
        char *notes = realloc(similar->tail_notes, room);
        if (notes == NULL) return false;
        similar->tail_notes = notes;
        similar->tail_text_room = room;
    }
    return true;
}

static unsigned nibble(char digit) {
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* The embedding in single precision, and of unit length in fixed point. False: it has no direction. */
static bool lay_down(const uint16_t *embedding, size_t dims, float *vector, int16_t *kept) {
    double square = 0;
    for (size_t i = 0; i < dims; i++) {
        vector[i] = linnet_half_to_float(embedding[i]);
        square += (double)vector[i] * (double)vector[i];
    }
    if (!(square > 0) || !isfinite(square)) return false;
    for (size_t i = 0; i < dims; i++)
        kept[i] = linnet_fixed((float)(vector[i] / sqrt(square)));
    return true;
}

static void find_twin(const struct linnet_similar *similar, const float *vector, float below,
                      struct similar_record *record, const char *observation) {
    struct linnet_similar_query query = {.vector = vector, .k = 1, .except = observation};
    struct linnet_similar_hit hit;
    record->twin = LINNET_SIMILAR_NONE;
    record->twin_distance = 0;
    if (!(below > 0) || linnet_similar_find(similar, &query, &hit) == 0 || !(hit.distance < below)) return;
    record->twin = hit.picture;
    record->twin_distance = hit.distance > 0 ? hit.distance : 0;
}

int linnet_similar_put(struct linnet_similar *similar, const struct linnet_similar_picture *picture,
                       const uint16_t *embedding, float twin_below) {
    size_t text = strlen(picture->note) + 1;
    struct similar_record record = {.note = similar->tail_text};
    if (!linnet_ulid_valid(picture->observation, strlen(picture->observation)) ||
        !linnet_digest_valid(picture->digest))
        return LINNET_E_INVALID;
    if (linnet_similar_numbers(similar) + 1 >= LINNET_SIMILAR_NONE) return LINNET_E_FULL;
    float *vector = grow(similar, text) ? malloc(similar->dims * sizeof *vector) : NULL;
    if (vector == NULL) return LINNET_E_NOMEM;
    int16_t *kept = similar->tail_vectors + similar->ntail * similar->dims;
    bool lies = lay_down(embedding, similar->dims, vector, kept);
    if (lies) find_twin(similar, vector, twin_below, &record, picture->observation);
    free(vector);
    if (!lies) return LINNET_E_INVALID;
    record.taxon = similar_taxon_take(similar, picture->taxon, true);
    if (record.taxon == LINNET_SIMILAR_NONE) return LINNET_E_NOMEM;
    memcpy(record.observation, picture->observation, OBSERVATION);
    for (size_t i = 0; i < sizeof record.digest; i++)
        record.digest[i] =
            (uint8_t)(nibble(picture->digest[2 * i]) << 4 | nibble(picture->digest[2 * i + 1]));
    memcpy(similar->tail_notes + similar->tail_text, picture->note, text);
    similar->tail_text += text;
    similar->tail[similar->ntail++] = record;
    similar->changes++;
    return 0;
}

/* ---- taking out ---- */

/* The first place in by_observation that is not before an observation. */
static size_t place_of(const struct linnet_similar *similar, const char *observation) {
    size_t low = 0, high = similar->nrecords;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(similar->records[similar->by_observation[middle]].observation, observation, OBSERVATION) <
            0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t linnet_similar_remove(struct linnet_similar *similar, const char *observation) {
    size_t removed = 0;
    if (strlen(observation) != OBSERVATION) return 0;
    for (size_t i = place_of(similar, observation); i < similar->nrecords; i++) {
        uint32_t picture = similar->by_observation[i];
        if (memcmp(similar->records[picture].observation, observation, OBSERVATION) != 0) break;
        if (similar->gone[picture]) continue;
        similar->gone[picture] = 1;
        similar->ngone++;
        removed++;
    }
    for (size_t i = 0; i < similar->ntail; i++) {
        struct similar_record *record = &similar->tail[i];
        if ((record->flags & SIMILAR_DEAD) || memcmp(record->observation, observation, OBSERVATION) != 0)
            continue;
        record->flags |= SIMILAR_DEAD;
        similar->tail_gone++;
        removed++;
    }
    similar->changes += removed;
    return removed;
}
