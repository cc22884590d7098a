/* The steps of making a flora, in order. For flora.c and spread.c only. */
#ifndef LINNET_FLORA_FLORA_INTERNAL_H
#define LINNET_FLORA_FLORA_INTERNAL_H

#include "tests/data/flora.h"

/* How common each species is and where it grows, which are sensitive. */
void linnet_flora_spread(struct flora *flora);
/* Make pairs that are mistaken for each other: told apart by one organ, or by where they grow, or edible and
 * toxic. */
void linnet_flora_pair_lookalikes(struct flora *flora);

#endif
