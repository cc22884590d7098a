#include "plugins/retrain/tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tally_init(struct tally *tally, const struct linnet_taxonomy *taxonomy, const char *model) {
    *tally = (struct tally){.taxonomy = taxonomy, .buckets = 1024};
    snprintf(tally->model, sizeof tally->model, "%s", model ? model : "");
    tally->table = calloc(tally->buckets, sizeof(struct seen *));
    tally->images = calloc(linnet_taxonomy_size(taxonomy) + 1, sizeof *tally->images);
    if (tally->table && tally->images) return 0;
    tally_done(tally);
    return -1;
}

static void forget_views(struct seen *seen) {
    free(seen->views);
    free(seen->observer);
    seen->views = NULL;
    seen->observer = NULL;
    seen->nviews = 0;
}

static void seen_free(struct seen *seen) {
    forget_views(seen);
    for (uint32_t i = 0; i < seen->nblind; i++)
        free(seen->blind[i].user);
    free(seen->blind);
    free(seen);
}

void tally_done(struct tally *tally) {
    for (uint32_t b = 0; tally->table && b < tally->buckets; b++)
        for (struct seen *seen = tally->table[b], *next; seen; seen = next) {
            next = seen->next_in_table;
            seen_free(seen);
        }
    free(tally->table);
    free(tally->images);
    *tally = (struct tally){0};
}

/* FNV-1a. A ULID's last characters are random, any hash does. */
static uint32_t bucket_of(const struct tally *tally, const char *ulid) {
    uint32_t hash = 2166136261u;
    for (; *ulid; ulid++)
        hash = (hash ^ (unsigned char)*ulid) * 16777619u;
    return hash & (tally->buckets - 1);
}

static void grow(struct tally *tally) {
    uint32_t old = tally->buckets;
    struct seen **table = calloc((size_t)old * 2, sizeof(struct seen *));
    if (!table) return; /* longer chains, nothing worse */
    struct seen **before = tally->table;
    tally->table = table;
    tally->buckets = old * 2;
    for (uint32_t b = 0; b < old; b++)
        for (struct seen *seen = before[b], *next; seen; seen = next) {
            next = seen->next_in_table;
            uint32_t to = bucket_of(tally, seen->ulid);
            seen->next_in_table = table[to];
            table[to] = seen;
        }
    free(before);
}

static struct seen *find(struct tally *tally, const char *ulid) {
    for (struct seen *seen = tally->table[bucket_of(tally, ulid)]; seen; seen = seen->next_in_table)
        if (strcmp(seen->ulid, ulid) == 0) return seen;
    return NULL;
}

static struct seen *find_or_make(struct tally *tally, const char *ulid) {
    struct seen *seen = find(tally, ulid);
    if (seen) return seen;
    if (tally->size >= tally->buckets) grow(tally);
    seen = calloc(1, sizeof *seen);
    if (!seen) return NULL;
    snprintf(seen->ulid, sizeof seen->ulid, "%s", ulid);
    seen->taxon = seen->machine_taxon = LINNET_NO_TAXON;
    uint32_t bucket = bucket_of(tally, ulid);
    seen->next_in_table = tally->table[bucket];
    tally->table[bucket] = seen;
    tally->size++;
    return seen;
}

bool tally_is_usable(const struct tally *tally, const struct seen *seen) {
    return seen->exists && seen->valid && seen->nviews > 0 && seen->taxon != LINNET_NO_TAXON &&
           linnet_taxonomy_ancestor(tally->taxonomy, seen->taxon, LINNET_RANK_SPECIES) != LINNET_NO_TAXON;
}

static bool is_comparable(const struct tally *tally, const struct seen *seen) {
    if (!tally_is_usable(tally, seen) || !seen->machine_current || seen->machine_taxon == LINNET_NO_TAXON)
        return false;
    for (uint32_t i = 0; i < seen->nblind; i++)
        if (seen->blind[i].taxon == seen->taxon) return true;
    return false;
}

/* Take an observation's part out of the sums (sign -1) before it changes, put it back (sign 1) after. */
static void contribute(struct tally *tally, const struct seen *seen, int sign) {
    if (!tally_is_usable(tally, seen)) return;
    tally->valid += (uint64_t)sign;
    tally->images[seen->taxon] += (uint32_t)(sign * (int)seen->nviews);
    if (!is_comparable(tally, seen)) return;
    tally->compared += (uint64_t)sign;
    if (seen->machine_taxon == seen->taxon) tally->agreed += (uint64_t)sign;
}

static uint32_t accepted(const struct tally *tally, const char *id) {
    uint32_t index = id ? linnet_taxonomy_find(tally->taxonomy, id) : LINNET_NO_TAXON;
    return index == LINNET_NO_TAXON ? index : linnet_taxonomy_accepted(tally->taxonomy, index);
}

static const char *text(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static int set_views(struct seen *seen, const json_t *document) {
    const json_t *views = json_object_get(document, "views"), *view;
    size_t n = json_array_size(views), i;
    const char *observer = text(document, "observer");
    struct view *made = calloc(n ? n : 1, sizeof *made);
    char *name = strdup(observer ? observer : "");
    if (!made || !name) {
        free(made);
        free(name);
        return -1;
    }
    forget_views(seen);
    seen->views = made;
    seen->observer = name;
    json_array_foreach(views, i, view) {
        const char *image = text(view, "image"), *organ = text(view, "organ");
        if (!image || strlen(image) != 64) continue;
        snprintf(made[seen->nviews].image, sizeof made->image, "%s", image);
        snprintf(made[seen->nviews].organ, sizeof made->organ, "%s", organ ? organ : "auto");
        seen->nviews++;
    }
    return 0;
}

int tally_observation(struct tally *tally, const char *ulid, const json_t *document) {
    struct seen *seen = find_or_make(tally, ulid);
    if (!seen) return -1;
    contribute(tally, seen, -1);
    int error = 0;
    if (document)
        error = set_views(seen, document);
    else
        forget_views(seen);
    seen->exists = document != NULL;
    contribute(tally, seen, 1);
    return error;
}

int tally_consensus(struct tally *tally, const char *ulid, const json_t *document) {
    struct seen *seen = find_or_make(tally, ulid);
    if (!seen) return -1;
    contribute(tally, seen, -1);
    seen->valid = json_is_true(json_object_get(document, "valid"));
    seen->taxon = accepted(tally, text(document, "taxon"));
    contribute(tally, seen, 1);
    return 0;
}

int tally_identification(struct tally *tally, const char *ulid, const json_t *document) {
    struct seen *seen = find_or_make(tally, ulid);
    if (!seen) return -1;
    const char *model = text(document, "model");
    contribute(tally, seen, -1);
    snprintf(seen->machine_model, sizeof seen->machine_model, "%s", model ? model : "");
    seen->machine_current = model && tally->model[0] && strcmp(model, tally->model) == 0;
    seen->machine_taxon =
        accepted(tally, text(json_array_get(json_object_get(document, "species"), 0), "taxon"));
    contribute(tally, seen, 1);
    return 0;
}

static void remove_blind(struct seen *seen, const char *user) {
    for (uint32_t i = 0; i < seen->nblind; i++) {
        if (strcmp(seen->blind[i].user, user) != 0) continue;
        free(seen->blind[i].user);
        seen->blind[i] = seen->blind[--seen->nblind];
        return;
    }
}

static int add_blind(struct seen *seen, const char *user, uint32_t taxon) {
    struct blind_vote *blind = realloc(seen->blind, (seen->nblind + 1) * sizeof *blind);
    if (!blind) return -1;
    seen->blind = blind;
    blind[seen->nblind] = (struct blind_vote){strdup(user), taxon};
    return blind[seen->nblind].user ? (seen->nblind++, 0) : -1;
}

int tally_validation(struct tally *tally, const char *ulid, const char *user, const json_t *document) {
    struct seen *seen = find_or_make(tally, ulid);
    if (!seen) return -1;
    bool shown = json_is_true(json_object_get(json_object_get(document, "suggested"), "shown"));
    uint32_t taxon = accepted(tally, text(document, "taxon"));
    int error = 0;
    contribute(tally, seen, -1);
    remove_blind(seen, user);
    if (document && !shown && taxon != LINNET_NO_TAXON) error = add_blind(seen, user, taxon);
    contribute(tally, seen, 1);
    return error;
}

int tally_each(const struct tally *tally, int (*each)(void *arg, const struct seen *seen), void *arg) {
    for (uint32_t b = 0; b < tally->buckets; b++)
        for (const struct seen *seen = tally->table[b]; seen; seen = seen->next_in_table) {
            int stop = each(arg, seen);
            if (stop) return stop;
        }
    return 0;
}
