/* What came of each observation of an evaluation, a line of JSON each, for whoever compares two of them. */
#ifndef LINNET_CLI_EVALUATION_ROWS_H
#define LINNET_CLI_EVALUATION_ROWS_H

#include <stdio.h>

#include "workers/cli/evaluation.h"

/* The place of a taxon in a list of {"taxon","score"}, from 1; 0: it is not in it. *score is what it has
 * there. */
unsigned linnet_evaluation_rank(const json_t *list, const char *taxon, double *score);

/* {"observation","label","truth" (null: the model has no such class),"rank" and "score" of the truth (0: not
 * listed),"first" and "sure" (the first species and its score),"plant","best","flora","species" ({taxon:
 * score}),"views":[{"organ",
 * "rank","score","sure","plant"}]}. `arg` is a FILE. */
void linnet_evaluation_write(void *arg, const struct linnet_evaluation_answer *answer);

#endif
