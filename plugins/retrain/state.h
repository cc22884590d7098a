/* The stage's state on disk: what each observation's documents said, the baseline, what was raised, and the
 * feed position that this stands for. */
#ifndef RETRAIN_STATE_H
#define RETRAIN_STATE_H

#include <stddef.h>

#include "plugins/retrain/rules.h"
#include "plugins/retrain/tally.h"

/* Save to <folder>/tally.jsonl. 0, or -1 with errno set and the old file in place. */
int state_save(const struct tally *tally, const struct baseline *baseline, const json_t *raised,
               const char *folder, const char *position);
/* Load into an empty tally. `raised` is an object to fill. Without a file: 0 and position "". -1: damaged,
 * throw the tally away. */
int state_load(struct tally *tally, struct baseline *baseline, json_t *raised, const char *folder,
               char *position, size_t size);

#endif
