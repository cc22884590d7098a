/* The log: one line of JSON each on standard error (or plain text on a terminal). The only global of Linnet.
 *
 * linnet_log(LINNET_INFO, "feed", "resumed", "seq", "s", seq, "behind", "i", (json_int_t)n, NULL) writes
 * {"time":…,"level":"info","room":"feed","message":"resumed","seq":"…","behind":3}. Any thread; one write(2) a line. */
#ifndef LINNET_BASE_LOG_H
#define LINNET_BASE_LOG_H

enum linnet_level { LINNET_DEBUG, LINNET_INFO, LINNET_WARN, LINNET_ERROR };

/* What is below `level` is dropped. `plain` non-zero: human text instead of JSON. Call before threads start. */
void linnet_log_setup(enum linnet_level level, int plain, int fd);
/* Members are triples (name, type, value), ended by NULL: type "s" const char* (NULL writes null), "i" json_int_t
 * (long long), "f" double, "b" int. Passwords in URLs (user:password@) are masked in every string value. */
void linnet_log(enum linnet_level level, const char *room, const char *message, ...) __attribute__((sentinel));
/* The level named "debug", "info", "warn" or "error"; -1 if none. */
int linnet_log_level(const char *name);

#endif
