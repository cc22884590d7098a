#include "tests/data/output.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/data/options.h"

int linnet_flora_make_folder(const char *path) {
    char part[4096];
    size_t n = strlen(path);
    if (!n || n >= sizeof part) {
        errno = n ? ENAMETOOLONG : ENOENT;
        return -1;
    }
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i]) continue;
        part[i] = 0;
        if (mkdir(part, 0777) && errno != EEXIST) return -1;
        part[i] = path[i];
    }
    return 0;
}

FILE *linnet_flora_create(const char *command, const char *folder, const char *name) {
    char path[4096];
    FILE *file = NULL;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path) file = fopen(path, "wb");
    if (!file) linnet_flora_complain(command, "%s/%s: %s", folder, name, strerror(errno));
    return file;
}

int linnet_flora_close(const char *command, FILE *file, const char *name) {
    int failed = ferror(file);
    if (fclose(file)) failed = 1;
    return failed ? linnet_flora_complain(command, "%s was not written whole: %s", name, strerror(errno)) : 0;
}

int linnet_flora_put_line(FILE *file, json_t *value) {
    int rc = value ? json_dumpf(value, file, JSON_COMPACT | JSON_REAL_PRECISION(12)) : -1;
    json_decref(value);
    return rc || fputc('\n', file) == EOF ? -1 : 0;
}
