/* The crowd's votes by user and species, so that a user's distinct species are counted in one walk. */
#ifndef LINNET_CONSENSUS_BY_USER_H
#define LINNET_CONSENSUS_BY_USER_H

#include "common/consensus/crowd.h"
#include "common/consensus/rules.h"

/* A user's only vote on an observation that nobody else voted on depends on that user alone, and four
 * observations in five are so: `vote` is then one of these two in place of an index. */
#define LINNET_ALONE_AS_AUTHOR UINT32_MAX
#define LINNET_ALONE_AS_VOTER  (UINT32_MAX - 1)

struct linnet_by_user_entry {
    uint32_t species; /* with classes of labels: the name */
    uint32_t vote;    /* index in the crowd's votes */
    uint32_t observation;
};

/* Entries of user u are those from start[u] to start[u + 1], those of one species side by side. Lone votes
 * that can earn nothing are left out. */
struct linnet_by_user {
    uint32_t *start;
    struct linnet_by_user_entry *entries;
};

/* LINNET_E_NOMEM. Free with linnet_by_user_done, also after a failure. */
int linnet_by_user_init(struct linnet_by_user *by_user, const struct linnet_consensus_taxa *taxa,
                        const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                        unsigned threads);
void linnet_by_user_done(struct linnet_by_user *by_user);

#endif
