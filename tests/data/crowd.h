/* A simulated crowd: people who differ in what they know, how often they vote and how easily they follow
 * others. */
#ifndef LINNET_FLORA_CROWD_H
#define LINNET_FLORA_CROWD_H

#include "tests/data/flora.h"
#include "tests/data/sampling.h"

enum person_kind { PERSON_EXPERT, PERSON_AMATEUR, PERSON_NOVICE, PERSON_CARELESS, PERSON_KINDS };

struct person {
    char uid[FLORA_UID_SIZE];
    enum person_kind kind;
    double skill;    /* chance to name a plant of an ordinary family rightly */
    double follows;  /* chance to say what the observer said when not sure */
    double activity; /* how often this person votes, to the others' */
    uint64_t seed;   /* of the families that the person knows better or worse */
};

enum vote_kind { VOTE_TAXON, VOTE_NOT_A_PLANT, VOTE_CANNOT_TELL };

struct vote {
    enum vote_kind kind;
    size_t species;        /* for VOTE_TAXON */
    size_t disagrees_with; /* genus that is contradicted explicitly; FLORA_NONE */
    int64_t ms;            /* when it was cast */
};

/* Person `index` of a crowd. */
void linnet_flora_person(uint64_t seed, size_t index, struct person *out);
/* "expert", "amateur", "novice", "careless". Static. */
const char *linnet_flora_person_kind_name(enum person_kind kind);
/* "taxon", "not-a-plant", "cannot-tell", as validations say it. Static. */
const char *linnet_flora_vote_kind_name(enum vote_kind kind);
/* What a person says of a plant that is `truth` and that its observer called `label` (FLORA_NONE for no
 * plant), seen at `observed_ms`. */
void linnet_flora_cast(const struct flora *flora, const struct person *person, size_t truth, size_t label,
                       int64_t observed_ms, struct rng *rng, struct vote *out);

#endif
