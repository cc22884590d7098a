/* Votes by row of the file, before they are brought together by observation. */
#ifndef LINNET_CONSENSUS_VOTE_ROWS_H
#define LINNET_CONSENSUS_VOTE_ROWS_H

#include "workers/consensus/crowd_file.h"

struct linnet_vote_column {
    uint32_t *of; /* by row */
    size_t capacity;
};

/* Observation and user are filled by whoever numbers them, to linnet_vote_column_reserve; the rest by
 * linnet_vote_rows_add, which counts the rows. */
struct linnet_vote_rows {
    struct linnet_vote_column observation, user, label;
    struct linnet_vote_column rejects; /* empty until a row rejects something */
    int64_t *created_at;               /* NULL until a row says when */
    uint8_t *author;
    size_t n, created_capacity, author_capacity;
};

void linnet_vote_rows_done(struct linnet_vote_rows *rows);
/* Room for n rows in all, of what every row has. -1: out of memory. */
int linnet_vote_rows_reserve(struct linnet_vote_rows *rows, size_t n);
/* Room in one column that has `used` rows for `wanted`. -1: out of memory. */
int linnet_vote_column_reserve(struct linnet_vote_column *column, size_t used, size_t wanted);
/* The rest of row n. rejects: LINNET_NO_LABEL for none; created_at: INT64_MAX for none. LINNET_E_NOMEM. */
int linnet_vote_rows_add(struct linnet_vote_rows *rows, uint32_t label, uint32_t rejects, int64_t created_at,
                         bool author);
/* Fill file->start, votes, created_at and crowd; the rows are freed. LINNET_E_NOMEM. */
int linnet_vote_rows_gather(struct linnet_vote_rows *rows, struct linnet_crowd_file *file, unsigned threads);

#endif
