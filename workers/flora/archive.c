#include "workers/flora/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#define RATIO_FROM ((uint64_t)64 << 20)

struct linnet_archive {
    int folder; /* -1: a zip file */
    zip_t *zip;
    char inside[256]; /* "name/" where all of a zip file lies in one folder */
};

struct linnet_stream {
    int fd; /* -1: a member */
    zip_file_t *member;
    uint64_t size, packed, given;
};

/* ---- archives ---- */

static int zip_failed(int code, const char *path, struct linnet_error *err) {
    zip_error_t why;
    zip_error_init_with_code(&why, code);
    int rc = code == ZIP_ER_MEMORY ? LINNET_E_NOMEM : code == ZIP_ER_OPEN ? LINNET_E_IO : LINNET_E_PARSE;
    linnet_error_set(err, rc, "%s: %s", path, zip_error_strerror(&why));
    zip_error_fini(&why);
    return rc;
}

/* Where meta.xml lies, or the first member: at the top, or in a folder there. */
static void find_inside(struct linnet_archive *archive) {
    zip_int64_t place = zip_name_locate(archive->zip, "meta.xml", ZIP_FL_NODIR);
    const char *name = zip_get_name(archive->zip, place < 0 ? 0 : (zip_uint64_t)place, 0);
    const char *slash = name ? strchr(name, '/') : NULL;
    size_t size = slash ? (size_t)(slash - name) + 1 : 0;
    if (size == 0 || size >= sizeof archive->inside) return;
    memcpy(archive->inside, name, size);
    archive->inside[size] = '\0';
}

static int open_zip(const char *path, struct linnet_archive *archive, struct linnet_error *err) {
    int code = 0;
    archive->zip = zip_open(path, ZIP_RDONLY, &code);
    if (!archive->zip) return zip_failed(code, path, err);
    zip_int64_t members = zip_get_num_entries(archive->zip, 0);
    if (members > LINNET_ARCHIVE_MEMBERS)
        return linnet_error_set(err, LINNET_E_LIMIT, "%s has %lld members, more than the %d allowed", path,
                                (long long)members, LINNET_ARCHIVE_MEMBERS);
    find_inside(archive);
    return 0;
}

int linnet_archive_open(const char *path, struct linnet_archive **out, struct linnet_error *err) {
    struct stat what;
    if (stat(path, &what) != 0)
        return linnet_error_set(err, errno == ENOENT ? LINNET_E_NOT_FOUND : LINNET_E_IO, "%s: %s", path,
                                strerror(errno));
    struct linnet_archive *archive = calloc(1, sizeof *archive);
    if (!archive) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    int error = 0;
    archive->folder = -1;
    if (S_ISDIR(what.st_mode)) {
        archive->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (archive->folder < 0) error = linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    } else {
        error = open_zip(path, archive, err);
    }
    if (error)
        linnet_archive_close(archive);
    else
        *out = archive;
    return error;
}

void linnet_archive_close(struct linnet_archive *archive) {
    if (!archive) return;
    if (archive->zip) zip_discard(archive->zip);
    if (archive->folder >= 0) close(archive->folder);
    free(archive);
}

static bool is_plain(const char *name) {
    size_t size = strlen(name);
    if (size == 0 || size > 200 || !strcmp(name, ".") || !strcmp(name, "..")) return false;
    return !strpbrk(name, "/\\");
}

/* The member's full name in the zip file. */
static zip_int64_t locate(const struct linnet_archive *archive, const char *name) {
    char full[512];
    snprintf(full, sizeof full, "%s%s", archive->inside, name);
    return zip_name_locate(archive->zip, full, 0);
}

bool linnet_archive_has(const struct linnet_archive *archive, const char *name) {
    struct stat what;
    if (!is_plain(name)) return false;
    if (archive->zip) return locate(archive, name) >= 0;
    return fstatat(archive->folder, name, &what, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(what.st_mode);
}

/* ---- streams ---- */

static int of_descriptor(int fd, const char *name, struct linnet_stream **out, struct linnet_error *err) {
    struct stat what;
    struct linnet_stream *stream;
    int error = 0;
    if (fstat(fd, &what) != 0)
        error = linnet_error_set(err, LINNET_E_IO, "%s: %s", name, strerror(errno));
    else if (S_ISDIR(what.st_mode))
        error = linnet_error_set(err, LINNET_E_IO, "%s is a folder", name);
    else if (!(stream = calloc(1, sizeof *stream)))
        error = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (error) {
        close(fd);
        return error;
    }
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    stream->fd = fd;
    stream->size = S_ISREG(what.st_mode) ? (uint64_t)what.st_size : 0;
    *out = stream;
    return 0;
}

int linnet_stream_open(const char *path, struct linnet_stream **out, struct linnet_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return linnet_error_set(err, errno == ENOENT ? LINNET_E_NOT_FOUND : LINNET_E_IO, "%s: %s", path,
                                strerror(errno));
    return of_descriptor(fd, path, out, err);
}

static int of_member(struct linnet_archive *archive, const char *name, struct linnet_stream **out,
                     struct linnet_error *err) {
    zip_int64_t place = locate(archive, name);
    zip_stat_t what;
    if (place < 0)
        return linnet_error_set(err, LINNET_E_NOT_FOUND, "the archive has no member %s%s", archive->inside,
                                name);
    if (zip_stat_index(archive->zip, (zip_uint64_t)place, 0, &what) != 0 || !(what.valid & ZIP_STAT_SIZE))
        return linnet_error_set(err, LINNET_E_PARSE, "%s: %s", name, zip_strerror(archive->zip));
    if (what.valid & ZIP_STAT_ENCRYPTION_METHOD && what.encryption_method != ZIP_EM_NONE)
        return linnet_error_set(err, LINNET_E_UNSUPPORTED, "%s is encrypted", name);
    if (what.size > LINNET_ARCHIVE_BYTES)
        return linnet_error_set(err, LINNET_E_LIMIT, "%s would have %llu bytes", name,
                                (unsigned long long)what.size);
    struct linnet_stream *stream = calloc(1, sizeof *stream);
    if (!stream) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    stream->fd = -1;
    stream->size = what.size;
    stream->packed = what.valid & ZIP_STAT_COMP_SIZE ? what.comp_size : 0;
    stream->member = zip_fopen_index(archive->zip, (zip_uint64_t)place, 0);
    if (!stream->member) {
        free(stream);
        return linnet_error_set(err, LINNET_E_PARSE, "%s: %s", name, zip_strerror(archive->zip));
    }
    *out = stream;
    return 0;
}

int linnet_archive_stream(struct linnet_archive *archive, const char *name, struct linnet_stream **out,
                          struct linnet_error *err) {
    if (!is_plain(name))
        return linnet_error_set(err, LINNET_E_DENIED, "\"%.200s\" is no plain file name", name);
    if (archive->zip) return of_member(archive, name, out, err);
    int fd = openat(archive->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        int code = errno == ENOENT ? LINNET_E_NOT_FOUND : errno == ELOOP ? LINNET_E_DENIED : LINNET_E_IO;
        return linnet_error_set(err, code, "%s: %s", name, strerror(errno));
    }
    return of_descriptor(fd, name, out, err);
}

void linnet_stream_close(struct linnet_stream *stream) {
    if (!stream) return;
    if (stream->member) zip_fclose(stream->member);
    if (stream->fd >= 0) close(stream->fd);
    free(stream);
}

/* A bomb gives far more than was packed; text packs to a tenth at best. */
static bool explodes(const struct linnet_stream *stream) {
    if (stream->given > LINNET_ARCHIVE_BYTES) return true;
    return stream->given > RATIO_FROM && stream->given / LINNET_ARCHIVE_RATIO > stream->packed;
}

ssize_t linnet_stream_read(void *arg, void *data, size_t size, struct linnet_error *err) {
    struct linnet_stream *stream = arg;
    ssize_t n;
    if (!stream->member) {
        while ((n = read(stream->fd, data, size)) < 0 && errno == EINTR)
            ;
        return n < 0 ? linnet_error_set(err, LINNET_E_IO, "%s", strerror(errno)) : n;
    }
    n = (ssize_t)zip_fread(stream->member, data, size);
    if (n < 0)
        return linnet_error_set(err, LINNET_E_PARSE, "%s",
                                zip_error_strerror(zip_file_get_error(stream->member)));
    stream->given += (uint64_t)n;
    if (explodes(stream))
        return linnet_error_set(err, LINNET_E_LIMIT, "the archive unpacks to far more than it packs");
    return n;
}

uint64_t linnet_stream_size(const struct linnet_stream *stream) {
    return stream->size;
}
