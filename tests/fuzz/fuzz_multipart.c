/* Forms: any bytes after any Content-Type, in pieces. What comes of them does not depend on the pieces. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "workers/serve/form.h"

static const char *const fields[] = {"organs", NULL};

static int feed(struct serve_form *form, const char *type, const uint8_t *body, size_t size, size_t step) {
    struct serve_form_limits limits = {.file = "images", .images = 5, .bytes = 65536, .fields = fields};
    struct linnet_error err = {0};
    int rc = serve_form_init(form, type, &limits, &err);
    for (size_t at = 0; rc == 0 && at < size; at += step)
        rc = serve_form_feed(form, (const char *)body + at, size - at < step ? size - at : step, &err);
    if (rc == 0) rc = serve_form_finish(form, &err);
    HOLD((rc == 0) == (form->status == 0));
    HOLD(rc == 0 || err.detail[0] != '\0');
    return rc;
}

/* The first line is the Content-Type, its first byte the size of the pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char type[256];
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    if (end == NULL || end == data || (size_t)(end - data) > sizeof type) return 0;
    size_t length = (size_t)(end - data) - 1, step = (size_t)data[0] % 64 + 1;
    memcpy(type, data + 1, length);
    type[length] = '\0';
    const uint8_t *body = end + 1;
    size_t rest = size - (size_t)(body - data);
    struct serve_form whole, pieces;
    int rc = feed(&whole, type, body, rest, rest > 0 ? rest : 1);
    HOLD(rc == feed(&pieces, type, body, rest, step));
    HOLD(whole.nimages == pieces.nimages && whole.nfields == pieces.nfields && whole.status == pieces.status);
    for (size_t i = 0; i < whole.nimages; i++)
        HOLD(strcmp(whole.images[i].digest, pieces.images[i].digest) == 0 && whole.images[i].bytes->size > 0);
    serve_form_done(&whole);
    serve_form_done(&pieces);
    return 0;
}
