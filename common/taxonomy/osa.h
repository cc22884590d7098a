/* The optimal string alignment distance: how many letters must be put in, left out, replaced, or swapped with
 * their neighbour to turn one text into another; no part is edited twice. A pattern of up to 64 bytes is made
 * ready once, then a text costs a few instructions a byte.
 *
 * H. Hyyro, A bit-vector algorithm for computing Levenshtein and Damerau edit distances, Nordic Journal of
 * Computing 10(1), 2003; after G. Myers, A fast bit-vector algorithm for approximate string matching based on
 * dynamic programming, Journal of the ACM 46(3), 1999. */
#ifndef LINNET_TAXONOMY_OSA_H
#define LINNET_TAXONOMY_OSA_H

#include <stddef.h>
#include <stdint.h>

#define LINNET_OSA_MOST 64

struct linnet_osa {
    uint64_t has[256]; /* bit i: the pattern's byte i is this one */
    unsigned size;
};

struct linnet_osa_distance {
    unsigned whole;  /* to the text */
    unsigned prefix; /* to the beginning of the text that is nearest */
};

/* Make a pattern ready; of more than LINNET_OSA_MOST bytes the first. */
void linnet_osa_init(struct linnet_osa *pattern, const char *text, size_t size);
/* Bytes, not code points, are compared. Any thread. */
struct linnet_osa_distance linnet_osa_measure(const struct linnet_osa *pattern, const char *text,
                                              size_t size);

#endif
