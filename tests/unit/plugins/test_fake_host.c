/* The fake host itself, with a plugin of a few lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/plugins/fake_host.h"

#define OBSERVATION "01HX0000000000000000000000"

/* Copies a leaf's text into a result, refuses an empty one, wants no documents that are brown. */
struct copier {
    const struct linnet_host *host;
    const char *greeting;
};

static int copier_open(const struct linnet_host *host, const json_t *config, void **out, char *why,
                       size_t size) {
    const char *greeting = json_string_value(json_object_get(json_object_get(config, "words"), "greeting"));
    struct copier *self = calloc(1, sizeof *self);
    if (!self || !greeting || !strcmp(greeting, "none")) {
        free(self);
        snprintf(why, size, "a greeting is needed");
        return -2;
    }
    *self = (struct copier){host, greeting};
    *out = self;
    return 0;
}

static void copier_close(void *instance) {
    free(instance);
}

static bool copier_select(void *instance, const struct linnet_item *item, bool *keep) {
    (void)instance;
    for (size_t i = 0; i < item->ndocs; i++)
        keep[i] = !json_is_true(json_object_get(item->docs[i].json, "brown"));
    return keep[0];
}

static int copier_process(void *instance, const struct linnet_item *const *items, size_t n) {
    struct copier *self = instance;
    const struct linnet_host *host = self->host;
    for (size_t i = 0; i < n; i++) {
        const struct linnet_doc *leaf = &items[i]->docs[0];
        if (!leaf->nblobs) {
            host->finish(host->ctx, items[i], LINNET_REJECT, "the leaf is empty");
            continue;
        }
        struct linnet_output output = {
            .document = json_pack("{s:s, s:i}", "greeting", self->greeting, "docs", (int)items[i]->ndocs),
            .blobs = leaf->blobs,
            .nblobs = leaf->nblobs,
        };
        host->count(host->ctx, "copied", 1);
        host->emit(host->ctx, items[i], &output);
        host->finish(host->ctx, items[i], LINNET_OK, NULL);
    }
    return 0;
}

static const struct linnet_plugin copier = {
    .struct_size = sizeof copier,
    .abi = LINNET_PLUGIN_ABI,
    .name = "copier",
    .config_schema = "{\"type\":\"object\",\"properties\":{\"words\":{\"type\":\"object\",\"default\":{},"
                     "\"properties\":{\"greeting\":{\"type\":\"string\",\"default\":\"hello\"}}}}}",
    .inputs = (const struct linnet_input[]){{.kind = "leaf", .flags = LINNET_TRIGGER}, {0}},
    .produces = (const char *const[]){"copy", NULL},
    .batch_max = 4,
    .open = copier_open,
    .close = copier_close,
    .select = copier_select,
    .process = copier_process,
};

static void a_plugin_is_run_and_what_it_did_is_kept(void **state) {
    (void)state;
    struct fake_host *host = fake_host_new(&copier);
    assert_int_equal(fake_host_open(host, NULL), 0);
    struct fake_item *item = fake_item_new(OBSERVATION);
    size_t leaf = fake_item_doc(item, json_pack("{s:s}", "_id", OBSERVATION ":leaf:a"));
    fake_item_doc(item, json_pack("{s:s, s:b}", "_id", OBSERVATION ":leaf:b", "brown", 1));
    fake_item_blob(item, leaf, "text", "text/plain", "green", 5);
    assert_int_equal(fake_host_process(host, item), 0);
    assert_int_equal(item->verdict, LINNET_OK);
    assert_false(item->kept[1]);
    assert_int_equal(item->noutputs, 1);
    assert_string_equal(item->outputs[0].kind, "copy");
    assert_string_equal(item->outputs[0].qualifier, "a");
    assert_string_equal(json_string_value(json_object_get(item->outputs[0].document, "greeting")), "hello");
    assert_int_equal(json_integer_value(json_object_get(item->outputs[0].document, "docs")), 1);
    assert_memory_equal(item->outputs[0].blobs[0].data, "green", 5);
    assert_int_equal(fake_host_counted(host, "copied"), 1);
    fake_item_free(item);
    fake_host_free(host);
}

static void items_of_a_batch_end_each_in_their_own_way(void **state) {
    (void)state;
    struct fake_host *host = fake_host_new(&copier);
    assert_int_equal(fake_host_open(host, json_pack("{s:{s:s}}", "words", "greeting", "good day")), 0);
    struct fake_item *items[2] = {fake_item_new(OBSERVATION), fake_item_new(OBSERVATION)};
    fake_item_doc(items[0], json_pack("{s:s}", "_id", OBSERVATION ":leaf:empty"));
    fake_item_doc(items[1], json_pack("{s:s, s:b}", "_id", OBSERVATION ":leaf:dead", "brown", 1));
    assert_int_equal(fake_host_process_batch(host, items, 2), 0);
    assert_int_equal(items[0]->verdict, LINNET_REJECT);
    assert_string_equal(items[0]->reason, "the leaf is empty");
    assert_false(items[1]->selected);
    fake_item_free(items[0]);
    fake_item_free(items[1]);
    fake_host_free(host);
}

static void a_refused_configuration_says_why(void **state) {
    (void)state;
    struct fake_host *host = fake_host_new(&copier);
    assert_int_equal(fake_host_open(host, json_pack("{s:{s:s}}", "words", "greeting", "none")), -2);
    assert_string_equal(fake_host_why(host), "a greeting is needed");
    assert_int_equal(fake_host_open(host, NULL), 0);
    fake_host_free(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plugin_is_run_and_what_it_did_is_kept),
        cmocka_unit_test(items_of_a_batch_end_each_in_their_own_way),
        cmocka_unit_test(a_refused_configuration_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
