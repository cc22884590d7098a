/* The consensus stage against examples worked out by hand, a naive solver, and the order of arrival. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/plugins/fake_host.h"

#define OBS "01JD0000000000000000000000"

static void obs_id(int i, char out[27]) {
    snprintf(out, 27, "01JD00000000000000000%05d", i);
}

static void taxon(struct fake_host *host, const char *id, const char *name, const char *rank,
                  const char *parent, const char *accepted) {
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s*}", "_id", id, "kind", "taxon", "scientificName", name,
                  "taxonRank", rank, "parentNameUsageID", parent, "acceptedNameUsageID", accepted);
    assert_non_null(json);
    fake_host_reference(host, json);
}

static struct fake_host *host_with(json_t *config, const char *state) {
    struct fake_host *host = fake_host_load(PLUGIN_PATH);
    taxon(host, "taxon:f", "Rosaceae", "family", NULL, NULL);
    taxon(host, "taxon:g", "Rosa", "genus", "taxon:f", NULL);
    taxon(host, "taxon:a", "Rosa alba", "species", "taxon:g", NULL);
    taxon(host, "taxon:b", "Rosa bella", "species", "taxon:g", NULL);
    taxon(host, "taxon:old", "Rosa antiqua", "species", "taxon:g", "taxon:a");
    char id[16], name[32];
    for (int i = 0; i < 30; i++) {
        snprintf(id, sizeof id, "taxon:s%d", i);
        snprintf(name, sizeof name, "Rosa s%d", i);
        taxon(host, id, name, "species", "taxon:g", NULL);
    }
    fake_host_reference(
        host, json_pack("{s:s, s:s, s:b}", "_id", "reviewer:troll", "kind", "reviewer", "blocked", 1));
    if (state) fake_host_state_dir(host, state);
    assert_int_equal(fake_host_open(host, config), 0);
    return host;
}

/* Send one document; returns the consensus that it led to (borrowed from *kept), or NULL. */
static json_t *send_doc(struct fake_host *host, const char *obs, json_t *document, struct fake_item **kept) {
    struct fake_item *item = fake_item_new(obs);
    fake_item_doc(item, document);
    assert_int_equal(fake_host_process(host, item), 0);
    *kept = item;
    return item->noutputs ? item->outputs[0].document : NULL;
}

static json_t *observation(const char *obs, const char *observer, const char *proposed) {
    char id[64];
    snprintf(id, sizeof id, "%s:observation", obs);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:f, s:f}, s:s*}", "_id", id, "kind", "observation",
                     "observer", observer, "created_at", "2026-05-01T10:00:00Z", "observed_at",
                     "2026-05-01T09:00:00Z", "location", "decimalLatitude", 43.6, "decimalLongitude", 3.8,
                     "proposed_taxon", proposed);
}

static json_t *vote(const char *obs, const char *user, const char *voted, int second) {
    char id[96], at[32];
    snprintf(id, sizeof id, "%s:validation:%s", obs, user);
    snprintf(at, sizeof at, "2026-05-02T10:%02d:%02dZ", second / 60, second % 60);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "_id", id, "kind", "validation", "user", user,
                     "created_at", at, "vote", strncmp(voted, "taxon:", 6) == 0 ? "taxon" : voted, "taxon",
                     strncmp(voted, "taxon:", 6) == 0 ? voted : NULL);
}

/* The last consensus after all of `documents` (taken), for OBS. New reference. */
static json_t *after(struct fake_host *host, json_t **documents, size_t n) {
    json_t *last = NULL;
    for (size_t i = 0; i < n; i++) {
        struct fake_item *item;
        json_t *consensus = send_doc(host, OBS, documents[i], &item);
        assert_int_equal(item->verdict, LINNET_OK);
        if (consensus) {
            json_decref(last);
            last = json_incref(consensus);
        }
        fake_item_free(item);
    }
    return last;
}

static double figure(const json_t *json, const char *key) {
    return json_number_value(json_object_get(json, key));
}

static const char *text(const json_t *json, const char *key) {
    return json_string_value(json_object_get(json, key));
}

/* Three newcomers weigh 3 ln 2.1 = 2.2258 >= 2; against one who disagrees the share is 3/4 >= 0.7: valid.
 * With only two for it, 1.4839 < 2: not valid though all agree. */
static void three_newcomers_validate_and_two_do_not(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *two[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:a", 1),
                     vote(OBS, "cat", "taxon:a", 2)};
    json_t *consensus = after(host, two, 3);
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_float_equal(figure(consensus, "confidence"), 1.4839, 1e-4);
    assert_float_equal(figure(consensus, "accuracy"), 1, 1e-9);
    assert_false(json_is_true(json_object_get(consensus, "valid")));
    assert_string_equal(text(consensus, "grade"), "needs_review");
    json_decref(consensus);
    json_t *more[] = {vote(OBS, "dan", "taxon:b", 3), vote(OBS, "eve", "taxon:a", 4)};
    consensus = after(host, more, 2);
    assert_float_equal(figure(consensus, "confidence"), 2.2258, 1e-4);
    assert_float_equal(figure(consensus, "accuracy"), 0.75, 1e-4);
    assert_true(json_is_true(json_object_get(consensus, "valid")));
    assert_string_equal(text(consensus, "grade"), "research");
    assert_int_equal(json_array_size(json_object_get(consensus, "votes")), 4);
    json_decref(consensus);
    fake_host_free(host);
}

static void a_synonym_counts_for_its_accepted_name(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *documents[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:old", 1),
                           vote(OBS, "cat", "taxon:a", 2)};
    json_t *consensus = after(host, documents, 3);
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_float_equal(figure(consensus, "confidence"), 1.4839, 1e-4);
    json_decref(consensus);
    fake_host_free(host);
}

/* A vote for the genus neither adds to the species nor counts against it. */
static void a_genus_vote_is_neutral_to_its_species(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *documents[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:g", 1),
                           vote(OBS, "cat", "taxon:a", 2)};
    json_t *consensus = after(host, documents, 3);
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_float_equal(figure(consensus, "confidence"), 0.7419, 1e-4);
    assert_float_equal(figure(consensus, "accuracy"), 1, 1e-9);
    json_decref(consensus);
    fake_host_free(host);
}

static void a_tie_goes_to_what_was_voted_first(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *documents[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:b", 9),
                           vote(OBS, "cat", "taxon:a", 2)};
    json_t *consensus = after(host, documents, 3);
    assert_string_equal(text(consensus, "taxon"), "taxon:b"); /* present label among the tied */
    json_decref(consensus);
    fake_host_set_now(host, 1000000);
    assert_int_equal(fake_host_tick(host), 0); /* solved from the start: first by time */
    size_t n;
    const struct fake_output *outputs = fake_host_outputs(host, &n);
    assert_true(n >= 1);
    assert_string_equal(text(outputs[0].document, "taxon"), "taxon:a");
    fake_host_free(host);
}

static void the_authors_proposal_is_a_vote_until_the_author_validates(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *first[] = {observation(OBS, "ann", "taxon:b")};
    json_t *consensus = after(host, first, 1);
    assert_string_equal(text(consensus, "taxon"), "taxon:b");
    json_decref(consensus);
    json_t *second[] = {vote(OBS, "ann", "taxon:a", 1)};
    consensus = after(host, second, 1);
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_int_equal(json_array_size(json_object_get(consensus, "votes")), 1);
    json_decref(consensus);
    struct fake_item *item = fake_item_new(OBS);
    fake_item_tombstone(item, OBS ":validation:ann");
    assert_int_equal(fake_host_process(host, item), 0);
    assert_string_equal(text(item->outputs[0].document, "taxon"), "taxon:b");
    fake_item_free(item);
    fake_host_free(host);
}

static void a_blocked_user_weighs_nothing(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *documents[] = {observation(OBS, "ann", NULL), vote(OBS, "troll", "taxon:b", 1),
                           vote(OBS, "bob", "taxon:a", 2)};
    json_decref(after(host, documents, 3));
    fake_host_set_now(host, 1000000);
    assert_int_equal(fake_host_tick(host), 0);
    size_t n;
    const struct fake_output *outputs = fake_host_outputs(host, &n);
    assert_true(n >= 1);
    assert_string_equal(text(outputs[0].document, "taxon"), "taxon:a");
    assert_float_equal(figure(outputs[0].document, "accuracy"), 1, 1e-9);
    fake_host_free(host);
}

static json_t *identified(const char *obs, const char *as, double score) {
    char id[64];
    snprintf(id, sizeof id, "%s:identification", obs);
    return json_pack("{s:s, s:s, s:s, s:[{s:s, s:f}], s:s}", "_id", id, "kind", "identification", "model",
                     "m@1", "species", "taxon", as, "score", score, "digest",
                     "00000000000000000000000000000000000000000000000000000000000000aa");
}

static void a_sure_machine_takes_validity_away_and_never_gives_it(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *documents[] = {observation(OBS, "ann", NULL), vote(OBS, "bob", "taxon:a", 1),
                           vote(OBS, "cat", "taxon:a", 2), vote(OBS, "dan", "taxon:a", 3),
                           identified(OBS, "taxon:b", 0.9)};
    json_t *consensus = after(host, documents, 5);
    assert_string_equal(text(consensus, "taxon"), "taxon:a");
    assert_false(json_is_true(json_object_get(consensus, "valid")));
    assert_string_equal(text(json_object_get(consensus, "machine"), "effect"), "invalidated");
    json_decref(consensus);
    json_t *again[] = {identified(OBS, "taxon:b", 0.69)};
    consensus = after(host, again, 1);
    assert_true(json_is_true(json_object_get(consensus, "valid")));
    json_decref(consensus);
    fake_host_free(host);
}

static void a_deleted_observation_takes_its_consensus_along(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    json_t *documents[] = {observation(OBS, "ann", "taxon:a")};
    json_decref(after(host, documents, 1));
    struct fake_item *item = fake_item_new(OBS);
    fake_item_tombstone(item, OBS ":observation");
    assert_int_equal(fake_host_process(host, item), 0);
    assert_int_equal(item->noutputs, 1);
    assert_null(item->outputs[0].document);
    assert_string_equal(item->outputs[0].kind, "consensus");
    fake_item_free(item);
    fake_host_free(host);
}

static void a_vote_that_says_nothing_is_rejected_with_words(void **state) {
    (void)state;
    struct fake_host *host = host_with(NULL, NULL);
    struct fake_item *item;
    send_doc(
        host, OBS,
        json_pack("{s:s, s:s, s:s}", "_id", OBS ":validation:bob", "kind", "validation", "vote", "perhaps"),
        &item);
    assert_int_equal(item->verdict, LINNET_REJECT);
    assert_non_null(strstr(item->reason, "not-a-plant"));
    fake_item_free(item);
    fake_host_free(host);
}

/* ---- against a naive solver, on random small crowds ---- */

enum { USERS = 7, OBSERVATIONS = 12, SPECIES = 5 };

struct small {
    int author[OBSERVATIONS];
    int votes[OBSERVATIONS][USERS]; /* species, -1 none */
    int second[OBSERVATIONS][USERS];
};

/* The paper's algorithm as written, over the whole table each time. */
static void naive(const struct small *c, double weights[USERS], int labels[OBSERVATIONS],
                  double conf[OBSERVATIONS], double acc[OBSERVATIONS]) {
    bool valid[OBSERVATIONS], had[OBSERVATIONS] = {false};
    for (int u = 0; u < USERS; u++)
        weights[u] = log(2.1);
    for (int round = 0; round <= 100; round++) {
        bool changed = false;
        for (int o = 0; o < OBSERVATIONS; o++) {
            double sums[SPECIES] = {0}, all = 0, best = 0;
            int first[SPECIES], chosen = -1;
            for (int s = 0; s < SPECIES; s++)
                first[s] = 1 << 30;
            for (int u = 0; u < USERS; u++) {
                int s = c->votes[o][u];
                if (s < 0) continue;
                sums[s] += weights[u];
                all += weights[u];
                int when = c->second[o][u] * USERS + u;
                if (when < first[s]) first[s] = when;
            }
            for (int s = 0; s < SPECIES; s++)
                best = sums[s] > best ? sums[s] : best;
            for (int s = 0; s < SPECIES; s++)
                if (all > 0 && sums[s] > best - 1e-9 && (chosen < 0 || first[s] < first[chosen])) chosen = s;
            if (had[o] && labels[o] >= 0 && sums[labels[o]] > best - 1e-9) chosen = labels[o];
            changed |= !had[o] || chosen != labels[o];
            had[o] = true;
            labels[o] = chosen;
            conf[o] = chosen < 0 ? 0 : sums[chosen];
            acc[o] = chosen < 0 ? 0 : sums[chosen] / all;
            valid[o] = acc[o] >= 0.7 && conf[o] >= 2;
        }
        for (int u = 0; u < USERS; u++) {
            int n_author = 0, n_vote = 0;
            for (int s = 0; s < SPECIES; s++) {
                bool as_author = false, as_voter = false;
                for (int o = 0; o < OBSERVATIONS; o++) {
                    if (c->votes[o][u] != s || labels[o] != s) continue;
                    if (c->author[o] == u)
                        as_author |= valid[o];
                    else
                        as_voter = true;
                }
                if (as_author)
                    n_author++;
                else if (as_voter)
                    n_vote++;
            }
            double n = nearbyint(n_author + n_vote / 10.0);
            double weight = n > 0 ? sqrt(n) - pow(n, 0.2) + log(2.1) : log(2.1);
            changed |= weight != weights[u];
            weights[u] = weight;
        }
        if (!changed) return;
    }
}

static uint64_t random_next(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void make_crowd(struct small *c, uint64_t *seed) {
    for (int o = 0; o < OBSERVATIONS; o++) {
        c->author[o] = (int)(random_next(seed) % USERS);
        for (int u = 0; u < USERS; u++) {
            bool votes = u == c->author[o] || random_next(seed) % 2;
            c->votes[o][u] =
                votes ? (random_next(seed) % 3 ? o % SPECIES : (int)(random_next(seed) % SPECIES)) : -1;
            c->second[o][u] = (int)(random_next(seed) % 50);
        }
    }
}

/* Send the crowd's documents in a random order, let it settle, and give back the last consensus of each
 * observation. */
static void play(struct fake_host *host, const struct small *c, uint64_t *seed,
                 json_t *answers[OBSERVATIONS]) {
    struct {
        int o, u;
    } order[OBSERVATIONS * (USERS + 1)];
    size_t n = 0;
    for (int o = 0; o < OBSERVATIONS; o++)
        for (int u = -1; u < USERS; u++)
            if (u < 0 || c->votes[o][u] >= 0) order[n].o = o, order[n++].u = u;
    for (size_t i = n; i-- > 1;) {
        size_t j = random_next(seed) % (i + 1);
        int o = order[i].o, u = order[i].u;
        order[i] = order[j];
        order[j].o = o, order[j].u = u;
    }
    for (size_t i = 0; i < n; i++) {
        char obs[27], user[16], species[24];
        obs_id(order[i].o, obs);
        struct fake_item *item;
        json_t *document;
        if (order[i].u < 0) {
            snprintf(user, sizeof user, "u%d", c->author[order[i].o]);
            document = observation(obs, user, NULL);
        } else {
            snprintf(user, sizeof user, "u%d", order[i].u);
            snprintf(species, sizeof species, "taxon:s%d", c->votes[order[i].o][order[i].u]);
            document = vote(obs, user, species, c->second[order[i].o][order[i].u]);
        }
        json_t *consensus = send_doc(host, obs, document, &item);
        if (consensus) {
            json_decref(answers[order[i].o]);
            answers[order[i].o] = json_incref(consensus);
        }
        fake_item_free(item);
    }
    fake_host_set_now(host, 1000000);
    assert_int_equal(fake_host_tick(host), 0);
    const struct fake_output *outputs = fake_host_outputs(host, &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(outputs[i].kind, "consensus") != 0) continue;
        int o = atoi(outputs[i].observation + 21);
        json_decref(answers[o]);
        answers[o] = json_incref(outputs[i].document);
    }
}

static void random_crowds_settle_as_the_naive_solver_says_in_any_order(void **state) {
    (void)state;
    uint64_t seed = 20261123;
    for (int crowd = 0; crowd < 300; crowd++) {
        struct small c;
        double weights[USERS], conf[OBSERVATIONS], acc[OBSERVATIONS];
        int labels[OBSERVATIONS];
        make_crowd(&c, &seed);
        naive(&c, weights, labels, conf, acc);
        struct fake_host *host = host_with(NULL, NULL);
        json_t *answers[OBSERVATIONS] = {NULL};
        play(host, &c, &seed, answers);
        for (int o = 0; o < OBSERVATIONS; o++) {
            char expected[24];
            snprintf(expected, sizeof expected, "taxon:s%d", labels[o]);
            assert_string_equal(text(answers[o], "taxon"), expected);
            assert_float_equal(figure(answers[o], "confidence"), conf[o], 1e-4);
            assert_float_equal(figure(answers[o], "accuracy"), acc[o], 1e-4);
            json_decref(answers[o]);
        }
        fake_host_free(host);
    }
}

/* ---- state ---- */

static void a_restart_keeps_votes_weights_and_position(void **state) {
    (void)state;
    char folder[] = "/tmp/linnet-consensus-XXXXXX";
    assert_non_null(mkdtemp(folder));
    struct fake_host *host = host_with(NULL, folder);
    free(fake_host_restore(host));
    json_t *documents[] = {observation(OBS, "ann", "taxon:b"), vote(OBS, "bob", "taxon:a", 1),
                           vote(OBS, "cat", "taxon:a", 2)};
    json_decref(after(host, documents, 3));
    assert_int_equal(fake_host_snapshot(host, "42-xyz"), 0);
    fake_host_free(host);

    host = host_with(NULL, folder);
    char *position = fake_host_restore(host);
    assert_string_equal(position, "42-xyz");
    free(position);
    json_t *one[] = {vote(OBS, "dan", "taxon:a", 3)};
    json_t *consensus = after(host, one, 1);
    assert_int_equal(json_array_size(json_object_get(consensus, "votes")), 4);
    assert_float_equal(figure(consensus, "confidence"), 2.2258, 1e-4);
    json_decref(consensus);
    fake_host_free(host);
    char path[128];
    snprintf(path, sizeof path, "%s/crowd.jsonl", folder);
    assert_int_equal(truncate(path, 100), 0);
    host = host_with(NULL, folder); /* damaged: said, thrown away, from the beginning */
    position = fake_host_restore(host);
    assert_string_equal(position, "");
    assert_true(fake_host_logged(host, "built again"));
    free(position);
    fake_host_free(host);
    unlink(path);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_newcomers_validate_and_two_do_not),
        cmocka_unit_test(a_synonym_counts_for_its_accepted_name),
        cmocka_unit_test(a_genus_vote_is_neutral_to_its_species),
        cmocka_unit_test(a_tie_goes_to_what_was_voted_first),
        cmocka_unit_test(the_authors_proposal_is_a_vote_until_the_author_validates),
        cmocka_unit_test(a_blocked_user_weighs_nothing),
        cmocka_unit_test(a_sure_machine_takes_validity_away_and_never_gives_it),
        cmocka_unit_test(a_deleted_observation_takes_its_consensus_along),
        cmocka_unit_test(a_vote_that_says_nothing_is_rejected_with_words),
        cmocka_unit_test(random_crowds_settle_as_the_naive_solver_says_in_any_order),
        cmocka_unit_test(a_restart_keeps_votes_weights_and_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
