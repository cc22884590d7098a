/* Colour profiles, made with Little CMS. */
#ifndef LINNET_FLORA_PROFILES_H
#define LINNET_FLORA_PROFILES_H

#include "tests/data/jpeg.h"

/* Adobe RGB (1998): its primaries, D65, gamma 2.2. 0 or -1. */
int linnet_flora_profile_adobe_rgb(struct bytes *out);
/* A press of four inks that takes away what it should, as a table from CMYK to Lab. 0 or -1. */
int linnet_flora_profile_cmyk(struct bytes *out);

#endif
