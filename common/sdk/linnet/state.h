/* linnet/state.h: for plugins of scope `site`: keeping state on local disk so that a kill leaves the old one
 * or the new one. Header only; optional. */
#ifndef LINNET_STATE_H
#define LINNET_STATE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Replace <folder>/<name> by what `write` puts into the file that it is given (0 on success): written aside,
 * synced, renamed, the folder synced. Blocks. 0, or -1 with errno set and the old file in place. */
static inline int linnet_state_save(const char *folder, const char *name, int (*write)(FILE *file, void *arg),
                                    void *arg) {
    char path[4096], aside[4200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    snprintf(aside, sizeof aside, "%s.new", path);
    FILE *file = fopen(aside, "we");
    if (!file) return -1;
    int error = write(file, arg) != 0 || fflush(file) != 0 || fsync(fileno(file)) != 0;
    if (fclose(file) != 0) error = 1;
    if (error || rename(aside, path) != 0) {
        int saved = errno;
        unlink(aside);
        errno = saved;
        return -1;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    error = fsync(fd);
    close(fd);
    return error;
}

#endif
