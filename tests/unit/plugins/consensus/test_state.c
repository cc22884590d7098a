/* The state on disk: a restart goes on from it, a torn end is cut off, a damaged file is thrown away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/plugins/consensus/fixture.h"

struct folder {
    char path[64], file[128];
};

static int make_folder(void **state) {
    struct folder *folder = calloc(1, sizeof *folder);
    if (!folder) return -1;
    strcpy(folder->path, "/tmp/linnet-consensus-XXXXXX");
    if (!mkdtemp(folder->path)) return -1;
    snprintf(folder->file, sizeof folder->file, "%s/crowd.state", folder->path);
    *state = folder;
    return 0;
}

static int remove_folder(void **state) {
    static const char *const names[] = {"crowd.state", "crowd.state.new", "crowd.state.damaged"};
    struct folder *folder = *state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder->path, names[i]);
        unlink(path);
    }
    rmdir(folder->path);
    free(folder);
    return 0;
}

static off_t size_of(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 ? about.st_size : -1;
}

static void assert_restores(struct fake_host *host, const char *position) {
    char *restored = fake_host_restore(host);
    assert_string_equal(restored, position);
    free(restored);
}

/* A host with two votes on OBS, at rest, saved at "42-xyz". */
static struct fake_host *saved(const struct folder *folder) {
    struct fake_host *host = host_with(NULL, folder->path);
    assert_restores(host, "");
    json_t *documents[] = {observation(OBS, "ann", "taxon:b"), vote(OBS, "bob", "taxon:old", 1),
                           disagreement(OBS, "cat", "taxon:g", "taxon:b", 2),
                           identification(OBS, "taxon:a", 0.4)};
    json_decref(after(host, documents, 4));
    come_to_rest(host);
    assert_int_equal(fake_host_snapshot(host, "42-xyz"), 0);
    return host;
}

static void a_restart_goes_on_as_if_it_had_not_been(void **state) {
    const struct folder *folder = *state;
    struct fake_host *host = saved(folder), *again;
    again = host_with(NULL, folder->path);
    assert_restores(again, "42-xyz");
    json_t *here = give(host, OBS, vote(OBS, "dan", "taxon:a", 3)),
           *there = give(again, OBS, vote(OBS, "dan", "taxon:a", 3));
    assert_int_equal(json_array_size(json_object_get(there, "votes")), 4);
    assert_true(json_equal(here, there));
    json_decref(here);
    json_decref(there);
    fake_host_free(host);
    fake_host_free(again);
}

static void what_is_at_rest_is_told_once_though_it_restarts(void **state) {
    const struct folder *folder = *state;
    fake_host_free(saved(folder));
    struct fake_host *host = host_with(NULL, folder->path);
    assert_restores(host, "42-xyz");
    settle(host);
    assert_null(told(host, "consensus", OBS, NULL));
    assert_null(told(host, "skill", "bob", NULL));
    fake_host_free(host);
}

static void a_save_costs_what_has_changed(void **state) {
    const struct folder *folder = *state;
    struct fake_host *host = host_with(NULL, folder->path);
    char obs[27];
    assert_restores(host, "");
    for (int i = 0; i < 500; i++) {
        obs_id(i, obs);
        json_decref(give(host, obs, observation(obs, "ann", "taxon:a")));
    }
    come_to_rest(host);
    assert_int_equal(fake_host_snapshot(host, "1-a"), 0);
    off_t whole = size_of(folder->file);
    json_decref(give(host, obs, vote(obs, "bob", "taxon:a", 1)));
    assert_int_equal(fake_host_snapshot(host, "2-b"), 0);
    assert_in_range(size_of(folder->file) - whole, 1, whole / 100);
    fake_host_free(host);
    host = host_with(NULL, folder->path);
    assert_restores(host, "2-b");
    json_t *consensus = give(host, obs, vote(obs, "cat", "taxon:a", 2));
    assert_int_equal(json_array_size(json_object_get(consensus, "votes")), 3);
    json_decref(consensus);
    fake_host_free(host);
}

/* A kill while a block is appended: what was saved before stands. */
static void a_torn_end_is_cut_off(void **state) {
    const struct folder *folder = *state;
    struct fake_host *host = saved(folder);
    off_t whole = size_of(folder->file);
    json_decref(give(host, OBS, vote(OBS, "dan", "taxon:a", 3)));
    assert_int_equal(fake_host_snapshot(host, "43-later"), 0);
    fake_host_free(host);
    off_t longer = size_of(folder->file);
    assert_true(longer > whole);
    for (off_t cut = longer - 1; cut >= whole; cut -= 7) {
        assert_int_equal(truncate(folder->file, cut), 0);
        host = host_with(NULL, folder->path);
        assert_restores(host, "42-xyz");
        fake_host_free(host);
        assert_int_equal(size_of(folder->file), whole);
        assert_int_equal(truncate(folder->file, cut > whole + 7 ? cut : whole), 0); /* zeros behind it */
    }
}

/* The site is owned anew by the same process: what came after the save comes again, and what was told of it
 * may never have been written. */
static void restoring_again_forgets_what_was_not_saved(void **state) {
    const struct folder *folder = *state;
    struct fake_host *host = saved(folder);
    json_decref(give(host, OBS, vote(OBS, "dan", "taxon:a", 3)));
    assert_restores(host, "42-xyz");
    json_t *consensus = give(host, OBS, vote(OBS, "eve", "taxon:a", 4));
    assert_int_equal(json_array_size(json_object_get(consensus, "votes")), 4); /* ann, bob, cat, eve */
    json_decref(consensus);
    fake_host_free(host);
}

static void a_damaged_file_is_said_and_thrown_away(void **state) {
    const struct folder *folder = *state;
    fake_host_free(saved(folder));
    assert_int_equal(truncate(folder->file, 100), 0);
    struct fake_host *host = host_with(NULL, folder->path);
    assert_restores(host, "");
    assert_true(fake_host_logged(host, "built again"));
    assert_int_equal(fake_host_snapshot(host, "1-a"), 0);
    fake_host_free(host);
    host = host_with(NULL, folder->path);
    assert_restores(host, "1-a");
    fake_host_free(host);
}

/* Votes on their way through the feed again must not be told one by one, each as if it were all. */
static void a_lost_state_is_built_again_before_anything_is_told(void **state) {
    const struct folder *folder = *state;
    struct fake_host *host = host_with(NULL, folder->path);
    assert_restores(host, "");
    json_t *documents[] = {observation(OBS, "ann", "taxon:b"), vote(OBS, "bob", "taxon:a", 1),
                           vote(OBS, "cat", "taxon:a", 2)};
    assert_null(after(host, documents, 3));
    come_to_rest(host);
    assert_int_equal(json_array_size(json_object_get(told(host, "consensus", OBS, NULL), "votes")), 3);
    json_t *consensus = give(host, OBS, vote(OBS, "dan", "taxon:a", 3));
    assert_non_null(consensus);
    json_decref(consensus);
    fake_host_free(host);
}

static void a_request_to_settle_outlives_a_kill(void **state) {
    const struct folder *folder = *state;
    struct fake_host *host = saved(folder);
    json_decref(give(host, "01JF0000000000000000000000",
                     json_pack("{s:s, s:s, s:s}", "_id", "01JF0000000000000000000000:settle", "kind",
                               "settle", "created_at", "2026-05-03T10:00:00Z")));
    assert_int_equal(fake_host_snapshot(host, "50-z"), 0);
    fake_host_free(host);
    host = host_with(NULL, folder->path);
    assert_restores(host, "50-z");
    come_to_rest(host);
    assert_string_equal(text(told(host, "epoch", "consensus", NULL), "settled"),
                        "01JF0000000000000000000000");
    fake_host_free(host);
}

/* Saved so often that the file is written anew, while votes go on. */
static void a_file_that_has_grown_is_written_anew(void **state) {
    const struct folder *folder = *state;
    struct fake_host *host = host_with(NULL, folder->path);
    char obs[27], position[32];
    off_t most = 0, size = 0;
    assert_restores(host, "");
    come_to_rest(host);
    for (int round = 0; round < 30 && size >= most; round++) {
        for (int i = 0; i < 1500; i++) {
            obs_id(i, obs);
            json_decref(give(host, obs, vote(obs, round % 2 ? "bob" : "cat", "taxon:a", round)));
        }
        snprintf(position, sizeof position, "%d-p", round);
        assert_int_equal(fake_host_snapshot(host, position), 0);
        come_to_rest(host);
        most = size > most ? size : most;
        size = size_of(folder->file);
    }
    assert_true(size < most);
    fake_host_free(host);
    host = host_with(NULL, folder->path);
    assert_restores(host, position);
    json_t *consensus = give(host, obs, observation(obs, "ann", NULL));
    assert_int_equal(json_array_size(json_object_get(consensus, "votes")), 2);
    json_decref(consensus);
    fake_host_free(host);
}

enum { MANY = 45000 }; /* more than two ticks write ahead */

static void give_many(struct fake_host *host, const char *user, int at) {
    char obs[27];
    for (int i = 0; i < MANY; i++) {
        obs_id(i, obs);
        json_decref(give(host, obs, vote(obs, user, "taxon:a", at)));
    }
}

/* Nothing was saved yet, and very much has come: ticks write it, each a slice, and the save has little left.
 * Until then the file has no name. */
static void the_first_save_of_many_is_written_in_slices(void **state) {
    const struct folder *folder = *state;
    char aside[140], obs[27];
    off_t before, after_one, ahead;
    snprintf(aside, sizeof aside, "%s.new", folder->file);
    struct fake_host *host = host_with(NULL, folder->path);
    assert_restores(host, "");
    give_many(host, "bob", 1);
    assert_int_equal(fake_host_tick(host), 0);
    after_one = size_of(aside);
    assert_in_range(after_one, 1 << 20, 8 << 20);
    assert_int_equal(fake_host_tick(host), 0);
    ahead = size_of(aside);
    assert_in_range(ahead - after_one, after_one / 2, after_one * 3 / 2);
    assert_int_equal(size_of(folder->file), -1);
    assert_int_equal(fake_host_snapshot(host, "1-a"), 0);
    assert_int_equal(size_of(aside), -1);
    assert_in_range(size_of(folder->file) - ahead, 1, after_one / 2); /* 5,000 of 45,000 */
    fake_host_free(host);
    host = host_with(NULL, folder->path);
    assert_restores(host, "1-a");
    for (int i = 0; i < MANY; i += MANY - 1) {
        obs_id(i, obs);
        json_t *consensus = give(host, obs, observation(obs, "ann", NULL));
        assert_int_equal(json_array_size(json_object_get(consensus, "votes")), 1);
        json_decref(consensus);
    }
    /* and later ones: a kill before the save leaves what was saved */
    before = size_of(folder->file);
    give_many(host, "cat", 2);
    assert_int_equal(fake_host_tick(host), 0);
    assert_true(size_of(folder->file) > before + after_one / 2);
    fake_host_free(host);
    host = host_with(NULL, folder->path);
    assert_restores(host, "1-a");
    assert_int_equal(size_of(folder->file), before);
    json_t *consensus = give(host, obs, observation(obs, "ann", NULL));
    assert_int_equal(json_array_size(json_object_get(consensus, "votes")), 1);
    json_decref(consensus);
    fake_host_free(host);
}

int main(void) {
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_restart_goes_on_as_if_it_had_not_been),
        WITH_FOLDER(what_is_at_rest_is_told_once_though_it_restarts),
        WITH_FOLDER(a_save_costs_what_has_changed),
        WITH_FOLDER(a_torn_end_is_cut_off),
        WITH_FOLDER(restoring_again_forgets_what_was_not_saved),
        WITH_FOLDER(a_damaged_file_is_said_and_thrown_away),
        WITH_FOLDER(a_lost_state_is_built_again_before_anything_is_told),
        WITH_FOLDER(a_request_to_settle_outlives_a_kill),
        WITH_FOLDER(a_file_that_has_grown_is_written_anew),
        WITH_FOLDER(the_first_save_of_many_is_written_in_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
