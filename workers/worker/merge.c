#include "workers/worker/merge.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/time.h"

#define VIEWS_MAX 10 /* of an observation, by its schema */

int linnet_merge_compare_revisions(const char *a, const char *b) {
    unsigned long x = strtoul(a, NULL, 10), y = strtoul(b, NULL, 10);
    if (x != y) return x < y ? -1 : 1;
    return strcmp(a, b);
}

static int64_t edited(const json_t *leaf) {
    int64_t at = 0;
    const char *text = linnet_json_string(leaf, "updated_at", linnet_json_string(leaf, "created_at", ""));
    return linnet_time_parse(text, &at) ? INT64_MIN : at;
}

static int compare_leaves(const json_t *a, const json_t *b) {
    int64_t x = edited(a), y = edited(b);
    if (x != y) return x < y ? -1 : 1;
    return linnet_merge_compare_revisions(linnet_json_string(a, "_rev", ""),
                                          linnet_json_string(b, "_rev", ""));
}

size_t linnet_merge_latest(json_t *const *leaves, size_t n) {
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (compare_leaves(leaves[i], leaves[best]) > 0) best = i;
    return best;
}

static int newest_first(const void *a, const void *b) {
    return compare_leaves(*(json_t *const *)b, *(json_t *const *)a);
}

static bool has_view(const json_t *views, const char *image) {
    size_t i;
    json_t *view;
    json_array_foreach(views, i, view) {
        if (strcmp(linnet_json_string(view, "image", ""), image) == 0) return true;
    }
    return false;
}

/* The views of all leaves, the newest leaf's first; of one image, what the newest says. */
static int merge_views(json_t *merged, json_t *const *sorted, size_t n) {
    json_t *views = json_array(), *view;
    size_t k;
    if (!views) return -1;
    int failed = 0;
    for (size_t i = 0; i < n; i++) {
        json_array_foreach(json_object_get(sorted[i], "views"), k, view) {
            const char *image = linnet_json_string(view, "image", NULL);
            if (!image || has_view(views, image) || json_array_size(views) == VIEWS_MAX) continue;
            failed |= json_array_append(views, view);
        }
    }
    if (!json_array_size(views) && !json_object_get(merged, "views")) {
        json_decref(views);
        return failed;
    }
    return json_object_set_new(merged, "views", views) || failed ? -1 : 0;
}

json_t *linnet_merge_observations(json_t *const *leaves, size_t n) {
    json_t **sorted = malloc(n * sizeof(json_t *));
    json_t *merged = json_object();
    const char *key;
    json_t *value;
    int failed = !sorted || !merged;
    if (sorted) {
        memcpy(sorted, leaves, n * sizeof(json_t *));
        qsort(sorted, n, sizeof(json_t *), newest_first);
    }
    for (size_t i = 0; !failed && i < n; i++) {
        json_object_foreach(sorted[i], key, value) {
            if (key[0] != '_' && !json_object_get(merged, key)) failed |= json_object_set(merged, key, value);
        }
    }
    if (!failed) failed = merge_views(merged, sorted, n);
    if (!failed) {
        json_object_foreach(leaves[0], key, value) {
            if (key[0] == '_' && strcmp(key, "_conflicts") != 0)
                failed |= json_object_set(merged, key, value);
        }
    }
    free(sorted);
    if (!failed) return merged;
    json_decref(merged);
    return NULL;
}

static size_t count_members(const json_t *object) {
    size_t n = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) n += key[0] != '_';
    return n;
}

size_t linnet_merge_same(const json_t *merged, json_t *const *leaves, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bool same = count_members(merged) == count_members(leaves[i]);
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)merged, key, value) {
            if (key[0] != '_') same = same && json_equal(value, json_object_get(leaves[i], key));
        }
        if (same) return i;
    }
    return n;
}
