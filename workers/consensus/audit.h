/* Rings: users who mostly validate each other, as one person with several accounts would.
 *
 * From the votes alone: u supports a when u votes on an observation of a as a did. A tie from u to a: at
 * least `votes_min` such votes, and they are a `tie_share` of all u's votes on others' observations. Users
 * tied together are a suspect; it is reported as a ring if both of these are at least `share_min`: of the
 * votes that its members cast on others' observations those that support one another; and of the votes that
 * others cast on its members' observations those of members. Popular authors fail the second, people who vote
 * on all kinds of things the first. It is evidence for a person to look at, no verdict: two friends in one
 * garden look the same. */
#ifndef LINNET_CONSENSUS_AUDIT_H
#define LINNET_CONSENSUS_AUDIT_H

#include "common/consensus/solve.h"
#include "workers/consensus/crowd_file.h"

struct linnet_audit_rules {
    uint32_t votes_min; /* 5 */
    double tie_share;   /* 0.25 */
    double share_min;   /* 0.5 */
};

struct linnet_ring {
    uint32_t n, *users;      /* owned */
    uint32_t cast, received; /* votes on others' observations by members; votes of others than the author on
                                members' observations */
    uint32_t inside,
        agreeing; /* of both: by members on members' observations; of these: that say what the author said */
    uint32_t observations;  /* of members with votes of members */
    uint32_t valid_by_ring;    /* of these: valid, but not without members' votes and with the author as a newcomer */
};

struct linnet_audit {
    uint32_t n;
    struct linnet_ring *rings; /* by votes inside, most first */
};

/* `result` is the crowd solved by plantnet or linnet, for valid_by_ring. LINNET_E_NOMEM. */
int linnet_audit_run(const struct linnet_crowd_file *file, const struct linnet_consensus_rules *rules,
                     const struct linnet_consensus_result *result,
                     const struct linnet_audit_rules *audit_rules, struct linnet_audit *audit);
void linnet_audit_done(struct linnet_audit *audit);

#endif
