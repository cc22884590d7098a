#include "workers/host/references.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/json.h"

/* One document. In order of id once finished. */
struct entry {
    const char *id; /* in the document */
    json_t *document;
    size_t order; /* of arrival: of two with one id the later counts */
};

struct file {
    char *id, *name, *path;
};

struct linnet_references {
    atomic_int references;
    struct entry *entries;
    size_t nentries, entries_capacity;
    struct file *files;
    size_t nfiles;
    struct linnet_taxonomy *taxonomy;
};

struct linnet_references *linnet_references_new(void) {
    struct linnet_references *references = calloc(1, sizeof(*references));
    if (!references) return NULL;
    atomic_init(&references->references, 1);
    references->taxonomy = linnet_taxonomy_new();
    if (references->taxonomy) return references;
    free(references);
    return NULL;
}

struct linnet_references *linnet_references_ref(struct linnet_references *references) {
    atomic_fetch_add_explicit(&references->references, 1, memory_order_relaxed);
    return references;
}

void linnet_references_unref(struct linnet_references *references) {
    if (!references || atomic_fetch_sub_explicit(&references->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < references->nentries; i++)
        json_decref(references->entries[i].document);
    for (size_t i = 0; i < references->nfiles; i++) {
        free(references->files[i].id);
        free(references->files[i].name);
        free(references->files[i].path);
    }
    free(references->entries);
    free(references->files);
    linnet_taxonomy_free(references->taxonomy);
    free(references);
}

int linnet_references_add(struct linnet_references *references, json_t *document, struct linnet_error *err) {
    const char *id = json_string_value(json_object_get(document, "_id"));
    if (!id) return linnet_error_set(err, LINNET_E_INVALID, "a reference document without _id");
    if (references->nentries == references->entries_capacity) {
        size_t capacity = references->entries_capacity ? references->entries_capacity * 2 : 256;
        struct entry *entries = realloc(references->entries, capacity * sizeof(*entries));
        if (!entries) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
        references->entries = entries;
        references->entries_capacity = capacity;
    }
    references->entries[references->nentries] =
        (struct entry){id, json_incref(document), references->nentries};
    references->nentries++;
    return 0;
}

int linnet_references_add_file(struct linnet_references *references, const char *id, const char *name,
                               const char *path) {
    struct file *files = realloc(references->files, (references->nfiles + 1) * sizeof(*files));
    if (!files) return LINNET_E_NOMEM;
    references->files = files;
    struct file file = {strdup(id), strdup(name), strdup(path)};
    if (!file.id || !file.name || !file.path) {
        free(file.id);
        free(file.name);
        free(file.path);
        return LINNET_E_NOMEM;
    }
    files[references->nfiles++] = file;
    return 0;
}

static int by_id_then_order(const void *a, const void *b) {
    const struct entry *one = a, *other = b;
    int order = strcmp(one->id, other->id);
    return order ? order : (one->order > other->order) - (one->order < other->order);
}

/* Of several documents with one id keep the last. */
static void drop_replaced(struct linnet_references *references) {
    size_t kept = 0;
    for (size_t i = 0; i < references->nentries; i++) {
        bool last = i + 1 == references->nentries ||
                    strcmp(references->entries[i].id, references->entries[i + 1].id) != 0;
        if (last)
            references->entries[kept++] = references->entries[i];
        else
            json_decref(references->entries[i].document);
    }
    references->nentries = kept;
}

int linnet_references_finish(struct linnet_references *references, struct linnet_error *err) {
    if (references->nentries > 1)
        qsort(references->entries, references->nentries, sizeof(*references->entries), by_id_then_order);
    drop_replaced(references);
    for (size_t i = 0; i < references->nentries; i++) {
        const struct entry *entry = &references->entries[i];
        if (strncmp(entry->id, "taxon:", 6) != 0) continue;
        int rc = linnet_taxonomy_add(references->taxonomy, entry->id, entry->document, err);
        if (rc) return rc;
    }
    size_t orphans;
    return linnet_taxonomy_finish(references->taxonomy, &orphans, err);
}

/* The first entry whose id is not before `id`. */
static size_t lower_bound(const struct linnet_references *references, const char *id) {
    size_t low = 0, high = references->nentries;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(references->entries[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

json_t *linnet_references_get(const struct linnet_references *references, const char *id) {
    size_t place = lower_bound(references, id);
    if (place == references->nentries || strcmp(references->entries[place].id, id) != 0) return NULL;
    return references->entries[place].document;
}

int linnet_references_each(const struct linnet_references *references, const char *prefix,
                           int (*each)(void *arg, const char *id, json_t *document), void *arg) {
    size_t size = strlen(prefix);
    for (size_t i = lower_bound(references, prefix); i < references->nentries; i++) {
        const struct entry *entry = &references->entries[i];
        if (strncmp(entry->id, prefix, size) != 0) break;
        int rc = each(arg, entry->id, entry->document);
        if (rc) return rc;
    }
    return 0;
}

const char *linnet_references_file(const struct linnet_references *references, const char *id,
                                   const char *name) {
    for (size_t i = references->nfiles; i-- > 0;)
        if (!strcmp(references->files[i].id, id) && !strcmp(references->files[i].name, name))
            return references->files[i].path;
    return NULL;
}

const struct linnet_taxonomy *linnet_references_taxonomy(const struct linnet_references *references) {
    return references->taxonomy;
}
