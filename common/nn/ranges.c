#include "common/nn/ranges.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/nn/fail.h"

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct linnet_nn_range *)a)->name, ((const struct linnet_nn_range *)b)->name);
}

/* [low, high] as it has to be. */
static bool read_range(const json_t *pair, struct linnet_nn_range *range) {
    if (json_array_size(pair) != 2 || !json_is_number(json_array_get(pair, 0)) ||
        !json_is_number(json_array_get(pair, 1)))
        return false;
    range->low = (float)json_number_value(json_array_get(pair, 0));
    range->high = (float)json_number_value(json_array_get(pair, 1));
    return isfinite(range->low) && isfinite(range->high) && range->low <= 0 && range->high >= 0 &&
           range->high - range->low > 0;
}

struct linnet_nn_ranges *linnet_nn_ranges_new(size_t most) {
    struct linnet_nn_ranges *ranges = calloc(1, sizeof *ranges);
    if (ranges) ranges->list = calloc(most + 1, sizeof *ranges->list);
    if (ranges && ranges->list) return ranges;
    free(ranges);
    return NULL;
}

int linnet_nn_ranges_add(struct linnet_nn_ranges *ranges, const char *name, float low, float high) {
    char *copy = strdup(name);
    if (!copy) return LINNET_E_NOMEM;
    ranges->list[ranges->count++] = (struct linnet_nn_range){copy, low, high};
    return 0;
}

void linnet_nn_ranges_settle(struct linnet_nn_ranges *ranges) {
    size_t kept = 0;
    qsort(ranges->list, ranges->count, sizeof *ranges->list, by_name);
    for (size_t i = 0; i < ranges->count; i++) {
        struct linnet_nn_range *each = &ranges->list[i], *last = kept ? &ranges->list[kept - 1] : NULL;
        if (!last || strcmp(last->name, each->name) != 0) {
            ranges->list[kept++] = *each;
            continue;
        }
        if (each->low < last->low) last->low = each->low;
        if (each->high > last->high) last->high = each->high;
        free(each->name);
    }
    ranges->count = kept;
}

static int fill(struct linnet_nn_ranges *ranges, json_t *table, struct linnet_error *err) {
    const char *name;
    json_t *pair;
    ranges->list = calloc(json_object_size(table) + 1, sizeof *ranges->list);
    if (!ranges->list) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    json_object_foreach(table, name, pair) {
        struct linnet_nn_range *range = &ranges->list[ranges->count];
        if (!read_range(pair, range))
            return linnet_nn_fail(err, LINNET_E_PARSE,
                                  "the metadata " LINNET_NN_RANGES_KEY ": a range is two numbers around 0");
        range->name = strdup(name);
        if (!range->name) return linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
        ranges->count++;
    }
    qsort(ranges->list, ranges->count, sizeof *ranges->list, by_name);
    return 0;
}

int linnet_nn_ranges_parse(const char *text, size_t size, struct linnet_nn_ranges **out,
                           struct linnet_error *err) {
    json_t *root = NULL;
    int rc = linnet_json_parse(text, size, 0, &root, err);
    if (rc) {
        if (err) linnet_error_prefix(err, "the metadata " LINNET_NN_RANGES_KEY);
        return rc;
    }
    json_t *table = json_object_get(root, "ranges");
    struct linnet_nn_ranges *ranges = NULL;
    if (linnet_json_integer(root, "version", 0) != 1 || !json_is_object(table))
        rc = linnet_nn_fail(err, LINNET_E_PARSE, "the metadata " LINNET_NN_RANGES_KEY " is not of version 1");
    if (!rc) {
        ranges = calloc(1, sizeof *ranges);
        rc = ranges ? fill(ranges, table, err) : linnet_nn_fail(err, LINNET_E_NOMEM, "out of memory");
    }
    json_decref(root);
    if (rc) {
        linnet_nn_ranges_free(ranges);
        return rc;
    }
    *out = ranges;
    return 0;
}

void linnet_nn_ranges_free(struct linnet_nn_ranges *ranges) {
    if (!ranges) return;
    for (size_t i = 0; i < ranges->count; i++)
        free(ranges->list[i].name);
    free(ranges->list);
    free(ranges);
}

const struct linnet_nn_range *linnet_nn_ranges_find(const struct linnet_nn_ranges *ranges, const char *name) {
    size_t from = 0, to = ranges ? ranges->count : 0;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(name, ranges->list[middle].name);
        if (!order) return &ranges->list[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}
