#include "workers/serve/frugal.h"

#include <stdio.h>
#include <sys/types.h>

/* jemalloc's; NULL where another allocator is linked (sanitizers). */
int mallctl(const char *name, void *old, size_t *old_size, void *new_value, size_t new_size)
    __attribute__((weak));

void serve_be_frugal(void) {
    ssize_t at_once = 0;
    unsigned arenas = 0;
    size_t size = sizeof arenas;
    if (mallctl == NULL) return;
    mallctl("arenas.dirty_decay_ms", NULL, NULL, &at_once, sizeof at_once); /* of those to come */
    if (mallctl("arenas.narenas", &arenas, &size, NULL, 0) != 0) return;
    for (unsigned i = 0; i < arenas; i++) {
        char name[48];
        snprintf(name, sizeof name, "arena.%u.dirty_decay_ms", i);
        mallctl(name, NULL, NULL, &at_once, sizeof at_once); /* one that is not there yet says so */
    }
}
