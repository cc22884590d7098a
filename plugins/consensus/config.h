/* The configuration of the consensus stage, read once at open. */
#ifndef CONSENSUS_CONFIG_H
#define CONSENSUS_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/consensus/rules.h"
#include "common/taxonomy/taxonomy.h"

/*        value                name        what is wrong without it */
#define CONSENSUS_CRITERIA(X)                                                                                \
    X(CRITERION_DATE, "date", "it has no date")                                                              \
    X(CRITERION_PLACE, "place", "it has no place")                                                           \
    X(CRITERION_WILD, "wild", "it was planted")                                                              \
    X(CRITERION_ORGAN, "organ", "nobody says what part of the plant a picture shows")                        \
    X(CRITERION_QUALITY, "quality", "people find its pictures too bad to tell")                              \
    X(CRITERION_PLANT, "plant", "it is not a plant")

enum criterion {
#define X(value, name, words) value,
    CONSENSUS_CRITERIA(X)
#undef X
        CRITERIA
};

extern const char *const criterion_names[CRITERIA];
extern const char *const criterion_words[CRITERIA];

struct consensus_config {
    struct linnet_consensus_rules rules;
    unsigned criteria; /* bits 1 << enum criterion: casual without one of them */
    double quality_bad_max;
    enum linnet_rank research_rank; /* a valid taxon at or below it is of grade research */
    unsigned epoch_votes;           /* solve again after so many changes */
    int64_t epoch_ms;               /* or after so long with changes waiting */
    int64_t quiet_ms;               /* or once it has been quiet for so long with changes waiting */
    double tolerance;               /* figures that moved no more than this in an epoch are not rewritten */
    uint32_t thread_votes;          /* crowds of so many votes are solved on a thread of their own */
};

/* JSON Schema text of the configuration, and the keys that bear on no output. */
extern const char consensus_config_schema[];
extern const char *const consensus_config_operational[];
/* Read it (the host has validated it and filled in the defaults; absent members get the same defaults here).
 */
void consensus_config_read(struct consensus_config *config, const json_t *json);

#endif
