/* The schemas load, the worked examples hold, and what is wrong is refused, by the validator that the workers
 * use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/json.h"
#include "common/base/schema.h"

static struct linnet_schemas *schemas;

static int load(void **state) {
    (void)state;
    struct linnet_error err = {0};
    schemas = linnet_schemas_new();
    if (!schemas || linnet_schemas_add_folder(schemas, SCHEMAS, &err)) {
        fprintf(stderr, "%s\n", err.detail);
        return -1;
    }
    return 0;
}

static int unload(void **state) {
    (void)state;
    linnet_schemas_free(schemas);
    return 0;
}

/* "validation-not-a-plant.json": the kind is what stands before the first dash. */
static void kind_of(const char *file, char kind[LINNET_KIND_MAX]) {
    size_t size = strcspn(file, "-.");
    assert_in_range(size, 1, LINNET_KIND_MAX - 1);
    memcpy(kind, file, size);
    kind[size] = '\0';
}

/* Call `each` with every .json file of a folder; how many there were. */
static size_t for_each(const char *folder,
                       void (*each)(const char *file, const char *kind, const json_t *document)) {
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t length = strlen(entry->d_name);
        if (length < 5 || strcmp(entry->d_name + length - 5, ".json")) continue;
        char path[1024], kind[LINNET_KIND_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        kind_of(entry->d_name, kind);
        json_t *document;
        struct linnet_error err = {0};
        if (linnet_json_load_file(path, 1 << 20, &document, &err)) fail_msg("%s: %s", path, err.detail);
        each(entry->d_name, kind, document);
        json_decref(document);
        count++;
    }
    closedir(dir);
    return count;
}

static void holds(const char *file, const char *kind, const json_t *document) {
    struct linnet_error err = {0};
    if (linnet_schemas_check(schemas, kind, document, &err)) fail_msg("%s: %s", file, err.detail);
    struct linnet_id id;
    assert_int_equal(linnet_id_parse(linnet_json_string(document, "_id", ""), &id), 0);
    assert_string_equal(id.kind, kind);
}

static void examples_hold(void **state) {
    (void)state;
    assert_in_range(for_each(SCHEMAS "/examples", holds), 21, 1000);
}

static void is_refused(const char *file, const char *kind, const json_t *document) {
    struct linnet_error err = {0};
    int rc = linnet_schemas_check(schemas, kind, document, &err);
    if (rc != LINNET_E_INVALID) fail_msg("%s: %s", file, rc ? err.detail : "was taken");
    assert_true(err.detail[0]);
}

static void invalid_examples_are_refused(void **state) {
    (void)state;
    assert_in_range(for_each(SCHEMAS "/examples/invalid", is_refused), 60, 1000);
}

static void every_kind_has_a_schema(void **state) {
    (void)state;
    static const char *const kinds[] = {
        "observation", "image",      "validation", "normalized", "prediction", "consensus", "identification",
        "taxon",       "flora",      "model",      "reviewer",   "wanted",     "skill",     "share",
        "retry",       "deadletter", "suspect",    "worker",     "retraining", "backfill",  "identity",
        "apikey",      "quota",      "comment",    "flag",       "settle",     "epoch"};
    json_t *nothing = json_object();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        assert_int_not_equal(linnet_kind_database(kinds[i]), LINNET_DB_NONE);
        assert_int_equal(linnet_schemas_check(schemas, kinds[i], nothing, NULL), LINNET_E_INVALID);
    }
    json_decref(nothing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_hold),
        cmocka_unit_test(invalid_examples_are_refused),
        cmocka_unit_test(every_kind_has_a_schema),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
