/* The votes file: pieces are taken apart in parallel, then their names are numbered, each kind of name on a
 * thread of its own and in the order of the file, so that the numbers do not depend on the threads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/time.h"
#include "workers/consensus/crowd_file.h"
#include "workers/consensus/table.h"
#include "workers/consensus/vote_rows.h"

enum { PIECES = 16, BATCH = 8 << 20, AHEAD = 16 };

struct name {
    const char *text; /* in the mapped file, or in the piece's copies */
    uint32_t size, hash;
};

struct row {
    struct name observation, user, taxon, rejects;
    int64_t created_at;
    bool author;
};

/* Names with doubled quotes, copied because the table's room for them lasts a line only. */
struct copy {
    struct copy *next;
    char text[];
};

struct part {
    const struct reading *reading;
    struct row *rows;
    size_t n, capacity;
    struct copy *copies;
};

struct reading {
    struct linnet_table table;
    struct linnet_crowd_file *file;
    struct linnet_vote_rows rows;
    int observation, user, taxon, author, created_at, rejects; /* columns */
    unsigned parts;
    struct part part[PIECES];
    bool failed_observations, failed_users, failed_taxa; /* out of memory, by the thread of each */
};

/* ---- taking apart ---- */

static int copy_name(struct part *part, struct name *name) {
    struct copy *copy = malloc(sizeof *copy + name->size);
    if (!copy) return LINNET_E_NOMEM;
    copy->next = part->copies;
    part->copies = copy;
    name->text = memcpy(copy->text, name->text, name->size);
    return 0;
}

static int take_name(struct part *part, const struct linnet_cell *cells, int column, struct name *name) {
    const struct linnet_table *table = &part->reading->table;
    *name = (struct name){"", 0, 0};
    if (column < 0) return 0;
    const struct linnet_cell *cell = &cells[column];
    *name = (struct name){cell->text, cell->size, linnet_name_hash(cell->text, cell->size)};
    bool mapped = cell->text >= table->bytes && cell->text <= table->bytes + table->size;
    return mapped ? 0 : copy_name(part, name);
}

static int take_author(const struct linnet_cell *cells, int column, bool *author, const char **what) {
    *author = false;
    if (column < 0 || cells[column].size == 0) return 0;
    char said = cells[column].size == 1 ? cells[column].text[0] : '?';
    *author = said == '1';
    if (said == '0' || said == '1') return 0;
    *what = "author is neither 0 nor 1";
    return LINNET_E_PARSE;
}

static int take_time(const struct linnet_cell *cells, int column, int64_t *created_at, const char **what) {
    char text[48];
    *created_at = INT64_MAX;
    if (column < 0 || cells[column].size == 0) return 0;
    if (cells[column].size < sizeof text) {
        memcpy(text, cells[column].text, cells[column].size);
        text[cells[column].size] = '\0';
        if (linnet_time_parse(text, created_at) == 0) return 0;
    }
    *what = "created_at is no RFC 3339 time";
    return LINNET_E_PARSE;
}

static int on_row(void *arg, const struct linnet_cell *cells, const char **what) {
    struct part *part = arg;
    const struct reading *reading = part->reading;
    if (part->n == part->capacity) {
        size_t capacity = part->capacity ? part->capacity * 2 : 4096;
        struct row *larger = realloc(part->rows, capacity * sizeof *larger);
        if (!larger) return LINNET_E_NOMEM;
        part->rows = larger;
        part->capacity = capacity;
    }
    struct row *row = &part->rows[part->n];
    int rc = take_name(part, cells, reading->observation, &row->observation);
    if (!rc) rc = take_name(part, cells, reading->user, &row->user);
    if (!rc) rc = take_name(part, cells, reading->taxon, &row->taxon);
    if (!rc) rc = take_name(part, cells, reading->rejects, &row->rejects);
    if (!rc) rc = take_author(cells, reading->author, &row->author, what);
    if (!rc) rc = take_time(cells, reading->created_at, &row->created_at, what);
    if (!rc && (row->observation.size == 0 || row->user.size == 0)) {
        *what = row->user.size ? "the observation is empty" : "the user is empty";
        rc = LINNET_E_PARSE;
    }
    if (!rc) part->n++;
    return rc;
}

/* ---- numbering ---- */

/* Number one column of names of a part. Slots are fetched some rows ahead: each is a miss in the caches. */
#define NUMBER(part, names, member, first, into, failed)                                                     \
    for (size_t i = 0; i < (part)->n; i++) {                                                                 \
        if (i + AHEAD < (part)->n) linnet_names_prefetch(names, (part)->rows[i + AHEAD].member.hash);        \
        const struct name *name = &(part)->rows[i].member;                                                   \
        (into)[(first) + i] = linnet_names_put(names, name->text, name->size, name->hash);                   \
        (failed) |= (into)[(first) + i] == LINNET_NO_NAME;                                                   \
    }

static void *number_observations(void *arg) {
    struct reading *reading = arg;
    size_t first = reading->rows.n;
    for (unsigned p = 0; p < reading->parts; first += reading->part[p++].n)
        NUMBER(&reading->part[p], &reading->file->observations, observation, first, reading->rows.observation,
               reading->failed_observations)
    return NULL;
}

static void *number_users(void *arg) {
    struct reading *reading = arg;
    size_t first = reading->rows.n;
    for (unsigned p = 0; p < reading->parts; first += reading->part[p++].n)
        NUMBER(&reading->part[p], &reading->file->users, user, first, reading->rows.user,
               reading->failed_users)
    return NULL;
}

/* Rows so far reject nothing, or say no time: the array is made when the first does. */
static void *filled(size_t capacity, size_t element, int byte) {
    void *memory = malloc(capacity * element);
    return memory ? memset(memory, byte, capacity * element) : NULL;
}

static void number_row(struct reading *reading, const struct row *row, size_t at) {
    struct linnet_vote_rows *rows = &reading->rows;
    bool *failed = &reading->failed_taxa;
    rows->author[at] = row->author;
    rows->label[at] =
        linnet_crowd_file_label(reading->file, row->taxon.text, row->taxon.size, row->taxon.hash, failed);
    if (row->rejects.size && !rows->rejects) {
        rows->rejects = filled(rows->capacity, sizeof *rows->rejects, 0xff); /* LINNET_NO_LABEL */
        *failed |= !rows->rejects;
    }
    if (rows->rejects)
        rows->rejects[at] = linnet_crowd_file_label(reading->file, row->rejects.text, row->rejects.size,
                                                    row->rejects.hash, failed);
    if (row->created_at != INT64_MAX && !rows->created_at) {
        rows->created_at = malloc(rows->capacity * sizeof *rows->created_at);
        *failed |= !rows->created_at;
        for (size_t i = 0; rows->created_at && i < at; i++)
            rows->created_at[i] = INT64_MAX;
    }
    if (rows->created_at) rows->created_at[at] = row->created_at;
}

static void *number_taxa(void *arg) {
    struct reading *reading = arg;
    size_t at = reading->rows.n;
    for (unsigned p = 0; p < reading->parts; p++)
        for (size_t i = 0; i < reading->part[p].n; i++)
            number_row(reading, &reading->part[p].rows[i], at++);
    return NULL;
}

/* The batch's rows to the end of those before. */
static int number_batch(struct reading *reading, unsigned threads) {
    size_t n = reading->rows.n;
    for (unsigned p = 0; p < reading->parts; p++)
        n += reading->part[p].n;
    if (n >= INT32_MAX || linnet_vote_rows_reserve(&reading->rows, n) != 0) return LINNET_E_NOMEM;
    pthread_t observations;
    bool threaded = threads > 1 && pthread_create(&observations, NULL, number_observations, reading) == 0;
    number_users(reading);
    number_taxa(reading);
    if (threaded)
        pthread_join(observations, NULL);
    else
        number_observations(reading);
    reading->rows.n = n;
    bool failed = reading->failed_observations || reading->failed_users || reading->failed_taxa;
    return failed ? LINNET_E_NOMEM : 0;
}

static void empty_parts(struct reading *reading) {
    for (unsigned p = 0; p < reading->parts; p++) {
        struct part *part = &reading->part[p];
        part->n = 0;
        for (struct copy *copy = part->copies, *next; copy; copy = next) {
            next = copy->next;
            free(copy);
        }
        part->copies = NULL;
    }
}

/* ---- the file ---- */

static int find_columns(struct reading *reading, struct linnet_error *err) {
    const struct linnet_table *table = &reading->table;
    reading->observation = linnet_table_column(table, "observation");
    reading->user = linnet_table_column(table, "user");
    reading->taxon = linnet_table_column(table, "taxon");
    reading->author = linnet_table_column(table, "author");
    reading->created_at = linnet_table_column(table, "created_at");
    reading->rejects = linnet_table_column(table, "disagreement");
    const char *missing = reading->observation < 0 ? "observation"
                          : reading->user < 0      ? "user"
                          : reading->taxon < 0     ? "taxon"
                                                   : NULL;
    if (!missing) return 0;
    return linnet_error_set(err, LINNET_E_PARSE, "%s: line 1: there is no column '%s'", table->path, missing);
}

static int read_all(struct reading *reading, unsigned threads, linnet_crowd_file_progress *progress,
                    void *progress_arg, struct linnet_error *err) {
    void *args[PIECES];
    int rc = 1;
    for (unsigned p = 0; p < reading->parts; p++) {
        reading->part[p].reading = reading;
        args[p] = &reading->part[p];
    }
    while ((rc = linnet_table_read(&reading->table, BATCH, reading->parts, on_row, args, err)) > 0) {
        rc = number_batch(reading, threads);
        if (rc) return linnet_error_set(err, rc, "%s: %s", reading->table.path, linnet_error_message(rc));
        empty_parts(reading);
        if (progress) progress(progress_arg, reading->table.at, reading->table.size);
    }
    return rc;
}

int linnet_votes_file_read(struct linnet_crowd_file *file, const char *path, unsigned threads,
                           linnet_crowd_file_progress *progress, void *progress_arg,
                           struct linnet_error *err) {
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    long processors = threads ? (long)threads : sysconf(_SC_NPROCESSORS_ONLN);
    reading->file = file;
    reading->parts = processors < 1 ? 1 : processors > PIECES ? PIECES : (unsigned)processors;
    int rc = linnet_table_open(&reading->table, path, err);
    if (!rc) rc = find_columns(reading, err);
    size_t rows = reading->table.size / 40; /* a guess that spares growing */
    if (!rc && (linnet_names_init(&file->observations,
                                  (uint32_t)(rows < UINT32_MAX / 4 ? rows : UINT32_MAX / 4)) != 0 ||
                linnet_names_init(&file->users,
                                  (uint32_t)(rows / 8 < UINT32_MAX / 4 ? rows / 8 : UINT32_MAX / 4)) != 0))
        rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (!rc) rc = read_all(reading, reading->parts, progress, progress_arg, err);
    empty_parts(reading);
    for (unsigned p = 0; p < reading->parts; p++)
        free(reading->part[p].rows);
    linnet_table_close(&reading->table);
    if (!rc && linnet_vote_rows_gather(&reading->rows, file) != 0)
        rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    linnet_vote_rows_done(&reading->rows);
    free(reading);
    return rc;
}
