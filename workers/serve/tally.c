#include "workers/serve/tally.h"

#include "common/base/time.h"

/* So many names a stretch are more than a small server sees; an attacker who has more addresses than that is
 * not held off by counting. */
#define NAMES_MAX 200000

void serve_tally_init(struct serve_tally *tally, int64_t stretch_ms) {
    *tally = (struct serve_tally){.stretch_ms = stretch_ms, .counts = json_object()};
}

void serve_tally_done(struct serve_tally *tally) {
    json_decref(tally->counts);
    tally->counts = NULL;
}

static void turn(struct serve_tally *tally) {
    int64_t now = linnet_time_now(), began = now - now % tally->stretch_ms;
    if (began == tally->began_ms && json_object_size(tally->counts) < NAMES_MAX) return;
    tally->began_ms = began;
    json_object_clear(tally->counts);
}

uint64_t serve_tally_count(struct serve_tally *tally, const char *name) {
    turn(tally);
    return (uint64_t)json_integer_value(json_object_get(tally->counts, name));
}

void serve_tally_add(struct serve_tally *tally, const char *name, uint64_t n) {
    json_object_set_new(tally->counts, name, json_integer((json_int_t)serve_tally_count(tally, name) + (json_int_t)n));
}

bool serve_tally_take(struct serve_tally *tally, const char *name, unsigned most) {
    if (most > 0 && serve_tally_count(tally, name) >= most) return false;
    serve_tally_add(tally, name, 1);
    return true;
}

int64_t serve_tally_rest_ms(const struct serve_tally *tally) {
    return tally->stretch_ms - linnet_time_now() % tally->stretch_ms;
}
