/* How often somebody has done something in the present stretch of time (a day, an hour). Loop thread. */
#ifndef LINNET_SERVE_TALLY_H
#define LINNET_SERVE_TALLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct serve_tally {
    int64_t stretch_ms; /* its length; stretches begin at multiples of it since 1970 (UTC) */
    int64_t began_ms;
    json_t *counts; /* name -> integer; forgotten with the stretch, or when there are too many names */
};

void serve_tally_init(struct serve_tally *tally, int64_t stretch_ms);
void serve_tally_done(struct serve_tally *tally);
/* How often until now. */
uint64_t serve_tally_count(struct serve_tally *tally, const char *name);
/* Once more, unless it was `most` already (0: no limit); false then. */
bool serve_tally_take(struct serve_tally *tally, const char *name, unsigned most);
void serve_tally_add(struct serve_tally *tally, const char *name, uint64_t n);
/* Milliseconds until the next stretch. */
int64_t serve_tally_rest_ms(const struct serve_tally *tally);

#endif
