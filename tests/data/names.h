/* Names that read like names: pseudo-Latin genera and epithets that agree in gender, families in -aceae,
 * orders in -ales, vernacular names in English and French (all feminine there), authors. All are made up; one
 * that exists is chance. */
#ifndef LINNET_FLORA_NAMES_H
#define LINNET_FLORA_NAMES_H

#include "tests/data/rng.h"

#define FLORA_NAME_SIZE 64

enum gender { GENDER_FEMININE, GENDER_MASCULINE, GENDER_NEUTER };

struct genus_name {
    char name[FLORA_NAME_SIZE]; /* "Lunaria" */
    char stem[FLORA_NAME_SIZE]; /* "Lunari": the family is stem + "aceae", the order stem + "ales" */
    enum gender gender;
    char en[FLORA_NAME_SIZE]; /* "bellwort" */
    char fr[FLORA_NAME_SIZE]; /* "lunelle" */
};

struct epithet {
    char latin[FLORA_NAME_SIZE]; /* agreeing: "montana" */
    char en[FLORA_NAME_SIZE];    /* before the noun: "mountain" */
    char fr[FLORA_NAME_SIZE];    /* after the noun: "des montagnes" */
};

/* Draw a genus name. Uniqueness is the caller's to see to. */
void linnet_flora_name_genus(struct rng *rng, struct genus_name *out);
/* Draw an epithet in the genus's gender. */
void linnet_flora_name_epithet(struct rng *rng, enum gender gender, struct epithet *out);
/* Draw an authorship, "Vess." or "(Ard.) Lume". */
void linnet_flora_name_author(struct rng *rng, char out[FLORA_NAME_SIZE]);
/* The first letter in upper case (ASCII; UTF-8 letters stay). */
void linnet_flora_name_capital(char *name);

#endif
