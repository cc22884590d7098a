/* A solved crowd as files: observations.csv and users.csv, and for the method linnet beside.csv. */
#ifndef LINNET_CONSENSUS_ANSWER_H
#define LINNET_CONSENSUS_ANSWER_H

#include "common/consensus/solve.h"
#include "workers/consensus/crowd_file.h"

/* In DIR: observations.csv (observation,taxon,confidence,accuracy,valid,grade); users.csv
 * (user,n_author,n_vote,n,weight); beside.csv (observation, and the species-level verdict of the weighted
 * iteration and the unweighted community taxon). LINNET_E_IO. */
int linnet_answer_write(const struct linnet_crowd_file *file, const struct linnet_consensus_rules *rules,
                        const struct linnet_consensus_result *result, const char *dir,
                        struct linnet_error *err);

/* The grade as far as votes tell: "research" for a valid species, else "needs_review"; "casual" for what
 * validly is not a plant. A site asks more of a grade (date, place, pictures), which is not in a file of
 * votes. */
const char *linnet_answer_grade(const struct linnet_crowd_file *file, const struct linnet_verdict *verdict);

/* The ballot of one observation under a result's weights. */
struct linnet_ballot linnet_answer_ballot(const struct linnet_crowd_file *file,
                                          const struct linnet_consensus_result *result, uint32_t observation);

#endif
