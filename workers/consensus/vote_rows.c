#include "workers/consensus/vote_rows.h"

#include <stdlib.h>
#include <string.h>

void linnet_vote_rows_done(struct linnet_vote_rows *rows) {
    free(rows->observation);
    free(rows->user);
    free(rows->label);
    free(rows->rejects);
    free(rows->created_at);
    free(rows->author);
    *rows = (struct linnet_vote_rows){0};
}

static int grow(void *array, size_t n, size_t element) {
    void *memory = realloc(*(void **)array, n * element);
    if (!memory) return -1;
    *(void **)array = memory;
    return 0;
}

int linnet_vote_rows_reserve(struct linnet_vote_rows *rows, size_t n) {
    if (n <= rows->capacity) return 0;
    size_t wanted = n > rows->capacity + rows->capacity / 2 ? n : rows->capacity + rows->capacity / 2;
    if (grow(&rows->observation, wanted, sizeof *rows->observation) ||
        grow(&rows->user, wanted, sizeof *rows->user) || grow(&rows->label, wanted, sizeof *rows->label) ||
        grow(&rows->author, wanted, 1) ||
        (rows->rejects && grow(&rows->rejects, wanted, sizeof *rows->rejects)) ||
        (rows->created_at && grow(&rows->created_at, wanted, sizeof *rows->created_at)))
        return -1;
    rows->capacity = wanted;
    return 0;
}

struct gathering {
    const struct linnet_vote_rows *rows;
    struct linnet_crowd_file *file;
    uint32_t *order; /* rows by observation */
};

/* Does row a come before row b on their observation: by time, of one time by the names of the labels and of
 * the users, without a time by the file? */
static bool before(const struct gathering *gathering, uint32_t a, uint32_t b) {
    const struct linnet_vote_rows *rows = gathering->rows;
    if (!rows->created_at) return a < b;
    if (rows->created_at[a] != rows->created_at[b]) return rows->created_at[a] < rows->created_at[b];
    if (rows->created_at[a] == INT64_MAX) return a < b;
    size_t m, n;
    const char *x = linnet_crowd_file_taxon(gathering->file, rows->label[a], &m);
    const char *y = linnet_crowd_file_taxon(gathering->file, rows->label[b], &n);
    int order = memcmp(x, y, m < n ? m : n);
    if (order == 0) order = (m > n) - (m < n);
    if (order == 0 && rows->user[a] != rows->user[b])
        order = linnet_names_compare(&gathering->file->users, rows->user[a], rows->user[b]);
    return order != 0 ? order < 0 : a < b;
}

/* Merge sort, so that an observation with very many votes does no harm; insertion below it. */
static void sort(const struct gathering *gathering, uint32_t *order, uint32_t n, uint32_t *scratch) {
    if (n > 16) {
        uint32_t half = n / 2, i = 0, j = half, at = 0;
        sort(gathering, order, half, scratch);
        sort(gathering, order + half, n - half, scratch);
        memcpy(scratch, order, n * sizeof *order);
        while (i < half && j < n)
            order[at++] = before(gathering, scratch[j], scratch[i]) ? scratch[j++] : scratch[i++];
        while (i < half)
            order[at++] = scratch[i++];
        while (j < n)
            order[at++] = scratch[j++];
        return;
    }
    for (uint32_t i = 1; i < n; i++) {
        uint32_t row = order[i], at = i;
        for (; at > 0 && before(gathering, row, order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = row;
    }
}

/* Put the rows in the order of their observations; start[i + 1] is where those of i end. */
static void distribute(const struct gathering *gathering) {
    const struct linnet_vote_rows *rows = gathering->rows;
    uint32_t *start = gathering->file->start, n = gathering->file->observations.n;
    for (size_t row = 0; row < rows->n; row++)
        start[rows->observation[row] + 1]++;
    for (uint32_t i = 0; i < n; i++)
        start[i + 1] += start[i];
    for (size_t row = 0; row < rows->n; row++)
        gathering->order[start[rows->observation[row]]++] = (uint32_t)row;
    for (uint32_t i = n; i > 0; i--)
        start[i] = start[i - 1];
    start[0] = 0;
}

/* Keep the votes of one observation, the last of each user. `last` holds by user the last row seen, of any
 * observation. */
static uint32_t keep(const struct gathering *gathering, const uint32_t *order, uint32_t n, uint32_t *last,
                     uint32_t at) {
    const struct linnet_vote_rows *rows = gathering->rows;
    struct linnet_crowd_file *file = gathering->file;
    if (n > 1)
        for (uint32_t k = 0; k < n; k++)
            last[rows->user[order[k]]] = order[k];
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = order[k];
        if (n > 1 && last[rows->user[row]] != row) {
            file->replaced++;
            continue;
        }
        if (file->created_at && rows->created_at) file->created_at[at] = rows->created_at[row];
        file->votes[at++] = (struct linnet_vote){rows->user[row], rows->label[row],
                                                 rows->rejects ? rows->rejects[row] : LINNET_NO_LABEL,
                                                 rows->author[row] != 0};
    }
    return at;
}

static uint32_t longest(const struct linnet_crowd_file *file) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < file->observations.n; i++)
        if (file->start[i + 1] - file->start[i] > most) most = file->start[i + 1] - file->start[i];
    return most;
}

int linnet_vote_rows_gather(struct linnet_vote_rows *rows, struct linnet_crowd_file *file) {
    uint32_t n = file->observations.n;
    struct gathering gathering = {rows, file, malloc((rows->n + 1) * sizeof *gathering.order)};
    uint32_t *last = malloc(((size_t)file->users.n + 1) * sizeof *last), *scratch = NULL;
    file->start = calloc((size_t)n + 1, sizeof *file->start);
    file->votes = malloc((rows->n + 1) * sizeof *file->votes);
    if (rows->created_at) file->created_at = malloc((rows->n + 1) * sizeof *file->created_at);
    int rc = gathering.order && last && file->start && file->votes && (!rows->created_at || file->created_at)
                 ? 0
                 : LINNET_E_NOMEM;
    if (!rc) {
        distribute(&gathering);
        scratch = malloc(((size_t)longest(file) + 1) * sizeof *scratch);
        if (!scratch) rc = LINNET_E_NOMEM;
    }
    uint32_t from = 0, at = 0;
    for (uint32_t i = 0; !rc && i < n; i++) {
        uint32_t to = file->start[i + 1];
        if (rows->created_at) sort(&gathering, gathering.order + from, to - from, scratch);
        at = keep(&gathering, gathering.order + from, to - from, last, at);
        file->start[i + 1] = at;
        from = to;
    }
    free(gathering.order);
    free(last);
    free(scratch);
    file->rows = (uint32_t)rows->n;
    linnet_vote_rows_done(rows);
    file->crowd = (struct linnet_crowd){n, file->users.n, file->start, file->votes, file->machine};
    return rc;
}
