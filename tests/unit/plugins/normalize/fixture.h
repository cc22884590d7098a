/* What the tests of normalize share: put bytes through the plugin, look at what comes out. */
#ifndef LINNET_TESTS_NORMALIZE_FIXTURE_H
#define LINNET_TESTS_NORMALIZE_FIXTURE_H

#include "tests/unit/plugins/fake_host.h"
#include "tests/unit/plugins/normalize/pictures.h"

#define NORMALIZE_OBSERVATION "01HX0000000000000000000000"

/* A host with the plugin open. `config` is taken over, NULL for the defaults. */
struct fake_host *normalize_host(json_t *config);
/* Run the plugin on bytes under their right digest. */
struct fake_item *normalize_run(struct fake_host *host, const void *data, size_t size);
/* Run it on a file (freed) with a plugin opened for it alone by `config`. */
struct fake_item *normalize_file(struct file file, json_t *config);
/* The item ended with LINNET_REJECT and a reason that holds `words`. Frees the item. */
void assert_rejected(struct fake_item *item, const char *words);
/* An attachment of the one output; the test fails if it is not there. */
const struct linnet_blob *normalized_blob(const struct fake_item *item, const char *name);
/* The same as pixels; the caller unrefs. */
VipsImage *normalized_image(const struct fake_item *item, const char *name);
/* A pixel in the middle of page.jpg is `expected`, each band within `tolerance`. */
void assert_page_colour(const struct fake_item *item, const double expected[3], double tolerance);

#endif
