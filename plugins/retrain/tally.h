/* What could be trained on: per observation its pictures, consensus and what the machine said; and the sums
 * over all of them that the rules look at. Applying a document replaces what that document had said before,
 * so sums never depend on how often a document came. Owned by the instance's thread. */
#ifndef RETRAIN_TALLY_H
#define RETRAIN_TALLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/taxonomy/taxonomy.h"

struct view {
    char image[65];
    char organ[16];
};

/* A vote cast without a suggestion of the machine on the screen. */
struct blind_vote {
    char *user;
    uint32_t taxon;
};

struct seen {
    char ulid[27];
    bool exists, valid;
    char *observer;
    struct view *views;
    uint32_t nviews;
    uint32_t taxon;         /* of the consensus, accepted; LINNET_NO_TAXON if none */
    uint32_t machine_taxon; /* the identification's best species */
    bool machine_current;   /* by the active model */
    char machine_model[128];
    struct blind_vote *blind;
    uint32_t nblind;
    struct seen *next_in_table; /* hash chain */
};

struct tally {
    const struct linnet_taxonomy *taxonomy; /* borrowed */
    char model[128];                        /* active model, "" if none */
    struct seen **table;                    /* chained by ulid */
    uint32_t buckets, size;
    /* sums */
    uint64_t valid;            /* valid observations at species rank or below */
    uint32_t *images;          /* by taxon index: pictures of valid observations */
    uint64_t compared, agreed; /* valid observations with a blind vote for the consensus and a word of the
                                  active model; where it agrees */
};

int tally_init(struct tally *tally, const struct linnet_taxonomy *taxonomy, const char *model);
void tally_done(struct tally *tally);
/* Apply a document (NULL: deleted). 0, or -1 when out of memory. */
int tally_observation(struct tally *tally, const char *ulid, const json_t *document);
int tally_consensus(struct tally *tally, const char *ulid, const json_t *document);
int tally_identification(struct tally *tally, const char *ulid, const json_t *document);
int tally_validation(struct tally *tally, const char *ulid, const char *user, const json_t *document);
/* Call `each` for every observation, in no order, until it returns non-zero. */
int tally_each(const struct tally *tally, int (*each)(void *arg, const struct seen *seen), void *arg);
/* Is it something to train on: valid, named at species rank or below, with pictures? */
bool tally_is_usable(const struct tally *tally, const struct seen *seen);

#endif
