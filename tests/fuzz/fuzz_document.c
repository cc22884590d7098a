/* Anybody's document against every schema of the repository. */
#include <string.h>

#include "common/base/json.h"
#include "common/base/schema.h"
#include "tests/fuzz/fuzz.h"

static const char *const KINDS[] = {
    "observation", "image",      "validation", "normalized", "prediction", "identification", "consensus",
    "taxon",       "flora",      "model",      "reviewer",   "wanted",     "skill",          "share",
    "retry",       "deadletter", "suspect",    "worker",     "retraining", "backfill",       "identity",
    "settle",      "epoch"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct linnet_schemas *set;
    struct linnet_error err;
    if (!set && (!(set = linnet_schemas_new()) || linnet_schemas_add_folder(set, LINNET_SCHEMAS, &err)))
        abort();
    json_t *value = NULL;
    if (linnet_json_parse((const char *)data, size, 0, &value, &err)) return 0;
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++)
        if (linnet_schemas_check(set, KINDS[i], value, &err) == LINNET_E_NOT_FOUND) abort();
    json_decref(value);
    return 0;
}
