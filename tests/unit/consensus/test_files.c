/* Files of votes and taxa as people write them, well and badly. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/consensus/solve.h"
#include "tests/unit/test.h"
#include "workers/consensus/answer.h"
#include "workers/consensus/crowd_file.h"

static char folder[] = "/tmp/linnet-consensus-XXXXXX";

static const char *path_of(const char *name) {
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, 128, "%s/%s", folder, name);
    return path;
}

static const char *written(const char *name, const char *text, size_t size) {
    const char *path = path_of(name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

#define VOTES(text) written("votes.csv", text, sizeof(text) - 1)
#define TAXA(text)  written("taxa.csv", text, sizeof(text) - 1)

static void load(struct linnet_crowd_file *file, const char *votes, const char *taxa) {
    struct linnet_error err = {0};
    if (linnet_crowd_file_load(file, votes, taxa, NULL, 2, NULL, NULL, &err) != 0) fail_msg("%s", err.detail);
}

static void refuse(const char *votes, const char *taxa, const char *why) {
    struct linnet_crowd_file file;
    struct linnet_error err = {0};
    assert_true(linnet_crowd_file_load(&file, votes, taxa, NULL, 2, NULL, NULL, &err) < 0);
    if (!strstr(err.detail, why)) fail_msg("'%s' does not say '%s'", err.detail, why);
}

static void is_user(const struct linnet_crowd_file *file, uint32_t user, const char *wanted) {
    size_t size;
    const char *text = linnet_names_text(&file->users, user, &size);
    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(text, wanted, size);
}

static void is_taxon(const struct linnet_crowd_file *file, uint32_t label, const char *wanted) {
    size_t size;
    const char *text = linnet_crowd_file_taxon(file, label, &size);
    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(text, wanted, size);
}

static const char TREE[] =
    "taxon,parent,rank,accepted\nQuercus,,genus,\nrobur,Quercus,species,\npedunculata,,species,robur\n";

static void votes_are_read_with_all_that_they_say(void **state) {
    struct linnet_crowd_file file;
    (void)state;
    load(&file,
         VOTES("\xef\xbb\xbf"
               "observation,user,taxon,author,created_at,disagreement\r\n"
               "o1,\"a, \"\"the\"\" first\",robur,1,2026-05-03T10:21:00Z,\r\n"
               "\r\n"
               "o1,b,Quercus,0,2026-05-03T12:20:00+02:00,robur\r\n"
               "o2,b,,0,,\n"
               "o2,c,not-a-plant,1,,\n"
               "o2,d,unheard,,,"),
         TAXA(TREE));
    assert_int_equal(file.crowd.observations, 2);
    assert_int_equal(file.rows, 5);
    assert_int_equal(file.unknown_taxa, 1);
    is_user(&file, 0, "a, \"the\" first");
    assert_int_equal(file.votes[0].user, 1); /* 12:20+02:00 is a minute before 10:21Z */
    is_taxon(&file, file.votes[0].rejects, "robur");
    assert_true(file.votes[1].author && !file.votes[0].author);
    assert_int_equal(file.votes[2].label, LINNET_NO_LABEL);
    assert_int_equal(file.votes[3].label, LINNET_LABEL_NOT_A_PLANT);
    assert_true(file.votes[4].label >= file.tree.n);
    assert_true(file.created_at[0] < file.created_at[1] && file.created_at[4] == INT64_MAX);
    linnet_crowd_file_done(&file);
}

static void columns_may_come_in_any_order_and_few(void **state) {
    struct linnet_crowd_file file;
    (void)state;
    load(&file, VOTES("taxon,note,observation,user\nrobur,x,o1,a\nrobur,y,o1,b\n"), NULL);
    assert_int_equal(file.crowd.observations, 1);
    assert_int_equal(file.crowd.users, 2);
    assert_null(file.created_at);
    assert_int_equal(file.votes[0].label, file.votes[1].label);
    linnet_crowd_file_done(&file);
}

static void the_last_vote_of_a_user_counts(void **state) {
    struct linnet_crowd_file file;
    (void)state;
    load(&file,
         VOTES("observation,user,taxon,author,created_at,disagreement\n"
               "o,a,second,0,2026-01-02T00:00:00Z,\no,b,other,0,2026-01-01T12:00:00Z,\no,a,first,0,2026-01-"
               "01T00:00:00Z,\n"
               "p,a,one,0,,\np,a,two,0,,\n"),
         NULL);
    assert_int_equal(file.replaced, 2);
    assert_int_equal(file.start[1], 2);
    is_taxon(&file, file.votes[0].label, "other");
    is_taxon(&file, file.votes[1].label, "second");
    is_taxon(&file, file.votes[2].label, "two");
    linnet_crowd_file_done(&file);
}

static void malformed_rows_are_named_by_line(void **state) {
    (void)state;
    refuse(VOTES(""), NULL, "is empty");
    refuse(VOTES("user,taxon\n"), NULL, "line 1: there is no column 'observation'");
    refuse(VOTES("observation,user,taxon\no,a,x\no,b\n"), NULL, "votes.csv: line 3: it has fewer cells");
    refuse(VOTES("observation,user,taxon\no,a,x,y\n"), NULL, "line 2: it has more cells");
    refuse(VOTES("observation,user,taxon\n\n\no,,x\n"), NULL, "line 4: the user is empty");
    refuse(VOTES("observation,user,taxon\n,a,x\n"), NULL, "line 2: the observation is empty");
    refuse(VOTES("observation,user,taxon\no,a,\"x\n"), NULL, "line 2: a quote is not closed");
    refuse(VOTES("observation,user,taxon\no,a,\"x\"y\n"), NULL, "line 2: something follows a closing quote");
    refuse(VOTES("observation,user,taxon\no,a,\xff\n"), NULL, "line 2: a cell is no text in UTF-8");
    refuse(VOTES("observation,user,taxon\no,a,x\0y\n"), NULL, "line 2: a cell is no text in UTF-8");
    refuse(VOTES("observation,user,taxon,author\no,a,x,yes\n"), NULL, "line 2: author is neither 0 nor 1");
    refuse(VOTES("observation,user,taxon,created_at\no,a,x,2026-13-01T00:00:00Z\n"), NULL,
           "line 2: created_at is no RFC 3339 time");
    refuse(path_of("missing.csv"), NULL, "missing.csv: No such file");
}

static void malformed_taxa_are_named(void **state) {
    char votes[128];
    (void)state;
    snprintf(votes, sizeof votes, "%s", VOTES("observation,user,taxon\no,a,x\n"));
    refuse(votes, TAXA("parent,rank\n"), "no column 'taxon'");
    refuse(votes, TAXA("taxon,parent,rank,accepted\nx,,species,\nx,,genus,\n"),
           "taxa.csv: line 3: the taxon is there already");
    refuse(votes, TAXA("taxon,parent,rank,accepted\nx,y,species,\ny,x,genus,\n"), "is its own ancestor");
    refuse(votes, TAXA("taxon,parent,rank,accepted\nx,,species,y\ny,,species,x\n"),
           "taxon x: is a synonym of itself");
}

/* 600,000 rows, so that they are cut in pieces; the error stands in the last. */
static void lines_are_counted_across_pieces(void **state) {
    const char *path = path_of("votes.csv");
    FILE *file = fopen(path, "w");
    (void)state;
    fputs("observation,user,taxon\n", file);
    for (int i = 0; i < 600000; i++)
        fprintf(file, "observation-%d,user-%d,x\n", i, i % 977);
    fputs("o,a\n", file);
    fclose(file);
    refuse(path, NULL, "line 600002: it has fewer cells");
}

static const char *const ROWS[] = {
    "o1,a,robur,1,2026-05-01T10:00:00Z,",        "o1,b,petraea,0,2026-05-01T11:00:00Z,",
    "o1,c,petraea,0,2026-05-01T12:00:00Z,",      "o2,b,robur,1,2026-05-02T10:00:00Z,",
    "o2,a,petraea,0,2026-05-02T10:00:00Z,",      "o3,c,robur,1,2026-05-03T10:00:00Z,",
    "o3,a,Quercus,0,2026-05-03T11:00:00Z,robur", "o3,b,robur,0,2026-05-03T12:00:00Z,"};
enum { NROWS = sizeof ROWS / sizeof *ROWS };

static void write_rows(const char *path, unsigned shift) {
    FILE *file = fopen(path, "w");
    fputs("observation,user,taxon,author,created_at,disagreement\n", file);
    for (unsigned i = 0; i < NROWS; i++)
        fprintf(file, "%s\n", ROWS[(i * 3 + shift) % NROWS]);
    fclose(file);
}

/* Votes of one instant (o2) are put in the order of their labels, so that the order of the file bears on
 * nothing. */
static void the_order_of_rows_bears_on_nothing(void **state) {
    struct linnet_consensus_rules rules;
    struct linnet_error err;
    (void)state;
    TAXA(TREE);
    linnet_consensus_rules_init(&rules);
    rules.method = LINNET_METHOD_PLANTNET;
    for (unsigned shift = 0; shift < NROWS; shift++) {
        struct linnet_crowd_file file;
        struct linnet_consensus_result result;
        write_rows(path_of("votes.csv"), shift);
        load(&file, path_of("votes.csv"), path_of("taxa.csv"));
        assert_int_equal(linnet_consensus_solve(&file.tree, &rules, &file.crowd, NULL, NULL, &result, &err),
                         0);
        static const char *const names[] = {"o1", "o2", "o3"}, *const labels[] = {"petraea", "petraea",
                                                                                  "robur"};
        for (int i = 0; i < 3; i++) {
            uint32_t number = linnet_names_find(&file.observations, names[i], 2);
            is_taxon(&file, result.verdicts[number].label, labels[i]);
        }
        linnet_consensus_result_done(&result);
        linnet_crowd_file_done(&file);
    }
}

/* Found and numbered alike, whether each new name comes behind those before or not, with 7 bytes or more. */
static void names_are_numbered_in_the_order_of_their_coming(void **state) {
    enum { NAMES = 30000 };
    static struct linnet_name rows[2 * NAMES];
    static char texts[2 * NAMES][16];
    static uint32_t numbers[2 * NAMES];
    (void)state;
    for (int scattered = 0; scattered < 2; scattered++) {
        struct linnet_names names;
        assert_int_equal(linnet_names_init(&names, 10), 0);
        for (uint32_t i = 0; i < 2 * NAMES; i++) { /* once more the same, and scattered in another order */
            uint32_t k = i < NAMES ? (scattered ? i * 7919 % NAMES : i) : (i * 104729) % NAMES;
            int size = snprintf(texts[i], sizeof texts[i], k % 2 && scattered ? "%u" : "name-%08u", k);
            rows[i] =
                (struct linnet_name){texts[i], (uint32_t)size, linnet_name_hash(texts[i], (size_t)size)};
        }
        assert_int_equal(linnet_names_put_all(&names, rows, sizeof *rows, 2 * NAMES, numbers), 0);
        assert_int_equal(names.n, NAMES);
        for (uint32_t i = 0; i < 2 * NAMES; i++) {
            size_t size;
            const char *text = linnet_names_text(&names, numbers[i], &size);
            assert_true(size == rows[i].size && memcmp(text, rows[i].text, size) == 0);
            assert_true(i >= NAMES || numbers[i] == i);
            assert_int_equal(linnet_names_find(&names, rows[i].text, rows[i].size), numbers[i]);
        }
        assert_int_equal(linnet_names_find(&names, "name-1", 6), LINNET_NO_NAME);
        linnet_names_done(&names);
    }
}

/* The file is in no order, with more votes on an observation than are sorted in place; the last vote of each
 * of 40 users counts. */
static void a_crowd_on_one_observation_is_ordered_and_counted_once(void **state) {
    struct linnet_crowd_file file;
    FILE *votes = fopen(path_of("votes.csv"), "w");
    (void)state;
    fputs("observation,user,taxon,author,created_at,disagreement\n", votes);
    for (int i = 0; i < 400; i++) { /* minute k is user k % 40's, who says t(k / 40) */
        int k = i * 171 % 400;
        fprintf(votes, "%s,u%d,t%d,0,2026-01-01T%02d:%02d:00Z,\n", i % 3 ? "big" : "also", k % 40, k / 40,
                k / 60, k % 60);
    }
    fclose(votes);
    load(&file, path_of("votes.csv"), NULL);
    assert_int_equal(file.rows, 400);
    assert_int_equal(file.rows - file.replaced, file.start[2]);
    for (uint32_t i = 0; i < 2; i++) {
        bool seen[40] = {false};
        for (uint32_t v = file.start[i]; v < file.start[i + 1]; v++) {
            assert_true(v == file.start[i] || file.created_at[v - 1] < file.created_at[v]);
            assert_false(seen[file.votes[v].user]);
            seen[file.votes[v].user] = true;
        }
        for (int u = 0; u < 40; u++)
            assert_true(seen[u]);
    }
    linnet_crowd_file_done(&file);
}

static void read_back(const char *name, char text[1024]) {
    FILE *file = fopen(path_of(name), "r");
    assert_non_null(file);
    text[fread(text, 1, 1023, file)] = '\0';
    fclose(file);
}

static void answers_are_written_as_agreed(void **state) {
    struct linnet_crowd_file file;
    struct linnet_consensus_rules rules;
    struct linnet_consensus_result result;
    struct linnet_error err;
    char text[1024];
    (void)state;
    load(&file,
         VOTES("observation,user,taxon,author\n\"o,1\",a,robur,1\n\"o,1\",b,pedunculata,0\n\"o,1\",c,robur,"
               "0\no2,a,Quercus,1\n"),
         TAXA(TREE));
    linnet_consensus_rules_init(&rules);
    assert_int_equal(linnet_consensus_solve(&file.tree, &rules, &file.crowd, NULL, NULL, &result, &err), 0);
    assert_int_equal(linnet_answer_write(&file, &rules, &result, folder, &err), 0);
    read_back("observations.csv", text);
    assert_string_equal(text, "observation,taxon,confidence,accuracy,valid,grade\n"
                              "\"o,1\",robur,2.225812,1,1,research\no2,Quercus,0.741937,1,0,needs_review\n");
    read_back("users.csv", text);
    assert_string_equal(
        text, "user,n_author,n_vote,n,weight\na,1,0,1,0.741937\nb,0,1,0,0.741937\nc,0,1,0,0.741937\n");
    read_back("beside.csv", text);
    assert_non_null(strstr(text, "\n\"o,1\",robur,2.225812,1,1,robur,3,1,1\no2,,0,0,0,,0,0,0\n"));
    linnet_consensus_result_done(&result);
    linnet_crowd_file_done(&file);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    static const char *const names[] = {"votes.csv", "taxa.csv", "observations.csv", "users.csv",
                                        "beside.csv"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unlink(path_of(names[i]));
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(votes_are_read_with_all_that_they_say),
        cmocka_unit_test(columns_may_come_in_any_order_and_few),
        cmocka_unit_test(the_last_vote_of_a_user_counts),
        cmocka_unit_test(malformed_rows_are_named_by_line),
        cmocka_unit_test(malformed_taxa_are_named),
        cmocka_unit_test(lines_are_counted_across_pieces),
        cmocka_unit_test(the_order_of_rows_bears_on_nothing),
        cmocka_unit_test(names_are_numbered_in_the_order_of_their_coming),
        cmocka_unit_test(a_crowd_on_one_observation_is_ordered_and_counted_once),
        cmocka_unit_test(answers_are_written_as_agreed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
