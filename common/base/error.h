/* Error codes of Linnet: 0 is success, every failure is one negative code from LINNET_ERRORS.
 *
 * A failure is classed where it is detected: transient (try again later), permanent (this input will never
 * work) or fatal (this process or instance can't go on). Functions that can say more than a code fill a
 * `struct linnet_error`, which the caller owns (usually on its stack). */
#ifndef LINNET_BASE_ERROR_H
#define LINNET_BASE_ERROR_H

#include <stddef.h>

enum linnet_class { LINNET_TRANSIENT, LINNET_PERMANENT, LINNET_FATAL_CLASS };

/*        name             value  class               message */
#define LINNET_ERRORS(X)                                                                                     \
    X(LINNET_E_NOMEM,       -1, LINNET_TRANSIENT,   "out of memory")                                         \
    X(LINNET_E_INVALID,     -2, LINNET_PERMANENT,   "invalid argument or input")                             \
    X(LINNET_E_PARSE,       -3, LINNET_PERMANENT,   "malformed input")                                       \
    X(LINNET_E_LIMIT,       -4, LINNET_PERMANENT,   "a limit was exceeded")                                  \
    X(LINNET_E_UNSUPPORTED, -5, LINNET_PERMANENT,   "not supported")                                         \
    X(LINNET_E_NOT_FOUND,   -6, LINNET_PERMANENT,   "not found")                                             \
    X(LINNET_E_EXISTS,      -7, LINNET_PERMANENT,   "exists already")                                        \
    X(LINNET_E_CONFLICT,    -8, LINNET_TRANSIENT,   "revision conflict")                                     \
    X(LINNET_E_DENIED,      -9, LINNET_PERMANENT,   "not allowed")                                           \
    X(LINNET_E_AUTH,       -10, LINNET_FATAL_CLASS, "credentials refused")                                   \
    X(LINNET_E_CONNECT,    -11, LINNET_TRANSIENT,   "cannot connect")                                        \
    X(LINNET_E_TIMEOUT,    -12, LINNET_TRANSIENT,   "timed out")                                             \
    X(LINNET_E_BROKEN,     -13, LINNET_TRANSIENT,   "connection broken")                                     \
    X(LINNET_E_SERVER,     -14, LINNET_TRANSIENT,   "server error")                                          \
    X(LINNET_E_IO,         -15, LINNET_TRANSIENT,   "input/output error")                                    \
    X(LINNET_E_FULL,       -16, LINNET_TRANSIENT,   "no room")                                               \
    X(LINNET_E_CANCELLED,  -17, LINNET_TRANSIENT,   "cancelled")                                             \
    X(LINNET_E_PLUGIN,     -18, LINNET_FATAL_CLASS, "plugin error")                                          \
    X(LINNET_E_INTERNAL,   -19, LINNET_FATAL_CLASS, "internal error")                                        \
    X(LINNET_E_DEVICE,     -20, LINNET_FATAL_CLASS, "the device is lost")

enum linnet_error_code {
    LINNET_E_OK = 0,
#define X(name, value, class_, message) name = value,
    LINNET_ERRORS(X)
#undef X
};

/* What went wrong, in words that say what to do. `detail` is always terminated. */
struct linnet_error {
    int code;
    char detail[512];
};

/* The message of a code ("unknown error" for others). Static string. Any thread. */
const char *linnet_error_message(int code);
/* The code's name without its prefix, lower case ("not_found"), for logs and JSON. Static string. */
const char *linnet_error_name(int code);
/* The class of a code. Unknown codes are fatal. */
enum linnet_class linnet_error_class(int code);
/* Fill `err` (may be NULL) with a printf-formatted detail and return `code`, so that
 * `return linnet_error_set(err, LINNET_E_PARSE, "...")` is one line. */
int linnet_error_set(struct linnet_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#ifdef __clang_analyzer__
/* It sees one file at a time, and so not that the code comes back as it is. */
#define linnet_error_set(err, code, ...) (linnet_error_set(err, code, __VA_ARGS__), (code))
#endif
/* Put "prefix: " before the detail that is there. Returns err->code. */
int linnet_error_prefix(struct linnet_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
