#include "tests/unit/consensus/fixture.h"

#include <stdlib.h>

#include "tests/unit/test.h"

void flora_init(struct linnet_consensus_taxa *taxa) {
    static const uint32_t parent[FLORA] = {LINNET_NO_LABEL, FAMILY,      FAMILY,         GENUS,
                                           GENUS,           OTHER_GENUS, LINNET_NO_LABEL};
    static const uint8_t rank[FLORA] = {LINNET_RANK_FAMILY,  LINNET_RANK_GENUS,   LINNET_RANK_GENUS,
                                        LINNET_RANK_SPECIES, LINNET_RANK_SPECIES, LINNET_RANK_SPECIES,
                                        LINNET_RANK_SPECIES};
    static const uint32_t accepted[FLORA] = {FAMILY, GENUS, OTHER_GENUS, ROBUR, PETRAEA, SYLVATICA, ROBUR};
    struct linnet_error err;
    assert_int_equal(linnet_consensus_taxa_init(taxa, FLORA, parent, rank, accepted, &err), 0);
}

void species_only(struct linnet_consensus_taxa *taxa, uint32_t n) {
    uint32_t *none = malloc((n + 1) * sizeof *none);
    uint8_t *rank = malloc(n + 1);
    struct linnet_error err;
    for (uint32_t i = 0; i < n; i++) {
        none[i] = LINNET_NO_LABEL;
        rank[i] = LINNET_RANK_SPECIES;
    }
    assert_int_equal(linnet_consensus_taxa_init(taxa, n, none, rank, none, &err), 0);
    free(none);
    free(rank);
}

void crowd_of(struct small_crowd *small, const struct cast *casts, uint32_t n, uint32_t observations,
              uint32_t users) {
    small->start = calloc(observations + 1, sizeof *small->start);
    small->votes = malloc((n + 1) * sizeof *small->votes);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t rejects = casts[i].rejects ? casts[i].rejects - 1 : LINNET_NO_LABEL;
        small->votes[i] = (struct linnet_vote){casts[i].user, casts[i].label, rejects, casts[i].author};
        small->start[casts[i].observation + 1]++;
        assert_true(i == 0 || casts[i].observation >= casts[i - 1].observation);
    }
    for (uint32_t i = 0; i < observations; i++)
        small->start[i + 1] += small->start[i];
    small->crowd = (struct linnet_crowd){
        .observations = observations, .users = users, .start = small->start, .votes = small->votes};
}

void small_crowd_done(struct small_crowd *small) {
    free(small->start);
    free(small->votes);
}

struct linnet_consensus_result solved(const struct linnet_consensus_taxa *taxa,
                                      const struct linnet_consensus_rules *rules,
                                      const struct linnet_crowd *crowd) {
    struct linnet_consensus_result result;
    struct linnet_error err;
    assert_int_equal(linnet_consensus_solve(taxa, rules, crowd, NULL, NULL, &result, &err), 0);
    return result;
}
