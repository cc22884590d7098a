/* The crowd as it stood when it was copied: what an epoch is solved on, while the crowd itself goes on.
 *
 * Copied in slices, so that no vote waits: what changes after its slice was copied is the next epoch's
 * matter. Immutable once it is whole; freed on any thread. */
#ifndef CONSENSUS_COPY_H
#define CONSENSUS_COPY_H

#include "common/consensus/crowd.h"
#include "plugins/consensus/config.h"
#include "plugins/consensus/crowd.h"

enum copy_flag { COPY_EXISTS = 1, COPY_TOLD = 2 };

struct copy {
    uint32_t observations, users, copied;
    uint32_t *start;
    struct linnet_vote *votes;
    struct linnet_machine_vote *machine;
    struct told *told;
    uint8_t *lacks; /* see grade_lacks */
    uint8_t *flags;
    struct person *people;
    size_t room; /* of votes */
};

/* Begin: nothing is copied but the people. -1: out of memory. */
int copy_begin(struct copy *copy, const struct crowd *crowd);
/* Copy the next n observations. 1: it is whole, 0: not yet, -1: out of memory. */
int copy_slice(struct copy *copy, const struct crowd *crowd, const struct consensus_config *config,
               uint32_t n);
void copy_done(struct copy *copy);
struct linnet_crowd copy_crowd(const struct copy *copy);

#endif
