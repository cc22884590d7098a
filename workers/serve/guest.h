/* The API as the guest of a worker (`linnet worker --serve`): on the worker's loop and reference documents,
 * with those of its stages that are the same as the server's own would be. */
#ifndef LINNET_SERVE_GUEST_H
#define LINNET_SERVE_GUEST_H

#include "workers/worker/guest.h"

extern const struct linnet_guest serve_guest;

#endif
