#include "plugins/convnet/shared.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct convnet_engine engine; /* first: what callers hold */
    char digest[65], backend[8];
    enum linnet_nn_precision precision;
    unsigned batch, references;
    struct entry *next;
};

/* All instances of the process, guarded by the lock: a network of 100 MB is worth having once. */
static struct {
    pthread_mutex_t lock;
    struct entry *first;
} engines = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void entry_free(struct entry *entry) {
    linnet_nn_engine_close(entry->engine.engine);
    linnet_nn_model_free(entry->engine.model);
    free(entry);
}

static int make(const struct convnet_engine_key *key, struct entry **out, struct linnet_error *err) {
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry) {
        linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
        return LINNET_E_NOMEM;
    }
    struct linnet_nn_options options = {.backend = key->backend, .precision = key->precision};
    int rc = linnet_nn_model_load(key->path, &entry->engine.model, err);
    if (!rc) {
        options.batch_max = linnet_nn_batch_useful(entry->engine.model, key->backend, key->batch);
        entry->engine.batch = options.batch_max;
        rc = linnet_nn_engine_take(entry->engine.model, &options, &entry->engine.engine, err);
    }
    if (rc) {
        entry_free(entry);
        return rc;
    }
    snprintf(entry->digest, sizeof entry->digest, "%s", key->digest);
    snprintf(entry->backend, sizeof entry->backend, "%s", key->backend);
    entry->precision = key->precision;
    entry->batch = key->batch;
    *out = entry;
    return 0;
}

static bool matches(const struct entry *entry, const struct convnet_engine_key *key) {
    return !strcmp(entry->digest, key->digest) && !strcmp(entry->backend, key->backend) &&
           entry->precision == key->precision && entry->batch == key->batch;
}

int convnet_engine_ref(const struct convnet_engine_key *key, const struct convnet_engine **out,
                       struct linnet_error *err) {
    pthread_mutex_lock(&engines.lock);
    struct entry *entry = engines.first;
    while (entry && !matches(entry, key))
        entry = entry->next;
    int rc = 0;
    if (!entry) {
        rc = make(key, &entry, err);
        if (!rc) {
            entry->next = engines.first;
            engines.first = entry;
        }
    }
    if (!rc) {
        entry->references++;
        *out = &entry->engine;
    }
    pthread_mutex_unlock(&engines.lock);
    return rc;
}

void convnet_engine_unref(const struct convnet_engine *engine) {
    if (!engine) return;
    pthread_mutex_lock(&engines.lock);
    struct entry **at = &engines.first;
    while (&(*at)->engine != engine)
        at = &(*at)->next;
    struct entry *entry = *at;
    if (--entry->references)
        entry = NULL;
    else
        *at = entry->next;
    pthread_mutex_unlock(&engines.lock);
    if (entry) entry_free(entry);
}
