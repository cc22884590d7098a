/* A flow at work on a store, for tests: opened with all shares, run until something holds, closed or killed.
 */
#ifndef LINNET_TESTS_WORKER_FIXTURE_H
#define LINNET_TESTS_WORKER_FIXTURE_H

#include "tests/unit/test.h"

#include "tests/unit/worker/flow_store.h"
#include "tests/unit/worker/stages.h"
#include "workers/worker/flow.h"

#define FIXTURE_STAGES 4

struct fixture {
    struct store *store;
    uv_loop_t loop;
    uv_timer_t timer;
    struct linnet_couch *couch;
    struct linnet_metrics *metrics;
    struct linnet_flow_options options; /* change before fixture_open */
    struct linnet_flow *flow;
    struct linnet_flow_stage stages[FIXTURE_STAGES];
    struct linnet_plugin_file *files[FIXTURE_STAGES];
    size_t nstages;
    char *checkpoints[LINNET_SHARES]; /* where shares are gained from; NULL: the beginning */
    char state_dir[64];
    const char *by; /* configuration of all stages; NULL: its default */
    enum linnet_policy policy;
    bool drained, closed, late_told[LINNET_SHARES];
    bool forbidden; /* no lease is young enough */
    int fatal;
    char words[256];
};

struct fixture *fixture_new(struct store *store);
/* Open a flow with these stages (NULL ends them) and gain all shares and the site, as far as they are needed.
 */
void fixture_open(struct fixture *f, const struct linnet_plugin *first, ...) __attribute__((sentinel));
/* Stages and flow only; the test gains. */
void fixture_open_without_shares(struct fixture *f, const struct linnet_plugin *const *plugins, size_t n);
void fixture_gain(struct fixture *f, unsigned first, unsigned last);
/* Run the loop until `holds`; fails the test after 30 s, saying `what`. */
void fixture_run_until(struct fixture *f, bool (*holds)(void *arg), void *arg, const char *what);
#define fixture_until(f, holds, arg) fixture_run_until(f, holds, arg, #holds)
/* Until every change that the store holds now is answered, and none that this led to is left. */
void fixture_settle(struct fixture *f);
/* Run the loop for a while, for what is not supposed to happen. */
void fixture_linger(struct fixture *f, unsigned ms);
/* Keep the checkpoints for the next opening. */
void fixture_keep_checkpoints(struct fixture *f);
void fixture_drain(struct fixture *f);
/* Close the flow and its stages, without draining. */
void fixture_close(struct fixture *f);
void fixture_free(struct fixture *f); /* closes, if it is open */
double fixture_metric(struct fixture *f, const char *name, const char *labels);

/* ---- documents ---- */
/* The nth test observation's ULID. */
const char *sample_ulid(unsigned n);
json_t *sample_observation(unsigned n, unsigned views);
/* With attachment "original"; `todo` may be NULL. */
json_t *sample_image(unsigned n, const char *digest, const char *bytes, const char *todo);
json_t *sample_validation(unsigned n, const char *user, const char *taxon, const char *created_at);
/* "<ulid>:<rest>" in a buffer that the next calls reuse. */
const char *sample_id(unsigned n, const char *rest);

#endif
