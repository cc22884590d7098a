/* A crowd read from CSV files: votes, taxa, and what a machine said.
 *
 *   votes:   observation,user,taxon,author,created_at,disagreement    (the last three may be missing or
 * empty) taxa:    taxon,parent,rank,accepted machine: observation,taxon,score
 *
 * An empty taxon is no answer, "not-a-plant" is one. Without created_at the order of the file counts, and
 * such votes come after those with one. Of several votes of a user on an observation the last counts. A taxon
 * that the taxa file lacks is a species of its own. */
#ifndef LINNET_CONSENSUS_CROWD_FILE_H
#define LINNET_CONSENSUS_CROWD_FILE_H

#include "common/consensus/crowd.h"
#include "workers/consensus/names.h"

struct linnet_crowd_file {
    struct linnet_names observations, users, taxa; /* numbers as in crowd */
    struct linnet_consensus_taxa tree;
    struct linnet_crowd crowd; /* of the arrays below */
    uint32_t *start;
    struct linnet_vote *votes;
    int64_t *created_at; /* by vote, Unix milliseconds, INT64_MAX unknown; NULL if no vote says */
    struct linnet_machine_vote *machine;
    uint32_t rows, replaced; /* votes read; of them replaced by a later one of the same user */
    uint32_t unknown_taxa;   /* voted, but not in the taxa file */
    uint32_t orphans;        /* parents and accepted names that have no row of their own */
};

/* How many bytes of how many were read. */
typedef void linnet_crowd_file_progress(void *arg, size_t done, size_t all);

/* Read; `taxa` and `machine` may be NULL. threads 0: one for each processor. Errors name file and line. */
int linnet_crowd_file_load(struct linnet_crowd_file *file, const char *votes, const char *taxa,
                           const char *machine, unsigned threads, linnet_crowd_file_progress *progress,
                           void *progress_arg, struct linnet_error *err);
void linnet_crowd_file_done(struct linnet_crowd_file *file);

/* The parts, each after those before it; on failure done frees what is there. */
int linnet_taxa_file_read(struct linnet_crowd_file *file, const char *path, struct linnet_error *err);
int linnet_votes_file_read(struct linnet_crowd_file *file, const char *path, unsigned threads,
                           linnet_crowd_file_progress *progress, void *progress_arg,
                           struct linnet_error *err);
int linnet_machine_file_read(struct linnet_crowd_file *file, const char *path, struct linnet_error *err);

/* "a vote for an unknown name": the label of a cell, put if new. LINNET_NO_LABEL for an empty one; *failed on
 * want of memory. */
uint32_t linnet_crowd_file_label(struct linnet_crowd_file *file, const char *text, size_t size, uint32_t hash,
                                 bool *failed);
/* The name of a label: "" for none, "not-a-plant". */
const char *linnet_crowd_file_taxon(const struct linnet_crowd_file *file, uint32_t label, size_t *size);

#endif
