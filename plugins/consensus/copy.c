#include "plugins/consensus/copy.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/consensus/ballot.h"
#include "plugins/consensus/grade.h"

int copy_begin(struct copy *copy, const struct crowd *crowd) {
    size_t observations = (size_t)crowd->ulids.size + 1, users = (size_t)crowd->users.size + 1;
    *copy = (struct copy){.observations = crowd->ulids.size,
                          .users = crowd->users.size,
                          .room = crowd->votes + 1,
                          .start = malloc((observations + 1) * sizeof *copy->start),
                          .votes = malloc((crowd->votes + 1) * sizeof *copy->votes),
                          .machine = malloc(observations * sizeof *copy->machine),
                          .told = malloc(observations * sizeof *copy->told),
                          .lacks = malloc(observations),
                          .flags = malloc(observations),
                          .people = malloc(users * sizeof *copy->people)};
    if (!copy->start || !copy->votes || !copy->machine || !copy->told || !copy->lacks || !copy->flags ||
        !copy->people) {
        copy_done(copy);
        return -1;
    }
    copy->start[0] = 0;
    if (copy->users) memcpy(copy->people, crowd->people, copy->users * sizeof *copy->people);
    return 0;
}

void copy_done(struct copy *copy) {
    free(copy->start);
    free(copy->votes);
    free(copy->machine);
    free(copy->told);
    free(copy->lacks);
    free(copy->flags);
    free(copy->people);
    *copy = (struct copy){0};
}

static int copy_one(struct copy *copy, const struct crowd *crowd, const struct consensus_config *config,
                    uint32_t i) {
    const struct observed *observed = &crowd->observed[i];
    uint32_t used = copy->start[i], n = 0;
    if ((size_t)used + observed->nvotes > copy->room) {
        size_t room = copy->room + copy->room / 4 + observed->nvotes;
        struct linnet_vote *votes = realloc(copy->votes, room * sizeof *votes);
        if (!votes) return -1;
        copy->votes = votes;
        copy->room = room;
    }
    /* Votes on an observation that is not there earn nothing. */
    if (observed->flags & OBSERVED_EXISTS) n = ballot_votes(crowd, observed, copy->votes + used);
    /* Users who came after the copy was begun are the next epoch's matter, with the rest of the change. */
    uint32_t kept = 0;
    for (uint32_t v = 0; v < n; v++)
        if (copy->votes[used + v].user < copy->users) copy->votes[used + kept++] = copy->votes[used + v];
    copy->start[i + 1] = used + kept;
    copy->machine[i] = ballot_machine(observed);
    copy->told[i] = observed->told;
    copy->lacks[i] = (uint8_t)grade_lacks(crowd, config, observed);
    copy->flags[i] = (uint8_t)((observed->flags & OBSERVED_EXISTS ? COPY_EXISTS : 0) |
                               (observed->flags & OBSERVED_TOLD ? COPY_TOLD : 0));
    return 0;
}

int copy_slice(struct copy *copy, const struct crowd *crowd, const struct consensus_config *config,
               uint32_t n) {
    for (; n > 0 && copy->copied < copy->observations; n--, copy->copied++)
        if (copy_one(copy, crowd, config, copy->copied) != 0) return -1;
    return copy->copied == copy->observations;
}

struct linnet_crowd copy_crowd(const struct copy *copy) {
    return (struct linnet_crowd){copy->observations, copy->users, copy->start, copy->votes, copy->machine};
}
