#include "workers/serve/multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- headers ---- */

static const char *skip_spaces(const char *p) {
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* The value that begins at `p`, into `out` (may be NULL: passed over). Returns what comes after it; NULL: it
 * does not fit or does not end. */
static const char *take_value(const char *p, char *out, size_t size) {
    size_t n = 0;
    bool quoted = *p == '"';
    if (quoted) p++;
    while (quoted ? *p != '"' : *p != '\0' && *p != ';' && *p != ' ' && *p != '\t') {
        /* Browsers send quotes as %22; a backslash escapes a quote or itself only, so that Windows' paths
         * stay whole. */
        if (quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\')) p++;
        if (*p == '\0') return NULL;
        if (out != NULL) {
            if (n + 1 >= size) return NULL;
            out[n++] = *p;
        }
        p++;
    }
    if (out != NULL) out[n] = '\0';
    return quoted ? p + 1 : p;
}

bool serve_header_parameter(const char *rest, const char *name, char *out, size_t size) {
    size_t length = strlen(name);
    for (const char *p = strchr(rest, ';'); p != NULL && *p == ';';) {
        p = skip_spaces(p + 1);
        const char *equals = p + strcspn(p, "=;");
        if (*equals != '=') {
            p = *equals == ';' ? equals : NULL;
            continue;
        }
        bool ours = (size_t)(equals - p) == length && strncasecmp(p, name, length) == 0;
        p = take_value(equals + 1, ours ? out : NULL, size);
        if (ours) return p != NULL;
        if (p != NULL) p = skip_spaces(p);
    }
    return false;
}

static int fail(struct serve_multipart *parser, int error) {
    parser->state = SERVE_FAILED;
    parser->error = error;
    return error;
}

static int malformed(struct serve_multipart *parser, struct linnet_error *err, const char *what) {
    return fail(parser, linnet_error_set(err, LINNET_E_PARSE, "the multipart body is malformed: %s", what));
}

static bool boundary_valid(const char *boundary) {
    size_t size = strlen(boundary);
    if (size == 0 || size > SERVE_BOUNDARY_MAX || boundary[size - 1] == ' ') return false;
    for (const char *p = boundary; *p != '\0'; p++) {
        bool plain = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');
        if (!plain && strchr("'()+_,-./:=? ", *p) == NULL) return false;
    }
    return true;
}

int serve_multipart_init(struct serve_multipart *parser, const char *content_type,
                         const struct serve_multipart_events *events, void *arg, struct linnet_error *err) {
    static const char type[] = "multipart/form-data";
    char boundary[SERVE_BOUNDARY_MAX + 2];
    size_t size = content_type != NULL ? strcspn(content_type, "; \t") : 0;
    if (size != sizeof type - 1 || strncasecmp(content_type, type, size) != 0)
        return linnet_error_set(err, LINNET_E_UNSUPPORTED, "the body must be multipart/form-data");
    if (!serve_header_parameter(content_type, "boundary", boundary, sizeof boundary) ||
        !boundary_valid(boundary))
        return linnet_error_set(err, LINNET_E_PARSE,
                                "the multipart body has no valid boundary in its Content-Type");
    *parser = (struct serve_multipart){.events = events, .arg = arg, .state = SERVE_PREAMBLE, .matched = 2};
    parser->delimiter_size =
        (size_t)snprintf(parser->delimiter, sizeof parser->delimiter, "\r\n--%s", boundary);
    linnet_buf_init(&parser->headers, SERVE_PART_HEADERS_MAX);
    return 0;
}

/* The value of one of the part's headers, NULL if it is not there. The lines are divided by NULs. */
static const char *header_of(const struct linnet_buf *headers, const char *name) {
    size_t length = strlen(name);
    for (const char *line = headers->data, *end = line + headers->size; line < end; line += strlen(line) + 1)
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return skip_spaces(line + length + 1);
    return NULL;
}

/* The headers are whole: "line\r\nline\r\n\r\n". */
static int begin_part(struct serve_multipart *parser, struct linnet_error *err) {
    struct linnet_buf *headers = &parser->headers;
    char name[256], filename[1024];
    if (memchr(headers->data, '\0', headers->size) != NULL)
        return malformed(parser, err, "a NUL in a part's headers");
    for (char *p = headers->data; (p = strstr(p, "\r\n")) != NULL; p += 2)
        p[0] = p[1] = '\0';
    const char *disposition = header_of(headers, "content-disposition");
    if (disposition == NULL || strncasecmp(disposition, "form-data", 9) != 0)
        return malformed(parser, err, "a part without Content-Disposition: form-data");
    if (!serve_header_parameter(disposition, "name", name, sizeof name))
        return malformed(parser, err, "a part without a name, or with one that is too long");
    bool file = serve_header_parameter(disposition, "filename", filename, sizeof filename);
    if (!file && strcasestr(disposition, "filename") !=
                     NULL) { /* filename*=..., or one that is too long: a file all the same */
        filename[0] = '\0';
        file = true;
    }
    struct serve_part part = {name, file ? filename : NULL, header_of(headers, "content-type")};
    parser->state = SERVE_BODY;
    parser->matched = 0;
    int rc = parser->events->begin(parser->arg, &part, err);
    return rc != 0 ? fail(parser, rc) : 0;
}

/* ---- the stream ---- */

static int hand_on(struct serve_multipart *parser, const char *bytes, size_t size, struct linnet_error *err) {
    if (parser->state != SERVE_BODY || size == 0) return 0; /* the preamble means nothing */
    int rc = parser->events->data(parser->arg, bytes, size, err);
    return rc != 0 ? fail(parser, rc) : 0;
}

/* Bytes of a body (or of the preamble) up to the delimiter. Within the delimiter only its first byte is a CR,
 * so what turns out not to be it is data, and a new one may begin at the present byte only: nothing has to be
 * kept. Returns how many bytes were used. */
static size_t take_body(struct serve_multipart *parser, const char *bytes, size_t size, int *rc,
                        struct linnet_error *err) {
    size_t used = 0;
    while (used < size) {
        if (parser->matched == 0) {
            const char *cr = memchr(bytes + used, '\r', size - used);
            size_t plain = cr != NULL ? (size_t)(cr - bytes) - used : size - used;
            *rc = hand_on(parser, bytes + used, plain, err);
            if (*rc != 0) return used;
            used += plain;
            if (cr == NULL) break;
        }
        if (bytes[used] == parser->delimiter[parser->matched]) {
            used++;
            if (++parser->matched < parser->delimiter_size) continue;
            if (parser->state == SERVE_BODY) *rc = parser->events->end(parser->arg, err);
            if (*rc != 0)
                fail(parser, *rc);
            else
                parser->state = SERVE_MARKED;
            return used;
        }
        *rc = hand_on(parser, parser->delimiter, parser->matched, err);
        parser->matched = 0;
        if (*rc != 0) return used;
    }
    return used;
}

/* One byte of what follows a boundary: "--" at the end, else spaces and a line's end. */
static int take_mark(struct serve_multipart *parser, char byte, struct linnet_error *err) {
    switch (parser->state) {
    case SERVE_MARKED:
        if (byte == '-') {
            parser->state = SERVE_MARKED_DASH;
        } else if (byte == '\r') {
            parser->state = SERVE_MARKED_CR;
        } else if (byte != ' ' && byte != '\t') {
            return malformed(parser, err, "something else than a line's end after a boundary");
        }
        return 0;
    case SERVE_MARKED_DASH:
        if (byte != '-') return malformed(parser, err, "one '-' after a boundary");
        parser->state = SERVE_EPILOGUE;
        return 0;
    default:
        if (byte != '\n') return malformed(parser, err, "a CR without LF after a boundary");
        linnet_buf_clear(&parser->headers);
        parser->state = SERVE_HEADERS;
        return 0;
    }
}

static int take_header(struct serve_multipart *parser, char byte, struct linnet_error *err) {
    struct linnet_buf *headers = &parser->headers;
    int rc = linnet_buf_append(headers, &byte, 1);
    if (rc == LINNET_E_LIMIT) return malformed(parser, err, "a part's headers are too long");
    if (rc != 0) return fail(parser, linnet_error_set(err, rc, "out of memory"));
    if (headers->size == 2 && memcmp(headers->data, "\r\n", 2) == 0)
        return malformed(parser, err, "a part without headers");
    if (headers->size >= 4 && memcmp(headers->data + headers->size - 4, "\r\n\r\n", 4) == 0)
        return begin_part(parser, err);
    return 0;
}

int serve_multipart_feed(struct serve_multipart *parser, const char *bytes, size_t size,
                         struct linnet_error *err) {
    int rc = parser->state == SERVE_FAILED ? parser->error : 0;
    while (size > 0 && rc == 0 && parser->state != SERVE_EPILOGUE) {
        size_t used = 1;
        if (parser->state == SERVE_PREAMBLE || parser->state == SERVE_BODY)
            used = take_body(parser, bytes, size, &rc, err);
        else if (parser->state == SERVE_HEADERS)
            rc = take_header(parser, *bytes, err);
        else
            rc = take_mark(parser, *bytes, err);
        bytes += used;
        size -= used;
    }
    return rc;
}

int serve_multipart_finish(struct serve_multipart *parser, struct linnet_error *err) {
    if (parser->state == SERVE_FAILED) return parser->error;
    if (parser->state != SERVE_EPILOGUE) return malformed(parser, err, "it ends before its last boundary");
    return 0;
}

void serve_multipart_done(struct serve_multipart *parser) {
    linnet_buf_done(&parser->headers);
}
