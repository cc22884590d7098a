/* Pictures and documents made to break things, with a manifest of what should come of each. */
#ifndef LINNET_FLORA_HOSTILE_H
#define LINNET_FLORA_HOSTILE_H

#include <jansson.h>

#include "tests/data/jpeg.h"
#include "tests/data/rng.h"

/* Being written. `failed` is set at the first file that could not be; nothing more is written then. */
struct corpus {
    const char *folder, *uid;
    json_t *manifest; /* array */
    struct rng rng;
    bool failed;
};

/* What should come of a file. The first is expected; a second, unless NULL, is right as well. */
#define OUTCOME_OK        "ok"        /* a result */
#define OUTCOME_REJECT    "reject"    /* a dead letter with a clear reason */
#define OUTCOME_FORBIDDEN "forbidden" /* refused at the door */

/* Add a picture: its bytes (freed), declared as `type` under its own digest unless `digest` says another. */
void linnet_flora_hostile_picture(struct corpus *corpus, const char *name, const char *type,
                                  const char *expected, const char *also, const char *what,
                                  struct bytes *bytes, const char *digest);
/* Add a document: what a client would PUT at `id`. */
void linnet_flora_hostile_document(struct corpus *corpus, const char *name, const char *id,
                                   const char *expected, const char *also, const char *what, const void *body,
                                   size_t size);

/* The parts of the corpus. */
void linnet_flora_hostile_jpegs(struct corpus *corpus, const struct image *plant);
void linnet_flora_hostile_others(struct corpus *corpus, const struct image *plant);
void linnet_flora_hostile_impostors(struct corpus *corpus);
void linnet_flora_hostile_observations(struct corpus *corpus);
void linnet_flora_hostile_rest(struct corpus *corpus, const struct image *plant);

#endif
