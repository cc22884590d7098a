#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/taxonomy/lookup_internal.h"
#include "common/taxonomy/name.h"
#include "common/taxonomy/osa.h"

enum {
    HITS = 1024,       /* that are ranked */
    PREFIX_SCAN = 512, /* names that begin alike, looked at in order: the shortest come early */
    CANDIDATES = 256,  /* words that are near enough to one of the query's */
    MEASURED = 6000,   /* names that are looked at for typing errors */
    QUERY_WORDS = 8,
};

/* A name that was found. Lower is better. */
struct hit {
    uint32_t key;
    uint8_t how, distance;
};

struct candidate {
    uint32_t word;
    unsigned distance;
};

/* Words of the dictionary near one word of the query. */
struct nearby {
    struct candidate list[CANDIDATES];
    unsigned n;
    uint64_t names; /* that have one of them */
};

struct finding {
    const struct linnet_lookup *lookup;
    const struct linnet_lookup_options *options;
    struct linnet_buf query;
    struct linnet_osa whole;
    uint32_t letters;
    unsigned errors; /* allowed over the whole query */
    struct hit hits[HITS];
    unsigned nhits;
    struct nearby near[2]; /* of the word that is looked at, and the best so far */
};

static const char *key_text(const struct linnet_lookup *lookup, uint32_t key) {
    return lookup->text + lookup->keys[key];
}

static const char *place_text(const struct linnet_lookup *lookup, uint32_t place) {
    return key_text(lookup, lookup->places[place] >> 8) + (lookup->places[place] & 0xff);
}

/* ---- hits ---- */

static void add_hit(struct finding *f, uint32_t key, enum linnet_lookup_how how, unsigned distance) {
    if (f->nhits < HITS) f->hits[f->nhits++] = (struct hit){key, (uint8_t)how, (uint8_t)distance};
}

/* Accepted names before synonyms before common ones, coarse ranks before fine. Lower is better. */
static uint32_t kind_of(const struct finding *f, uint32_t entry) {
    const struct lookup_entry *e = &f->lookup->entries[entry];
    return e->kind * 16 + f->lookup->taxa[e->taxon].rank;
}

static bool speaks(const struct finding *f, const struct lookup_entry *entry) {
    const char *language = f->lookup->strings + entry->language, *wanted = f->options->language;
    if (entry->kind != LINNET_LOOKUP_COMMON || !wanted) return true;
    size_t size = strlen(wanted);
    return !strncasecmp(language, wanted, size) && (!language[size] || language[size] == '-');
}

/* A match on its way: an entry, and how it was found. */
struct answer {
    const struct hit *hit;
    uint32_t entry, kind, size;
};

static int better(const void *a, const void *b) {
    const struct answer *x = a, *y = b;
    if (x->hit->how != y->hit->how) return x->hit->how < y->hit->how ? -1 : 1;
    if (x->hit->distance != y->hit->distance) return x->hit->distance < y->hit->distance ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static bool has_taxon(const struct linnet_lookup_match *matches, size_t n, uint32_t taxon) {
    for (size_t i = 0; i < n; i++)
        if (matches[i].taxon == taxon) return true;
    return false;
}

static struct linnet_lookup_match match_of(const struct linnet_lookup *lookup, const struct answer *answer) {
    const struct lookup_entry *entry = &lookup->entries[answer->entry];
    const struct lookup_taxon *taxon = &lookup->taxa[entry->taxon];
    return (struct linnet_lookup_match){
        .id = lookup->strings + taxon->id,
        .scientific_name = lookup->strings + taxon->name,
        .authorship = lookup->strings + taxon->authors,
        .rank = (enum linnet_rank)taxon->rank,
        .taxon = entry->taxon,
        .name = lookup->strings + entry->shown,
        .kind = (enum linnet_lookup_kind)entry->kind,
        .language = lookup->strings + entry->language,
        .how = (enum linnet_lookup_how)answer->hit->how,
        .distance = answer->hit->distance,
    };
}

/* Hits in order, each taxon once. */
static size_t rank(const struct finding *f, struct linnet_lookup_match *matches) {
    const struct linnet_lookup *lookup = f->lookup;
    size_t count = 0, n = 0, most = 0;
    for (unsigned i = 0; i < f->nhits; i++)
        most += lookup->posts[f->hits[i].key + 1] - lookup->posts[f->hits[i].key];
    struct answer *answers = malloc((most + 1) * sizeof *answers);
    if (!answers) return 0;
    for (unsigned i = 0; i < f->nhits; i++) {
        uint32_t key = f->hits[i].key, size = lookup->keys[key + 1] - lookup->keys[key];
        for (uint32_t entry = lookup->posts[key]; entry < lookup->posts[key + 1]; entry++)
            if (speaks(f, &lookup->entries[entry]))
                answers[count++] = (struct answer){&f->hits[i], entry, kind_of(f, entry), size};
    }
    if (count) qsort(answers, count, sizeof *answers, better);
    for (size_t i = 0; i < count && n < f->options->limit; i++)
        if (!has_taxon(matches, n, lookup->entries[answers[i].entry].taxon))
            matches[n++] = match_of(lookup, &answers[i]);
    free(answers);
    return n;
}

/* ---- what begins with the query ---- */

/* The first place whose text is not before the query (`after` false), or not among those that begin with it
 * (true). */
static uint32_t bound(const struct finding *f, bool after) {
    uint32_t low = 0, high = f->lookup->nplaces;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strncmp(place_text(f->lookup, middle), f->query.data, f->query.size);
        if (order < 0 || (after && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Likewise of whole names. */
static uint32_t first_key(const struct finding *f) {
    uint32_t low = 0, high = f->lookup->nletters;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(key_text(f->lookup, middle), f->query.data) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void find_beginnings(struct finding *f) {
    const struct linnet_lookup *lookup = f->lookup;
    uint32_t key = first_key(f);
    for (uint32_t i = 0; i < PREFIX_SCAN && key + i < lookup->nletters; i++) {
        const char *text = key_text(lookup, key + i);
        if (strncmp(text, f->query.data, f->query.size) != 0) break;
        add_hit(f, key + i, text[f->query.size] ? LINNET_LOOKUP_PREFIX : LINNET_LOOKUP_EXACT, 0);
    }
    uint32_t first = bound(f, false), end = bound(f, true);
    for (uint32_t place = first; place < end && place < first + PREFIX_SCAN; place++)
        if (lookup->places[place] & 0xff) add_hit(f, lookup->places[place] >> 8, LINNET_LOOKUP_WORD, 0);
}

/* ---- typing errors ---- */

/* How many a query of this many bytes may have. */
static unsigned errors_of(size_t size) {
    return size <= 3 ? 0 : size <= 5 ? 1 : size <= 12 ? 2 : 3;
}

struct gathering {
    const struct linnet_lookup *lookup;
    struct nearby *near;
    struct linnet_osa word;
    unsigned most;
};

static bool is_there(const struct nearby *near, uint32_t word) {
    for (unsigned i = 0; i < near->n; i++)
        if (near->list[i].word == word) return true;
    return false;
}

/* Words that share what is left after deletes are near, if the whole of them is. */
static void gather(void *arg, const char *text, size_t size) {
    struct gathering *g = arg;
    const struct linnet_lookup *lookup = g->lookup;
    uint32_t bucket = lookup_hash(text, size) & (lookup->nbuckets - 2);
    for (uint32_t i = lookup->buckets[bucket]; i < lookup->buckets[bucket + 1]; i++) {
        uint32_t word = lookup->deletes[i], place = lookup->words[word];
        const char *there = place_text(lookup, place);
        size_t length = lookup_word(there);
        size_t apart = length > g->word.size ? length - g->word.size : g->word.size - length;
        if (apart > g->most || g->near->n == CANDIDATES) continue;
        unsigned distance = linnet_osa_measure(&g->word, there, length).whole;
        if (distance > g->most || is_there(g->near, word)) continue;
        g->near->list[g->near->n++] = (struct candidate){word, distance};
        g->near->names += lookup->words[word + 1] - place;
    }
}

static void find_nearby(const struct finding *f, const char *word, size_t size, struct nearby *near) {
    struct gathering g = {.lookup = f->lookup, .near = near, .most = lookup_errors(size)};
    if (g.most > f->errors) g.most = f->errors;
    near->n = 0;
    near->names = 0;
    if (f->lookup->nwords < 2) return;
    linnet_osa_init(&g.word, word, size);
    lookup_each_delete(word, size, lookup_errors(size), gather, &g);
}

static unsigned count_bits(uint32_t bits) {
    return (unsigned)__builtin_popcount(bits);
}

/* Measure one name against the query. A letter that one has and the other has not is an error at least half
 * of which is a replacement's. */
static void measure(struct finding *f, uint32_t key) {
    const struct linnet_lookup *lookup = f->lookup;
    const char *text = key_text(lookup, key);
    size_t size = lookup->keys[key + 1] - lookup->keys[key] - 1;
    if (size + f->errors < f->whole.size) return;
    uint32_t missing = f->letters & ~lookup->letters[key];
    if (count_bits(missing) > f->errors) return;
    struct linnet_osa_distance distance = linnet_osa_measure(&f->whole, text, size);
    if (distance.whole <= f->errors)
        add_hit(f, key, LINNET_LOOKUP_FUZZY, distance.whole);
    else if (distance.prefix <= f->errors)
        add_hit(f, key, LINNET_LOOKUP_FUZZY_PREFIX, distance.prefix);
}

static int nearer(const void *a, const void *b) {
    const struct candidate *x = a, *y = b;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    return (x->word > y->word) - (x->word < y->word);
}

/* Names that have one of the nearby words, the nearest words first, as far as time allows. `lone`: the query
 * is this word and nothing else, so that names with more words begin with it, or have it somewhere. */
static void measure_names(struct finding *f, struct nearby *near, bool lone) {
    const struct linnet_lookup *lookup = f->lookup;
    unsigned measured = 0;
    qsort(near->list, near->n, sizeof *near->list, nearer);
    unsigned each = near->n ? MEASURED / near->n : 0; /* of each word, so that a common one leaves room */
    for (unsigned i = 0; i < near->n; i++) {
        uint32_t from = lookup->words[near->list[i].word], end = lookup->words[near->list[i].word + 1];
        if (near->names > MEASURED && end - from > each) end = from + each;
        if (lone && end - from > 64) end = from + 64; /* they come with the shortest first */
        for (uint32_t place = from; place < end && measured < MEASURED; place++, measured++) {
            uint32_t at = lookup->places[place];
            if (lone && at & 0xff)
                add_hit(f, at >> 8, LINNET_LOOKUP_FUZZY_PREFIX, near->list[i].distance + 1);
            else
                measure(f, at >> 8);
        }
    }
}

/* By the query's word that the fewest names have, whatever its errors. */
static void find_misspelled(struct finding *f) {
    struct nearby *now = &f->near[0], *best = NULL;
    unsigned words = 0;
    for (const char *word = f->query.data; *word && words < QUERY_WORDS; words++) {
        size_t size = lookup_word(word);
        find_nearby(f, word, size, now);
        if (now->n && (!best || now->names < best->names)) {
            best = now;
            now = now == &f->near[0] ? &f->near[1] : &f->near[0];
        }
        word += size + (word[size] == ' ');
    }
    if (best) measure_names(f, best, words == 1);
}

/* Search for a simplified text. */
static void search(struct finding *f, const char *text) {
    f->query.size = 0;
    if (linnet_buf_append_string(&f->query, text) || !f->query.size) return;
    f->errors = errors_of(f->query.size);
    f->letters = lookup_letters(f->query.data, f->query.size);
    linnet_osa_init(&f->whole, f->query.data, f->query.size);
    find_beginnings(f);
    if (!f->options->prefix_only && f->errors) find_misspelled(f);
}

static bool is_key(const struct linnet_lookup *lookup, const char *text) {
    struct finding f = {.lookup = lookup, .query = {.data = (char *)text, .size = strlen(text)}};
    uint32_t key = first_key(&f);
    return key < lookup->nletters && !strcmp(key_text(lookup, key), text);
}

/* The query as it is, and without what looks like authors by its capitals. Only the former where somebody
 * just writes capitals: what is left is a genus alone then. */
static int simplify_both(const char *query, struct linnet_buf *whole, struct linnet_buf *bare) {
    struct linnet_buf name = {0};
    int error = lookup_simplify(query, whole);
    if (!error) error = linnet_name_without_authors(query, &name);
    if (!error) error = lookup_simplify(name.data, bare);
    linnet_buf_done(&name);
    return error;
}

size_t linnet_lookup_find(const struct linnet_lookup *lookup, const char *query,
                          const struct linnet_lookup_options *options, struct linnet_lookup_match *matches) {
    size_t n = 0;
    struct linnet_buf whole = {0}, bare = {0};
    struct finding *f = options->limit ? malloc(sizeof *f) : NULL;
    if (!f) return 0;
    f->lookup = lookup;
    f->options = options;
    f->query = (struct linnet_buf){0};
    f->nhits = 0;
    if (!simplify_both(query, &whole, &bare)) {
        bool authors = strcmp(whole.data, bare.data) != 0;
        bool meant = authors && strchr(bare.data, ' ') && is_key(lookup, bare.data);
        search(f, meant ? bare.data : whole.data);
        if (f->nhits == 0 && authors && !meant) search(f, bare.data);
        n = rank(f, matches);
    }
    linnet_buf_done(&f->query);
    linnet_buf_done(&whole);
    linnet_buf_done(&bare);
    free(f);
    return n;
}

const char *linnet_lookup_common(const struct linnet_lookup *lookup, uint32_t taxon, const char *language) {
    if (taxon >= lookup->ntaxa) return NULL;
    uint32_t end = taxon + 1 < lookup->ntaxa ? lookup->taxa[taxon + 1].common : lookup->ncommon;
    size_t size = strlen(language);
    for (uint32_t i = lookup->taxa[taxon].common; i < end; i++) {
        const struct lookup_entry *entry = &lookup->entries[lookup->common[i]];
        const char *tag = lookup->strings + entry->language;
        if (!strncasecmp(tag, language, size) && (!tag[size] || tag[size] == '-'))
            return lookup->strings + entry->shown;
    }
    return NULL;
}
