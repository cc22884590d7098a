#include "common/base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int linnet_map_file(const char *path, void **bytes, size_t *size, struct linnet_error *err) {
    struct stat status = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC), error = fd < 0 || fstat(fd, &status) != 0 ? errno : 0;
    *bytes = NULL;
    *size = error == 0 && status.st_size > 0 ? (size_t)status.st_size : 0;
    if (*size > 0) {
        *bytes = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (*bytes == MAP_FAILED) error = errno;
    }
    if (fd >= 0) close(fd);
    if (error == 0) return 0;
    *bytes = NULL;
    return linnet_error_set(err, error == ENOENT ? LINNET_E_NOT_FOUND : LINNET_E_IO, "%s: %s", path,
                            strerror(error));
}
