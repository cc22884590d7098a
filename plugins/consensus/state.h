/* The stage's state on local disk: <folder>/crowd.state, a row of checksummed blocks, each with the records
 * that had changed, up to the feed position that they stand for. To save costs what has changed, not what
 * there is: a block is appended and synced. Of very much that has changed most is written ahead, in slices. A
 * kill leaves blocks at the end that no position follows, or a torn one: they are cut off at the next start.
 *
 * When the file has grown to several times what it need be it is written anew beside, in slices, while blocks
 * go to both; then it takes the place of the old one. */
#ifndef CONSENSUS_STATE_H
#define CONSENSUS_STATE_H

#include <stddef.h>

#include "plugins/consensus/config.h"
#include "plugins/consensus/crowd.h"

#define STATE_SETTLE_SIZE (ULID_TEXT + 1)

struct state;

/* Open a folder's state and load it into an empty crowd. `position` gets "" if there is none; `settle` the
 * request to settle that was not answered yet, "" for none. NULL with words in why[why_size] if the file is
 * damaged or cannot be used: the crowd is then to be thrown away, and the folder opened again after
 * state_discard. */
struct state *state_open(const char *folder, struct crowd *crowd, const struct consensus_config *config,
                         char *position, size_t size, char settle[STATE_SETTLE_SIZE], char *why,
                         size_t why_size);
/* One that takes the place of whatever the folder holds, at the first save. NULL: out of memory. */
struct state *state_new(const char *folder, const struct consensus_config *config);
void state_close(struct state *state);
/* Move a damaged file out of the way (crowd.state.damaged). */
void state_discard(const char *folder);

/* Save what has changed. 0, or -1 with errno set: what was saved before stands. */
int state_save(struct state *state, struct crowd *crowd, const char *position, const char *settle);
/* Between saves, so that none has much to do: if more than n records have changed, n of them are written
 * ahead of the save that they belong to; else, if the file is being written anew, the next n records of that.
 * 0, or -1 with errno set: they are still to be saved, and writing anew is given up. */
int state_step(struct state *state, struct crowd *crowd, uint32_t n);

#endif
