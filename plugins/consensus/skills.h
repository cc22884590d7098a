/* What each user has shown to know, from a solved crowd: the species that count, and by family how many votes
 * became the consensus of a valid observation and how many did not. */
#ifndef CONSENSUS_SKILLS_H
#define CONSENSUS_SKILLS_H

#include "plugins/consensus/copy.h"

struct linnet_consensus_result;

/* A skill document to write; without families and species: to delete. */
struct skill_entry {
    uint32_t user;
    size_t at;                  /* in skills.words: families as (label, right, wrong), then species */
    uint32_t families, species; /* how many of each */
    uint32_t hash;
    float precision; /* over all families; -1: of none */
};

struct skills {
    struct skill_entry *entries;
    uint32_t *words;
    uint32_t n, capacity;
    size_t used, room;
};

/* Those that differ from what was told; with `exact` in anything, else in the counts or by more than the
 * tolerance in precision. 0, or LINNET_E_NOMEM. `labels` is read for families alone. Any thread. */
int skills_tally(struct skills *skills, const struct labels *labels, const struct consensus_config *config,
                 const struct copy *copy, const struct linnet_consensus_result *result, bool exact);
void skills_done(struct skills *skills);

#endif
