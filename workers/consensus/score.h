/* How good a method's answers are, held against what is true. */
#ifndef LINNET_CONSENSUS_SCORE_H
#define LINNET_CONSENSUS_SCORE_H

#include "common/consensus/solve.h"
#include "workers/consensus/crowd_file.h"

/* Which observations are scored: all with a known truth; those with two votes or more; those whose voters
 * disagree. */
enum linnet_score_scope { LINNET_SCORE_ALL, LINNET_SCORE_SHARED, LINNET_SCORE_DISPUTED, LINNET_SCORE_SCOPES };

struct linnet_crowd_score {
    uint32_t n;         /* observations in the scope */
    double coverage;    /* share with a species as label */
    double accuracy;    /* share whose label is the true species: no label, or a genus, is not */
    double precision;   /* of those with a species the share that is right */
    double macro;       /* accuracy, the mean over the true species */
    double coarse;      /* share whose label is above the true species: right as far as it goes */
    double valid;       /* share that is valid with a species as label */
    double valid_right; /* of those the share that is right */
};

/* Score in each scope. `truth` is a label by observation, LINNET_NO_LABEL unknown. LINNET_E_NOMEM. */
int linnet_crowd_score(const struct linnet_crowd_file *file, const uint32_t *truth,
                       const struct linnet_consensus_result *result,
                       struct linnet_crowd_score scores[LINNET_SCORE_SCOPES]);

/* Read truth: CSV with the columns observation and taxon. *truth is malloc'ed. Observations without votes are
 * left out. */
int linnet_truth_file_read(struct linnet_crowd_file *file, const char *path, uint32_t **truth,
                           struct linnet_error *err);

#endif
