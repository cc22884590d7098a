/* A store for a test program: the server at LINNET_COUCHDB_URL (credentials in it), else the embedded one,
 * started for the program on a free port with data of its own. Blocking, with a loop of its own; any failure
 * fails the test. */
#ifndef LINNET_TESTS_WORKER_FLOW_STORE_H
#define LINNET_TESTS_WORKER_FLOW_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#include "common/couch/couch.h"

struct store {
    char url[256];
    char prefix[32];
    uv_loop_t loop;
    struct linnet_couch *couch;
};

/* Once a program: start the server, end it and remove its data. For cmocka's group setup and teardown. */
int store_start(void **state);
int store_stop(void **state);
/* kill -9 the embedded store and start it again on its port (false: it is not ours). */
bool store_is_ours(void);
void store_kill(void);
void store_restart(void);

/* Three fresh databases under a prefix of their own; partitioned where the server can. */
struct store *store_new(void);
void store_free(struct store *store);
/* Any request below the server's root; fails the test if the status is not `status` (0: any). A new reference
 * or NULL. */
json_t *store_request(struct store *store, const char *method, const char *path, json_t *body, long status);
const char *store_database(struct store *store, enum linnet_database database);
/* _bulk_docs; takes the array, fails if one was refused. */
void store_put_all(struct store *store, enum linnet_database database, json_t *documents, bool new_edits);
/* One document, takes it. */
void store_put(struct store *store, json_t *document);
/* NULL if there is none. */
json_t *store_get(struct store *store, enum linnet_database database, const char *id);
/* Deletes it at its present revision. */
void store_delete(struct store *store, enum linnet_database database, const char *id);
/* All documents of a database but design documents, by id. */
json_t *store_all(struct store *store, enum linnet_database database);
/* Ids with this between their colons. */
size_t store_count(struct store *store, enum linnet_database database, const char *part);
/* The number at the head of the last seq. */
long long store_last_seq(struct store *store);

#endif
