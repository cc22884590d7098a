#include "common/consensus/skill.h"

#include <stdlib.h>

#include "common/consensus/internal.h"

enum linnet_credit linnet_vote_credit(const struct linnet_consensus_taxa *taxa,
                                      const struct linnet_consensus_rules *rules,
                                      const struct linnet_vote *vote, const struct linnet_verdict *verdict) {
    struct field field = {.taxa = taxa, .classes = linnet_consensus_classes(rules)};
    uint32_t label = field_class(&field, linnet_consensus_accepted(taxa, vote->label));
    if (label == LINNET_NO_LABEL || label == LINNET_LABEL_NOT_A_PLANT || label != verdict->label)
        return LINNET_CREDIT_NONE;
    if (vote->author) return verdict->valid ? LINNET_CREDIT_AUTHOR : LINNET_CREDIT_NONE;
    return verdict->valid || !rules->credit_valid_only ? LINNET_CREDIT_VOTE : LINNET_CREDIT_NONE;
}

static int by_species(const void *a, const void *b) {
    const struct linnet_earned *x = a, *y = b;
    return (x->species > y->species) - (x->species < y->species);
}

struct linnet_skill linnet_skill_of(const struct linnet_consensus_rules *rules, struct linnet_earned *earned,
                                    uint32_t n) {
    struct linnet_skill skill = {0};
    if (n > 1) qsort(earned, n, sizeof *earned, by_species);
    for (uint32_t i = 0; i < n;) {
        uint32_t species = earned[i].species;
        enum linnet_credit best = LINNET_CREDIT_NONE; /* author first */
        for (; i < n && earned[i].species == species; i++)
            if (earned[i].credit > best) best = earned[i].credit;
        skill.n_author += best == LINNET_CREDIT_AUTHOR;
        skill.n_vote += best == LINNET_CREDIT_VOTE;
    }
    skill.n = linnet_consensus_count(rules, skill.n_author, skill.n_vote);
    skill.weight = linnet_consensus_weight(rules, skill.n);
    return skill;
}
