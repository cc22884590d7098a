#include "tests/unit/consensus/random_crowd.h"

#include <stdlib.h>

uint64_t draw(uint64_t *seed) {
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t draw_below(uint64_t *seed, uint32_t n) {
    return (uint32_t)(draw(seed) % n);
}

enum { MOST = 64 };

/* Who votes on one observation, in which order: a shuffle of the users. */
static uint32_t voters_of(uint64_t *seed, uint32_t users, uint32_t order[MOST]) {
    for (uint32_t u = 0; u < users; u++)
        order[u] = u;
    for (uint32_t u = 0; u + 1 < users; u++) {
        uint32_t with = u + draw_below(seed, users - u), kept = order[u];
        order[u] = order[with];
        order[with] = kept;
    }
    return draw_below(seed, 10) == 0 ? 0 : 1 + draw_below(seed, users < 8 ? users : 8);
}

void random_crowd(struct small_crowd *small, uint64_t *seed, uint32_t most, uint32_t *species) {
    uint32_t observations = 1 + draw_below(seed, most), users = 1 + draw_below(seed, most), n = 0;
    struct cast *casts = malloc((size_t)observations * 8 * sizeof *casts);
    *species = 1 + draw_below(seed, most);
    for (uint32_t i = 0; i < observations; i++) {
        uint32_t order[MOST], truth = draw_below(seed, *species), votes = voters_of(seed, users, order);
        for (uint32_t k = 0; k < votes; k++) {
            bool right = draw_below(seed, 100) < (order[k] % 5 == 0 ? 90 : 50);
            uint32_t label = right ? truth : draw_below(seed, *species);
            casts[n++] = (struct cast){i, order[k], label, k == 0, 0};
        }
    }
    crowd_of(small, casts, n, observations, users);
    free(casts);
}

uint32_t labels_of(const struct linnet_crowd *crowd) {
    uint32_t n = 0;
    for (uint32_t v = 0; v < crowd->start[crowd->observations]; v++)
        if (crowd->votes[v].label >= n) n = crowd->votes[v].label + 1;
    return n;
}
