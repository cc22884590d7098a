/* Where commands write: folders made as needed, files by line. */
#ifndef LINNET_FLORA_OUTPUT_H
#define LINNET_FLORA_OUTPUT_H

#include <jansson.h>
#include <stdio.h>

/* Make a folder and those above it. 0, or -1 with errno. */
int linnet_flora_make_folder(const char *path);
/* Open folder/name for writing. NULL with a message on stderr. */
FILE *linnet_flora_create(const char *command, const char *folder, const char *name);
/* Close; 0, or 1 with a message if anything was not written. */
int linnet_flora_close(const char *command, FILE *file, const char *name);
/* Write a value as one line and release it. 0, or -1. */
int linnet_flora_put_line(FILE *file, json_t *value);

#endif
