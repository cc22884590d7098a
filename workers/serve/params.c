#include "workers/serve/params.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/utf8.h"

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool is_utf8(const char *text, size_t size) {
    while (size > 0) {
        size_t step = linnet_utf8_next(text, size);
        if (step == 0) return false;
        text += step;
        size -= step;
    }
    return true;
}

/* Decode in place up to the end of the text. */
static int decode(char *text, bool plus, struct linnet_error *err) {
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '+' && plus) {
            *to++ = ' ';
        } else if (*from != '%') {
            *to++ = *from;
        } else {
            int high = digit_of(from[1]), low = high < 0 ? -1 : digit_of(from[2]);
            if (low < 0)
                return linnet_error_set(err, LINNET_E_PARSE, "a '%%' that no two hexadecimal digits follow");
            if (high == 0 && low == 0) return linnet_error_set(err, LINNET_E_PARSE, "a NUL character");
            *to++ = (char)(high << 4 | low);
            from += 2;
        }
    }
    *to = '\0';
    if (!is_utf8(text, (size_t)(to - text))) return linnet_error_set(err, LINNET_E_PARSE, "it is no UTF-8");
    return 0;
}

int serve_params_parse(char *text, struct serve_params *out, struct linnet_error *err) {
    out->n = 0;
    for (char *next; text != NULL && *text != '\0'; text = next) {
        next = strchr(text, '&');
        if (next != NULL) *next++ = '\0';
        if (*text == '\0') continue;
        if (out->n == SERVE_PARAMS_MAX)
            return linnet_error_set(err, LINNET_E_LIMIT, "more than %d parameters", SERVE_PARAMS_MAX);
        char *value = strchr(text, '=');
        if (value != NULL) *value++ = '\0';
        int rc = decode(text, true, err);
        if (rc == 0 && value != NULL) rc = decode(value, true, err);
        if (rc != 0) return rc;
        out->list[out->n++] = (struct serve_param){text, value != NULL ? value : ""};
    }
    return 0;
}

int serve_path_parse(char *text, struct serve_path *out, struct linnet_error *err) {
    out->n = 0;
    if (*text != '/') return linnet_error_set(err, LINNET_E_PARSE, "a path begins with '/'");
    for (char *next; text != NULL; text = next) {
        next = strchr(++text, '/');
        if (next != NULL) *next = '\0';
        if (*text == '\0') continue;
        if (out->n == SERVE_SEGMENTS_MAX)
            return linnet_error_set(err, LINNET_E_LIMIT, "the path is too deep");
        int rc = decode(text, false, err);
        if (rc != 0) return rc;
        out->segment[out->n++] = text;
    }
    return 0;
}

static bool named(const char *found, const char *name) {
    size_t size = strlen(name);
    return strncmp(found, name, size) == 0 && (found[size] == '\0' || strcmp(found + size, "[]") == 0);
}

const char *serve_params_get(const struct serve_params *params, const char *name) {
    for (size_t i = 0; i < params->n; i++)
        if (strcmp(params->list[i].name, name) == 0) return params->list[i].value;
    return NULL;
}

const char *serve_params_nth(const struct serve_params *params, const char *name, size_t index) {
    for (size_t i = 0; i < params->n; i++)
        if (named(params->list[i].name, name) && index-- == 0) return params->list[i].value;
    return NULL;
}
