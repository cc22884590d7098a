#include "workers/serve/similar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/ulid.h"
#include "common/couch/changes.h"

#define BATCH 200  /* observations read at once */
#define TAIL  4096 /* pictures that are searched one by one before all is saved, and an eighth of the saved  \
                    */
#define PATH_SIZE 1024

/* An observation to be read. */
struct due {
    char observation[LINNET_ULID_SIZE];
    UT_hash_handle hh;
};

/* What runs on the pool: a file is opened and checked, or the index is saved and its file opened. */
struct job {
    struct linnet_similar *from; /* to be saved; NULL: only open */
    struct linnet_similar *opened;
    char path[PATH_SIZE], model[140];
    char *position;
    int rc;
    struct linnet_error err;
};

struct serve_similar {
    struct serve_similar_options options;
    uv_timer_t timer;
    uv_work_t work;
    struct job job;
    char model[140], path[PATH_SIZE];
    struct linnet_similar *index;
    struct linnet_changes *changes;
    struct due *due;
    json_t *batch, *rows;  /* observations that are being read; their documents */
    char *seen, *position; /* the last change that came; that up to which all is in the index */
    bool working, asking, again, closing, timer_open, caught_up, complete;
    struct linnet_metric *pictures;
};

static void go_on(struct serve_similar *similar);
static void begin(struct serve_similar *similar);

/* ---- the end ---- */

static void forget_due(struct serve_similar *similar) {
    struct due *due = similar->due;
    HASH_CLEAR(hh, similar->due);
    for (struct due *next; due != NULL; due = next) {
        next = due->hh.next;
        free(due);
    }
}

static void stop(struct serve_similar *similar) {
    linnet_changes_close(similar->changes);
    similar->changes = NULL;
    forget_due(similar);
}

static void free_if_over(struct serve_similar *similar) {
    if (!similar->closing || similar->working || similar->asking || similar->timer_open) return;
    linnet_similar_free(similar->index);
    json_decref(similar->batch);
    json_decref(similar->rows);
    free(similar->seen);
    free(similar->position);
    free(similar);
}

static void on_timer_closed(uv_handle_t *handle) {
    struct serve_similar *similar = handle->data;
    similar->timer_open = false;
    free_if_over(similar);
}

void serve_similar_close(struct serve_similar *similar) {
    if (similar == NULL) return;
    similar->closing = true;
    stop(similar);
    uv_close((uv_handle_t *)&similar->timer, on_timer_closed);
}

/* ---- the pool ---- */

static void job_work(uv_work_t *work) {
    struct job *job = &((struct serve_similar *)work->data)->job;
    if (job->from != NULL) job->rc = linnet_similar_save(job->from, job->path, job->position, 0, &job->err);
    if (job->rc == 0) job->rc = linnet_similar_open(job->path, job->model, &job->opened, &job->err);
    if (job->rc == 0 && job->from == NULL && (job->rc = linnet_similar_verify(job->opened, &job->err)) != 0) {
        linnet_similar_free(job->opened);
        job->opened = NULL;
    }
}

static void tell(const struct serve_similar *similar, const struct job *job) {
    if (job->rc == 0)
        linnet_log(LINNET_INFO, "similar", job->from != NULL ? "saved" : "opened", "model", "s", job->model,
                   "pictures", "i", (json_int_t)linnet_similar_size(job->opened), NULL);
    else if (job->from != NULL)
        linnet_log(LINNET_ERROR, "similar", "the index of pictures could not be saved", "why", "s",
                   job->err.detail, NULL);
    else if (job->rc != LINNET_E_NOT_FOUND)
        linnet_log(LINNET_WARN, "similar", "the index of pictures is made anew", "why", "s", job->err.detail,
                   NULL);
    if (job->rc == 0) linnet_metric_set(similar->pictures, (double)linnet_similar_size(job->opened));
}

static void job_done(uv_work_t *work, int status) {
    struct serve_similar *similar = work->data;
    struct job *job = &similar->job;
    (void)status;
    similar->working = false;
    if (!similar->closing) tell(similar, job);
    if (job->rc == 0 && !similar->again && !similar->closing) {
        linnet_similar_free(similar->index);
        similar->index = job->opened;
        job->opened = NULL;
    }
    linnet_similar_free(job->opened);
    bool opened = job->from == NULL;
    free(job->position);
    *job = (struct job){0};
    if (similar->closing)
        free_if_over(similar);
    else if (similar->again)
        serve_similar_use(similar, similar->model);
    else if (opened)
        begin(similar);
    else
        go_on(similar);
}

static void run_job(struct serve_similar *similar, struct linnet_similar *from) {
    struct job *job = &similar->job;
    *job = (struct job){.from = from, .position = from != NULL ? strdup(similar->position) : NULL};
    snprintf(job->path, sizeof job->path, "%s", similar->path);
    snprintf(job->model, sizeof job->model, "%s", similar->model);
    if (from != NULL && job->position == NULL) return; /* the next time */
    similar->work.data = similar;
    similar->working = uv_queue_work(similar->options.loop, &similar->work, job_work, job_done) == 0;
}

/* Saved when so much has come that looking at it one by one is slow, or, on `tick`, when it is a part of all
 * that is worth writing all. */
static bool worth_saving(const struct serve_similar *similar, bool tick) {
    size_t changes = similar->index != NULL ? linnet_similar_changes(similar->index) : 0,
           size = similar->index != NULL ? linnet_similar_size(similar->index) : 0;
    if (similar->position == NULL || changes == 0) return false;
    return changes > TAIL + size / 8 || (tick && (size <= LINNET_SIMILAR_EXACT || changes > size / 100));
}

/* ---- a batch of observations ---- */

static bool is_under_way(const struct serve_similar *similar) {
    return similar->working || similar->asking || similar->closing;
}

static const json_t *row_document(const json_t *rows, size_t i) {
    const json_t *document = json_object_get(json_array_get(rows, i), "doc");
    return json_is_object(document) ? document : NULL;
}

static void put_picture(struct serve_similar *similar, const json_t *observation, const json_t *consensus,
                        const json_t *view, const json_t *prediction) {
    struct linnet_similar_picture picture = {.taxon = linnet_json_string(consensus, "taxon", "")};
    float twins = (float)linnet_json_number(similar->options.config, "similar/duplicate_below", 0.01);
    size_t dims = similar->index != NULL ? linnet_similar_dims(similar->index) : 0;
    uint16_t *halves = serve_similar_embedding(prediction, &dims);
    char *note = halves != NULL ? serve_similar_note(observation, view) : NULL;
    int rc = note != NULL && similar->index == NULL
                 ? linnet_similar_new(similar->model, dims, &similar->index)
                 : 0;
    if (note != NULL && rc == 0) {
        picture.note = note;
        snprintf(picture.observation, sizeof picture.observation, "%.26s",
                 linnet_json_string(observation, "_id", ""));
        snprintf(picture.digest, sizeof picture.digest, "%s", linnet_json_string(view, "image", ""));
        rc = linnet_similar_put(similar->index, &picture, halves, twins);
    }
    if (rc != 0)
        linnet_log(LINNET_WARN, "similar", "a picture was left out", "observation", "s", picture.observation,
                   "why", "s", linnet_error_message(rc), NULL);
    free(note);
    free(halves);
}

/* Each observation of the batch anew: what it had goes, what it has comes. */
static void take_batch(struct serve_similar *similar, const json_t *predictions) {
    const json_t *name, *view;
    size_t i, j, next = 0;
    json_array_foreach(similar->batch, i, name) {
        const json_t *consensus = row_document(similar->rows, 2 * i),
                     *observation = row_document(similar->rows, 2 * i + 1);
        if (similar->index != NULL) linnet_similar_remove(similar->index, json_string_value(name));
        if (!serve_similar_wants(observation, consensus)) continue;
        json_array_foreach(json_object_get(observation, "views"), j, view) {
            const json_t *prediction = row_document(predictions, next++);
            if (prediction != NULL) put_picture(similar, observation, consensus, view, prediction);
        }
    }
    if (similar->index != NULL)
        linnet_metric_set(similar->pictures, (double)linnet_similar_size(similar->index));
}

/* Back into the queue: the store did not answer. The timer tries again. */
static void put_back(struct serve_similar *similar) {
    const json_t *name;
    size_t i;
    json_array_foreach(similar->batch, i, name) {
        struct due *due;
        HASH_FIND_STR(similar->due, json_string_value(name), due);
        if (due != NULL || (due = calloc(1, sizeof *due)) == NULL) continue;
        snprintf(due->observation, sizeof due->observation, "%s", json_string_value(name));
        HASH_ADD_STR(similar->due, observation, due);
    }
}

static void end_batch(struct serve_similar *similar, bool failed) {
    similar->asking = false;
    if (failed && !similar->closing && !similar->again) put_back(similar);
    json_decref(similar->batch);
    json_decref(similar->rows);
    similar->batch = similar->rows = NULL;
    if (similar->closing)
        free_if_over(similar);
    else if (similar->again)
        serve_similar_use(similar, similar->model);
    else if (!failed)
        go_on(similar);
}

static void on_predictions(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                           void *arg) {
    struct serve_similar *similar = arg;
    (void)request;
    if (response->error == 0 && !similar->closing && !similar->again)
        take_batch(similar, json_object_get(response->json, "rows"));
    end_batch(similar, response->error != 0);
}

/* The predictions of the model in use for the views of those that are wanted. */
static json_t *prediction_keys(const struct serve_similar *similar) {
    json_t *keys = json_array();
    const json_t *name, *view;
    size_t i, j;
    json_array_foreach(similar->batch, i, name) {
        const json_t *observation = row_document(similar->rows, 2 * i + 1);
        if (!serve_similar_wants(observation, row_document(similar->rows, 2 * i))) continue;
        json_array_foreach(json_object_get(observation, "views"), j, view)
            json_array_append_new(keys, json_sprintf("%s:prediction:%s:%s", json_string_value(name),
                                                     linnet_json_string(view, "image", ""), similar->model));
    }
    return keys;
}

static void on_documents(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                         void *arg) {
    struct serve_similar *similar = arg;
    (void)request;
    if (response->error != 0 || similar->closing || similar->again) {
        end_batch(similar, true);
        return;
    }
    similar->rows = json_incref(json_object_get(response->json, "rows"));
    json_t *keys = prediction_keys(similar);
    if (json_array_size(keys) == 0) {
        take_batch(similar, NULL);
        end_batch(similar, false);
    } else if (linnet_couch_all_docs(similar->options.couch, LINNET_DB_MAIN, keys, true, on_predictions,
                                     similar) != 0) {
        end_batch(similar, true);
    }
    json_decref(keys);
}

static void ask(struct serve_similar *similar) {
    json_t *keys = json_array();
    struct due *due, *next;
    similar->batch = json_array();
    HASH_ITER(hh, similar->due, due, next) {
        if (json_array_size(similar->batch) == BATCH) break;
        json_array_append_new(similar->batch, json_string(due->observation));
        json_array_append_new(keys, json_sprintf("%s:consensus", due->observation));
        json_array_append_new(keys, json_sprintf("%s:observation", due->observation));
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc,clang-analyzer-core.NullDereference): it does not follow uthash's lists */
        HASH_DEL(similar->due, due);
        free(due);
    }
    similar->asking = true;
    if (linnet_couch_all_docs(similar->options.couch, LINNET_DB_MAIN, keys, true, on_documents, similar) != 0)
        end_batch(similar, true);
    json_decref(keys);
}

/* What is next: read what is due, or, with nothing due, note how far all is known, save, listen. */
static void go_on(struct serve_similar *similar) {
    if (is_under_way(similar)) return;
    if (HASH_COUNT(similar->due) >= BATCH || (similar->due != NULL && similar->caught_up)) {
        if (similar->changes != NULL) linnet_changes_pause(similar->changes);
        ask(similar);
        return;
    }
    if (similar->due == NULL && similar->seen != NULL) {
        free(similar->position);
        similar->position = strdup(similar->seen);
        similar->complete |= similar->caught_up;
    }
    if (similar->due == NULL && worth_saving(similar, false)) run_job(similar, similar->index);
    if (!similar->working && similar->changes != NULL) linnet_changes_resume(similar->changes);
}

/* ---- the feed ---- */

static void note_seen(struct serve_similar *similar, const char *seq) {
    char *copy = strdup(seq);
    if (copy == NULL) return;
    free(similar->seen);
    similar->seen = copy;
}

static void on_change(void *arg, const struct linnet_change *change) {
    struct serve_similar *similar = arg;
    struct linnet_id id;
    struct due *due;
    note_seen(similar, change->seq);
    if (linnet_id_parse(change->id, &id) != 0 || id.observation[0] == '\0' ||
        (strcmp(id.kind, "consensus") != 0 && strcmp(id.kind, "prediction") != 0 &&
         strcmp(id.kind, "observation") != 0))
        return;
    HASH_FIND_STR(similar->due, id.observation, due);
    if (due == NULL && (due = calloc(1, sizeof *due)) != NULL) {
        snprintf(due->observation, sizeof due->observation, "%s", id.observation);
        HASH_ADD_STR(similar->due, observation, due);
    }
    go_on(similar);
}

static void on_caught_up(void *arg, const char *seq) {
    struct serve_similar *similar = arg;
    note_seen(similar, seq);
    similar->caught_up = true;
    go_on(similar);
}

static void on_broken(void *arg, int error, const char *detail, long retry_ms) {
    struct serve_similar *similar = arg;
    (void)error;
    linnet_log(retry_ms < 0 ? LINNET_ERROR : LINNET_WARN, "similar", "the changes feed broke", "why", "s",
               detail, "again_ms", "i", (json_int_t)retry_ms, NULL);
    if (retry_ms >= 0) return;
    /* The position may be of a database that is no more. */
    linnet_changes_close(similar->changes);
    similar->changes = NULL;
    linnet_similar_free(similar->index);
    similar->index = NULL;
}

static void begin(struct serve_similar *similar) {
    static const struct linnet_changes_events events = {
        .change = on_change, .caught_up = on_caught_up, .broken = on_broken};
    struct linnet_error err = {0};
    struct linnet_changes_options options = {
        .database = LINNET_DB_MAIN,
        .since = similar->index != NULL ? linnet_similar_position(similar->index) : "",
        .continuous = true};
    if (similar->changes != NULL) return;
    similar->caught_up = similar->complete = false;
    if (linnet_changes_open(similar->options.couch, &options, &events, similar, &similar->changes, &err) != 0)
        linnet_log(LINNET_ERROR, "similar", "no changes feed", "why", "s", err.detail, NULL);
}

/* ---- opening ---- */

/* By database (another one has other changes, whatever its name) and model, whose name holds no '/'. */
static void name_file(struct serve_similar *similar, const char *identity) {
    const char *cache = linnet_json_string(similar->options.config, "cache_dir", ".");
    char folder[PATH_SIZE - 320];
    snprintf(folder, sizeof folder, "%s/similar", cache);
    mkdir(cache, 0755);
    mkdir(folder, 0755); /* what is wrong with it is said when a file is written */
    snprintf(similar->path, sizeof similar->path, "%s/%.100s-%016llx-%s.index", folder,
             linnet_couch_database(similar->options.couch, LINNET_DB_MAIN),
             (unsigned long long)linnet_hash(identity, strlen(identity)), similar->model);
}

static void on_server(int error, const char *detail, const struct linnet_couch_server *server, void *arg) {
    struct serve_similar *similar = arg;
    similar->asking = false;
    if (similar->closing) {
        free_if_over(similar);
    } else if (similar->again) {
        serve_similar_use(similar, similar->model);
    } else if (error != 0) {
        linnet_log(LINNET_WARN, "similar", "the store does not answer", "why", "s", detail, NULL);
    } else {
        name_file(similar, server->identity);
        run_job(similar, NULL);
    }
}

/* Which database it is; then its file is opened. */
static void find_file(struct serve_similar *similar) {
    similar->asking = linnet_couch_probe(similar->options.couch, LINNET_DB_MAIN, on_server, similar) == 0;
}

void serve_similar_use(struct serve_similar *similar, const char *model) {
    if (similar == NULL || model[0] == '\0' || (!similar->again && strcmp(similar->model, model) == 0))
        return;
    if (model != similar->model) snprintf(similar->model, sizeof similar->model, "%s", model);
    stop(similar);
    similar->again = similar->working || similar->asking;
    if (similar->again || similar->closing) return;
    linnet_similar_free(similar->index);
    similar->index = NULL;
    similar->complete = false;
    free(similar->position);
    free(similar->seen);
    similar->position = similar->seen = NULL;
    similar->path[0] = '\0';
    find_file(similar);
}

static void on_timer(uv_timer_t *timer) {
    struct serve_similar *similar = timer->data;
    if (is_under_way(similar)) return;
    if (similar->model[0] == '\0') return;
    if (similar->path[0] == '\0')
        find_file(similar);
    else if (similar->due == NULL && worth_saving(similar, true))
        run_job(similar, similar->index);
    else if (similar->changes == NULL)
        begin(similar);
    else
        go_on(similar);
}

int serve_similar_open(const struct serve_similar_options *options, struct serve_similar **out) {
    struct serve_similar *similar = calloc(1, sizeof *similar);
    if (similar == NULL) return LINNET_E_NOMEM;
    uint64_t every_ms = (uint64_t)linnet_json_integer(options->config, "similar/save_s", 60) * 1000;
    similar->options = *options;
    similar->pictures = linnet_metrics_gauge(options->metrics, "linnet_similar_pictures", NULL,
                                             "Pictures of validated observations that can be found");
    uv_timer_init(options->loop, &similar->timer);
    similar->timer.data = similar;
    similar->timer_open = true;
    uv_timer_start(&similar->timer, on_timer, every_ms, every_ms);
    *out = similar;
    return 0;
}

const struct linnet_similar *serve_similar_index(const struct serve_similar *similar) {
    return similar != NULL ? similar->index : NULL;
}

bool serve_similar_complete(const struct serve_similar *similar) {
    return similar->complete;
}
