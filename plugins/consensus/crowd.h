/* The crowd: who voted what on which observation, as the latest revision of each document says, and what was
 * told of it.
 *
 * It never remembers how often or in which order a document came: applying a document replaces what that
 * document had said before. Dense arrays, no JSON: a site may have millions of observations. Owned by the
 * instance's thread. */
#ifndef CONSENSUS_CROWD_H
#define CONSENSUS_CROWD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/consensus/intern.h"
#include "plugins/consensus/labels.h"

enum { ULID_TEXT = 26, DIGEST_BYTES = 32 };

enum vote_flag {
    VOTE_AUTHOR = 1,   /* the voter is the observation's observer */
    VOTE_PROPOSED = 2, /* it is the observation's proposed_taxon, not a validation document */
    VOTE_ORGAN = 4     /* it says what part of the plant a picture shows */
};

struct vote {
    uint8_t digest[DIGEST_BYTES]; /* of the validation document */
    int64_t created_at;           /* Unix milliseconds */
    uint32_t user;
    uint32_t label; /* as voted (a synonym perhaps); LINNET_LABEL_NOT_A_PLANT; LINNET_NO_LABEL: cannot tell */
    uint32_t rejects;   /* that an explicit ancestor disagreement rejects, or LINNET_NO_LABEL */
    uint8_t rated, bad; /* pictures whose quality it judges; of these, found bad */
    uint8_t flags;      /* enum vote_flag */
};

enum observed_flag {
    OBSERVED_EXISTS = 1, /* its observation document is there */
    OBSERVED_DATED = 2,
    OBSERVED_PLACED = 4,
    OBSERVED_PLANTED = 8,
    OBSERVED_ORGAN = 16,         /* the observer says what part of the plant a view shows */
    OBSERVED_MACHINE = 32,       /* there is an identification */
    OBSERVED_MACHINE_ORGAN = 64, /* which says what part of the plant a view shows */
    OBSERVED_WITHHELD = 128,     /* the observer wants no place published */
    OBSERVED_CHANGED = 256,      /* in crowd.changed: not saved yet */
    OBSERVED_PENDING = 512,      /* changed in this batch and not told yet */
    OBSERVED_TOLD = 1024         /* a consensus was emitted: `told` says which */
};

/* What the last consensus that was emitted said. */
struct told {
    uint32_t label;
    uint32_t hash; /* of all that votes and weights bear on */
    float confidence, accuracy;
    uint8_t valid, grade;
};

struct observed {
    uint8_t digest[DIGEST_BYTES], machine_digest[DIGEST_BYTES];
    int64_t proposed_at;
    double machine_score;
    struct vote *votes;          /* as struct linnet_crowd wants them; owned */
    char *sealed;                /* the exact place, kept if it may be published, else NULL; owned */
    int32_t latitude, longitude; /* 1e-7 degrees */
    uint32_t uncertainty;        /* centimetres; UINT32_MAX: not known */
    uint32_t nvotes;
    uint32_t author;        /* INTERN_NONE unknown */
    uint32_t proposal;      /* the observer's own proposed taxon, LINNET_NO_LABEL if none */
    uint32_t machine_label; /* the identification's best species, LINNET_NO_LABEL */
    uint32_t machine_model; /* in crowd.models */
    struct told told;
    uint16_t flags; /* enum observed_flag */
};

/* What a user has shown to know, and what was told of it. */
struct person {
    uint32_t n_author, n_vote, n; /* distinct species */
    uint32_t told_author, told_vote;
    uint32_t told_hash;   /* of the skill document that was emitted */
    float told_precision; /* over all families */
    bool told, blocked, changed;
};

struct crowd {
    struct labels labels;
    struct intern ulids, users, models, blocked;
    struct observed *observed;
    struct person *people;
    double *weight;    /* by user, 0 never stands for blocked: their votes are left out */
    uint32_t *species; /* by observation: what wins ties in the weighted iteration */
    double newcomer;   /* weight of a user of whom nothing is known */
    uint64_t votes;
    uint32_t *changed, nchanged;               /* observations that are not saved */
    uint32_t *changed_people, nchanged_people; /* users */
    uint32_t observed_capacity, people_capacity;
};

/* LINNET_E_NOMEM, LINNET_E_INVALID (a taxonomy that is none). */
int crowd_init(struct crowd *crowd, const struct linnet_taxonomy *taxonomy, double newcomer,
               struct linnet_error *err);
void crowd_done(struct crowd *crowd);

/* Index of an observation / user, made if new; INTERN_NONE when out of memory. `ulid` is ULID_TEXT long. */
uint32_t crowd_observation(struct crowd *crowd, const char *ulid);
uint32_t crowd_user(struct crowd *crowd, const char *uid);
void crowd_ulid(const struct crowd *crowd, uint32_t observation, char out[ULID_TEXT + 1]);

/* It differs from what was saved last. */
void crowd_touch(struct crowd *crowd, uint32_t observation);
void crowd_touch_person(struct crowd *crowd, uint32_t user);

/* Votes by time, and of one instant by the name of their label, then by user, so that nothing depends on the
 * order of arrival. 0, or -2 when out of memory. */
int crowd_add_vote(struct crowd *crowd, struct observed *observed, const struct vote *vote);
/* Take away the votes of a user; only a proposal if so asked. */
void crowd_remove_votes(struct crowd *crowd, struct observed *observed, uint32_t user, bool proposed_only);

#endif
