/* An observation's votes as the library reads them. */
#ifndef CONSENSUS_BALLOT_H
#define CONSENSUS_BALLOT_H

#include "common/consensus/crowd.h"
#include "plugins/consensus/crowd.h"

/* The votes that count, in order: those of blocked users are left out, so that they leave no trace. `out` has
 * room for observed->nvotes. Returns how many. */
uint32_t ballot_votes(const struct crowd *crowd, const struct observed *observed, struct linnet_vote *out);
struct linnet_machine_vote ballot_machine(const struct observed *observed);

#endif
