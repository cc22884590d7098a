/* fusion within floras: which of them apply, and what they do to the scores. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/plugins/fusion/fixture.h"

#define M "flora@1.0.0"

static void done(struct fake_host *host, struct fake_item *item) {
    fake_item_free(item);
    fake_host_free(host);
}

static json_t *taxa(const char *a, const char *b) {
    return json_pack("[s, s*]", a, b);
}

static json_t *at(double latitude, double longitude) {
    return json_pack("{s:{s:f, s:f, s:i}}", "location", "decimalLatitude", latitude, "decimalLongitude",
                     longitude, "coordinateUncertaintyInMeters", 15700);
}

/* A west of a1 and a2, an east of b1 and c1, both in the whole, which has a1, b1 and c1. */
static struct fake_host *world(json_t *config) {
    struct fake_host *host = fusion_host(true);
    fusion_add_flora(host, "flora:west", taxa("taxon:a1", "taxon:a2"),
                     json_pack("{s:[i,i,i,i]}", "bbox", 0, 40, 5, 50));
    fusion_add_flora(host, "flora:east", taxa("taxon:b1", "taxon:c1"),
                     json_pack("{s:[[[[i,i],[i,i],[i,i],[i,i],[i,i]]]]}", "polygons", 5, 40, 10, 40, 10, 50,
                               5, 50, 5, 40));
    fusion_add_flora(host, "flora:whole", json_pack("[s,s,s]", "taxon:a1", "taxon:b1", "taxon:c1"),
                     json_pack("{s:[i,i,i,i]}", "bbox", -10, 30, 20, 60));
    fusion_add_flora(host, "flora:indoors", taxa("taxon:a3", NULL), NULL);
    fusion_open(host, config);
    return host;
}

static struct fake_item *seen(json_t *more) {
    struct fake_item *item = fusion_item(1, NULL, more);
    fusion_predict(item, 0, M, "a1=0.5 b1=0.25 a2=0.15 c1=0.1", NULL, NULL, NULL);
    return item;
}

static void assert_flora(const json_t *result, const char *id, double removed) {
    const json_t *flora = json_object_get(result, "flora");
    if (!id) assert_true(json_is_null(flora));
    if (id) assert_string_equal(json_string_value(flora), id);
    assert_true(fabs(json_number_value(json_object_get(result, "flora_removed")) - removed) < 1e-6);
}

static void a_named_flora_removes_what_is_not_in_it(void **state) {
    (void)state;
    struct fake_host *host = world(NULL);
    struct fake_item *item =
        seen(json_pack("{s:s, s:o}", "flora", "flora:east", "location",
                       json_pack("{s:f, s:f}", "decimalLatitude", 45.0, "decimalLongitude", 2.0)));
    const json_t *result = fusion_run(host, item);
    assert_flora(result, "flora:east", 0.65);
    assert_score(result, "species", "a1", -1);
    assert_score(result, "species", "b1", 0.25 / 0.35);
    assert_score(result, "species", "c1", 0.1 / 0.35);
    assert_score(result, "genera", "ab", 0.25 / 0.35);
    assert_score(result, "families", "baceae", 0.1 / 0.35);
    assert_best(result, "b1", "species", 0.25 / 0.35);
    done(host, item);
}

static void a_place_chooses_its_flora(void **state) {
    (void)state;
    struct fake_host *host = world(NULL);
    struct fake_item *item = seen(at(45, 2));
    assert_flora(fusion_run(host, item), "flora:west", 0.35);
    fake_item_free(item);
    item = seen(at(45, 8));
    assert_flora(fusion_run(host, item), "flora:east", 0.65);
    fake_item_free(item);
    item = seen(at(35, 2)); /* only in the whole, in which a2 does not grow */
    assert_flora(fusion_run(host, item), "flora:whole", 0.15);
    fake_item_free(item);
    item = seen(at(-20, 100)); /* nowhere */
    assert_flora(fusion_run(host, item), NULL, 0);
    fake_item_free(item);
    item = seen(NULL); /* unknown */
    assert_flora(fusion_run(host, item), NULL, 0);
    done(host, item);
}

/* A place that is known to 0.2 degrees, 11 km from the border: both sides and the whole, which holds it for
 * certain. */
static void near_a_border_both_floras_apply(void **state) {
    (void)state;
    struct fake_host *host = world(NULL);
    struct fake_item *item = seen(at(45, 5.1));
    const json_t *result = fusion_run(host, item), *floras = json_object_get(result, "floras");
    assert_int_equal(json_array_size(floras), 3);
    assert_string_equal(json_string_value(json_array_get(floras, 0)), "flora:east");
    assert_string_equal(json_string_value(json_array_get(floras, 2)), "flora:whole");
    assert_flora(result, "flora:whole", 0);
    fake_item_free(item);
    item = seen(at(45, 5.3)); /* 23 km: one side only */
    result = fusion_run(host, item);
    assert_flora(result, "flora:east", 0.65);
    assert_null(json_object_get(result, "floras"));
    done(host, item);
}

static void a_flora_that_leaves_nothing_is_not_applied(void **state) {
    (void)state;
    struct fake_host *host = world(NULL);
    struct fake_item *item = seen(json_pack("{s:s}", "flora", "flora:indoors"));
    const json_t *result = fusion_run(host, item);
    assert_flora(result, NULL, 0);
    assert_score(result, "species", "a1", 0.5);
    assert_true(fusion_says(result, "flora:indoors was not applied"));
    done(host, item);
}

static void a_flora_that_there_is_not_is_said(void **state) {
    (void)state;
    struct fake_host *host = world(NULL);
    struct fake_item *item = seen(json_pack("{s:s}", "flora", "flora:atlantis"));
    const json_t *result = fusion_run(host, item);
    assert_flora(result, NULL, 0);
    assert_true(fusion_says(result, "flora:atlantis"));
    done(host, item);
}

static void a_soft_flora_makes_others_less_likely(void **state) {
    (void)state;
    struct fake_host *host = world(json_pack("{s:{s:s, s:f}}", "flora", "mode", "soft", "outside", 0.2));
    struct fake_item *item = seen(json_pack("{s:s}", "flora", "flora:east"));
    const json_t *result = fusion_run(host, item);
    double kept = 0.35 + 0.2 * 0.65;
    assert_flora(result, "flora:east", 1 - kept);
    assert_score(result, "species", "a1", 0.5 * 0.2 / kept);
    assert_score(result, "species", "b1", 0.25 / kept);
    done(host, item);

    host = world(json_pack("{s:{s:s}}", "flora", "mode", "off"));
    item = seen(json_pack("{s:s}", "flora", "flora:east"));
    result = fusion_run(host, item);
    assert_flora(result, NULL, 0);
    assert_score(result, "species", "a1", 0.5);
    done(host, item);
}

/* Of what the view leaves (0.4, all in Aaceae), the classes that are not candidates are a2, a3, b1 and b2; a2
 * alone grows there. */
static void the_unlisted_are_filtered_by_the_models_classes(void **state) {
    (void)state;
    struct fake_host *host = fusion_host(true);
    fusion_add_model(host, M, "2026-01-01T00:00:00Z",
                     json_pack("[s,s,s,s,s]", "taxon:a1", "taxon:a2", "taxon:a3", "taxon:b1", "taxon:b2"));
    fusion_add_flora(host, "flora:west", taxa("taxon:a1", "taxon:a2"), NULL);
    fusion_open(host, NULL);
    struct fake_item *item = fusion_item(1, NULL, json_pack("{s:s}", "flora", "flora:west"));
    fusion_predict(item, 0, M, "a1=0.6", NULL, "aaceae=1", NULL);
    const json_t *result = fusion_run(host, item);
    assert_flora(result, "flora:west", 0.3);
    assert_score(result, "species", "a1", 0.6 / 0.7);
    assert_score(result, "families", "aaceae", 1);
    done(host, item);
}

static void checklists_name_synonyms_and_whole_genera(void **state) {
    (void)state;
    struct fake_host *host = fusion_host(true);
    fusion_add_flora(host, "flora:old", taxa("taxon:old-a1", "taxon:ab"), NULL);
    fusion_open(host, NULL);
    struct fake_item *item = seen(json_pack("{s:s}", "flora", "flora:old"));
    const json_t *result = fusion_run(host, item);
    assert_flora(result, "flora:old", 0.25);
    assert_score(result, "species", "a1", 0.5 / 0.75);
    assert_score(result, "species", "b1", 0.25 / 0.75);
    done(host, item);
}

static void a_flora_works_without_a_backbone(void **state) {
    (void)state;
    struct fake_host *host = fusion_host(false);
    fusion_add_flora(host, "flora:west", taxa("taxon:a1", "taxon:a2"), NULL);
    fusion_open(host, NULL);
    struct fake_item *item = seen(json_pack("{s:s}", "flora", "flora:west"));
    const json_t *result = fusion_run(host, item);
    assert_flora(result, "flora:west", 0.35);
    assert_best(result, "a1", "species", 0.5 / 0.65);
    done(host, item);
}

/* Filtering what was pooled is filtering each view before. */
static void the_flora_commutes_with_the_pool(void **state) {
    (void)state;
    struct fake_host *host = fusion_host(false);
    fusion_add_flora(host, "flora:xy", taxa("taxon:x", "taxon:y"), NULL);
    fusion_open(host, json_pack("{s:f}", "independence", 1.0));
    struct fake_item *item = fusion_item(2, NULL, json_pack("{s:s}", "flora", "flora:xy"));
    fusion_predict(item, 0, M, "x=0.2 y=0.3 z=0.5", NULL, NULL, NULL);
    fusion_predict(item, 1, M, "x=0.4 y=0.1 z=0.5", NULL, NULL, NULL);
    double x = 0.4 * 0.8, y = 0.6 * 0.2; /* of x = 0.2 / 0.5 and 0.4 / 0.5 */
    assert_score(fusion_run(host, item), "species", "x", x / (x + y));
    done(host, item);
}

static char *fingerprint_with(json_t *listed, const char *vernacular, const char *parent) {
    struct fake_host *host = fusion_host(true);
    fusion_add_flora(host, "flora:west", listed, NULL);
    fake_host_reference(host, json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:[s]}}", "_id", "taxon:more", "kind",
                                        "taxon", "scientificName", "more", "taxonRank", "species",
                                        "parentNameUsageID", parent, "vernacularNames", "en", vernacular));
    fusion_open(host, NULL);
    char *text = fake_host_fingerprint(host);
    fake_host_free(host);
    return text;
}

static void the_fingerprint_covers_floras_and_backbone(void **state) {
    (void)state;
    char *base = fingerprint_with(taxa("taxon:a1", NULL), "rose", "taxon:aa");
    char *renamed = fingerprint_with(taxa("taxon:a1", NULL), "other rose", "taxon:aa");
    char *longer = fingerprint_with(taxa("taxon:a1", "taxon:a2"), "rose", "taxon:aa");
    char *moved = fingerprint_with(taxa("taxon:a1", NULL), "rose", "taxon:ab");
    assert_int_equal(strlen(base), 64);
    assert_string_equal(base, renamed);
    assert_string_not_equal(base, longer);
    assert_string_not_equal(base, moved);
    free(base);
    free(renamed);
    free(longer);
    free(moved);
}

/* The place is 1 degree (78,716 m at 45 north) from the west's border, 0.1 of which (7,871.6 m) is not known,
 * and in the east; D is 78.7164 km. So the west counts exp(-0.9). */
static void soft_floras_near_the_place_count_by_distance(void **state) {
    (void)state;
    struct fake_host *host = fusion_host(true);
    fusion_add_flora(host, "flora:west", taxa("taxon:a1", "taxon:a2"),
                     json_pack("{s:[i,i,i,i]}", "bbox", 0, 40, 5, 50));
    fusion_add_flora(host, "flora:east", taxa("taxon:b1", "taxon:c1"),
                     json_pack("{s:[f,i,i,i]}", "bbox", 5.5, 40, 10, 50));
    double degree = 111.32 * cos(45 * 3.14159265358979323846 / 180);
    fusion_open(host, json_pack("{s:{s:s, s:f, s:f}}", "flora", "mode", "soft", "outside", 0.05,
                                "distance_km", degree));
    struct fake_item *item =
        seen(json_pack("{s:{s:f, s:f, s:f}}", "location", "decimalLatitude", 45.0, "decimalLongitude", 6.0,
                       "coordinateUncertaintyInMeters", 100 * degree));
    const json_t *result = fusion_run(host, item);
    /* b1 and c1 grow here; of a1 and a2 0.05 + 0.95 exp(-0.9) is left. */
    double near = 0.05 + 0.95 * exp(-0.9), kept = 0.35 + 0.65 * near;
    assert_flora(result, "flora:east", 1 - kept);
    assert_score(result, "species", "b1", 0.25 / kept);
    assert_score(result, "species", "a1", 0.5 * near / kept);
    assert_int_equal(json_array_size(json_object_get(result, "floras")), 2);
    const json_t *first = json_array_get(json_object_get(result, "species"), 0);
    const json_t *second = json_array_get(json_object_get(result, "species"), 1);
    assert_string_equal(json_string_value(json_object_get(first, "taxon")), "taxon:b1");
    assert_true(json_number_value(json_object_get(first, "prior")) == 1);
    assert_true(fabs(json_number_value(json_object_get(second, "prior")) - exp(-0.9)) < 1e-6);
    done(host, item);
}

/* The east's records: b1 30, c1 none, of a mean of 15: q is 2 and 0, so r = (0.25 + 2) / 3 = 0.75 and 0.25.
 */
static void soft_floras_count_by_their_records(void **state) {
    (void)state;
    struct fake_host *host = fusion_host(true);
    fake_host_reference(host, json_pack("{s:s, s:s, s:s, s:[s,s], s:{s:i, s:i}}", "_id", "flora:east", "kind",
                                        "flora", "title", "east", "taxa", "taxon:b1", "taxon:c1", "records",
                                        "taxon:b1", 30, "taxon:a1", 500)); /* a1 is not in the list */
    fusion_open(host, json_pack("{s:{s:s, s:f, s:f, s:f}}", "flora", "mode", "soft", "outside", 0.1,
                                "unrecorded", 0.25, "unusual", 0.2));
    struct fake_item *item = seen(json_pack("{s:s}", "flora", "flora:east"));
    const json_t *result = fusion_run(host, item);
    double b1 = 0.25 * (0.1 + 0.9 * 0.75), c1 = 0.1 * (0.1 + 0.9 * 0.25), a1 = 0.5 * 0.1, a2 = 0.15 * 0.1;
    double kept = b1 + c1 + a1 + a2;
    assert_score(result, "species", "b1", b1 / kept);
    assert_score(result, "species", "c1", c1 / kept);
    assert_score(result, "species", "a1", a1 / kept);
    done(host, item);
}

static bool is_flagged(const json_t *result, const char *taxon) {
    size_t i;
    const json_t *entry;
    json_array_foreach(json_object_get(result, "species"), i, entry) {
        if (!strcmp(json_string_value(json_object_get(entry, "taxon")) + strlen("taxon:"), taxon))
            return json_is_true(json_object_get(entry, "unusual"));
    }
    fail_msg("%s is not listed", taxon);
    return false;
}

static void what_does_not_grow_there_is_flagged_as_unusual(void **state) {
    (void)state;
    struct fake_host *host = world(json_pack("{s:{s:s, s:f}}", "flora", "mode", "soft", "outside", 0.6));
    struct fake_item *item = fusion_item(1, NULL, json_pack("{s:s}", "flora", "flora:east"));
    fusion_predict(item, 0, M, "a1=0.9 b1=0.1", NULL, NULL, NULL);
    const json_t *result = fusion_run(host, item);
    assert_true(is_flagged(result, "a1"));
    assert_false(is_flagged(result, "b1"));
    assert_best(result, "a1", "species", 0.54 / 0.64);
    assert_true(json_is_true(json_object_get(json_object_get(result, "best"), "unusual")));
    assert_true(fusion_says(result, "a1 is unusual here"));
    done(host, item);

    /* Where nothing is known of the place nothing is unusual. */
    host = world(json_pack("{s:{s:s}}", "flora", "mode", "soft"));
    item = seen(NULL);
    assert_false(is_flagged(fusion_run(host, item), "a1"));
    done(host, item);

    /* A hard flora that would leave nothing is not applied, but says so of each. */
    host = world(NULL);
    item = seen(json_pack("{s:s}", "flora", "flora:indoors"));
    result = fusion_run(host, item);
    assert_flora(result, NULL, 0);
    assert_true(is_flagged(result, "a1"));
    assert_null(json_object_get(json_array_get(json_object_get(result, "species"), 0), "prior"));
    done(host, item);
}

/* A soft flora never takes all away, whatever it is told. */
static void a_soft_prior_is_never_nothing(void **state) {
    (void)state;
    struct fake_host *host = world(json_pack("{s:{s:s, s:f}}", "flora", "mode", "soft", "outside", 0.0));
    struct fake_item *item = fusion_item(1, NULL, json_pack("{s:s}", "flora", "flora:indoors"));
    fusion_predict(item, 0, M, "a1=0.75 b1=0.25", NULL, NULL, NULL);
    const json_t *result = fusion_run(host, item);
    assert_score(result, "species", "a1", 0.75);
    assert_score(result, "species", "b1", 0.25);
    assert_true(is_flagged(result, "a1"));
    done(host, item);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_named_flora_removes_what_is_not_in_it),
        cmocka_unit_test(a_place_chooses_its_flora),
        cmocka_unit_test(near_a_border_both_floras_apply),
        cmocka_unit_test(a_flora_that_leaves_nothing_is_not_applied),
        cmocka_unit_test(a_flora_that_there_is_not_is_said),
        cmocka_unit_test(a_soft_flora_makes_others_less_likely),
        cmocka_unit_test(soft_floras_near_the_place_count_by_distance),
        cmocka_unit_test(soft_floras_count_by_their_records),
        cmocka_unit_test(what_does_not_grow_there_is_flagged_as_unusual),
        cmocka_unit_test(a_soft_prior_is_never_nothing),
        cmocka_unit_test(the_unlisted_are_filtered_by_the_models_classes),
        cmocka_unit_test(checklists_name_synonyms_and_whole_genera),
        cmocka_unit_test(a_flora_works_without_a_backbone),
        cmocka_unit_test(the_flora_commutes_with_the_pool),
        cmocka_unit_test(the_fingerprint_covers_floras_and_backbone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
