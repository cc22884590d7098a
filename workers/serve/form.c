#include "workers/serve/form.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "workers/cli/local.h"

#define FIELD_MAX 4096

static int refuse(struct serve_form *form, int status, int code) {
    form->status = status;
    return code;
}

static bool named(const char *found, const char *name) {
    size_t size = strlen(name);
    return strncmp(found, name, size) == 0 && (found[size] == '\0' || strcmp(found + size, "[]") == 0);
}

static bool field_allowed(const struct serve_form *form, const char *name) {
    for (const char *const *field = form->limits.fields; *field != NULL; field++)
        if (named(name, *field)) return true;
    return false;
}

/* ---- pictures ---- */

/* The type that the bytes speak of, NULL if it is not taken here. */
static const char *type_of(const void *data, size_t size) {
    const char *type = linnet_local_type(data, size);
    return strcmp(type, "image/jpeg") == 0 || strcmp(type, "image/png") == 0 ? type : NULL;
}

static int keep_image(struct serve_form *form, struct linnet_bytes *bytes, char *filename,
                      struct linnet_error *err) {
    size_t place = form->nimages + 1;
    const char *type = type_of(bytes->data, bytes->size);
    if (bytes->size == 0)
        return refuse(
            form, 400,
            linnet_error_set(err, LINNET_E_INVALID, "\"%s\" number %zu is empty", form->limits.file, place));
    if (type == NULL)
        return refuse(form, 415,
                      linnet_error_set(err, LINNET_E_UNSUPPORTED,
                                       "Unsupported file type for \"%s\" number %zu: neither JPEG nor PNG",
                                       form->limits.file, place));
    struct serve_image *image = &form->images[form->nimages++];
    image->bytes = linnet_bytes_ref(bytes);
    image->type = type;
    image->filename = filename;
    return 0;
}

int serve_form_add_image(struct serve_form *form, struct linnet_bytes *bytes, const char *filename,
                         struct linnet_error *err) {
    char *copy = strdup(filename);
    if (copy == NULL) return refuse(form, 500, linnet_error_set(err, LINNET_E_NOMEM, "out of memory"));
    int rc = keep_image(form, bytes, copy, err);
    if (rc != 0)
        free(copy);
    else
        linnet_digest_bytes(bytes->data, bytes->size, form->images[form->nimages - 1].digest);
    return rc;
}

static int end_image(struct serve_form *form, struct linnet_error *err) {
    size_t size = form->part.size;
    void *data = linnet_buf_take(&form->part, &size);
    struct linnet_bytes *bytes = linnet_bytes_new(data, data != NULL ? size : 0, free);
    if (bytes == NULL) return refuse(form, 500, linnet_error_set(err, LINNET_E_NOMEM, "out of memory"));
    int rc = keep_image(form, bytes, form->filename, err);
    linnet_bytes_unref(bytes);
    if (rc != 0) return rc;
    form->filename = NULL;
    linnet_digest_final(&form->digest, form->images[form->nimages - 1].digest);
    return 0;
}

/* ---- the parts ---- */

static int on_begin(void *arg, const struct serve_part *part, struct linnet_error *err) {
    struct serve_form *form = arg;
    bool image = named(part->name, form->limits.file);
    if (image && form->nimages == form->limits.images)
        return refuse(form, 400,
                      linnet_error_set(err, LINNET_E_LIMIT, "\"%s\" must contain at most %zu items",
                                       form->limits.file, form->limits.images));
    if (!image && (part->filename != NULL || !field_allowed(form, part->name)))
        return refuse(form, 400,
                      linnet_error_set(err, LINNET_E_INVALID, "\"%.64s\" is not allowed", part->name));
    if (!image && form->nfields == SERVE_FIELDS_MAX)
        return refuse(form, 400,
                      linnet_error_set(err, LINNET_E_LIMIT, "more than %d fields", SERVE_FIELDS_MAX));
    form->name = strdup(part->name);
    form->filename = image ? strdup(part->filename != NULL ? part->filename : "") : NULL;
    linnet_buf_init(&form->part, image ? form->limits.bytes : FIELD_MAX);
    linnet_digest_init(&form->digest);
    if (form->name == NULL || (image && form->filename == NULL))
        return refuse(form, 500, linnet_error_set(err, LINNET_E_NOMEM, "out of memory"));
    return 0;
}

static int on_data(void *arg, const char *bytes, size_t size, struct linnet_error *err) {
    struct serve_form *form = arg;
    bool image = form->filename != NULL;
    form->bytes += image ? size : 0;
    int rc = form->bytes > form->limits.bytes ? LINNET_E_LIMIT : linnet_buf_append(&form->part, bytes, size);
    if (rc == LINNET_E_LIMIT && image)
        return refuse(
            form, 413,
            linnet_error_set(err, rc, "the pictures have more than %zu bytes in all", form->limits.bytes));
    if (rc == LINNET_E_LIMIT)
        return refuse(form, 413,
                      linnet_error_set(err, rc, "\"%.64s\" is longer than %d bytes", form->name, FIELD_MAX));
    if (rc != 0) return refuse(form, 500, linnet_error_set(err, rc, "out of memory"));
    if (image) linnet_digest_update(&form->digest, bytes, size);
    return 0;
}

static bool is_text(const char *text, size_t size) {
    while (size > 0) {
        size_t step = *text != '\0' ? linnet_utf8_next(text, size) : 0;
        if (step == 0) return false;
        text += step;
        size -= step;
    }
    return true;
}

static int end_field(struct serve_form *form, struct linnet_error *err) {
    size_t size = form->part.size;
    if (!is_text(form->part.data, size))
        return refuse(form, 400, linnet_error_set(err, LINNET_E_PARSE, "\"%.64s\" is no UTF-8", form->name));
    char *value = linnet_buf_take(&form->part, &size);
    if (value == NULL) value = strdup("");
    if (value == NULL) return refuse(form, 500, linnet_error_set(err, LINNET_E_NOMEM, "out of memory"));
    form->fields[form->nfields++] = (struct serve_param){form->name, value};
    form->name = NULL;
    return 0;
}

static void part_done(struct serve_form *form) {
    free(form->name);
    free(form->filename);
    form->name = form->filename = NULL;
    linnet_buf_done(&form->part);
}

static int on_end(void *arg, struct linnet_error *err) {
    struct serve_form *form = arg;
    int rc = form->filename != NULL ? end_image(form, err) : end_field(form, err);
    part_done(form);
    return rc;
}

/* ---- the whole ---- */

int serve_form_init(struct serve_form *out, const char *content_type, const struct serve_form_limits *limits,
                    struct linnet_error *err) {
    static const struct serve_multipart_events events = {on_begin, on_data, on_end};
    *out = (struct serve_form){.limits = *limits};
    int rc = serve_multipart_init(&out->parser, content_type, &events, out, err);
    return rc != 0 ? refuse(out, rc == LINNET_E_UNSUPPORTED ? 415 : 400, rc) : 0;
}

int serve_form_feed(struct serve_form *form, const char *bytes, size_t size, struct linnet_error *err) {
    int rc = serve_multipart_feed(&form->parser, bytes, size, err);
    return rc != 0 && form->status == 0 ? refuse(form, rc == LINNET_E_NOMEM ? 500 : 400, rc) : rc;
}

int serve_form_finish(struct serve_form *form, struct linnet_error *err) {
    int rc = serve_multipart_finish(&form->parser, err);
    if (rc != 0) return form->status == 0 ? refuse(form, 400, rc) : rc;
    if (form->nimages == 0)
        return refuse(form, 400,
                      linnet_error_set(err, LINNET_E_INVALID, "\"%s\" is required", form->limits.file));
    return 0;
}

void serve_form_done(struct serve_form *form) {
    part_done(form);
    serve_multipart_done(&form->parser);
    for (size_t i = 0; i < form->nimages; i++) {
        linnet_bytes_unref(form->images[i].bytes);
        free(form->images[i].filename);
    }
    for (size_t i = 0; i < form->nfields; i++) {
        free((char *)form->fields[i].name);
        free((char *)form->fields[i].value);
    }
    *form = (struct serve_form){0};
}

void serve_form_move(struct serve_form *from, struct serve_form *to) {
    part_done(from);
    serve_multipart_done(&from->parser);
    *to = *from;
    *from = (struct serve_form){0};
}

const char *serve_form_field(const struct serve_form *form, const char *name, size_t index) {
    for (size_t i = 0; i < form->nfields; i++)
        if (named(form->fields[i].name, name) && index-- == 0) return form->fields[i].value;
    return NULL;
}
