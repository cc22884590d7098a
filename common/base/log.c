#include "common/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/time.h"
#include "common/base/utf8.h"

/* The one global. Written before threads start, read only after. */
static struct {
    enum linnet_level level;
    int plain;
    int fd;
} sink = {LINNET_INFO, 0, STDERR_FILENO};

static const char *const LEVELS[] = {"debug", "info", "warn", "error"};

/* A longer text is cut: nobody reads it, and a document must not get into the log whole by accident. */
enum { TEXT_MOST = 2048 };

void linnet_log_setup(enum linnet_level level, int plain, int fd) {
    sink.level = level;
    sink.plain = plain;
    sink.fd = fd;
}

int linnet_log_level(const char *name) {
    for (int i = LINNET_DEBUG; i <= LINNET_ERROR; i++)
        if (!strcmp(LEVELS[i], name)) return i;
    return -1;
}

/* If `text` starts an authority with credentials ("://user:password@"), the length of what is before the
 * password and the length of the password; else 0. */
static size_t find_password(const char *text, size_t *password) {
    if (strncmp(text, "://", 3) != 0) return 0;
    const char *start = text + 3, *colon = NULL, *at = NULL;
    for (const char *s = start; *s && !strchr("/?# \t\r\n\"'<>", *s); s++) {
        if (*s == ':' && !colon) colon = s;
        if (*s == '@') at = s;
    }
    if (!colon || !at || colon > at) return 0;
    *password = (size_t)(at - colon - 1);
    return (size_t)(colon - text) + 1;
}

static void write_bytes(struct linnet_buf *out, const char *text, size_t size, int plain) {
    while (size) {
        unsigned char c = (unsigned char)*text;
        size_t step = linnet_utf8_next(text, size);
        if (!step) {
            linnet_buf_append(out, "\xef\xbf\xbd", 3); /* U+FFFD */
            step = 1;
        } else if (c < 0x20 || c == 0x7f) {
            linnet_buf_printf(out, "\\u%04x", c); /* in plain text too: no line breaks, no terminal escapes */
        } else if (!plain && (c == '"' || c == '\\')) {
            linnet_buf_printf(out, "\\%c", c);
        } else {
            linnet_buf_append(out, text, step);
        }
        text += step;
        size -= step;
    }
}

static void write_text(struct linnet_buf *out, const char *text, int plain) {
    if (!plain) linnet_buf_append(out, "\"", 1);
    for (size_t end = out->size + TEXT_MOST; *text;) {
        size_t room = end > out->size ? end - out->size : 0, password = 0,
               before = find_password(text, &password);
        size_t run = before ? before : 1 + strcspn(text + 1, ":");
        if (run > room) {
            while (room && (text[room] & 0xc0) == 0x80)
                room--; /* not inside a character */
            write_bytes(out, text, room, plain);
            linnet_buf_append_string(out, "...");
            break;
        }
        write_bytes(out, text, run, plain);
        if (before) linnet_buf_append(out, "***", 3);
        text += run + password;
    }
    if (!plain) linnet_buf_append(out, "\"", 1);
}

static void write_number(struct linnet_buf *out, double value, int plain) {
    if (!plain && (value != value || value - value != 0)) { /* JSON has no NaN and no infinity */
        linnet_buf_append_string(out, "null");
        return;
    }
    char text[40];
    int length = snprintf(text, sizeof text, "%.9g", value);
    for (int i = 0; i < length; i++)
        if (text[i] == ',') text[i] = '.'; /* the locale's decimal point */
    linnet_buf_append(out, text, (size_t)length);
}

static void write_members(struct linnet_buf *out, va_list args, int plain) {
    const char *name;
    while ((name = va_arg(args, const char *))) {
        const char *type = va_arg(args, const char *);
        linnet_buf_append_string(out, plain ? " " : ",");
        write_text(out, name, plain);
        linnet_buf_append_string(out, plain ? "=" : ":");
        if (*type == 's') {
            const char *text = va_arg(args, const char *);
            if (text)
                write_text(out, text, plain);
            else
                linnet_buf_append_string(out, "null");
        } else if (*type == 'i') {
            linnet_buf_printf(out, "%lld", va_arg(args, long long));
        } else if (*type == 'f') {
            write_number(out, va_arg(args, double), plain);
        } else if (*type == 'b') {
            linnet_buf_append_string(out, va_arg(args, int) ? "true" : "false");
        } else {
            return; /* what stands on the stack is unknown from here on */
        }
    }
}

static void write_line(int fd, const char *line, size_t size) {
    while (size) {
        ssize_t done = write(fd, line, size);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return; /* nowhere to say so */
        line += done;
        size -= (size_t)done;
    }
}

void linnet_log(enum linnet_level level, const char *room, const char *message, ...) {
    if (level < sink.level) return;
    int saved = errno, plain = sink.plain;
    char now[LINNET_TIME_SIZE];
    linnet_time_format(linnet_time_now(), now);
    struct linnet_buf out;
    linnet_buf_init(&out, 0);
    if (plain) {
        linnet_buf_printf(&out, "%s %-5s %s: ", now, LEVELS[level], room);
        write_text(&out, message, plain);
    } else {
        linnet_buf_printf(&out, "{\"time\":\"%s\",\"level\":\"%s\",\"room\":\"%s\",\"message\":", now,
                          LEVELS[level], room);
        write_text(&out, message, plain);
    }
    va_list args;
    va_start(args, message);
    write_members(&out, args, plain);
    va_end(args);
    int rc = linnet_buf_append_string(&out, plain ? "\n" : "}\n");
    if (!rc) write_line(sink.fd, out.data, out.size);
    linnet_buf_done(&out);
    errno = saved;
}
