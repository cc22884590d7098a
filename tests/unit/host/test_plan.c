/* The plan: what is due, what is not, and why. */
#include "tests/unit/host/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"

enum { NORMALIZE, CONVNET, FUSION, STAGES };

/* Three stages as in a fleet of images, model m@1. */
struct fleet {
    struct linnet_planned_stage stages[STAGES];
    struct linnet_observation observation;
    char model[8];
};

static int setup(void **state) {
    struct fleet *fleet = calloc(1, sizeof(*fleet));
    snprintf(fleet->model, sizeof(fleet->model), "m@1");
    fleet->stages[NORMALIZE] =
        (struct linnet_planned_stage){"normalize", &sample_normalize, "f-normalize", NULL, 0};
    fleet->stages[CONVNET] =
        (struct linnet_planned_stage){"convnet", &sample_convnet, "f-convnet", fleet->model, 0};
    fleet->stages[FUSION] =
        (struct linnet_planned_stage){"fusion", &sample_fusion, "f-fusion", fleet->model, 0};
    linnet_observation_init(&fleet->observation, ULID);
    *state = fleet;
    return 0;
}

static int teardown(void **state) {
    struct fleet *fleet = *state;
    linnet_observation_done(&fleet->observation);
    free(fleet);
    return 0;
}

static void put(struct fleet *fleet, json_t *document) {
    sample_put(&fleet->observation, document);
}

static json_t *two_views(void) {
    return sample_doc("observation", "{s:s, s:[{s:s, s:s, s:[f,f,f,f]}, {s:s, s:s}]}", "observer", "u",
                      "views", "image", "aa", "organ", "leaf", "region", 0.0, 0.0, 0.5, 0.5, "image", "bb",
                      "organ", "auto");
}

static json_t *image(const char *digest) {
    char rest[80];
    snprintf(rest, sizeof(rest), "image:%s", digest);
    return sample_doc(rest, "{s:s, s:{s:{s:s, s:s}}}", "observer", "u", "_attachments", "original",
                      "content_type", "image/jpeg", "digest", digest);
}

static struct linnet_plan plan(struct fleet *fleet, bool backfill) {
    struct linnet_plan made;
    assert_int_equal(linnet_plan_make(&fleet->observation, fleet->stages, STAGES, backfill, &made), 0);
    return made;
}

/* The due output ids without the ULID, with marks: "!" outdated, "~" waits; joined by spaces. */
static void expect(struct fleet *fleet, bool backfill, const char *due) {
    struct linnet_plan made = plan(fleet, backfill);
    char text[1024] = "";
    for (size_t i = 0; i < made.ndue; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s%s%s", i ? " " : "",
                 made.due[i].outdated ? "!" : "", made.due[i].waits ? "~" : "",
                 made.due[i].output_id + sizeof(ULID));
    assert_string_equal(text, due);
    linnet_plan_done(&made);
}

/* Compute the due item number `choice` and put its output. */
static void compute(struct fleet *fleet, size_t choice) {
    struct linnet_plan made = plan(fleet, false);
    assert_true(choice < made.ndue);
    struct linnet_due *due = &made.due[choice];
    put(fleet, sample_output(&fleet->observation, &fleet->stages[due->stage], due));
    linnet_plan_done(&made);
}

/* Compute everything in the order of the plan; how many items that took. */
static size_t settle(struct fleet *fleet) {
    for (size_t computed = 0;; computed++) {
        struct linnet_plan made = plan(fleet, false);
        size_t due = made.ndue;
        linnet_plan_done(&made);
        if (!due) return computed;
        assert_true(computed < 100);
        compute(fleet, 0);
    }
}

static void settled(struct fleet *fleet) {
    put(fleet, two_views());
    put(fleet, image("aa"));
    put(fleet, image("bb"));
    assert_int_equal(settle(fleet), 5);
    expect(fleet, false, "");
}

static void nothing_is_due_for_nothing(void **state) {
    expect(*state, false, "");
    expect(*state, true, "");
}

static void an_image_waits_for_its_observation(void **state) {
    struct fleet *fleet = *state;
    put(fleet, image("aa"));
    expect(fleet, false, "");
    put(fleet, two_views());
    expect(fleet, false, "normalized:aa");
    put(fleet, image("bb"));
    expect(fleet, false, "normalized:aa normalized:bb");
}

static void each_output_makes_the_next_stage_due(void **state) {
    struct fleet *fleet = *state;
    put(fleet, two_views());
    put(fleet, image("aa"));
    compute(fleet, 0);
    expect(fleet, false, "prediction:aa:m@1");
    compute(fleet, 0);
    expect(fleet, false, "identification");
    compute(fleet, 0);
    expect(fleet, false, "");
    put(fleet, image("bb"));
    compute(fleet, 0);
    compute(fleet, 0);
    expect(fleet, false, "!identification");
}

static void what_comes_later_in_the_graph_is_told_to_wait(void **state) {
    struct fleet *fleet = *state;
    put(fleet, two_views());
    put(fleet, image("aa"));
    compute(fleet, 0);
    compute(fleet, 0);
    put(fleet, image("bb"));
    expect(fleet, false, "normalized:bb ~identification");
    compute(fleet, 0);
    expect(fleet, false, "prediction:bb:m@1 ~identification");
}

/* A small generator of our own, so that a failure comes again. */
static unsigned draw(unsigned *seed, unsigned n) {
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % n;
}

static char *image_of_all(const struct fleet *fleet) {
    json_t *all = json_object();
    for (size_t i = 0; i < fleet->observation.ndocs; i++)
        json_object_set(all, fleet->observation.docs[i].id, fleet->observation.docs[i].json);
    char *text = linnet_json_canonical(all);
    json_decref(all);
    return text;
}

static void any_order_of_arrival_and_work_ends_alike(void **state) {
    (void)state;
    char *expected = NULL;
    for (unsigned seed = 1; seed <= 200; seed++) {
        struct fleet *fleet;
        setup((void **)&fleet);
        unsigned random = seed, mask = 0;
        /* Three documents arrive in any order, between them any due item may be worked on, waiting or not. */
        for (;;) {
            struct linnet_plan made = plan(fleet, false);
            size_t due = made.ndue;
            linnet_plan_done(&made);
            if (mask == 7 && !due) break;
            unsigned choice = draw(&random, (unsigned)due + 3);
            if (choice < due)
                compute(fleet, choice);
            else if (!(mask & (1u << (choice - due)))) {
                unsigned which = choice - (unsigned)due;
                mask |= 1u << which;
                put(fleet, which == 0 ? two_views() : image(which == 1 ? "aa" : "bb"));
            }
        }
        char *text = image_of_all(fleet);
        if (!expected) expected = strdup(text);
        assert_string_equal(text, expected);
        free(text);
        teardown((void **)&fleet);
    }
    free(expected);
}

static void a_restart_recomputes_nothing(void **state) {
    struct fleet *fleet = *state, *restarted;
    settled(fleet);
    setup((void **)&restarted);
    for (size_t i = fleet->observation.ndocs; i-- > 0;) {
        json_t *stored = json_deep_copy(fleet->observation.docs[i].json);
        json_object_set_new(stored, "_rev", json_string("1-0123"));
        put(restarted, stored);
    }
    expect(restarted, false, "");
    expect(restarted, true, "");
    teardown((void **)&restarted);
}

static void a_field_that_matters_makes_its_own_view_due(void **state) {
    struct fleet *fleet = *state;
    settled(fleet);
    json_t *edited = two_views();
    json_object_set_new(json_array_get(json_object_get(edited, "views"), 1), "organ", json_string("flower"));
    put(fleet, edited);
    expect(fleet, false, "!prediction:bb:m@1 !~identification");
    assert_int_equal(settle(fleet), 2);
}

static void a_field_that_does_not_matter_makes_nothing_due(void **state) {
    struct fleet *fleet = *state;
    settled(fleet);
    json_t *edited = two_views();
    json_object_set_new(edited, "observed_at", json_string("2026-05-03T10:21:00Z"));
    json_object_set_new(edited, "_rev", json_string("9-x"));
    put(fleet, edited);
    expect(fleet, false, "");
}

static void a_view_more_leaves_the_others(void **state) {
    struct fleet *fleet = *state;
    settled(fleet);
    json_t *edited = two_views();
    json_array_insert_new(json_object_get(edited, "views"), 0,
                          json_pack("{s:s,s:s}", "image", "cc", "organ", "bark"));
    put(fleet, edited);
    put(fleet, image("cc"));
    expect(fleet, false, "normalized:cc !~identification");
    compute(fleet, 0);
    expect(fleet, false, "prediction:cc:m@1 !~identification");
}

static void the_content_of_a_presence_input_does_not_matter(void **state) {
    struct fleet *fleet = *state;
    put(fleet, two_views());
    put(fleet, image("aa"));
    compute(fleet, 0);
    const struct linnet_held_doc *normalized =
        linnet_observation_find(&fleet->observation, ULID ":normalized:aa");
    assert_int_equal(json_array_size(json_object_get(normalized->json, "inputs")), 1);
    json_t *edited = two_views();
    json_object_set_new(edited, "views", json_array());
    put(fleet, edited);
    struct linnet_plan made = plan(fleet, false);
    for (size_t i = 0; i < made.ndue; i++)
        assert_int_not_equal(made.due[i].stage, NORMALIZE);
    linnet_plan_done(&made);
}

static void an_optional_input_is_waited_for_by_nothing_and_counts_when_it_comes(void **state) {
    struct fleet *fleet = *state;
    settled(fleet);
    put(fleet, sample_doc("validation:u1", "{s:s}", "vote", "taxon"));
    expect(fleet, false, "!identification");
    assert_int_equal(settle(fleet), 1);
    linnet_observation_remove(&fleet->observation, ULID ":validation:u1");
    expect(fleet, false, "!identification");
}

/* Another fingerprint under the same ids. */
static void under_policy(struct fleet *fleet, enum linnet_policy policy, const char *change,
                         const char *backfill) {
    fleet->stages[FUSION].fingerprint = "f-fusion-2";
    fleet->stages[FUSION].policy = policy;
    expect(fleet, false, change);
    expect(fleet, true, backfill);
}

static void another_fingerprint_is_due_as_the_policy_says(void **state) {
    struct fleet *fleet = *state;
    settled(fleet);
    under_policy(fleet, LINNET_POLICY_NEW, "", "");
    under_policy(fleet, LINNET_POLICY_VIEW, "!identification", "");
    under_policy(fleet, LINNET_POLICY_BACKFILL, "!identification", "!identification");
}

static void policy_new_still_computes_what_is_missing_or_of_other_inputs(void **state) {
    struct fleet *fleet = *state;
    settled(fleet);
    fleet->stages[FUSION].fingerprint = "f-fusion-2";
    put(fleet, sample_doc("validation:u1", "{s:s}", "vote", "taxon"));
    expect(fleet, false, "!identification");
    linnet_observation_remove(&fleet->observation, ULID ":identification");
    linnet_observation_remove(&fleet->observation, ULID ":validation:u1");
    expect(fleet, false, "identification");
}

/* The model is part of a prediction's id: the new one's is missing, and yet the policy decides. */
static void another_model_is_due_as_the_policy_says(void **state) {
    struct fleet *fleet = *state;
    settled(fleet);
    snprintf(fleet->model, sizeof(fleet->model), "m@2");
    fleet->stages[CONVNET].fingerprint = "f-convnet-2";
    fleet->stages[FUSION].fingerprint = "f-fusion-2";
    fleet->stages[CONVNET].policy = fleet->stages[FUSION].policy = LINNET_POLICY_NEW;
    expect(fleet, false, "");
    expect(fleet, true, "");
    put(fleet, sample_doc("image:cc", "{}"));
    compute(fleet, 0);
    expect(fleet, false, "prediction:cc:m@2");

    fleet->stages[CONVNET].policy = LINNET_POLICY_BACKFILL;
    expect(fleet, true, "prediction:aa:m@2 prediction:bb:m@2 prediction:cc:m@2");
}

static void a_rollback_computes_nothing_but_what_was_never_computed(void **state) {
    struct fleet *fleet = *state;
    settled(fleet);
    snprintf(fleet->model, sizeof(fleet->model), "m@2");
    fleet->stages[CONVNET].fingerprint = "f-convnet-2";
    fleet->stages[FUSION].fingerprint = "f-fusion-2";
    fleet->stages[CONVNET].policy = fleet->stages[FUSION].policy = LINNET_POLICY_BACKFILL;
    assert_int_equal(settle(fleet),
                     3); /* two predictions, the identification once (the second waited) or twice */
    snprintf(fleet->model, sizeof(fleet->model), "m@1");
    fleet->stages[CONVNET].fingerprint = "f-convnet";
    struct linnet_plan made = plan(fleet, true);
    for (size_t i = 0; i < made.ndue; i++)
        assert_int_equal(made.due[i].stage, FUSION); /* no prediction again */
    linnet_plan_done(&made);
}

static void results_whose_trigger_has_gone_are_orphans(void **state) {
    struct fleet *fleet = *state;
    settled(fleet);
    linnet_observation_remove(&fleet->observation, ULID ":image:aa");
    struct linnet_plan made = plan(fleet, false);
    assert_int_equal(made.ndue, 0);
    assert_int_equal(made.norphans, 1);
    assert_string_equal(made.orphans[0].id, ULID ":normalized:aa");
    assert_string_equal(made.orphans[0].gone, ULID ":image:aa");
    linnet_plan_done(&made);

    linnet_observation_remove(&fleet->observation, ULID ":normalized:aa");
    made = plan(fleet, false);
    assert_int_equal(made.norphans, 1);
    assert_string_equal(made.orphans[0].id, ULID ":prediction:aa:m@1");
    linnet_plan_done(&made);

    linnet_observation_remove(&fleet->observation, ULID ":prediction:aa:m@1");
    expect(fleet, false, "!identification");
    assert_int_equal(settle(fleet), 1);

    linnet_observation_remove(&fleet->observation, ULID ":prediction:bb:m@1");
    made = plan(fleet, false);
    assert_int_equal(made.norphans, 1);
    assert_string_equal(made.orphans[0].id, ULID ":identification");
    assert_string_equal(made.orphans[0].gone, ULID ":prediction:bb:m@1");
    linnet_plan_done(&made);
}

static void results_of_others_are_no_orphans_and_no_reason(void **state) {
    struct fleet *fleet = *state;
    put(fleet, two_views());
    put(fleet, sample_doc("normalized:zz", "{s:{s:s},s:[]}", "stage", "name", "another", "inputs"));
    put(fleet, sample_doc("normalized:yy", "{}"));
    struct linnet_plan made = plan(fleet, false);
    assert_int_equal(made.norphans, 0);
    linnet_plan_done(&made);
}

static void a_forged_result_is_computed_again(void **state) {
    struct fleet *fleet = *state;
    put(fleet, two_views());
    put(fleet, image("aa"));
    const char *const forged[] = {
        "{}", "{\"stage\":3,\"inputs\":{}}", "{\"stage\":{\"fingerprint\":\"f-normalize\"}}",
        "{\"stage\":{\"fingerprint\":\"f-normalize\"},\"inputs\":[]}",
        "{\"stage\":{\"fingerprint\":\"f-normalize\"},\"inputs\":[{\"id\":1,\"digest\":2}]}"};
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        json_t *document = json_loads(forged[i], 0, NULL);
        json_object_set_new(document, "_id", json_string(ULID ":normalized:aa"));
        put(fleet, document);
        struct linnet_plan made = plan(fleet, false);
        assert_int_equal(made.due[0].stage, NORMALIZE);
        assert_true(made.due[0].outdated);
        linnet_plan_done(&made);
    }
}

static bool refuse_all(void *instance, const struct linnet_item *item, bool *keep) {
    (void)instance;
    (void)keep;
    for (size_t i = 0; i < item->ndocs; i++)
        assert_int_equal(item->docs[i].nblobs, 0);
    return false;
}

static int no_room(void *instance, const struct linnet_item *item, char *out, size_t size) {
    (void)instance;
    (void)item;
    memset(out, 'q', size - 1);
    out[size - 1] = '\0';
    return 0;
}

static void select_may_refuse_and_a_qualifier_may_be_too_long(void **state) {
    struct fleet *fleet = *state;
    struct linnet_plugin convnet = sample_convnet;
    put(fleet, two_views());
    put(fleet, image("aa"));
    compute(fleet, 0);
    fleet->stages[CONVNET].plugin = &convnet;
    convnet.select = refuse_all;
    expect(fleet, false, "");
    convnet.select = NULL;
    convnet.qualifier = no_room;
    expect(fleet, false, "");
    convnet.qualifier = NULL;
    expect(fleet, false, "prediction:aa");
}

static void the_unit_observation_wants_every_required_kind(void **state) {
    struct fleet *fleet = *state;
    put(fleet, sample_doc("prediction:aa:m@1", "{}"));
    expect(fleet, false, "");
    put(fleet, two_views());
    expect(fleet, false, "identification");
    snprintf(fleet->model, sizeof(fleet->model), "m@7"); /* select drops the only prediction */
    expect(fleet, false, "");
}

struct wanted_blobs {
    size_t n;
    char name[32];
};

static void note_blob(void *arg, const struct linnet_held_doc *doc, const char *name) {
    struct wanted_blobs *wanted = arg;
    assert_string_equal(doc->id, ULID ":image:aa");
    snprintf(wanted->name, sizeof(wanted->name), "%s", name);
    wanted->n++;
}

static void blobs_that_are_asked_for_and_not_held_are_missing(void **state) {
    struct fleet *fleet = *state;
    put(fleet, two_views());
    json_t *document = image("aa");
    json_object_set_new(json_object_get(document, "_attachments"), "sidecar", json_object());
    put(fleet, document);
    struct linnet_plan made = plan(fleet, false);
    struct wanted_blobs wanted = {0};
    linnet_plan_missing_blobs(&fleet->observation, &fleet->stages[NORMALIZE], &made.due[0], note_blob,
                              &wanted);
    assert_int_equal(wanted.n, 1);
    assert_string_equal(wanted.name, "original");
    struct linnet_bytes *bytes = linnet_bytes_copy("jpeg", 4);
    linnet_observation_put_blob(&fleet->observation, ULID ":image:aa", "original", "image/jpeg", bytes);
    linnet_observation_put_blob(&fleet->observation, ULID ":image:aa", "sidecar", "text/plain", bytes);
    linnet_plan_missing_blobs(&fleet->observation, &fleet->stages[NORMALIZE], &made.due[0], note_blob,
                              &wanted);
    assert_int_equal(wanted.n, 1);

    /* The work outlives the observation that it was made of. */
    struct linnet_work *work = linnet_plan_work(&fleet->observation, &fleet->stages[NORMALIZE], &made.due[0]);
    linnet_plan_done(&made);
    linnet_observation_done(&fleet->observation);
    assert_string_equal(work->item.observation, ULID);
    assert_int_equal(work->item.ndocs, 2);
    assert_string_equal(work->item.docs[0].id, ULID ":image:aa");
    assert_string_equal(work->item.docs[0].qualifier, "aa");
    assert_string_equal(work->item.docs[1].kind, "observation");
    assert_int_equal(work->item.docs[0].nblobs, 1);
    assert_memory_equal(work->item.docs[0].blobs[0].data, "jpeg", 4);
    assert_string_equal(work->qualifier, "aa");
    assert_int_equal(json_array_size(work->inputs), 1);
    assert_int_equal(bytes->references, 2);
    linnet_work_free(work);
    assert_int_equal(bytes->references, 1);
    linnet_bytes_unref(bytes);
    linnet_work_free(NULL);
}

static void a_stage_of_the_site_gets_single_documents(void **state) {
    struct fleet *fleet = *state;
    struct linnet_plugin site = sample_normalize;
    site.scope = LINNET_SCOPE_SITE;
    fleet->stages[NORMALIZE].plugin = &site;
    put(fleet, two_views());
    put(fleet, image("aa"));
    expect(fleet, false, "");

    struct linnet_work *work = NULL;
    json_t *document = image("aa");
    assert_int_equal(linnet_work_document(&site, ULID ":image:aa", document, &work), 0);
    assert_false(work->item.docs[0].deleted);
    assert_int_equal(strlen(work->item.docs[0].digest), 64);
    assert_int_equal(json_array_size(work->inputs), 1);
    linnet_work_free(work);
    json_decref(document);
    assert_int_equal(linnet_work_document(&site, ULID ":image:aa", NULL, &work), 0);
    assert_true(work->item.docs[0].deleted);
    assert_null(work->item.docs[0].json);
    assert_int_equal(json_array_size(work->inputs), 0);
    linnet_work_free(work);
    assert_int_equal(linnet_work_document(&site, ULID ":consensus", NULL, &work), LINNET_E_INVALID);
    assert_int_equal(linnet_work_document(&site, "_design/linnet", NULL, &work), LINNET_E_INVALID);
}

#define PLAN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        PLAN_TEST(nothing_is_due_for_nothing),
        PLAN_TEST(an_image_waits_for_its_observation),
        PLAN_TEST(each_output_makes_the_next_stage_due),
        PLAN_TEST(what_comes_later_in_the_graph_is_told_to_wait),
        cmocka_unit_test(any_order_of_arrival_and_work_ends_alike),
        PLAN_TEST(a_restart_recomputes_nothing),
        PLAN_TEST(a_field_that_matters_makes_its_own_view_due),
        PLAN_TEST(a_field_that_does_not_matter_makes_nothing_due),
        PLAN_TEST(a_view_more_leaves_the_others),
        PLAN_TEST(the_content_of_a_presence_input_does_not_matter),
        PLAN_TEST(an_optional_input_is_waited_for_by_nothing_and_counts_when_it_comes),
        PLAN_TEST(another_fingerprint_is_due_as_the_policy_says),
        PLAN_TEST(policy_new_still_computes_what_is_missing_or_of_other_inputs),
        PLAN_TEST(another_model_is_due_as_the_policy_says),
        PLAN_TEST(a_rollback_computes_nothing_but_what_was_never_computed),
        PLAN_TEST(results_whose_trigger_has_gone_are_orphans),
        PLAN_TEST(results_of_others_are_no_orphans_and_no_reason),
        PLAN_TEST(a_forged_result_is_computed_again),
        PLAN_TEST(select_may_refuse_and_a_qualifier_may_be_too_long),
        PLAN_TEST(the_unit_observation_wants_every_required_kind),
        PLAN_TEST(blobs_that_are_asked_for_and_not_held_are_missing),
        PLAN_TEST(a_stage_of_the_site_gets_single_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
