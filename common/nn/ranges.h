/* The ranges of a network's values, by the names that they have in the ONNX file: what calibration finds and
 * int8 needs. Kept in the file's metadata under LINNET_NN_RANGES_KEY as JSON:
 * {"version":1,"method":"error","samples":512,"ranges":{"<value>":[low,high],...}}.
 * Internal to common/nn. Immutable once made. */
#ifndef LINNET_NN_RANGES_H
#define LINNET_NN_RANGES_H

#include <stddef.h>
#include <stdint.h>

#include "common/nn/nn.h"

#define LINNET_NN_RANGES_KEY "linnet.ranges"

struct linnet_nn_range {
    char *name;
    float low, high; /* low <= 0 <= high, finite, not both 0 */
};
struct linnet_nn_ranges {
    struct linnet_nn_range *list; /* by name */
    size_t count;
};

/* Foreign text. LINNET_E_PARSE in words, LINNET_E_NOMEM. The caller frees. */
int linnet_nn_ranges_parse(const char *text, size_t size, struct linnet_nn_ranges **out,
                           struct linnet_error *err);
/* Made one by one: room for `most`; a range (the name is copied), LINNET_E_NOMEM; and, once all are there,
 * put in order, ranges of one name being one. */
struct linnet_nn_ranges *linnet_nn_ranges_new(size_t most);
int linnet_nn_ranges_add(struct linnet_nn_ranges *ranges, const char *name, float low, float high);
void linnet_nn_ranges_settle(struct linnet_nn_ranges *ranges);
void linnet_nn_ranges_free(struct linnet_nn_ranges *ranges);
/* NULL: not known. */
const struct linnet_nn_range *linnet_nn_ranges_find(const struct linnet_nn_ranges *ranges, const char *name);

#endif
