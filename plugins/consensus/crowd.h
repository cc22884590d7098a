/* The crowd: who voted what on which observation, as the latest revision of each document says.
 *
 * It never remembers how often or in which order a document came: applying a document replaces what that
 * document had said before. Owned by the instance's thread. */
#ifndef CONSENSUS_CROWD_H
#define CONSENSUS_CROWD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/taxonomy/taxonomy.h"
#include "plugins/consensus/intern.h"

enum vote_kind { VOTE_TAXON, VOTE_NOT_A_PLANT, VOTE_CANNOT_TELL };

#define DIGEST_TEXT 65

struct vote {
    uint32_t user;
    uint32_t given;     /* label as voted (a synonym perhaps); INTERN_NONE unless VOTE_TAXON */
    uint32_t label;     /* its accepted name */
    uint32_t rejects;   /* label that an explicit ancestor disagreement rejects, or INTERN_NONE */
    uint32_t pair;      /* (user, label) in crowd.pairs, INTERN_NONE unless VOTE_TAXON */
    int64_t created_at; /* Unix milliseconds */
    enum vote_kind kind;
    bool author;              /* the voter is the observation's observer */
    bool proposed;            /* it is the observation's proposed_taxon, not a validation document */
    char digest[DIGEST_TEXT]; /* of the validation document; "" if proposed */
};

/* What the current votes and weights give. */
struct verdict {
    uint32_t label; /* INTERN_NONE: nothing voted */
    bool not_a_plant;
    double confidence; /* weight for the label */
    double accuracy;   /* its share of all weight that bears on it */
    bool valid;
    bool invalidated; /* the machine took validity away */
};

struct observed {
    bool exists;        /* its observation document is there */
    uint32_t author;    /* INTERN_NONE unknown */
    struct vote *votes; /* by created_at, then by user id */
    uint32_t nvotes;
    struct verdict verdict;
    uint32_t proposal; /* the observer's own proposed taxon as given, INTERN_NONE if none */
    int64_t proposed_at;
    json_t *place; /* the observation's location, NULL if none; owned */
    bool dated, wild;
    char digest[DIGEST_TEXT]; /* of the observation document */
    /* the machine's word: the identification's best species */
    uint32_t machine_label;
    double machine_score;
    char machine_model[128];
    char machine_digest[DIGEST_TEXT]; /* "" if there is no identification */
    bool has_told;                    /* a consensus was emitted, with: */
    struct verdict told;
    double told_weights; /* crowd_weights() then */
    bool pending;        /* was changed in this batch and not emitted yet */
};

/* A label that a user gave somewhere: what species counts are made of. */
struct pair {
    uint32_t user, label;
    bool as_author, as_voter; /* right on own valid, on others' observations; set by solve */
};

struct voter {
    uint32_t n_author, n_vote; /* distinct species */
    double n;                  /* rounded n_author + n_vote/10 */
    double weight;
    bool blocked;
    double told_weight; /* of the skill document that was emitted; negative: none */
    uint32_t told_author, told_vote;
};

struct crowd {
    const struct linnet_taxonomy *taxonomy; /* borrowed */
    double newcomer;                        /* weight of a user who was never seen */
    struct intern observations, users, labels, pair_keys;
    struct observed *observed;
    struct voter *voters;
    struct pair *pairs;
    uint32_t observed_capacity, voters_capacity, pairs_capacity;
};

void crowd_init(struct crowd *crowd, const struct linnet_taxonomy *taxonomy, double newcomer);
void crowd_done(struct crowd *crowd);

/* Index of an observation / user, made if new; INTERN_NONE when out of memory. */
uint32_t crowd_observation(struct crowd *crowd, const char *ulid);
uint32_t crowd_user(struct crowd *crowd, const char *uid);

/* Apply a document at its latest revision; NULL: it was deleted. `digest` as the host gives it. Returns 0, -1
 * with the reason in *why (static text) for a document that says nothing usable, -2 when out of memory. */
int crowd_apply_observation(struct crowd *crowd, uint32_t observation, const json_t *document,
                            const char *digest, const char **why);
int crowd_apply_validation(struct crowd *crowd, uint32_t observation, const char *uid, const json_t *document,
                           const char *digest, const char **why);
int crowd_apply_identification(struct crowd *crowd, uint32_t observation, const json_t *document,
                               const char *digest);

/* True if `label` is `ancestor` or below it in the taxonomy. Labels that the taxonomy lacks are only within
 * themselves. */
bool crowd_is_within(const struct crowd *crowd, uint32_t label, uint32_t ancestor);

/* One number that changes when the weight of any vote of the observation does. */
double crowd_weights(const struct crowd *crowd, const struct observed *observed);

/* RFC 3339 to Unix milliseconds; 0 for text that is none. */
int64_t crowd_time(const char *text);

#endif
