/* Conflicts are ordinary: offline apps replicate in. They are settled before a plan is made, the same way by
 * whoever settles them, so that two who do it at once agree:
 *
 *   validation   the leaf with the latest created_at stays, among equals the one with the highest revision
 *   observation  the union of the views; of every other field, what the latest edit that has it says
 *   all others   the leaf that CouchDB lets win (a result is made again if it is wrong, an image cannot
 * differ)
 *
 * Nothing but tombstones is written where one leaf is right as it is. Where none is, the merged one is
 * written first; then the document is read again, and that leaf is right as it is: nobody's edit is buried
 * before it stands elsewhere. */
#include "workers/worker/room.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "workers/worker/merge.h"

struct settling {
    struct linnet_task *task;
    json_t *winner;
};

static void settled(struct linnet_write *write, int error, const char *detail) {
    struct linnet_task *task = write->arg;
    task->writes--;
    if (error && error != LINNET_E_CANCELLED && error != LINNET_E_CONFLICT)
        linnet_log(LINNET_ERROR, "conflict", "a merged document could not be written", "id", "s", write->id,
                   "error", "s", detail, NULL);
    linnet_write_free(write);
    linnet_task_read(task);
}

static int write_merged(struct linnet_task *task, json_t *merged, const char *id, const char *revision) {
    struct linnet_write *write = calloc(1, sizeof(*write));
    if (!write) return LINNET_E_NOMEM;
    write->mode = LINNET_WRITE_PLAIN;
    write->share = task->share;
    write->cancelled = &task->dropped;
    write->id = strdup(id);
    write->revision = strdup(revision);
    write->document = json_incref(merged);
    write->done = settled;
    write->arg = task;
    if (!write->id || !write->revision) {
        linnet_write_free(write);
        return LINNET_E_NOMEM;
    }
    task->writes++;
    linnet_writer_add(task->flow->writers[LINNET_DB_MAIN], write);
    return 0;
}

/* All leaves but `kept` get a tombstone. */
static int bury_others(struct linnet_task *task, const char *id, json_t *const *leaves, size_t n,
                       size_t kept) {
    int rc = 0;
    for (size_t i = 0; !rc && i < n; i++)
        if (i != kept)
            rc =
                linnet_deletion_bury(task, id, linnet_json_string(leaves[i], "_rev", ""), LINNET_WRITE_PLAIN);
    return rc;
}

/* `leaves[0]` is the winner. */
static int settle_leaves(struct linnet_task *task, json_t *const *leaves, size_t n) {
    const char *id = linnet_json_string(leaves[0], "_id", "");
    struct linnet_id parsed;
    if (linnet_id_parse(id, &parsed)) return 0;
    linnet_log(LINNET_INFO, "conflict", "settled", "id", "s", id, "leaves", "i", (json_int_t)n, NULL);
    if (strcmp(parsed.kind, "validation") == 0)
        return bury_others(task, id, leaves, n, linnet_merge_latest(leaves, n));
    if (strcmp(parsed.kind, "observation") != 0) return bury_others(task, id, leaves, n, 0);
    json_t *merged = linnet_merge_observations(leaves, n);
    if (!merged) return LINNET_E_NOMEM;
    size_t same = linnet_merge_same(merged, leaves, n);
    int rc = same < n ? bury_others(task, id, leaves, n, same)
                      : write_merged(task, merged, id, linnet_json_string(leaves[0], "_rev", ""));
    json_decref(merged);
    return rc;
}

static void leaves_read(struct linnet_couch_request *request, const struct linnet_couch_response *r,
                        void *arg) {
    (void)request;
    struct settling *s = arg;
    struct linnet_task *task = s->task;
    size_t n = 0, size = json_array_size(r->json), i;
    json_t **leaves = calloc(size + 1, sizeof(json_t *));
    json_t *entry;
    task->flow->requests--;
    task->writes--;
    linnet_task_plan_later(task);
    if (!task->dropped && !task->flow->closing && !r->error && leaves) {
        leaves[n++] = s->winner;
        json_array_foreach(r->json, i, entry) {
            json_t *leaf = json_object_get(entry, "ok");
            bool live = json_is_object(leaf) && !linnet_json_bool(leaf, "_deleted", false);
            if (live &&
                strcmp(linnet_json_string(leaf, "_rev", ""), linnet_json_string(s->winner, "_rev", "")) != 0)
                leaves[n++] = leaf;
        }
        if (n > 1 && settle_leaves(task, leaves, n))
            linnet_flow_fail(task->flow, LINNET_E_NOMEM, "no memory for a conflict");
    } else if (r->error && !task->dropped && !task->flow->closing) {
        linnet_task_read_ended(task, r->error, r->detail);
    }
    free(leaves);
    json_decref(s->winner);
    free(s);
}

static int read_leaves(struct settling *s) {
    struct linnet_flow *flow = s->task->flow;
    const json_t *conflicts = json_object_get(s->winner, "_conflicts");
    char *revisions = json_dumps(conflicts, JSON_COMPACT);
    struct linnet_buf path = {0};
    int rc = revisions ? linnet_buf_append_string(&path, "/") : LINNET_E_NOMEM;
    if (!rc) rc = linnet_couch_escape(&path, linnet_couch_database(flow->options.couch, LINNET_DB_MAIN));
    if (!rc) rc = linnet_buf_append_string(&path, "/");
    if (!rc) rc = linnet_couch_escape(&path, linnet_json_string(s->winner, "_id", ""));
    if (!rc) rc = linnet_buf_append_string(&path, "?open_revs=");
    if (!rc) rc = linnet_couch_escape(&path, revisions);
    struct linnet_couch_call call = {.method = "GET", .path = path.data};
    if (!rc) rc = linnet_couch_request(flow->options.couch, &call, leaves_read, s, NULL);
    linnet_buf_done(&path);
    free(revisions);
    return rc;
}

bool linnet_conflict_settle(struct linnet_task *task, const json_t *document) {
    struct linnet_id id;
    if (!json_array_size(json_object_get(document, "_conflicts"))) return false;
    if (linnet_id_parse(linnet_json_string(document, "_id", ""), &id)) return false;
    const struct linnet_flow_kind *kind = linnet_flow_kind(task->flow, id.kind);
    if (!kind || !kind->settled) return false;
    struct settling *s = calloc(1, sizeof(*s));
    int rc = s ? 0 : LINNET_E_NOMEM;
    if (!rc) {
        s->task = task;
        s->winner = json_incref((json_t *)document);
        rc = read_leaves(s);
    }
    if (!rc) {
        task->flow->requests++;
        task->writes++;
        return true;
    }
    if (s) json_decref(s->winner);
    free(s);
    linnet_task_read_ended(task, rc, "conflicting revisions could not be asked for");
    return true;
}
