/* A store for tests: the CouchDB at LINNET_COUCHDB_URL, else an embedded one of our own in a folder of its
 * own. */
#ifndef LINNET_TESTS_WORKER_STORE_H
#define LINNET_TESTS_WORKER_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "common/couch/couch.h"

/* Start or find it, and make the three databases under a prefix of our own. False: there is none to be had
 * (no node, no packages): skip. Fails the test if it is there and does not work. */
bool store_open(void);
/* Delete the databases, stop what was started. */
void store_close(void);
const char *store_url(void);
const char *store_prefix(void);
/* Take new, empty databases under another prefix (the embedded store does not like a database that is deleted
 * and made again at once); the old ones are deleted. */
void store_fresh(void);
/* GET a document, NULL if there is none; a new reference. PUT one, with its revision filled in if it replaces
 * one. */
json_t *store_get(enum linnet_database database, const char *id);
void store_put(enum linnet_database database, json_t *document); /* takes the reference */

#endif
