/* The tree, its names, abundances, look-alikes and checklists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/data/flora.h"

static int make(void **state) {
    *state = linnet_flora_new(FLORA_SEED, FLORA_SPECIES);
    return *state ? 0 : -1;
}

static int unmake(void **state) {
    linnet_flora_free(*state);
    return 0;
}

static void a_third_of_the_genera_has_one_species_and_one_has_a_hundred(void **state) {
    const struct flora *flora = *state;
    size_t single = 0, largest = 0, total = 0;
    for (size_t g = 0; g < flora->ngenera; g++) {
        single += flora->genera[g].count == 1;
        if (flora->genera[g].count > largest) largest = flora->genera[g].count;
        total += flora->genera[g].count;
    }
    assert_int_equal(total, FLORA_SPECIES);
    assert_int_equal(largest, FLORA_GIANT);
    assert_in_range(single * 3, flora->ngenera - 4, flora->ngenera + 4);
}

static void the_tree_holds_together(void **state) {
    const struct flora *flora = *state;
    for (size_t s = 0; s < flora->nspecies; s++) {
        const struct flora_genus *genus = &flora->genera[flora->species[s].genus];
        const struct flora_family *family = &flora->families[genus->family];
        assert_true(s >= genus->first && s < genus->first + genus->count);
        assert_in_range(flora->species[s].genus, family->first, family->first + family->count - 1);
        assert_true(family->order < flora->norders);
    }
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void names_are_unique_binomials_and_families_end_in_aceae(void **state) {
    const struct flora *flora = *state;
    const char **names = calloc(flora->nspecies, sizeof *names);
    assert_non_null(names);
    for (size_t s = 0; s < flora->nspecies; s++) {
        const char *space = strchr(names[s] = flora->species[s].name, ' ');
        assert_non_null(space);
        assert_null(strchr(space + 1, ' '));
        assert_true(names[s][0] >= 'A' && names[s][0] <= 'Z');
        assert_null(strpbrk(names[s], ",\"\n"));
    }
    qsort(names, flora->nspecies, sizeof *names, by_name);
    for (size_t s = 1; s < flora->nspecies; s++)
        assert_string_not_equal(names[s - 1], names[s]);
    free(names);
    for (size_t f = 0; f < flora->nfamilies; f++) {
        size_t n = strlen(flora->families[f].name);
        assert_true(n > 5);
        assert_string_equal(flora->families[f].name + n - 5, "aceae");
    }
}

static double of_genus(const struct flora *flora, size_t g) {
    double sum = 0;
    for (size_t s = flora->genera[g].first; s < flora->genera[g].first + flora->genera[g].count; s++)
        sum += flora->species[s].abundance;
    return sum;
}

/* Of `n` siblings the commonest is n times as common as the rarest. */
static void assert_zipf(const double *shares, size_t n) {
    double low = shares[0], high = shares[0];
    for (size_t i = 0; i < n; i++) {
        low = shares[i] < low ? shares[i] : low;
        high = shares[i] > high ? shares[i] : high;
    }
    assert_true(fabs(high / low - (double)n) < 1e-6 * (double)n);
}

static void siblings_follow_zipfs_law_at_every_node(void **state) {
    const struct flora *flora = *state;
    double list[FLORA_SPECIES], families[FLORA_SPECIES] = {0}, total = 0;
    for (size_t g = 0; g < flora->ngenera; g++) {
        const struct flora_genus *genus = &flora->genera[g];
        for (size_t i = 0; i < genus->count; i++)
            list[i] = flora->species[genus->first + i].abundance;
        assert_zipf(list, genus->count);
        families[genus->family] += of_genus(flora, g);
        total += of_genus(flora, g);
    }
    for (size_t f = 0; f < flora->nfamilies; f++) {
        for (size_t i = 0; i < flora->families[f].count; i++)
            list[i] = of_genus(flora, flora->families[f].first + i);
        assert_zipf(list, flora->families[f].count);
    }
    assert_zipf(families, flora->nfamilies);
    assert_true(fabs(total - 1) < 1e-9);
}

/* Do two species differ in a trait of an organ? */
static bool differ(const struct flora *flora, size_t a, size_t b, enum organ organ) {
    for (int i = 0; i < TRAIT_COUNT; i++)
        if (linnet_flora_trait_info[i].organ == organ &&
            flora->species[a].traits.v[i] != flora->species[b].traits.v[i])
            return true;
    return false;
}

static void look_alikes_differ_in_nothing_but_what_tells_them_apart(void **state) {
    const struct flora *flora = *state;
    size_t by_organ = 0, by_flora = 0, toxic = 0;
    for (size_t s = 0; s < flora->nspecies; s++) {
        const struct flora_species *species = &flora->species[s];
        size_t twin = species->lookalike;
        if (twin == FLORA_NONE) continue;
        assert_int_equal(flora->species[twin].lookalike, s);
        assert_int_equal(flora->species[twin].told_by, species->told_by);
        for (int organ = 0; organ < ORGAN_COUNT; organ++)
            assert_int_equal(differ(flora, s, twin, (enum organ)organ), organ == (int)species->told_by);
        if (species->told_by == ORGAN_NONE) {
            assert_int_equal(species->checklists & flora->species[twin].checklists, 0);
            by_flora++;
        } else {
            assert_int_equal(species->checklists, flora->species[twin].checklists);
            by_organ++;
        }
        toxic += species->toxic && species->genus != flora->species[twin].genus;
    }
    assert_true(by_organ >= 60);
    assert_true(by_flora >= 30);
    assert_true(toxic >= 5);
}

static void every_species_grows_somewhere_and_regions_do_not_overlap(void **state) {
    const struct flora *flora = *state;
    for (size_t s = 0; s < flora->nspecies; s++)
        assert_in_range(flora->species[s].checklists, 1, 7);
    for (int i = 0; i < FLORA_CHECKLISTS; i++) {
        for (int j = 0; j < i; j++) {
            const struct flora_checklist *a = &linnet_flora_checklists[i], *b = &linnet_flora_checklists[j];
            assert_true(a->east < b->west || b->east < a->west || a->north < b->south || b->north < a->south);
        }
    }
}

static void a_part_keeps_look_alikes_together(void **state) {
    const struct flora *flora = *state;
    size_t part[FLORA_SPECIES];
    bool in[FLORA_SPECIES] = {false};
    assert_int_equal(linnet_flora_part(flora, 80, part), 80);
    for (size_t i = 0; i < 80; i++) {
        if (i) assert_true(part[i] > part[i - 1]);
        in[part[i]] = true;
    }
    for (size_t i = 0; i < 80; i++)
        if (flora->species[part[i]].lookalike != FLORA_NONE)
            assert_true(in[flora->species[part[i]].lookalike]);
    assert_int_equal(linnet_flora_part(flora, FLORA_SPECIES, part), FLORA_SPECIES);
}

static void the_same_seed_gives_the_same_flora_and_another_another(void **state) {
    const struct flora *flora = *state;
    struct flora *again = linnet_flora_new(FLORA_SEED, FLORA_SPECIES),
                 *other = linnet_flora_new(FLORA_SEED + 1, FLORA_SPECIES);
    assert_non_null(again);
    assert_non_null(other);
    for (size_t s = 0; s < FLORA_SPECIES; s++) {
        assert_string_equal(again->species[s].name, flora->species[s].name);
        assert_memory_equal(&again->species[s].traits, &flora->species[s].traits, sizeof(struct traits));
    }
    assert_string_not_equal(other->species[0].name, flora->species[0].name);
    linnet_flora_free(again);
    linnet_flora_free(other);
}

static void floras_of_any_size_can_be_made(void **state) {
    static const size_t sizes[] = {8, 9, 30, 399, 400, 5000};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct flora *flora = linnet_flora_new(42, sizes[i]);
        assert_non_null(flora);
        assert_int_equal(flora->nspecies, sizes[i]);
        linnet_flora_free(flora);
    }
    assert_null(linnet_flora_new(1, 7));
    assert_null(linnet_flora_new(1, 100001));
}

static void species_are_found_by_name_and_by_id(void **state) {
    const struct flora *flora = *state;
    char id[FLORA_ID_SIZE];
    linnet_flora_taxon_id(TAXON_SPECIES, 123, id);
    assert_string_equal(id, "taxon:100124");
    assert_int_equal(linnet_flora_find(flora, id), 123);
    assert_int_equal(linnet_flora_find(flora, flora->species[456].name), 456);
    assert_int_equal(linnet_flora_find(flora, "Nothing here"), FLORA_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_third_of_the_genera_has_one_species_and_one_has_a_hundred),
        cmocka_unit_test(the_tree_holds_together),
        cmocka_unit_test(names_are_unique_binomials_and_families_end_in_aceae),
        cmocka_unit_test(siblings_follow_zipfs_law_at_every_node),
        cmocka_unit_test(look_alikes_differ_in_nothing_but_what_tells_them_apart),
        cmocka_unit_test(every_species_grows_somewhere_and_regions_do_not_overlap),
        cmocka_unit_test(a_part_keeps_look_alikes_together),
        cmocka_unit_test(the_same_seed_gives_the_same_flora_and_another_another),
        cmocka_unit_test(floras_of_any_size_can_be_made),
        cmocka_unit_test(species_are_found_by_name_and_by_id),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
