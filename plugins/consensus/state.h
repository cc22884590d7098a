/* The stage's state on disk: what each observation's documents said and what was emitted for it, one JSON
 * line each, and the feed position that this stands for. Written aside, synced, renamed: a kill leaves the
 * old one or the new one. */
#ifndef CONSENSUS_STATE_H
#define CONSENSUS_STATE_H

#include <stddef.h>

#include "plugins/consensus/crowd.h"

/* Save to <folder>/crowd.jsonl. 0, or -1 with errno set; the old file stands then. */
int state_save(const struct crowd *crowd, const char *folder, const char *position);
/* Load into an empty crowd. `position` gets "" if there is no file. -1 with words in why[why_size] if the
 * file is damaged: the crowd is then to be thrown away and rebuilt from the feed's beginning. */
int state_load(struct crowd *crowd, const char *folder, char *position, size_t size, char *why,
               size_t why_size);

#endif
