/* The index of pictures: what is found, what goes, what a file keeps, and what a damaged one says. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/similar/graph.h"
#include "common/base/half.h"
#include "common/similar/similar.h"
#include "tests/unit/test.h"

#define DIMS 24
#define TAXA 20

static char path[64];

static int make_path(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/linnet-similar-XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0 ? -1 : 0;
}

static int remove_path(void **state) {
    (void)state;
    return unlink(path);
}

static uint64_t random_state;

static float uniform(void) {
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (float)(random_state >> 40) / (float)(1 << 24) - 0.5F;
}

/* Picture n: near the place of its taxon n % TAXA. */
static void draw(size_t n, float *out) {
    random_state = n % TAXA + 1;
    for (size_t i = 0; i < 8; i++)
        uniform();
    for (size_t i = 0; i < DIMS; i++)
        out[i] = uniform();
    random_state = n + 1000;
    for (size_t i = 0; i < 8; i++)
        uniform();
    for (size_t i = 0; i < DIMS; i++)
        out[i] += uniform() / 3;
}

static void name_of(size_t n, char out[27]) {
    snprintf(out, 27, "01JTB7K3M4N5P6Q7R8S9%06zu", n);
}

static void put(struct linnet_similar *similar, size_t n, float twin_below) {
    struct linnet_similar_picture picture = {.note = n % 2 ? "{\"organ\":\"leaf\"}" : ""};
    float vector[DIMS];
    uint16_t halves[DIMS];
    char taxon[32];
    name_of(n, picture.observation);
    snprintf(picture.digest, sizeof picture.digest, "%064zx", n);
    snprintf(taxon, sizeof taxon, "taxon:%zu", n % TAXA);
    picture.taxon = taxon;
    draw(n, vector);
    for (size_t i = 0; i < DIMS; i++)
        halves[i] = linnet_half_from_float(vector[i]);
    assert_int_equal(linnet_similar_put(similar, &picture, halves, twin_below), 0);
}

static struct linnet_similar *filled(size_t from, size_t to) {
    struct linnet_similar *similar;
    assert_int_equal(linnet_similar_new("flora@1", DIMS, &similar), 0);
    for (size_t n = from; n < to; n++)
        put(similar, n, 0);
    return similar;
}

/* Save, and go on with the file. */
static struct linnet_similar *saved(struct linnet_similar *similar, const char *position, size_t graph) {
    struct linnet_similar *again;
    struct linnet_error err = {0};
    if (linnet_similar_save(similar, path, position, graph, &err) != 0) fail_msg("%s", err.detail);
    linnet_similar_free(similar);
    if (linnet_similar_open(path, "flora@1", &again, &err) != 0) fail_msg("%s", err.detail);
    assert_int_equal(linnet_similar_verify(again, &err), 0);
    return again;
}

static size_t find(const struct linnet_similar *similar, size_t n, size_t k, const bool *taxa, size_t exact,
                   struct linnet_similar_hit *hits) {
    float vector[DIMS];
    draw(n, vector);
    struct linnet_similar_query query = {.vector = vector, .k = k, .taxa = taxa, .exact = exact};
    return linnet_similar_find(similar, &query, hits);
}

static void finds(const struct linnet_similar *similar, size_t n) {
    struct linnet_similar_hit hit;
    struct linnet_similar_picture picture;
    char name[27], taxon[32];
    name_of(n, name);
    snprintf(taxon, sizeof taxon, "taxon:%zu", n % TAXA);
    assert_int_equal(find(similar, n, 1, NULL, 0, &hit), 1);
    assert_true(hit.distance < 1e-3F);
    assert_true(linnet_similar_at(similar, hit.picture, &picture));
    assert_string_equal(picture.observation, name);
    assert_string_equal(picture.taxon, taxon);
    assert_string_equal(picture.note, n % 2 ? "{\"organ\":\"leaf\"}" : "");
}

static void pictures_are_found_before_and_after_saving(void **state) {
    struct linnet_similar *similar = filled(0, 300);
    (void)state;
    for (size_t n = 0; n < 300; n += 7)
        finds(similar, n);
    similar = saved(similar, "12-abc", 0);
    assert_string_equal(linnet_similar_position(similar), "12-abc");
    assert_int_equal(linnet_similar_changes(similar), 0);
    for (size_t n = 300; n < 350; n++)
        put(similar, n, 0);
    assert_int_equal(linnet_similar_size(similar), 350);
    for (size_t n = 0; n < 350; n += 7)
        finds(similar, n);
    similar = saved(similar, "13", 0);
    for (size_t n = 0; n < 350; n += 7)
        finds(similar, n);
    linnet_similar_free(similar);
}

static void hits_come_nearest_first_and_of_wanted_taxa_alone(void **state) {
    struct linnet_similar *similar = saved(filled(0, 400), "", 0);
    struct linnet_similar_hit hits[500];
    struct linnet_similar_picture picture;
    bool taxa[TAXA] = {false};
    (void)state;
    for (size_t n = 400; n < 440; n++)
        put(similar, n, 0);
    taxa[linnet_similar_taxon_number(similar, "taxon:3")] = true;
    taxa[linnet_similar_taxon_number(similar, "taxon:9")] = true;
    size_t n = find(similar, 3, 500, taxa, 0, hits);
    assert_int_equal(n, 44);
    for (size_t i = 0; i < n; i++) {
        assert_true(i == 0 || hits[i].distance >= hits[i - 1].distance);
        assert_true(linnet_similar_at(similar, hits[i].picture, &picture));
        assert_true(strcmp(picture.taxon, "taxon:3") == 0 || strcmp(picture.taxon, "taxon:9") == 0);
    }
    assert_int_equal(linnet_similar_taxon_number(similar, "taxon:none"), LINNET_SIMILAR_NONE);
    linnet_similar_free(similar);
}

static void what_was_taken_out_is_found_no_more(void **state) {
    struct linnet_similar *similar = saved(filled(0, 200), "", 0);
    struct linnet_similar_hit hits[300];
    char name[27];
    (void)state;
    for (size_t n = 200; n < 250; n++)
        put(similar, n, 0);
    for (size_t n = 0; n < 250; n += 2) {
        name_of(n, name);
        assert_int_equal(linnet_similar_remove(similar, name), 1);
        assert_int_equal(linnet_similar_remove(similar, name), 0);
    }
    assert_int_equal(linnet_similar_size(similar), 125);
    assert_int_equal(find(similar, 0, 300, NULL, 0, hits), 125);
    similar = saved(similar, "", 0); /* so many are gone that it is numbered anew */
    assert_int_equal(linnet_similar_numbers(similar), 125);
    for (size_t n = 1; n < 250; n += 2)
        finds(similar, n);
    name_of(1, name);
    assert_int_equal(linnet_similar_remove(similar, name), 1);
    similar = saved(similar, "", 0); /* so few that it keeps its number */
    assert_int_equal(linnet_similar_numbers(similar), 125);
    assert_int_equal(find(similar, 0, 300, NULL, 0, hits), 124);
    linnet_similar_free(similar);
}

static void the_graph_finds_what_looking_at_all_finds(void **state) {
    struct linnet_graph_vectors none = {0};
    struct linnet_graph *graph;
    struct linnet_similar *similar = saved(filled(0, 3000), "", 1);
    struct linnet_similar_hit exact[10], approximate[10];
    bool taxa[TAXA];
    (void)state;
    none.dims = DIMS;
    if (linnet_graph_new(&none, 1, &graph) == LINNET_E_UNSUPPORTED) skip();
    linnet_graph_free(graph);
    for (size_t n = 3000; n < 4000; n++)
        put(similar, n, 0);
    similar = saved(similar, "", 1); /* the graph goes on */
    char name[27];
    name_of(17, name);
    assert_int_equal(linnet_similar_remove(similar, name), 1);
    for (size_t i = 0; i < TAXA; i++)
        taxa[i] = i % 3 != 0;
    for (int filtered = 0; filtered < 2; filtered++) {
        size_t same = 0;
        for (size_t n = 5000; n < 5100; n++) {
            size_t most = find(similar, n, 10, filtered ? taxa : NULL, 1000000, exact);
            assert_int_equal(most, 10);
            assert_int_equal(find(similar, n, 10, filtered ? taxa : NULL, 1, approximate), 10);
            for (size_t i = 0; i < 10; i++)
                for (size_t j = 0; j < 10; j++)
                    same += exact[i].picture == approximate[j].picture;
        }
        assert_true(same >= 980);
    }
    linnet_similar_free(similar);
}

static void the_same_picture_twice_is_its_twin(void **state) {
    struct linnet_similar *similar = filled(0, 100);
    struct linnet_similar_picture picture = {.taxon = "taxon:other", .note = ""}, found;
    float vector[DIMS];
    uint16_t halves[DIMS];
    (void)state;
    draw(42, vector);
    for (size_t i = 0; i < DIMS; i++)
        halves[i] = linnet_half_from_float(vector[i] * 2 + 0.002F);
    name_of(500, picture.observation);
    memset(picture.digest, 'a', 64);
    assert_int_equal(linnet_similar_put(similar, &picture, halves, 0.02F), 0);
    similar = saved(similar, "", 0);
    assert_true(linnet_similar_at(similar, 100, &found));
    assert_int_equal(found.twin, 42);
    assert_true(found.twin_distance < 0.02F);
    assert_true(linnet_similar_at(similar, 42, &found));
    assert_int_equal(found.twin, LINNET_SIMILAR_NONE);
    linnet_similar_free(similar);
}

static void what_has_no_direction_is_refused(void **state) {
    struct linnet_similar *similar = filled(0, 1);
    struct linnet_similar_picture picture = {.taxon = "taxon:1", .note = ""};
    uint16_t halves[DIMS] = {0};
    (void)state;
    name_of(1, picture.observation);
    memset(picture.digest, '0', 64);
    assert_int_equal(linnet_similar_put(similar, &picture, halves, 0), LINNET_E_INVALID);
    halves[3] = 0x7c00; /* infinite */
    assert_int_equal(linnet_similar_put(similar, &picture, halves, 0), LINNET_E_INVALID);
    halves[3] = 0x3c00;
    picture.observation[5] = '\0';
    assert_int_equal(linnet_similar_put(similar, &picture, halves, 0), LINNET_E_INVALID);
    assert_int_equal(linnet_similar_size(similar), 1);
    linnet_similar_free(similar);
}

/* Open and verify: what the first of them that fails says. */
static int judge(const char *model) {
    struct linnet_similar *similar;
    struct linnet_error err = {0};
    int rc = linnet_similar_open(path, model, &similar, &err);
    if (rc == 0) {
        rc = linnet_similar_verify(similar, &err);
        linnet_similar_free(similar);
    }
    if (rc != 0) assert_true(strlen(err.detail) > 10);
    return rc;
}

static void damaged_files_are_refused(void **state) {
    struct stat what;
    (void)state;
    linnet_similar_free(saved(filled(0, 100), "7", 1));
    assert_int_equal(judge("flora@1"), 0);
    assert_int_equal(judge(NULL), 0);
    assert_int_equal(judge("flora@2"), LINNET_E_PARSE);
    assert_int_equal(stat(path, &what), 0);
    int fd = open(path, O_RDWR);
    for (off_t at = 0; at < what.st_size; at += 97) { /* every part of it, a bit */
        unsigned char byte, other;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        other = byte ^ 4;
        assert_int_equal(pwrite(fd, &other, 1, at), 1);
        assert_int_equal(judge("flora@1"), LINNET_E_PARSE);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    assert_int_equal(judge("flora@1"), 0);
    for (off_t size = what.st_size - 1; size > 0; size /= 2) {
        assert_int_equal(ftruncate(fd, size), 0);
        assert_int_equal(judge("flora@1"), LINNET_E_PARSE);
    }
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(judge("flora@1"), LINNET_E_PARSE);
    close(fd);
    struct linnet_similar *similar;
    struct linnet_error err = {0};
    assert_int_equal(linnet_similar_open("/nowhere/at/all", NULL, &similar, &err), LINNET_E_NOT_FOUND);
}

static void what_cannot_be_saved_leaves_nothing(void **state) {
    struct linnet_similar *similar = filled(0, 3);
    struct linnet_error err = {0};
    (void)state;
    assert_int_equal(linnet_similar_save(similar, "/nowhere/at/all", "", 0, &err), LINNET_E_IO);
    assert_non_null(strstr(err.detail, "/nowhere/at/all"));
    linnet_similar_free(similar);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pictures_are_found_before_and_after_saving, make_path, remove_path),
        cmocka_unit_test_setup_teardown(hits_come_nearest_first_and_of_wanted_taxa_alone, make_path,
                                        remove_path),
        cmocka_unit_test_setup_teardown(what_was_taken_out_is_found_no_more, make_path, remove_path),
        cmocka_unit_test_setup_teardown(the_graph_finds_what_looking_at_all_finds, make_path, remove_path),
        cmocka_unit_test_setup_teardown(the_same_picture_twice_is_its_twin, make_path, remove_path),
        cmocka_unit_test(what_has_no_direction_is_refused),
        cmocka_unit_test_setup_teardown(damaged_files_are_refused, make_path, remove_path),
        cmocka_unit_test(what_cannot_be_saved_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
