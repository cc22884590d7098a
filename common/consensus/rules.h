/* The constants of the methods, and a user's weight.
 *
 * Source: Lefort et al., "Cooperative learning of Pl@ntNet's Artificial Intelligence algorithm", and Lefort's
 * thesis, chapter on Pl@ntNet; iNaturalist's help on the community taxon for score_min and
 * identifications_min. */
#ifndef LINNET_CONSENSUS_RULES_H
#define LINNET_CONSENSUS_RULES_H

#include <stdbool.h>
#include <stdint.h>

/*        value                    name */
#define LINNET_CONSENSUS_METHODS(X)                                                                          \
    X(LINNET_METHOD_LINNET, "linnet")       /* the community taxon with Pl@ntNet's weights: the default */   \
    X(LINNET_METHOD_PLANTNET, "plantnet")   /* Pl@ntNet's weighted iteration */                              \
    X(LINNET_METHOD_COMMUNITY, "community") /* iNaturalist's community taxon */                              \
    X(LINNET_METHOD_MAJORITY, "majority")                                                                    \
    X(LINNET_METHOD_TWOTHIRD, "twothird")                                                                    \
    X(LINNET_METHOD_WAWA, "wawa") /* worker agreement with aggregate */                                      \
    X(LINNET_METHOD_DAWID_SKENE, "dawid-skene")                                                              \
    X(LINNET_METHOD_GLAD, "glad")

enum linnet_consensus_method {
#define X(value, name) value,
    LINNET_CONSENSUS_METHODS(X)
#undef X
        LINNET_METHODS
};

/* What the machine's vote may do. It never bears on a user's weight. */
enum linnet_machine_mode {
    LINNET_MACHINE_INVALIDATE, /* a sure prediction of another taxon takes validity away; it never gives it */
    LINNET_MACHINE_OFF,
    LINNET_MACHINE_CONFIDENT, /* a vote of machine_weight where it is sure */
    LINNET_MACHINE_FIXED      /* a vote of machine_weight everywhere */
};

/* What is counted as one label in the weighted iteration. */
enum linnet_consensus_classes {
    LINNET_CLASSES_AUTO,    /* labels for plantnet (the paper, to the letter), species for linnet */
    LINNET_CLASSES_LABELS,  /* every accepted name is a label of its own, a genus too */
    LINNET_CLASSES_SPECIES, /* the species; a coarser vote names none: it adds to no species and counts
                               against none, unless it rejects it */
};

struct linnet_consensus_rules {
    enum linnet_consensus_method method;
    enum linnet_consensus_classes classes;
    double alpha, beta, gamma;  /* weight f(n) = n^alpha - n^beta + gamma: 0.5, 0.2, ln 2.1 */
    double vote_share;          /* worth of a species known on others' observations only: 1/10 */
    double accuracy_min;        /* theta_acc: 0.7 */
    double confidence_min;      /* theta_conf: 2, in units of weight */
    double score_min;           /* of a community taxon, to be exceeded: 2/3 */
    double identifications_min; /* of a community taxon: 2, in identifications, or in weight for `linnet` */
    bool credit_valid_only; /* vote_credit = valid: votes on observations that are not valid earn nothing */
    unsigned rounds_max;    /* 100 */
    enum linnet_machine_mode machine;
    double machine_score_min; /* sure from here: 0.7 */
    double machine_weight;    /* 1.7 */
    unsigned threads;         /* of a solve; 0: one for each processor. Never bears on the answer. */
};

/* The defaults: the figures above, method linnet, machine invalidate. */
void linnet_consensus_rules_init(struct linnet_consensus_rules *rules);
/* A method by name; -1 if there is none of it. */
int linnet_consensus_method_parse(const char *name);
const char *linnet_consensus_method_name(enum linnet_consensus_method method);
/* "off", "invalidate", "confident", "fixed"; -1 for others. */
int linnet_machine_mode_parse(const char *name);

/* LINNET_CLASSES_AUTO resolved. */
enum linnet_consensus_classes linnet_consensus_classes(const struct linnet_consensus_rules *rules);

/* n = Round(n_author + vote_share * n_vote), half to even. */
uint32_t linnet_consensus_count(const struct linnet_consensus_rules *rules, uint32_t n_author,
                                uint32_t n_vote);
/* To the nearest multiple of 2^-36 (1.5e-11). Sums of such weights are exact in a double below 2^17, so no
 * order of votes and no number of threads changes a sum, and ties are ties. */
double linnet_consensus_exact(double weight);
/* f(n), exact in that sense, never negative. */
double linnet_consensus_weight(const struct linnet_consensus_rules *rules, uint32_t n);

#endif
