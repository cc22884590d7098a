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
