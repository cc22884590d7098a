/* The generator's own random numbers: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", OOPSLA 2014), keyed by (seed, stream, index), so that each species, observation and picture
 * draws from a sequence of its own and asking for more of them changes none of the earlier ones. A value
 * type; one owner.
 *
 * C leaves the order in which operands and arguments are worked out to the compiler: never draw twice in one
 * expression. */
#ifndef LINNET_FLORA_RNG_H
#define LINNET_FLORA_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/data/fmath.h"

struct rng {
    uint64_t state;
};

/* What a sequence is for. Values are part of what a seed means: never renumber, only append. */
enum rng_stream {
    RNG_TREE = 1,
    RNG_NAME,
    RNG_FAMILY,
    RNG_GENUS,
    RNG_SPECIES,
    RNG_LOOKALIKE,
    RNG_CHECKLIST,
    RNG_PART,
    RNG_INDIVIDUAL,
    RNG_PICTURE,
    RNG_OBSERVATION,
    RNG_OBSERVER,
    RNG_SITE,
    RNG_VOTER,
    RNG_VOTE,
    RNG_NOISE,
    RNG_HOSTILE,
    RNG_VIEW,
    RNG_CATALOGUE
};

static inline uint64_t rng_mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline uint64_t rng_next(struct rng *rng) {
    return rng_mix(rng->state += 0x9e3779b97f4a7c15u);
}

/* The sequence of one thing. */
static inline struct rng rng_make(uint64_t seed, enum rng_stream stream, uint64_t index) {
    struct rng rng = {rng_mix(seed + 0x632be59bd9b4e019u) ^
                      rng_mix((uint64_t)stream * 0xd1342543de82ef95u + 1)};
    rng.state = rng_mix(rng_next(&rng) ^ rng_mix(index + 0x2545f4914f6cdd1du));
    return rng;
}

/* Uniform in [0, 1). */
static inline double rng_unit(struct rng *rng) {
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

static inline double rng_range(struct rng *rng, double low, double high) {
    return low + (high - low) * rng_unit(rng);
}

/* Uniform in 0 .. n-1; 0 for n < 2. */
static inline unsigned rng_below(struct rng *rng, unsigned n) {
    return n < 2 ? 0 : (unsigned)(rng_unit(rng) * n);
}

static inline bool rng_chance(struct rng *rng, double probability) {
    return rng_unit(rng) < probability;
}

/* Mean 0, variance 1, within 3.5: the sum of twelve uniforms would do; four, scaled, are enough for traits.
 */
static inline double rng_normal(struct rng *rng) {
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += rng_unit(rng);
    return (sum - 2) * 1.7320508075688772;
}

/* An index drawn by weight. */
static inline size_t rng_weighted(struct rng *rng, const double *weights, size_t n) {
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += weights[i];
    double at = rng_unit(rng) * total;
    for (size_t i = 0; i + 1 < n; i++) {
        if (at < weights[i]) return i;
        at -= weights[i];
    }
    return n ? n - 1 : 0;
}

#endif
