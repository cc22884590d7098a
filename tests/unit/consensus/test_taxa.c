#include <string.h>

#include "tests/unit/consensus/fixture.h"
#include "tests/unit/test.h"

static void within_is_asked_of_the_tree(void **state) {
    static const uint8_t wanted[FLORA][FLORA] = {/* within:  FAMILY GENUS OTHER ROBUR PETRAEA SYLVATICA */
                                                 {1, 0, 0, 0, 0, 0}, {1, 1, 0, 0, 0, 0}, {1, 0, 1, 0, 0, 0},
                                                 {1, 1, 0, 1, 0, 0}, {1, 1, 0, 0, 1, 0}, {1, 0, 1, 0, 0, 1}};
    struct linnet_consensus_taxa taxa;
    (void)state;
    flora_init(&taxa);
    for (uint32_t a = 0; a < PEDUNCULATA; a++)
        for (uint32_t b = 0; b < PEDUNCULATA; b++)
            assert_int_equal(linnet_consensus_is_within(&taxa, a, b), wanted[a][b]);
    assert_false(linnet_consensus_is_within(&taxa, FLORA, FAMILY));
    assert_true(linnet_consensus_is_within(&taxa, FLORA, FLORA));
    assert_int_equal(linnet_consensus_accepted(&taxa, PEDUNCULATA), ROBUR);
    assert_int_equal(linnet_consensus_species(&taxa, PEDUNCULATA), ROBUR);
    assert_int_equal(linnet_consensus_species(&taxa, GENUS), LINNET_NO_LABEL);
    assert_int_equal(linnet_consensus_species(&taxa, FLORA + 3), FLORA + 3);
    assert_int_equal(linnet_consensus_species(&taxa, LINNET_LABEL_NOT_A_PLANT), LINNET_NO_LABEL);
    linnet_consensus_taxa_done(&taxa);
}

/* 0 species, 1 subspecies of it, 2 an orphaned subspecies, 3 of no rank and alone, 4 a section with 5 a
 * species in it */
static void species_are_found_above_and_where_nothing_is_known(void **state) {
    static const uint32_t none = LINNET_NO_LABEL, parent[] = {none, 0, none, none, none, 4},
                          accepted[] = {none, none, none, none, none, none};
    static const uint8_t rank[] = {LINNET_RANK_SPECIES, LINNET_RANK_SUBSPECIES, LINNET_RANK_SUBSPECIES,
                                   LINNET_RANK_OTHER,   LINNET_RANK_OTHER,      LINNET_RANK_SPECIES};
    static const uint32_t species[] = {0, 0, 2, 3, none, 5};
    struct linnet_consensus_taxa taxa;
    struct linnet_error err;
    (void)state;
    assert_int_equal(linnet_consensus_taxa_init(&taxa, 6, parent, rank, accepted, &err), 0);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(linnet_consensus_species(&taxa, i), species[i]);
    linnet_consensus_taxa_done(&taxa);
}

static void chains_of_synonyms_end_at_the_accepted_name(void **state) {
    static const uint32_t none = LINNET_NO_LABEL, parent[] = {none, none, none, 2},
                          accepted[] = {1, 2, 2, none};
    static const uint8_t rank[] = {LINNET_RANK_GENUS, LINNET_RANK_GENUS, LINNET_RANK_GENUS,
                                   LINNET_RANK_SPECIES};
    struct linnet_consensus_taxa taxa;
    struct linnet_error err;
    (void)state;
    assert_int_equal(linnet_consensus_taxa_init(&taxa, 4, parent, rank, accepted, &err), 0);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(linnet_consensus_accepted(&taxa, i), 2);
    assert_true(linnet_consensus_is_within(&taxa, 3, 2));
    linnet_consensus_taxa_done(&taxa);
}

static void refused(uint32_t n, const uint32_t *parent, const uint32_t *accepted, const char *why) {
    static const uint8_t rank[4] = {LINNET_RANK_GENUS, LINNET_RANK_GENUS, LINNET_RANK_GENUS,
                                    LINNET_RANK_GENUS};
    struct linnet_consensus_taxa taxa;
    struct linnet_error err = {0};
    assert_int_equal(linnet_consensus_taxa_init(&taxa, n, parent, rank, accepted, &err), LINNET_E_INVALID);
    if (!strstr(err.detail, why)) fail_msg("%s", err.detail);
}

static void cycles_and_strangers_are_refused(void **state) {
    static const uint32_t none[] = {LINNET_NO_LABEL, LINNET_NO_LABEL, LINNET_NO_LABEL};
    static const uint32_t circle[] = {1, 2, 0}, stranger[] = {LINNET_NO_LABEL, 7, LINNET_NO_LABEL};
    (void)state;
    refused(3, circle, none, "its own ancestor");
    refused(3, none, circle, "a synonym of itself");
    refused(3, stranger, none, "taxon 1: its parent 7");
    refused(3, none, stranger, "taxon 1: its accepted name 7");
}

static void the_backbone_gives_the_same(void **state) {
    struct linnet_taxonomy *backbone = linnet_taxonomy_new();
    struct linnet_consensus_taxa taxa;
    struct linnet_error err;
    json_t *genus = json_pack("{s:s, s:s}", "scientificName", "Quercus", "taxonRank", "genus");
    json_t *species = json_pack("{s:s, s:s, s:s}", "scientificName", "Quercus robur", "taxonRank", "species",
                                "parentNameUsageID", "taxon:quercus");
    (void)state;
    assert_int_equal(linnet_taxonomy_add(backbone, "taxon:robur", species, &err), 0);
    assert_int_equal(linnet_taxonomy_add(backbone, "taxon:quercus", genus, &err), 0);
    assert_int_equal(linnet_taxonomy_finish(backbone, NULL, &err), 0);
    assert_int_equal(linnet_consensus_taxa_of(&taxa, backbone, &err), 0);
    uint32_t robur = linnet_taxonomy_find(backbone, "taxon:robur"),
             quercus = linnet_taxonomy_find(backbone, "taxon:quercus");
    assert_true(linnet_consensus_is_within(&taxa, robur, quercus));
    assert_int_equal(linnet_consensus_species(&taxa, robur), robur);
    linnet_consensus_taxa_done(&taxa);
    linnet_taxonomy_free(backbone);
    json_decref(genus);
    json_decref(species);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_is_asked_of_the_tree),
        cmocka_unit_test(species_are_found_above_and_where_nothing_is_known),
        cmocka_unit_test(chains_of_synonyms_end_at_the_accepted_name),
        cmocka_unit_test(cycles_and_strangers_are_refused),
        cmocka_unit_test(the_backbone_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
