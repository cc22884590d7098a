/* The crowd's votes by user and species, so that a user's distinct species are counted in one walk. */
#ifndef LINNET_CONSENSUS_BY_USER_H
#define LINNET_CONSENSUS_BY_USER_H

#include "common/consensus/crowd.h"
#include "common/consensus/rules.h"

struct linnet_by_user_entry {
    uint32_t vote; /* index in the crowd's votes */
    uint32_t observation : 31;
    uint32_t first : 1; /* first of its user and species */
};

/* Entries of user u are those from start[u] to start[u + 1]; votes that name no species come last. */
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
