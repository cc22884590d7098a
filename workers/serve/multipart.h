/* multipart/form-data (RFC 7578, RFC 2046) as it streams in: bytes are handed on as they come and never kept;
 * only the headers of a part are, up to a limit. Foreign bytes. One thread. */
#ifndef LINNET_SERVE_MULTIPART_H
#define LINNET_SERVE_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/error.h"

#define SERVE_BOUNDARY_MAX     70 /* RFC 2046, 5.1.1 */
#define SERVE_PART_HEADERS_MAX 8192

/* What a part's headers say. Borrowed for the callback. */
struct serve_part {
    const char *name;         /* of the form's field */
    const char *filename;     /* NULL: it is no file */
    const char *content_type; /* NULL: none is given */
};

/* A callback that answers non-zero ends the parsing with that code. */
struct serve_multipart_events {
    int (*begin)(void *arg, const struct serve_part *part, struct linnet_error *err);
    int (*data)(void *arg, const char *bytes, size_t size, struct linnet_error *err);
    int (*end)(void *arg, struct linnet_error *err);
};

struct serve_multipart {
    const struct serve_multipart_events *events;
    void *arg;
    char delimiter[SERVE_BOUNDARY_MAX + 5]; /* "\r\n--boundary" */
    size_t delimiter_size, matched;         /* so much of it has just been seen */
    enum {
        SERVE_PREAMBLE,
        SERVE_MARKED,
        SERVE_MARKED_DASH,
        SERVE_MARKED_CR,
        SERVE_HEADERS,
        SERVE_BODY,
        SERVE_EPILOGUE,
        SERVE_FAILED
    } state;
    struct linnet_buf headers;
    int error;
};

/* Start with the request's Content-Type. LINNET_E_UNSUPPORTED: it is no multipart/form-data; LINNET_E_PARSE:
 * without a boundary that is one. */
int serve_multipart_init(struct serve_multipart *parser, const char *content_type,
                         const struct serve_multipart_events *events, void *arg, struct linnet_error *err);
/* Take the next bytes. LINNET_E_PARSE, LINNET_E_LIMIT, LINNET_E_NOMEM, or what a callback answered; the same
 * again from then on. */
int serve_multipart_feed(struct serve_multipart *parser, const char *bytes, size_t size,
                         struct linnet_error *err);
/* The body has ended. LINNET_E_PARSE if the last boundary has not been there. */
int serve_multipart_finish(struct serve_multipart *parser, struct linnet_error *err);
void serve_multipart_done(struct serve_multipart *parser);

/* The value of a parameter of a header ("form-data; name=\"a\""), quotes and their escapes taken away, into
 * `out`. False: it is not there, or longer than `size` allows. `rest` begins at the first ';' or before it.
 */
bool serve_header_parameter(const char *rest, const char *name, char *out, size_t size);

#endif
