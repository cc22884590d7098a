/* However the votes come, with changed minds, withdrawals and epochs between: at rest the stage says what the
 * batch says, and after it is asked to settle to the last figure. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/plugins/consensus/batch.h"
#include "tests/unit/plugins/consensus/fixture.h"

enum { MOVES = 3 * BATCH_OBSERVATIONS * (BATCH_USERS + 1) };

/* One delivery: the observation's document (user -1) or a user's vote as it then was. */
struct move {
    int observation, user;
    struct batch_vote vote;
    bool exists;
};

struct play {
    struct batch_crowd crowd; /* as it is in the end */
    int author[BATCH_OBSERVATIONS];
    struct move moves[MOVES];
    size_t n;
    json_t *last[BATCH_OBSERVATIONS]; /* the last consensus of each */
    size_t seen;                      /* of what ticks told */
};

static const char *user_name(int u) {
    static const char *const names[BATCH_USERS] = {"ann", "bob", "cat", "dan", "eve", "fay", "gus", "troll"};
    return names[u];
}

static struct batch_vote random_vote(uint64_t *seed, int o, bool author) {
    uint64_t kind = random_next(seed) % 16;
    struct batch_vote vote = {.cast = true, .rejects = BATCH_NONE, .author = author};
    vote.second = (int)(random_next(seed) % 20);
    vote.label = random_next(seed) % 3 ? o % 4 : (int)(random_next(seed) % BATCH_TAXA);
    if (kind == 0) vote.label = BATCH_NOT_A_PLANT;
    if (kind == 1) vote.label = BATCH_CANNOT_TELL;
    if (kind == 2) vote.label = 5, vote.rejects = (int)(random_next(seed) % 2); /* a Rosa, but not that one */
    return vote;
}

static void add(struct play *play, struct move move) {
    assert_true(play->n < MOVES);
    play->moves[play->n++] = move;
}

static void plan(struct play *play, uint64_t *seed) {
    memset(play, 0, sizeof *play);
    for (int u = 0; u < BATCH_USERS; u++)
        play->crowd.blocked[u] = strcmp(user_name(u), "troll") == 0;
    for (int o = 0; o < BATCH_OBSERVATIONS; o++) {
        play->author[o] = (int)(random_next(seed) % BATCH_USERS);
        play->crowd.exists[o] = random_next(seed) % 10 != 0;
        add(play, (struct move){.observation = o, .user = -1, .exists = true});
        if (!play->crowd.exists[o]) add(play, (struct move){.observation = o, .user = -1});
        for (int u = 0; u < BATCH_USERS; u++) {
            bool author = u == play->author[o];
            if (random_next(seed) % 2) continue;
            if (random_next(seed) % 3 == 0) /* a mind that changes */
                add(play, (struct move){o, u, random_vote(seed, o, author), true});
            play->crowd.votes[o][u] = random_vote(seed, o, author);
            play->crowd.votes[o][u].cast = random_next(seed) % 6 != 0; /* withdrawn in the end */
            add(play, (struct move){o, u, play->crowd.votes[o][u], true});
        }
    }
}

/* In random order, but each document's own revisions as they were made. */
static void shuffle(struct play *play, uint64_t *seed) {
    struct move mixed[MOVES];
    memcpy(mixed, play->moves, sizeof mixed);
    for (size_t i = play->n; i-- > 1;) {
        size_t j = random_next(seed) % (i + 1);
        struct move kept = mixed[i];
        mixed[i] = mixed[j];
        mixed[j] = kept;
    }
    bool used[MOVES] = {false};
    for (size_t i = 0; i < play->n; i++)
        for (size_t j = 0; j < play->n; j++) {
            const struct move *move = &play->moves[j];
            if (used[j] || move->observation != mixed[i].observation || move->user != mixed[i].user) continue;
            used[j] = true;
            mixed[i] = *move;
            break;
        }
    memcpy(play->moves, mixed, sizeof mixed);
}

static json_t *vote_document(const char *obs, const struct move *move) {
    const struct batch_vote *cast = &move->vote;
    const char *voted = cast->label >= 0                   ? batch_taxa[cast->label]
                        : cast->label == BATCH_NOT_A_PLANT ? "not-a-plant"
                                                           : "cannot-tell";
    if (cast->rejects < 0) return vote(obs, user_name(move->user), voted, cast->second);
    return disagreement(obs, user_name(move->user), voted, batch_taxa[cast->rejects], cast->second);
}

static void note(struct play *play, int o, json_t *consensus) {
    json_decref(play->last[o]);
    play->last[o] = consensus;
}

/* What epochs told since the last look. */
static void note_told(struct play *play, struct fake_host *host) {
    size_t n;
    const struct fake_output *outputs = fake_host_outputs(host, &n);
    for (; play->seen < n; play->seen++)
        if (strcmp(outputs[play->seen].kind, "consensus") == 0)
            note(play, atoi(outputs[play->seen].observation + 21), json_incref(outputs[play->seen].document));
}

static void deliver(struct play *play, struct fake_host *host, const struct move *move) {
    char obs[27], id[96];
    obs_id(move->observation, obs);
    bool gone = move->user < 0 ? !move->exists : !move->vote.cast;
    if (move->user < 0)
        snprintf(id, sizeof id, "%s:observation", obs);
    else
        snprintf(id, sizeof id, "%s:validation:%s", obs, user_name(move->user));
    json_t *consensus =
        gone             ? give_tombstone(host, obs, id)
        : move->user < 0 ? give(host, obs, observation(obs, user_name(play->author[move->observation]), NULL))
                         : give(host, obs, vote_document(obs, move));
    if (consensus || (gone && move->user < 0)) note(play, move->observation, consensus);
}

static void compare(const struct play *play, double tolerance) {
    struct batch_answer answers[BATCH_OBSERVATIONS];
    struct batch_skill skills[BATCH_USERS];
    batch_solve(&play->crowd, answers, skills);
    for (int o = 0; o < BATCH_OBSERVATIONS; o++) {
        const json_t *last = play->last[o];
        if (!play->crowd.exists[o]) {
            assert_null(last);
            continue;
        }
        assert_non_null(last);
        const char *taxon = text(last, "taxon");
        if (answers[o].label >= 0)
            assert_string_equal(taxon, batch_taxa[answers[o].label]);
        else
            assert_null(taxon);
        assert_int_equal(truth(last, "not_a_plant"), answers[o].label == BATCH_NOT_A_PLANT);
        assert_int_equal(truth(last, "valid"), answers[o].valid);
        assert_float_equal(figure(last, "confidence"), answers[o].confidence, tolerance + 5.1e-5);
        assert_float_equal(figure(last, "accuracy"), answers[o].accuracy, tolerance + 5.1e-5);
    }
}

/* Everything that every vote weighs, and every skill document. */
static void compare_weights(const struct play *play, struct fake_host *host) {
    struct batch_answer answers[BATCH_OBSERVATIONS];
    struct batch_skill skills[BATCH_USERS];
    batch_solve(&play->crowd, answers, skills);
    for (int o = 0; o < BATCH_OBSERVATIONS; o++) {
        size_t i;
        json_t *entry;
        json_array_foreach(json_object_get(play->last[o], "votes"), i, entry) {
            int u = 0;
            while (strcmp(user_name(u), text(entry, "user")) != 0)
                u++;
            double weight = play->crowd.blocked[u] ? 0 : skills[u].weight;
            assert_float_equal(figure(entry, "weight"), weight, 5.1e-5);
        }
    }
    for (int u = 0; u < BATCH_USERS; u++) {
        const json_t *skill = told(host, "skill", user_name(u), NULL);
        assert_int_equal(figure(skill, "n_author"), skills[u].n_author);
        assert_int_equal(figure(skill, "n_vote"), skills[u].n_vote);
        if (skill) assert_float_equal(figure(skill, "weight"), skills[u].weight, 5.1e-5);
    }
}

static void play_out(struct play *play, struct fake_host *host, uint64_t *seed) {
    for (size_t i = 0; i < play->n; i++) {
        deliver(play, host, &play->moves[i]);
        if (random_next(seed) % 12) continue;
        pass(host, (int64_t)(random_next(seed) % 5000)); /* an epoch, or a part of one */
        note_told(play, host);
    }
}

static void any_order(json_t *config, uint64_t seed, int crowds) {
    for (int c = 0; c < crowds; c++) {
        static struct play play;
        plan(&play, &seed);
        shuffle(&play, &seed);
        struct fake_host *host = host_with(json_incref(config), NULL);
        play_out(&play, host, &seed);
        come_to_rest(host);
        note_told(&play, host);
        compare(&play, 0.02);
        settle(host);
        note_told(&play, host);
        compare(&play, 0);
        compare_weights(&play, host);
        for (int o = 0; o < BATCH_OBSERVATIONS; o++)
            json_decref(play.last[o]);
        fake_host_free(host);
    }
    json_decref(config);
}

static void votes_in_any_order_come_to_the_batch_answer(void **state) {
    (void)state;
    any_order(json_object(), 20261128, 120);
}

static void so_they_do_when_epochs_are_solved_beside_the_votes(void **state) {
    (void)state;
    any_order(json_pack("{s:i, s:i}", "thread_votes", 0, "threads", 2), 4711, 60);
}

/* ann shows to know a, b, c on own valid observations: f(3) = 3^.5 - 3^.2 + ln 2.1 = 1.2283. What she said
 * of another observation, and nobody else, moves from 0.7419: an epoch tells it again. Where a figure moves
 * less than the tolerance nothing is written until it is asked for. */
static void an_epoch_tells_again_only_what_moved(void **state) {
    (void)state;
    struct fake_host *host = host_with(json_pack("{s:f}", "tolerance", 0.5), NULL);
    static const char *const species[] = {"taxon:a", "taxon:b", "taxon:c"};
    char obs[27];
    for (int i = 0; i < 3; i++) {
        obs_id(i + 1, obs); /* 0 is OBS */
        json_decref(give(host, obs, observation(obs, "ann", species[i])));
        json_decref(give(host, obs, vote(obs, "bob", species[i], 1)));
        json_decref(give(host, obs, vote(obs, "cat", species[i], 2)));
    }
    json_decref(give(host, OBS, observation(OBS, "dan", NULL)));
    json_t *consensus = give(host, OBS, vote(OBS, "ann", "taxon:d", 1));
    assert_float_equal(figure(consensus, "confidence"), 0.7419, 1e-4);
    json_decref(consensus);
    come_to_rest(host);
    assert_null(told(host, "consensus", OBS, NULL)); /* .4864 is less than the tolerance */
    assert_float_equal(figure(told(host, "skill", "ann", NULL), "weight"), 1.2283, 1e-4);
    settle(host);
    assert_float_equal(figure(told(host, "consensus", OBS, NULL), "confidence"), 1.2283, 1e-4);
    fake_host_forget(host);
    settle(host);
    assert_null(told(host, "consensus", OBS, NULL)); /* nothing is told twice */
    assert_null(told(host, "skill", "ann", NULL));
    fake_host_free(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(votes_in_any_order_come_to_the_batch_answer),
        cmocka_unit_test(so_they_do_when_epochs_are_solved_beside_the_votes),
        cmocka_unit_test(an_epoch_tells_again_only_what_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
