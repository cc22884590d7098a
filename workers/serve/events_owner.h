/* Whose observation a changed document belongs to, and in which flora: told by the observation's document,
 * which is looked up where it has not come by lately. Changes leave in the order in which they came. Loop
 * thread. */
#ifndef LINNET_SERVE_EVENTS_OWNER_H
#define LINNET_SERVE_EVENTS_OWNER_H

#include <jansson.h>
#include <stdbool.h>

#include "common/couch/couch.h"

struct serve_owners;

/* Borrowed for the call. */
struct serve_change {
    const char *id, *revision;
    bool deleted;
    json_t *document; /* NULL: not there */
};

/* `owner`: {"observer", "flora"?} of the observation; NULL: of no observation, or of one that there is not.
 * May run from inside serve_owners_take. */
typedef void serve_owned_callback(void *arg, const struct serve_change *change, const json_t *owner);

int serve_owners_open(struct linnet_couch *couch, serve_owned_callback *owned, void *arg,
                      struct serve_owners **out);
void serve_owners_take(struct serve_owners *owners, const struct serve_change *change);
/* Freed when the look-up under way, if any, has come back. */
void serve_owners_close(struct serve_owners *owners);

#endif
