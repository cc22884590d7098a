/* The configuration of `linnet worker`: one JSON file, checked against schemas/worker-config.schema.json
 * (built into the program), completed from the environment and with the schema's defaults.
 *
 * The result is a JSON object in which every value that has a default is there, so that others read it with
 * linnet_json_string and the like. It holds the store's password: it must never be logged. */
#ifndef LINNET_WORKER_CONFIG_H
#define LINNET_WORKER_CONFIG_H

#include <jansson.h>

#include "common/base/error.h"

/* What the command line says. All may be NULL. */
struct linnet_worker_overrides {
    const char *file; /* path of the configuration */
    const char
        *url; /* of the store; one with a password is refused: everybody on the machine can read argv */
    const char *prefix; /* of the databases' names */
    const char *groups; /* those to be a member of, commas between; the file's others are left out */
    const char *listen; /* of the monitor */
    const char
        *serve; /* serve the API: on this address, "" as the configuration says; NULL: only if it says so */
    const char *log_format, *log_level;
};

/* Load, complete and check. Besides what the schema says, after it: "couchdb/url" with credentials if there
 * are any, "state_dir", "cache_dir", "name" and "plugin_path" are set. On success *out is a new reference.
 * Errors say file, place and what to do: LINNET_E_IO, LINNET_E_PARSE, LINNET_E_INVALID, LINNET_E_DENIED (a
 * password that cannot be read). */
int linnet_worker_config_load(const struct linnet_worker_overrides *overrides, json_t **out,
                              struct linnet_error *err);

/* config_serve.c: the part of the API ("serve"), where there is one or the command line asks for it: checked
 * and completed like the configuration of `linnet serve`, with the worker's store, folders and plugins, and
 * the same stages as the worker's where it names none. `config` is otherwise complete. */
int linnet_worker_config_serve(const struct linnet_worker_overrides *overrides, json_t *config,
                               struct linnet_error *err);

/* Would a child need to be started anew to take `next` after `now` (store, prefix, state, lease, name,
 * monitor), rather than reload? Returns the name of the first such member, NULL if there is none. */
const char *linnet_worker_config_needs_restart(const json_t *now, const json_t *next);

#endif
