/* Everything in base and taxonomy while memory runs out: a clean failure each time, outputs untouched,
 * nothing lost. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/schema.h"
#include "common/taxonomy/taxonomy.h"
#include "tests/unit/failing.h"

static const char TEXT[] =
    "{\"b\":[1,2.5,true,null,\"x\\u00e9\\n\"],\"a\":{\"_c\":{},\"d\":"
    "\"0123456789012345678901234567890123456789\"},"
    "\"_attachments\":{\"l\":{\"digest\":\"md5-1\"},\"m\":{\"data\":\"AA==\"}},\"_id\":\"x\"}";

static json_t *parsed(void) {
    json_t *value = NULL;
    assert_int_equal(linnet_json_parse(TEXT, sizeof TEXT - 1, 0, &value, NULL), 0);
    return value;
}

static int use_buffers(void *arg) {
    (void)arg;
    struct linnet_buf buf;
    linnet_buf_init(&buf, 0);
    int rc = 0;
    for (int i = 0; !rc && i < 40; i++) {
        size_t before = buf.size;
        rc = i % 2 ? linnet_buf_append(&buf, "0123456789", 10) : linnet_buf_printf(&buf, "%040d", i);
        if (rc) assert_int_equal(buf.size, before);
        if (rc && buf.data) assert_int_equal(strlen(buf.data), before);
    }
    linnet_buf_done(&buf);
    return rc;
}

static int use_parser(void *whole) {
    json_t *value = (json_t *)TEXT;
    struct linnet_error err = {0};
    int rc = linnet_json_parse(TEXT, sizeof TEXT - 1, 0, &value, &err);
    if (rc) {
        assert_ptr_equal(value, TEXT);
        assert_int_equal(err.code, LINNET_E_NOMEM);
        assert_string_not_equal(err.detail, "");
        return rc;
    }
    assert_true(json_equal(value, whole));
    json_decref(value);
    return 0;
}

static int use_file(void *path) {
    json_t *value = NULL;
    int rc = linnet_json_load_file(path, 0, &value, NULL);
    assert_true(rc ? !value : value != NULL);
    json_decref(value);
    return rc;
}

static int use_writers(void *value) {
    struct linnet_buf out = {0};
    char digest[65] = "untouched";
    char *canonical = linnet_json_canonical(value);
    int rc = canonical ? linnet_json_write(&out, value) : LINNET_E_NOMEM;
    if (rc && out.data) assert_string_equal(out.data, "");
    if (!rc) rc = linnet_json_digest(value, digest);
    if (rc) assert_string_equal(digest, "untouched");
    free(canonical);
    linnet_buf_done(&out);
    return rc;
}

static int use_schemas(void *documents) {
    struct linnet_schemas *set = linnet_schemas_new();
    struct linnet_error err = {0};
    int rc = set ? 0 : LINNET_E_NOMEM;
    json_t *schema = json_array_get(documents, 0), *other = json_array_get(documents, 1);
    json_t *value = json_array_get(documents, 2), *bad = json_array_get(documents, 3), *bare = NULL;
    if (!rc) rc = linnet_schemas_add(set, "one", schema, &err);
    if (!rc) rc = linnet_schemas_add(set, "two", other, &err);
    if (!rc) rc = linnet_schemas_check(set, "one", value, &err);
    if (!rc) {
        rc = linnet_schemas_check(set, "one", bad, &err);
        assert_int_not_equal(rc, 0);
        rc = rc == LINNET_E_INVALID ? 0 : rc;
    }
    if (!rc && !(bare = json_object())) rc = LINNET_E_NOMEM;
    if (!rc) rc = linnet_schemas_fill(set, "one", bare);
    json_decref(bare);
    linnet_schemas_free(set);
    return rc;
}

static int use_schema_folder(void *path) {
    struct linnet_schemas *set = linnet_schemas_new();
    int rc = set ? linnet_schemas_add_folder(set, path, NULL) : LINNET_E_NOMEM;
    linnet_schemas_free(set);
    return rc;
}

static int use_metrics(void *arg) {
    (void)arg;
    struct linnet_metrics *metrics = linnet_metrics_new();
    if (!metrics) return LINNET_E_NOMEM;
    struct linnet_metric *a = linnet_metrics_counter(metrics, "a", "x=\"y\"", "A.");
    struct linnet_metric *b = linnet_metrics_counter(metrics, "a", NULL, "A.");
    struct linnet_metric *c = linnet_metrics_histogram(metrics, "c", NULL, NULL);
    linnet_metric_add(a, 1);
    linnet_metric_set(b, 2);
    linnet_metric_observe(c, 3);
    struct linnet_buf out = {0};
    int rc = linnet_metrics_write(metrics, &out);
    if (rc && out.data) assert_int_equal(out.size, 0);
    if (!a || !b || !c) rc = LINNET_E_NOMEM;
    linnet_buf_done(&out);
    linnet_metrics_free(metrics);
    return rc;
}

static int use_log(void *arg) {
    (void)arg;
    linnet_log(LINNET_ERROR, "room", "a message that is longer than the first piece of memory", "url", "s",
               "http://a:b@c/d", "n", "i", 7LL, NULL);
    return 0;
}

static int use_taxonomy(void *documents) {
    struct linnet_taxonomy *taxonomy = linnet_taxonomy_new();
    int rc = taxonomy ? 0 : LINNET_E_NOMEM;
    for (size_t i = 0; !rc && i < 70; i++) { /* more than the first room */
        char id[32];
        snprintf(id, sizeof id, "taxon:%zu", i);
        size_t before = linnet_taxonomy_size(taxonomy);
        rc = linnet_taxonomy_add(taxonomy, id, json_array_get(documents, i ? 1 : 0), NULL);
        if (rc) {
            assert_int_equal(linnet_taxonomy_size(taxonomy), before);
            assert_int_equal(linnet_taxonomy_find(taxonomy, id), LINNET_NO_TAXON);
        }
    }
    if (!rc) rc = linnet_taxonomy_finish(taxonomy, NULL, NULL);
    if (!rc) assert_int_equal(linnet_taxonomy_find(taxonomy, "taxon:0"), 0);
    linnet_taxonomy_free(taxonomy);
    return rc;
}

static void buffers_stay_as_they_were(void **state) {
    (void)state;
    assert_true(failing_each(use_buffers, NULL, false) > 3);
}

static void parsing_says_that_memory_ran_out(void **state) {
    (void)state;
    char path[] = "/tmp/linnet-memory-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, TEXT, sizeof TEXT - 1), sizeof TEXT - 1);
    close(fd);
    /* jansson does without a bigger table where it gets none. */
    json_t *whole = parsed();
    assert_true(failing_each(use_parser, whole, true) > 20);
    assert_true(failing_each(use_file, path, true) > 20);
    json_decref(whole);
    unlink(path);
}

static void writing_says_that_memory_ran_out(void **state) {
    (void)state;
    json_t *value = parsed(), *many = json_object(); /* more members than are sorted without memory */
    char key[] = "a";
    for (; key[0] <= 'z'; key[0]++)
        json_object_set_new(many, key, json_integer(key[0]));
    json_object_set_new(value, "many", many);
    assert_true(failing_each(use_writers, value, false) > 10);
    json_decref(value);
}

static void schemas_load_whole_or_not_at_all(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"$id\":\"one\",\"type\":\"object\",\"properties\":{\"a\":{\"pattern\":\"^x\",\"default\":\"xyz\"},"
        "\"l\":{\"uniqueItems\":true},"
        "\"o\":{\"$ref\":\"two#/$defs/"
        "k\"},\"e\":{\"enum\":[\"p\",\"q\"]}},\"patternProperties\":{\"^z\":{\"minimum\":1}},"
        "\"propertyNames\":{\"maxLength\":9},\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"l\"]}]}",
        "{\"$defs\":{\"k\":{\"type\":\"integer\"}}}",
        "{\"a\":\"x1\",\"l\":[1,\"2\",[3],{\"f\":4}],\"o\":5,\"z1\":6,\"e\":\"p\"}",
        "{\"a\":\"x1\",\"e\":\"r\"}",
    };
    json_t *documents = json_array();
    for (size_t i = 0; i < 4; i++) {
        json_t *value = NULL;
        assert_int_equal(linnet_json_parse(texts[i], strlen(texts[i]), 0, &value, NULL), 0);
        json_array_append_new(documents, value);
    }
    assert_true(failing_each(use_schemas, documents, true) >
                30); /* words about a fault may lack the list of choices */
    json_decref(documents);
    char folder[] = "/tmp/linnet-memory-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/two.schema.json", folder);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, texts[1], strlen(texts[1])), strlen(texts[1]));
    close(fd);
    assert_true(failing_each(use_schema_folder, folder, false) > 5);
    unlink(path);
    rmdir(folder);
}

static void metrics_that_cannot_be_made_count_nothing(void **state) {
    (void)state;
    assert_true(failing_each(use_metrics, NULL, false) > 8);
}

static void a_log_line_that_cannot_be_made_is_dropped(void **state) {
    (void)state;
    int fd = open("/dev/null", O_WRONLY);
    linnet_log_setup(LINNET_INFO, 0, fd);
    assert_true(failing_each(use_log, NULL, true) > 0);
    linnet_log_setup(LINNET_INFO, 0, STDERR_FILENO);
    close(fd);
}

static void a_taxonomy_is_whole_or_fails(void **state) {
    (void)state;
    json_t *documents =
        json_pack("[{s:s,s:s},{s:s,s:s,s:s}]", "scientificName", "Quercus", "taxonRank", "genus",
                  "scientificName", "Quercus robur", "taxonRank", "species", "parentNameUsageID", "taxon:0");
    assert_true(failing_each(use_taxonomy, documents, false) > 20);
    json_decref(documents);
}

int main(void) {
    failing_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_stay_as_they_were),
        cmocka_unit_test(parsing_says_that_memory_ran_out),
        cmocka_unit_test(writing_says_that_memory_ran_out),
        cmocka_unit_test(schemas_load_whole_or_not_at_all),
        cmocka_unit_test(metrics_that_cannot_be_made_count_nothing),
        cmocka_unit_test(a_log_line_that_cannot_be_made_is_dropped),
        cmocka_unit_test(a_taxonomy_is_whole_or_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
