/* Reading JSON quickly: the same values that jansson makes, several times faster on texts in memory, and a
 * cursor for those who want but a part of a text.
 *
 * A reader accepts only what jansson accepts and makes of it what jansson makes; it may refuse more. So who
 * gets a refusal asks jansson, which also has the words for it (linnet_json_load does). One thread. */
#ifndef LINNET_BASE_JSON_READER_H
#define LINNET_BASE_JSON_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"

struct linnet_json_reader {
    const char *s, *end; /* what is left of the text */
    bool reject_duplicates;
    bool no_memory; /* a refusal was for want of memory */
    int depth;
    struct linnet_buf scratch; /* of strings with escapes */
};

/* Read a text that must stay until the reader is done. */
void linnet_json_reader_init(struct linnet_json_reader *reader, const char *text, size_t size);
void linnet_json_reader_done(struct linnet_json_reader *reader);

/* The next character that is no white space, not taken; NUL at the end. */
char linnet_json_peek(struct linnet_json_reader *reader);
/* Take that character if it is `wanted`. */
bool linnet_json_take(struct linnet_json_reader *reader, char wanted);
/* A string: a slice of the text, or of the scratch where it has escapes, valid until the next one. Not
 * terminated. */
bool linnet_json_read_slice(struct linnet_json_reader *reader, const char **text, size_t *size);
/* A string without escapes, so that it is a slice of the text and stays; one with escapes is refused. */
bool linnet_json_read_plain(struct linnet_json_reader *reader, const char **text, size_t *size);
/* Is the slice this text? */
bool linnet_json_slice_is(const char *text, size_t size, const char *wanted);
/* Behind the plain ASCII at `s`: the first byte that is a quote, a backslash, a control character or not
 * ASCII; `end` if there is none. */
const char *linnet_json_skip_plain(const char *s, const char *end);
/* Any value. New reference, NULL: refused. */
json_t *linnet_json_read_value(struct linnet_json_reader *reader);
/* Pass over any value; brackets and strings are looked at, nothing else. */
bool linnet_json_skip_value(struct linnet_json_reader *reader);

#endif
