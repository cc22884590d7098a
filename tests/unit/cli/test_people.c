/* Uids, passwords, what was done step by step, and what is taken out of a manifest when somebody is erased.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workers/cli/accounts.h"
#include "workers/cli/bundle.h"
#include "workers/cli/manifest.h"
#include "workers/cli/steps.h"

static void uids_are_random_words(void **state) {
    (void)state;
    char a[LINNET_UID_SIZE], b[LINNET_UID_SIZE];
    linnet_uid_new(a);
    linnet_uid_new(b);
    assert_int_equal(strlen(a), LINNET_UID_SIZE - 1);
    assert_int_equal(strspn(a, "abcdefghijklmnopqrstuvwxyz234567"), strlen(a));
    assert_string_not_equal(a, b);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_password_is_read_or_made_and_kept(void **state) {
    (void)state;
    char folder[] = "/tmp/linnet-cli-XXXXXX", path[64], made[LINNET_PASSWORD_SIZE],
         again[LINNET_PASSWORD_SIZE];
    struct linnet_error err;
    struct stat status;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/password", folder);
    assert_int_equal(linnet_password_get(path, made, &err), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(linnet_password_get(path, again, &err), 0);
    assert_string_equal(made, again);
    write_file(path, "of my own\nmore\n");
    assert_int_equal(linnet_password_get(path, made, &err), 0);
    assert_string_equal(made, "of my own");
    write_file(path, "\n");
    assert_int_equal(linnet_password_get(path, made, &err), LINNET_E_INVALID);
    char longest[2 * LINNET_PASSWORD_SIZE];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    write_file(path, longest);
    assert_int_equal(linnet_password_get(path, made, &err), LINNET_E_LIMIT);
    unlink(path);
    snprintf(path, sizeof path, "%s/no/such/folder", folder);
    assert_int_equal(linnet_password_get(path, made, &err), LINNET_E_IO);
    rmdir(folder);
}

static void a_uid_is_found_among_roles(void **state) {
    (void)state;
    json_t *account = json_pack("{s:[s, i, s, s]}", "roles", "reviewer", 7, "u:abc", "u:def");
    assert_string_equal(linnet_account_uid(account), "abc");
    json_decref(account);
    account = json_pack("{s:s}", "roles", "u:abc");
    assert_string_equal(linnet_account_uid(account), "");
    assert_string_equal(linnet_account_uid(NULL), "");
    json_decref(account);
}

static bool names(const char *text, const char *word) {
    return linnet_text_names(text, strlen(text), word);
}

static void whole_words_are_found(void **state) {
    (void)state;
    assert_true(names("abc", "abc"));
    assert_true(names("{\"user\":\"abc\"}", "abc"));
    assert_true(names("xabc abcx abc", "abc"));
    assert_false(names("xabc abcx ab-abc abc_", "abc"));
    assert_false(names("", "abc"));
    assert_false(names("abc", ""));
    assert_false(linnet_text_names(NULL, 0, "abc"));
}

static void filtered(const char *text, const char *expected, size_t lines) {
    json_t *observations = json_pack("{s:b}", "01JTB7K3M4N5P6Q7R8S9T0V1W2", 1);
    struct linnet_buf out = {0};
    size_t dropped = 99;
    assert_int_equal(linnet_manifest_filter(text, strlen(text), "carol", observations, &out, &dropped), 0);
    assert_string_equal(out.data ? out.data : "", expected);
    assert_int_equal(dropped, lines);
    linnet_buf_done(&out);
    json_decref(observations);
}

static void a_manifest_loses_the_lines_of_one_person(void **state) {
    (void)state;
    filtered("", "", 0);
    filtered("observation,observer\nA,bob\n", "observation,observer\nA,bob\n", 0);
    filtered("observation,observer\nA,carol\nB,bob", "observation,observer\nB,bob", 1);
    filtered("observation,observer\r\nA,\"carol\"\r\nB,caroline\r\n",
             "observation,observer\r\nB,caroline\r\n", 1);
    filtered("h\n01JTB7K3M4N5P6Q7R8S9T0V1W2,bob\n01JTB7K3M4N5P6Q7R8S9T0V1W3,bob\n",
             "h\n01JTB7K3M4N5P6Q7R8S9T0V1W3,bob\n", 1);
}

static void steps_count_what_changed(void **state) {
    (void)state;
    struct linnet_steps steps;
    linnet_steps_init(&steps, true, false, true);
    linnet_steps_add(&steps, LINNET_UNCHANGED, "database", "a", NULL);
    linnet_steps_add(&steps, LINNET_MADE, "database", "b", "partitioned");
    assert_int_equal(steps.done, 1);
    assert_int_equal(json_array_size(steps.list), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(steps.list, 1), "note")),
                        "partitioned");
    linnet_steps_done(&steps);
}

static void a_file_that_is_no_couchapp_is_refused(void **state) {
    (void)state;
    char path[] = "/tmp/linnet-couchapp-XXXXXX";
    json_t *bundle = NULL;
    struct linnet_error err;
    close(mkstemp(path));
    write_file(path, "{\"format\":2,\"databases\":{\"main\":{}}}");
    assert_int_equal(linnet_bundle_load(path, &bundle, &err), LINNET_E_UNSUPPORTED);
    write_file(path, "{");
    assert_int_equal(linnet_bundle_load(path, &bundle, &err), LINNET_E_PARSE);
    assert_null(bundle);
    write_file(path, "{\"format\":1,\"databases\":{\"main\":{\"suffix\":\"\"}}}");
    assert_int_equal(linnet_bundle_load(path, &bundle, &err), 0);
    assert_non_null(linnet_bundle_database(bundle, LINNET_DB_MAIN));
    assert_null(linnet_bundle_database(bundle, LINNET_DB_OPS));
    assert_null(linnet_bundle_database(bundle, LINNET_DB_NONE));
    json_decref(bundle);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uids_are_random_words),
        cmocka_unit_test(a_password_is_read_or_made_and_kept),
        cmocka_unit_test(a_uid_is_found_among_roles),
        cmocka_unit_test(whole_words_are_found),
        cmocka_unit_test(steps_count_what_changed),
        cmocka_unit_test(a_manifest_loses_the_lines_of_one_person),
        cmocka_unit_test(a_file_that_is_no_couchapp_is_refused),
    };
    if (sodium_init() < 0) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
