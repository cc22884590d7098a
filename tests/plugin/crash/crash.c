/* A stage that does what stages must not: it dies of pictures that ask for it, so that the tests can see what
 * becomes of the rest.
 *
 * A picture that holds the text "linnet-crash:HOW;" is
 *   segv     read from nowhere, in the thread that runs the batch
 *   abort    abort()
 *   thread   the same in a thread of the stage's own, as a library might
 *   exit     exit(3) from inside a stage
 *   hang     never done
 *   kill     the process killed as if from outside, after `patience_ms`
 *   reject   refused in order
 * Every other picture becomes a document "<observation>:survived:<picture>". */
#include <linnet/plugin.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct crash {
    const struct linnet_host *host;
    unsigned work_ms, patience_ms;
};

static int crash_open(const struct linnet_host *host, const json_t *config, void **instance, char *why,
                      size_t size) {
    struct crash *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(why, size, "out of memory");
        return -1;
    }
    self->host = host;
    self->work_ms = (unsigned)json_integer_value(json_object_get(config, "work_ms"));
    self->patience_ms = (unsigned)json_integer_value(json_object_get(config, "patience_ms"));
    *instance = self;
    return 0;
}

static void crash_close(void *instance) {
    free(instance);
}

static volatile uintptr_t nowhere = 16; /* not known to the compiler, which would object */

static void fault(void) {
    *(volatile int *)nowhere = 1;
}

static void *fault_thread(void *arg) {
    fault();
    return arg;
}

static void fault_elsewhere(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, fault_thread, NULL) == 0) pthread_join(thread, NULL);
}

/* Does the picture ask for this? */
static bool asks(const struct linnet_item *item, const char *how) {
    char mark[64];
    int size = snprintf(mark, sizeof mark, "linnet-crash:%s;", how);
    for (size_t i = 0; i < item->docs[0].nblobs; i++)
        if (memmem(item->docs[0].blobs[i].data, item->docs[0].blobs[i].size, mark, (size_t)size) != NULL)
            return true;
    return false;
}

static void suffer(const struct crash *self, const struct linnet_item *item) {
    if (asks(item, "segv")) fault();
    if (asks(item, "abort")) abort();
    if (asks(item, "thread")) fault_elsewhere();
    if (asks(item, "exit")) exit(3);
    while (asks(item, "hang"))
        pause();
    if (asks(item, "kill")) {
        usleep(self->patience_ms * 1000);
        kill(getpid(), SIGKILL);
    }
}

static int crash_process(void *instance, const struct linnet_item *const *items, size_t n) {
    struct crash *self = instance;
    for (size_t i = 0; i < n; i++) {
        usleep(self->work_ms * 1000);
        suffer(self, items[i]);
        if (asks(items[i], "reject")) {
            self->host->finish(self->host->ctx, items[i], LINNET_REJECT, "it asked for it");
            continue;
        }
        struct linnet_output output = {.document = json_pack("{s:b}", "survived", 1)};
        int rc = self->host->emit(self->host->ctx, items[i], &output);
        self->host->finish(self->host->ctx, items[i], rc == 0 ? LINNET_OK : LINNET_RETRY,
                           rc == 0 ? NULL : "cannot emit");
    }
    return 0;
}

static const char *const blobs[] = {"original", NULL};
static const struct linnet_input inputs[] = {{.kind = "image", .flags = LINNET_TRIGGER, .blobs = blobs}, {0}};
static const char *const operational[] = {"work_ms", "patience_ms", NULL};
static const char *const produces[] = {"survived", NULL};

static const struct linnet_plugin plugin = {
    .struct_size = sizeof plugin,
    .abi = LINNET_PLUGIN_ABI,
    .output_version = 1,
    .name = "crash",
    .version = "0.1.0",
    .licence = "Apache-2.0",
    .summary = "dies of pictures that ask for it (tests)",
    .config_schema = "{\"type\":\"object\",\"properties\":{"
                     "\"work_ms\":{\"type\":\"integer\",\"minimum\":0,\"default\":2},"
                     "\"patience_ms\":{\"type\":\"integer\",\"minimum\":0,\"default\":2500}}}",
    .operational = operational,
    .inputs = inputs,
    .produces = produces,
    .unit = LINNET_UNIT_DOCUMENT,
    .instances = 2,
    .batch_max = 8,
    .batch_delay_ms = 20,
    .deadline_ms = 4000,
    .host_bytes = 1 << 20,
    .open = crash_open,
    .process = crash_process,
    .close = crash_close,
};

LINNET_PLUGIN_EXPORT const struct linnet_plugin *linnet_plugin(void) {
    return &plugin;
}
