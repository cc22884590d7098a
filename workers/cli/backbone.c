#include "workers/cli/backbone.h"

#include "common/base/json.h"

int linnet_backbone_load(struct linnet_store *store, struct linnet_taxonomy **out, struct linnet_error *err) {
    json_t *documents = NULL, *document;
    size_t i, orphans;
    int error =
        linnet_store_range(store, LINNET_DB_REFERENCE, "taxon:", "taxon:\xef\xbf\xb0", 0, &documents, err);
    if (error) return error;
    if (json_array_size(documents) == 0) {
        json_decref(documents);
        return linnet_error_set(
            err, LINNET_E_NOT_FOUND,
            "there is no taxon in the store yet; load a backbone first (linnet reference load taxa.jsonl)");
    }
    struct linnet_taxonomy *taxonomy = linnet_taxonomy_new();
    error = taxonomy ? 0 : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    json_array_foreach(documents, i, document) {
        if (error) break;
        error = linnet_taxonomy_add(taxonomy, linnet_json_string(document, "_id", ""), document, err);
    }
    json_decref(documents);
    if (!error) error = linnet_taxonomy_finish(taxonomy, &orphans, err);
    if (error)
        linnet_taxonomy_free(taxonomy);
    else
        *out = taxonomy;
    return error;
}

/* Add all documents of a kind. */
static int add_kind(struct linnet_store *store, const char *start, const char *end,
                    struct linnet_references *references, struct linnet_error *err) {
    json_t *documents = NULL, *document;
    size_t i;
    int error = linnet_store_range(store, LINNET_DB_REFERENCE, start, end, 0, &documents, err);
    json_array_foreach(documents, i, document) {
        if (!error) error = linnet_references_add(references, document, err);
    }
    json_decref(documents);
    return error;
}

int linnet_backbone_references(struct linnet_store *store, struct linnet_references **out,
                               struct linnet_error *err) {
    struct linnet_references *references = linnet_references_new();
    int error = references ? 0 : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (!error) error = add_kind(store, "taxon:", "taxon:\xef\xbf\xb0", references, err);
    if (!error) error = add_kind(store, "flora:", "flora:\xef\xbf\xb0", references, err);
    if (!error) error = linnet_references_finish(references, err);
    if (error)
        linnet_references_unref(references);
    else
        *out = references;
    return error;
}
