/* The graph of stages, derived from what they declare: who consumes what who produces. Pure. */
#ifndef LINNET_HOST_GRAPH_H
#define LINNET_HOST_GRAPH_H

#include <linnet/plugin.h>

#include "common/base/error.h"

struct linnet_graph_stage {
    const char *name;
    const struct linnet_plugin *plugin;
};

struct linnet_graph {
    size_t
        *order; /* the stages so that each comes after those that it consumes from; else in the order given */
    size_t n;
};

/* Derive and check. `elsewhere`: kinds that stages of other groups produce, ended by NULL ("*": anything;
 * NULL: none). Kinds that apps write come from outside. LINNET_E_INVALID in words: two stages of one name, a
 * cycle, a required kind that nobody produces, two stages that would write the same documents.
 * LINNET_E_NOMEM. */
int linnet_graph_make(const struct linnet_graph_stage *stages, size_t n, const char *const *elsewhere,
                      struct linnet_graph *out, struct linnet_error *err);
void linnet_graph_done(struct linnet_graph *graph);
/* Does `from` produce a kind that `to` consumes? */
bool linnet_graph_feeds(const struct linnet_plugin *from, const struct linnet_plugin *to);

#endif
