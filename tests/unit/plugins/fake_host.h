/* A host for the tests of plugins: it holds a plugin to its contract and keeps what the plugin did, with no
 * store, no threads and no queue. Everything runs on the caller's thread. A breach of the contract (an item
 * finished twice or never, an output of an undeclared kind or that does not fit its schema, a refusal without
 * words, a service called outside its time) fails the running test.
 *
 *     struct fake_host *host = fake_host_load(PLUGIN_PATH);
 *     fake_host_reference(host, json_pack(...));             before open
 *     assert_int_equal(fake_host_open(host, NULL), 0);
 *     struct fake_item *item = fake_item_new("01HX...");
 *     fake_item_doc(item, json_pack(...));                   in the order in which the plugin shall see them
 *     fake_host_process(host, item);                         select, qualifier, process
 *     assert_int_equal(item->verdict, LINNET_OK);
 *     ... item->outputs[0].document ...
 *     fake_item_free(item);
 *     fake_host_free(host);
 */
#ifndef LINNET_TESTS_FAKE_HOST_H
#define LINNET_TESTS_FAKE_HOST_H

#include <jansson.h>
#include <linnet/plugin.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_host;

/* What a plugin emitted. Everything is the item's (or the host's, for what was emitted without an item). */
struct fake_output {
    char *kind;        /* never NULL: produces[0] if the plugin named none */
    char *observation; /* never NULL: the item's if the plugin named none */
    char *qualifier;   /* as the plugin gave it, else by its `qualifier` call, else the trigger's own; "" if
                          none */
    json_t *document;  /* NULL: the plugin deletes the document */
    struct linnet_blob *blobs;
    size_t nblobs;
    json_t *inputs; /* NULL: all documents of the item */
    bool create_only;
    char *device; /* may be NULL */
};

/* One item and how it ended. Read the fields, change none. */
struct fake_item {
    struct linnet_item item; /* what `process` sees: without what `select` dropped */
    struct linnet_doc *docs; /* all that were added */
    size_t ndocs;
    bool *kept;    /* what `select` said of docs[i]; all true without `select` */
    bool selected; /* `select`'s answer: false means that `process` has not seen the item */
    size_t finished;
    enum linnet_verdict verdict;
    char *reason; /* may be NULL with LINNET_OK */
    struct fake_output *outputs;
    size_t noutputs;
    char *qualifier;            /* of its outputs */
    struct linnet_doc *visible; /* the fake host's: item.docs */
};

/* A host for a plugin that is linked in, or for a shared object (opened, its ABI checked; never unloaded). */
struct fake_host *fake_host_new(const struct linnet_plugin *plugin);
struct fake_host *fake_host_load(const char *path);
/* Close the instance if it is open and free all. NULL is safe. */
void fake_host_free(struct fake_host *host);

/* Before `open`: a reference document by its _id (the reference is taken over; kind taxon goes into the
 * taxonomy too), the path of an attachment, the state folder of a site stage. */
void fake_host_reference(struct fake_host *host, json_t *document);
void fake_host_reference_file(struct fake_host *host, const char *id, const char *name, const char *path);
void fake_host_state_dir(struct fake_host *host, const char *path);
/* What `now` says; 0 at first. */
void fake_host_set_now(struct fake_host *host, int64_t unix_ms);

/* `check`, then `open`, with `config` (taken over; NULL: {}) completed by the defaults of the plugin's
 * schema. 0, or what the plugin returned, its words in fake_host_why. */
int fake_host_open(struct fake_host *host, json_t *config);
const char *fake_host_why(const struct fake_host *host);
/* Close; it can be opened again. */
void fake_host_close(struct fake_host *host);
const struct linnet_plugin *fake_host_plugin(const struct fake_host *host);
void *fake_host_instance(const struct fake_host *host);
/* The fingerprint's text, "" if the plugin has none. The caller frees it. */
char *fake_host_fingerprint(struct fake_host *host);

/* An item without documents yet. */
struct fake_item *fake_item_new(const char *observation);
void fake_item_free(struct fake_item *item);
/* Add a document by its _id (the reference is taken over). Its digest is its member "digest", else of its
 * text. Returns its place. */
size_t fake_item_doc(struct fake_item *item, json_t *document);
/* Add a tombstone. */
size_t fake_item_tombstone(struct fake_item *item, const char *id);
/* Give a document a blob; the bytes are copied. */
void fake_item_blob(struct fake_item *item, size_t doc, const char *name, const char *content_type,
                    const void *data, size_t size);

/* Run the plugin on one item, or on a batch. Afterwards each item that was selected has been finished once.
 * Returns what `process` returned (0, or non-zero and no item was touched). */
int fake_host_process(struct fake_host *host, struct fake_item *item);
int fake_host_process_batch(struct fake_host *host, struct fake_item *const *items, size_t n);

/* Scope site. What is emitted without an item is kept in the host until fake_host_forget. `position` of
 * restore: the caller frees it. */
int fake_host_tick(struct fake_host *host);
int fake_host_drain(struct fake_host *host);
int fake_host_snapshot(struct fake_host *host, const char *position);
char *fake_host_restore(struct fake_host *host);
const struct fake_output *fake_host_outputs(const struct fake_host *host, size_t *n);
void fake_host_forget(struct fake_host *host);

/* What was counted under a name so far, or the last value of a gauge, and whether a logged line holds a text.
 */
double fake_host_counted(const struct fake_host *host, const char *name);
bool fake_host_logged(const struct fake_host *host, const char *text);

#endif
