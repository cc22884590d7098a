#include "common/consensus/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { MOST = 64, PIECE = 2048 };

struct sharing {
    linnet_parallel_work *work;
    void *arg;
    uint32_t n, piece;
    _Atomic uint64_t next;
};

struct member {
    struct sharing *sharing;
    unsigned number;
    pthread_t thread;
};

unsigned linnet_parallel_threads(unsigned wanted) {
    long processors = wanted ? (long)wanted : sysconf(_SC_NPROCESSORS_ONLN);
    if (processors < 1) return 1;
    return processors > MOST ? MOST : (unsigned)processors;
}

static void *share(void *arg) {
    struct member *member = arg;
    struct sharing *sharing = member->sharing;
    for (;;) {
        uint64_t begin = atomic_fetch_add(&sharing->next, sharing->piece);
        if (begin >= sharing->n) return NULL;
        uint64_t end = begin + sharing->piece < sharing->n ? begin + sharing->piece : sharing->n;
        sharing->work(sharing->arg, member->number, (uint32_t)begin, (uint32_t)end);
    }
}

static void share_out(unsigned threads, uint32_t n, uint32_t piece, linnet_parallel_work *work, void *arg) {
    struct sharing sharing = {.work = work, .arg = arg, .n = n, .piece = piece};
    struct member members[MOST] = {{.sharing = &sharing}};
    unsigned started = 1;
    threads = linnet_parallel_threads(threads);
    while (started < threads && (uint64_t)started * piece < n) {
        members[started] = (struct member){.sharing = &sharing, .number = started};
        if (pthread_create(&members[started].thread, NULL, share, &members[started]) != 0) break;
        started++;
    }
    share(&members[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(members[i].thread, NULL);
}

void linnet_parallel(unsigned threads, uint32_t n, linnet_parallel_work *work, void *arg) {
    share_out(threads, n, PIECE, work, arg);
}

void linnet_parallel_each(unsigned threads, uint32_t n, linnet_parallel_work *work, void *arg) {
    share_out(threads, n, 1, work, arg);
}
