/* One observation or user of the crowd as bytes, by names and not by indexes: a file outlives both. */
#ifndef CONSENSUS_RECORD_H
#define CONSENSUS_RECORD_H

#include "plugins/consensus/bytes.h"
#include "plugins/consensus/config.h"
#include "plugins/consensus/crowd.h"

void record_put_observation(struct bytes *bytes, const struct crowd *crowd, uint32_t observation);
void record_put_person(struct bytes *bytes, const struct crowd *crowd, uint32_t user);
/* Read one into the crowd, in place of what is there. 0, or -1: damaged or out of memory. */
int record_take_observation(struct reader *reader, struct crowd *crowd);
int record_take_person(struct reader *reader, struct crowd *crowd, const struct consensus_config *config);

#endif
