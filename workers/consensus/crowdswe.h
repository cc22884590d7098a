/* Pl@ntNet's published crowd (Pl@ntNet-CrowdSWE, Lefort et al. 2024, doi 10.5281/zenodo.10782465) as its
 * files lie on disk:
 *
 *   DIR/answers/answers.json       {"observation": {"user": class, ...}, ...}
 *   DIR/answers/ground_truth.txt   a line for each observation, by number: its class, -1 unknown
 *   DIR/aggregation/authors.txt    the same with the author's number
 *   DIR/aggregation/ai_answers.json, ai_scores.json   {"observation": class or score, ...}, may be missing
 *
 * Classes become taxa by number, each a species. Votes have no time: the order of the file counts. */
#ifndef LINNET_CONSENSUS_CROWDSWE_H
#define LINNET_CONSENSUS_CROWDSWE_H

#include "workers/consensus/crowd_file.h"

/* Read; *truth is malloc'ed, a label by observation, LINNET_NO_LABEL unknown, the caller's. Errors name file
 * and line. */
int linnet_crowdswe_load(struct linnet_crowd_file *file, uint32_t **truth, const char *dir,
                         struct linnet_error *err);

#endif
