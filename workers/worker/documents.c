#include "workers/worker/documents.h"

#include <string.h>

#include "common/base/json.h"
#include "workers/worker/embedded.h"

int linnet_document_schemas(struct linnet_schemas **out, struct linnet_error *err) {
    struct linnet_schemas *set = linnet_schemas_new();
    if (set == NULL) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    for (const struct linnet_embedded *file = linnet_embedded_schemas; file->name != NULL; file++) {
        json_t *schema = NULL;
        int rc = linnet_json_parse(file->text, strlen(file->text), 0, &schema, err);
        if (rc == 0) rc = linnet_schemas_add(set, file->name, schema, err);
        json_decref(schema);
        if (rc != 0) {
            linnet_schemas_free(set);
            return linnet_error_prefix(err, "schema %s", file->name);
        }
    }
    *out = set;
    return 0;
}
