/* Votes by row of the file, before they are brought together by observation. */
#ifndef LINNET_CONSENSUS_VOTE_ROWS_H
#define LINNET_CONSENSUS_VOTE_ROWS_H

#include "workers/consensus/crowd_file.h"

struct linnet_vote_rows {
    size_t n, capacity;
    uint32_t *observation, *user, *label;
    uint32_t *rejects;   /* NULL until a row rejects something */
    int64_t *created_at; /* NULL until a row says when */
    uint8_t *author;
};

void linnet_vote_rows_done(struct linnet_vote_rows *rows);
/* Room for n rows in all. -1: out of memory. */
int linnet_vote_rows_reserve(struct linnet_vote_rows *rows, size_t n);
/* Fill file->start, votes, created_at and crowd; the rows are freed. */
int linnet_vote_rows_gather(struct linnet_vote_rows *rows, struct linnet_crowd_file *file);

#endif
