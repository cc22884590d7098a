/* Labelled pictures on disk are found, by folders and by tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/cli/scratch.h"
#include "workers/cli/pictures.h"

static void put(const char *folder, const char *name) {
    free(scratch_text(folder, name, "picture"));
}

/* A folder within the scratch folder, so that tests do not see each other's files. */
static char *below(const char *folder, const char *name) {
    char *path;
    assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
    return path;
}

static void picture_is(const struct linnet_picture *picture, const char *end, const char *label,
                       const char *organ) {
    size_t length = strlen(picture->path);
    if (length < strlen(end) || strcmp(picture->path + length - strlen(end), end) != 0)
        fail_msg("%s, not ...%s", picture->path, end);
    assert_string_equal(picture->label, label);
    assert_string_equal(picture->organ, organ);
}

static void folders_are_labels_and_pictures_are_sorted(void **state) {
    char *root = below(*state, "species");
    put(*state, "species/Rosa canina/2.jpg");
    put(*state, "species/Rosa canina/1.jpg");
    put(*state, "species/Quercus robur/9.png");
    put(*state, "species/README.md");      /* beside the folders */
    put(*state, "species/Rosa canina/.x"); /* hidden */
    struct linnet_pictures pictures;
    assert_int_equal(linnet_pictures_folder(root, &pictures, NULL), 0);
    assert_int_equal(pictures.n, 3);
    picture_is(&pictures.items[0], "/Quercus robur/9.png", "Quercus robur", "");
    picture_is(&pictures.items[1], "/Rosa canina/1.jpg", "Rosa canina", "");
    picture_is(&pictures.items[2], "/Rosa canina/2.jpg", "Rosa canina", "");
    assert_string_equal(pictures.items[0].observation, pictures.items[0].path); /* each its own */
    linnet_pictures_done(&pictures);
    free(root);
}

/* images/test/<id>/<picture>, as Pl@ntNet-300K has it: the nearest folder is the label. */
static void deeper_folders_are_labels_too(void **state) {
    char *root = below(*state, "images"), *link = below(*state, "link");
    put(*state, "images/test/1355868/a.jpg");
    put(*state, "images/train/1355870/b.jpg");
    assert_int_equal(symlink(root, link), 0);
    const char *const names[] = {root, link};
    for (size_t i = 0; i < 2; i++) {
        struct linnet_pictures pictures;
        assert_int_equal(linnet_pictures_folder(names[i], &pictures, NULL), 0);
        assert_int_equal(pictures.n, 2);
        picture_is(&pictures.items[0], "/test/1355868/a.jpg", "1355868", "");
        picture_is(&pictures.items[1], "/train/1355870/b.jpg", "1355870", "");
        linnet_pictures_done(&pictures);
    }
    free(root);
    free(link);
}

static void folders_without_pictures_are_refused(void **state) {
    char *root = below(*state, "flat");
    struct linnet_pictures pictures = {.n = 77};
    struct linnet_error err = {0};
    put(*state, "flat/a.jpg");
    assert_int_equal(linnet_pictures_folder(root, &pictures, &err), LINNET_E_NOT_FOUND);
    assert_non_null(strstr(err.detail, "a folder for each species is wanted"));
    assert_int_equal(linnet_pictures_folder("/nowhere/at/all", &pictures, &err), LINNET_E_IO);
    assert_int_equal(pictures.n, 77);
    free(root);
}

/* Load a table; the code. */
static int table(const char *folder, const char *text, struct linnet_pictures *out,
                 struct linnet_error *err) {
    char *path = scratch_text(folder, "pictures.csv", text);
    int code = linnet_pictures_table(path, "/photos", out, err);
    free(path);
    return code;
}

static void tables_name_picture_label_organ_and_observation(void **state) {
    struct linnet_pictures pictures;
    assert_int_equal(table(*state,
                           "observation,image,organ,scientificName\n"
                           "one,1.jpg,leaf,Rosa canina\none,2.jpg,flower,Rosa canina\n",
                           &pictures, NULL),
                     0);
    assert_int_equal(pictures.n, 2);
    picture_is(&pictures.items[0], "/photos/1.jpg", "Rosa canina", "leaf");
    picture_is(&pictures.items[1], "/photos/2.jpg", "Rosa canina", "flower");
    assert_string_equal(pictures.items[1].observation, "one");
    linnet_pictures_done(&pictures);
    assert_int_equal(table(*state, "image,label\n1.jpg,Rosa canina\n", &pictures, NULL), 0);
    picture_is(&pictures.items[0], "/photos/1.jpg", "Rosa canina", "");
    assert_string_equal(pictures.items[0].observation, "/photos/1.jpg");
    linnet_pictures_done(&pictures);
}

/* What the synthetic flora writes has what the observer called it and what it is: the truth counts. */
static void the_true_name_goes_before_the_given_one(void **state) {
    struct linnet_pictures pictures;
    assert_int_equal(table(*state, "image,taxon,trueTaxon\n1.jpg,taxon:1,taxon:2\n", &pictures, NULL), 0);
    assert_string_equal(pictures.items[0].label, "taxon:2");
    linnet_pictures_done(&pictures);
}

static void tables_without_the_columns_are_refused(void **state) {
    struct linnet_pictures pictures = {.n = 77};
    struct linnet_error err = {0};
    assert_int_equal(table(*state, "image,organ\n1.jpg,leaf\n", &pictures, &err), LINNET_E_PARSE);
    assert_non_null(strstr(err.detail, "are wanted"));
    assert_int_equal(table(*state, "file,taxon\n1.jpg,x\n", &pictures, &err), LINNET_E_PARSE);
    assert_int_equal(linnet_pictures_table("/nowhere.csv", "/", &pictures, &err), LINNET_E_IO);
    assert_int_equal(pictures.n, 77);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_labels_and_pictures_are_sorted),
        cmocka_unit_test(deeper_folders_are_labels_too),
        cmocka_unit_test(folders_without_pictures_are_refused),
        cmocka_unit_test(tables_name_picture_label_organ_and_observation),
        cmocka_unit_test(the_true_name_goes_before_the_given_one),
        cmocka_unit_test(tables_without_the_columns_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
