#include "tests/unit/plugins/fake_host.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/id.h"
#include "common/base/schema.h"
#include "common/taxonomy/taxonomy.h"

#define FAKE_HOST_MAGIC 0x6c696e68

struct fake_file {
    char *id, *name, *path;
};

struct fake_host {
    unsigned magic;
    const struct linnet_plugin *plugin;
    struct linnet_host services;
    void *instance;
    bool open;
    bool working; /* inside process or tick: emit and finish are allowed */
    json_t *config;
    json_t *references; /* by id */
    struct fake_file *files;
    size_t nfiles;
    struct linnet_taxonomy *taxonomy;
    struct linnet_schemas *schemas;
    char *state_dir;
    int64_t now;
    char why[1024];
    json_t *counts;
    char *log;
    struct fake_output *outputs; /* without an item */
    size_t noutputs;
};

/* Memory is never short in a test. */
static void *grown(void *array, size_t n, size_t size) {
    void *bigger = realloc(array, (n ? n : 1) * size);
    assert_non_null(bigger);
    return bigger;
}

static char *copied(const char *text) {
    char *copy = strdup(text);
    assert_non_null(copy);
    return copy;
}

/* --- documents --- */

static void digest_of(const json_t *document, char out[65]) {
    const char *own = json_string_value(json_object_get(document, "digest"));
    char *text = own ? NULL : json_dumps(document, JSON_SORT_KEYS | JSON_COMPACT);
    if (own) {
        snprintf(out, 65, "%s", own);
        return;
    }
    assert_non_null(text);
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(out, 65, hash, sizeof hash);
    free(text);
}

/* "<26 characters>:kind[:qualifier]" or "kind[:qualifier]". */
static size_t push_doc(struct fake_item *item, const char *id, json_t *document) {
    const char *kind = strlen(id) > 27 && id[26] == ':' ? id + 27 : id;
    const char *colon = strchr(kind, ':');
    char digest[65] = "";
    if (document) digest_of(document, digest);
    item->docs = grown(item->docs, item->ndocs + 1, sizeof *item->docs);
    item->docs[item->ndocs] = (struct linnet_doc){
        .id = copied(id),
        .kind = colon ? strndup(kind, (size_t)(colon - kind)) : copied(kind),
        .qualifier = copied(colon ? colon + 1 : ""),
        .digest = copied(digest),
        .json = document,
        .deleted = !document,
    };
    return item->ndocs++;
}

static void free_blobs(const struct linnet_blob *blobs, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free((void *)blobs[i].name);
        free((void *)blobs[i].content_type);
        free((void *)blobs[i].data);
    }
    free((void *)blobs);
}

/* The bytes end exactly where the allocation ends, so that AddressSanitizer sees a read past them. */
static struct linnet_blob copied_blob(const char *name, const char *content_type, const void *data,
                                      size_t size) {
    void *bytes = malloc(size ? size : 1);
    assert_non_null(bytes);
    if (size) memcpy(bytes, data, size);
    return (struct linnet_blob){copied(name), copied(content_type), bytes, size};
}

static void free_output(struct fake_output *output) {
    free(output->kind);
    free(output->observation);
    free(output->qualifier);
    free(output->device);
    json_decref(output->document);
    json_decref(output->inputs);
    free_blobs(output->blobs, output->nblobs);
}

struct fake_item *fake_item_new(const char *observation) {
    struct fake_item *item = calloc(1, sizeof *item);
    assert_non_null(item);
    item->item.observation = copied(observation);
    item->selected = true;
    return item;
}

void fake_item_free(struct fake_item *item) {
    if (!item) return;
    for (size_t i = 0; i < item->ndocs; i++) {
        struct linnet_doc *doc = &item->docs[i];
        free((void *)doc->id);
        free((void *)doc->kind);
        free((void *)doc->qualifier);
        free((void *)doc->digest);
        json_decref(doc->json);
        free_blobs(doc->blobs, doc->nblobs);
    }
    for (size_t i = 0; i < item->noutputs; i++)
        free_output(&item->outputs[i]);
    free(item->outputs);
    free(item->docs);
    free(item->visible);
    free(item->kept);
    free(item->reason);
    free(item->qualifier);
    free((void *)item->item.observation);
    free(item);
}

size_t fake_item_doc(struct fake_item *item, json_t *document) {
    assert_non_null(document);
    const char *id = json_string_value(json_object_get(document, "_id"));
    assert_non_null(id);
    return push_doc(item, id, document);
}

size_t fake_item_tombstone(struct fake_item *item, const char *id) {
    return push_doc(item, id, NULL);
}

void fake_item_blob(struct fake_item *item, size_t doc, const char *name, const char *content_type,
                    const void *data, size_t size) {
    assert_true(doc < item->ndocs);
    struct linnet_doc *to = &item->docs[doc];
    struct linnet_blob *blobs = grown((void *)to->blobs, to->nblobs + 1, sizeof *blobs);
    blobs[to->nblobs++] = copied_blob(name, content_type, data, size);
    to->blobs = blobs;
}

/* --- the services --- */

static bool is_declared(const struct linnet_plugin *plugin, const char *kind) {
    for (const char *const *known = plugin->produces; *known; known++)
        if (!strcmp(*known, kind)) return true;
    return false;
}

/* What a stage writes, completed as the host does, fits the schema of its kind, if that is one of Linnet's.
 */
static void check_document(struct fake_host *host, const struct fake_output *output) {
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    char id[LINNET_ID_MAX];
    struct linnet_error err = {0};
    if (!output->document || linnet_kind_database(output->kind) == LINNET_DB_NONE) return;
    assert_int_equal(linnet_id_format(output->observation, output->kind, output->qualifier, id), 0);
    json_t *document = json_copy(output->document);
    json_object_set_new(document, "_id", json_string(id));
    json_object_set_new(document, "kind", json_string(output->kind));
    json_object_set_new(document, "stage",
                        json_pack("{s:s, s:s, s:s}", "name", host->plugin->name, "version",
                                  host->plugin->version ? host->plugin->version : "0", "fingerprint", zeros));
    json_object_set_new(document, "inputs", json_array());
    json_object_set_new(document, "digest", json_string(zeros));
    if (linnet_schemas_check(host->schemas, output->kind, document, &err)) fail_msg("%s: %s", id, err.detail);
    json_decref(document);
}

static int host_emit(void *ctx, const struct linnet_item *item, struct linnet_output *output) {
    struct fake_host *host = ctx;
    struct fake_item *owner = item ? item->host : NULL;
    const char *kind = output->kind ? output->kind : host->plugin->produces[0];
    const char *qualifier = output->qualifier ? output->qualifier : owner ? owner->qualifier : NULL;
    const char *observation = output->observation ? output->observation : item ? item->observation : "";
    assert_true(host->working);
    assert_true(is_declared(host->plugin, kind));
    assert_true(item || host->plugin->scope == LINNET_SCOPE_SITE);
    assert_true(!output->document || json_is_object(output->document));
    if (owner) assert_int_equal(owner->finished, 0);

    struct fake_output **list = owner ? &owner->outputs : &host->outputs;
    size_t *n = owner ? &owner->noutputs : &host->noutputs;
    *list = grown(*list, *n + 1, sizeof **list);
    struct fake_output *kept = &(*list)[(*n)++];
    *kept = (struct fake_output){
        .kind = copied(kind),
        .observation = copied(observation),
        .qualifier = copied(qualifier ? qualifier : ""),
        .document = output->document,
        .inputs = output->inputs,
        .create_only = output->create_only,
        .device = output->device ? copied(output->device) : NULL,
        .nblobs = output->nblobs,
    };
    kept->blobs = grown(NULL, output->nblobs, sizeof *kept->blobs);
    for (size_t i = 0; i < output->nblobs; i++) {
        const struct linnet_blob *blob = &output->blobs[i];
        kept->blobs[i] = copied_blob(blob->name, blob->content_type, blob->data, blob->size);
    }
    check_document(host, kept);
    return 0;
}

static int host_finish(void *ctx, const struct linnet_item *item, enum linnet_verdict verdict,
                       const char *reason) {
    struct fake_host *host = ctx;
    struct fake_item *owner = item->host;
    assert_true(host->working);
    assert_int_equal(owner->finished, 0);
    if (verdict != LINNET_OK && verdict != LINNET_SKIP) assert_true(reason && *reason);
    owner->finished++;
    owner->verdict = verdict;
    owner->reason = reason ? copied(reason) : NULL;
    return 0;
}

__attribute__((format(printf, 3, 4))) static void host_log(void *ctx, int level, const char *format, ...) {
    struct fake_host *host = ctx;
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    assert_in_range(level, 0, 3);
    size_t used = host->log ? strlen(host->log) : 0;
    host->log = grown(host->log, used + strlen(line) + 2, 1);
    sprintf(host->log + used, "%s\n", line);
}

static void host_gauge(void *ctx, const char *name, double value) {
    json_object_set_new(((struct fake_host *)ctx)->counts, name, json_real(value));
}

static void host_count(void *ctx, const char *name, double value) {
    const struct fake_host *host = ctx;
    host_gauge(ctx, name, value + json_number_value(json_object_get(host->counts, name)));
}

static json_t *host_reference(void *ctx, const char *id) {
    return json_object_get(((struct fake_host *)ctx)->references, id);
}

static int compare_ids(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int host_references(void *ctx, const char *prefix,
                           int (*each)(void *arg, const char *id, json_t *document), void *arg) {
    struct fake_host *host = ctx;
    size_t n = 0;
    int answer = 0;
    const char *id;
    json_t *document;
    const char **ids = grown(NULL, json_object_size(host->references), sizeof *ids);
    json_object_foreach(host->references, id, document) if (!strncmp(id, prefix, strlen(prefix))) ids[n++] =
        id;
    qsort(ids, n, sizeof *ids, compare_ids);
    for (size_t i = 0; i < n && !answer; i++)
        answer = each(arg, ids[i], json_object_get(host->references, ids[i]));
    free(ids);
    return answer;
}

static const char *host_reference_file(void *ctx, const char *id, const char *name) {
    struct fake_host *host = ctx;
    for (size_t i = 0; i < host->nfiles; i++)
        if (!strcmp(host->files[i].id, id) && !strcmp(host->files[i].name, name)) return host->files[i].path;
    return NULL;
}

static const struct linnet_taxonomy *host_taxonomy(void *ctx) {
    return ((struct fake_host *)ctx)->taxonomy;
}

/* No key is needed here: what is sealed is the JSON itself. */
static json_t *host_unseal(void *ctx, const char *sealed) {
    (void)ctx;
    return json_loads(sealed, 0, NULL);
}

static int64_t host_now(void *ctx) {
    return ((struct fake_host *)ctx)->now;
}

/* --- the host --- */

struct fake_host *fake_host_new(const struct linnet_plugin *plugin) {
    struct fake_host *host = calloc(1, sizeof *host);
    assert_non_null(host);
    assert_non_null(plugin);
    assert_int_equal(plugin->abi, LINNET_PLUGIN_ABI);
    assert_int_equal(plugin->struct_size, sizeof *plugin);
    assert_true(sodium_init() >= 0);
    host->magic = FAKE_HOST_MAGIC;
    host->plugin = plugin;
    struct linnet_error err = {0};
    host->schemas = linnet_schemas_new();
    if (linnet_schemas_add_folder(host->schemas, SCHEMAS, &err)) fail_msg("%s", err.detail);
    host->references = json_object();
    host->counts = json_object();
    host->services = (struct linnet_host){
        .struct_size = sizeof host->services,
        .ctx = host,
        .emit = host_emit,
        .finish = host_finish,
        .log = host_log,
        .count = host_count,
        .gauge = host_gauge,
        .reference = host_reference,
        .references = host_references,
        .reference_file = host_reference_file,
        .taxonomy = host_taxonomy,
        .unseal = host_unseal,
        .now = host_now,
    };
    return host;
}

struct fake_host *fake_host_load(const char *path) {
    void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!file) fail_msg("%s", dlerror());
    const struct linnet_plugin *(*entry)(void);
    *(void **)&entry = dlsym(file, "linnet_plugin");
    assert_non_null(entry);
    return fake_host_new(entry());
}

void fake_host_free(struct fake_host *host) {
    if (!host) return;
    assert_int_equal(host->magic, FAKE_HOST_MAGIC);
    fake_host_close(host);
    fake_host_forget(host);
    for (size_t i = 0; i < host->nfiles; i++) {
        free(host->files[i].id);
        free(host->files[i].name);
        free(host->files[i].path);
    }
    free(host->files);
    linnet_schemas_free(host->schemas);
    free(host->state_dir);
    free(host->log);
    json_decref(host->references);
    json_decref(host->counts);
    free(host);
}

void fake_host_reference(struct fake_host *host, json_t *document) {
    const char *id = json_string_value(json_object_get(document, "_id"));
    assert_non_null(id);
    assert_false(host->open);
    assert_int_equal(json_object_set_new(host->references, id, document), 0);
}

void fake_host_reference_file(struct fake_host *host, const char *id, const char *name, const char *path) {
    host->files = grown(host->files, host->nfiles + 1, sizeof *host->files);
    host->files[host->nfiles++] = (struct fake_file){copied(id), copied(name), copied(path)};
}

void fake_host_state_dir(struct fake_host *host, const char *path) {
    free(host->state_dir);
    host->state_dir = copied(path);
    host->services.state_dir = host->state_dir;
}

void fake_host_set_now(struct fake_host *host, int64_t unix_ms) {
    host->now = unix_ms;
}

/* Members of `schema` that have a default and are missing in `config`, at every depth. */
static void fill_defaults(const json_t *schema, json_t *config) {
    const char *name;
    json_t *property;
    json_object_foreach(json_object_get(schema, "properties"), name, property) {
        json_t *value = json_object_get(property, "default");
        if (value && !json_object_get(config, name)) json_object_set_new(config, name, json_deep_copy(value));
        if (json_is_object(json_object_get(config, name)))
            fill_defaults(property, json_object_get(config, name));
    }
}

static void make_taxonomy(struct fake_host *host) {
    struct linnet_error err = {0};
    size_t orphans;
    const char *id;
    json_t *document;
    linnet_taxonomy_free(host->taxonomy);
    host->taxonomy = linnet_taxonomy_new();
    assert_non_null(host->taxonomy);
    json_object_foreach(host->references, id, document) {
        if (strncmp(id, "taxon:", 6)) continue;
        if (linnet_taxonomy_add(host->taxonomy, id, document, &err)) fail_msg("%s: %s", id, err.detail);
    }
    if (linnet_taxonomy_finish(host->taxonomy, &orphans, &err)) fail_msg("taxonomy: %s", err.detail);
}

static void free_taxonomy(struct fake_host *host) {
    linnet_taxonomy_free(host->taxonomy);
    host->taxonomy = NULL;
}

int fake_host_open(struct fake_host *host, json_t *config) {
    const struct linnet_plugin *plugin = host->plugin;
    json_error_t fault;
    json_t *schema = json_loads(plugin->config_schema ? plugin->config_schema : "{}", 0, &fault);
    if (!schema) fail_msg("config_schema, line %d: %s", fault.line, fault.text);
    assert_false(host->open);
    host->config = config ? config : json_object();
    fill_defaults(schema, host->config);
    json_decref(schema);
    make_taxonomy(host);

    host->why[0] = '\0';
    int error = plugin->check ? plugin->check(&host->services, host->config, host->why, sizeof host->why) : 0;
    if (!error)
        error = plugin->open(&host->services, host->config, &host->instance, host->why, sizeof host->why);
    if (error) {
        assert_true(error < 0);
        assert_true(*host->why);
        json_decref(host->config);
        host->config = NULL;
        free_taxonomy(host);
    }
    host->open = !error;
    return error;
}

const char *fake_host_why(const struct fake_host *host) {
    return host->why;
}

void fake_host_close(struct fake_host *host) {
    if (!host->open) return;
    host->plugin->close(host->instance);
    host->instance = NULL;
    host->open = false;
    json_decref(host->config);
    host->config = NULL;
    free_taxonomy(host);
}

const struct linnet_plugin *fake_host_plugin(const struct fake_host *host) {
    return host->plugin;
}

void *fake_host_instance(const struct fake_host *host) {
    return host->instance;
}

char *fake_host_fingerprint(struct fake_host *host) {
    char text[4096] = "";
    assert_true(host->open);
    if (host->plugin->fingerprint)
        assert_int_equal(host->plugin->fingerprint(host->instance, text, sizeof text), 0);
    return copied(text);
}

/* --- work --- */

/* What the host's loop does before an item is queued: `select`, then `qualifier` on what is left. */
static void prepare(struct fake_host *host, struct fake_item *item) {
    const struct linnet_plugin *plugin = host->plugin;
    item->item.docs = item->docs;
    item->item.ndocs = item->ndocs;
    item->item.host = item;
    item->kept = grown(item->kept, item->ndocs, sizeof *item->kept);
    for (size_t i = 0; i < item->ndocs; i++)
        item->kept[i] = true;
    item->selected = plugin->select ? plugin->select(host->instance, &item->item, item->kept) : true;

    size_t n = 0;
    item->visible = grown(item->visible, item->ndocs, sizeof *item->visible);
    for (size_t i = 0; i < item->ndocs; i++)
        if (item->kept[i]) item->visible[n++] = item->docs[i];
    item->item.docs = item->visible;
    item->item.ndocs = n;

    char qualifier[512] = "";
    if (plugin->qualifier) {
        assert_int_equal(plugin->qualifier(host->instance, &item->item, qualifier, sizeof qualifier), 0);
    } else if (plugin->unit == LINNET_UNIT_DOCUMENT && item->ndocs) {
        snprintf(qualifier, sizeof qualifier, "%s", item->docs[0].qualifier);
    }
    free(item->qualifier);
    item->qualifier = copied(qualifier);
}

/* Ready for another round: what an earlier `process` left is dropped. */
static void reset(struct fake_item *item) {
    for (size_t i = 0; i < item->noutputs; i++)
        free_output(&item->outputs[i]);
    item->noutputs = 0;
    item->finished = 0;
    free(item->reason);
    item->reason = NULL;
}

int fake_host_process_batch(struct fake_host *host, struct fake_item *const *items, size_t n) {
    assert_true(host->open);
    assert_true(n <= (host->plugin->batch_max ? host->plugin->batch_max : 1));
    const struct linnet_item **batch = grown(NULL, n, sizeof(*batch));
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        reset(items[i]);
        prepare(host, items[i]);
        if (items[i]->selected) batch[used++] = &items[i]->item;
    }
    host->working = true;
    int error = used ? host->plugin->process(host->instance, batch, used) : 0;
    host->working = false;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(items[i]->finished, !error && items[i]->selected ? 1 : 0);
        if (error) assert_int_equal(items[i]->noutputs, 0);
    }
    free(batch);
    return error;
}

int fake_host_process(struct fake_host *host, struct fake_item *item) {
    return fake_host_process_batch(host, &item, 1);
}

int fake_host_tick(struct fake_host *host) {
    assert_true(host->open);
    assert_non_null(host->plugin->tick);
    host->working = true;
    int error = host->plugin->tick(host->instance);
    host->working = false;
    return error;
}

int fake_host_drain(struct fake_host *host) {
    assert_true(host->open);
    host->working = true;
    int error = host->plugin->drain ? host->plugin->drain(host->instance) : 0;
    host->working = false;
    return error;
}

int fake_host_snapshot(struct fake_host *host, const char *position) {
    assert_true(host->open);
    assert_non_null(host->plugin->snapshot);
    return host->plugin->snapshot(host->instance, position);
}

char *fake_host_restore(struct fake_host *host) {
    char position[4096] = "";
    assert_true(host->open);
    assert_non_null(host->plugin->restore);
    assert_int_equal(host->plugin->restore(host->instance, position, sizeof position), 0);
    return copied(position);
}

const struct fake_output *fake_host_outputs(const struct fake_host *host, size_t *n) {
    *n = host->noutputs;
    return host->outputs;
}

void fake_host_forget(struct fake_host *host) {
    for (size_t i = 0; i < host->noutputs; i++)
        free_output(&host->outputs[i]);
    free(host->outputs);
    host->outputs = NULL, host->noutputs = 0;
}

double fake_host_counted(const struct fake_host *host, const char *name) {
    return json_number_value(json_object_get(host->counts, name));
}

bool fake_host_logged(const struct fake_host *host, const char *text) {
    return host->log && strstr(host->log, text);
}
