/* The server: what its parts share. One thread, the loop's, owns all of it; the stages' executors are the
 * only others. */
#ifndef LINNET_SERVE_SERVE_H
#define LINNET_SERVE_SERVE_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "common/base/metrics.h"
#include "common/couch/couch.h"
#include "workers/serve/tally.h"

struct serve {
    uv_loop_t *loop;
    const json_t *config; /* complete, schemas/serve-config.schema.json */
    struct linnet_metrics *metrics;
    struct serve_http *http;
    struct serve_engine *engine;
    struct linnet_couch *couch; /* NULL: without a store */
    struct serve_keys *keys;
    struct serve_fetcher *fetcher; /* NULL: pictures by URL are off */
    struct serve_events *events;   /* NULL: without a store */
    struct serve_similar *similar; /* NULL: without a store, or off */
    struct serve_app *app;         /* NULL: without a store, or not built */
    struct serve_tally addresses;  /* identifications today of who has no key, by address */
    struct serve_tally signups;    /* of the hour, by address */
    bool draining;
};

/* Run until SIGTERM or SIGINT. `config` is borrowed. Returns an exit code; what went wrong has been logged.
 */
int serve_run(const json_t *config);

#endif
