#include "workers/cli/bundle.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"

enum { FORMAT = 1, SIZE_MOST = 16 << 20 };

/* A build has build/bin/linnet and build/couchapp.json; an installation bin/linnet and
 * share/linnet/couchapp.json. */
static const char *const places[] = {"/../couchapp.json", "/../share/linnet/couchapp.json"};

static int beside_program(char path[PATH_MAX]) {
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) return LINNET_E_NOT_FOUND;
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash) *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int size = snprintf(path, PATH_MAX, "%s%s", program, places[i]);
        if (size > 0 && size < PATH_MAX && access(path, R_OK) == 0) return 0;
    }
    return LINNET_E_NOT_FOUND;
}

int linnet_bundle_load(const char *path, json_t **out, struct linnet_error *err) {
    char found[PATH_MAX];
    if (!path) path = getenv("LINNET_COUCHAPP");
    if (!path || !*path) {
        if (beside_program(found))
            return linnet_error_set(
                err, LINNET_E_NOT_FOUND,
                "couchapp.json is not beside the program; name it with --couchapp or LINNET_COUCHAPP");
        path = found;
    }
    json_t *bundle;
    int rc = linnet_json_load_file(path, SIZE_MOST, &bundle, err);
    if (rc) return rc;
    if (linnet_json_integer(bundle, "format", 0) != FORMAT ||
        !json_is_object(linnet_json_at(bundle, "databases/main"))) {
        json_decref(bundle);
        return linnet_error_set(err, LINNET_E_UNSUPPORTED, "%s is no couchapp of format %d", path, FORMAT);
    }
    *out = bundle;
    return 0;
}

const json_t *linnet_bundle_database(const json_t *bundle, enum linnet_database database) {
    static const char *const names[] = {"databases/main", "databases/reference", "databases/ops"};
    return database < LINNET_DB_NONE ? linnet_json_at(bundle, names[database]) : NULL;
}
