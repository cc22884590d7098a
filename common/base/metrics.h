/* Counters, gauges and histograms in Prometheus' text format (version 0.0.4).
 *
 * A registry is made once; metrics are found or made by name and labels, kept by pointer, and updated from any
 * thread by atomics. They live as long as the registry. */
#ifndef LINNET_BASE_METRICS_H
#define LINNET_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

struct linnet_metrics;
struct linnet_metric;

struct linnet_metrics *linnet_metrics_new(void);
void linnet_metrics_free(struct linnet_metrics *metrics);

/* `labels` is the inside of the braces, e.g. "stage=\"normalize\"", or NULL. `help` is one line. All three are copied.
 * NULL: out of memory, or the name is already of another kind; updating a NULL metric does nothing. Any thread. */
struct linnet_metric *linnet_metrics_counter(struct linnet_metrics *metrics, const char *name, const char *labels,
                                             const char *help);
struct linnet_metric *linnet_metrics_gauge(struct linnet_metrics *metrics, const char *name, const char *labels,
                                           const char *help);
/* Seconds, in buckets from 1 ms to 100 s, three a decade. */
struct linnet_metric *linnet_metrics_histogram(struct linnet_metrics *metrics, const char *name, const char *labels,
                                               const char *help);
void linnet_metric_add(struct linnet_metric *metric, double value);
void linnet_metric_set(struct linnet_metric *metric, double value);
void linnet_metric_observe(struct linnet_metric *metric, double seconds);
/* The value now; of a histogram how many were observed; 0 of NULL. */
double linnet_metric_value(const struct linnet_metric *metric);
/* All of them as text, appended. LINNET_E_NOMEM or LINNET_E_LIMIT, `out` as it was. Any thread. */
int linnet_metrics_write(struct linnet_metrics *metrics, struct linnet_buf *out);

#endif
