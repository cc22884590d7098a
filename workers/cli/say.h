/* What a command says to a person: errors and progress on standard error. */
#ifndef LINNET_CLI_SAY_H
#define LINNET_CLI_SAY_H

#include "common/base/error.h"
#include "workers/cli/options.h"

/* "linnet show: <detail>" on standard error; returns LINNET_EXIT_FAILED. */
int linnet_say_error(const char *command, const struct linnet_error *err);
/* One line that replaces the last one on a terminal; nothing where standard error is none, or with --quiet.
 */
void linnet_say_progress(const struct linnet_store_options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Likewise a bar: what is done, how much of how much; `total` 0: unknown. */
void linnet_say_bar(const struct linnet_store_options *options, const char *what, unsigned long long done,
                    unsigned long long total);
/* End the line of progress. */
void linnet_say_done(const struct linnet_store_options *options);

#endif
