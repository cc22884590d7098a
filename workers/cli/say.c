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

void linnet_say_bar(const struct linnet_store_options *options, const char *what, unsigned long long done,
                    unsigned long long total) {
    enum { WIDTH = 30 };
    static const char full[] = "##############################";
    if (total == 0) {
        linnet_say_progress(options, "%-14s %llu", what, done);
        return;
    }
    if (done > total) done = total;
    int filled = (int)((double)done / (double)total * WIDTH);
    linnet_say_progress(options, "%-14s [%.*s%*s] %3.0f%%", what, filled, full, WIDTH - filled, "",
                        100.0 * (double)done / (double)total);
}

void linnet_say_done(const struct linnet_store_options *options) {
    if (speaks(options)) fputs("\r\033[K", stderr);
}
