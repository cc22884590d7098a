/* /metrics, /healthz and /readyz by libmicrohttpd, on a thread of its own, so that a busy loop still answers
 * for itself.
 *
 * /metrics  Prometheus text. /healthz  200 while the loop turns (503 after `hang_ms` without
 * linnet_monitor_beat). /readyz   200 or 503 with {"ready":…,"reasons":[…],…} as the loop said last. Other
 * paths 404, other methods 405. */
#ifndef LINNET_WORKER_MONITOR_H
#define LINNET_WORKER_MONITOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/metrics.h"

struct linnet_monitor;

/* Open a listening socket on "ADDRESS:PORT" ("[::1]:9464" for IPv6). *fd is close-on-exec; as many
 * connections as the kernel allows wait in it while their thread is busy. LINNET_E_INVALID, LINNET_E_EXISTS
 * if the address is taken, LINNET_E_IO. */
int linnet_monitor_listen(const char *address, int *fd, struct linnet_error *err);
/* The port of a listening socket, 0 on failure. */
unsigned linnet_monitor_port(int fd);
/* Answer on `fd` (taken, closed at the end). `metrics` is borrowed. LINNET_E_IO. */
int linnet_monitor_open(int fd, struct linnet_metrics *metrics, int64_t hang_ms, struct linnet_monitor **out,
                        struct linnet_error *err);
/* Say what /readyz answers: `body` is an object (borrowed). The loop's thread. */
void linnet_monitor_set_ready(struct linnet_monitor *monitor, bool ready, const json_t *body);
/* The loop turns. */
void linnet_monitor_beat(struct linnet_monitor *monitor);
/* Stop the thread and free. NULL is safe. */
void linnet_monitor_close(struct linnet_monitor *monitor);

#endif
