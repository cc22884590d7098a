#include "workers/cli/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int linnet_file_read(const char *path, size_t limit, void **out, size_t *size, struct linnet_error *err) {
    struct stat status;
    FILE *file = fopen(path, "re");
    if (!file || fstat(fileno(file), &status) != 0) {
        int error = linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
        if (file) fclose(file);
        return error;
    }
    int error = 0;
    char *data = NULL;
    if (!S_ISREG(status.st_mode))
        error = linnet_error_set(err, LINNET_E_IO, "%s is not a regular file", path);
    else if ((size_t)status.st_size > limit)
        error = linnet_error_set(err, LINNET_E_LIMIT, "%s has %lld bytes; at most %zu are taken", path,
                                 (long long)status.st_size, limit);
    else if (!(data = malloc((size_t)status.st_size + 1)))
        error = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (!error && fread(data, 1, (size_t)status.st_size, file) != (size_t)status.st_size)
        error = linnet_error_set(err, LINNET_E_IO, "%s: %s", path,
                                 ferror(file) ? strerror(errno) : "it shrank while it was read");
    fclose(file);
    if (error) {
        free(data);
        return error;
    }
    data[status.st_size] = '\0';
    *out = data;
    *size = (size_t)status.st_size;
    return 0;
}
