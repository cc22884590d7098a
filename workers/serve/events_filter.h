/* Which events a listener wants, and what an event is about. Pure; any thread. */
#ifndef LINNET_SERVE_EVENTS_FILTER_H
#define LINNET_SERVE_EVENTS_FILTER_H

#include <stdbool.h>

#include "common/base/id.h"

/* What an event is about. Strings may be NULL: unknown, or not of this database. */
struct serve_topic {
    enum linnet_database database;
    const char *kind, *observation, *observer, *flora;
};

struct serve_filter {
    enum linnet_database database;
    char observation[LINNET_ULID_SIZE]; /* "": any */
    char observer[65], flora[160], kind[LINNET_KIND_MAX];
    bool documents; /* the document goes with the event */
};

/* Does a listener want it? */
bool serve_filter_wants(const struct serve_filter *filter, const struct serve_topic *topic);
/* Does telling need more than an event's id says: whose observation it is, in which flora? */
bool serve_filter_needs_owner(const struct serve_filter *filter);

#endif
