/* What is expected of hostile pictures holds for the stage that meets them first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/data/commands.h"
#include "tests/unit/plugins/fake_host.h"

#define OBSERVATION "01JTB7K3M4N5P6Q7R8S9T0V1W2"

static char folder[] = "/tmp/linnet-hostile-XXXXXX";

static int make(void **state) {
    char command[] = "hostile", out[] = "--out", *argv[] = {command, out, folder, NULL};
    (void)state;
    return mkdtemp(folder) && !linnet_flora_command_hostile(3, argv) ? 0 : -1;
}

static int unlink_one(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)info, (void)type, (void)where;
    return remove(path);
}

static int unmake(void **state) {
    (void)state;
    return nftw(folder, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
}

static json_t *manifest(void) {
    char path[256];
    json_error_t error;
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    json_t *list = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(list);
    return list;
}

static const char *text(const json_t *entry, const char *name) {
    return json_string_value(json_object_get(entry, name));
}

static void *read_whole(const char *file, size_t *size) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    *size = (size_t)ftell(in);
    rewind(in);
    void *data = malloc(*size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *size, in), *size);
    fclose(in);
    return data;
}

/* Give one picture to normalize: its verdict. */
static enum linnet_verdict normalize(struct fake_host *host, const json_t *entry) {
    char id[256];
    size_t size;
    void *data = read_whole(text(entry, "file"), &size);
    snprintf(id, sizeof id, OBSERVATION ":image:%s", text(entry, "digest"));
    struct fake_item *item = fake_item_new(OBSERVATION);
    size_t doc =
        fake_item_doc(item, json_pack("{s:s, s:s, s:{s:{s:s}}}", "_id", id, "kind", "image", "_attachments",
                                      "original", "content_type", text(entry, "content_type")));
    fake_item_blob(item, doc, "original", text(entry, "content_type"), data, size);
    fake_host_process(host, item);
    enum linnet_verdict verdict = item->verdict;
    if (verdict != LINNET_OK) assert_true(item->reason && strlen(item->reason) > 10);
    fake_item_free(item);
    free(data);
    return verdict;
}

static void normalize_does_with_every_picture_what_is_expected(void **state) {
    (void)state;
    json_t *list = manifest(), *entry;
    size_t i, pictures = 0, wrong = 0;
    struct fake_host *host = fake_host_load(PLUGIN_PATH);
    assert_int_equal(fake_host_open(host, NULL), 0);
    json_array_foreach(list, i, entry) {
        if (strcmp(text(entry, "kind"), "picture")) continue;
        const char *got = normalize(host, entry) == LINNET_OK ? "ok" : "reject", *also = text(entry, "also");
        pictures++;
        if (!strcmp(got, text(entry, "expected")) || (also && !strcmp(got, also))) continue;
        print_error("%s: %s, not %s (%s)\n", text(entry, "file"), got, text(entry, "expected"),
                    text(entry, "what"));
        wrong++;
    }
    assert_int_equal(wrong, 0);
    assert_true(pictures > 40);
    fake_host_free(host);
    json_decref(list);
}

static void every_file_is_described_and_there_in_full(void **state) {
    (void)state;
    json_t *list = manifest(), *entry;
    size_t i, documents = 0;
    json_array_foreach(list, i, entry) {
        size_t size;
        free(read_whole(text(entry, "file"), &size));
        assert_int_equal(size, json_integer_value(json_object_get(entry, "bytes")));
        assert_true(strlen(text(entry, "what")) > 5);
        assert_true(!strcmp(text(entry, "expected"), "ok") || !strcmp(text(entry, "expected"), "reject") ||
                    !strcmp(text(entry, "expected"), "forbidden"));
        documents += !strcmp(text(entry, "kind"), "document");
    }
    assert_true(documents > 50);
    json_decref(list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_described_and_there_in_full),
        cmocka_unit_test(normalize_does_with_every_picture_what_is_expected),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
