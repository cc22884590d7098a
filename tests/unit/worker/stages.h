/* Stages for the tests of the flow, small and honest: what they make depends on their inputs alone.
 *
 *   copy    image -> normalized: the blob "original" in capitals, as attachment "copy"; nothing but the image
 * matters (simple) note    observation -> identification: says how many views it names (simple, no blobs)
 *   tally   observation with its normalized ones -> identification: their names, and how many bytes they have
 * together census  scope site: validations -> consensus: the votes of the observation, counted in the state
 *
 * A document with a member "do" has its way with the stage that it triggers: "skip", "reject", "retry" (until
 * stages_heal), "break", "hold" (until stages_release). */
#ifndef LINNET_TESTS_WORKER_STAGES_H
#define LINNET_TESTS_WORKER_STAGES_H

#include <linnet/plugin.h>
#include <stdbool.h>
#include <stddef.h>

extern const struct linnet_plugin stage_copy, stage_note, stage_tally, stage_census;

/* Items that `process` has seen since the last reset, of all stages. Any thread. */
size_t stages_processed(void);
void stages_reset(void);
void stages_heal(bool healed);
void stages_release(bool released);

#endif
