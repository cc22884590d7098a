/* Configuration files: what those of `linnet worker` and `linnet serve` have in common. JSON, checked against
 * a schema of schemas/ that is built into the program, completed with the schema's defaults and from the
 * environment. Any thread. */
#ifndef LINNET_WORKER_SETTINGS_H
#define LINNET_WORKER_SETTINGS_H

#include <jansson.h>

#include "common/base/error.h"

/* A schema by its name ("worker-config"): a new reference. LINNET_E_INTERNAL: the program was built without
 * it. */
int linnet_settings_schema(const char *name, json_t **out, struct linnet_error *err);
/* Read a file (NULL: an empty object). LINNET_E_NOT_FOUND, LINNET_E_IO, LINNET_E_PARSE with the path. */
int linnet_settings_load(const char *path, json_t **out, struct linnet_error *err);
/* LINNET_E_INVALID with the place and what was expected. */
int linnet_settings_check(const char *name, json_t *schema, const json_t *value, struct linnet_error *err);
/* Put in what is missing and has a default, all the way down. LINNET_E_NOMEM. */
int linnet_settings_complete(const json_t *schema, json_t *value);
/* Set a member (a NULL value: leave it as it is). LINNET_E_NOMEM. */
int linnet_settings_set(json_t *config, const char *key, const char *value);
/* A variable of the environment, NULL if it is unset or empty. */
const char *linnet_settings_environment(const char *name);

/* "url" and "prefix" of the member "couchdb": what the command line says (NULL: nothing), else the
 * environment (LINNET_COUCHDB_URL, LINNET_PREFIX), else as they stand. LINNET_E_DENIED: a password on the
 * command line, which everybody on the machine can read. */
int linnet_settings_store(const char *url, const char *prefix, json_t *couchdb, struct linnet_error *err);
/* Put user and password into "url" where it has none and a user is named. LINNET_E_DENIED: no password, or
 * one that cannot be read. */
int linnet_settings_credentials(json_t *couchdb, struct linnet_error *err);
/* A folder: as it is set; else $`variable` (the first of a list); `system_` as root; $`xdg`/linnet;
 * ~/`home`/linnet. LINNET_E_NOMEM. */
int linnet_settings_folder(json_t *config, const char *key, const char *variable, const char *system_,
                           const char *xdg, const char *home);

#endif
