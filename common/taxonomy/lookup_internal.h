/* The block that an index is. Shared by the files lookup_*.c. All numbers in the machine's own order; the
 * file's magic tells another one. */
#ifndef LINNET_TAXONOMY_LOOKUP_INTERNAL_H
#define LINNET_TAXONOMY_LOOKUP_INTERNAL_H

#include "common/base/buf.h"
#include "common/taxonomy/lookup.h"

#define LOOKUP_MAGIC  UINT64_C(0x316b6f6f4c6e694c) /* "LinLook1" */
#define LOOKUP_PREFIX 7                            /* bytes of a word that deletes are made of */
#define LOOKUP_NAME   255                          /* bytes of a simplified name; the rest is cut off */

/*        section     type                      what */
#define LOOKUP_SECTIONS(X)                                                                                   \
    X(text, char)                   /* simplified names, each terminated, in order, each once */             \
    X(keys, uint32_t)               /* where each begins; one more: the end */                               \
    X(letters, uint32_t)            /* which letters each has, to pass over most of them unread */           \
    X(posts, uint32_t)              /* its first entry; one more: the end */                                 \
    X(entries, struct lookup_entry) /* who is called so */                                                   \
    X(places, uint32_t)             /* key << 8 | byte where a word begins, by what follows */               \
    X(words, uint32_t)              /* of each distinct word the first place; one more: the end */           \
    X(buckets, uint32_t)            /* of deletes: by hash, where its words begin; one more: the end */      \
    X(deletes, uint32_t)            /* words */                                                              \
    X(taxa, struct lookup_taxon)                                                                             \
    X(common, uint32_t) /* entries that are common names, by taxon, as they were given */                    \
    X(strings, char)    /* ids and names as they are written */

struct lookup_entry {
    uint32_t taxon, shown; /* shown: in strings */
    uint32_t language;     /* in strings; 0: none */
    uint32_t kind;
};

struct lookup_taxon {
    uint32_t id, name, authors; /* in strings */
    uint32_t rank;
    uint32_t common; /* its first in `common`; they go to the next taxon's */
};

struct lookup_header {
    uint64_t magic, size;
    uint64_t check; /* of the sizes below */
#define X(name, type) uint64_t name##_at, name##_count;
    LOOKUP_SECTIONS(X)
#undef X
};

struct linnet_lookup {
    void *block;
    size_t size;
    bool mapped;
    const struct lookup_header *header;
#define X(name, type)                                                                                        \
    const type *name;                                                                                        \
    uint32_t n##name;
    LOOKUP_SECTIONS(X)
#undef X
};

/* The table's hash of a text of up to LOOKUP_PREFIX bytes. */
static inline uint32_t lookup_hash(const char *text, size_t size) {
    uint64_t packed = size;
    for (size_t i = 0; i < size; i++)
        packed = packed << 8 | (unsigned char)text[i];
    packed *= UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(packed >> 32);
}

/* The set of a text's bytes in 32 bits: letters one each, all else by its low bits. */
static inline uint32_t lookup_letters(const char *text, size_t size) {
    uint32_t set = 0;
    for (size_t i = 0; i < size; i++)
        set |= (uint32_t)1 << ((unsigned char)text[i] & 31);
    return set;
}

/* The word at `text`: bytes up to a space or the end. */
static inline size_t lookup_word(const char *text) {
    size_t size = 0;
    while (text[size] && text[size] != ' ')
        size++;
    return size;
}

/* A name simplified for the index and for queries: the words that people leave out ("x", "subsp", ...) gone,
 * at most LOOKUP_NAME bytes. LINNET_E_NOMEM. */
int lookup_simplify(const char *name, struct linnet_buf *out);
/* Call `each` with every different text that is left of a word's first LOOKUP_PREFIX bytes when up to
 * `most` (0 to 2) of them are taken out. Some come twice. */
void lookup_each_delete(const char *word, size_t size, unsigned most,
                        void (*each)(void *arg, const char *text, size_t size), void *arg);
/* How many deletes are made of a word of this size. */
static inline unsigned lookup_errors(size_t size) {
    return size <= 3 ? 0 : size <= 5 ? 1 : 2;
}
/* Set the pointers of a lookup whose block and size are given. LINNET_E_PARSE if it does not hold together.
 */
int lookup_attach(struct linnet_lookup *lookup);

#endif
