#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/taxonomy/lookup_internal.h"
#include "common/taxonomy/name.h"

struct name {
    uint32_t simple; /* in the builder's simplified texts */
    struct lookup_entry entry;
};

/* A synonym that stands in a document of its own. */
struct waiting {
    uint32_t accepted, name; /* in strings */
};

struct linnet_lookup_builder {
    struct linnet_buf strings, simple, scratch;
    struct name *names;
    uint32_t nnames, names_capacity;
    struct lookup_taxon *taxa;
    uint32_t ntaxa, taxa_capacity;
    struct waiting *waiting;
    uint32_t nwaiting, waiting_capacity;
    uint32_t language; /* the last one, in strings: they come in runs */
};

/* For sorting texts: their first bytes as a number decide most comparisons. */
struct sorted {
    uint64_t head;
    const char *text;
    uint32_t what;
};

/* ---- simplifying ---- */

/* Words that are left out as often as not. */
static bool is_dropped(const char *word, size_t size) {
    static const char *const words[] = {"x",  "subsp",      "ssp",      "var",   "f",
                                        "fo", "nothosubsp", "nothovar", "subvar"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == size && !strncmp(word, words[i], size)) return true;
    return false;
}

int lookup_simplify(const char *name, struct linnet_buf *out) {
    linnet_buf_clear(out);
    int error = linnet_name_simplify(name, out);
    if (error) return error;
    char *to = out->data;
    for (const char *from = out->data; *from;) {
        size_t size = lookup_word(from);
        bool alone = from == out->data && !from[size]; /* somebody is called so */
        if (alone || !is_dropped(from, size)) {
            if (to > out->data) *to++ = ' ';
            memmove(to, from, size);
            to += size;
        }
        from += size + (from[size] == ' ');
    }
    if (to - out->data > LOOKUP_NAME) to = out->data + LOOKUP_NAME;
    while (to > out->data && to[-1] == ' ')
        to--;
    *to = '\0';
    out->size = (size_t)(to - out->data);
    return 0;
}

/* ---- adding ---- */

struct linnet_lookup_builder *linnet_lookup_builder_new(void) {
    struct linnet_lookup_builder *builder = calloc(1, sizeof *builder);
    if (!builder) return NULL;
    linnet_buf_init(&builder->strings, UINT32_MAX);
    linnet_buf_init(&builder->simple, UINT32_MAX);
    if (!linnet_buf_append(&builder->strings, "", 1)) return builder; /* 0 is "" */
    free(builder);
    return NULL;
}

static void drop(struct linnet_lookup_builder *builder) {
    linnet_buf_done(&builder->strings);
    linnet_buf_done(&builder->simple);
    linnet_buf_done(&builder->scratch);
    free(builder->names);
    free(builder->taxa);
    free(builder->waiting);
    *builder = (struct linnet_lookup_builder){0};
}

void linnet_lookup_builder_free(struct linnet_lookup_builder *builder) {
    if (!builder) return;
    drop(builder);
    free(builder);
}

/* Room for one more in an array of the builder's. */
static int room(void **array, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity) return 0;
    if (count >= LINNET_LOOKUP_NAMES) return LINNET_E_LIMIT;
    uint32_t wanted = *capacity ? *capacity * 2 : 1024;
    void *wider = realloc(*array, wanted * size);
    if (!wider) return LINNET_E_NOMEM;
    *array = wider;
    *capacity = wanted;
    return 0;
}

static int keep(struct linnet_lookup_builder *builder, const char *text, uint32_t *out) {
    *out = 0;
    if (!*text) return 0;
    size_t at = builder->strings.size;
    int error = linnet_buf_append(&builder->strings, text, strlen(text) + 1);
    if (!error) *out = (uint32_t)at;
    return error;
}

static int add(struct linnet_lookup_builder *builder, const char *name, struct lookup_entry entry) {
    int error = lookup_simplify(name, &builder->scratch);
    if (error || builder->scratch.size == 0) return error;
    error = room((void **)&builder->names, builder->nnames, &builder->names_capacity, sizeof *builder->names);
    size_t at = builder->simple.size;
    if (!error) error = linnet_buf_append(&builder->simple, builder->scratch.data, builder->scratch.size + 1);
    if (!error) builder->names[builder->nnames++] = (struct name){(uint32_t)at, entry};
    return error;
}

int linnet_lookup_add_taxon(struct linnet_lookup_builder *builder, const char *id, const char *name,
                            const char *authors, enum linnet_rank rank, uint32_t *taxon) {
    struct lookup_taxon made = {.rank = (uint32_t)rank};
    int error = room((void **)&builder->taxa, builder->ntaxa, &builder->taxa_capacity, sizeof *builder->taxa);
    if (!error) error = keep(builder, id, &made.id);
    if (!error) error = keep(builder, name, &made.name);
    if (!error) error = keep(builder, authors, &made.authors);
    struct lookup_entry entry = {builder->ntaxa, made.name, 0, LINNET_LOOKUP_ACCEPTED};
    if (!error) error = add(builder, name, entry);
    if (error) return error;
    builder->taxa[builder->ntaxa] = made;
    *taxon = builder->ntaxa++;
    return 0;
}

int linnet_lookup_add_name(struct linnet_lookup_builder *builder, uint32_t taxon, const char *name,
                           enum linnet_lookup_kind kind, const char *language) {
    struct lookup_entry entry = {.taxon = taxon, .kind = (uint32_t)kind};
    int error = keep(builder, name, &entry.shown);
    if (!error && language) {
        const char *last = builder->strings.data + builder->language;
        if (strcmp(last, language) != 0) error = keep(builder, language, &builder->language);
        entry.language = builder->language;
    }
    return error ? error : add(builder, name, entry);
}

static int add_synonyms(struct linnet_lookup_builder *builder, uint32_t taxon, const json_t *document) {
    const char *id, *language;
    json_t *synonym, *names, *name;
    size_t i;
    int error = 0;
    json_object_foreach(json_object_get(document, "synonyms"), id, synonym) {
        const char *text = json_string_value(json_array_get(synonym, 0));
        if (!error && text) error = linnet_lookup_add_name(builder, taxon, text, LINNET_LOOKUP_SYNONYM, NULL);
    }
    json_object_foreach(json_object_get(document, "vernacularNames"), language, names) {
        json_array_foreach(names, i, name) {
            const char *text = json_string_value(name);
            if (!error && text)
                error = linnet_lookup_add_name(builder, taxon, text, LINNET_LOOKUP_COMMON, language);
        }
    }
    return error;
}

int linnet_lookup_add_document(struct linnet_lookup_builder *builder, const char *id,
                               const json_t *document) {
    const char *name = linnet_json_string(document, "scientificName", "");
    const char *accepted = linnet_json_string(document, "acceptedNameUsageID", NULL);
    uint32_t taxon;
    if (accepted && strcmp(accepted, id) != 0) {
        struct waiting waiting;
        int error =
            room((void **)&builder->waiting, builder->nwaiting, &builder->waiting_capacity, sizeof waiting);
        if (!error) error = keep(builder, accepted, &waiting.accepted);
        if (!error) error = keep(builder, name, &waiting.name);
        if (!error) builder->waiting[builder->nwaiting++] = waiting;
        return error;
    }
    int error = linnet_lookup_add_taxon(
        builder, id, name, linnet_json_string(document, "scientificNameAuthorship", ""),
        linnet_rank_parse(linnet_json_string(document, "taxonRank", "")), &taxon);
    return error ? error : add_synonyms(builder, taxon, document);
}

/* ---- building ---- */

static struct sorted sorted_of(const char *text, uint32_t what) {
    uint64_t head = 0;
    size_t size = 0;
    while (size < 8 && text[size])
        head |= (uint64_t)(unsigned char)text[size] << (56 - 8 * size), size++;
    return (struct sorted){head, text, what};
}

static int by_text(const struct sorted *a, const struct sorted *b) {
    if (a->head != b->head) return a->head < b->head ? -1 : 1;
    return a->head & 0xff ? strcmp(a->text + 8, b->text + 8) : 0;
}

static int by_text_and_what(const void *a, const void *b) {
    const struct sorted *x = a, *y = b;
    int order = by_text(x, y);
    return order ? order : (x->what > y->what) - (x->what < y->what);
}

/* Synonyms of their own to the taxa that they name. */
static int settle(struct linnet_lookup_builder *builder) {
    if (!builder->nwaiting) return 0;
    struct sorted *ids = malloc(((size_t)builder->ntaxa + 1) * sizeof *ids);
    if (!ids) return LINNET_E_NOMEM;
    /* Their texts move as synonyms are added: kept apart. */
    char *strings = malloc(builder->strings.size);
    int error = strings ? 0 : LINNET_E_NOMEM;
    if (strings) memcpy(strings, builder->strings.data, builder->strings.size);
    for (uint32_t i = 0; strings && i < builder->ntaxa; i++)
        ids[i] = sorted_of(strings + builder->taxa[i].id, i);
    if (strings && builder->ntaxa) qsort(ids, builder->ntaxa, sizeof *ids, by_text_and_what);
    for (uint32_t i = 0; !error && i < builder->nwaiting; i++) {
        struct sorted wanted = sorted_of(strings + builder->waiting[i].accepted, 0);
        size_t low = 0, high = builder->ntaxa;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (by_text(&ids[middle], &wanted) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == builder->ntaxa || by_text(&ids[low], &wanted) != 0) continue;
        error = linnet_lookup_add_name(builder, ids[low].what, strings + builder->waiting[i].name,
                                       LINNET_LOOKUP_SYNONYM, NULL);
    }
    free(strings);
    free(ids);
    return error;
}

/* The sections on their way, each an allocation of its own until the block is put together. */
struct building {
    struct linnet_lookup_builder *from;
#define X(name, type)                                                                                        \
    type *name;                                                                                              \
    uint64_t n##name;
    LOOKUP_SECTIONS(X)
#undef X
};

static void building_done(struct building *b) {
#define X(name, type) free(b->name);
    LOOKUP_SECTIONS(X)
#undef X
}

/* Accepted names before synonyms before common ones, coarse ranks before fine. */
static uint32_t weight_of(const struct linnet_lookup_builder *from, const struct lookup_entry *entry) {
    return entry->kind * 16 + from->taxa[entry->taxon].rank;
}

/* Names in order into text, keys, letters, posts and entries. */
static int build_keys(struct building *b) {
    struct linnet_lookup_builder *from = b->from;
    uint32_t n = from->nnames;
    struct sorted *order = malloc(((size_t)n + 1) * sizeof *order);
    b->text = malloc(from->simple.size + 1);
    b->keys = malloc(((size_t)n + 1) * sizeof *b->keys);
    b->letters = malloc(((size_t)n + 1) * sizeof *b->letters);
    b->posts = malloc(((size_t)n + 1) * sizeof *b->posts);
    b->entries = malloc(((size_t)n + 1) * sizeof *b->entries);
    if (!order || !b->text || !b->keys || !b->letters || !b->posts || !b->entries) {
        free(order);
        return LINNET_E_NOMEM;
    }
    for (uint32_t i = 0; i < n; i++)
        order[i] = sorted_of(from->simple.data + from->names[i].simple, i);
    if (n) qsort(order, n, sizeof *order, by_text_and_what);
    uint32_t used = 0, keys = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i == 0 || by_text(&order[i], &order[i - 1]) != 0) {
            size_t size = strlen(order[i].text);
            b->keys[keys] = used;
            b->letters[keys] = lookup_letters(order[i].text, size);
            b->posts[keys++] = i;
            memcpy(b->text + used, order[i].text, size + 1);
            used += (uint32_t)size + 1;
        }
        struct lookup_entry entry = from->names[order[i].what].entry;
        uint32_t at = i; /* by weight among those of its key: few, so one by one */
        for (; at > b->posts[keys - 1] && weight_of(from, &b->entries[at - 1]) > weight_of(from, &entry);
             at--)
            b->entries[at] = b->entries[at - 1];
        b->entries[at] = entry;
    }
    b->keys[keys] = used;
    b->posts[keys] = n;
    b->ntext = used;
    b->nletters = keys;
    b->nkeys = b->nposts = (uint64_t)keys + 1;
    b->nentries = n;
    free(order);
    return 0;
}

static bool begins_word(const char *text, size_t at) {
    return at == 0 || text[at - 1] == ' ';
}

/* The beginnings of all words, in order of what follows. */
static int build_places(struct building *b) {
    size_t count = 0;
    for (size_t i = 0; i < b->ntext; i++)
        count += b->text[i] == ' ';
    count += b->nletters;
    if (count > UINT32_MAX) return LINNET_E_LIMIT;
    struct sorted *order = malloc((count + 1) * sizeof *order);
    b->places = malloc((count + 1) * sizeof *b->places);
    if (!order || !b->places) {
        free(order);
        return LINNET_E_NOMEM;
    }
    for (uint32_t key = 0; key < b->nletters; key++) {
        const char *text = b->text + b->keys[key];
        for (size_t at = 0; text[at]; at++)
            if (begins_word(text, at)) order[b->nplaces++] = sorted_of(text + at, key << 8 | (uint32_t)at);
    }
    if (b->nplaces) qsort(order, b->nplaces, sizeof *order, by_text_and_what);
    for (size_t i = 0; i < b->nplaces; i++)
        b->places[i] = order[i].what;
    free(order);
    return 0;
}

static const char *at_place(const struct building *b, uint64_t place) {
    return b->text + b->keys[b->places[place] >> 8] + (b->places[place] & 0xff);
}

static int build_words(struct building *b) {
    const char *last = NULL;
    size_t size = 0;
    b->words = malloc((b->nplaces + 1) * sizeof *b->words);
    if (!b->words) return LINNET_E_NOMEM;
    for (uint64_t i = 0; i < b->nplaces; i++) {
        const char *text = at_place(b, i);
        if (last && !strncmp(text, last, size) && (!text[size] || text[size] == ' ')) continue;
        last = text;
        size = lookup_word(text);
        b->words[b->nwords++] = (uint32_t)i;
    }
    b->words[b->nwords] = (uint32_t)b->nplaces;
    uint32_t *fit = realloc(b->words, (b->nwords + 1) * sizeof *fit);
    if (fit) b->words = fit;
    b->nwords++;
    return 0;
}

/* ---- deletes ---- */

void lookup_each_delete(const char *word, size_t size, unsigned most,
                        void (*each)(void *arg, const char *text, size_t size), void *arg) {
    char one[LOOKUP_PREFIX], two[LOOKUP_PREFIX];
    if (size > LOOKUP_PREFIX) size = LOOKUP_PREFIX;
    each(arg, word, size);
    for (size_t i = 0; most > 0 && i < size; i++) {
        memcpy(one, word, i);
        memcpy(one + i, word + i + 1, size - i - 1);
        each(arg, one, size - 1);
        for (size_t j = i; most > 1 && size > 1 && j < size - 1; j++) { /* at or behind i: each pair once */
            memcpy(two, one, j);
            memcpy(two + j, one + j + 1, size - j - 2);
            each(arg, two, size - 2);
        }
    }
}

struct deleting {
    struct building *b;
    uint32_t word, mask;
    uint32_t *last; /* of each bucket, the last word counted or put there, plus one */
    bool counting;
};

static void count_or_put(void *arg, const char *text, size_t size) {
    struct deleting *d = arg;
    uint32_t bucket = lookup_hash(text, size) & d->mask;
    if (d->last[bucket] == d->word + 1) return;
    d->last[bucket] = d->word + 1;
    if (d->counting)
        d->b->buckets[bucket + 1]++;
    else
        d->b->deletes[d->b->buckets[bucket]++] = d->word;
}

static void walk_words(struct deleting *d) {
    memset(d->last, 0, ((size_t)d->mask + 1) * sizeof *d->last);
    for (d->word = 0; d->word + 1 < d->b->nwords; d->word++) {
        const char *text = at_place(d->b, d->b->words[d->word]);
        size_t size = lookup_word(text);
        lookup_each_delete(text, size, lookup_errors(size), count_or_put, d);
    }
}

static int build_deletes(struct building *b) {
    uint64_t buckets = 1024;
    while (buckets < b->nwords * 16)
        buckets *= 2;
    struct deleting d = {.b = b, .mask = (uint32_t)buckets - 1, .counting = true};
    d.last = malloc(buckets * sizeof *d.last);
    b->buckets = calloc(buckets + 2, sizeof *b->buckets);
    if (!d.last || !b->buckets) {
        free(d.last);
        return LINNET_E_NOMEM;
    }
    walk_words(&d);
    uint64_t total = 0;
    for (uint64_t i = 0; i < buckets; i++)
        total += b->buckets[i + 1];
    b->deletes = total <= UINT32_MAX ? malloc((total + 1) * sizeof *b->deletes) : NULL;
    if (!b->deletes) {
        free(d.last);
        return LINNET_E_NOMEM;
    }
    for (uint64_t i = 1; i <= buckets; i++)
        b->buckets[i] += b->buckets[i - 1];
    d.counting = false;
    walk_words(&d); /* moves each bucket's beginning to its end, which is the next one's beginning */
    memmove(b->buckets + 1, b->buckets, buckets * sizeof *b->buckets);
    b->buckets[0] = 0;
    b->nbuckets = buckets + 1;
    b->ndeletes = total;
    free(d.last);
    return 0;
}

/* ---- common names by taxon ---- */

static int build_common(struct building *b) {
    struct linnet_lookup_builder *from = b->from;
    for (uint64_t i = 0; i < b->nentries; i++)
        b->ncommon += b->entries[i].kind == LINNET_LOOKUP_COMMON;
    b->common = malloc((b->ncommon + 1) * sizeof *b->common);
    uint32_t *next = calloc((size_t)from->ntaxa + 2, sizeof *next);
    if (!b->common || !next) {
        free(next);
        return LINNET_E_NOMEM;
    }
    for (uint64_t i = 0; i < b->nentries; i++)
        if (b->entries[i].kind == LINNET_LOOKUP_COMMON) next[b->entries[i].taxon + 1]++;
    for (uint32_t i = 0; i < from->ntaxa; i++) {
        next[i + 1] += next[i];
        from->taxa[i].common = next[i];
    }
    for (uint32_t i = 0; i < b->nentries; i++) {
        const struct lookup_entry *entry = &b->entries[i];
        if (entry->kind != LINNET_LOOKUP_COMMON) continue;
        /* As they were given: where the name is kept grows with that. */
        uint32_t first = from->taxa[entry->taxon].common, at = next[entry->taxon]++;
        for (; at > first && b->entries[b->common[at - 1]].shown > entry->shown; at--)
            b->common[at] = b->common[at - 1];
        b->common[at] = i;
    }
    free(next);
    return 0;
}

/* ---- the block ---- */

static size_t aligned(size_t size) {
    return (size + 15) & ~(size_t)15;
}

static int assemble(struct building *b, struct linnet_lookup **out) {
    struct lookup_header header = {.magic = LOOKUP_MAGIC};
    size_t size = aligned(sizeof header);
#define X(name, type)                                                                                        \
    header.name##_at = size;                                                                                 \
    header.name##_count = b->n##name;                                                                        \
    size += aligned(b->n##name * sizeof(type));
    LOOKUP_SECTIONS(X)
#undef X
    header.size = size;
    header.check = linnet_hash((const char *)&header + 24, sizeof header - 24);
    struct linnet_lookup *lookup = calloc(1, sizeof *lookup);
    char *block = calloc(1, size);
    if (!lookup || !block) {
        free(lookup);
        free(block);
        return LINNET_E_NOMEM;
    }
    memcpy(block, &header, sizeof header);
#define X(name, type)                                                                                        \
    if (b->n##name) memcpy(block + header.name##_at, b->name, b->n##name * sizeof(type));                    \
    free(b->name);                                                                                           \
    b->name = NULL;
    LOOKUP_SECTIONS(X)
#undef X
    lookup->block = block;
    lookup->size = size;
    *out = lookup;
    return lookup_attach(lookup);
}

int linnet_lookup_build(struct linnet_lookup_builder *builder, struct linnet_lookup **out) {
    struct building b = {.from = builder};
    struct linnet_lookup *lookup = NULL;
    int error = settle(builder);
    if (!error) error = build_keys(&b);
    if (!error) {
        free(builder->names);
        builder->names = NULL;
        linnet_buf_done(&builder->simple);
        error = build_places(&b);
    }
    if (!error) error = build_words(&b);
    if (!error) error = build_deletes(&b);
    if (!error) error = build_common(&b);
    if (!error) {
        size_t size;
        b.ntaxa = builder->ntaxa;
        b.taxa = builder->taxa;
        builder->taxa = NULL;
        b.strings = linnet_buf_take(&builder->strings, &size);
        b.nstrings = size;
        error = assemble(&b, &lookup);
    }
    building_done(&b);
    drop(builder);
    if (error)
        linnet_lookup_free(lookup);
    else
        *out = lookup;
    return error;
}
