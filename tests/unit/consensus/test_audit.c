/* Rings, scores, and the published crowd's files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"
#include "workers/consensus/audit.h"
#include "workers/consensus/crowdswe.h"
#include "workers/consensus/score.h"

static char folder[] = "/tmp/linnet-audit-XXXXXX";

static void path_of(char path[128], const char *name) {
    snprintf(path, 128, "%s/%s", folder, name);
}

static void put(const char *name, const char *text) {
    char path[128];
    path_of(path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* 40 honest users who vote on one another at random, and three accounts of one person that vote ten times for
 * one another each. */
static void draw_ring(void) {
    char path[128];
    path_of(path, "votes.csv");
    FILE *file = fopen(path, "w");
    unsigned state = 12345;
    fputs("observation,user,taxon,author\n", file);
    for (int i = 0; i < 400; i++) {
        int author = i % 40;
        fprintf(file, "h%d,honest%d,s%d,1\n", i, author, i % 17);
        for (int v = 0; v < 2; v++) {
            state = state * 1103515245 + 12345;
            int voter = (int)(state >> 16) % 40;
            if (voter != author) fprintf(file, "h%d,honest%d,s%d,0\n", i, voter, i % 17);
        }
    }
    for (int i = 0; i < 30; i++) {
        fprintf(file, "r%d,ring%d,s%d,1\n", i, i % 3, i % 11);
        fprintf(file, "r%d,ring%d,s%d,0\nr%d,ring%d,s%d,0\n", i, (i + 1) % 3, i % 11, i, (i + 2) % 3, i % 11);
        if (i % 10 == 0) fprintf(file, "r%d,honest%d,s%d,0\n", i, i, (i + 1) % 11);
    }
    fclose(file);
}

static void a_ring_is_found_and_honest_people_are_not(void **state) {
    struct linnet_audit_rules limits = {5, 0.25, 0.5};
    struct linnet_consensus_rules rules;
    struct linnet_consensus_result result;
    struct linnet_crowd_file file;
    struct linnet_audit audit;
    struct linnet_error err = {0};
    char path[128];
    (void)state;
    draw_ring();
    path_of(path, "votes.csv");
    linnet_consensus_rules_init(&rules);
    assert_int_equal(linnet_crowd_file_load(&file, path, NULL, NULL, 1, NULL, NULL, &err), 0);
    assert_int_equal(linnet_consensus_solve(&file.tree, &rules, &file.crowd, NULL, NULL, &result, &err), 0);
    assert_int_equal(linnet_audit_run(&file, &rules, &result, &limits, &audit), 0);
    assert_int_equal(audit.n, 1);
    const struct linnet_ring *ring = &audit.rings[0];
    assert_int_equal(ring->n, 3);
    for (uint32_t k = 0; k < 3; k++) {
        size_t size;
        assert_memory_equal(linnet_names_text(&file.users, ring->users[k], &size), "ring", 4);
    }
    assert_int_equal(ring->cast, 60);
    assert_int_equal(ring->inside, 60);
    assert_int_equal(ring->agreeing, 60);
    assert_int_equal(ring->received, 63);
    assert_int_equal(ring->observations, 30);
    assert_int_equal(ring->valid_by_ring, 30); /* of its author, as a newcomer, none is valid */
    linnet_audit_done(&audit);
    linnet_consensus_result_done(&result);
    linnet_crowd_file_done(&file);
}

/* o1: a a (true a); o2: a b, first a (true b); o3: a (true b); o4: c c (truth unknown). Majority is right on
 * o1 alone. All: 3 scored, accuracy 1/3, macro (1/1 + 0/2) / 2. Shared: o1, o2: 1/2. Disputed: o2: 0. */
static void scores_are_counted_by_scope(void **state) {
    struct linnet_crowd_score scores[LINNET_SCORE_SCOPES];
    struct linnet_consensus_rules rules;
    struct linnet_consensus_result result;
    struct linnet_crowd_file file;
    struct linnet_error err = {0};
    char votes[128], truth_path[128];
    uint32_t *truth;
    (void)state;
    path_of(votes, "votes.csv");
    path_of(truth_path, "truth.csv");
    put("votes.csv", "observation,user,taxon,author\no1,x,a,1\no1,y,a,0\no2,x,a,1\no2,y,b,0\no3,x,a,1\no4,x,"
                     "c,1\no4,y,c,0\n");
    put("truth.csv", "observation,taxon\no1,a\no2,b\no3,b\nelsewhere,a\n");
    linnet_consensus_rules_init(&rules);
    rules.method = LINNET_METHOD_MAJORITY;
    assert_int_equal(linnet_crowd_file_load(&file, votes, NULL, NULL, 1, NULL, NULL, &err), 0);
    assert_int_equal(linnet_truth_file_read(&file, truth_path, &truth, &err), 0);
    assert_int_equal(linnet_consensus_solve(&file.tree, &rules, &file.crowd, NULL, NULL, &result, &err), 0);
    assert_int_equal(linnet_crowd_score(&file, truth, &result, scores), 0);
    static const uint32_t n[] = {3, 2, 1};
    static const double accuracy[] = {1.0 / 3, 0.5, 0}, macro[] = {0.5, 0.5, 0};
    for (int s = 0; s < LINNET_SCORE_SCOPES; s++) {
        assert_int_equal(scores[s].n, n[s]);
        assert_true(scores[s].accuracy == accuracy[s] && scores[s].macro == macro[s] &&
                    scores[s].coverage == 1);
    }
    free(truth);
    linnet_consensus_result_done(&result);
    linnet_crowd_file_done(&file);
}

static const char ANSWERS[] = "{\n   \"0\": {\n      \"0\": 0\n   },\n   \"1\": {\n      \"43\": 38,\n      "
                              "\"42\": 7, \"AI\": 3\n   }\n}\n";

static void the_published_crowd_is_read_as_it_lies(void **state) {
    struct linnet_crowd_file file;
    struct linnet_error err = {0};
    uint32_t *truth;
    size_t size;
    (void)state;
    put("answers/answers.json", ANSWERS);
    put("answers/ground_truth.txt", "-1\n7.0\n");
    put("aggregation/authors.txt", "0\n42\n");
    put("aggregation/ai_answers.json", "{\"0\": 11425, \"1\": 38}");
    put("aggregation/ai_scores.json", "{\"0\": 0.94605, \"1\": 0.5}");
    if (linnet_crowdswe_load(&file, &truth, folder, &err) != 0) fail_msg("%s", err.detail);
    assert_int_equal(file.crowd.observations, 2);
    assert_int_equal(file.start[2], 3);
    assert_true(file.votes[0].author && !file.votes[1].author && file.votes[2].author);
    assert_int_equal(truth[0], LINNET_NO_LABEL);
    assert_int_equal(truth[1], file.votes[2].label);
    assert_memory_equal(linnet_crowd_file_taxon(&file, file.machine[0].label, &size), "11425", 5);
    assert_true(file.machine[1].label == file.votes[1].label && file.machine[0].score == 0.94605);
    free(truth);
    linnet_crowd_file_done(&file);
}

static void malformed_published_files_are_named(void **state) {
    static const struct {
        const char *name, *text, *why;
    } cases[] = {
        {"answers/answers.json", "{\"0\": {\"0\": 0}", "a comma or a closing brace"},
        {"answers/answers.json", "{\n\"0\": {\"0\": }}", "line 2: a number is wanted"},
        {"answers/answers.json", "{\"0\": 1}", "votes are wanted in braces"},
        {"answers/answers.json", "[]", "an object is wanted"},
        {"answers/answers.json", "{\"0\": {\"0\": 0}} x", "something follows"},
        {"answers/answers.json", "{}", "holds no votes"},
        {"aggregation/authors.txt", "0\nnobody\n", "authors.txt: line 2: a number is wanted"},
        {"answers/ground_truth.txt", "x\n", "ground_truth.txt: line 1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct linnet_crowd_file file;
        struct linnet_error err = {0};
        uint32_t *truth;
        put("answers/answers.json", ANSWERS);
        put("answers/ground_truth.txt", "-1\n7\n");
        put("aggregation/authors.txt", "0\n42\n");
        put(cases[i].name, cases[i].text);
        assert_true(linnet_crowdswe_load(&file, &truth, folder, &err) < 0);
        if (!strstr(err.detail, cases[i].why)) fail_msg("'%s' does not say '%s'", err.detail, cases[i].why);
    }
}

static int make_folder(void **state) {
    char path[128];
    (void)state;
    if (!mkdtemp(folder)) return -1;
    path_of(path, "answers");
    if (mkdir(path, 0700) != 0) return -1;
    path_of(path, "aggregation");
    return mkdir(path, 0700);
}

static int remove_folder(void **state) {
    static const char *const names[] = {"votes.csv",
                                        "truth.csv",
                                        "answers/answers.json",
                                        "answers/ground_truth.txt",
                                        "aggregation/authors.txt",
                                        "aggregation/ai_answers.json",
                                        "aggregation/ai_scores.json"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_of(path, names[i]);
        (void)unlink(path);
    }
    path_of(path, "answers");
    (void)rmdir(path);
    path_of(path, "aggregation");
    (void)rmdir(path);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_is_found_and_honest_people_are_not),
        cmocka_unit_test(scores_are_counted_by_scope),
        cmocka_unit_test(the_published_crowd_is_read_as_it_lies),
        cmocka_unit_test(malformed_published_files_are_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
