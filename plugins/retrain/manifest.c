#include "plugins/retrain/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct listing {
    const struct tally *tally;
    const struct seen **usable;
    size_t n;
};

static int collect(void *arg, const struct seen *seen) {
    struct listing *listing = arg;
    if (tally_is_usable(listing->tally, seen)) listing->usable[listing->n++] = seen;
    return 0;
}

static int by_ulid(const void *a, const void *b) {
    return strcmp((*(const struct seen *const *)a)->ulid, (*(const struct seen *const *)b)->ulid);
}

/* A field in quotes, quotes doubled. */
static void field(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static size_t rows_of(FILE *out, const struct tally *tally, const struct seen *seen) {
    const struct linnet_taxon *taxon = linnet_taxonomy_at(tally->taxonomy, seen->taxon);
    for (uint32_t v = 0; v < seen->nviews; v++) {
        fprintf(out, "%s,%s,%s,%s,", seen->ulid, seen->views[v].image, seen->views[v].organ, taxon->id);
        field(out, taxon->scientific_name);
        fputc(',', out);
        field(out, seen->observer);
        fputc('\n', out);
    }
    return seen->nviews;
}

char *manifest_make(const struct tally *tally, size_t *size, size_t *rows) {
    struct listing listing = {.tally = tally, .usable = calloc(tally->size + 1, sizeof(struct seen *))};
    char *text = NULL;
    FILE *out = listing.usable ? open_memstream(&text, size) : NULL;
    *rows = 0;
    if (!out) {
        free(listing.usable);
        return NULL;
    }
    tally_each(tally, collect, &listing);
    qsort(listing.usable, listing.n, sizeof(struct seen *), by_ulid);
    fputs("observation,image,organ,taxon,scientificName,observer\n", out);
    for (size_t i = 0; i < listing.n; i++)
        *rows += rows_of(out, tally, listing.usable[i]);
    free(listing.usable);
    int error = ferror(out);
    if (fclose(out) == 0 && !error) return text;
    free(text);
    return NULL;
}
