/* A picture that still says where it was taken: an app should have cut that out before it wrote. The first stage
 * that reads it makes the worker replace it by the same picture without its metadata, before anything is made of
 * it. The document keeps its id, which views name; `stripped.digest` is that of the bytes that stand there now. */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/host/bytes.h"
#include "workers/picture/position.h"
#include "workers/picture/strip.h"

struct cleaning {
    struct linnet_task *task;
    struct linnet_result_blob blob; /* own members */
};

static void free_cleaning(struct cleaning *cleaning) {
    free(cleaning->blob.name);
    free(cleaning->blob.content_type);
    linnet_bytes_unref(cleaning->blob.bytes);
    free(cleaning);
}

static void cleaned(struct linnet_write *write, int error, const char *detail) {
    struct cleaning *cleaning = write->arg;
    struct linnet_task *task = cleaning->task;
    task->writes--;
    if (error && error != LINNET_E_CANCELLED && error != LINNET_E_CONFLICT) {
        linnet_task_settle_item(task, NULL, write->id, ""); /* not again and again */
        linnet_log(LINNET_ERROR, "position", "a picture that tells its place could not be replaced", "id", "s",
                   write->id, "error", "s", detail, NULL);
    } else if (!error) {
        linnet_log(LINNET_WARN, "position", "a picture told its place: it was replaced", "id", "s", write->id, NULL);
    }
    linnet_write_free(write);
    free_cleaning(cleaning);
    linnet_task_read(task);
}

static bool was_tried(const struct linnet_task *task, const char *id) {
    for (size_t i = 0; i < task->nsettled; i++)
        if (!task->settled[i].slot && strcmp(task->settled[i].output_id, id) == 0) return true;
    return false;
}

/* The document as it will be, without attachments: they come with the write. */
static json_t *replacement_of(const json_t *document, const struct linnet_bytes *bytes) {
    char digest[LINNET_DIGEST_SIZE];
    json_t *copy = json_copy((json_t *)document);
    if (!copy) return NULL;
    linnet_digest_bytes(bytes->data, bytes->size, digest);
    json_object_del(copy, "_attachments");
    if (json_object_set_new(copy, "stripped", json_pack("{s:s}", "digest", digest)) == 0) return copy;
    json_decref(copy);
    return NULL;
}

static struct linnet_write *write_of(struct cleaning *cleaning, const struct linnet_held_doc *doc) {
    struct linnet_write *write = calloc(1, sizeof(*write));
    if (!write) return NULL;
    write->mode = LINNET_WRITE_PLAIN;
    write->share = cleaning->task->share;
    write->cancelled = &cleaning->task->dropped;
    write->id = strdup(doc->id);
    write->revision = strdup(doc->revision);
    write->document = replacement_of(doc->json, cleaning->blob.bytes);
    write->blobs = &cleaning->blob;
    write->nblobs = 1;
    write->done = cleaned;
    write->arg = cleaning;
    if (write->id && write->revision && write->document) return write;
    linnet_write_free(write);
    return NULL;
}

static int replace(struct linnet_task *task, const struct linnet_held_doc *doc, const char *name,
                   const char *content_type, struct linnet_bytes *bytes) {
    struct cleaning *cleaning = calloc(1, sizeof(*cleaning));
    if (!cleaning) {
        linnet_bytes_unref(bytes);
        return LINNET_E_NOMEM;
    }
    cleaning->task = task;
    cleaning->blob = (struct linnet_result_blob){strdup(name), strdup(content_type), bytes};
    struct linnet_write *write =
        cleaning->blob.name && cleaning->blob.content_type ? write_of(cleaning, doc) : NULL;
    if (!write) {
        free_cleaning(cleaning);
        return LINNET_E_NOMEM;
    }
    task->writes++;
    linnet_writer_add(task->flow->writers[LINNET_DB_MAIN], write);
    return 0;
}

int linnet_cleaning_check(struct linnet_task *task, const char *id, const char *name, const char *content_type,
                          const void *data, size_t size) {
    const struct linnet_held_doc *doc = linnet_observation_find(&task->observation, id);
    void *stripped;
    size_t stripped_size;
    if (!doc || !doc->revision || strcmp(doc->kind, "image") != 0 || was_tried(task, id)) return 0;
    if (!linnet_picture_has_position(data, size)) return 0;
    /* One that is damaged is the stage's to refuse. */
    int rc = linnet_strip(data, size, &stripped, &stripped_size, NULL);
    if (rc) return rc == LINNET_E_NOMEM ? rc : 0;
    struct linnet_bytes *bytes = linnet_bytes_new(stripped, stripped_size, NULL);
    rc = bytes ? replace(task, doc, name, content_type, bytes) : LINNET_E_NOMEM;
    return rc ? rc : 1;
}
