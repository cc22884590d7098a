/* A plugin with a vice: its configuration says which. With "none" it keeps the contract. */
#include <linnet/plugin.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct villain {
    const struct linnet_host *host;
    char vice[64];
    int opened;
    char position[64];
    int delivered; /* scope site: what must not be counted */
};

static bool has(const struct villain *self, const char *vice) {
    return !strcmp(self->vice, vice);
}

static atomic_int number_opened; /* instances open on threads of their own, perhaps at once */
static void *volatile lost; /* volatile: a compiler may see that nobody would miss it */

static void *linger(void *arg) {
    (void)arg;
    for (;;)
        pause();
    return NULL;
}

static int villain_open(const struct linnet_host *host, const json_t *config, void **instance, char *why,
                        size_t size) {
    struct villain *self = calloc(1, sizeof(*self));
    pthread_t thread;
    self->host = host;
    self->opened = number_opened++;
    snprintf(self->vice, sizeof(self->vice), "%s", json_string_value(json_object_get(config, "vice")));
    if (has(self, "crash at open")) abort();
    if (has(self, "refuse")) {
        snprintf(why, size, "no model was named");
        free(self);
        return -1;
    }
    if (has(self, "leak a descriptor") && dup(0) < 0) abort();
    if (has(self, "leak a thread") && pthread_create(&thread, NULL, linger, NULL)) abort();
    *instance = self;
    return 0;
}

static void villain_close(void *instance) {
    free(instance);
}

static int villain_fingerprint(void *instance, char *text, size_t size) {
    struct villain *self = instance;
    int tail = has(self, "another fingerprint each time") ? self->opened : 0;
    if (has(self, "another fingerprint each process")) tail = (int)getpid();
    snprintf(text, size, "villain %d", tail);
    return 0;
}

/* What happens on input that is not as it should be. */
static bool stumble(struct villain *self, const struct linnet_item *item) {
    const struct linnet_host *host = self->host;
    const struct linnet_doc *doc = &item->docs[0];
    const struct linnet_blob *blob = doc->nblobs ? doc->blobs : NULL;
    bool bad_blob = item->docs[0].json && strcmp(doc->kind, "image") == 0 &&
                    (!blob || blob->size < 64 || memcmp(blob->data, "\xff\xd8\xff", 3) != 0);
    bool bad_document = doc->json && !json_is_string(json_object_get(doc->json, "observer"));
    if (bad_blob && has(self, "crash on a bad blob")) abort();
    if (bad_blob && has(self, "exit on a bad blob")) _exit(7);
    if (bad_document && has(self, "crash on a bad document")) abort();
    if (bad_document && has(self, "hang on a bad document")) linger(NULL);
    if (bad_blob && has(self, "refuse without a reason")) {
        host->finish(host->ctx, item, LINNET_REJECT, NULL);
        return true;
    }
    if (bad_blob && has(self, "retry for ever")) {
        host->finish(host->ctx, item, LINNET_RETRY, "perhaps it mends itself");
        return true;
    }
    return false;
}

static void spoil(struct villain *self, const struct linnet_item *item) {
    const struct linnet_doc *doc = &item->docs[0];
    if (has(self, "change a document")) json_object_set_new(doc->json, "spoiled", json_true());
    if (has(self, "change a blob") && doc->nblobs) ((char *)doc->blobs[0].data)[doc->blobs[0].size - 1] ^= 1;
    if (has(self, "keep a reference")) json_incref(doc->json);
    if (has(self, "give back too much")) json_decref(doc->json);
    if (has(self, "write a file")) {
        FILE *file = fopen("villain.log", "w");
        if (file) fclose(file);
    }
    if (has(self, "write to home")) {
        char path[512];
        snprintf(path, sizeof(path), "%s/.villain", getenv("HOME"));
        FILE *file = fopen(path, "w");
        if (file) fclose(file);
    }
    if (has(self, "leak memory")) lost = malloc(100000);
    if (has(self, "dawdle")) usleep(200000);
}

static void work_on(struct villain *self, const struct linnet_item *item, size_t place, size_t n) {
    const struct linnet_host *host = self->host;
    struct linnet_output output = {
        .document = json_pack("{s:i, s:f}", "length", (int)strlen(item->docs[0].id), "score", 0.5)};
    if (has(self, "look at the batch"))
        json_object_set_new(output.document, "company", json_integer((json_int_t)n));
    if (has(self, "look at the instance"))
        json_object_set_new(output.document, "score", json_real(0.5 + self->opened / 100.0));
    if (has(self, "last digits differ"))
        json_object_set_new(output.document, "score", json_real(0.5 + (double)n * 1e-7));
    if (has(self, "undeclared kind")) output.kind = "prediction";
    if (has(self, "set the digest")) json_object_set_new(output.document, "digest", json_string("mine"));
    if (has(self, "break the schema")) json_object_set_new(output.document, "score", json_string("high"));
    if (item->docs[0].deleted) {
        json_decref(output.document);
        output.document = NULL;
    }
    if (has(self, "count deliveries") && output.document)
        json_object_set_new(output.document, "deliveries", json_integer(self->delivered++));
    host->emit(host->ctx, item, &output);
    if (has(self, "forget the last") && place + 1 == n && n > 1) return;
    host->finish(host->ctx, item, LINNET_OK, NULL);
    if (has(self, "finish twice")) host->finish(host->ctx, item, LINNET_OK, NULL);
}

static int villain_process(void *instance, const struct linnet_item *const *items, size_t n) {
    struct villain *self = instance;
    for (size_t i = 0; i < n; i++) {
        if (items[i]->docs[0].deleted && has(self, "crash on a tombstone")) abort();
        if (stumble(self, items[i])) continue;
        if (items[i]->docs[0].json) spoil(self, items[i]);
        work_on(self, items[i], i, n);
    }
    return 0;
}

static const char *const blobs[] = {"original", NULL};
static const struct linnet_input inputs[] = {
    {.kind = "image", .flags = LINNET_TRIGGER, .blobs = blobs},
    {.kind = "observation", .flags = LINNET_OPTIONAL},
    {.kind = NULL},
};
static const char *const produces[] = {"villainy", NULL};

#ifdef VILLAIN_SITE
static int villain_snapshot(void *instance, const char *position) {
    struct villain *self = instance;
    char path[512];
    if (!self->host->state_dir) return has(self, "insist on a folder") ? -1 : 0;
    snprintf(path, sizeof(path), "%s/position", self->host->state_dir);
    FILE *file = fopen(path, "w");
    if (!file) return -1;
    fputs(has(self, "save another position") ? "0" : position, file);
    return fclose(file);
}

static int villain_restore(void *instance, char *position, size_t size) {
    struct villain *self = instance;
    char path[512];
    position[0] = '\0';
    if (!self->host->state_dir) return has(self, "insist on a folder") ? -1 : 0;
    snprintf(path, sizeof(path), "%s/position", self->host->state_dir);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (!fgets(position, (int)size, file)) position[0] = '\0';
    return fclose(file);
}
#endif

static const struct linnet_plugin plugin = {
    .struct_size = sizeof(struct linnet_plugin),
    .abi = LINNET_PLUGIN_ABI,
    .output_version = 1,
    .name = "villain",
    .version = "1.0.0",
    .licence = "Apache-2.0",
    .summary = "breaks its contract as it is told",
#ifdef VILLAIN_OPEN_SCHEMA
    .config_schema =
        "{\"type\":\"object\",\"properties\":{\"vice\":{\"type\":\"string\",\"default\":\"none\"}},"
        "\"additionalProperties\":true}",
#else
    .config_schema =
        "{\"type\":\"object\",\"properties\":{\"vice\":{\"type\":\"string\",\"default\":\"none\"}}}",
#endif
    .inputs = inputs,
    .produces = produces,
    .batch_max = 8,
    .deadline_ms = 1000,
    .open = villain_open,
    .fingerprint = villain_fingerprint,
    .process = villain_process,
    .close = villain_close,
#ifdef VILLAIN_SITE
    .scope = LINNET_SCOPE_SITE,
    .snapshot = villain_snapshot,
    .restore = villain_restore,
#endif
};

LINNET_PLUGIN_EXPORT const struct linnet_plugin *linnet_plugin(void) {
    return &plugin;
}
