/* Names as people type them: errors, beginnings, accents, authors, synonyms, common names; the index's file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

#include "common/taxonomy/lookup.h"
#include "common/taxonomy/name.h"
#include "common/taxonomy/osa.h"

static const char *const DOCUMENTS[] = {
    "{\"_id\":\"taxon:quercus\",\"scientificName\":\"Quercus\",\"taxonRank\":\"genus\","
    "\"vernacularNames\":{\"en\":[\"oak\"],\"fr\":[\"chêne\"]}}",
    "{\"_id\":\"taxon:robur\",\"scientificName\":\"Quercus robur\",\"scientificNameAuthorship\":\"L.\","
    "\"taxonRank\":\"species\",\"synonyms\":{\"taxon:s1\":[\"Quercus pedunculata\",\"Ehrh.\"],"
    "\"taxon:s2\":[\"Quercus robur subsp. pedunculiflora\",\"(K.Koch) Menitsky\"]},"
    "\"vernacularNames\":{\"en\":[\"pedunculate oak\",\"English oak\"],\"fr\":[\"chêne pédonculé\"]}}",
    "{\"_id\":\"taxon:petraea\",\"scientificName\":\"Quercus petraea\",\"scientificNameAuthorship\":"
    "\"(Matt.) Liebl.\",\"taxonRank\":\"species\"}",
    "{\"_id\":\"taxon:rosacea\",\"scientificName\":\"Quercus × rosacea\",\"taxonRank\":\"species\"}",
    "{\"_id\":\"taxon:rubor\",\"scientificName\":\"Quercus rubor\",\"acceptedNameUsageID\":\"taxon:rubra\"}",
    "{\"_id\":\"taxon:rubra\",\"scientificName\":\"Quercus rubra\",\"taxonRank\":\"species\"}",
    "{\"_id\":\"taxon:lost\",\"scientificName\":\"Quercus nusquam\",\"acceptedNameUsageID\":\"taxon:none\"}",
    "{\"_id\":\"taxon:isoetes\",\"scientificName\":\"Isoëtes lacustris\",\"taxonRank\":\"species\"}",
    "{\"_id\":\"taxon:ilex\",\"scientificName\":\"Ilex aquifolium\",\"taxonRank\":\"species\","
    "\"vernacularNames\":{\"pt-BR\":[\"azevinho\"]}}",
};

static struct linnet_lookup *oaks(void) {
    struct linnet_lookup_builder *builder = linnet_lookup_builder_new();
    struct linnet_lookup *lookup = NULL;
    for (size_t i = 0; i < sizeof DOCUMENTS / sizeof *DOCUMENTS; i++) {
        json_t *document = json_loads(DOCUMENTS[i], 0, NULL);
        const char *id = json_string_value(json_object_get(document, "_id"));
        assert_int_equal(linnet_lookup_add_document(builder, id, document), 0);
        json_decref(document);
    }
    assert_int_equal(linnet_lookup_build(builder, &lookup), 0);
    linnet_lookup_builder_free(builder);
    return lookup;
}

static size_t find(const struct linnet_lookup *lookup, const char *query, struct linnet_lookup_match *out) {
    struct linnet_lookup_options options = {.limit = 10};
    return linnet_lookup_find(lookup, query, &options, out);
}

/* The first answer is this taxon, found so. */
static void assert_first(const struct linnet_lookup *lookup, const char *query, const char *id,
                         enum linnet_lookup_how how, unsigned distance) {
    struct linnet_lookup_match matches[10];
    if (find(lookup, query, matches) == 0) fail_msg("nothing is like \"%s\"", query);
    if (strcmp(matches[0].id, id) || matches[0].how != how || matches[0].distance != distance)
        fail_msg("\"%s\" gives %s by %d at %u", query, matches[0].id, (int)matches[0].how,
                 matches[0].distance);
}

static void names_are_found_without_accents_capitals_authors_and_signs(void **state) {
    (void)state;
    struct linnet_lookup *lookup = oaks();
    assert_first(lookup, "Quercus robur", "taxon:robur", LINNET_LOOKUP_EXACT, 0);
    assert_first(lookup, "  QUERCUS   ROBUR ", "taxon:robur", LINNET_LOOKUP_EXACT, 0);
    assert_first(lookup, "Quercus petraea (Matt.) Liebl.", "taxon:petraea", LINNET_LOOKUP_EXACT, 0);
    assert_first(lookup, "quercus x rosacea", "taxon:rosacea", LINNET_LOOKUP_EXACT, 0);
    assert_first(lookup, "Quercus rosacea", "taxon:rosacea", LINNET_LOOKUP_EXACT, 0);
    assert_first(lookup, "isoetes lacustris", "taxon:isoetes", LINNET_LOOKUP_EXACT, 0);
    assert_first(lookup, "CHENE PEDONCULE", "taxon:robur", LINNET_LOOKUP_EXACT, 0);
    linnet_lookup_free(lookup);
}

static void synonyms_and_common_names_lead_to_the_accepted_taxon(void **state) {
    (void)state;
    struct linnet_lookup *lookup = oaks();
    struct linnet_lookup_match matches[10];
    assert_first(lookup, "Quercus pedunculata Ehrh.", "taxon:robur", LINNET_LOOKUP_EXACT, 0);
    assert_first(lookup, "Quercus robur pedunculiflora", "taxon:robur", LINNET_LOOKUP_EXACT, 0);
    assert_true(find(lookup, "Quercus pedunculata", matches) > 0);
    assert_int_equal(matches[0].kind, LINNET_LOOKUP_SYNONYM);
    assert_string_equal(matches[0].scientific_name, "Quercus robur");
    assert_string_equal(matches[0].authorship, "L.");
    assert_string_equal(matches[0].name, "Quercus pedunculata");
    assert_first(lookup, "english oak", "taxon:robur", LINNET_LOOKUP_EXACT, 0);
    /* A synonym with a document of its own; one whose taxon there is not. */
    assert_first(lookup, "Quercus rubor", "taxon:rubra", LINNET_LOOKUP_EXACT, 0);
    for (size_t i = 0, n = find(lookup, "Quercus nusquam", matches); i < n; i++)
        assert_string_not_equal(matches[i].name, "Quercus nusquam");
    linnet_lookup_free(lookup);
}

static void typing_errors_are_forgiven(void **state) {
    (void)state;
    struct linnet_lookup *lookup = oaks();
    assert_first(lookup, "Quercus petrea", "taxon:petraea", LINNET_LOOKUP_FUZZY, 1);
    assert_first(lookup, "Qeurcus petraea", "taxon:petraea", LINNET_LOOKUP_FUZZY, 1);
    assert_first(lookup, "uercus petraae", "taxon:petraea", LINNET_LOOKUP_FUZZY, 2);
    assert_first(lookup, "Ilx aquifolum", "taxon:ilex", LINNET_LOOKUP_FUZZY, 2);
    assert_first(lookup, "Querkus", "taxon:quercus", LINNET_LOOKUP_FUZZY, 1);
    assert_first(lookup, "chene pedoncle", "taxon:robur", LINNET_LOOKUP_FUZZY, 1);
    struct linnet_lookup_match matches[10];
    assert_int_equal(find(lookup, "Zzyzx qqqqq", matches), 0);
    assert_int_equal(find(lookup, "", matches), 0);
    assert_int_equal(find(lookup, " .'\xc3\x97 \xff", matches), 0);
    linnet_lookup_free(lookup);
}

static void beginnings_complete(void **state) {
    (void)state;
    struct linnet_lookup *lookup = oaks();
    struct linnet_lookup_options options = {.limit = 10, .prefix_only = true};
    struct linnet_lookup_match matches[10];
    size_t n = linnet_lookup_find(lookup, "querc", &options, matches);
    assert_int_equal(n, 5);                              /* each taxon once */
    assert_string_equal(matches[0].id, "taxon:quercus"); /* the genus before its species */
    for (size_t i = 0; i < n; i++)
        assert_int_equal(matches[i].how, LINNET_LOOKUP_PREFIX);
    assert_first(lookup, "quercus pet", "taxon:petraea", LINNET_LOOKUP_PREFIX, 0);
    assert_first(lookup, "petr", "taxon:petraea", LINNET_LOOKUP_WORD, 0); /* in the midst */
    assert_int_equal(linnet_lookup_find(lookup, "quercs", &options, matches), 0);
    options.limit = 2;
    assert_int_equal(linnet_lookup_find(lookup, "querc", &options, matches), 2);
    linnet_lookup_free(lookup);
}

static void common_names_are_asked_for_by_language(void **state) {
    (void)state;
    struct linnet_lookup *lookup = oaks();
    struct linnet_lookup_options options = {.limit = 10, .language = "fr"};
    struct linnet_lookup_match matches[10];
    size_t n = linnet_lookup_find(lookup, "oak", &options, matches);
    assert_int_equal(n, 0);
    n = linnet_lookup_find(lookup, "chene", &options, matches);
    assert_int_equal(n, 2);
    assert_string_equal(matches[0].id, "taxon:quercus");
    assert_string_equal(matches[0].language, "fr");
    assert_string_equal(linnet_lookup_common(lookup, matches[1].taxon, "en"), "pedunculate oak");
    assert_null(linnet_lookup_common(lookup, matches[1].taxon, "de"));
    n = linnet_lookup_find(lookup, "Ilex aquifolium", &options, matches);
    assert_true(n > 0);
    assert_string_equal(linnet_lookup_common(lookup, matches[0].taxon, "pt"), "azevinho");
    assert_null(linnet_lookup_common(lookup, 4000000, "pt"));
    linnet_lookup_free(lookup);
}

static char *temporary(void) {
    char *path = strdup("/tmp/linnet-lookup-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return path;
}

static void a_saved_index_answers_alike_and_a_damaged_one_is_refused(void **state) {
    (void)state;
    struct linnet_lookup *lookup = oaks(), *again = NULL;
    struct linnet_error err;
    char *path = temporary();
    assert_int_equal(linnet_lookup_save(lookup, path, &err), 0);
    assert_int_equal(linnet_lookup_open(path, &again, &err), 0);
    assert_first(again, "Quercus petrea", "taxon:petraea", LINNET_LOOKUP_FUZZY, 1);
    size_t size = linnet_lookup_size(lookup).bytes;
    assert_int_equal(linnet_lookup_size(again).bytes, size);
    linnet_lookup_free(again);
    /* Every number in it changed, one after the other: refused, or harmless. */
    for (off_t at = 0; at < (off_t)size; at += 4) {
        static const unsigned char bad[4] = {0xfe, 0xff, 0xff, 0x7f};
        unsigned char good[4];
        int fd = open(path, O_RDWR);
        assert_int_equal(pread(fd, good, 4, at), 4);
        assert_int_equal(pwrite(fd, bad, 4, at), 4);
        int rc = linnet_lookup_open(path, &again, &err);
        if (rc == 0) {
            struct linnet_lookup_match matches[10];
            find(again, "Quercus petrea", matches);
            linnet_lookup_free(again);
        } else {
            assert_int_equal(rc, LINNET_E_PARSE);
        }
        assert_int_equal(pwrite(fd, good, 4, at), 4);
        close(fd);
    }
    assert_int_equal(truncate(path, (off_t)size - 16), 0);
    assert_int_equal(linnet_lookup_open(path, &again, &err), LINNET_E_PARSE);
    unlink(path);
    assert_int_equal(linnet_lookup_open(path, &again, &err), LINNET_E_NOT_FOUND);
    free(path);
    linnet_lookup_free(lookup);
    linnet_lookup_free(NULL);
}

static void an_empty_index_finds_nothing(void **state) {
    (void)state;
    struct linnet_lookup_builder *builder = linnet_lookup_builder_new();
    struct linnet_lookup *lookup = NULL;
    struct linnet_lookup_match matches[10];
    assert_int_equal(linnet_lookup_build(builder, &lookup), 0);
    linnet_lookup_builder_free(builder);
    assert_int_equal(find(lookup, "Quercus", matches), 0);
    assert_int_equal(linnet_lookup_size(lookup).names, 0);
    linnet_lookup_free(lookup);
}

/* By hand: the plain recurrence of the optimal string alignment distance. */
static unsigned plain_osa(const char *a, const char *b) {
    unsigned d[40][40];
    size_t m = strlen(a), n = strlen(b);
    for (size_t i = 0; i <= m; i++)
        for (size_t j = 0; j <= n; j++) {
            if (!i || !j) {
                d[i][j] = (unsigned)(i + j);
                continue;
            }
            unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[m][n];
}

static void the_distance_is_that_of_the_plain_recurrence(void **state) {
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        char a[16] = "", b[16] = "";
        for (int i = 0; i < 15; i++) {
            random = random * 1664525 + 1013904223;
            a[i] = (char)((random >> 24) % 9 == 0 ? 0 : 'a' + (random >> 16) % 3);
            random = random * 1664525 + 1013904223;
            b[i] = (char)((random >> 24) % 9 == 0 ? 0 : 'a' + (random >> 16) % 3);
        }
        a[15] = b[15] = '\0';
        struct linnet_osa pattern;
        linnet_osa_init(&pattern, a, strlen(a));
        struct linnet_osa_distance distance = linnet_osa_measure(&pattern, b, strlen(b));
        unsigned prefix = plain_osa(a, "");
        for (size_t end = 1; end <= strlen(b); end++) {
            char head[16] = "";
            memcpy(head, b, end);
            if (plain_osa(a, head) < prefix) prefix = plain_osa(a, head);
        }
        assert_int_equal(distance.whole, plain_osa(a, b));
        assert_int_equal(distance.prefix, prefix);
    }
}

static void assert_simple(const char *name, const char *expected) {
    struct linnet_buf out = {0}, twice = {0};
    assert_int_equal(linnet_name_simplify(name, &out), 0);
    assert_string_equal(out.data, expected);
    assert_int_equal(linnet_name_simplify(out.data, &twice), 0);
    assert_string_equal(twice.data, expected);
    linnet_buf_done(&out);
    linnet_buf_done(&twice);
}

static void simplified_names_have_small_plain_letters(void **state) {
    (void)state;
    assert_simple("Isoëtes  Lacustris", "isoetes lacustris");
    assert_simple("Chêne pédonculé", "chene pedoncule");
    assert_simple("Opuntia ficus-indica", "opuntia ficus indica");
    assert_simple("d’Urv. (St.-Hil.)", "durv st hil");
    assert_simple("Quercus ×rosacea", "quercus x rosacea");
    assert_simple("Œnanthe Straße Łąka", "oenanthe strasse laka");
    assert_simple("ДУБ Δρυς", "дуб δρυς");
    assert_simple("e\xcc\x81table", "etable");
    assert_simple("櫟 \xff\xfe", "櫟");
    assert_simple("", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_without_accents_capitals_authors_and_signs),
        cmocka_unit_test(synonyms_and_common_names_lead_to_the_accepted_taxon),
        cmocka_unit_test(typing_errors_are_forgiven),
        cmocka_unit_test(beginnings_complete),
        cmocka_unit_test(common_names_are_asked_for_by_language),
        cmocka_unit_test(a_saved_index_answers_alike_and_a_damaged_one_is_refused),
        cmocka_unit_test(an_empty_index_finds_nothing),
        cmocka_unit_test(the_distance_is_that_of_the_plain_recurrence),
        cmocka_unit_test(simplified_names_have_small_plain_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
