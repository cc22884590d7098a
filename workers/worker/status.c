/* What a heartbeat tells about the flow. */
#include "workers/worker/room.h"

static json_t *stage_status(const struct linnet_slot *slot) {
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:b}", "due", (json_int_t)slot->due, "ok",
                     (json_int_t)slot->ok, "skip", (json_int_t)slot->skip, "retry", (json_int_t)slot->retry,
                     "reject", (json_int_t)slot->reject, "processed", (json_int_t)slot->processed, "queued",
                     (json_int_t)slot->items, "seconds", slot->seconds, "standby", slot->standby);
}

json_t *linnet_flow_status(const struct linnet_flow *flow) {
    unsigned owned = 0, catching_up = 0;
    for (unsigned i = 0; i < LINNET_SHARES; i++) {
        enum linnet_hold state = flow->shares[i].state;
        owned += state != LINNET_HOLD_NONE;
        catching_up +=
            state != LINNET_HOLD_NONE && state != LINNET_HOLD_LIVE && state != LINNET_HOLD_RELEASING;
    }
    json_t *stages = json_object(), *backfills = json_object();
    int failed = linnet_backfill_status(flow, backfills);
    for (size_t i = 0; i < flow->nslots; i++)
        failed |= json_object_set_new(stages, flow->slots[i]->planned.name, stage_status(flow->slots[i]));
    json_t *status =
        json_pack("{s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:i, s:i, s:b, s:o, s:o}", "tasks",
                  (json_int_t)flow->ntasks, "bytes", (json_int_t)flow->bytes, "span",
                  (json_int_t)(flow->feed ? flow->feed->ledger.span : 0), "paused", flow->paused, "lag_ms",
                  (json_int_t)flow->lag_ms, "changes", (json_int_t)flow->count.changes, "answered",
                  (json_int_t)flow->count.answered, "shares", (int)owned, "catching_up", (int)catching_up,
                  "site", linnet_site_owned(flow), "stages", stages, "backfill", backfills);
    if (!failed) return status;
    json_decref(status);
    return NULL;
}
