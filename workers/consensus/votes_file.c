/* The votes file: pieces are taken apart by many threads at once; then their names are numbered in the order
 * of the file, each kind of name at a station of its own, so that the numbers do not depend on the threads.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/time.h"
#include "common/consensus/big.h"
#include "common/consensus/parallel.h"
#include "workers/consensus/crowd_file.h"
#include "workers/consensus/relay.h"
#include "workers/consensus/table.h"
#include "workers/consensus/vote_rows.h"

enum { PIECE = 1 << 20, SLOTS = 64 + 2 };

struct row {
    struct linnet_name observation, user, taxon, rejects;
    int64_t created_at;
    bool author;
};

/* Names with doubled quotes, copied because the table's room for them lasts a line only. */
struct copy {
    struct copy *next;
    char text[];
};

/* A piece of the file, as rows. */
struct part {
    const struct reading *reading;
    struct linnet_table_piece piece;
    struct row *rows;
    size_t n, capacity;
    struct copy *copies;
};

struct reading {
    struct linnet_table table;
    struct linnet_crowd_file *file;
    int observation, user, taxon, author, created_at, rejects; /* columns */
    unsigned slots;
    struct part parts[SLOTS];
    struct linnet_vote_rows rows; /* each station fills its own columns */
    size_t numbered[LINNET_RELAY_STATIONS];
    linnet_crowd_file_progress *progress;
    void *progress_arg;
    struct linnet_error *err;
};

/* ---- taking apart ---- */

static int copy_name(struct part *part, struct linnet_name *name) {
    struct copy *copy = malloc(sizeof *copy + name->size);
    if (!copy) return LINNET_E_NOMEM;
    copy->next = part->copies;
    part->copies = copy;
    name->text = memcpy(copy->text, name->text, name->size);
    return 0;
}

static int take_name(struct part *part, const struct linnet_cell *cells, int column,
                     struct linnet_name *name) {
    const struct linnet_table *table = &part->reading->table;
    *name = (struct linnet_name){"", 0, 0};
    if (column < 0 || cells[column].size == 0) return 0;
    const struct linnet_cell *cell = &cells[column];
    *name = (struct linnet_name){cell->text, cell->size, linnet_name_hash(cell->text, cell->size)};
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
    size_t wanted = part->n < part->capacity ? part->n + 1 : 2 * part->n + PIECE / 32;
    if (linnet_big_reserve(&part->rows, &part->capacity, part->n, wanted, sizeof *part->rows) != 0)
        return LINNET_E_NOMEM;
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

static bool begin_part(void *arg, unsigned slot) {
    struct reading *reading = arg;
    return linnet_table_cut(&reading->table, PIECE, &reading->parts[slot].piece);
}

static void read_part(void *arg, unsigned slot) {
    struct reading *reading = arg;
    linnet_table_walk(&reading->table, &reading->parts[slot].piece, on_row, &reading->parts[slot]);
}

/* ---- numbering ---- */

static int refuse(struct reading *reading, int code) {
    return linnet_error_set(reading->err, code, "%s: %s", reading->table.path, linnet_error_message(code));
}

static int number_observations(void *arg, unsigned slot) {
    struct reading *reading = arg;
    struct part *part = &reading->parts[slot];
    size_t at = reading->numbered[0];
    if (part->n == 0) return 0;
    if (at + part->n >= INT32_MAX) return refuse(reading, LINNET_E_LIMIT);
    if (linnet_vote_column_reserve(&reading->rows.observation, at, at + part->n) != 0 ||
        linnet_names_put_all(&reading->file->observations, &part->rows->observation, sizeof *part->rows,
                             part->n, reading->rows.observation.of + at) != 0)
        return refuse(reading, LINNET_E_NOMEM);
    reading->numbered[0] += part->n;
    return 0;
}

static int number_users(void *arg, unsigned slot) {
    struct reading *reading = arg;
    struct part *part = &reading->parts[slot];
    size_t at = reading->numbered[1];
    if (part->n == 0) return 0;
    if (linnet_vote_column_reserve(&reading->rows.user, at, at + part->n) != 0 ||
        linnet_names_put_all(&reading->file->users, &part->rows->user, sizeof *part->rows, part->n,
                             reading->rows.user.of + at) != 0)
        return refuse(reading, LINNET_E_NOMEM);
    reading->numbered[1] += part->n;
    return 0;
}

static int take_row(struct reading *reading, const struct row *row) {
    bool failed = false;
    uint32_t label = linnet_crowd_file_label(reading->file, row->taxon.text, row->taxon.size, row->taxon.hash,
                                             &failed),
             rejects = linnet_crowd_file_label(reading->file, row->rejects.text, row->rejects.size,
                                               row->rejects.hash, &failed);
    if (failed) return LINNET_E_NOMEM;
    return linnet_vote_rows_add(&reading->rows, label, rejects, row->created_at, row->author);
}

static void empty_part(struct part *part) {
    part->n = 0;
    for (struct copy *copy = part->copies, *next; copy; copy = next) {
        next = copy->next;
        free(copy);
    }
    part->copies = NULL;
}

/* Taxa, and all that is no name: the last station, after which nothing of the piece is wanted any more. */
static int take_rest(void *arg, unsigned slot) {
    struct reading *reading = arg;
    struct part *part = &reading->parts[slot];
    int code = 0;
    for (size_t i = 0; !code && i < part->n; i++)
        code = take_row(reading, &part->rows[i]);
    empty_part(part);
    if (code) return refuse(reading, code);
    if (reading->progress) reading->progress(reading->progress_arg, part->piece.end, reading->table.size);
    return linnet_table_leave(&reading->table, &part->piece, reading->err);
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

/* Rows and names to be expected, so that little has to grow: an error costs time alone. */
static int expect(struct reading *reading, struct linnet_error *err) {
    size_t rows = reading->table.size / 40, most = UINT32_MAX / 4;
    if (rows > most) rows = most;
    if (linnet_names_init(&reading->file->observations, (uint32_t)rows) == 0 &&
        linnet_names_init(&reading->file->users, (uint32_t)(rows / 8)) == 0 &&
        linnet_vote_rows_reserve(&reading->rows, rows) == 0)
        return 0;
    return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
}

static int read_all(struct reading *reading, unsigned threads) {
    struct linnet_relay relay = {.slots = threads + 2,
                                 .arg = reading,
                                 .begin = begin_part,
                                 .make = read_part,
                                 .station = {number_observations, number_users, take_rest}};
    for (unsigned slot = 0; slot < relay.slots; slot++)
        reading->parts[slot].reading = reading;
    int rc = linnet_relay_run(&relay, threads);
    if (rc == LINNET_E_NOMEM) rc = refuse(reading, rc);
    for (unsigned slot = 0; slot < relay.slots; slot++) {
        empty_part(&reading->parts[slot]);
        free(reading->parts[slot].rows);
    }
    return rc;
}

int linnet_votes_file_read(struct linnet_crowd_file *file, const char *path, unsigned threads,
                           linnet_crowd_file_progress *progress, void *progress_arg,
                           struct linnet_error *err) {
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    *reading = (struct reading){.file = file, .progress = progress, .progress_arg = progress_arg, .err = err};
    threads = linnet_parallel_threads(threads);
    int rc = linnet_table_open(&reading->table, path, err);
    if (!rc) rc = find_columns(reading, err);
    if (!rc) rc = expect(reading, err);
    if (!rc) rc = read_all(reading, threads);
    linnet_table_close(&reading->table);
    if (!rc && linnet_vote_rows_gather(&reading->rows, file, threads) != 0)
        rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    linnet_vote_rows_done(&reading->rows);
    free(reading);
    return rc;
}
