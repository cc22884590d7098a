/* What an observation is good for, by criteria that are configuration. */
#ifndef CONSENSUS_GRADE_H
#define CONSENSUS_GRADE_H

#include "plugins/consensus/config.h"
#include "plugins/consensus/crowd.h"
#include "plugins/consensus/judge.h"

enum grade { GRADE_CASUAL, GRADE_NEEDS_REVIEW, GRADE_RESEARCH };

/* The criteria that its documents fail, bits 1 << enum criterion, asked for or not: date, no place, planted,
 * no organ told by observer, people or machine, pictures found bad. Votes of blocked users say nothing. */
unsigned grade_lacks(const struct crowd *crowd, const struct consensus_config *config,
                     const struct observed *observed);
/* Of these, and of what it is taken for, those that make it casual. */
unsigned grade_failed(const struct consensus_config *config, unsigned lacks, const struct opinion *opinion);
enum grade grade_of(const struct labels *labels, const struct consensus_config *config, unsigned lacks,
                    const struct opinion *opinion);
const char *grade_name(enum grade grade);

#endif
