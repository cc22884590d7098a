/* What the service manager is told (sd_notify's datagram protocol, see sd_notify(3)): nothing where it does
 * not listen
 * ($NOTIFY_SOCKET unset). Any thread; the environment is read at each call and never changed. */
#ifndef LINNET_WORKER_NOTIFY_H
#define LINNET_WORKER_NOTIFY_H

#include <stdint.h>

/* Send assignments, newline between ("READY=1\nSTATUS=…"). 1: sent, 0: nobody listens, or LINNET_E_IO. */
int linnet_notify(const char *text);
/* STATUS= with a printf format; newlines become spaces. */
int linnet_notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* RELOADING=1 with the time that systemd asks for with it. */
int linnet_notify_reloading(void);
/* How often WATCHDOG=1 is due, in milliseconds (half of $WATCHDOG_USEC, meant for this process); 0: never. */
int64_t linnet_notify_watchdog_ms(void);

#endif
