/* The worker's configuration file, as an admin may have mistyped it: complete and valid, or refused in words.
 */
#include <string.h>

#include "common/base/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"
#include "workers/worker/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct linnet_worker_overrides overrides = {.file = memory_file(data, size)};
    struct linnet_error err = {0};
    json_t *config = NULL;
    int code = linnet_worker_config_load(&overrides, &config, &err);
    if (code != 0) {
        HOLD(!config && err.detail[0] && err.code == code);
        return 0;
    }
    HOLD(strstr(linnet_json_string(config, "couchdb/url", ""), "://"));
    HOLD(linnet_json_string(config, "state_dir", NULL) && linnet_json_string(config, "name", NULL));
    HOLD(json_is_array(json_object_get(config, "plugin_path")));
    HOLD(!linnet_worker_config_needs_restart(config, config));
    json_decref(config);
    return 0;
}
