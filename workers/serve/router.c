#include "workers/serve/router.h"

#include <stdio.h>
#include <string.h>

/* Does the path fit the route's? */
static bool fits(const char *pattern, const struct serve_path *path,
                 const char *captures[SERVE_CAPTURES_MAX]) {
    size_t n = 0, captured = 0;
    memset(captures, 0, SERVE_CAPTURES_MAX * sizeof *captures);
    for (const char *p = pattern + 1; *p != '\0'; n++) {
        size_t size = strcspn(p, "/");
        if (n == path->n) return false;
        const char *segment = path->segment[n];
        if (*p == '{' && captured < SERVE_CAPTURES_MAX)
            captures[captured++] = segment;
        else if (strlen(segment) != size || memcmp(segment, p, size) != 0)
            return false;
        p += size + (p[size] == '/');
    }
    return n == path->n;
}

const struct serve_route *serve_route_find(const char *method, const struct serve_path *path,
                                           const char *captures[SERVE_CAPTURES_MAX], char *allowed,
                                           size_t size) {
    size_t used = 0;
    *allowed = '\0';
    if (strcmp(method, "HEAD") == 0) method = "GET";
    for (const struct serve_route *route = serve_routes; route->method != NULL; route++) {
        if (!fits(route->path, path, captures)) continue;
        if (strcmp(route->method, method) == 0) return route;
        int n = snprintf(allowed + used, size - used, "%s%s", used > 0 ? ", " : "", route->method);
        used += n > 0 && (size_t)n < size - used ? (size_t)n : 0;
    }
    memset(captures, 0, SERVE_CAPTURES_MAX * sizeof *captures);
    return NULL;
}
