#include "workers/serve/router.h"

#include <stdio.h>
#include <string.h>

/* Does the path fit the route's? */
static bool fits(const char *pattern, const struct serve_path *path, const char **capture) {
    const char *captured = NULL;
    size_t n = 0;
    for (const char *p = pattern + 1; *p != '\0'; n++) {
        size_t size = strcspn(p, "/");
        if (n == path->n) return false;
        const char *segment = path->segment[n];
        if (*p == '{')
            captured = segment;
        else if (strlen(segment) != size || memcmp(segment, p, size) != 0)
            return false;
        p += size + (p[size] == '/');
    }
    if (n != path->n) return false;
    *capture = captured;
    return true;
}

const struct serve_route *serve_route_find(const char *method, const struct serve_path *path,
                                           const char **capture, char *allowed, size_t size) {
    size_t used = 0;
    *capture = NULL;
    *allowed = '\0';
    if (strcmp(method, "HEAD") == 0) method = "GET";
    for (const struct serve_route *route = serve_routes; route->method != NULL; route++) {
        if (!fits(route->path, path, capture)) continue;
        if (strcmp(route->method, method) == 0) return route;
        int n = snprintf(allowed + used, size - used, "%s%s", used > 0 ? ", " : "", route->method);
        used += n > 0 && (size_t)n < size - used ? (size_t)n : 0;
        *capture = NULL;
    }
    return NULL;
}
