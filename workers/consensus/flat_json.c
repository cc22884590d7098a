#include "workers/consensus/flat_json.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
    const char *begin, *at, *end;
    linnet_flat_json_number *number;
    void *arg;
    const char *what;
};

static void skip(struct reading *reading) {
    while (reading->at < reading->end && strchr(" \t\r\n", *reading->at) && *reading->at)
        reading->at++;
}

/* The next byte after white space if it is this one. */
static bool take(struct reading *reading, char wanted) {
    skip(reading);
    if (reading->at >= reading->end || *reading->at != wanted) return false;
    reading->at++;
    return true;
}

static int fail(struct reading *reading, const char *what) {
    reading->what = what;
    return LINNET_E_PARSE;
}

static int take_string(struct reading *reading, const char **text, size_t *size) {
    if (!take(reading, '"')) return fail(reading, "a name in quotes is wanted");
    const char *quote = memchr(reading->at, '"', (size_t)(reading->end - reading->at));
    if (!quote) return fail(reading, "a quote is not closed");
    *text = reading->at;
    *size = (size_t)(quote - reading->at);
    if (memchr(*text, '\\', *size)) return fail(reading, "a name holds a backslash");
    reading->at = quote + 1;
    return 0;
}

static int take_number(struct reading *reading, const char **text, size_t *size) {
    skip(reading);
    if (reading->at < reading->end && *reading->at == '"') return take_string(reading, text, size);
    *text = reading->at;
    while (reading->at < reading->end &&
           (isdigit((unsigned char)*reading->at) || (*reading->at && strchr("+-.eE", *reading->at))))
        reading->at++;
    *size = (size_t)(reading->at - *text);
    return *size ? 0 : fail(reading, "a number is wanted");
}

/* The members of an object after its brace. `outer` NULL: the outermost, whose values may be objects. */
static int take_members(struct reading *reading, const char *outer, size_t outer_size) {
    if (take(reading, '}')) return 0;
    for (;;) {
        const char *name, *text;
        size_t name_size, size;
        int rc = take_string(reading, &name, &name_size);
        if (rc) return rc;
        if (!take(reading, ':')) return fail(reading, "a colon is wanted");
        if (!outer && take(reading, '{')) {
            rc = take_members(reading, name, name_size);
        } else {
            rc = take_number(reading, &text, &size);
            if (!rc)
                rc = reading->number(reading->arg, outer, outer_size, name, name_size, text, size,
                                     &reading->what);
        }
        if (rc) return rc;
        if (take(reading, '}')) return 0;
        if (!take(reading, ',')) return fail(reading, "a comma or a closing brace is wanted");
    }
}

static int read_bytes(struct reading *reading, const char *path, struct linnet_error *err) {
    int rc = take(reading, '{') ? take_members(reading, NULL, 0) : fail(reading, "an object is wanted");
    skip(reading);
    if (!rc && reading->at < reading->end) rc = fail(reading, "something follows the object");
    if (!rc) return 0;
    unsigned long line = 1;
    for (const char *byte = reading->begin; byte < reading->at; byte++)
        line += *byte == '\n';
    return linnet_error_set(err, rc, "%s: line %lu: %s", path, line,
                            reading->what ? reading->what : linnet_error_message(rc));
}

int linnet_flat_json_read(const char *path, linnet_flat_json_number *number, void *arg,
                          struct linnet_error *err) {
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    int rc = fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 ? 0 : LINNET_E_PARSE;
    void *bytes = rc ? MAP_FAILED : mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (bytes == MAP_FAILED)
        return linnet_error_set(err, LINNET_E_PARSE, "%s is empty or no file that can be mapped", path);
    struct reading reading = {bytes, bytes, (const char *)bytes + status.st_size, number, arg, NULL};
    rc = read_bytes(&reading, path, err);
    munmap(bytes, (size_t)status.st_size);
    return rc;
}
