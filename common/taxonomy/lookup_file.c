#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/digest.h"
#include "common/base/map.h"
#include "common/taxonomy/lookup_internal.h"

/* Offsets never go down and never beyond `most`. */
static bool rises(const uint32_t *numbers, uint32_t n, uint64_t most) {
    for (uint32_t i = 0; i < n; i++)
        if (numbers[i] > most || (i && numbers[i] < numbers[i - 1])) return false;
    return n > 0;
}

static bool below(const uint32_t *numbers, uint32_t n, uint32_t limit) {
    for (uint32_t i = 0; i < n; i++)
        if (numbers[i] >= limit) return false;
    return true;
}

static bool places_are_inside(const struct linnet_lookup *lookup) {
    for (uint32_t i = 0; i < lookup->nplaces; i++) {
        uint32_t key = lookup->places[i] >> 8;
        if (key + 1 >= lookup->nkeys) return false;
        if (lookup->keys[key] + (lookup->places[i] & 0xff) >= lookup->keys[key + 1]) return false;
    }
    return true;
}

static bool texts_are_inside(const struct linnet_lookup *lookup) {
    for (uint32_t i = 0; i < lookup->nentries; i++) {
        const struct lookup_entry *entry = &lookup->entries[i];
        if (entry->taxon >= lookup->ntaxa || entry->shown >= lookup->nstrings ||
            entry->language >= lookup->nstrings || entry->kind > LINNET_LOOKUP_COMMON)
            return false;
    }
    for (uint32_t i = 0; i < lookup->ntaxa; i++) {
        const struct lookup_taxon *taxon = &lookup->taxa[i];
        if (taxon->id >= lookup->nstrings || taxon->name >= lookup->nstrings ||
            taxon->authors >= lookup->nstrings || taxon->rank > LINNET_RANK_OTHER ||
            taxon->common > lookup->ncommon || (i && taxon->common < taxon[-1].common))
            return false;
    }
    return lookup->nstrings && !lookup->strings[lookup->nstrings - 1];
}

/* Every key ends within the text: so does everything that is read of it. */
static bool keys_end(const struct linnet_lookup *lookup) {
    for (uint32_t i = 0; i + 1 < lookup->nkeys; i++)
        if (lookup->keys[i] == lookup->keys[i + 1] || lookup->text[lookup->keys[i + 1] - 1]) return false;
    return true;
}

/* Nothing that a damaged file says leads outside of it. */
static bool holds_together(const struct linnet_lookup *lookup) {
    uint32_t buckets = lookup->nbuckets - 1;
    return rises(lookup->keys, lookup->nkeys, lookup->ntext) && lookup->nposts == lookup->nkeys &&
           lookup->nletters + 1 == lookup->nkeys && rises(lookup->posts, lookup->nposts, lookup->nentries) &&
           keys_end(lookup) && places_are_inside(lookup) &&
           rises(lookup->words, lookup->nwords, lookup->nplaces) && lookup->nbuckets > 1 &&
           !(buckets & (buckets - 1)) && rises(lookup->buckets, lookup->nbuckets, lookup->ndeletes) &&
           below(lookup->deletes, lookup->ndeletes, lookup->nwords - 1) &&
           below(lookup->common, lookup->ncommon, lookup->nentries) && texts_are_inside(lookup);
}

int lookup_attach(struct linnet_lookup *lookup) {
    const struct lookup_header *header = lookup->block;
    if (lookup->size < sizeof *header || header->magic != LOOKUP_MAGIC || header->size != lookup->size ||
        header->check != linnet_hash((const char *)header + 24, sizeof *header - 24))
        return LINNET_E_PARSE;
    lookup->header = header;
#define X(section, type)                                                                                     \
    if (header->section##_at % 16 || header->section##_at > lookup->size ||                                  \
        header->section##_count > UINT32_MAX ||                                                              \
        header->section##_count * sizeof(type) > lookup->size - header->section##_at)                        \
        return LINNET_E_PARSE;                                                                               \
    lookup->section = (const type *)((const char *)lookup->block + header->section##_at);                    \
    lookup->n##section = (uint32_t)header->section##_count;
    LOOKUP_SECTIONS(X)
#undef X
    return holds_together(lookup) ? 0 : LINNET_E_PARSE;
}

static int write_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

int linnet_lookup_save(const struct linnet_lookup *lookup, const char *path, struct linnet_error *err) {
    char part[4096];
    int length = snprintf(part, sizeof part, "%s.part-%d", path, (int)getpid());
    int fd = length < (int)sizeof part ? open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
    if (fd < 0) return linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    int failed = write_all(fd, lookup->block, lookup->size) || fsync(fd);
    failed |= close(fd);
    if (!failed) failed = rename(part, path);
    if (!failed) return 0;
    linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    unlink(part);
    return LINNET_E_IO;
}

int linnet_lookup_open(const char *path, struct linnet_lookup **out, struct linnet_error *err) {
    void *block;
    size_t size;
    int rc = linnet_map_file(path, &block, &size, err);
    if (rc) return rc;
    struct linnet_lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup) {
        if (block) munmap(block, size);
        return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    lookup->block = block;
    lookup->size = size;
    lookup->mapped = block != NULL;
    int error = lookup->mapped ? lookup_attach(lookup) : LINNET_E_PARSE;
    if (error) {
        linnet_lookup_free(lookup);
        return linnet_error_set(err, error,
                                "%s is no index of names by this version of Linnet, or is damaged", path);
    }
    *out = lookup;
    return 0;
}

void linnet_lookup_free(struct linnet_lookup *lookup) {
    if (!lookup) return;
    if (lookup->mapped)
        munmap(lookup->block, lookup->size);
    else if (lookup->block != MAP_FAILED)
        free(lookup->block);
    free(lookup);
}

struct linnet_lookup_size linnet_lookup_size(const struct linnet_lookup *lookup) {
    return (struct linnet_lookup_size){lookup->nletters, lookup->nentries, lookup->ntaxa, lookup->nwords - 1,
                                       lookup->size};
}
