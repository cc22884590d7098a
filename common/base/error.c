#include "common/base/error.h"

#undef linnet_error_set /* as the analyzer has it */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *linnet_error_message(int code) {
    switch (code) {
    case LINNET_E_OK:
        return "success";
#define X(name, value, class_, message)                                                                      \
    case name:                                                                                               \
        return message;
        LINNET_ERRORS(X)
#undef X
    default:
        return "unknown error";
    }
}

/* The preprocessor can't lower the case of LINNET_E_NOT_FOUND, so the names stand here a second time; a test
 * compares them with the list. */
const char *linnet_error_name(int code) {
    static const char *const names[] = {
        "ok",     "nomem",    "invalid", "parse",     "limit",   "unsupported", "not_found",
        "exists", "conflict", "denied",  "auth",      "connect", "timeout",     "broken",
        "server", "io",       "full",    "cancelled", "plugin",  "internal",    "device",
    };
    const int count = (int)(sizeof names / sizeof names[0]);
    return code <= 0 && code > -count ? names[-code] : "unknown";
}

enum linnet_class linnet_error_class(int code) {
    switch (code) {
#define X(name, value, class_, message)                                                                      \
    case name:                                                                                               \
        return class_;
        LINNET_ERRORS(X)
#undef X
    default:
        return LINNET_FATAL_CLASS;
    }
}

int linnet_error_set(struct linnet_error *err, int code, const char *format, ...) {
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        vsnprintf(err->detail, sizeof err->detail, format, args);
        va_end(args);
    }
    return code;
}

int linnet_error_prefix(struct linnet_error *err, const char *format, ...) {
    if (!err) return LINNET_E_OK;
    char text[sizeof err->detail];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t used = strlen(text), kept = strlen(err->detail), most = sizeof text - 1;
    for (const char *s = ": "; *s && used < most; s++)
        text[used++] = *s;
    if (kept > most - used) kept = most - used; /* the prefix says where; the end of a long detail can go */
    memmove(err->detail + used, err->detail, kept);
    memcpy(err->detail, text, used);
    err->detail[used + kept] = '\0';
    return err->code;
}
