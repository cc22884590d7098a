#include "common/calibration/conformal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

#define LEAST_LEVEL 50 /* per cent */
/* (n + 1) a is a whole number for many n and a: nothing may be lost of it by rounding. */
#define ROUNDING 1e-9

static const char *const names[LINNET_CONFORMALS] = {"plain", "balanced"};

const char *linnet_conformal_name(enum linnet_conformal kind) {
    return kind < LINNET_CONFORMALS ? names[kind] : "";
}

enum linnet_conformal linnet_conformal_parse(const char *name) {
    for (int i = 0; i < LINNET_CONFORMALS; i++)
        if (strcmp(names[i], name) == 0) return (enum linnet_conformal)i;
    return LINNET_CONFORMALS;
}

double linnet_conformity(enum linnet_conformal kind, double p, double weight) {
    if (!(p > 0)) return 0;
    return kind == LINNET_CONFORMAL_BALANCED && weight > 0 ? p / weight : p;
}

void linnet_prevalence(const uint32_t *counts, size_t n, double *out) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += counts[i];
    for (size_t i = 0; i < n; i++)
        out[i] = (counts[i] + 1.0) / (sum + (double)n);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double threshold_of_sorted(const double *sorted, size_t n, double coverage) {
    double place = floor((double)(n + 1) * (1 - coverage) + ROUNDING);
    if (!(place >= 1) || n == 0) return 0;
    return sorted[(size_t)fmin(place, (double)n) - 1];
}

double linnet_conformal_threshold(double *conformities, size_t n, double coverage) {
    if (n > 0) qsort(conformities, n, sizeof *conformities, ascending);
    return threshold_of_sorted(conformities, n, coverage);
}

void linnet_conformal_thresholds(double *conformities, size_t n, double out[LINNET_CONFORMAL_LEVELS]) {
    if (n > 0) qsort(conformities, n, sizeof *conformities, ascending);
    for (size_t i = 0; i < LINNET_CONFORMAL_LEVELS; i++)
        out[i] = threshold_of_sorted(conformities, n, (double)(LEAST_LEVEL + i) / 100);
}

bool linnet_conformal_level(double coverage, size_t *out) {
    double level = ceil(coverage * 100 - LEAST_LEVEL - ROUNDING);
    if (!(level >= 0) || level >= LINNET_CONFORMAL_LEVELS) return false;
    *out = (size_t)level;
    return true;
}

void linnet_coverage_add(struct linnet_coverage *coverage, uint32_t truth, bool held, size_t size) {
    coverage->by_class[truth].n++;
    coverage->by_class[truth].held += held;
    coverage->size += size;
}

/* The weight that a third of the classes that were seen lie below. */
static int weight_of_third(const struct linnet_coverage *coverage, const double *weights, double *out) {
    double *seen = malloc(((size_t)coverage->classes + 1) * sizeof *seen);
    size_t n = 0;
    if (seen == NULL) return LINNET_E_NOMEM;
    for (uint32_t i = 0; i < coverage->classes; i++)
        if (coverage->by_class[i].n > 0) seen[n++] = weights[i];
    qsort(seen, n, sizeof *seen, ascending);
    *out = n > 0 ? seen[(n - 1) / 3] : 0;
    free(seen);
    return 0;
}

int linnet_coverage_figures(const struct linnet_coverage *coverage, const double *weights,
                            struct linnet_coverage_figures *out) {
    struct linnet_coverage_figures figures = {0};
    double held = 0, rarest;
    size_t classes = 0, rare = 0;
    if (weight_of_third(coverage, weights, &rarest) != 0) return LINNET_E_NOMEM;
    for (uint32_t i = 0; i < coverage->classes; i++) {
        const struct linnet_coverage_class *one = &coverage->by_class[i];
        if (one->n == 0) continue;
        double part = (double)one->held / one->n;
        figures.n += one->n;
        held += one->held;
        figures.macro += part;
        classes++;
        if (weights[i] > rarest) continue;
        figures.rare += part;
        rare++;
    }
    if (figures.n > 0) {
        figures.held = held / (double)figures.n;
        figures.mean_size = (double)coverage->size / (double)figures.n;
        figures.macro /= (double)classes;
        figures.rare /= (double)rare;
    }
    *out = figures;
    return 0;
}
