#include "plugins/consensus/told.h"

#include <math.h>

uint32_t told_mix(uint32_t mixed, double weight) {
    return (mixed ^ (uint32_t)(int32_t)lround(weight * 1e4)) * 16777619u + 1;
}

/* Figures as they are written: four decimals. */
static uint32_t mix_opinion(uint32_t mixed, const struct opinion *opinion) {
    mixed = (mixed ^ opinion->label) * 16777619u;
    mixed =
        (mixed ^ (uint32_t)(opinion->valid | opinion->withdrawn << 1 | opinion->granted << 2)) * 16777619u;
    return told_mix(told_mix(mixed, opinion->confidence), opinion->accuracy);
}

struct told told_of(const struct opinions *opinions, enum grade grade, uint32_t weights) {
    uint32_t hash = mix_opinion(weights, &opinions->verdict);
    hash = mix_opinion(mix_opinion(hash, &opinions->plantnet), &opinions->community);
    return (struct told){.label = opinions->verdict.label,
                         .hash = hash,
                         .confidence = (float)opinions->verdict.confidence,
                         .accuracy = (float)opinions->verdict.accuracy,
                         .valid = opinions->verdict.valid,
                         .grade = (uint8_t)grade};
}

uint32_t told_weights(const struct crowd *crowd, const struct observed *observed) {
    uint32_t mixed = 0;
    for (uint32_t i = 0; i < observed->nvotes; i++) {
        uint32_t user = observed->votes[i].user;
        if (!crowd->people[user].blocked) mixed = told_mix(mixed, crowd->weight[user]);
    }
    return mixed;
}

bool told_moved(const struct told *told, const struct opinion *verdict, enum grade grade, double tolerance) {
    return verdict->label != told->label || verdict->valid != (bool)told->valid || grade != told->grade ||
           fabs(verdict->confidence - told->confidence) > tolerance ||
           fabs(verdict->accuracy - told->accuracy) > tolerance;
}
