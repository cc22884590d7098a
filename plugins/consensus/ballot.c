#include "plugins/consensus/ballot.h"

uint32_t ballot_votes(const struct crowd *crowd, const struct observed *observed, struct linnet_vote *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < observed->nvotes; i++) {
        const struct vote *vote = &observed->votes[i];
        if (crowd->people[vote->user].blocked) continue;
        out[n++] = (struct linnet_vote){vote->user, vote->label, vote->rejects, vote->flags & VOTE_AUTHOR};
    }
    return n;
}

struct linnet_machine_vote ballot_machine(const struct observed *observed) {
    return (struct linnet_machine_vote){observed->machine_label, observed->machine_score};
}
