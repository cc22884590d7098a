/* bench-lookup INDEX TAXA.jsonl [N]: N names (2000) of the taxa looked up as they are, cut short, and with
 * one or two typing errors drawn from a seed. Prints percentiles of the time of a lookup in microseconds of
 * CPU and of the clock, and how often the taxon was the first answer, or among the first ten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/json.h"
#include "common/taxonomy/lookup.h"
#include "tests/data/rng.h"

enum { LIMIT = 10, LINE = 1 << 20 };

struct sample {
    char id[160], name[300];
};

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Take letters out, put some in, replace some, swap neighbours; the first letter too. */
static void mistype(struct rng *rng, char *name, unsigned errors) {
    for (unsigned i = 0; i < errors; i++) {
        size_t size = strlen(name);
        size_t at = rng_below(rng, (unsigned)size - 1);
        char letter = (char)('a' + rng_below(rng, 26));
        switch (rng_below(rng, 4)) {
        case 0:
            memmove(name + at, name + at + 1, size - at);
            break;
        case 1:
            memmove(name + at + 1, name + at, size - at + 1);
            name[at] = letter;
            break;
        case 2:
            name[at] = letter;
            break;
        default: {
            char swapped = name[at];
            name[at] = name[at + 1];
            name[at + 1] = swapped;
        }
        }
    }
}

/* Every so many-th line's taxon, so that all families come. */
static size_t read_samples(const char *path, struct sample *samples, size_t n) {
    FILE *file = fopen(path, "r");
    char *line = malloc(LINE);
    size_t lines = 0, count = 0;
    if (!file || !line) exit((perror(path), 2));
    while (fgets(line, LINE, file))
        lines++;
    rewind(file);
    size_t step = lines / n ? lines / n : 1;
    for (size_t i = 0; count < n && fgets(line, LINE, file); i++) {
        json_t *document = i % step ? NULL : json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
        const char *name = linnet_json_string(document, "scientificName", "");
        if (strchr(name, ' ') && strlen(name) < 200) {
            snprintf(samples[count].id, sizeof samples->id, "%s", linnet_json_string(document, "_id", ""));
            snprintf(samples[count++].name, sizeof samples->name, "%s", name);
        }
        json_decref(document);
    }
    free(line);
    fclose(file);
    return count;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const struct linnet_lookup *lookup, const struct sample *samples, size_t n,
                    const char *title, unsigned errors, size_t cut, bool prefix_only) {
    struct linnet_lookup_options options = {.limit = LIMIT, .prefix_only = prefix_only};
    struct linnet_lookup_match matches[LIMIT];
    double *cpu = malloc(n * sizeof *cpu), *wall = malloc(n * sizeof *wall);
    size_t first = 0, ten = 0;
    if (!cpu || !wall) exit(2);
    for (size_t i = 0; i < n; i++) {
        struct rng rng = rng_make(11, RNG_NOISE, i);
        char query[400];
        snprintf(query, sizeof query, "%s", samples[i].name);
        if (cut && cut < strlen(query)) query[cut] = '\0';
        mistype(&rng, query, errors);
        double at = now(CLOCK_MONOTONIC), used = now(CLOCK_THREAD_CPUTIME_ID);
        size_t found = linnet_lookup_find(lookup, query, &options, matches);
        cpu[i] = now(CLOCK_THREAD_CPUTIME_ID) - used;
        wall[i] = now(CLOCK_MONOTONIC) - at;
        for (size_t j = 0; j < found; j++) {
            /* Homonyms are as good: nothing in a name tells them apart. */
            if (strcmp(matches[j].id, samples[i].id) && strcmp(matches[j].scientific_name, samples[i].name))
                continue;
            first += j == 0;
            ten++;
            break;
        }
    }
    qsort(cpu, n, sizeof *cpu, by_value);
    qsort(wall, n, sizeof *wall, by_value);
    printf("%-22s %8.0f %8.0f %8.0f %8.0f %10.0f %10.0f %8.1f%% %8.1f%%\n", title, cpu[n / 2],
           cpu[n * 9 / 10], cpu[n * 99 / 100], cpu[n - 1], wall[n / 2], wall[n * 99 / 100],
           100.0 * (double)first / (double)n, 100.0 * (double)ten / (double)n);
    free(cpu);
    free(wall);
}

int main(int argc, char **argv) {
    struct linnet_lookup *lookup;
    struct linnet_error err;
    size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 2000;
    if (argc < 3 || n == 0) return fprintf(stderr, "bench-lookup INDEX TAXA.jsonl [N]\n"), 2;
    double start = now(CLOCK_MONOTONIC);
    if (linnet_lookup_open(argv[1], &lookup, &err)) return fprintf(stderr, "%s\n", err.detail), 1;
    double opened = now(CLOCK_MONOTONIC) - start;
    struct linnet_lookup_size size = linnet_lookup_size(lookup);
    struct sample *samples = malloc(n * sizeof *samples);
    if (!samples) return 2;
    n = read_samples(argv[2], samples, n);
    printf("%u names (%u distinct, %u words) of %u taxa in %.1f MiB, opened in %.1f ms\n", size.names,
           size.keys, size.words, size.taxa, (double)size.bytes / 1048576, opened / 1000);
    printf("%-22s %8s %8s %8s %8s %10s %10s %9s %9s\n", "us of CPU", "p50", "p90", "p99", "most", "clock p50",
           "clock p99", "first", "ten");
    measure(lookup, samples, n, "(first touch)", 0, 0, false);
    measure(lookup, samples, n, "exact", 0, 0, false);
    measure(lookup, samples, n, "one error", 1, 0, false);
    measure(lookup, samples, n, "two errors", 2, 0, false);
    measure(lookup, samples, n, "complete, 3 letters", 0, 3, true);
    measure(lookup, samples, n, "complete, 8 letters", 0, 8, true);
    measure(lookup, samples, n, "begun, with an error", 1, 12, false);
    free(samples);
    linnet_lookup_free(lookup);
    return 0;
}
