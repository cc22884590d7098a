#include "workers/cli/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "workers/cli/command.h"

int linnet_say_error(const char *command, const struct linnet_error *err) {
    fprintf(stderr, "linnet %s: %s\n", command,
            err->detail[0] ? err->detail : linnet_error_message(err->code));
    return LINNET_EXIT_FAILED;
}

static int speaks(const struct linnet_store_options *options) {
    return !options->quiet && isatty(STDERR_FILENO);
}

void linnet_say_progress(const struct linnet_store_options *options, const char *format, ...) {
    if (!speaks(options)) return;
    va_list args;
    va_start(args, format);
    fputs("\r\033[K", stderr);
    vfprintf(stderr, format, args);
    fflush(stderr);
    va_end(args);
}

void linnet_say_done(const struct linnet_store_options *options) {
    if (speaks(options)) fputs("\r\033[K", stderr);
}
