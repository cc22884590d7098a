/* The rules that ask for a new model. Each is read from the configuration, and each is raised once for a
 * model (the schedule once for each period): the request's id says so, and a request that stands is left
 * alone. */
#ifndef RETRAIN_RULES_H
#define RETRAIN_RULES_H

#include <jansson.h>

#include "plugins/retrain/tally.h"

/* JSON Schema text of the configuration. */
extern const char rules_schema[];

struct rules {
    uint64_t new_valid;       /* so many new valid observations since the model; 0: off */
    uint32_t species, images; /* so many species newly past so many pictures; 0: off */
    double agreement;         /* agreement of model and consensus below this; 0: off */
    uint64_t agreement_least; /* judged on at least so many observations */
    double every_days;        /* schedule; 0: off */
};

void rules_read(struct rules *rules, const json_t *config);

/* What stood when the model was made (or was first seen): what "new" is measured from. */
struct baseline {
    char model[128];
    uint64_t valid;
    json_t *ready; /* object: ids of species that had enough pictures; owned */
    int64_t since; /* Unix milliseconds */
};

/* Take it from the model document's `trained_on` {observations, species: [taxon…]} if it tells, else from the
 * tally now. */
int baseline_take(struct baseline *baseline, const struct tally *tally, const struct rules *rules,
                  const json_t *model, int64_t now);
void baseline_done(struct baseline *baseline);

/* A rule that holds now. */
struct raised {
    char qualifier[256]; /* "<rule>:<model>[:<period>]" */
    const char *rule;
    char why[256];
    json_t *counts; /* owned by the receiver */
};

enum rule { RULE_NEW_VALID, RULE_SPECIES, RULE_AGREEMENT, RULE_SCHEDULE, RULES };
/* Does this rule hold? Fills *out if so. */
bool rules_hold(enum rule rule, const struct rules *rules, const struct baseline *baseline,
                const struct tally *tally, int64_t now, struct raised *out);

#endif
