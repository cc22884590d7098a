/* linnet/plugin.h: all that a stage of Linnet needs to know.
 *
 * A plugin is a shared object that exports one function, `linnet_plugin`, which returns a static `struct
 * linnet_plugin`. The host (linnet worker, linnet serve, linnet run, linnet plugin check) opens it once,
 * makes one instance per thread and hands over batches of items. A plugin never talks to CouchDB: documents
 * and blobs are gathered before `process`, and what it emits is completed (_id, digest, provenance), written
 * and retried by the host.
 *
 * Documents are jansson values. What the host gives is borrowed, shared between threads and must not be
 * changed; json_incref/json_decref on it are allowed. Strings are UTF-8.
 *
 * Which thread calls what: `check`, `open`, `fingerprint`, `process`, `scan_*`, `tick`, `drain`, `close` on
 * the instance's own executor thread, one at a time per instance. `qualifier` and `select` on the host's loop
 * thread, perhaps while `process` runs: they must be pure functions of their arguments and of what `open`
 * fixed, and quick. */
#ifndef LINNET_PLUGIN_H
#define LINNET_PLUGIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LINNET_PLUGIN_ABI    1
#define LINNET_PLUGIN_EXPORT __attribute__((visibility("default")))

/* How an item ended. */
enum linnet_verdict {
    LINNET_OK = 0, /* done; what was emitted for it is to be written */
    LINNET_SKIP,   /* nothing to do for it */
    LINNET_RETRY,  /* transient: try again later */
    LINNET_REJECT, /* permanent: dead letter with the reason given */
    LINNET_BROKEN  /* the instance is broken; the host keeps the item and opens a new instance */
};

/* An attachment: bytes of a gathered document, or of one that is emitted. */
struct linnet_blob {
    const char *name;
    const char *content_type;
    const void *data;
    size_t size;
};

/* A gathered document at its winning revision. */
struct linnet_doc {
    const char *id; /* "<obs>:<kind>[:<qualifier>]" */
    const char *kind;
    const char *qualifier; /* "" if none */
    const char *digest;    /* what results made of it record as their input */
    json_t *json;          /* NULL for a tombstone */
    bool deleted;
    const struct linnet_blob *blobs; /* those that the plugin asked for and that exist */
    size_t nblobs;
};

/* One unit of work. Borrowed by the plugin from `process`'s call to its return. */
struct linnet_item {
    const char *observation;       /* ULID */
    const struct linnet_doc *docs; /* docs[0] is the trigger where the unit is a document */
    size_t ndocs;
    void *host; /* the host's */
};

/* A document to write. The host fills in _id, kind, stage, inputs, digest. */
struct linnet_output {
    const char *kind;        /* NULL: produces[0] */
    const char *observation; /* NULL: the item's. Scope `site` may name another; "" for kinds outside the main
                                database */
    const char *qualifier;   /* NULL: by the `qualifier` call, or none */
    json_t *document; /* a new reference, taken by emit whatever it returns; NULL deletes the document */
    const struct linnet_blob *blobs; /* copied by emit */
    size_t nblobs;
    json_t *inputs;     /* scope `site`: [{id, digest}], taken; NULL: all docs of the item */
    bool create_only;   /* leave a document that stands there already (a request that is raised once) */
    const char *device; /* where it was computed ("cpu (oneDNN 2.6.3)"); recorded, not in the fingerprint; may
                           be NULL */
};

/* Services of the host, valid from `open` to `close`. `ctx` is host->ctx in every call. */
struct linnet_host {
    size_t struct_size;
    void *ctx;
    /* Emit a document for an item (or, with item NULL, from `tick` or `scan_end`, scope `site`). 0 or a
     * negative error. Only during process, tick, scan_*. Nothing is written unless the item ends with
     * LINNET_OK. */
    int (*emit)(void *ctx, const struct linnet_item *item, struct linnet_output *output);
    /* End an item, exactly once. `reason` is for people ("the JPEG ends after 1,204 of 88,131 bytes");
     * copied; may be NULL with LINNET_OK. */
    int (*finish)(void *ctx, const struct linnet_item *item, enum linnet_verdict verdict, const char *reason);
    /* Log one line. level: 0 debug .. 3 error. */
    void (*log)(void *ctx, int level, const char *format, ...) __attribute__((format(printf, 3, 4)));
    /* Count (a Prometheus counter linnet_plugin_<name>{stage=...}). */
    void (*count)(void *ctx, const char *name, double value);
    /* A reference document of linnet-reference by id ("taxon:123"), in the immutable snapshot given at
     * `open`. Borrowed, NULL if there is none. Thread-safe. */
    json_t *(*reference)(void *ctx, const char *id);
    /* Call `each` for every reference document whose id starts with `prefix`, in order of id, until it
     * returns non-zero. */
    int (*references)(void *ctx, const char *prefix, int (*each)(void *arg, const char *id, json_t *document),
                      void *arg);
    /* The path of a file that holds an attachment of a reference document (a model's model.onnx). NULL if
     * there is none. Borrowed until `close`. */
    const char *(*reference_file)(void *ctx, const char *id, const char *name);
    /* The snapshot's taxonomy (common/taxonomy/taxonomy.h). Borrowed, thread-safe, may be empty, never NULL.
     */
    const struct linnet_taxonomy *(*taxonomy)(void *ctx);
    /* Open a location sealed to the site's public key ("location.sealed", libsodium sealed box, base64): a
     * new reference to its JSON, NULL where the site has no key or it does not open. Thread-safe. */
    json_t *(*unseal)(void *ctx, const char *sealed);
    /* Scope `site`: a folder for the plugin's state, kept across restarts on this machine; NULL for others.
     */
    const char *state_dir;
    /* Milliseconds since 1970 (for schedules; an output must not depend on it, but for scope `site` documents
     * that say when something was asked for). */
    int64_t (*now)(void *ctx);
    /* How much there is of something (a Prometheus gauge linnet_plugin_<name>{stage=...}). Look whether
     * struct_size reaches it: hosts of Linnet 0.1.0's first days have none. */
    void (*gauge)(void *ctx, const char *name, double value);
};

/* Which documents a stage consumes. */
enum linnet_input_flags {
    LINNET_TRIGGER = 1,  /* a change to it makes work */
    LINNET_OPTIONAL = 2, /* the item is made without it too */
    LINNET_PRESENCE = 4  /* must exist, its content does not shape the output (not recorded as an input) */
};

struct linnet_input {
    const char *kind;
    unsigned flags;
    const char *const
        *blobs; /* names of attachments to prefetch, ended by NULL; "*" for all; NULL for none */
    /* Paths that shape the output, ended by NULL; NULL: the whole document. Its digest as an input is made of
     * these alone. A path is object keys and array places divided by '.'; '*' stands for each of them;
     * 'key=@' for each object of an array whose `key` is the trigger's qualifier. So "views.image=@.region"
     * is the region of this picture's view, and a view that is added later makes no work for the others. */
    const char *const *fields;
};

enum linnet_scope { LINNET_SCOPE_OBSERVATION, LINNET_SCOPE_SITE };
/* What an item is: one document of a trigger kind with the other kinds of its observation as context, or one
 * observation with all documents of the consumed kinds. Scope `site` gets single documents as they change
 * (trigger kinds, tombstones too), without context. */
enum linnet_unit { LINNET_UNIT_DOCUMENT, LINNET_UNIT_OBSERVATION };
enum linnet_threading { LINNET_ANY_THREAD, LINNET_PINNED_THREAD };

struct linnet_plugin {
    size_t struct_size;             /* sizeof(struct linnet_plugin) */
    uint32_t abi;                   /* LINNET_PLUGIN_ABI */
    uint32_t output_version;        /* raised when the same inputs would give another output */
    const char *name;               /* [a-z][a-z0-9_]*: the stage's default name */
    const char *version;            /* semantic version of the plugin */
    const char *licence;            /* SPDX */
    const char *summary;            /* one line */
    const char *config_schema;      /* JSON Schema (the subset in common/base/schema.h) of its configuration;
                                       defaults are filled in by the host; unknown keys are refused. NULL: none */
    const char *const *operational; /* its top-level keys that say how to run and shape no output (threads,
                                       backend): left out of the fingerprint. Ended by NULL; NULL: none */
    const struct linnet_input *inputs; /* ended by a NULL kind */
    const char *const *produces;       /* kinds, ended by NULL */
    enum linnet_scope scope;
    enum linnet_unit unit;
    enum linnet_threading threading;
    uint32_t instances;      /* wanted at once; 0: one per executor thread. Scope `site`: 1 */
    uint32_t batch_max;      /* most items of one `process` */
    uint32_t batch_delay_ms; /* how long the first item of a batch waits for company */
    uint32_t
        deadline_ms; /* for one `process`; past it the process is killed and the batch suspect. 0: 60000 */
    uint64_t host_bytes; /* bound on its memory, one instance, inputs apart */
    uint64_t device_bytes;

    /* Is this configuration usable here? 0, or negative with words in why[size]. May be NULL. */
    int (*check)(const struct linnet_host *host, const json_t *config, char *why, size_t size);
    /* Open an instance: *instance must not stay NULL. `config` is borrowed until close. 0, or negative with
     * words in why. */
    int (*open)(const struct linnet_host *host, const json_t *config, void **instance, char *why,
                size_t size);
    /* What shapes the output beyond name, output_version and configuration (the model's digest, a library
     * whose version changes results): any text of at most size-1 bytes. May be NULL. All instances of one
     * opening answer alike. */
    int (*fingerprint)(void *instance, char *text, size_t size);
    /* The qualifier of the output that an item with this trigger leads to. NULL: the trigger's own qualifier
     * (unit document), none (unit observation). */
    int (*qualifier)(void *instance, const struct linnet_item *item, char *out, size_t size);
    /* Which of the item's documents matter: set keep[i] false to drop docs[i]. Return false if nothing is to
     * be done at all. Blobs are not there yet. NULL: keep all. */
    bool (*select)(void *instance, const struct linnet_item *item, bool *keep);
    /* Work on a batch. Non-zero: nothing was touched, the host keeps every item. Zero: each item was finished
     * once. */
    int (*process)(void *instance, const struct linnet_item *const *items, size_t n);
    /* Scope `site`, all may be NULL. The feed position that the state on disk stands for: the host calls
     * `snapshot` after process, when asked to move its checkpoint: save the state so that it survives a kill
     * (write aside, fsync, rename), with `position` (opaque text). At start `restore` gives back the position
     * of the state on disk, "" for none. */
    int (*snapshot)(void *instance, const char *position);
    int (*restore)(void *instance, char *position, size_t size);
    /* Called every tick_ms while it owns the site's lease, but not before everything that was emitted up to
     * the return of the last tick is written (or given up). So what a tick emits in bounded parts is never
     * more than the store takes, and a tick may say that all before it stands. */
    int (*tick)(void *instance);
    uint32_t tick_ms;
    /* No more items will come. Finish what is held back. May be NULL. */
    int (*drain)(void *instance);
    void (*close)(void *instance);
    /* How many items this instance wants at once, 1 to batch_max: what it has room for, or what is worth
     * while here. Asked once, on its own thread, after opening. NULL: batch_max. */
    uint32_t (*batch)(void *instance);
};

/* The one exported symbol. */
LINNET_PLUGIN_EXPORT const struct linnet_plugin *linnet_plugin(void);

#ifdef __cplusplus
}
#endif
#endif
