#include "common/consensus/by_user.h"

#include <stdlib.h>
#include <string.h>

#include "common/consensus/big.h"
#include "common/consensus/internal.h"
#include "common/consensus/parallel.h"

enum { PLACERS = 8, FEW = 32 /* below it insertion is faster; most users have cast one or two votes */ };

struct making {
    struct field field; /* of which only what classes want is set */
    const struct linnet_crowd *crowd;
    struct linnet_by_user *by_user;
    uint32_t users_of[PLACERS + 1]; /* a placer's users are those from its own to the next */
    struct linnet_by_user_entry
        *scratch; /* as large as the entries; touched where there are many of a user */
};

static uint32_t species_of(const struct making *making, const struct linnet_vote *vote) {
    return field_class(&making->field, linnet_consensus_accepted(making->field.taxa, vote->label));
}

static bool is_alone(const struct making *making, uint32_t i) {
    return making->crowd->start[i + 1] - making->crowd->start[i] == 1;
}

/* A lone vote for what is no species earns nothing, ever. */
static bool is_left_out(const struct making *making, uint32_t i) {
    if (!is_alone(making, i)) return false;
    uint32_t species = species_of(making, &making->crowd->votes[making->crowd->start[i]]);
    return species == LINNET_NO_LABEL || species == LINNET_LABEL_NOT_A_PLANT;
}

/* How many entries each user has, in start[u + 1] until they are summed. */
static void count(struct making *making) {
    const struct linnet_crowd *crowd = making->crowd;
    uint32_t *start = making->by_user->start;
    for (uint32_t i = 0; i < crowd->observations; i++)
        if (!is_left_out(making, i))
            for (uint32_t v = crowd->start[i]; v < crowd->start[i + 1]; v++)
                start[crowd->votes[v].user + 1]++;
    for (uint32_t u = 0; u < crowd->users; u++)
        start[u + 1] += start[u];
}

/* The first user whose entries begin at or behind `at`. */
static uint32_t user_at(const struct making *making, uint64_t at) {
    uint32_t low = 0, high = making->crowd->users;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (making->by_user->start[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Put each vote behind those of its user. Afterwards start[u] is where u's entries end. Every placer walks
 * all votes, which is cheap beside the misses that writing costs, and writes those of its own users. */
static void place_some(void *arg, unsigned thread, uint32_t begin, uint32_t end) {
    struct making *making = arg;
    const struct linnet_crowd *crowd = making->crowd;
    uint32_t *start = making->by_user->start, from = making->users_of[begin], to = making->users_of[end];
    (void)thread;
    for (uint32_t i = 0; i < crowd->observations; i++)
        for (uint32_t v = crowd->start[i]; v < crowd->start[i + 1]; v++) {
            const struct linnet_vote *vote = &crowd->votes[v];
            if (vote->user < from || vote->user >= to || is_left_out(making, i)) continue;
            uint32_t number = v;
            if (is_alone(making, i)) number = vote->author ? LINNET_ALONE_AS_AUTHOR : LINNET_ALONE_AS_VOTER;
            making->by_user->entries[start[vote->user]++] =
                (struct linnet_by_user_entry){species_of(making, vote), number, i};
        }
}

static void place(struct making *making, unsigned threads) {
    uint32_t *start = making->by_user->start, users = making->crowd->users;
    uint32_t placers = threads < PLACERS ? threads : PLACERS;
    for (uint32_t p = 1; p < placers; p++)
        making->users_of[p] = user_at(making, (uint64_t)start[users] * p / placers);
    making->users_of[placers] = users;
    linnet_parallel_each(threads, placers, place_some, making);
    for (uint32_t u = users; u > 0; u--)
        start[u] = start[u - 1];
    start[0] = 0;
}

/* Stable, byte by byte from the lowest, bytes that are the same in all left aside. */
static void sort_many(struct linnet_by_user_entry *entries, struct linnet_by_user_entry *scratch,
                      uint32_t n) {
    uint32_t counts[4][256] = {0};
    struct linnet_by_user_entry *from = entries, *to = scratch;
    for (uint32_t i = 0; i < n; i++)
        for (int byte = 0; byte < 4; byte++)
            counts[byte][entries[i].species >> (8 * byte) & 255]++;
    for (int byte = 0; byte < 4; byte++) {
        uint32_t at = 0, *places = counts[byte];
        if (places[from[0].species >> (8 * byte) & 255] == n) continue;
        for (int digit = 0; digit < 256; digit++) {
            uint32_t here = places[digit];
            places[digit] = at;
            at += here;
        }
        for (uint32_t i = 0; i < n; i++)
            to[places[from[i].species >> (8 * byte) & 255]++] = from[i];
        struct linnet_by_user_entry *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != entries) memcpy(entries, from, n * sizeof *entries);
}

static void sort(struct linnet_by_user_entry *entries, struct linnet_by_user_entry *scratch, uint32_t n) {
    if (n > FEW) {
        sort_many(entries, scratch, n);
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        struct linnet_by_user_entry entry = entries[i];
        uint32_t at = i;
        for (; at > 0 && entries[at - 1].species > entry.species; at--)
            entries[at] = entries[at - 1];
        entries[at] = entry;
    }
}

static void sort_users(void *arg, unsigned thread, uint32_t begin, uint32_t end) {
    const struct making *making = arg;
    const uint32_t *start = making->by_user->start;
    (void)thread;
    for (uint32_t u = begin; u < end; u++)
        sort(making->by_user->entries + start[u], making->scratch + start[u], start[u + 1] - start[u]);
}

int linnet_by_user_init(struct linnet_by_user *by_user, const struct linnet_consensus_taxa *taxa,
                        const struct linnet_consensus_rules *rules, const struct linnet_crowd *crowd,
                        unsigned threads) {
    threads = linnet_parallel_threads(threads);
    *by_user = (struct linnet_by_user){.start = calloc((size_t)crowd->users + 1, sizeof(uint32_t))};
    struct making making = {.field = {.taxa = taxa, .classes = linnet_consensus_classes(rules)},
                            .crowd = crowd,
                            .by_user = by_user};
    if (!by_user->start) return LINNET_E_NOMEM;
    count(&making);
    by_user->entries = linnet_big_new((size_t)by_user->start[crowd->users], sizeof *by_user->entries);
    making.scratch = malloc(((size_t)by_user->start[crowd->users] + 1) * sizeof *making.scratch);
    int rc = by_user->entries && making.scratch ? 0 : LINNET_E_NOMEM;
    if (!rc) {
        place(&making, threads);
        linnet_parallel(threads, crowd->users, sort_users, &making);
    }
    free(making.scratch);
    return rc;
}

void linnet_by_user_done(struct linnet_by_user *by_user) {
    free(by_user->start);
    free(by_user->entries);
    *by_user = (struct linnet_by_user){0};
}
