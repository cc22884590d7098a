/* API keys and what they have used today: kept in linnet-ops (schemas/apikey, schemas/quota) and followed
 * there, so that a key that is added or revoked is known at once, and servers side by side share quotas (each
 * writes what it has counted every few seconds). Loop thread. */
#ifndef LINNET_SERVE_KEYS_H
#define LINNET_SERVE_KEYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "common/couch/couch.h"

struct serve_keys;

/* Start to follow. `couch` NULL: without a store there are no keys. LINNET_E_NOMEM. */
int serve_keys_open(uv_loop_t *loop, struct linnet_couch *couch, struct serve_keys **out);
/* Have all keys been read? */
bool serve_keys_ready(const struct serve_keys *keys);
/* The document of a key as a caller has sent it. Borrowed until the loop turns; NULL: there is none, or it is
 * revoked. */
const json_t *serve_keys_find(const struct serve_keys *keys, const char *text);
/* Identifications today, by a key's document; all servers'. */
uint64_t serve_keys_used(struct serve_keys *keys, const json_t *key);
void serve_keys_use(struct serve_keys *keys, const json_t *key, unsigned n);
/* Write what has not been written and free; `closed` (may be NULL) when that is done. NULL is safe. */
void serve_keys_close(struct serve_keys *keys, void (*closed)(void *arg), void *arg);

#endif
