/* What the tests of the consensus stage share: a small flora, documents, and what came of them. */
#ifndef TESTS_CONSENSUS_FIXTURE_H
#define TESTS_CONSENSUS_FIXTURE_H

#include "tests/unit/plugins/fake_host.h"

#define OBS "01JD0000000000000000000000"

void obs_id(int i, char out[27]);

/* Open the stage on the flora (fixture.c) with "troll" blocked. `config` is taken; `state`: a folder or NULL.
 */
struct fake_host *host_with(json_t *config, const char *state);
/* An observation with place, date and organ; `proposed` may be NULL. New reference. */
json_t *observation(const char *obs, const char *observer, const char *proposed);
/* `voted`: a taxon's id, "not-a-plant" or "cannot-tell". */
json_t *vote(const char *obs, const char *user, const char *voted, int second);
/* "Not `rejects`, I know only that it is `voted`." */
json_t *disagreement(const char *obs, const char *user, const char *voted, const char *rejects, int second);
json_t *identification(const char *obs, const char *taxon, double score);

/* Send one document (taken); the consensus that it led to (new reference), NULL if none. */
json_t *give(struct fake_host *host, const char *obs, json_t *document);
/* Send a tombstone; the same. */
json_t *give_tombstone(struct fake_host *host, const char *obs, const char *id);
/* The last consensus after all of `documents` (taken), for OBS. New reference. */
json_t *after(struct fake_host *host, json_t **documents, size_t n);
/* Let time pass, and a tick come. */
void pass(struct fake_host *host, int64_t ms);
/* Let time pass and epochs end. */
void come_to_rest(struct fake_host *host);
/* Ask to settle, and let it. */
void settle(struct fake_host *host);
/* The last document of a kind that was emitted without an item. Borrowed; NULL: none. *deleted (may be NULL)
 * says whether the last word was a deletion. */
json_t *told(struct fake_host *host, const char *kind, const char *of, bool *deleted);

double figure(const json_t *json, const char *key);
const char *text(const json_t *json, const char *key);
bool truth(const json_t *json, const char *key);
/* Does one of its reasons hold this text? */
bool says(const json_t *consensus, const char *words);

uint64_t random_next(uint64_t *state);

#endif
