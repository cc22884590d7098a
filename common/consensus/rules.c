#include "common/consensus/rules.h"

#include <math.h>
#include <string.h>

static const char *const METHODS[] = {
#define X(value, name) [value] = (name),
    LINNET_CONSENSUS_METHODS(X)
#undef X
};

static const char *const MODES[] = {[LINNET_MACHINE_INVALIDATE] = "invalidate",
                                    [LINNET_MACHINE_OFF] = "off",
                                    [LINNET_MACHINE_CONFIDENT] = "confident",
                                    [LINNET_MACHINE_FIXED] = "fixed"};

void linnet_consensus_rules_init(struct linnet_consensus_rules *rules) {
    *rules = (struct linnet_consensus_rules){.method = LINNET_METHOD_LINNET,
                                             .classes = LINNET_CLASSES_AUTO,
                                             .alpha = 0.5,
                                             .beta = 0.2,
                                             .gamma = log(2.1),
                                             .vote_share = 0.1,
                                             .accuracy_min = 0.7,
                                             .confidence_min = 2,
                                             .score_min = 2.0 / 3.0,
                                             .identifications_min = 2,
                                             .rounds_max = 100,
                                             .machine = LINNET_MACHINE_INVALIDATE,
                                             .machine_score_min = 0.7,
                                             .machine_weight = 1.7};
}

static int find(const char *const *names, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return i;
    return -1;
}

int linnet_consensus_method_parse(const char *name) {
    return find(METHODS, LINNET_METHODS, name);
}

const char *linnet_consensus_method_name(enum linnet_consensus_method method) {
    return (unsigned)method < LINNET_METHODS ? METHODS[method] : "none";
}

int linnet_machine_mode_parse(const char *name) {
    return find(MODES, sizeof MODES / sizeof *MODES, name);
}

enum linnet_consensus_classes linnet_consensus_classes(const struct linnet_consensus_rules *rules) {
    if (rules->classes != LINNET_CLASSES_AUTO) return rules->classes;
    return rules->method == LINNET_METHOD_LINNET ? LINNET_CLASSES_SPECIES : LINNET_CLASSES_LABELS;
}

uint32_t linnet_consensus_count(const struct linnet_consensus_rules *rules, uint32_t n_author,
                                uint32_t n_vote) {
    return (uint32_t)nearbyint(n_author + n_vote * rules->vote_share); /* half to even is the default mode */
}

double linnet_consensus_exact(double weight) {
    return ldexp(nearbyint(ldexp(weight, 36)), -36);
}

double linnet_consensus_weight(const struct linnet_consensus_rules *rules, uint32_t n) {
    double weight = rules->gamma;
    if (n > 0) weight += pow(n, rules->alpha) - pow(n, rules->beta);
    return weight > 0 ? linnet_consensus_exact(weight) : 0;
}
