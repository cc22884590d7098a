/* Leases: members joining, leaving, dying, freezing, and who may write meanwhile.
 *
 * Each member has a loop of its own in this one thread. A member that is not turned is frozen, as by SIGSTOP:
 * nothing of it runs, its sockets fill up, and when it is turned again it finds the world changed. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "tests/unit/worker/store.h"
#include "workers/worker/members.h"
#include "workers/worker/shares.h"

/* Of the leases, in ms: TERM, or more where it takes the store and this program long to write all shares once
 * (a sanitizer, a busy machine). A round that takes a good part of the term loses leases, rightly, which is
 * not what is tried here. */
#define TERM          900
#define ROUNDS_A_TERM 6
static unsigned term = TERM;

struct member {
    uv_loop_t loop;
    struct linnet_couch *couch;
    struct linnet_members *members;
    struct linnet_shares *shares;
    char id[32];
    bool standby, started, closed, left;
    bool held[LINNET_SHARES]; /* what a flow would believe it owns */
    bool site;
    uint64_t generation;
    char checkpoint[32];                 /* what the flow answers */
    char gained_from[LINNET_SHARES][64]; /* checkpoints that came with the shares */
    int gains, losses, releases;
};

static struct member *turned[4]; /* those that are alive */

/* ---- a member's flow, as far as the leases see it ---- */

static void on_gained(void *arg, const struct linnet_flow_gain *gains, size_t n) {
    struct member *member = arg;
    for (size_t i = 0; i < n; i++) {
        assert_false(member->held[gains[i].share]);
        member->held[gains[i].share] = true;
        member->gains++;
        snprintf(member->gained_from[gains[i].share], 64, "%s",
                 gains[i].checkpoint ? gains[i].checkpoint : "");
    }
}

static void on_lost(void *arg, unsigned share) {
    struct member *member = arg;
    member->held[share] = false;
    member->losses++;
}

static void on_release(void *arg, unsigned share) {
    struct member *member = arg;
    member->releases++;
    linnet_shares_released(member->shares, share);
}

static const char *on_checkpoint(void *arg, int share) {
    struct member *member = arg;
    (void)share;
    return member->checkpoint[0] != '\0' ? member->checkpoint : NULL;
}

static void on_site_gained(void *arg, uint64_t generation) {
    struct member *member = arg;
    member->site = true;
    member->generation = generation;
}

static void on_site_lost(void *arg) {
    ((struct member *)arg)->site = false;
}

static json_t *describe(void *arg) {
    return json_pack("{s:{s:{s:b}}}", "groups", "images", "standby", (int)((struct member *)arg)->standby);
}

static void on_round(void *arg) {
    struct member *member = arg;
    if (!member->started) linnet_shares_round(member->shares);
    member->started = true;
}

/* ---- members ---- */

static struct member *join_as(const char *id, const char *session, const char *identity) {
    struct member *member = calloc(1, sizeof *member);
    struct linnet_error err;
    snprintf(member->id, sizeof member->id, "%s", id);
    uv_loop_init(&member->loop);
    struct linnet_couch_options couch = {.url = store_url(), .prefix = store_prefix()};
    assert_int_equal(linnet_couch_open(&member->loop, &couch, &member->couch, &err), 0);
    struct linnet_members_options members = {.loop = &member->loop,
                                             .couch = member->couch,
                                             .id = id,
                                             .term_ms = term,
                                             .describe = describe,
                                             .round = on_round,
                                             .arg = member};
    assert_int_equal(linnet_members_open(&members, &member->members), 0);
    struct linnet_shares_options shares = {
        .loop = &member->loop,
        .couch = member->couch,
        .members = member->members,
        .group = "images",
        .worker = id,
        .session = session,
        .identity = identity,
        .term_ms = term,
        .needs_shares = true,
        .needs_site = true,
        .events = {on_gained, on_lost, on_release, on_checkpoint, on_site_gained, on_site_lost},
        .arg = member};
    assert_int_equal(linnet_shares_open(&shares, &member->shares), 0);
    for (size_t i = 0; i < 4; i++) {
        if (turned[i] != NULL) continue;
        turned[i] = member;
        return member;
    }
    fail_msg("too many members");
    return NULL;
}

static struct member *join(const char *id) {
    return join_as(id, id, "this");
}

static void freeze(struct member *member) {
    for (size_t i = 0; i < 4; i++)
        if (turned[i] == member) turned[i] = NULL;
}

static void thaw(struct member *member) {
    for (size_t i = 0; i < 4; i++) {
        if (turned[i] != NULL) continue;
        turned[i] = member;
        return;
    }
}

static unsigned held(const struct member *member) {
    unsigned n = 0;
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        n += member->held[i];
    return n;
}

/* What must hold at every moment: no two may write the same. Frozen members count. */
static void check_exclusive(struct member *const *all, size_t n) {
    for (int share = LINNET_SHARE_SITE; share < LINNET_SHARES; share++) {
        unsigned writers = 0;
        for (size_t i = 0; i < n; i++)
            writers += all[i]->shares != NULL && linnet_shares_may_write(all[i]->shares, share);
        if (writers > 1) fail_msg("%u may write share %d", writers, share);
    }
}

/* Turn all that are alive until `condition` holds, at most `ms` (with leases of TERM). */
#define until(condition, ms, ...)                                                                            \
    do {                                                                                                     \
        struct member *all_[] = {__VA_ARGS__};                                                               \
        int64_t end_ = linnet_time_monotonic() + (int64_t)(ms)*term / TERM;                                  \
        while (!(condition)) {                                                                               \
            if (linnet_time_monotonic() > end_)                                                              \
                fail_msg("not within %d ms: %s", (int)(ms)*term / TERM, #condition);                         \
            turn();                                                                                          \
            check_exclusive(all_, sizeof all_ / sizeof *all_);                                               \
        }                                                                                                    \
    } while (0)

static void on_wake(uv_timer_t *timer) {
    (void)timer;
}

/* One turn of each loop that is alive; waits for the first event of any by poll(2) on their backends. */
static void turn(void) {
    for (size_t i = 0; i < 4; i++) {
        if (turned[i] == NULL) continue;
        uv_timer_t wake;
        uv_timer_init(&turned[i]->loop, &wake);
        uv_timer_start(&wake, on_wake, 2, 0); /* bounds the wait: the other loops want their turn */
        uv_run(&turned[i]->loop, UV_RUN_ONCE);
        uv_close((uv_handle_t *)&wake, NULL);
        uv_run(&turned[i]->loop, UV_RUN_NOWAIT);
    }
}

static void on_closed(void *arg) {
    ((struct member *)arg)->closed = true;
}

static void on_left(void *arg) {
    ((struct member *)arg)->left = true;
}

/* As by kill -9: nothing is given back. */
static void die(struct member *member) {
    if (member == NULL) return;
    freeze(member);
    linnet_shares_close(member->shares, NULL, NULL);
    linnet_members_close(member->members, NULL, NULL);
    linnet_couch_close(member->couch, on_closed, member);
    while (!member->closed)
        uv_run(&member->loop, UV_RUN_ONCE);
    uv_run(&member->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&member->loop), 0);
    free(member);
}

static void leave(struct member *member, struct member *other) {
    linnet_shares_hold(member->shares);
    linnet_shares_leave(member->shares, on_left, member);
    if (other != NULL)
        until(member->left, 5000, member, other);
    else
        until(member->left, 5000, member);
    member->left = false;
    linnet_members_leave(member->members, on_left, member);
    if (other != NULL)
        until(member->left, 5000, member, other);
    else
        until(member->left, 5000, member);
    assert_int_equal(held(member), 0);
    die(member);
}

static int fresh(void **state) {
    (void)state;
    memset(turned, 0, sizeof turned);
    store_fresh();
    return 0;
}

static int measure(void **state) {
    fresh(state);
    term = 20 * TERM;
    struct member *a = join("a");
    int64_t begin = linnet_time_monotonic();
    until(held(a) == LINNET_SHARES && a->site, 5000, a);
    int64_t round = linnet_time_monotonic() - begin;
    die(a);
    term = round * ROUNDS_A_TERM > TERM ? (unsigned)round * ROUNDS_A_TERM : TERM;
    return 0;
}

/* ---- the tests ---- */

static void the_first_member_takes_everything(void **state) {
    (void)state;
    struct member *a = join("a");
    until(held(a) == LINNET_SHARES && a->site, 5000, a);
    assert_int_equal(a->gains, LINNET_SHARES);
    json_t *document = store_get(LINNET_DB_OPS, "share:images:07");
    assert_string_equal(linnet_json_string(document, "owner", ""), "a");
    assert_int_equal(linnet_json_integer(document, "generation", 0), 1);
    json_decref(document);
    die(a);
}

static void a_second_member_gets_its_half(void **state) {
    (void)state;
    struct member *a = join("a");
    until(held(a) == LINNET_SHARES, 5000, a);
    struct member *b = join("b");
    until(held(a) == LINNET_SHARES / 2 && held(b) == LINNET_SHARES / 2, 10000, a, b);
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        assert_true(a->held[i] != b->held[i]);
    assert_int_equal(a->releases, LINNET_SHARES / 2); /* asked first, never torn away */
    assert_true(a->site != b->site);
    die(a);
    die(b);
}

static void two_who_start_at_once_share(void **state) {
    (void)state;
    struct member *a = join("a"), *b = join("b");
    until(held(a) == LINNET_SHARES / 2 && held(b) == LINNET_SHARES / 2 && (a->site || b->site), 10000, a, b);
    die(a);
    die(b);
}

static void who_leaves_gives_back_at_once(void **state) {
    (void)state;
    struct member *a = join("a");
    until(held(a) == LINNET_SHARES, 5000, a);
    snprintf(a->checkpoint, sizeof a->checkpoint, "17-abc");
    leave(a, NULL);
    json_t *document = store_get(LINNET_DB_OPS, "share:images:63");
    assert_true(json_is_null(json_object_get(document, "owner")));
    assert_string_equal(linnet_json_string(document, "checkpoint", ""), "17-abc");
    json_decref(document);
    struct member *b = join("b");
    int64_t begin = linnet_time_monotonic();
    until(held(b) == LINNET_SHARES && b->site, 5000, b);
    assert_true(linnet_time_monotonic() - begin < term);
    assert_string_equal(b->gained_from[63], "17-abc");
    assert_int_equal(b->generation, 2);
    die(b);
}

static void who_dies_is_followed_after_the_term(void **state) {
    (void)state;
    struct member *a = join("a"), *b = join("b");
    until(held(a) + held(b) == LINNET_SHARES && held(a) == held(b), 10000, a, b);
    snprintf(a->checkpoint, sizeof a->checkpoint, "5-x");
    linnet_shares_round(a->shares);
    int64_t soon = linnet_time_monotonic() + term / 2;
    until(linnet_time_monotonic() > soon, 5000, a, b);
    die(a);
    int64_t death = linnet_time_monotonic();
    until(held(b) == LINNET_SHARES && b->site, 10000, b);
    assert_true(linnet_time_monotonic() - death >
                term / 2); /* its last renewal was seen at most a third of a term before */
    unsigned from = 0;
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        from += strcmp(b->gained_from[i], "5-x") == 0;
    assert_int_equal(from, LINNET_SHARES / 2);
    die(b);
}

static void who_freezes_past_the_lease_loses_it_and_gets_a_part_again(void **state) {
    (void)state;
    struct member *a = join("a"), *b = join("b");
    until(held(a) + held(b) == LINNET_SHARES && held(a) == held(b) && (a->site || b->site), 10000, a, b);
    freeze(a);
    until(held(b) == LINNET_SHARES && b->site, 10000, a,
          b); /* `a` is checked for writing rights though nothing of it runs */
    for (int i = LINNET_SHARE_SITE; i < LINNET_SHARES; i++)
        assert_false(linnet_shares_may_write(a->shares, i));
    assert_int_equal(held(a), LINNET_SHARES / 2); /* it does not know yet */
    thaw(a);
    until(a->losses >= LINNET_SHARES / 2 && held(a) == LINNET_SHARES / 2 && held(b) == LINNET_SHARES / 2,
          10000, a, b);
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        assert_true(a->held[i] != b->held[i]);
    die(a);
    die(b);
}

static void a_short_freeze_costs_nothing_but_the_right_to_write(void **state) {
    (void)state;
    struct member *a = join("a");
    until(held(a) == LINNET_SHARES, 5000, a);
    freeze(a);
    int64_t wake = linnet_time_monotonic() + 2 * term;
    while (linnet_time_monotonic() < wake)
        uv_sleep(20); /* nobody else is there */
    assert_false(linnet_shares_may_write(a->shares, 3));
    thaw(a);
    linnet_shares_late(a->shares, 3); /* the flow was refused a write, and has dropped the share's work */
    a->held[3] = false;
    until(held(a) == LINNET_SHARES && linnet_shares_may_write(a->shares, 3), 5000, a);
    assert_int_equal(a->losses, 0);
    assert_int_equal(a->gains, LINNET_SHARES + 1);
    die(a);
}

static void the_same_worker_comes_back_without_waiting(void **state) {
    (void)state;
    struct member *a = join_as("a", "first life", "this");
    until(held(a) == LINNET_SHARES, 5000, a);
    die(a);
    a = join_as("a", "second life", "this");
    int64_t begin = linnet_time_monotonic();
    until(held(a) == LINNET_SHARES && a->site, 5000, a);
    assert_true(linnet_time_monotonic() - begin < term);
    assert_int_equal(a->generation, 2);
    die(a);
}

static void a_checkpoint_of_another_database_is_not_believed(void **state) {
    (void)state;
    struct member *a = join_as("a", "1", "old database");
    until(held(a) == LINNET_SHARES, 5000, a);
    snprintf(a->checkpoint, sizeof a->checkpoint, "999-z");
    leave(a, NULL);
    struct member *b = join_as("b", "2", "new database");
    until(held(b) == LINNET_SHARES, 5000, b);
    for (unsigned i = 0; i < LINNET_SHARES; i++)
        assert_string_equal(b->gained_from[i], "");
    die(b);
}

static void who_stands_by_takes_nothing_and_gives_all_back(void **state) {
    (void)state;
    struct member *a = join("a");
    until(held(a) == LINNET_SHARES && a->site, 5000, a);
    a->standby = true;
    struct member *b = join("b");
    until(held(b) == LINNET_SHARES && b->site, 10000, a, b);
    assert_int_equal(held(a), 0);
    assert_false(a->site);
    a->standby = false;
    until(held(a) == LINNET_SHARES / 2 && held(b) == LINNET_SHARES / 2, 10000, a, b);
    die(a);
    die(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_first_member_takes_everything, fresh),
        cmocka_unit_test_setup(a_second_member_gets_its_half, fresh),
        cmocka_unit_test_setup(two_who_start_at_once_share, fresh),
        cmocka_unit_test_setup(who_leaves_gives_back_at_once, fresh),
        cmocka_unit_test_setup(who_dies_is_followed_after_the_term, fresh),
        cmocka_unit_test_setup(who_freezes_past_the_lease_loses_it_and_gets_a_part_again, fresh),
        cmocka_unit_test_setup(a_short_freeze_costs_nothing_but_the_right_to_write, fresh),
        cmocka_unit_test_setup(the_same_worker_comes_back_without_waiting, fresh),
        cmocka_unit_test_setup(a_checkpoint_of_another_database_is_not_believed, fresh),
        cmocka_unit_test_setup(who_stands_by_takes_nothing_and_gives_all_back, fresh),
    };
    linnet_log_setup(getenv("LINNET_TEST_LOG") ? LINNET_DEBUG : LINNET_ERROR, 1, 2);
    if (!store_open()) return 77;
    int failed = cmocka_run_group_tests(tests, measure, NULL);
    store_close();
    return failed;
}
