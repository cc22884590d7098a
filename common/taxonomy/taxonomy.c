#include "common/taxonomy/taxonomy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/buf.h"
#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/taxonomy/name.h"

/* Strings are carved from blocks: a backbone has a million of them, and they live and die together. */
struct block {
    struct block *next;
    size_t used, size;
    char bytes[];
};
enum { BLOCK_SIZE = 1 << 18 };

/* What `add` was given beside the taxon; gone after `finish`. */
struct link {
    const char *parent, *accepted; /* ids or NULL */
    bool within;                   /* a synonym that stands in the document of its accepted name */
};

/* Open addressing from a key's hash to indexes of taxa; several taxa may have one name. */
struct table {
    uint32_t *slots; /* LINNET_NO_TAXON where free */
    size_t mask;     /* slots less one, a power of two less one; 0: no table */
};

struct linnet_taxonomy {
    struct linnet_taxon *taxa;
    const char **names; /* the folded scientific name of each */
    struct link *links;
    size_t count, capacity;
    struct block *blocks;
    struct table ids, by_name;
    bool finished;
};

struct linnet_taxonomy *linnet_taxonomy_new(void) {
    return calloc(1, sizeof(struct linnet_taxonomy));
}

void linnet_taxonomy_free(struct linnet_taxonomy *taxonomy) {
    if (!taxonomy) return;
    for (struct block *block = taxonomy->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    free(taxonomy->taxa);
    free(taxonomy->names);
    free(taxonomy->links);
    free(taxonomy->ids.slots);
    free(taxonomy->by_name.slots);
    free(taxonomy);
}

/* ---- strings and tables ---- */

static const char *keep(struct linnet_taxonomy *taxonomy, const char *text) {
    size_t size = strlen(text) + 1;
    struct block *block = taxonomy->blocks;
    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        if (!(block = malloc(sizeof *block + room))) return NULL;
        *block = (struct block){.next = taxonomy->blocks, .size = room};
        taxonomy->blocks = block;
    }
    char *copy = memcpy(block->bytes + block->used, text, size);
    block->used += size;
    return copy;
}

/* The slot of a key; `key_of` says what key a taxon has. With `find` the one that has it or the first free
 * one, else the first free one. */
static size_t probe(const struct linnet_taxonomy *taxonomy, const struct table *table, const char *key,
                    const char *(*key_of)(const struct linnet_taxonomy *, uint32_t), bool find) {
    size_t slot = linnet_hash(key, strlen(key)) & table->mask;
    while (table->slots[slot] != LINNET_NO_TAXON &&
           !(find && !strcmp(key_of(taxonomy, table->slots[slot]), key)))
        slot = (slot + 1) & table->mask;
    return slot;
}

static const char *id_of(const struct linnet_taxonomy *taxonomy, uint32_t index) {
    return taxonomy->taxa[index].id;
}

static const char *name_of(const struct linnet_taxonomy *taxonomy, uint32_t index) {
    return taxonomy->names[index];
}

/* Make a table of all taxa with at least half its slots free. */
static int build(const struct linnet_taxonomy *taxonomy, struct table *table, size_t room,
                 const char *(*key_of)(const struct linnet_taxonomy *, uint32_t)) {
    size_t size = 64;
    while (size < room * 2)
        size *= 2;
    uint32_t *slots = malloc(size * sizeof *slots);
    if (!slots) return LINNET_E_NOMEM;
    memset(slots, 0xff, size * sizeof *slots);
    free(table->slots);
    *table = (struct table){slots, size - 1};
    for (uint32_t i = 0; i < taxonomy->count; i++)
        slots[probe(taxonomy, table, key_of(taxonomy, i), key_of, false)] = i;
    return 0;
}

uint32_t linnet_taxonomy_find(const struct linnet_taxonomy *taxonomy, const char *id) {
    if (!taxonomy->ids.slots) return LINNET_NO_TAXON;
    return taxonomy->ids.slots[probe(taxonomy, &taxonomy->ids, id, id_of, true)];
}

/* ---- adding ---- */

static int make_room(struct linnet_taxonomy *taxonomy) {
    if (taxonomy->count < taxonomy->capacity) return 0;
    if (taxonomy->count >= LINNET_NO_TAXON / 4) return LINNET_E_LIMIT;
    size_t capacity = taxonomy->capacity ? taxonomy->capacity * 2 : 64;
    void *grown = realloc(taxonomy->taxa, capacity * sizeof *taxonomy->taxa);
    if (!grown) return LINNET_E_NOMEM;
    taxonomy->taxa = grown;
    if (!(grown = realloc(taxonomy->names, capacity * sizeof *taxonomy->names))) return LINNET_E_NOMEM;
    taxonomy->names = grown;
    if (!(grown = realloc(taxonomy->links, capacity * sizeof *taxonomy->links))) return LINNET_E_NOMEM;
    taxonomy->links = grown;
    int rc = build(taxonomy, &taxonomy->ids, capacity, id_of);
    if (!rc) taxonomy->capacity = capacity;
    return rc;
}

static const char *keep_folded(struct linnet_taxonomy *taxonomy, const char *name) {
    struct linnet_buf folded = {0};
    const char *kept = linnet_name_fold(name, &folded) ? NULL : keep(taxonomy, folded.data);
    linnet_buf_done(&folded);
    return kept;
}

/* A name as `add` was given it. Borrowed. */
struct given {
    const char *id, *name, *authorship, *parent, *accepted;
    enum linnet_rank rank;
    bool within;
};

/* Put a name at a place, which may be the next free one. */
static int put(struct linnet_taxonomy *taxonomy, const struct given *given, uint32_t index) {
    struct linnet_taxon *taxon = &taxonomy->taxa[index];
    struct link *link = &taxonomy->links[index];
    *taxon = (struct linnet_taxon){
        .id = keep(taxonomy, given->id),
        .scientific_name = keep(taxonomy, given->name),
        .authorship = keep(taxonomy, given->authorship),
        .rank = given->rank,
        .parent = LINNET_NO_TAXON,
        .accepted = index,
    };
    *link = (struct link){given->parent ? keep(taxonomy, given->parent) : NULL,
                          given->accepted ? keep(taxonomy, given->accepted) : NULL, given->within};
    taxonomy->names[index] = keep_folded(taxonomy, given->name);
    bool kept = taxon->id && taxon->scientific_name && taxon->authorship && taxonomy->names[index] &&
                (!given->parent || link->parent) && (!given->accepted || link->accepted);
    return kept ? 0 : LINNET_E_NOMEM;
}

/* A document goes before what another document says of its id. */
static int add_one(struct linnet_taxonomy *taxonomy, const struct given *given, struct linnet_error *err) {
    uint32_t index = linnet_taxonomy_find(taxonomy, given->id);
    int rc = 0;
    if (index != LINNET_NO_TAXON && given->within) return 0;
    if (index != LINNET_NO_TAXON && !taxonomy->links[index].within)
        return linnet_error_set(err, LINNET_E_EXISTS, "%s: is there already", given->id);
    bool is_new = index == LINNET_NO_TAXON;
    if (is_new) {
        rc = make_room(taxonomy);
        index = (uint32_t)taxonomy->count;
    }
    if (!rc) rc = put(taxonomy, given, index);
    if (rc) return linnet_error_set(err, rc, "%s: %s", given->id, linnet_error_message(rc));
    if (is_new) {
        taxonomy->ids.slots[probe(taxonomy, &taxonomy->ids, given->id, id_of, false)] = index;
        taxonomy->count++;
    }
    return 0;
}

int linnet_taxonomy_add(struct linnet_taxonomy *taxonomy, const char *id, const json_t *document,
                        struct linnet_error *err) {
    const char *synonym;
    json_t *names;
    struct given given = {
        .id = id,
        .name = linnet_json_string(document, "scientificName", ""),
        .authorship = linnet_json_string(document, "scientificNameAuthorship", ""),
        .parent = linnet_json_string(document, "parentNameUsageID", NULL),
        .accepted = linnet_json_string(document, "acceptedNameUsageID", NULL),
        .rank = linnet_rank_parse(linnet_json_string(document, "taxonRank", "")),
    };
    if (taxonomy->finished)
        return linnet_error_set(err, LINNET_E_INVALID, "%s: the taxonomy is finished", id);
    if (!*given.name) return linnet_error_set(err, LINNET_E_INVALID, "%s: has no scientificName", id);
    int rc = add_one(taxonomy, &given, err);
    json_object_foreach((json_t *)json_object_get(document, "synonyms"), synonym, names) {
        const char *name = json_string_value(json_array_get(names, 0));
        const char *authorship = json_string_value(json_array_get(names, 1));
        if (rc || !name || !*name) continue;
        struct given within = {.id = synonym,
                               .name = name,
                               .authorship = authorship ? authorship : "",
                               .accepted = id,
                               .rank = given.rank,
                               .within = true};
        rc = add_one(taxonomy, &within, err);
    }
    return rc;
}

/* ---- finishing ---- */

/* Follow each synonym to the accepted name at the end of its chain. */
static int resolve_synonyms(struct linnet_taxonomy *taxonomy, size_t *orphans, struct linnet_error *err) {
    for (uint32_t i = 0; i < taxonomy->count; i++) {
        const char *id = taxonomy->links[i].accepted;
        if (!id) continue;
        uint32_t next = linnet_taxonomy_find(taxonomy, id);
        if (next == LINNET_NO_TAXON) {
            ++*orphans;
            next = i;
        }
        taxonomy->taxa[i].accepted = next;
    }
    for (uint32_t i = 0; i < taxonomy->count; i++) {
        uint32_t end = i;
        size_t steps = 0;
        while (taxonomy->taxa[end].accepted != end) {
            end = taxonomy->taxa[end].accepted;
            if (++steps > taxonomy->count)
                return linnet_error_set(err, LINNET_E_INVALID, "%s: is a synonym of itself",
                                        taxonomy->taxa[i].id);
        }
        taxonomy->taxa[i].accepted = end;
    }
    return 0;
}

static void resolve_parents(struct linnet_taxonomy *taxonomy, size_t *orphans) {
    for (uint32_t i = 0; i < taxonomy->count; i++) {
        struct linnet_taxon *taxon = &taxonomy->taxa[i];
        const char *id = taxonomy->links[i].parent;
        /* A synonym rarely says where it belongs: it stands beside its accepted name. */
        if (!id) id = taxonomy->links[taxon->accepted].parent;
        if (!id) continue;
        taxon->parent = linnet_taxonomy_find(taxonomy, id);
        if (taxon->parent == LINNET_NO_TAXON) ++*orphans;
    }
}

/* The depth of every taxon. A chain of parents longer than there are taxa is a cycle. */
static int measure_depths(struct linnet_taxonomy *taxonomy, uint32_t *deepest, struct linnet_error *err) {
    struct linnet_taxon *taxa = taxonomy->taxa;
    for (uint32_t i = 0; i < taxonomy->count; i++)
        taxa[i].depth = LINNET_NO_TAXON;
    *deepest = 0;
    for (uint32_t i = 0; i < taxonomy->count; i++) {
        uint32_t steps = 0, known = i;
        while (known != LINNET_NO_TAXON && taxa[known].depth == LINNET_NO_TAXON) {
            known = taxa[known].parent;
            if (++steps > taxonomy->count)
                return linnet_error_set(err, LINNET_E_INVALID, "%s: is its own ancestor", taxa[i].id);
        }
        uint32_t depth =
            (known == LINNET_NO_TAXON ? UINT32_MAX : taxa[known].depth) + steps; /* -1 + steps: a root is 0 */
        for (uint32_t j = i; steps--; j = taxa[j].parent, depth--) {
            taxa[j].depth = depth;
            if (depth > *deepest) *deepest = depth;
        }
    }
    return 0;
}

/* Bring parents before children: by depth, the order of adding kept within one. */
static int sort_by_depth(struct linnet_taxonomy *taxonomy, uint32_t deepest) {
    size_t count = taxonomy->count;
    uint32_t *starts = calloc((size_t)deepest + 2, sizeof *starts),
             *places = calloc(count + 1, sizeof *places);
    struct linnet_taxon *taxa = calloc(count + 1, sizeof *taxa);
    const char **names = calloc(count + 1, sizeof *names);
    int rc = starts && places && taxa && names ? 0 : LINNET_E_NOMEM;
    if (!rc) {
        for (size_t i = 0; i < count; i++)
            starts[taxonomy->taxa[i].depth + 1]++;
        for (uint32_t depth = 0; depth <= deepest; depth++)
            starts[depth + 1] += starts[depth];
        for (size_t i = 0; i < count; i++)
            places[i] = starts[taxonomy->taxa[i].depth]++;
        for (size_t i = 0; i < count; i++) {
            struct linnet_taxon *taxon = &taxa[places[i]];
            *taxon = taxonomy->taxa[i];
            if (taxon->parent != LINNET_NO_TAXON) taxon->parent = places[taxon->parent];
            taxon->accepted = places[taxon->accepted];
            names[places[i]] = taxonomy->names[i];
        }
        free(taxonomy->taxa);
        free(taxonomy->names);
        taxonomy->taxa = taxa;
        taxonomy->names = names;
    } else {
        free(taxa);
        free(names);
    }
    free(starts);
    free(places);
    return rc;
}

int linnet_taxonomy_finish(struct linnet_taxonomy *taxonomy, size_t *orphans, struct linnet_error *err) {
    size_t missing = 0;
    uint32_t deepest;
    if (taxonomy->finished) return linnet_error_set(err, LINNET_E_INVALID, "the taxonomy is finished");
    int rc = resolve_synonyms(taxonomy, &missing, err);
    if (rc) return rc;
    resolve_parents(taxonomy, &missing);
    rc = measure_depths(taxonomy, &deepest, err);
    if (rc) return rc;
    rc = sort_by_depth(taxonomy, deepest);
    if (!rc) {
        taxonomy->finished = true;
        free(taxonomy->links);
        taxonomy->links = NULL;
        rc = build(taxonomy, &taxonomy->ids, taxonomy->count, id_of);
    }
    if (!rc) rc = build(taxonomy, &taxonomy->by_name, taxonomy->count, name_of);
    if (rc) return linnet_error_set(err, rc, "the taxonomy cannot be finished: %s", linnet_error_message(rc));
    if (orphans) *orphans = missing;
    return 0;
}

/* ---- reading ---- */

size_t linnet_taxonomy_size(const struct linnet_taxonomy *taxonomy) {
    return taxonomy->count;
}

const struct linnet_taxon *linnet_taxonomy_at(const struct linnet_taxonomy *taxonomy, uint32_t index) {
    return index < taxonomy->count ? &taxonomy->taxa[index] : NULL;
}

/* Is `a` to be preferred to `b`, both of one name: the authors that were asked for, an accepted name, the
 * lower id? */
static bool better(const struct linnet_taxonomy *taxonomy, uint32_t a, uint32_t b, const char *authors) {
    const struct linnet_taxon *x = &taxonomy->taxa[a], *y = &taxonomy->taxa[b];
    if (authors) {
        bool same_x = linnet_name_same_authors(x->authorship, authors);
        bool same_y = linnet_name_same_authors(y->authorship, authors);
        if (same_x != same_y) return same_x;
    }
    if ((x->accepted == a) != (y->accepted == b)) return x->accepted == a;
    return strcmp(x->id, y->id) < 0;
}

static uint32_t best_of_name(const struct linnet_taxonomy *taxonomy, const char *folded,
                             const char *authors) {
    const struct table *table = &taxonomy->by_name;
    uint32_t best = LINNET_NO_TAXON;
    size_t slot = linnet_hash(folded, strlen(folded)) & table->mask;
    for (; table->slots[slot] != LINNET_NO_TAXON; slot = (slot + 1) & table->mask) {
        uint32_t index = table->slots[slot];
        if (strcmp(taxonomy->names[index], folded) != 0) continue;
        if (best == LINNET_NO_TAXON || better(taxonomy, index, best, authors)) best = index;
    }
    return best;
}

/* The folded name may end with the authors of the taxon that is meant: cut it at every space and see if both
 * halves fit. */
static uint32_t find_with_authors(const struct linnet_taxonomy *taxonomy, char *folded) {
    for (char *s = folded + strlen(folded); s > folded; s--) {
        if (*s != ' ') continue;
        *s = '\0';
        uint32_t index = best_of_name(taxonomy, folded, s + 1);
        *s = ' ';
        if (index != LINNET_NO_TAXON && linnet_name_same_authors(taxonomy->taxa[index].authorship, s + 1))
            return index;
    }
    return LINNET_NO_TAXON;
}

uint32_t linnet_taxonomy_find_name(const struct linnet_taxonomy *taxonomy, const char *name) {
    struct linnet_buf folded = {0}, plain = {0};
    uint32_t index = LINNET_NO_TAXON;
    if (taxonomy->by_name.slots && !linnet_name_fold(name, &folded)) {
        index = best_of_name(taxonomy, folded.data, NULL);
        if (index == LINNET_NO_TAXON) index = find_with_authors(taxonomy, folded.data);
        if (index == LINNET_NO_TAXON && !linnet_name_without_authors(name, &plain))
            index = best_of_name(taxonomy, plain.data, NULL);
    }
    linnet_buf_done(&folded);
    linnet_buf_done(&plain);
    return index;
}

uint32_t linnet_taxonomy_accepted(const struct linnet_taxonomy *taxonomy, uint32_t index) {
    return index < taxonomy->count ? taxonomy->taxa[index].accepted : LINNET_NO_TAXON;
}

uint32_t linnet_taxonomy_ancestor(const struct linnet_taxonomy *taxonomy, uint32_t index,
                                  enum linnet_rank rank) {
    while (index < taxonomy->count && taxonomy->taxa[index].rank != rank)
        index = taxonomy->taxa[index].parent;
    return index < taxonomy->count ? index : LINNET_NO_TAXON;
}

int linnet_taxonomy_is_within(const struct linnet_taxonomy *taxonomy, uint32_t index, uint32_t ancestor) {
    if (index >= taxonomy->count || ancestor >= taxonomy->count) return 0;
    while (taxonomy->taxa[index].depth > taxonomy->taxa[ancestor].depth)
        index = taxonomy->taxa[index].parent;
    return index == ancestor;
}

uint32_t linnet_taxonomy_common(const struct linnet_taxonomy *taxonomy, uint32_t a, uint32_t b) {
    if (a >= taxonomy->count || b >= taxonomy->count) return LINNET_NO_TAXON;
    while (a != b) {
        if (taxonomy->taxa[a].depth < taxonomy->taxa[b].depth) {
            b = taxonomy->taxa[b].parent;
        } else {
            bool both = taxonomy->taxa[a].depth == taxonomy->taxa[b].depth;
            a = taxonomy->taxa[a].parent;
            if (both) b = taxonomy->taxa[b].parent;
        }
        if (a == LINNET_NO_TAXON || b == LINNET_NO_TAXON) return LINNET_NO_TAXON;
    }
    return a;
}

/* ---- ranks ---- */

static const char *const RANKS[] = {"kingdom", "phylum",  "class",      "order", "family",
                                    "genus",   "species", "subspecies", "other"};

const char *linnet_rank_name(enum linnet_rank rank) {
    return (unsigned)rank <= LINNET_RANK_OTHER ? RANKS[rank] : RANKS[LINNET_RANK_OTHER];
}

enum linnet_rank linnet_rank_parse(const char *name) {
    if (name && !strcasecmp(name, "division")) return LINNET_RANK_PHYLUM; /* as botanists call it */
    for (int rank = LINNET_RANK_KINGDOM; name && rank < LINNET_RANK_OTHER; rank++)
        if (!strcasecmp(name, RANKS[rank])) return (enum linnet_rank)rank;
    return LINNET_RANK_OTHER;
}
