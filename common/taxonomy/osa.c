#include "common/taxonomy/osa.h"

#include <string.h>

void linnet_osa_init(struct linnet_osa *pattern, const char *text, size_t size) {
    memset(pattern->has, 0, sizeof pattern->has);
    pattern->size = (unsigned)(size < LINNET_OSA_MOST ? size : LINNET_OSA_MOST);
    for (unsigned i = 0; i < pattern->size; i++)
        pattern->has[(unsigned char)text[i]] |= (uint64_t)1 << i;
}

/* The names are the papers': vertical and horizontal, positive and negative differences, zero diagonals. */
struct linnet_osa_distance linnet_osa_measure(const struct linnet_osa *pattern, const char *text,
                                              size_t size) {
    struct linnet_osa_distance distance = {pattern->size, pattern->size};
    uint64_t vp = ~(uint64_t)0, vn = 0, d0 = 0, before = 0;
    if (pattern->size == 0) return (struct linnet_osa_distance){(unsigned)size, 0};
    uint64_t last = (uint64_t)1 << (pattern->size - 1);
    for (size_t j = 0; j < size; j++) {
        uint64_t has = pattern->has[(unsigned char)text[j]];
        uint64_t swapped = ((~d0 & has) << 1) & before;
        d0 = (((has & vp) + vp) ^ vp) | has | vn | swapped;
        uint64_t hp = vn | ~(d0 | vp), hn = d0 & vp;
        distance.whole += (hp & last) != 0;
        distance.whole -= (hn & last) != 0;
        if (distance.whole < distance.prefix) distance.prefix = distance.whole;
        hp = hp << 1 | 1;
        hn <<= 1;
        vp = hn | ~(d0 | hp);
        vn = hp & d0;
        before = has;
    }
    return distance;
}
