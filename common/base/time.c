#include "common/base/time.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/error.h"

#define DAY_MS INT64_C(86400000)

static int64_t clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t linnet_time_now(void) {
    return clock_ms(CLOCK_REALTIME);
}

int64_t linnet_time_monotonic(void) {
    return clock_ms(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 and back, in the proleptic Gregorian calendar. After Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms" (days_from_civil, civil_from_days). */
static int64_t days_from_civil(int64_t year, int month, int day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153; /* March is 0 */
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

void linnet_time_format(int64_t unix_ms, char out[LINNET_TIME_SIZE]) {
    /* RFC 3339 has four digits for the year. */
    const int64_t first = days_from_civil(0, 1, 1) * DAY_MS, last = days_from_civil(10000, 1, 1) * DAY_MS - 1;
    if (unix_ms < first) unix_ms = first;
    if (unix_ms > last) unix_ms = last;
    int64_t days = unix_ms / DAY_MS, rest = unix_ms % DAY_MS;
    if (rest < 0) {
        rest += DAY_MS;
        days--;
    }
    int year, month, day, ms = (int)rest;
    civil_from_days(days, &year, &month, &day);
    char text[64]; /* the compiler can't see the ranges */
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, ms / 3600000,
             ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
    memcpy(out, text, LINNET_TIME_SIZE - 1);
    out[LINNET_TIME_SIZE - 1] = '\0';
}

/* Exactly `digits` digits at *text, which moves on. */
static bool read_number(const char **text, int digits, int *value) {
    *value = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9') return false;
        *value = *value * 10 + (**text - '0');
    }
    return true;
}

static bool read_char(const char **text, char wanted) {
    return *(*text)++ == wanted;
}

static bool read_date(const char **text, int64_t *days) {
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!read_number(text, 4, &year) || !read_char(text, '-') || !read_number(text, 2, &month) ||
        !read_char(text, '-') || !read_number(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1) return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > lengths[month - 1] + (leap && month == 2)) return false;
    *days = days_from_civil(year, month, day);
    return true;
}

/* hh:mm:ss with an optional fraction, in milliseconds of the day. Second 60 is a leap second: the first of
 * the next minute. */
static bool read_clock(const char **text, int64_t *ms) {
    int hour, minute, second;
    if (!read_number(text, 2, &hour) || !read_char(text, ':') || !read_number(text, 2, &minute) ||
        !read_char(text, ':') || !read_number(text, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60) return false;
    *ms = ((hour * 60 + minute) * INT64_C(60) + second) * 1000;
    if (**text != '.') return true;
    (*text)++;
    if (**text < '0' || **text > '9') return false;
    for (int scale = 100; **text >= '0' && **text <= '9'; (*text)++, scale /= 10)
        *ms += (**text - '0') * scale;
    return true;
}

/* Z or +hh:mm or -hh:mm, in milliseconds east of Greenwich. */
static bool read_offset(const char **text, int64_t *ms) {
    char sign = *(*text)++;
    *ms = 0;
    if (sign == 'Z' || sign == 'z') return true;
    if (sign != '+' && sign != '-') return false;
    int hour, minute;
    if (!read_number(text, 2, &hour) || !read_char(text, ':') || !read_number(text, 2, &minute)) return false;
    if (hour > 23 || minute > 59) return false;
    *ms = (hour * 60 + minute) * INT64_C(60000) * (sign == '-' ? -1 : 1);
    return true;
}

int linnet_time_parse(const char *text, int64_t *unix_ms) {
    int64_t days, clock = 0, offset = 0;
    if (!read_date(&text, &days)) return LINNET_E_PARSE;
    if (*text) {
        if (*text != 'T' && *text != 't' && *text != ' ') return LINNET_E_PARSE;
        text++;
        if (!read_clock(&text, &clock) || !read_offset(&text, &offset) || *text) return LINNET_E_PARSE;
    }
    *unix_ms = days * DAY_MS + clock - offset;
    return 0;
}
