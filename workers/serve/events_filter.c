#include "workers/serve/events_filter.h"

#include <string.h>

static bool same(const char *wanted, const char *found) {
    return *wanted == '\0' || (found != NULL && strcmp(wanted, found) == 0);
}

bool serve_filter_wants(const struct serve_filter *filter, const struct serve_topic *topic) {
    return filter->database == topic->database && same(filter->observation, topic->observation) &&
           same(filter->observer, topic->observer) && same(filter->flora, topic->flora) &&
           same(filter->kind, topic->kind);
}

bool serve_filter_needs_owner(const struct serve_filter *filter) {
    return filter->observer[0] != '\0' || filter->flora[0] != '\0';
}
