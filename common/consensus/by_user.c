#include "common/consensus/by_user.h"

#include <stdlib.h>

#include "common/consensus/internal.h"
#include "common/consensus/parallel.h"

/* While it is made an entry is a number: species above, vote below, which sorts as wanted. */
struct making {
    const struct linnet_consensus_taxa *taxa;
    const struct linnet_crowd *crowd;
    enum linnet_consensus_classes classes;
    struct linnet_by_user *by_user;
    uint64_t *keys;
    uint32_t *observation; /* of each vote */
};

static uint32_t species_of(const struct making *making, uint32_t vote) {
    struct field field = {.taxa = making->taxa, .classes = making->classes};
    return field_class(&field, linnet_consensus_accepted(making->taxa, making->crowd->votes[vote].label));
}

static void count(const struct making *making) {
    const struct linnet_crowd *crowd = making->crowd;
    uint32_t *start = making->by_user->start, votes = crowd->start[crowd->observations];
    for (uint32_t v = 0; v < votes; v++)
        start[crowd->votes[v].user + 1]++;
    for (uint32_t u = 0; u < crowd->users; u++)
        start[u + 1] += start[u];
}

/* Put each vote behind those of its user. Afterwards start[u] is where u's entries end, which is set right
 * again. */
static void place(const struct making *making) {
    const struct linnet_crowd *crowd = making->crowd;
    uint32_t *start = making->by_user->start;
    for (uint32_t i = 0; i < crowd->observations; i++)
        for (uint32_t v = crowd->start[i]; v < crowd->start[i + 1]; v++) {
            uint32_t species = species_of(making, v);
            making->observation[v] = i;
            making->keys[start[crowd->votes[v].user]++] = (uint64_t)species << 32 | v;
        }
    for (uint32_t u = crowd->users; u > 0; u--)
        start[u] = start[u - 1];
    start[0] = 0;
}

static int by_key(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

enum { FEW = 24 }; /* below it insertion is faster; most users have cast one or two votes */

static void sort(uint64_t *keys, uint32_t n) {
    if (n > FEW) {
        qsort(keys, n, sizeof *keys, by_key);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        uint64_t key = keys[i];
        uint32_t at = i;
        for (; at > 0 && keys[at - 1] > key; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

static void sort_users(void *arg, unsigned thread, uint32_t begin, uint32_t end) {
    const struct making *making = arg;
    (void)thread;
    for (uint32_t u = begin; u < end; u++) {
        uint32_t from = making->by_user->start[u], to = making->by_user->start[u + 1];
        sort(making->keys + from, to - from);
        for (uint32_t i = from; i < to; i++) {
            uint32_t vote = (uint32_t)making->keys[i];
            bool first = i == from || making->keys[i] >> 32 != making->keys[i - 1] >> 32;
            making->by_user->entries[i] =
                (struct linnet_by_user_entry){vote, making->observation[vote] & 0x7fffffff, first};
        }
    }
}

int linnet_by_user_init(struct linnet_by_user *by_user, const struct linnet_consensus_taxa *taxa,
                        const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                        unsigned threads) {
    size_t votes = (size_t)crowd->start[crowd->observations] + 1;
    *by_user = (struct linnet_by_user){calloc((size_t)crowd->users + 1, sizeof(uint32_t)),
                                       malloc(votes * sizeof(struct linnet_by_user_entry))};
    struct making making = {.taxa = taxa,
                            .crowd = crowd,
                            .classes = linnet_consensus_classes(rules),
                            .by_user = by_user,
                            .keys = malloc(votes * sizeof *making.keys),
                            .observation = malloc(votes * sizeof *making.observation)};
    int rc = by_user->start && by_user->entries && making.keys && making.observation ? 0 : LINNET_E_NOMEM;
    if (!rc) {
        count(&making);
        place(&making);
        linnet_parallel(threads, crowd->users, sort_users, &making);
    }
    free(making.keys);
    free(making.observation);
    return rc;
}

void linnet_by_user_done(struct linnet_by_user *by_user) {
    free(by_user->start);
    free(by_user->entries);
    *by_user = (struct linnet_by_user){0};
}
