/* Targets of requests: any path and query. What is decoded is UTF-8 and lies within the text. */
#include <string.h>

#include "common/base/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "workers/serve/params.h"
#include "workers/serve/router.h"

static void check(const char *text, const char *begin, size_t size) {
    HOLD(text >= begin && text < begin + size + 1);
    for (size_t left = strlen(text); left > 0;) {
        size_t step = linnet_utf8_next(text, left);
        HOLD(step > 0);
        text += step;
        left -= step;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1), allowed[64];
    const char *captures[SERVE_CAPTURES_MAX];
    struct serve_params params;
    struct serve_path path;
    struct linnet_error err = {0};
    if (text == NULL) return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char *query = strchr(text, '?');
    if (query != NULL) *query++ = '\0';
    if (serve_path_parse(text, &path, &err) == 0) {
        for (size_t i = 0; i < path.n; i++)
            check(path.segment[i], text, size);
        const struct serve_route *route = serve_route_find("GET", &path, captures, allowed, sizeof allowed);
        HOLD(route == NULL || allowed[0] == '\0' || route->handle != NULL);
    }
    if (serve_params_parse(query, &params, &err) == 0)
        for (size_t i = 0; i < params.n; i++) {
            check(params.list[i].name, text, size);
            if (*params.list[i].value != '\0') check(params.list[i].value, text, size);
            HOLD(serve_params_get(&params, params.list[i].name) != NULL);
        }
    free(text);
    return 0;
}
