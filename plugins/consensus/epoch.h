/* An epoch: the whole crowd is solved from the start, beside the hot path, and compared with what was told.
 *
 *     idle -> copying (slices, the instance's thread) -> solving (a thread of its own) -> solved
 *
 * The instance then takes the weights over and tells again what moved. Everything here is the instance's
 * thread's but the solving, which touches the copy and immutable things alone. */
#ifndef CONSENSUS_EPOCH_H
#define CONSENSUS_EPOCH_H

#include "plugins/consensus/config.h"
#include "plugins/consensus/crowd.h"

enum epoch_phase { EPOCH_IDLE, EPOCH_COPYING, EPOCH_SOLVING, EPOCH_SOLVED, EPOCH_FAILED };

struct epoch_report {
    uint32_t observations; /* that exist */
    uint32_t votes, users; /* that count; of the users, those who voted or observed */
    unsigned rounds;
    bool converged;
    uint32_t labelled, valid;
    uint32_t withdrew, granted; /* observations whose validity the machine alone took, gave */
    int64_t solve_ms;           /* how long it took, by the clock on the wall */
};

struct skills;
struct epoch;

/* NULL: out of memory. `config` and `labels` are borrowed until epoch_free. */
struct epoch *epoch_new(const struct consensus_config *config, const struct labels *labels);
/* Waits for a solve that is under way. NULL is safe. */
void epoch_free(struct epoch *epoch);

enum epoch_phase epoch_phase(const struct epoch *epoch);
/* idle -> copying. `exact`: everything that is not told to the last figure is news. -1: out of memory. */
int epoch_begin(struct epoch *epoch, const struct crowd *crowd, bool exact);
/* Take the next step that does not block: copy up to `slice` observations; start solving (on the calling
 * thread if there are fewer votes than config->thread_votes); look whether it is over. */
void epoch_step(struct epoch *epoch, const struct crowd *crowd, uint32_t slice);

/* solved: */
const struct epoch_report *epoch_report(const struct epoch *epoch);
bool epoch_exact(const struct epoch *epoch);
/* Take over weights, counts and what wins ties. Users and observations that came since keep theirs. */
void epoch_take(const struct epoch *epoch, struct crowd *crowd);
/* Observations whose consensus is to be told again, and skills. */
const uint32_t *epoch_news(const struct epoch *epoch, uint32_t *n);
const struct skills *epoch_skills(const struct epoch *epoch);
/* solved or failed -> idle */
void epoch_end(struct epoch *epoch);

#endif
