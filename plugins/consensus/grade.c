#include "plugins/consensus/grade.h"

unsigned grade_lacks(const struct crowd *crowd, const struct consensus_config *config,
                     const struct observed *observed) {
    unsigned lacks = 0, rated = 0, bad = 0;
    bool organ = observed->flags & (OBSERVED_ORGAN | OBSERVED_MACHINE_ORGAN);
    for (uint32_t i = 0; i < observed->nvotes; i++) {
        const struct vote *vote = &observed->votes[i];
        if (crowd->people[vote->user].blocked) continue;
        organ = organ || vote->flags & VOTE_ORGAN;
        rated += vote->rated;
        bad += vote->bad;
    }
    if (!(observed->flags & OBSERVED_DATED)) lacks |= 1u << CRITERION_DATE;
    if (!(observed->flags & OBSERVED_PLACED)) lacks |= 1u << CRITERION_PLACE;
    if (observed->flags & OBSERVED_PLANTED) lacks |= 1u << CRITERION_WILD;
    if (!organ) lacks |= 1u << CRITERION_ORGAN;
    if (bad > config->quality_bad_max * rated) lacks |= 1u << CRITERION_QUALITY;
    return lacks;
}

unsigned grade_failed(const struct consensus_config *config, unsigned lacks, const struct opinion *opinion) {
    if (opinion->valid && opinion->label == LINNET_LABEL_NOT_A_PLANT) lacks |= 1u << CRITERION_PLANT;
    return lacks & config->criteria;
}

enum grade grade_of(const struct labels *labels, const struct consensus_config *config, unsigned lacks,
                    const struct opinion *opinion) {
    if (grade_failed(config, lacks, opinion)) return GRADE_CASUAL;
    if (opinion->valid && labels_reaches(labels, opinion->label, config->research_rank))
        return GRADE_RESEARCH;
    return GRADE_NEEDS_REVIEW;
}

const char *grade_name(enum grade grade) {
    static const char *const names[] = {"casual", "needs_review", "research"};
    return names[grade];
}
