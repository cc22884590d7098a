#include "tests/unit/plugins/normalize/fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fake_host *normalize_host(json_t *config) {
    struct fake_host *host = fake_host_load(PLUGIN_PATH);
    if (fake_host_open(host, config)) fail_msg("%s", fake_host_why(host));
    return host;
}

struct fake_item *normalize_run(struct fake_host *host, const void *data, size_t size) {
    char digest[65], id[128];
    struct fake_item *item = fake_item_new(NORMALIZE_OBSERVATION);
    picture_digest(data, size, digest);
    snprintf(id, sizeof id, NORMALIZE_OBSERVATION ":image:%s", digest);
    size_t doc = fake_item_doc(item, json_pack("{s:s, s:s}", "_id", id, "kind", "image"));
    fake_item_blob(item, doc, "original", "image/jpeg", data, size);
    assert_int_equal(fake_host_process(host, item), 0);
    return item;
}

struct fake_item *normalize_file(struct file file, json_t *config) {
    struct fake_host *host = normalize_host(config);
    struct fake_item *item = normalize_run(host, file.data, file.size);
    fake_host_free(host);
    g_free(file.data);
    return item;
}

void assert_rejected(struct fake_item *item, const char *words) {
    if (item->verdict != LINNET_REJECT)
        fail_msg("expected a rejection (%s), got verdict %d", words, item->verdict);
    if (!strstr(item->reason, words)) fail_msg("\"%s\" is not in \"%s\"", words, item->reason);
    assert_int_equal(item->noutputs, 0);
    fake_item_free(item);
}

const struct linnet_blob *normalized_blob(const struct fake_item *item, const char *name) {
    if (item->verdict != LINNET_OK) fail_msg("verdict %d: %s", item->verdict, item->reason);
    assert_int_equal(item->noutputs, 1);
    for (size_t i = 0; i < item->outputs[0].nblobs; i++)
        if (!strcmp(item->outputs[0].blobs[i].name, name)) return &item->outputs[0].blobs[i];
    fail_msg("no attachment %s", name);
    return NULL;
}

VipsImage *normalized_image(const struct fake_item *item, const char *name) {
    const struct linnet_blob *blob = normalized_blob(item, name);
    return picture_load(blob->data, blob->size);
}

void assert_page_colour(const struct fake_item *item, const double expected[3], double tolerance) {
    VipsImage *page = normalized_image(item, "page.jpg");
    double pixel[4];
    assert_int_equal(page->Bands, 3);
    picture_pixel(page, page->Xsize / 2, page->Ysize / 2, pixel);
    for (int i = 0; i < 3; i++)
        if (fabs(pixel[i] - expected[i]) > tolerance)
            fail_msg("colour %.0f %.0f %.0f, expected %.0f %.0f %.0f", pixel[0], pixel[1], pixel[2],
                     expected[0], expected[1], expected[2]);
    g_object_unref(page);
}
