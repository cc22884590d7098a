#include "workers/consensus/vote_rows.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/consensus/big.h"
#include "common/consensus/parallel.h"

void linnet_vote_rows_done(struct linnet_vote_rows *rows) {
    free(rows->observation.of);
    free(rows->user.of);
    free(rows->label.of);
    free(rows->rejects.of);
    free(rows->created_at);
    free(rows->author);
    *rows = (struct linnet_vote_rows){0};
}

int linnet_vote_column_reserve(struct linnet_vote_column *column, size_t used, size_t wanted) {
    return linnet_big_reserve(&column->of, &column->capacity, used, wanted, sizeof *column->of);
}

int linnet_vote_rows_reserve(struct linnet_vote_rows *rows, size_t n) {
    if (linnet_vote_column_reserve(&rows->observation, rows->n, n) != 0 ||
        linnet_vote_column_reserve(&rows->user, rows->n, n) != 0 ||
        linnet_vote_column_reserve(&rows->label, rows->n, n) != 0)
        return -1;
    return linnet_big_reserve(&rows->author, &rows->author_capacity, rows->n, n, 1);
}

/* Rows so far reject nothing, or say no time: the column is made when the first does. */
static int add_rejects(struct linnet_vote_rows *rows, uint32_t rejects) {
    size_t n = rows->n;
    if (!rows->rejects.of) {
        if (rejects == LINNET_NO_LABEL) return 0;
        if (linnet_vote_column_reserve(&rows->rejects, 0, rows->label.capacity) != 0) return -1;
        memset(rows->rejects.of, 0xff, n * sizeof(uint32_t)); /* LINNET_NO_LABEL */
    }
    if (linnet_vote_column_reserve(&rows->rejects, n, n + 1) != 0) return -1;
    rows->rejects.of[n] = rejects;
    return 0;
}

static int add_time(struct linnet_vote_rows *rows, int64_t created_at) {
    size_t n = rows->n;
    if (!rows->created_at) {
        if (created_at == INT64_MAX) return 0;
        if (linnet_big_reserve(&rows->created_at, &rows->created_capacity, 0, rows->label.capacity,
                               sizeof *rows->created_at) != 0)
            return -1;
        for (size_t i = 0; i < n; i++)
            rows->created_at[i] = INT64_MAX;
    }
    if (linnet_big_reserve(&rows->created_at, &rows->created_capacity, n, n + 1, sizeof *rows->created_at) !=
        0)
        return -1;
    rows->created_at[n] = created_at;
    return 0;
}

int linnet_vote_rows_add(struct linnet_vote_rows *rows, uint32_t label, uint32_t rejects, int64_t created_at,
                         bool author) {
    size_t n = rows->n;
    if (linnet_vote_column_reserve(&rows->label, n, n + 1) != 0 ||
        linnet_big_reserve(&rows->author, &rows->author_capacity, n, n + 1, 1) != 0 ||
        add_rejects(rows, rejects) != 0 || add_time(rows, created_at) != 0)
        return LINNET_E_NOMEM;
    rows->label.of[n] = label;
    rows->author[n] = author;
    rows->n++;
    return 0;
}

/* ---- gathering ---- */

enum { PLACERS = 8, FEW = 16 };

struct gathering {
    const struct linnet_vote_rows *rows;
    struct linnet_crowd_file *file;
    uint32_t observations_of[PLACERS + 1]; /* a placer's observations are those from its own to the next */
    _Atomic uint32_t replaced;
    _Atomic bool failed; /* out of memory */
};

/* Where the votes of each observation begin; and shares of about as many votes for the placers. */
static void count(struct gathering *gathering, uint32_t placers) {
    uint32_t *start = gathering->file->start, n = gathering->file->observations.n, placer = 1;
    size_t rows = gathering->rows->n;
    for (size_t row = 0; row < rows; row++)
        start[gathering->rows->observation.of[row] + 1]++;
    for (uint32_t i = 0; i < n; i++) {
        start[i + 1] += start[i];
        while (placer < placers && start[i + 1] >= rows * placer / placers)
            gathering->observations_of[placer++] = i + 1;
    }
    while (placer <= placers)
        gathering->observations_of[placer++] = n;
    gathering->observations_of[placers] = n;
}

/* Put the votes in the order of their observations. Afterwards start[i] is where those of i end. Every placer
 * walks all rows, which is cheap, and writes those of its own observations. */
static void place_some(void *arg, unsigned thread, uint32_t begin, uint32_t end) {
    const struct gathering *gathering = arg;
    const struct linnet_vote_rows *rows = gathering->rows;
    struct linnet_crowd_file *file = gathering->file;
    uint32_t from = gathering->observations_of[begin], to = gathering->observations_of[end];
    (void)thread;
    for (size_t row = 0; row < rows->n; row++) {
        uint32_t i = rows->observation.of[row];
        if (i < from || i >= to) continue;
        uint32_t at = file->start[i]++;
        file->votes[at] = (struct linnet_vote){rows->user.of[row], rows->label.of[row],
                                               rows->rejects.of ? rows->rejects.of[row] : LINNET_NO_LABEL,
                                               rows->author[row]};
        if (rows->created_at) file->created_at[at] = rows->created_at[row];
    }
}

/* Does vote a come before vote b on their observation: by time, of one time by the names of the labels and of
 * the users, without a time by the file (false: b may stay behind)? */
static bool before(const struct linnet_crowd_file *file, uint32_t a, uint32_t b) {
    if (file->created_at[a] != file->created_at[b]) return file->created_at[a] < file->created_at[b];
    if (file->created_at[a] == INT64_MAX) return a < b;
    size_t m, n;
    const char *x = linnet_crowd_file_taxon(file, file->votes[a].label, &m);
    const char *y = linnet_crowd_file_taxon(file, file->votes[b].label, &n);
    int order = memcmp(x, y, m < n ? m : n);
    if (order == 0) order = (m > n) - (m < n);
    if (order == 0 && file->votes[a].user != file->votes[b].user)
        order = linnet_names_compare(&file->users, file->votes[a].user, file->votes[b].user);
    return order != 0 ? order < 0 : a < b;
}

/* Merge sort, so that an observation with very many votes does no harm; insertion below it. */
static void sort(const struct linnet_crowd_file *file, uint32_t *order, uint32_t n, uint32_t *scratch) {
    if (n > FEW) {
        uint32_t half = n / 2, i = 0, j = half, at = 0;
        sort(file, order, half, scratch);
        sort(file, order + half, n - half, scratch);
        memcpy(scratch, order, n * sizeof *order);
        while (i < half && j < n)
            order[at++] = before(file, scratch[j], scratch[i]) ? scratch[j++] : scratch[i++];
        while (i < half)
            order[at++] = scratch[i++];
        while (j < n)
            order[at++] = scratch[j++];
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        uint32_t vote = order[i], at = i;
        for (; at > 0 && before(file, vote, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = vote;
    }
}

static bool is_sorted(const struct linnet_crowd_file *file, uint32_t from, uint32_t to) {
    for (uint32_t v = from + 1; v < to; v++)
        if (before(file, v, v - 1)) return false;
    return true;
}

struct dated_vote {
    struct linnet_vote vote;
    int64_t created_at;
};

/* The votes [from, to) of one observation in the order in which they were cast. -1: out of memory. */
static int order_votes(struct linnet_crowd_file *file, uint32_t from, uint32_t to) {
    uint32_t n = to - from, few[2 * FEW], *order = few;
    struct dated_vote few_sorted[FEW], *sorted = few_sorted;
    if (is_sorted(file, from, to)) return 0;
    if (n > FEW) {
        order = malloc(2 * (size_t)n * sizeof *order);
        sorted = malloc(n * sizeof *sorted);
    }
    for (uint32_t i = 0; order && i < n; i++)
        order[i] = from + i;
    if (order && sorted) {
        sort(file, order, n, order + n);
        for (uint32_t i = 0; i < n; i++)
            sorted[i] = (struct dated_vote){file->votes[order[i]], file->created_at[order[i]]};
        for (uint32_t i = 0; i < n; i++) {
            file->votes[from + i] = sorted[i].vote;
            file->created_at[from + i] = sorted[i].created_at;
        }
    }
    int rc = order && sorted ? 0 : -1;
    if (order != few) free(order);
    if (sorted != few_sorted) free(sorted);
    return rc;
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* A vote that is replaced by a later one of the same user is marked, its user being LINNET_NO_NAME. Returns
 * how many, or -1: out of memory. */
static int64_t mark_replaced(struct linnet_vote *votes, uint32_t n) {
    int64_t replaced = 0;
    if (n <= FEW) {
        for (uint32_t i = 0; i + 1 < n; i++)
            for (uint32_t j = i + 1; j < n; j++)
                if (votes[i].user == votes[j].user) {
                    votes[i].user = LINNET_NO_NAME;
                    replaced++;
                    break;
                }
        return replaced;
    }
    uint64_t *keys = malloc(n * sizeof *keys);
    if (!keys) return -1;
    for (uint32_t i = 0; i < n; i++)
        keys[i] = (uint64_t)votes[i].user << 32 | i;
    qsort(keys, n, sizeof *keys, by_number);
    for (uint32_t k = 0; k + 1 < n; k++)
        if (keys[k] >> 32 == keys[k + 1] >> 32) {
            votes[(uint32_t)keys[k]].user = LINNET_NO_NAME;
            replaced++;
        }
    free(keys);
    return replaced;
}

static void order_some(void *arg, unsigned thread, uint32_t begin, uint32_t end) {
    struct gathering *gathering = arg;
    struct linnet_crowd_file *file = gathering->file;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        uint32_t from = file->start[i], to = file->start[i + 1];
        if (to - from < 2) continue;
        int64_t replaced = -1;
        if (!file->created_at || order_votes(file, from, to) == 0)
            replaced = mark_replaced(file->votes + from, to - from);
        if (replaced < 0) gathering->failed = true;
        if (replaced > 0) gathering->replaced += (uint32_t)replaced;
    }
}

/* Close up over the marked votes. */
static void drop_replaced(struct linnet_crowd_file *file) {
    uint32_t at = 0, from = 0;
    for (uint32_t i = 0; i < file->observations.n; i++) {
        uint32_t to = file->start[i + 1];
        for (uint32_t v = from; v < to; v++) {
            if (file->votes[v].user == LINNET_NO_NAME) continue;
            if (file->created_at) file->created_at[at] = file->created_at[v];
            file->votes[at++] = file->votes[v];
        }
        file->start[i + 1] = at;
        from = to;
    }
}

static void gather(struct gathering *gathering, unsigned threads) {
    struct linnet_crowd_file *file = gathering->file;
    uint32_t n = file->observations.n, placers = threads < PLACERS ? threads : PLACERS;
    count(gathering, placers);
    linnet_parallel_each(threads, placers, place_some, gathering);
    memmove(file->start + 1, file->start, n * sizeof *file->start);
    file->start[0] = 0;
    linnet_parallel(threads, n, order_some, gathering);
    file->replaced = gathering->replaced;
    if (file->replaced) drop_replaced(file);
}

int linnet_vote_rows_gather(struct linnet_vote_rows *rows, struct linnet_crowd_file *file, unsigned threads) {
    struct gathering gathering = {.rows = rows, .file = file};
    uint32_t n = file->observations.n;
    threads = linnet_parallel_threads(threads);
    file->start = linnet_big_zeros((size_t)n + 1, sizeof *file->start);
    file->votes = linnet_big_new(rows->n + 1, sizeof *file->votes);
    if (rows->created_at) file->created_at = linnet_big_new(rows->n + 1, sizeof *file->created_at);
    int rc = file->start && file->votes && (!rows->created_at || file->created_at) ? 0 : LINNET_E_NOMEM;
    if (!rc) gather(&gathering, threads);
    if (gathering.failed) rc = LINNET_E_NOMEM;
    file->rows = (uint32_t)rows->n;
    linnet_vote_rows_done(rows);
    file->crowd = (struct linnet_crowd){n, file->users.n, file->start, file->votes, file->machine};
    return rc;
}
