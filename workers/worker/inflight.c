#include "workers/worker/inflight.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/time.h"

#define MAGIC    0x4c694e6654626c31u /* "LiNfTbl1" */
#define ALTSTACK 65536

enum state { FREE, FILLING, RUNNING };

/* The text of a slot: for each item its subject, then id and digest of each input, then an empty string;
 * every string with its NUL. Written before `state` becomes RUNNING, read after the writer's death. */
struct slot {
    atomic_uint state;
    atomic_uint generation;
    _Atomic int64_t started_ms;
    _Atomic uint32_t deadline_ms;
    char stage[64];
    char fingerprint[65];
    uint32_t text_size;
    char text[LINNET_INFLIGHT_TEXT];
};

struct linnet_inflight {
    uint64_t magic;
    uint32_t slots;
    atomic_int culprit; /* slot plus one, of the thread that faulted first */
    atomic_int fault;   /* its signal */
    struct slot slot[LINNET_INFLIGHT_SLOTS];
};

/* The slot plus one of the batch that this thread runs. */
static _Thread_local atomic_int current;
static _Thread_local bool has_altstack;

/* For the handlers, which get no argument. Set once, before they are installed. */
static struct linnet_inflight *fault_table;
static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
static struct sigaction fault_before[sizeof fault_signals / sizeof *fault_signals];

static int map(int fd, struct linnet_inflight **out, struct linnet_error *err) {
    void *memory = mmap(NULL, sizeof(struct linnet_inflight), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return linnet_error_set(err, LINNET_E_IO, "cannot map the in-flight table: %m");
    *out = memory;
    return 0;
}

int linnet_inflight_create(struct linnet_inflight **out, int *fd, struct linnet_error *err) {
    int made = memfd_create("linnet-inflight", MFD_CLOEXEC);
    if (made < 0) return linnet_error_set(err, LINNET_E_IO, "cannot make the in-flight table: %m");
    if (ftruncate(made, sizeof(struct linnet_inflight)) != 0) {
        close(made);
        return linnet_error_set(err, LINNET_E_IO, "cannot size the in-flight table: %m");
    }
    struct linnet_inflight *table = NULL;
    int rc = map(made, &table, err);
    if (rc != 0) {
        close(made);
        return rc;
    }
    table->magic = MAGIC;
    table->slots = LINNET_INFLIGHT_SLOTS;
    *fd = made;
    *out = table;
    return 0;
}

int linnet_inflight_attach(int fd, struct linnet_inflight **out, struct linnet_error *err) {
    struct stat status;
    if (fstat(fd, &status) != 0) return linnet_error_set(err, LINNET_E_IO, "no in-flight table: %m");
    if (status.st_size != (off_t)sizeof(struct linnet_inflight))
        return linnet_error_set(err, LINNET_E_INVALID, "descriptor %d is no in-flight table", fd);
    struct linnet_inflight *table = NULL;
    int rc = map(fd, &table, err);
    if (rc != 0) return rc;
    if (table->magic != MAGIC || table->slots != LINNET_INFLIGHT_SLOTS) {
        linnet_inflight_detach(table);
        return linnet_error_set(err, LINNET_E_INVALID, "descriptor %d is no in-flight table of this version",
                                fd);
    }
    *out = table;
    return 0;
}

void linnet_inflight_detach(struct linnet_inflight *table) {
    if (table != NULL) munmap(table, sizeof *table);
}

const char *linnet_inflight_subject(const struct linnet_item *item) {
    return item->ndocs > 0 ? item->docs[0].id : item->observation;
}

/* ---- the child ---- */

static bool put(struct slot *slot, uint32_t *at, const char *text) {
    size_t size = strlen(text) + 1;
    if (size > LINNET_INFLIGHT_TEXT - *at) return false;
    memcpy(slot->text + *at, text, size);
    *at += (uint32_t)size;
    return true;
}

static bool is_input(const struct linnet_plugin *plugin, const char *kind) {
    for (const struct linnet_input *input = plugin ? plugin->inputs : NULL; input && input->kind; input++)
        if (strcmp(input->kind, kind) == 0) return !(input->flags & LINNET_PRESENCE);
    return true;
}

/* Add an item whole or not at all. */
static bool put_item(struct slot *slot, const struct linnet_plugin *plugin, const struct linnet_item *item) {
    uint32_t at = slot->text_size;
    const char *subject = linnet_inflight_subject(item);
    if (subject == NULL || *subject == '\0') return true; /* nothing to name it by (a tick) */
    if (!put(slot, &at, subject)) return false;
    for (size_t i = 0; i < item->ndocs; i++) {
        const struct linnet_doc *doc = &item->docs[i];
        if (!is_input(plugin, doc->kind)) continue;
        if (!put(slot, &at, doc->id) || !put(slot, &at, doc->digest ? doc->digest : "")) return false;
    }
    if (!put(slot, &at, "")) return false;
    slot->text_size = at;
    return true;
}

static int claim(struct linnet_inflight *table) {
    for (int i = 0; i < LINNET_INFLIGHT_SLOTS; i++) {
        unsigned expected = FREE;
        if (atomic_compare_exchange_strong(&table->slot[i].state, &expected, FILLING)) return i;
    }
    return -1;
}

/* A fault by stack overflow needs another stack to be noted on. Kept for the thread's life: executors live as
 * long as the process. Sanitizers bring their own. */
static void give_altstack(void) {
    has_altstack = true;
    stack_t now;
    if (fault_table == NULL || sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_DISABLE)) return;
    stack_t stack = {.ss_sp =
                         mmap(NULL, ALTSTACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                     .ss_size = ALTSTACK};
    if (stack.ss_sp == MAP_FAILED) return;
    if (sigaltstack(&stack, NULL) != 0) munmap(stack.ss_sp, ALTSTACK);
}

void linnet_inflight_begin(void *arg, unsigned executor, const char *name,
                           const struct linnet_item *const *items, size_t n, uint32_t deadline_ms) {
    struct linnet_inflight_stage *stage = arg;
    (void)name;
    if (executor >= LINNET_INFLIGHT_SLOTS) return;
    if (!has_altstack) give_altstack();
    int index = claim(stage->table);
    if (index < 0) return;
    struct slot *slot = &stage->table->slot[index];
    memcpy(slot->stage, stage->stage, sizeof slot->stage);
    memcpy(slot->fingerprint, stage->fingerprint, sizeof slot->fingerprint);
    slot->text_size = 0;
    for (size_t i = 0; i < n; i++)
        if (!put_item(slot, stage->plugin, items[i])) break;
    atomic_store(&slot->started_ms, linnet_time_monotonic());
    atomic_store(&slot->deadline_ms, deadline_ms);
    atomic_fetch_add(&slot->generation, 1);
    atomic_store_explicit(&slot->state, RUNNING, memory_order_release);
    stage->slots[executor] = index + 1;
    atomic_store(&current, index + 1);
}

void linnet_inflight_end(void *arg, unsigned executor) {
    struct linnet_inflight_stage *stage = arg;
    if (executor >= LINNET_INFLIGHT_SLOTS || stage->slots[executor] == 0) return;
    atomic_store(&current, 0);
    atomic_store_explicit(&stage->table->slot[stage->slots[executor] - 1].state, FREE, memory_order_release);
    stage->slots[executor] = 0;
}

/* Async-signal-safe: atomics in shared memory, sigaction. The handler that was there before comes back, so
 * that the faulting instruction (or the second half of abort()) meets it: a core dump, or a sanitizer's
 * report. */
static void on_fault(int signal_) {
    int expected = 0, slot = atomic_load(&current);
    if (slot != 0 && atomic_compare_exchange_strong(&fault_table->culprit, &expected, slot))
        atomic_store(&fault_table->fault, signal_);
    else if (expected == 0)
        atomic_store(&fault_table->fault, signal_);
    for (size_t i = 0; i < sizeof fault_signals / sizeof *fault_signals; i++)
        if (fault_signals[i] == signal_) sigaction(signal_, &fault_before[i], NULL);
    if (signal_ == SIGABRT || signal_ == SIGTRAP || signal_ == SIGSYS) raise(signal_);
}

void linnet_inflight_catch_faults(struct linnet_inflight *table) {
    fault_table = table;
    for (size_t i = 0; i < sizeof fault_signals / sizeof *fault_signals; i++) {
        struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
        sigemptyset(&action.sa_mask);
        sigaction(fault_signals[i], &action, &fault_before[i]);
    }
}

/* ---- the supervisor ---- */

static void head(const struct slot *slot, unsigned index, struct linnet_inflight_batch *out) {
    *out = (struct linnet_inflight_batch){.slot = index,
                                          .generation = atomic_load(&slot->generation),
                                          .started_ms = atomic_load(&slot->started_ms),
                                          .deadline_ms = atomic_load(&slot->deadline_ms)};
    memcpy(out->stage, slot->stage, sizeof out->stage);
    memcpy(out->fingerprint, slot->fingerprint, sizeof out->fingerprint);
    out->stage[sizeof out->stage - 1] = '\0';
    out->fingerprint[sizeof out->fingerprint - 1] = '\0';
}

void linnet_inflight_running(struct linnet_inflight *table,
                             void (*each)(void *arg, const struct linnet_inflight_batch *batch), void *arg) {
    for (unsigned i = 0; i < LINNET_INFLIGHT_SLOTS; i++) {
        struct slot *slot = &table->slot[i];
        if (atomic_load_explicit(&slot->state, memory_order_acquire) != RUNNING) continue;
        struct linnet_inflight_batch batch;
        head(slot, i, &batch);
        /* The batch may have changed under our eyes: then what we read is of no batch at all. */
        if (atomic_load(&slot->state) != RUNNING || atomic_load(&slot->generation) != batch.generation)
            continue;
        each(arg, &batch);
    }
}

/* The next string of a dead slot's text, never past its end. NULL at the end. */
static const char *next(const struct slot *slot, uint32_t size, uint32_t *at) {
    if (*at >= size) return NULL;
    const char *text = slot->text + *at;
    const char *end = memchr(text, '\0', size - *at);
    if (end == NULL) return NULL;
    *at += (uint32_t)(end - text) + 1;
    return text;
}

static json_t *read_items(const struct slot *slot) {
    json_t *items = json_array();
    uint32_t size = slot->text_size < LINNET_INFLIGHT_TEXT ? slot->text_size : LINNET_INFLIGHT_TEXT, at = 0;
    const char *subject;
    while ((subject = next(slot, size, &at)) != NULL) {
        json_t *inputs = json_array();
        const char *id, *digest;
        while ((id = next(slot, size, &at)) != NULL && *id != '\0' &&
               (digest = next(slot, size, &at)) != NULL)
            json_array_append_new(inputs, json_pack("{s:s, s:s}", "id", id, "digest", digest));
        json_t *item = json_pack("{s:s, s:o}", "id", subject, "inputs", inputs);
        if (item != NULL) json_array_append_new(items, item);
    }
    return items;
}

size_t linnet_inflight_take(struct linnet_inflight *table, struct linnet_inflight_batch *out, size_t max,
                            int *fault) {
    size_t n = 0;
    int culprit = atomic_load(&table->culprit);
    for (unsigned i = 0; i < LINNET_INFLIGHT_SLOTS; i++) {
        struct slot *slot = &table->slot[i];
        if (atomic_load_explicit(&slot->state, memory_order_acquire) == RUNNING && n < max) {
            head(slot, i, &out[n]);
            out[n].culprit = culprit == (int)i + 1;
            out[n].items = read_items(slot);
            n++;
        }
        atomic_store(&slot->state, FREE);
    }
    *fault = atomic_load(&table->fault);
    atomic_store(&table->culprit, 0);
    atomic_store(&table->fault, 0);
    return n;
}

void linnet_inflight_batch_done(struct linnet_inflight_batch *batch) {
    json_decref(batch->items);
    batch->items = NULL;
}
