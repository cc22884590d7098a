#include "workers/serve/catalog.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct making {
    uv_work_t work;
    struct linnet_references *references;
    struct serve_catalog *catalog;
    void (*done)(void *arg, struct serve_catalog *catalog);
    void *arg;
};

struct named {
    const char *name;
    uint32_t index;
};

static int by_name(const void *a, const void *b) {
    const struct named *one = a, *other = b;
    int order = strcasecmp(one->name, other->name);
    return order != 0 ? order : (one->index > other->index) - (one->index < other->index);
}

static int list_species(struct serve_catalog *catalog) {
    const struct linnet_taxonomy *taxonomy = linnet_references_taxonomy(catalog->references);
    size_t size = linnet_taxonomy_size(taxonomy);
    struct named *all = malloc((size + 1) * sizeof *all);
    if (all == NULL) return LINNET_E_NOMEM;
    for (uint32_t i = 0; i < size; i++) {
        const struct linnet_taxon *taxon = linnet_taxonomy_at(taxonomy, i);
        if (taxon->rank == LINNET_RANK_SPECIES && taxon->accepted == i)
            all[catalog->n++] = (struct named){taxon->scientific_name, i};
    }
    qsort(all, catalog->n, sizeof *all, by_name);
    catalog->species = malloc((catalog->n + 1) * sizeof *catalog->species);
    for (size_t i = 0; catalog->species != NULL && i < catalog->n; i++)
        catalog->species[i] = all[i].index;
    free(all);
    return catalog->species != NULL ? 0 : LINNET_E_NOMEM;
}

static int note_languages(void *arg, const char *id, json_t *document) {
    const char *language;
    json_t *names;
    (void)id;
    json_object_foreach(json_object_get(document, "vernacularNames"), language, names) {
        if (json_object_get(arg, language) == NULL) json_object_set_new(arg, language, json_true());
    }
    return 0;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_languages(struct serve_catalog *catalog) {
    json_t *found = json_pack("{s:b}", "en", 1), *unused;
    const char *language;
    linnet_references_each(catalog->references, "taxon:", note_languages, found);
    const char **sorted = calloc(json_object_size(found) + 1, sizeof *sorted);
    size_t n = 0;
    catalog->languages = json_array();
    if (found != NULL && sorted != NULL) {
        json_object_foreach(found, language, unused) sorted[n++] = language;
        qsort(sorted, n, sizeof *sorted, by_text);
        for (size_t i = 0; i < n; i++)
            json_array_append_new(catalog->languages, json_string(sorted[i]));
    }
    free(sorted);
    json_decref(found);
    return n > 0 && json_array_size(catalog->languages) == n ? 0 : LINNET_E_NOMEM;
}

static int add_names(void *arg, const char *id, json_t *document) {
    return linnet_lookup_add_document(arg, id, document);
}

static int index_names(struct serve_catalog *catalog) {
    struct linnet_lookup_builder *builder = linnet_lookup_builder_new();
    if (builder == NULL) return LINNET_E_NOMEM;
    int rc = linnet_references_each(catalog->references, "taxon:", add_names, builder);
    if (rc == 0) rc = linnet_lookup_build(builder, &catalog->lookup);
    linnet_lookup_builder_free(builder);
    return rc;
}

static void make_work(uv_work_t *work) {
    struct making *making = work->data;
    struct serve_catalog *catalog = calloc(1, sizeof *catalog);
    if (catalog == NULL) return;
    catalog->references = linnet_references_ref(making->references);
    if (list_species(catalog) == 0 && list_languages(catalog) == 0 && index_names(catalog) == 0)
        making->catalog = catalog;
    else
        serve_catalog_free(catalog);
}

static void on_made(uv_work_t *work, int status) {
    struct making *making = work->data;
    (void)status;
    making->done(making->arg, making->catalog);
    linnet_references_unref(making->references);
    free(making);
}

int serve_catalog_make(uv_loop_t *loop, struct linnet_references *references,
                       void (*done)(void *arg, struct serve_catalog *catalog), void *arg) {
    struct making *making = calloc(1, sizeof *making);
    if (making == NULL) return LINNET_E_NOMEM;
    making->references = linnet_references_ref(references);
    making->done = done;
    making->arg = arg;
    making->work.data = making;
    if (uv_queue_work(loop, &making->work, make_work, on_made) == 0) return 0;
    linnet_references_unref(references);
    free(making);
    return LINNET_E_NOMEM;
}

void serve_catalog_free(struct serve_catalog *catalog) {
    if (catalog == NULL) return;
    linnet_references_unref(catalog->references);
    json_decref(catalog->languages);
    linnet_lookup_free(catalog->lookup);
    free(catalog->species);
    free(catalog);
}

static const char *name_at(const struct serve_catalog *catalog, size_t place) {
    return linnet_taxonomy_at(linnet_references_taxonomy(catalog->references), catalog->species[place])
        ->scientific_name;
}

void serve_catalog_prefix(const struct serve_catalog *catalog, const char *prefix, size_t *first,
                          size_t *end) {
    size_t size = strlen(prefix), bounds[2];
    for (int after = 0; after < 2;
         after++) { /* the first that is not before the prefix, then the first that is after it */
        size_t low = 0, high = catalog->n;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            int order = strncasecmp(name_at(catalog, middle), prefix, size);
            if (order < 0 || (after && order == 0))
                low = middle + 1;
            else
                high = middle;
        }
        bounds[after] = low;
    }
    *first = bounds[0];
    *end = bounds[1];
}
