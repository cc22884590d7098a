/* RFC 3339 UTC times, and the monotonic clock. */
#ifndef LINNET_BASE_TIME_H
#define LINNET_BASE_TIME_H

#include <stdint.h>

#define LINNET_TIME_SIZE 25 /* "2026-05-03T10:21:00.123Z" and a NUL */

/* Unix milliseconds now. Any thread. */
int64_t linnet_time_now(void);
/* Milliseconds of the monotonic clock (CLOCK_MONOTONIC). Any thread. */
int64_t linnet_time_monotonic(void);
/* RFC 3339 with milliseconds and Z. */
void linnet_time_format(int64_t unix_ms, char out[LINNET_TIME_SIZE]);
/* Parse RFC 3339 (any offset, optional fraction) or a plain date. LINNET_E_PARSE. */
int linnet_time_parse(const char *text, int64_t *unix_ms);

#endif
