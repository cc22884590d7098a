/* GET /v2/events: what changes in the databases, as server-sent events. One changes feed on each database,
 * whoever listens; it begins with the first who does. Browsers are filtered here, by observation, observer,
 * flora and kind.
 *
 * A listener gets "hello" once the feed is at the database's end: what it reads of the store after that, and
 * the events from there on, leave nothing out. Each event has an id; who comes back with it (Last-Event-ID)
 * gets what was missed, or "reset" where that is too long ago: read the state again. Loop thread. */
#ifndef LINNET_SERVE_EVENTS_H
#define LINNET_SERVE_EVENTS_H

#include <uv.h>

#include "common/base/metrics.h"
#include "common/couch/couch.h"
#include "workers/serve/request.h"

struct serve_events;

/* LINNET_E_NOMEM. `couch` is borrowed. */
int serve_events_open(uv_loop_t *loop, struct linnet_couch *couch, struct linnet_metrics *metrics,
                      struct serve_events **out);
/* End all streams: the server stops. NULL is safe. */
void serve_events_end(struct serve_events *events);
/* When the streams are gone: end the feeds; its timer goes with the loop's next turn. NULL is safe. */
void serve_events_close(struct serve_events *events);

extern const char *const serve_events_query[];
void serve_events_get(struct serve_request *request);

#endif
