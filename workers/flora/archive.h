/* Where tables are read from: a file, a file of a folder, a member of a zip archive. Nothing is ever unpacked
 * to disk; names that lead elsewhere, archives that are bombs and members without end are refused. Owned by
 * one thread. */
#ifndef LINNET_FLORA_ARCHIVE_H
#define LINNET_FLORA_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/error.h"

/* Limits on what a stranger's archive may hold. */
#define LINNET_ARCHIVE_MEMBERS 10000
#define LINNET_ARCHIVE_BYTES   ((uint64_t)16 << 30) /* of one member, unpacked */
#define LINNET_ARCHIVE_RATIO   200                  /* unpacked to packed, once past 64 MiB */

struct linnet_archive; /* a folder, or a zip file */
struct linnet_stream;  /* one file of it, read from front to back */

/* LINNET_E_NOT_FOUND, LINNET_E_IO, LINNET_E_PARSE (no zip archive), LINNET_E_LIMIT, LINNET_E_NOMEM. */
int linnet_archive_open(const char *path, struct linnet_archive **out, struct linnet_error *err);
void linnet_archive_close(struct linnet_archive *archive); /* NULL is safe; streams first */
/* Is there a file of this name? In a zip file that holds one folder, inside it. */
bool linnet_archive_has(const struct linnet_archive *archive, const char *name);
/* Open one. The name is a plain one: without a slash, no "..". LINNET_E_DENIED for others and for links,
 * LINNET_E_NOT_FOUND, LINNET_E_LIMIT, LINNET_E_UNSUPPORTED (encrypted). */
int linnet_archive_stream(struct linnet_archive *archive, const char *name, struct linnet_stream **out,
                          struct linnet_error *err);
/* A file by its path, as the command line names it. LINNET_E_NOT_FOUND, LINNET_E_IO, LINNET_E_NOMEM. */
int linnet_stream_open(const char *path, struct linnet_stream **out, struct linnet_error *err);
void linnet_stream_close(struct linnet_stream *stream);
/* As linnet_rows_read (workers/flora/rows.h) wants it: `arg` is the stream. LINNET_E_IO, LINNET_E_PARSE (the
 * archive is broken), LINNET_E_LIMIT. */
ssize_t linnet_stream_read(void *arg, void *data, size_t size, struct linnet_error *err);
/* Bytes that it will give, unpacked; 0: unknown. */
uint64_t linnet_stream_size(const struct linnet_stream *stream);

#endif
