#include "workers/consensus/relay.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/error.h"

enum { THREADS = 64, LAST = LINNET_RELAY_STATIONS - 1 };

struct running {
    const struct linnet_relay *relay;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t begun, passed[LINNET_RELAY_STATIONS]; /* things so far; thing k lives in slot k % slots */
    bool busy[LINNET_RELAY_STATIONS], ended;
    bool *made; /* by slot */
    int code;
};

/* May a station take its next thing? */
static bool is_ready(const struct running *running, int station) {
    uint64_t next = running->passed[station];
    if (running->busy[station]) return false;
    if (station > 0) return next < running->passed[station - 1];
    return next < running->begun && running->made[next % running->relay->slots];
}

static void pass(struct running *running, int station) {
    unsigned slot = (unsigned)(running->passed[station] % running->relay->slots);
    running->busy[station] = true;
    pthread_mutex_unlock(&running->lock);
    int code = running->relay->station[station](running->relay->arg, slot);
    pthread_mutex_lock(&running->lock);
    running->busy[station] = false;
    running->passed[station]++;
    if (code && !running->code) running->code = code;
}

static void make(struct running *running) {
    unsigned slot = (unsigned)(running->begun % running->relay->slots);
    running->made[slot] = false;
    if (!running->relay->begin(running->relay->arg, slot)) {
        running->ended = true;
        return;
    }
    running->begun++;
    pthread_mutex_unlock(&running->lock);
    running->relay->make(running->relay->arg, slot);
    pthread_mutex_lock(&running->lock);
    running->made[slot] = true;
}

/* One step of whatever can be done, what is nearest its end first. False: there is nothing at present. */
static bool step(struct running *running) {
    for (int station = LAST; station >= 0; station--)
        if (is_ready(running, station)) {
            pass(running, station);
            return true;
        }
    if (running->ended || running->begun - running->passed[LAST] >= running->relay->slots) return false;
    make(running);
    return true;
}

static void *work(void *arg) {
    struct running *running = arg;
    pthread_mutex_lock(&running->lock);
    while (!running->code && !(running->ended && running->passed[LAST] == running->begun))
        if (step(running))
            pthread_cond_broadcast(&running->changed);
        else
            pthread_cond_wait(&running->changed, &running->lock);
    pthread_mutex_unlock(&running->lock);
    return NULL;
}

int linnet_relay_run(const struct linnet_relay *relay, unsigned threads) {
    struct running running = {.relay = relay,
                              .lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER,
                              .made = calloc(relay->slots, sizeof(bool))};
    pthread_t others[THREADS];
    unsigned started = 0;
    if (!running.made) return LINNET_E_NOMEM;
    while (started + 1 < threads && started < THREADS &&
           pthread_create(&others[started], NULL, work, &running) == 0)
        started++;
    work(&running);
    for (unsigned i = 0; i < started; i++)
        pthread_join(others[i], NULL);
    free(running.made);
    return running.code;
}
