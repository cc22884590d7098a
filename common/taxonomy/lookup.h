/* Names looked up as people type them: with typing errors, without accents, capitals, authors or hybrid
 * signs, or only their beginning; scientific names, synonyms and common names alike.
 *
 * The index is one block of memory without pointers: built once, then immutable, shared by any threads, saved
 * as it is and mapped back. Measured figures are in tests/bench/flora.
 *
 * How it works. Simplified names (name.h) lie sorted; an array of all their words' places, sorted by what
 * follows, finds everything that begins with a text, at any word, by two binary searches. For typing errors
 * there is a table of the distinct words: each stands under every text that is left of its first seven bytes
 * when up to two are taken out, so that words within a distance of two share an entry (W. Garbe's symmetric
 * deletes, 2012; after T. Bocek et al., Fast similarity search in large dictionaries, 2007). Of the words
 * of a query the one that fewest names have is taken, and each of these names is measured against the whole
 * query (osa.h). A trie walked by an automaton needs less memory but an order of magnitude more time at two
 * errors, and trigrams are in far too many names: half of all epithets end alike. */
#ifndef LINNET_TAXONOMY_LOOKUP_H
#define LINNET_TAXONOMY_LOOKUP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/taxonomy/taxonomy.h"

#define LINNET_LOOKUP_NAMES ((uint32_t)1 << 24) /* most names */

enum linnet_lookup_kind { LINNET_LOOKUP_ACCEPTED, LINNET_LOOKUP_SYNONYM, LINNET_LOOKUP_COMMON };
/* How a name was found, best first: the whole of it; its beginning; the beginning of one of its words; with
 * typing errors; its beginning with typing errors. */
enum linnet_lookup_how {
    LINNET_LOOKUP_EXACT,
    LINNET_LOOKUP_PREFIX,
    LINNET_LOOKUP_WORD,
    LINNET_LOOKUP_FUZZY,
    LINNET_LOOKUP_FUZZY_PREFIX
};

struct linnet_lookup;
struct linnet_lookup_builder;

/* One taxon that was found, by the best of its names. Texts are the index's. */
struct linnet_lookup_match {
    const char *id;              /* "taxon:<id>" of the accepted taxon */
    const char *scientific_name; /* its own */
    const char *authorship;
    enum linnet_rank rank;
    uint32_t taxon;   /* its place in the index */
    const char *name; /* the name that was found, as it is written */
    enum linnet_lookup_kind kind;
    const char *language; /* of a common name; "" */
    enum linnet_lookup_how how;
    unsigned distance; /* typing errors */
};

struct linnet_lookup_options {
    size_t limit;         /* most matches */
    const char *language; /* common names of this language only; NULL: of all */
    bool prefix_only;     /* no typing errors: for completion while somebody types */
};

/* ---- building: one thread ---- */

struct linnet_lookup_builder *linnet_lookup_builder_new(void); /* NULL: out of memory */
void linnet_lookup_builder_free(struct linnet_lookup_builder *builder);
/* Add an accepted taxon; its own name is looked up too. *taxon is its place. LINNET_E_LIMIT, LINNET_E_NOMEM.
 */
int linnet_lookup_add_taxon(struct linnet_lookup_builder *builder, const char *id, const char *name,
                            const char *authors, enum linnet_rank rank, uint32_t *taxon);
/* Add a name of a taxon. `language` is for common names, else NULL. As above. */
int linnet_lookup_add_name(struct linnet_lookup_builder *builder, uint32_t taxon, const char *name,
                           enum linnet_lookup_kind kind, const char *language);
/* Add a document of kind taxon with all its names. One that is a synonym by itself waits for the taxon that
 * it names until linnet_lookup_build; if that never comes it is left out. As above. */
int linnet_lookup_add_document(struct linnet_lookup_builder *builder, const char *id, const json_t *document);
/* Build. The builder is empty after, and is to be freed. LINNET_E_NOMEM. */
int linnet_lookup_build(struct linnet_lookup_builder *builder, struct linnet_lookup **out);

/* ---- files ---- */

/* Write to a file, whole or not at all. LINNET_E_IO. */
int linnet_lookup_save(const struct linnet_lookup *lookup, const char *path, struct linnet_error *err);
/* Map a file. LINNET_E_NOT_FOUND, LINNET_E_IO, LINNET_E_PARSE for one that is no index, of another version or
 * damaged. */
int linnet_lookup_open(const char *path, struct linnet_lookup **out, struct linnet_error *err);
void linnet_lookup_free(struct linnet_lookup *lookup); /* NULL is safe */

/* ---- looking up: any thread ---- */

/* Find a name: up to options->limit matches, best first (how, then distance, then accepted names before
 * synonyms before common ones, then shorter ones), each taxon once. Returns how many; 0 also if there is no
 * memory to work in. */
size_t linnet_lookup_find(const struct linnet_lookup *lookup, const char *query,
                          const struct linnet_lookup_options *options, struct linnet_lookup_match *matches);
/* The commonest common name of a taxon in a language (BCP 47; "pt" is taken for "pt-BR" too); NULL: none. */
const char *linnet_lookup_common(const struct linnet_lookup *lookup, uint32_t taxon, const char *language);
/* Distinct names, all names, taxa, and bytes of the index. */
struct linnet_lookup_size {
    uint32_t keys, names, taxa, words;
    size_t bytes;
};
struct linnet_lookup_size linnet_lookup_size(const struct linnet_lookup *lookup);

#endif
