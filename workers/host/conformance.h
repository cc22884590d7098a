/* The conformance suite: does a plugin keep its side of the contract in linnet/plugin.h? For anybody's
 * plugin, with nothing known of it but its declaration and some documents to work on.
 *
 * Every check runs in a process of its own, forked from the caller's, which must have one thread: a crash, a
 * hang or a corrupted heap is a failed check with words, never the end of the suite. In that process the
 * plugin runs in a real stage, in an empty working folder, home and TMPDIR. */
#ifndef LINNET_HOST_CONFORMANCE_H
#define LINNET_HOST_CONFORMANCE_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/base/schema.h"
#include "workers/host/observation.h"
#include "workers/host/references.h"

enum linnet_check_status {
    LINNET_CHECK_NONE,
    LINNET_CHECK_PASSED,
    LINNET_CHECK_FAILED,
    LINNET_CHECK_SKIPPED
};

struct linnet_check_result {
    const char *name;  /* "exactly_once" */
    const char *holds; /* what it holds, one sentence */
    enum linnet_check_status status;
    const char *words;  /* why it failed or was skipped, or a figure; "" if there is nothing to say */
    const char *output; /* what the plugin wrote to its standard error, the end of it */
    double seconds;
};

struct linnet_conformance_options {
    const char *path;                         /* of the shared object */
    const json_t *config;                     /* NULL: the defaults */
    struct linnet_references *references;     /* NULL: none. Its files' paths must be absolute */
    const struct linnet_schemas *schemas;     /* outputs of known kinds are checked; NULL: not */
    const struct linnet_observation *samples; /* what items are made of */
    size_t nsamples;
    unsigned timeout_ms; /* of one check; 0: 120000 */
    const char *only;    /* the name of the only check to run; NULL: all */
    void (*report)(void *arg, const struct linnet_check_result *result); /* after each */
    void *arg;
};

/* Run the suite. *failed is the number of checks that failed. LINNET_E_IO (no temporary folder),
 * LINNET_E_NOMEM, LINNET_E_NOT_FOUND (no such file, or no check named `only`): nothing was run. */
int linnet_conformance_run(const struct linnet_conformance_options *options, size_t *failed,
                           struct linnet_error *err);
/* The checks' names and what each holds, for lists: NULL after the last. */
const char *linnet_conformance_name(size_t index);
const char *linnet_conformance_holds(size_t index);

#endif
