/* A relay: things are made by many threads at once, then pass a row of stations. Each station takes them in
 * the order in which they were begun, one at a time, and different stations work side by side: so what
 * stations keep needs no lock and does not depend on the number of threads. */
#ifndef LINNET_CONSENSUS_RELAY_H
#define LINNET_CONSENSUS_RELAY_H

#include <stdbool.h>

enum { LINNET_RELAY_STATIONS = 3 };

struct linnet_relay {
    unsigned slots; /* things under way at most; each lives in one slot until it has passed */
    void *arg;
    bool (*begin)(void *arg, unsigned slot); /* one at a time; false: there are no more */
    void (*make)(void *arg, unsigned slot);  /* any thread, any order */
    int (*station[LINNET_RELAY_STATIONS])(void *arg, unsigned slot); /* negative: the relay ends */
};

/* Run it on the calling thread and threads - 1 others, joined before the return. 0, the code of the first
 * station that refused, or LINNET_E_NOMEM. */
int linnet_relay_run(const struct linnet_relay *relay, unsigned threads);

#endif
