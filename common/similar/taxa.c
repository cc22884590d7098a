#include <stdlib.h>
#include <string.h>

#include "common/similar/internal.h"

uint32_t linnet_similar_taxon_number(const struct linnet_similar *similar, const char *taxon) {
    struct similar_taxon *found;
    HASH_FIND_STR(similar->taxon_ids, taxon, found);
    return found != NULL ? found->number : LINNET_SIMILAR_NONE;
}

size_t linnet_similar_taxa(const struct linnet_similar *similar) {
    return similar->ntaxon;
}

const char *linnet_similar_taxon(const struct linnet_similar *similar, uint32_t number) {
    return number < similar->ntaxon ? similar->taxon[number]->id : NULL;
}

static bool grow(struct linnet_similar *similar) {
    if (similar->ntaxon < similar->taxon_room) return true;
    size_t room = similar->taxon_room * 2 + 64;
    struct similar_taxon **taxon = realloc(
        similar->taxon, room * sizeof *taxon); // NOLINT(bugprone-sizeof-expression): an array of pointers
    if (taxon == NULL) return false;
    similar->taxon = taxon;
    similar->taxon_room = room;
    return true;
}

uint32_t similar_taxon_take(struct linnet_similar *similar, const char *id, bool own) {
    uint32_t number = linnet_similar_taxon_number(similar, id);
    if (number != LINNET_SIMILAR_NONE) return number;
    struct similar_taxon *taxon = grow(similar) ? calloc(1, sizeof *taxon) : NULL;
    if (taxon != NULL && own) taxon->owned = strdup(id);
    if (taxon != NULL) taxon->id = own ? taxon->owned : id;
    if (taxon == NULL || taxon->id == NULL) {
        free(taxon);
        return LINNET_SIMILAR_NONE;
    }
    taxon->number = (uint32_t)similar->ntaxon;
    similar->taxon[similar->ntaxon++] = taxon;
    HASH_ADD_KEYPTR(hh, similar->taxon_ids, taxon->id, strlen(taxon->id), taxon);
    return taxon->number;
}

void similar_taxa_free(struct linnet_similar *similar) {
    HASH_CLEAR(hh, similar->taxon_ids);
    for (size_t i = 0; i < similar->ntaxon; i++) {
        free(similar->taxon[i]->owned);
        free(similar->taxon[i]);
    }
    free(similar->taxon);
}
