/* A schema on the first line, a value behind it: a schema is loaded or refused, a value is valid or not,
 * nothing else happens. */
#include <string.h>

#include "common/base/json.h"
#include "common/base/schema.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    if (!end) return 0;
    size_t first = (size_t)(end - data);
    json_t *schema = NULL, *value = NULL;
    struct linnet_error err;
    if (!linnet_json_parse((const char *)data, first, 0, &schema, &err) &&
        !linnet_json_parse((const char *)end + 1, size - first - 1, 0, &value, &err)) {
        struct linnet_schemas *set = linnet_schemas_new();
        if (!set) abort();
        if (!linnet_schemas_add(set, "s", schema, &err)) {
            int rc = linnet_schemas_check(set, "s", value, &err);
            if (rc != linnet_schemas_check(set, "s", value, NULL)) abort();
            linnet_schemas_fill(set, "s", value);
        }
        linnet_schemas_free(set);
    }
    json_decref(schema);
    json_decref(value);
    return 0;
}
