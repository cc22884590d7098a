/* What stands in a request's target: the segments of its path and the parameters of its query, decoded (RFC
 * 3986). Foreign bytes; pure functions, any thread. */
#ifndef LINNET_SERVE_PARAMS_H
#define LINNET_SERVE_PARAMS_H

#include <stddef.h>

#include "common/base/error.h"

#define SERVE_PARAMS_MAX   64
#define SERVE_SEGMENTS_MAX 8

struct serve_param {
    const char *name, *value;
};

/* In the order in which they came; one name may come again. Strings point into the text that was parsed. */
struct serve_params {
    struct serve_param list[SERVE_PARAMS_MAX];
    size_t n;
};

struct serve_path {
    const char *segment[SERVE_SEGMENTS_MAX];
    size_t n;
};

/* Take a query ("a=1&b=%20") apart in place: `text` is changed and must outlive `out`. '+' is a space.
 * LINNET_E_PARSE: a broken escape, a NUL, or what is no UTF-8; LINNET_E_LIMIT: more than SERVE_PARAMS_MAX. */
int serve_params_parse(char *text, struct serve_params *out, struct linnet_error *err);
/* Take a path apart in place. "/" has no segment; an empty one ("//", or a slash at the end) is left out; "."
 * and ".." are names like others: nothing is a file here. LINNET_E_PARSE as above (and for a path that does
 * not begin with '/'), LINNET_E_LIMIT. */
int serve_path_parse(char *text, struct serve_path *out, struct linnet_error *err);

/* The first value of a name, NULL if there is none. */
const char *serve_params_get(const struct serve_params *params, const char *name);
/* The value of the `index`th parameter of that name (or of "name[]"), NULL if there are not so many. */
const char *serve_params_nth(const struct serve_params *params, const char *name, size_t index);

#endif
