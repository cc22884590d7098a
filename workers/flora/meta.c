#include "workers/flora/meta.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MOST ((size_t)1 << 20)

static const char *const terms[LINNET_TERM_COUNT] = {
#define X(name) #name,
    LINNET_TERMS(X)
#undef X
};

struct reading {
    XML_Parser parser;
    struct linnet_meta *meta;
    struct linnet_meta_file *file; /* inside a core or an extension */
    bool in_location;
    int refused;    /* the code, once something was */
    size_t located; /* bytes of the location */
    struct linnet_error *err;
};

const char *linnet_meta_last_part(const char *term) {
    const char *slash = strrchr(term, '/');
    const char *part = slash ? slash + 1 : term;
    const char *sharp = strrchr(part, '#');
    return sharp ? sharp + 1 : part;
}

static void refuse(struct reading *reading, int code, const char *words) {
    if (!reading->refused) reading->refused = linnet_error_set(reading->err, code, "meta.xml: %s", words);
    XML_StopParser(reading->parser, XML_FALSE);
}

/* The element's name without the prefix of its name space. */
static bool is(const char *name, const char *wanted) {
    const char *colon = strrchr(name, ':');
    return !strcmp(colon ? colon + 1 : name, wanted);
}

static const char *attribute(const char **attributes, const char *name, const char *fallback) {
    for (; attributes[0]; attributes += 2)
        if (!strcmp(attributes[0], name)) return attributes[1];
    return fallback;
}

/* Characters are written as themselves, or escaped as in C. */
static char character(const char *text, char fallback) {
    if (!strcmp(text, "\\t")) return '\t';
    if (!strcmp(text, "\\n")) return '\n';
    if (!strcmp(text, "\\\"")) return '"';
    return text[0] ? text[0] : fallback;
}

static int column_of(const char **attributes) {
    const char *index = attribute(attributes, "index", "");
    char *end;
    long place = strtol(index, &end, 10);
    return end == index || *end || place < 0 || place > 100000 ? -1 : (int)place;
}

static void begin_file(struct reading *reading, const char **attributes) {
    struct linnet_meta *meta = reading->meta;
    const char *encoding = attribute(attributes, "encoding", "UTF-8");
    if (strcasecmp(encoding, "UTF-8") != 0 && strcasecmp(encoding, "utf8") != 0) {
        refuse(reading, LINNET_E_UNSUPPORTED, "a file in another encoding than UTF-8");
        return;
    }
    if (meta->nfiles == LINNET_META_FILES || reading->file) {
        refuse(reading, LINNET_E_PARSE, "too many files, or one within another");
        return;
    }
    struct linnet_meta_file *file = reading->file = &meta->files[meta->nfiles++];
    *file = (struct linnet_meta_file){.id = -1};
    snprintf(file->type, sizeof file->type, "%s",
             linnet_meta_last_part(attribute(attributes, "rowType", "")));
    file->delimiter = character(attribute(attributes, "fieldsTerminatedBy", ","), ',');
    file->quote = character(attribute(attributes, "fieldsEnclosedBy", "\""), '\0');
    file->header = (unsigned)strtoul(attribute(attributes, "ignoreHeaderLines", "0"), NULL, 10) & 0xff;
    for (int i = 0; i < LINNET_TERM_COUNT; i++)
        file->column[i] = -1;
    reading->located = 0;
}

static void XMLCALL on_start(void *arg, const char *name, const char **attributes) {
    struct reading *reading = arg;
    if (is(name, "core") || is(name, "extension")) {
        begin_file(reading, attributes);
    } else if (reading->file && (is(name, "id") || is(name, "coreid"))) {
        reading->file->id = column_of(attributes);
    } else if (reading->file && is(name, "field")) {
        const char *term = linnet_meta_last_part(attribute(attributes, "term", ""));
        for (int i = 0; i < LINNET_TERM_COUNT; i++)
            if (!strcmp(terms[i], term)) reading->file->column[i] = column_of(attributes);
    } else if (reading->file && is(name, "location")) {
        reading->in_location = reading->located == 0; /* a table in several files: the first */
    }
}

static void XMLCALL on_end(void *arg, const char *name) {
    struct reading *reading = arg;
    if (is(name, "location")) reading->in_location = false;
    if (is(name, "core") || is(name, "extension")) reading->file = NULL;
}

static void XMLCALL on_text(void *arg, const char *text, int size) {
    struct reading *reading = arg;
    if (!reading->in_location || !reading->file) return;
    for (int i = 0; i < size; i++) {
        if (strchr(" \t\r\n", text[i])) continue;
        if (reading->located + 1 >= sizeof reading->file->location) {
            refuse(reading, LINNET_E_PARSE, "a location that is too long");
            return;
        }
        reading->file->location[reading->located++] = text[i];
    }
}

/* Entities are how a small document becomes a large one; no description needs them. */
static void XMLCALL on_doctype(void *arg, const char *name, const char *system, const char *public, int has) {
    (void)name, (void)system, (void)public, (void)has;
    refuse(arg, LINNET_E_PARSE, "a document type is not wanted");
}

static int parse(struct reading *reading, struct linnet_stream *stream) {
    size_t total = 0;
    ssize_t n;
    do {
        char chunk[16384];
        n = linnet_stream_read(stream, chunk, sizeof chunk, reading->err);
        if (n < 0) return (int)n;
        total += (size_t)n;
        if (total > MOST)
            return linnet_error_set(reading->err, LINNET_E_LIMIT, "meta.xml is over %zu bytes", MOST);
        if (XML_Parse(reading->parser, chunk, (int)n, n == 0) != XML_STATUS_OK) {
            if (reading->refused) return reading->refused;
            enum XML_Error code = XML_GetErrorCode(reading->parser);
            return linnet_error_set(
                reading->err, code == XML_ERROR_NO_MEMORY ? LINNET_E_NOMEM : LINNET_E_PARSE,
                "meta.xml:%lu: %s", (unsigned long)XML_GetCurrentLineNumber(reading->parser),
                XML_ErrorString(code));
        }
    } while (n > 0);
    return 0;
}

int linnet_meta_read(struct linnet_stream *stream, struct linnet_meta *out, struct linnet_error *err) {
    struct linnet_meta *meta = calloc(1, sizeof *meta);
    struct reading reading = {.parser = XML_ParserCreate(NULL), .meta = meta, .err = err};
    int error = 0;
    if (!reading.parser || !meta) {
        error = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    } else {
        XML_SetUserData(reading.parser, &reading);
        XML_SetElementHandler(reading.parser, on_start, on_end);
        XML_SetCharacterDataHandler(reading.parser, on_text);
        XML_SetStartDoctypeDeclHandler(reading.parser, on_doctype);
        error = parse(&reading, stream);
    }
    if (!error && meta->nfiles == 0)
        error = linnet_error_set(err, LINNET_E_PARSE, "meta.xml describes no file");
    if (!error) *out = *meta;
    if (reading.parser) XML_ParserFree(reading.parser);
    free(meta);
    return error;
}

const struct linnet_meta_file *linnet_meta_find(const struct linnet_meta *meta, const char *type) {
    for (unsigned i = 0; i < meta->nfiles; i++)
        if (!strcasecmp(meta->files[i].type, type)) return &meta->files[i];
    return NULL;
}
