/* A checklist from files to linnet-reference. */
#ifndef LINNET_CLI_FLORA_IMPORT_H
#define LINNET_CLI_FLORA_IMPORT_H

#include "workers/cli/store.h"

struct linnet_flora_import {
    const struct linnet_store_options *store; /* also: json, quiet */
    const char *path;
    const char *distribution;         /* NULL: wcvp_distribution.csv beside wcvp_names.csv, if it is there */
    const char *areas;                /* codes divided by commas; NULL: all */
    const char *shapes, *out, *index; /* files; NULL: none */
    const char *kingdom;              /* "any": all */
    const char *prefix;               /* of ids; NULL: by the source */
    bool floras, native_only, dry_run;
};

/* Read, resolve, write, and print the report. Failures say what to do. */
int linnet_flora_import(const struct linnet_flora_import *import, struct linnet_error *err);

#endif
