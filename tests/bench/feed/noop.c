/* The stage of the benchmark: it does nothing but answer, so that what is measured is the way of a change to its result. */
#include <linnet/plugin.h>
#include <stdlib.h>
#include <string.h>

static int open_noop(const struct linnet_host *host, const json_t *config, void **instance, char *why, size_t size) {
    (void)config;
    (void)why;
    (void)size;
    *instance = (void *)host;
    return 0;
}

static int qualifier_noop(void *instance, const struct linnet_item *item, char *out, size_t size) {
    (void)instance;
    (void)item;
    (void)size;
    out[0] = '\0';
    return 0;
}

static int process_noop(void *instance, const struct linnet_item *const *items, size_t n) {
    const struct linnet_host *host = instance;
    for (size_t i = 0; i < n; i++) {
        struct linnet_output output = {.document = json_pack("{s:s, s:i}", "method", "noop", "views",
                                                             (int)json_array_size(json_object_get(items[i]->docs[0].json, "views")))};
        int rc = host->emit(host->ctx, items[i], &output);
        host->finish(host->ctx, items[i], rc ? LINNET_RETRY : LINNET_OK, rc ? "could not be emitted" : NULL);
    }
    return 0;
}

static void close_noop(void *instance) {
    (void)instance;
}

static const struct linnet_input inputs[] = {{"observation", LINNET_TRIGGER, NULL, NULL}, {NULL, 0, NULL, NULL}};
static const char *const produces[] = {"noop", NULL};

static const struct linnet_plugin plugin = {.struct_size = sizeof(struct linnet_plugin),
                                            .abi = LINNET_PLUGIN_ABI,
                                            .output_version = 1,
                                            .name = "noop",
                                            .version = "1.0.0",
                                            .licence = "GPL-3.0-or-later",
                                            .summary = "Does nothing, quickly",
                                            .config_schema = "{\"type\":\"object\"}",
                                            .inputs = inputs,
                                            .produces = produces,
                                            .unit = LINNET_UNIT_DOCUMENT,
                                            .instances = 1,
                                            .batch_max = 256,
                                            .batch_delay_ms = 2,
                                            .open = open_noop,
                                            .qualifier = qualifier_noop,
                                            .process = process_noop,
                                            .close = close_noop};

LINNET_PLUGIN_EXPORT const struct linnet_plugin *linnet_plugin(void) {
    return &plugin;
}
