/* fusion as a whole, on examples worked by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "tests/unit/plugins/fusion/fixture.h"

#define M "flora@1.0.0"

static struct fake_host *opened(json_t *config) {
    struct fake_host *host = fusion_host(true);
    fusion_open(host, config);
    return host;
}

static void done(struct fake_host *host, struct fake_item *item) {
    fake_item_free(item);
    fake_host_free(host);
}

/* --- one view --- */

static void one_view_stays_as_it_is(void **state) {
    (void)state;
    static const char *const methods[] = {"organ", "maximum", "mean"};
    for (int i = 0; i < 3; i++) {
        struct fake_host *host = opened(json_pack("{s:s}", "method", methods[i]));
        struct fake_item *item = fusion_item(1, NULL, NULL);
        fusion_predict(item, 0, M, "a1=0.6 a2=0.1 b1=0.05", "aa=0.75 ab=0.1", "aaceae=0.9",
                       json_pack("{s:f}", "plant", 0.97));
        const json_t *result = fusion_run(host, item);
        assert_score(result, "species", "a1", 0.6);
        assert_score(result, "species", "a2", 0.1);
        assert_score(result, "species", "b1", 0.05);
        assert_score(result, "genera", "aa", 0.75);
        assert_score(result, "genera", "ab", 0.1);
        assert_score(result, "families", "aaceae", 0.9);
        assert_best(result, "a1", "species", 0.6);
        assert_string_equal(json_string_value(json_object_get(result, "method")), methods[i]);
        assert_string_equal(json_string_value(json_object_get(result, "model")), M);
        assert_true(fabs(json_number_value(json_object_get(result, "plant")) - 0.97) < 1e-9);
        assert_true(json_is_null(json_object_get(result, "flora")));
        assert_null(json_object_get(result, "why"));
        done(host, item);
    }
}

/* What the pool takes from everything: the default floor to the sum of the exponents, which is 1 here unless
 * a test says otherwise. */
#define FLOOR 1e-5

/* --- several views, without a backbone: three lists of numbers --- */

/* Each view leaves 0.1 unlisted, shared between the species that only the other one lists and all the rest:
 * 0.05 each. */
static void views_are_pooled_by_their_logarithms(void **state) {
    (void)state;
    static const double a[] = {0.6 * 0.5, 0.3 * 0.05, 0.05 * 0.4, 0.05 * 0.05}; /* x, y, z, the rest */
    for (int k = 0; k <= 2; k++) {
        struct fake_host *host = fusion_host(false);
        fusion_open(host, json_pack("{s:f}", "independence", k / 2.0));
        struct fake_item *item = fusion_item(2, NULL, NULL);
        fusion_predict(item, 0, M, "x=0.6 y=0.3", NULL, NULL, NULL);
        fusion_predict(item, 1, M, "x=0.5 z=0.4", NULL, NULL, NULL);
        const json_t *result = fusion_run(host, item);
        double power = pow(2, k / 2.0) / 2, sum = 0, expected[4];
        for (int i = 0; i < 4; i++)
            sum += expected[i] = pow(a[i], power) - pow(FLOOR * FLOOR, power);
        assert_score(result, "species", "x", expected[0] / sum);
        assert_score(result, "species", "y", expected[1] / sum);
        assert_score(result, "species", "z", expected[2] / sum);
        done(host, item);
    }
}

/* The same by hand: 0.3^0.7071 = 0.42684, 0.015^0.7071 = 0.05132, 0.02^0.7071 = 0.06290, 0.0025^0.7071 =
 * 0.01446. */
static void the_default_is_half_independent(void **state) {
    (void)state;
    struct fake_host *host = fusion_host(false);
    fusion_open(host, NULL);
    struct fake_item *item = fusion_item(2, NULL, NULL);
    fusion_predict(item, 0, M, "x=0.6 y=0.3", NULL, NULL, NULL);
    fusion_predict(item, 1, M, "x=0.5 z=0.4", NULL, NULL, NULL);
    double score = fusion_score(fusion_run(host, item), "species", "x");
    assert_true(fabs(score - 0.42684 / 0.55552) < 2e-5);
    done(host, item);
}

static void organs_weigh_unequally(void **state) {
    (void)state;
    static const char *const organs[] = {"flower", "bark"};
    struct fake_host *host = fusion_host(false);
    fusion_open(host, json_pack("{s:f, s:{s:f, s:f}}", "independence", 0.0, "organ_weights", "flower", 0.9,
                                "bark", 0.3));
    struct fake_item *item = fusion_item(2, organs, NULL);
    fusion_predict(item, 0, M, "x=0.8 y=0.2", NULL, NULL, NULL); /* weight 0.9: three quarters */
    fusion_predict(item, 1, M, "x=0.4 y=0.6", NULL, NULL, NULL);
    const json_t *result = fusion_run(host, item);
    double x = pow(0.8, 0.75) * pow(0.4, 0.25) - FLOOR, y = pow(0.2, 0.75) * pow(0.6, 0.25) - FLOOR;
    assert_score(result, "species", "x", x / (x + y));
    assert_score(result, "species", "y", y / (x + y));
    const json_t *taken = json_object_get(result, "organs");
    assert_string_equal(json_string_value(json_object_get(taken, fusion_image(0))), "flower");
    assert_string_equal(json_string_value(json_object_get(taken, fusion_image(1))), "bark");
    done(host, item);
}

/* A declared organ is believed to 0.9; the rest is what the model sees. An undeclared one is what the model
 * sees. */
static void a_weight_follows_what_the_view_shows(void **state) {
    (void)state;
    static const char *const organs[] = {"flower", NULL, NULL};
    struct fake_host *host = fusion_host(false);
    fusion_open(host, json_pack("{s:f, s:{s:f, s:f, s:f, s:f, s:f}}", "independence", 0.0, "organ_weights",
                                "flower", 1.0, "leaf", 0.5, "fruit", 0.0, "bark", 0.0, "habit", 0.0));
    struct fake_item *item = fusion_item(3, organs, NULL);
    fusion_predict(item, 0, M, "x=0.8 y=0.2", NULL, NULL,
                   json_pack("{s:{s:f, s:f}}", "organ", "flower", 0.2, "leaf", 0.8));
    fusion_predict(item, 1, M, "x=0.4 y=0.6", NULL, NULL,
                   json_pack("{s:{s:f, s:f}}", "organ", "flower", 0.3, "leaf", 0.7));
    fusion_predict(item, 2, M, "x=0.5 y=0.5", NULL, NULL, NULL);
    const json_t *result = fusion_run(host, item);
    double w0 = 0.9 * 1 + 0.1 * (0.2 + 0.8 * 0.5), w1 = 0.3 + 0.7 * 0.5, w2 = (1 + 0.5) / 5, w = w0 + w1 + w2;
    double x = pow(0.8, w0 / w) * pow(0.4, w1 / w) * pow(0.5, w2 / w) - FLOOR;
    double y = pow(0.2, w0 / w) * pow(0.6, w1 / w) * pow(0.5, w2 / w) - FLOOR;
    assert_score(result, "species", "x", x / (x + y));
    const json_t *taken = json_object_get(result, "organs");
    assert_string_equal(json_string_value(json_object_get(taken, fusion_image(1))), "leaf");
    assert_null(json_object_get(taken, fusion_image(2)));
    done(host, item);
}

static void the_models_measured_accuracy_goes_before_configured_weights(void **state) {
    (void)state;
    static const char *const organs[] = {"flower", "bark"};
    for (int measured = 0; measured < 2; measured++) {
        struct fake_host *host = fusion_host(false);
        fake_host_reference(host,
                            json_pack("{s:s, s:{s:{s:{s:f}, s:{s:f}}}}", "_id", "model:" M, "accuracy",
                                      "by_organ", "flower", "macro_top1", 0.2, "bark", "macro_top1", 0.6));
        fusion_open(host, json_pack("{s:f, s:b, s:{s:f, s:f}}", "independence", 0.0, "measured_weights",
                                    measured, "organ_weights", "flower", 0.9, "bark", 0.3));
        struct fake_item *item = fusion_item(2, organs, NULL);
        fusion_predict(item, 0, M, "x=0.8 y=0.2", NULL, NULL, NULL);
        fusion_predict(item, 1, M, "x=0.4 y=0.6", NULL, NULL, NULL);
        double share = measured ? sqrt(0.2) / (sqrt(0.2) + sqrt(0.6)) : 0.75;
        double x = pow(0.8, share) * pow(0.4, 1 - share) - FLOOR,
               y = pow(0.2, share) * pow(0.6, 1 - share) - FLOOR;
        assert_score(fusion_run(host, item), "species", "x", x / (x + y));
        done(host, item);
    }
}

static void maximum_and_mean_are_plain(void **state) {
    (void)state;
    static const char *const organs[] = {"flower", "bark"}; /* which counts for nothing here */
    struct fake_host *host = fusion_host(false);
    fusion_open(host, json_pack("{s:s}", "method", "maximum"));
    struct fake_item *item = fusion_item(2, organs, NULL);
    fusion_predict(item, 0, M, "x=0.6 y=0.4", NULL, NULL, NULL);
    fusion_predict(item, 1, M, "x=0.1 y=0.9", NULL, NULL, NULL);
    const json_t *result = fusion_run(host, item);
    assert_score(result, "species", "x", 0.6 / 1.5);
    assert_score(result, "species", "y", 0.9 / 1.5);
    done(host, item);

    host = fusion_host(false);
    fusion_open(host, json_pack("{s:s}", "method", "mean"));
    item = fusion_item(2, organs, NULL);
    fusion_predict(item, 0, M, "x=0.6 y=0.4", NULL, NULL, NULL);
    fusion_predict(item, 1, M, "x=0.1 y=0.9", NULL, NULL, NULL);
    result = fusion_run(host, item);
    assert_score(result, "species", "x", 0.35);
    assert_score(result, "species", "y", 0.65);
    const json_t *views = json_object_get(json_array_get(json_object_get(result, "species"), 0), "views");
    assert_true(json_number_value(json_object_get(views, fusion_image(0))) == 0.4);
    assert_true(json_number_value(json_object_get(views, fusion_image(1))) == 0.9);
    done(host, item);
}

/* --- the tree --- */

/* View 1 lists b1, view 0 only its family: it leaves 0.9 - 0.5 of Aaceae. The model has 5 classes there; of
 * the four that view 0 does not list, a2 and a3 lie in the listed genus Aa, which has nothing left; b1 and b2
 * share the 0.4. */
static void what_a_view_leaves_is_shared_by_the_models_classes(void **state) {
    (void)state;
    struct fake_host *host = fusion_host(true);
    fusion_add_model(
        host, M, "2026-01-01T00:00:00Z",
        json_pack("[s,s,s,s,s,s]", "taxon:a1", "taxon:a2", "taxon:a3", "taxon:b1", "taxon:b2", "taxon:c1"));
    fusion_open(host, json_pack("{s:s}", "method", "mean"));
    struct fake_item *item = fusion_item(2, NULL, NULL);
    fusion_predict(item, 0, M, "a1=0.5", "aa=0.5", "aaceae=0.9", NULL);
    fusion_predict(item, 1, M, "a1=0.2 b1=0.6", "aa=0.2 ab=0.7", "aaceae=0.9", NULL);
    const json_t *result = fusion_run(host, item);
    assert_score(result, "species", "a1", (0.5 + 0.2) / 2);
    assert_score(result, "species", "b1", (0.2 + 0.6) / 2);
    assert_score(result, "genera", "aa", (0.5 + 0.2) / 2);
    assert_score(result, "genera", "ab", (0.4 + 0.7) / 2);
    assert_score(result, "families", "aaceae", 0.9);
    assert_score(result, "families", "baceae", -1);
    assert_best(result, "ab", "genus", 0.55);
    done(host, item);
}

static void an_unsure_answer_is_rolled_up(void **state) {
    (void)state;
    struct fake_host *host = opened(NULL);
    struct fake_item *item = fusion_item(1, NULL, NULL);
    fusion_predict(item, 0, M, "a1=0.3 a2=0.25 b1=0.2 c1=0.1", "aa=0.6 ab=0.2 ba=0.1",
                   "aaceae=0.8 baceae=0.1", NULL);
    const json_t *result = fusion_run(host, item);
    assert_best(result, "aa", "genus", 0.6);
    assert_true(fusion_says(result, "genus aa does, with 0.60"));
    done(host, item);

    host = opened(json_pack("{s:f}", "threshold", 0.7));
    item = fusion_item(1, NULL, NULL);
    fusion_predict(item, 0, M, "a1=0.3 a2=0.25 b1=0.2 c1=0.1", "aa=0.6 ab=0.2 ba=0.1",
                   "aaceae=0.8 baceae=0.1", NULL);
    assert_best(fusion_run(host, item), "aaceae", "family", 0.8);
    done(host, item);

    host = opened(json_pack("{s:f}", "threshold", 0.9));
    item = fusion_item(1, NULL, NULL);
    fusion_predict(item, 0, M, "a1=0.3 a2=0.25 b1=0.2 c1=0.1", "aa=0.6 ab=0.2 ba=0.1",
                   "aaceae=0.8 baceae=0.1", NULL);
    assert_best(fusion_run(host, item), "ales", "order", 0.9);
    done(host, item);

    host = opened(json_pack("{s:f}", "threshold", 0.95));
    item = fusion_item(1, NULL, NULL);
    fusion_predict(item, 0, M, "a1=0.3 a2=0.25 b1=0.2 c1=0.1", "aa=0.6 ab=0.2 ba=0.1",
                   "aaceae=0.8 baceae=0.1", NULL);
    result = fusion_run(host, item);
    assert_best(result, NULL, NULL, 0);
    assert_true(fusion_says(result, "No taxon reaches a score of 0.95"));
    done(host, item);
}

static void a_threshold_that_is_just_reached_is_reached(void **state) {
    (void)state;
    struct fake_host *host = opened(NULL);
    struct fake_item *item = fusion_item(1, NULL, NULL);
    fusion_predict(item, 0, M, "a1=0.1 a2=0.3 a3=0.1 b1=0.5", NULL, NULL, NULL);
    assert_best(fusion_run(host, item), "b1", "species", 0.5);
    done(host, item);
}

static void synonyms_are_one_taxon(void **state) {
    (void)state;
    struct fake_host *host = opened(NULL);
    struct fake_item *item = fusion_item(1, NULL, NULL);
    fusion_predict(item, 0, M, "old-a1=0.4 a1=0.2 b1=0.1", NULL, NULL, NULL);
    const json_t *result = fusion_run(host, item);
    assert_score(result, "species", "a1", 0.6);
    assert_score(result, "species", "old-a1", -1);
    assert_best(result, "a1", "species", 0.6);
    done(host, item);
}

static void ranks_are_listed_in_order_and_ties_by_id(void **state) {
    (void)state;
    struct fake_host *host = opened(json_pack("{s:{s:i}}", "list", "species", 3));
    struct fake_item *item = fusion_item(1, NULL, NULL);
    fusion_predict(item, 0, M, "b1=0.1 c1=0.3 a2=0.1 a1=0.1", NULL, NULL, NULL);
    const json_t *species = json_object_get(fusion_run(host, item), "species");
    assert_int_equal(json_array_size(species), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(species, 0), "taxon")), "taxon:c1");
    assert_string_equal(json_string_value(json_object_get(json_array_get(species, 1), "taxon")), "taxon:a1");
    assert_string_equal(json_string_value(json_object_get(json_array_get(species, 2), "taxon")), "taxon:a2");
    done(host, item);
}

/* --- plants and others --- */

static void what_is_no_plant_has_no_best_taxon(void **state) {
    (void)state;
    struct fake_host *host = opened(json_pack("{s:f}", "independence", 1.0));
    struct fake_item *item = fusion_item(2, NULL, NULL);
    fusion_predict(item, 0, M, "a1=0.9", NULL, NULL, json_pack("{s:f}", "plant", 0.2));
    fusion_predict(item, 1, M, "a1=0.9", NULL, NULL, json_pack("{s:f}", "plant", 0.4));
    const json_t *result = fusion_run(host, item);
    double plant = json_number_value(json_object_get(result, "plant"));
    assert_true(fabs(plant - 0.2 * 0.4 / (0.2 * 0.4 + 0.8 * 0.6)) < 1e-6);
    assert_best(result, NULL, NULL, 0);
    assert_true(fusion_says(result, "probably no plant"));
    done(host, item);
}

/* A picture of somebody's boots beside one of a flower: 0.1 of the weight. */
static void a_view_of_no_plant_weighs_little(void **state) {
    (void)state;
    static const char *const organs[] = {"flower", "flower"};
    struct fake_host *host = fusion_host(false);
    fusion_open(host, json_pack("{s:f}", "independence", 0.0));
    struct fake_item *item = fusion_item(2, organs, NULL);
    fusion_predict(item, 0, M, "x=0.8 y=0.2", NULL, NULL, json_pack("{s:f}", "plant", 1.0));
    fusion_predict(item, 1, M, "x=0.1 y=0.9", NULL, NULL, json_pack("{s:f}", "plant", 0.1));
    double x = pow(0.8, 10 / 11.0) * pow(0.1, 1 / 11.0) - FLOOR;
    double y = pow(0.2, 10 / 11.0) * pow(0.9, 1 / 11.0) - FLOOR;
    assert_score(fusion_run(host, item), "species", "x", x / (x + y));
    done(host, item);
}

/* --- which documents --- */

static void views_without_a_prediction_are_counted(void **state) {
    (void)state;
    struct fake_host *host = opened(NULL);
    struct fake_item *item = fusion_item(3, NULL, NULL);
    fusion_predict(item, 1, M, "a1=0.9", NULL, NULL, NULL);
    const json_t *result = fusion_run(host, item), *views = json_object_get(result, "views");
    assert_int_equal(json_integer_value(json_object_get(views, "used")), 1);
    assert_int_equal(json_integer_value(json_object_get(views, "of")), 3);
    assert_true(fusion_says(result, "1 of 3 views have a prediction"));
    done(host, item);
}

static void without_predictions_there_is_nothing_to_do(void **state) {
    (void)state;
    struct fake_host *host = opened(NULL);
    struct fake_item *item = fusion_item(1, NULL, NULL);
    fusion_predict(item, 2, M, "a1=0.9", NULL, NULL, NULL); /* of a picture that is none of its views */
    assert_int_equal(fake_host_process(host, item), 0);
    assert_false(item->selected);
    done(host, item);
}

static void assert_model(struct fake_host *host, struct fake_item *item, const char *model) {
    assert_string_equal(json_string_value(json_object_get(fusion_run(host, item), "model")), model);
    for (size_t i = 0; i < item->item.ndocs; i++) {
        const char *by = json_string_value(json_object_get(item->item.docs[i].json, "model"));
        assert_true(!by || !strcmp(by, model));
    }
}

static struct fake_host *two_models(const char *wanted) {
    struct fake_host *host = fusion_host(true);
    fusion_add_model(host, "flora@1.9.0", "2026-01-01T00:00:00Z", NULL);
    fusion_add_model(host, "flora@1.10.0", "2026-02-01T00:00:00Z", NULL);
    if (wanted) fusion_want(host, wanted);
    fusion_open(host, NULL);
    return host;
}

static void one_models_predictions_are_taken(void **state) {
    (void)state;
    struct fake_host *host = two_models("flora@1.9.0");
    struct fake_item *item = fusion_item(2, NULL, NULL);
    fusion_predict(item, 0, "flora@1.10.0", "b1=0.9", NULL, NULL, NULL);
    fusion_predict(item, 0, "flora@1.9.0", "a1=0.9", NULL, NULL, NULL);
    assert_model(host, item, "flora@1.9.0"); /* the wanted one */
    fusion_predict(item, 1, "flora@1.10.0", "b1=0.9", NULL, NULL, NULL);
    assert_model(host, item, "flora@1.10.0"); /* it has seen more */
    fusion_predict(item, 1, "flora@1.9.0", "a1=0.9", NULL, NULL, NULL);
    assert_model(host, item, "flora@1.9.0");
    done(host, item);

    host = two_models(NULL);
    item = fusion_item(2, NULL, NULL);
    fusion_predict(item, 0, "flora@1.10.0", "b1=0.9", NULL, NULL, NULL);
    fusion_predict(item, 0, "flora@1.9.0", "a1=0.9", NULL, NULL, NULL);
    assert_model(host, item, "flora@1.10.0"); /* the newer one */
    done(host, item);

    host = opened(NULL); /* models without documents: by version, as people count */
    item = fusion_item(1, NULL, NULL);
    fusion_predict(item, 0, "flora@1.10.0", "b1=0.9", NULL, NULL, NULL);
    fusion_predict(item, 0, "flora@1.9.0", "a1=0.9", NULL, NULL, NULL);
    assert_model(host, item, "flora@1.10.0");
    done(host, item);
}

/* --- order --- */

static void the_order_of_documents_changes_no_bit(void **state) {
    (void)state;
    static const char *const organs[] = {"leaf", NULL, "flower"};
    static const char *const species[] = {"a1=0.31 b1=0.17 c1=0.11", "b1=0.41 a2=0.13 a1=0.07",
                                          "a3=0.23 a1=0.29 b2=0.05"};
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    char *first = NULL;
    for (int o = 0; o < 6; o++) {
        struct fake_host *host = opened(NULL);
        struct fake_item *item = fusion_item(3, organs, NULL);
        for (int i = 0; i < 3; i++)
            fusion_predict(item, orders[o][i], M, species[orders[o][i]], NULL, NULL,
                           json_pack("{s:f, s:{s:f, s:f}}", "plant", 0.9, "organ", "leaf", 0.4, "bark", 0.6));
        char *text = json_dumps(fusion_run(host, item), JSON_SORT_KEYS);
        if (first) assert_string_equal(text, first);
        if (first)
            free(text);
        else
            first = text;
        done(host, item);
    }
    free(first);
}

/* Whether a view leaves a last bit to the rest or not at all is chance; it must not change the answer. */
static void a_last_bit_that_is_left_over_changes_nothing(void **state) {
    (void)state;
    double scores[2];
    for (int left = 0; left <= 1; left++) {
        struct fake_host *host = fusion_host(false);
        fusion_open(host, NULL);
        struct fake_item *item = fusion_item(2, NULL, NULL);
        fusion_predict(item, 0, M, left ? "x=0.99999999" : "x=1", NULL, NULL, NULL);
        fusion_predict(item, 1, M, "w=1", NULL, NULL, NULL);
        scores[left] = fusion_score(fusion_run(host, item), "species", "x");
        done(host, item);
    }
    assert_true(fabs(scores[0] - scores[1]) < 2e-6);
}

/* A model of very many classes that knows nothing: each is below the floor in every view. */
static void views_that_give_nothing_more_than_the_floor_are_averaged(void **state) {
    (void)state;
    struct fake_host *host = fusion_host(false);
    fusion_open(host, json_pack("{s:f}", "floor", 0.01));
    struct fake_item *item = fusion_item(2, NULL, NULL);
    struct linnet_buf list = {0};
    for (int i = 0; i < 110; i++)
        linnet_buf_printf(&list, "s%03d=0.009 ", i);
    fusion_predict(item, 0, M, list.data, NULL, NULL, NULL);
    fusion_predict(item, 1, M, list.data, NULL, NULL, NULL);
    double score = fusion_score(fusion_run(host, item), "species", "s000");
    assert_true(score > 0.008 && score < 0.0095);
    linnet_buf_done(&list);
    done(host, item);
}

static void damaged_predictions_do_no_harm(void **state) {
    (void)state;
    struct fake_host *host = opened(NULL);
    struct fake_item *item = fusion_item(2, NULL, NULL);
    fusion_predict(item, 0, M, NULL, NULL, NULL,
                   json_pack("{s:[n, {s:i}, {s:s, s:f}, {s:s, s:f}, {s:s}], s:s, s:s, s:s}", "species",
                             "taxon", 1, "taxon", "taxon:a1", "score", -0.5, "taxon", "taxon:a2", "score",
                             7.0, "taxon", "taxon:a3", "genera", "none", "organ", "leaf", "plant", "yes"));
    fusion_predict(item, 1, M, NULL, NULL, NULL, NULL);
    const json_t *result = fusion_run(host, item);
    double score = fusion_score(result, "species", "a2");
    assert_true(score > 0 && score <= 1);
    done(host, item);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_view_stays_as_it_is),
        cmocka_unit_test(views_are_pooled_by_their_logarithms),
        cmocka_unit_test(the_default_is_half_independent),
        cmocka_unit_test(organs_weigh_unequally),
        cmocka_unit_test(a_weight_follows_what_the_view_shows),
        cmocka_unit_test(the_models_measured_accuracy_goes_before_configured_weights),
        cmocka_unit_test(maximum_and_mean_are_plain),
        cmocka_unit_test(what_a_view_leaves_is_shared_by_the_models_classes),
        cmocka_unit_test(an_unsure_answer_is_rolled_up),
        cmocka_unit_test(a_threshold_that_is_just_reached_is_reached),
        cmocka_unit_test(synonyms_are_one_taxon),
        cmocka_unit_test(ranks_are_listed_in_order_and_ties_by_id),
        cmocka_unit_test(what_is_no_plant_has_no_best_taxon),
        cmocka_unit_test(a_view_of_no_plant_weighs_little),
        cmocka_unit_test(views_without_a_prediction_are_counted),
        cmocka_unit_test(without_predictions_there_is_nothing_to_do),
        cmocka_unit_test(one_models_predictions_are_taken),
        cmocka_unit_test(the_order_of_documents_changes_no_bit),
        cmocka_unit_test(a_last_bit_that_is_left_over_changes_nothing),
        cmocka_unit_test(views_that_give_nothing_more_than_the_floor_are_averaged),
        cmocka_unit_test(damaged_predictions_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
