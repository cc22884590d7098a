/* The backbone: order, synonyms, ancestors, and names as people write them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

#include "common/taxonomy/name.h"
#include "common/taxonomy/taxonomy.h"

struct row {
    const char *id, *name, *authors, *rank, *parent, *accepted;
};

static const struct row OAKS[] = {
    {"taxon:7", "Quercus robur", "L.", "species", "taxon:6", NULL},
    {"taxon:9", "Quercus pedunculata", "Ehrh.", "species", NULL, "taxon:8"},
    {"taxon:8", "Quercus robur subsp. robur", "", "subspecies", "taxon:7", NULL},
    {"taxon:6", "Quercus", "L.", "genus", "taxon:5", NULL},
    {"taxon:5", "Fagaceae", "Dumort.", "family", "taxon:1", NULL},
    {"taxon:1", "Plantae", "", "kingdom", NULL, NULL},
    {"taxon:3", "Quercus petraea", "(Matt.) Liebl.", "species", "taxon:6", "taxon:3"},
    {"taxon:2", "Fagus", "L.", "genus", "taxon:5", NULL},
    {"taxon:4", "Fagus sylvatica", "L.", "species", "taxon:2", NULL},
    {"taxon:10", "Isoëtes lacustris", "L.", "species", "taxon:404", NULL},
    {"taxon:11", "Quercus robur", "Mill.", "species", "taxon:6", "taxon:3"},
    {"taxon:12", "Quercus ilex", "Auct.", "species", "taxon:6", NULL},
    {"taxon:13", "Quercus ilex", "L.", "species", "taxon:6", NULL},
    {"taxon:14", "Quercus × rosacea", "Bechst.", "species", "taxon:6", NULL},
    {"taxon:15", "Quercus lost", "", "species", "taxon:6", "taxon:405"},
};

static json_t *document_of(const struct row *row) {
    return json_pack("{s:s,s:s,s:s,s:s*,s:s*}", "scientificName", row->name, "scientificNameAuthorship",
                     row->authors, "taxonRank", row->rank, "parentNameUsageID", row->parent,
                     "acceptedNameUsageID", row->accepted);
}

static int add(struct linnet_taxonomy *taxonomy, const struct row *row, struct linnet_error *err) {
    json_t *document = document_of(row);
    assert_non_null(document);
    int rc = linnet_taxonomy_add(taxonomy, row->id, document, err);
    json_decref(document);
    return rc;
}

static struct linnet_taxonomy *oaks(void) {
    struct linnet_taxonomy *taxonomy = linnet_taxonomy_new();
    struct linnet_error err;
    size_t orphans;
    for (size_t i = 0; i < sizeof OAKS / sizeof OAKS[0]; i++)
        assert_int_equal(add(taxonomy, &OAKS[i], &err), 0);
    assert_int_equal(linnet_taxonomy_finish(taxonomy, &orphans, &err), 0);
    assert_int_equal(orphans, 2);
    return taxonomy;
}

static const char *id_at(const struct linnet_taxonomy *taxonomy, uint32_t index) {
    return index == LINNET_NO_TAXON ? "none" : linnet_taxonomy_at(taxonomy, index)->id;
}

static void parents_come_before_children(void **state) {
    (void)state;
    struct linnet_taxonomy *t = oaks();
    assert_int_equal(linnet_taxonomy_size(t), sizeof OAKS / sizeof OAKS[0]);
    for (uint32_t i = 0; i < linnet_taxonomy_size(t); i++) {
        const struct linnet_taxon *taxon = linnet_taxonomy_at(t, i);
        assert_int_equal(linnet_taxonomy_find(t, taxon->id), i);
        if (taxon->parent == LINNET_NO_TAXON) {
            assert_int_equal(taxon->depth, 0);
        } else {
            assert_true(taxon->parent < i);
            assert_int_equal(taxon->depth, linnet_taxonomy_at(t, taxon->parent)->depth + 1);
        }
    }
    assert_null(linnet_taxonomy_at(t, 1000));
    assert_int_equal(linnet_taxonomy_find(t, "taxon:999"), LINNET_NO_TAXON);
    linnet_taxonomy_free(t);
    linnet_taxonomy_free(NULL);
}

static void synonyms_lead_to_accepted_names(void **state) {
    (void)state;
    struct linnet_taxonomy *t = oaks();
    uint32_t synonym = linnet_taxonomy_find(t, "taxon:9");
    assert_string_equal(id_at(t, linnet_taxonomy_accepted(t, synonym)), "taxon:8");
    /* Its parent is that of the accepted name. */
    assert_string_equal(id_at(t, linnet_taxonomy_at(t, synonym)->parent), "taxon:7");
    uint32_t oak = linnet_taxonomy_find(t, "taxon:7"), lost = linnet_taxonomy_find(t, "taxon:15");
    assert_int_equal(linnet_taxonomy_accepted(t, oak), oak);
    assert_int_equal(linnet_taxonomy_accepted(t, lost), lost);
    assert_int_equal(linnet_taxonomy_accepted(t, LINNET_NO_TAXON), LINNET_NO_TAXON);
    linnet_taxonomy_free(t);
}

static void synonyms_within_a_document_are_taxa_too(void **state) {
    (void)state;
    struct linnet_taxonomy *t = linnet_taxonomy_new();
    struct linnet_error err;
    size_t orphans;
    json_t *robur =
        json_pack("{s:s,s:s,s:{s:[s,s],s:[s]}}", "scientificName", "Quercus robur", "taxonRank", "species",
                  "synonyms", "taxon:s1", "Quercus pedunculata", "Ehrh.", "taxon:s2", "Quercus vulgaris");
    json_t *own =
        json_pack("{s:s,s:s}", "scientificName", "Quercus vulgaris", "acceptedNameUsageID", "taxon:p");
    json_t *petraea = json_pack("{s:s,s:{s:[s]}}", "scientificName", "Quercus petraea", "synonyms",
                                "taxon:s1", "Quercus aliena");
    assert_int_equal(linnet_taxonomy_add(t, "taxon:r", robur, &err), 0);
    assert_int_equal(linnet_taxonomy_add(t, "taxon:s2", own, &err), 0); /* its own document goes first */
    assert_int_equal(linnet_taxonomy_add(t, "taxon:p", petraea, &err), 0);
    assert_int_equal(linnet_taxonomy_add(t, "taxon:s2", own, &err), LINNET_E_EXISTS);
    assert_int_equal(linnet_taxonomy_finish(t, &orphans, &err), 0);
    assert_int_equal(linnet_taxonomy_size(t), 4);
    uint32_t synonym = linnet_taxonomy_find_name(t, "Quercus pedunculata Ehrh.");
    assert_string_equal(id_at(t, synonym), "taxon:s1");
    assert_string_equal(id_at(t, linnet_taxonomy_accepted(t, synonym)), "taxon:r");
    assert_string_equal(id_at(t, linnet_taxonomy_accepted(t, linnet_taxonomy_find(t, "taxon:s2"))),
                        "taxon:p");
    json_decref(robur);
    json_decref(own);
    json_decref(petraea);
    linnet_taxonomy_free(t);
}

static void ancestors_and_common_ancestors_are_found(void **state) {
    (void)state;
    struct linnet_taxonomy *t = oaks();
    uint32_t subspecies = linnet_taxonomy_find(t, "taxon:8"), oak = linnet_taxonomy_find(t, "taxon:7");
    uint32_t beech = linnet_taxonomy_find(t, "taxon:4"), family = linnet_taxonomy_find(t, "taxon:5");
    uint32_t alone = linnet_taxonomy_find(t, "taxon:10");
    assert_string_equal(id_at(t, linnet_taxonomy_ancestor(t, subspecies, LINNET_RANK_GENUS)), "taxon:6");
    assert_string_equal(id_at(t, linnet_taxonomy_ancestor(t, oak, LINNET_RANK_SPECIES)), "taxon:7");
    assert_string_equal(id_at(t, linnet_taxonomy_ancestor(t, oak, LINNET_RANK_ORDER)), "none");
    assert_string_equal(id_at(t, linnet_taxonomy_ancestor(t, LINNET_NO_TAXON, LINNET_RANK_ORDER)), "none");
    assert_string_equal(id_at(t, linnet_taxonomy_common(t, subspecies, beech)), "taxon:5");
    assert_string_equal(id_at(t, linnet_taxonomy_common(t, beech, subspecies)), "taxon:5");
    assert_string_equal(id_at(t, linnet_taxonomy_common(t, subspecies, oak)), "taxon:7");
    assert_string_equal(id_at(t, linnet_taxonomy_common(t, oak, oak)), "taxon:7");
    assert_string_equal(id_at(t, linnet_taxonomy_common(t, oak, alone)), "none");
    assert_string_equal(id_at(t, linnet_taxonomy_common(t, oak, LINNET_NO_TAXON)), "none");
    assert_true(linnet_taxonomy_is_within(t, subspecies, family));
    assert_true(linnet_taxonomy_is_within(t, oak, oak));
    assert_false(linnet_taxonomy_is_within(t, family, oak));
    assert_false(linnet_taxonomy_is_within(t, beech, oak));
    assert_false(linnet_taxonomy_is_within(t, beech, LINNET_NO_TAXON));
    linnet_taxonomy_free(t);
}

static void names_are_found_as_people_write_them(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"Quercus robur", "taxon:7"},
        {"  quercus   ROBUR ", "taxon:7"},
        {"Quercus robur L.", "taxon:7"},
        {"quercus robur l.", "taxon:7"},
        {"Quercus robur L", "taxon:7"},
        {"Quercus robur Mill.", "taxon:11"},
        {"Quercus robur Somebody, 1999", "taxon:7"},
        {"Quercus petraea (Matt.) Liebl.", "taxon:3"},
        {"Quercus petraea (Matt.) Liebl. subsp. petraea", "none"},
        {"Quercus robur L. subsp. robur", "taxon:8"},
        {"Quercus robur ssp. robur", "taxon:8"},
        {"Quercus x rosacea", "taxon:14"},
        {"Quercus \xc3\x97rosacea Bechst.", "taxon:14"},
        {"ISO\xc3\x8bTES lacustris", "taxon:10"},
        {"Quercus ilex", "taxon:12"},
        {"Quercus ilex L.", "taxon:13"},
        {"Quercus nova", "none"},
        {"Quercus sp.", "none"},
        {"Quercus\xc2\xa0robur", "taxon:7"},
        {"Fagaceae", "taxon:5"},
        {"", "none"},
        {"L.", "none"},
    };
    struct linnet_taxonomy *t = oaks();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = id_at(t, linnet_taxonomy_find_name(t, cases[i][0]));
        if (strcmp(found, cases[i][1])) fail_msg("\"%s\" is %s, not %s", cases[i][0], found, cases[i][1]);
    }
    linnet_taxonomy_free(t);
}

static void authors_are_told_from_epithets(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"Quercus robur L. subsp. pedunculiflora (K.Koch) Menitsky", "quercus robur subsp. pedunculiflora"},
        {"Carex nigra (L.) Reichard", "carex nigra"},
        {"Rosa canina L. f. andegavensis", "rosa canina f. andegavensis"},
        {"Hieracium murorum L. f. ex Fr.", "hieracium murorum"},
        {"Poa annua var. reptans Hausskn.", "poa annua var. reptans"},
        {"Acer", "acer"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct linnet_buf out = {0};
        assert_int_equal(linnet_name_without_authors(cases[i][0], &out), 0);
        assert_string_equal(out.data, cases[i][1]);
        linnet_buf_done(&out);
    }
}

static void cycles_are_refused_by_name(void **state) {
    (void)state;
    static const struct row loops[][3] = {
        {{"taxon:1", "A", "", "genus", "taxon:2", NULL},
         {"taxon:2", "B", "", "genus", "taxon:3", NULL},
         {"taxon:3", "C", "", "genus", "taxon:1", NULL}},
        {{"taxon:1", "A", "", "genus", NULL, "taxon:2"},
         {"taxon:2", "B", "", "genus", NULL, "taxon:3"},
         {"taxon:3", "C", "", "genus", NULL, "taxon:2"}},
    };
    for (int i = 0; i < 2; i++) {
        struct linnet_taxonomy *taxonomy = linnet_taxonomy_new();
        struct linnet_error err;
        for (int j = 0; j < 3; j++)
            assert_int_equal(add(taxonomy, &loops[i][j], &err), 0);
        assert_int_equal(linnet_taxonomy_finish(taxonomy, NULL, &err), LINNET_E_INVALID);
        assert_non_null(strstr(err.detail, "taxon:"));
        linnet_taxonomy_free(taxonomy);
    }
}

static void adding_refuses_what_has_no_name_or_is_there(void **state) {
    (void)state;
    struct linnet_taxonomy *taxonomy = linnet_taxonomy_new();
    struct linnet_error err;
    json_t *nothing = json_object();
    assert_int_equal(linnet_taxonomy_add(taxonomy, "taxon:1", nothing, &err), LINNET_E_INVALID);
    assert_int_equal(linnet_taxonomy_add(taxonomy, "taxon:1", NULL, &err), LINNET_E_INVALID);
    assert_int_equal(add(taxonomy, &OAKS[0], &err), 0);
    assert_int_equal(add(taxonomy, &OAKS[0], &err), LINNET_E_EXISTS);
    assert_int_equal(linnet_taxonomy_find_name(taxonomy, "Quercus robur"),
                     LINNET_NO_TAXON); /* not finished */
    assert_int_equal(linnet_taxonomy_finish(taxonomy, NULL, &err), 0);
    assert_int_equal(add(taxonomy, &OAKS[1], &err), LINNET_E_INVALID);
    assert_int_equal(linnet_taxonomy_finish(taxonomy, NULL, &err), LINNET_E_INVALID);
    json_decref(nothing);
    linnet_taxonomy_free(taxonomy);
}

static void an_empty_taxonomy_answers(void **state) {
    (void)state;
    struct linnet_taxonomy *taxonomy = linnet_taxonomy_new();
    assert_int_equal(linnet_taxonomy_find(taxonomy, "taxon:1"), LINNET_NO_TAXON);
    assert_int_equal(linnet_taxonomy_finish(taxonomy, NULL, NULL), 0);
    assert_int_equal(linnet_taxonomy_size(taxonomy), 0);
    assert_int_equal(linnet_taxonomy_find(taxonomy, "taxon:1"), LINNET_NO_TAXON);
    assert_int_equal(linnet_taxonomy_find_name(taxonomy, "Acer"), LINNET_NO_TAXON);
    linnet_taxonomy_free(taxonomy);
}

static void a_backbone_of_a_hundred_thousand_is_no_trouble(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    struct linnet_taxonomy *taxonomy = linnet_taxonomy_new();
    struct linnet_error err;
    for (int i = COUNT - 1; i >= 0; i--) { /* children first, in one chain of 300 and many stars */
        char id[32], name[48], parent[32];
        snprintf(id, sizeof id, "taxon:%d", i);
        snprintf(name, sizeof name, "Genus%d species", i);
        snprintf(parent, sizeof parent, "taxon:%d", i < 300 ? i - 1 : i % 300);
        const struct row row = {id, name, "L.", "species", i ? parent : NULL, NULL};
        assert_int_equal(add(taxonomy, &row, &err), 0);
    }
    size_t orphans = 9;
    assert_int_equal(linnet_taxonomy_finish(taxonomy, &orphans, &err), 0);
    assert_int_equal(orphans, 0);
    uint32_t last = linnet_taxonomy_find(taxonomy, "taxon:299");
    assert_int_equal(linnet_taxonomy_at(taxonomy, last)->depth, 299);
    assert_int_equal(linnet_taxonomy_find_name(taxonomy, "genus77777 species L."),
                     linnet_taxonomy_find(taxonomy, "taxon:77777"));
    linnet_taxonomy_free(taxonomy);
}

static void ranks_have_names(void **state) {
    (void)state;
    for (int rank = LINNET_RANK_KINGDOM; rank <= LINNET_RANK_OTHER; rank++)
        assert_int_equal(linnet_rank_parse(linnet_rank_name((enum linnet_rank)rank)), rank);
    assert_int_equal(linnet_rank_parse("Division"), LINNET_RANK_PHYLUM);
    assert_int_equal(linnet_rank_parse("tribe"), LINNET_RANK_OTHER);
    assert_int_equal(linnet_rank_parse(NULL), LINNET_RANK_OTHER);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parents_come_before_children),
        cmocka_unit_test(synonyms_lead_to_accepted_names),
        cmocka_unit_test(synonyms_within_a_document_are_taxa_too),
        cmocka_unit_test(ancestors_and_common_ancestors_are_found),
        cmocka_unit_test(names_are_found_as_people_write_them),
        cmocka_unit_test(authors_are_told_from_epithets),
        cmocka_unit_test(cycles_are_refused_by_name),
        cmocka_unit_test(adding_refuses_what_has_no_name_or_is_there),
        cmocka_unit_test(an_empty_taxonomy_answers),
        cmocka_unit_test(a_backbone_of_a_hundred_thousand_is_no_trouble),
        cmocka_unit_test(ranks_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
