/* The batch answer of a small crowd, by the library: what the stage must come to. Apart from the tests
 * because the SDK and the library each have a linnet_verdict. */
#ifndef TESTS_CONSENSUS_BATCH_H
#define TESTS_CONSENSUS_BATCH_H

#include <stdbool.h>

enum { BATCH_USERS = 8, BATCH_OBSERVATIONS = 12, BATCH_TAXA = 10 };
enum { BATCH_NONE = -1, BATCH_NOT_A_PLANT = -2, BATCH_CANNOT_TELL = -3 };

/* Ids of the flora of fixture.c, in an order of their own. */
extern const char *const batch_taxa[BATCH_TAXA];

struct batch_vote {
    bool cast;
    int label;   /* in batch_taxa, BATCH_NOT_A_PLANT, BATCH_CANNOT_TELL */
    int rejects; /* BATCH_NONE */
    int second;
    bool author;
};

struct batch_crowd {
    bool exists[BATCH_OBSERVATIONS];
    struct batch_vote votes[BATCH_OBSERVATIONS][BATCH_USERS];
    bool blocked[BATCH_USERS];
};

struct batch_answer {
    int label; /* BATCH_NONE, BATCH_NOT_A_PLANT */
    bool valid;
    double confidence, accuracy;
};

struct batch_skill {
    int n_author, n_vote;
    double weight;
};

void batch_solve(const struct batch_crowd *crowd, struct batch_answer answers[BATCH_OBSERVATIONS],
                 struct batch_skill skills[BATCH_USERS]);

#endif
