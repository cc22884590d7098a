#include "common/base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

enum kind { COUNTER, GAUGE, HISTOGRAM };

static const double BOUNDS[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2,
                                0.5,   1,     2,     5,    10,   20,   50,  100};
enum { NBOUNDS = sizeof BOUNDS / sizeof BOUNDS[0] };

struct linnet_metric {
    struct linnet_metric *next; /* of the same name, in the order they were made */
    enum kind kind;
    char *labels;                          /* owned; "" if none */
    _Atomic double value;                  /* a histogram's sum */
    _Atomic uint64_t buckets[NBOUNDS + 1]; /* each alone, the last one above all bounds; histograms only */
};

/* All metrics of one name. */
struct family {
    struct family *next;
    char *name; /* owned */
    char *help; /* owned */
    struct linnet_metric *first, *last;
};

struct linnet_metrics {
    pthread_mutex_t lock; /* of the lists; the values are atomic */
    struct family *first, *last;
};

struct linnet_metrics *linnet_metrics_new(void) {
    struct linnet_metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics) pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

static void free_metric(struct linnet_metric *metric) {
    if (!metric) return;
    free(metric->labels);
    free(metric);
}

static void free_family(struct family *family) {
    if (!family) return;
    for (struct linnet_metric *metric = family->first, *next; metric; metric = next) {
        next = metric->next;
        free_metric(metric);
    }
    free(family->name);
    free(family->help);
    free(family);
}

void linnet_metrics_free(struct linnet_metrics *metrics) {
    if (!metrics) return;
    for (struct family *family = metrics->first, *next; family; family = next) {
        next = family->next;
        free_family(family);
    }
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

static struct family *find_family(struct linnet_metrics *metrics, const char *name) {
    struct family *family = metrics->first;
    while (family && strcmp(family->name, name) != 0)
        family = family->next;
    return family;
}

static struct family *make_family(const char *name, const char *help) {
    struct family *family = calloc(1, sizeof *family);
    if (!family) return NULL;
    family->name = strdup(name);
    family->help = strdup(help ? help : "");
    if (family->name && family->help) return family;
    free_family(family);
    return NULL;
}

static struct linnet_metric *make_metric(enum kind kind, const char *labels) {
    struct linnet_metric *metric = calloc(1, sizeof *metric);
    if (!metric) return NULL;
    metric->kind = kind;
    metric->labels = strdup(labels);
    if (metric->labels) return metric;
    free_metric(metric);
    return NULL;
}

/* With the lock held. */
static struct linnet_metric *find_or_make(struct linnet_metrics *metrics, enum kind kind, const char *name,
                                          const char *labels, const char *help) {
    struct family *family = find_family(metrics, name);
    if (family && family->first->kind != kind) return NULL; /* one name, one kind: a programmer's mistake */
    for (struct linnet_metric *metric = family ? family->first : NULL; metric; metric = metric->next)
        if (!strcmp(metric->labels, labels)) return metric;
    struct linnet_metric *metric = make_metric(kind, labels);
    if (!metric) return NULL;
    if (family) {
        family->last = family->last->next = metric;
        return metric;
    }
    family = make_family(name, help);
    if (!family) {
        free_metric(metric);
        return NULL;
    }
    family->first = family->last = metric;
    if (metrics->last)
        metrics->last->next = family;
    else
        metrics->first = family;
    metrics->last = family;
    return metric;
}

static struct linnet_metric *get(struct linnet_metrics *metrics, enum kind kind, const char *name,
                                 const char *labels, const char *help) {
    if (!metrics) return NULL;
    pthread_mutex_lock(&metrics->lock);
    struct linnet_metric *metric = find_or_make(metrics, kind, name, labels ? labels : "", help);
    pthread_mutex_unlock(&metrics->lock);
    return metric;
}

struct linnet_metric *linnet_metrics_counter(struct linnet_metrics *metrics, const char *name,
                                             const char *labels, const char *help) {
    return get(metrics, COUNTER, name, labels, help);
}

struct linnet_metric *linnet_metrics_gauge(struct linnet_metrics *metrics, const char *name,
                                           const char *labels, const char *help) {
    return get(metrics, GAUGE, name, labels, help);
}

struct linnet_metric *linnet_metrics_histogram(struct linnet_metrics *metrics, const char *name,
                                               const char *labels, const char *help) {
    return get(metrics, HISTOGRAM, name, labels, help);
}

void linnet_metric_add(struct linnet_metric *metric, double value) {
    if (!metric) return;
    double before = atomic_load_explicit(&metric->value, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&metric->value, &before, before + value,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

void linnet_metric_set(struct linnet_metric *metric, double value) {
    if (metric) atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void linnet_metric_observe(struct linnet_metric *metric, double seconds) {
    if (!metric || metric->kind != HISTOGRAM) return;
    int bucket = 0;
    while (bucket < NBOUNDS && seconds > BOUNDS[bucket])
        bucket++;
    atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    linnet_metric_add(metric, seconds);
}

double linnet_metric_value(const struct linnet_metric *metric) {
    if (!metric) return 0;
    if (metric->kind != HISTOGRAM) return atomic_load_explicit(&metric->value, memory_order_relaxed);
    uint64_t count = 0;
    for (int i = 0; i <= NBOUNDS; i++)
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
    return (double)count;
}

/* ---- the text format: https://prometheus.io/docs/instrumenting/exposition_formats/ ---- */

static int write_number(struct linnet_buf *out, double value) {
    if (value != value) return linnet_buf_append_string(out, "NaN\n");
    if (value - value != 0) return linnet_buf_append_string(out, value > 0 ? "+Inf\n" : "-Inf\n");
    char text[40];
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) { /* the fewest that read back as the same */
        length = snprintf(text, sizeof text, "%.*g\n", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    for (int i = 0; i < length; i++)
        if (text[i] == ',') text[i] = '.'; /* the locale's decimal point */
    return linnet_buf_append(out, text, (size_t)length);
}

static int write_sample(struct linnet_buf *out, const char *name, const char *suffix, const char *labels,
                        const char *bound, double value) {
    bool braces = *labels || bound;
    int rc = linnet_buf_printf(out, "%s%s%s%s%s%s%s%s%s ", name, suffix, braces ? "{" : "", labels,
                               *labels && bound ? "," : "", bound ? "le=\"" : "", bound ? bound : "",
                               bound ? "\"" : "", braces ? "}" : "");
    return rc ? rc : write_number(out, value);
}

static int write_histogram(struct linnet_buf *out, const char *name, const struct linnet_metric *metric) {
    static const char *const bounds[] = {"0.001", "0.002", "0.005", "0.01", "0.02", "0.05",
                                         "0.1",   "0.2",   "0.5",   "1",    "2",    "5",
                                         "10",    "20",    "50",    "100",  "+Inf"};
    uint64_t count = 0;
    int rc = 0;
    for (int i = 0; !rc && i <= NBOUNDS; i++) {
        count += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        rc = write_sample(out, name, "_bucket", metric->labels, bounds[i], (double)count);
    }
    double sum = atomic_load_explicit(&metric->value, memory_order_relaxed);
    if (!rc) rc = write_sample(out, name, "_sum", metric->labels, NULL, sum);
    return rc ? rc : write_sample(out, name, "_count", metric->labels, NULL, (double)count);
}

static int write_family(struct linnet_buf *out, const struct family *family) {
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    int rc = linnet_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                               kinds[family->first->kind]);
    for (const struct linnet_metric *metric = family->first; !rc && metric; metric = metric->next)
        rc = metric->kind == HISTOGRAM
                 ? write_histogram(out, family->name, metric)
                 : write_sample(out, family->name, "", metric->labels, NULL, linnet_metric_value(metric));
    return rc;
}

int linnet_metrics_write(struct linnet_metrics *metrics, struct linnet_buf *out) {
    size_t before = out->size;
    int rc = 0;
    pthread_mutex_lock(&metrics->lock);
    for (const struct family *family = metrics->first; !rc && family; family = family->next)
        rc = write_family(out, family);
    pthread_mutex_unlock(&metrics->lock);
    if (rc && out->data) out->data[out->size = before] = '\0';
    return rc;
}
