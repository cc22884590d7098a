/* Sets of species that hold the truth with a stated probability: split conformal prediction.
 *
 * On observations that neither training nor the temperature has seen, every truth gets a conformity: how well
 * the answer fits it. The species of a new observation whose conformity is not below the floor((n + 1) a)-th
 * smallest of these n are its set; if old and new observations are exchangeable (of the same kind, in any
 * order) it holds the truth with a probability of at least 1 - a, and of at most 1 - a + 1 / (n + 1) where
 * conformities are distinct, whatever the network is like (V. Vovk, A. Gammerman, G. Shafer, Algorithmic
 * learning in a random world, 2005; J. Lei et al., Distribution-free predictive inference for regression,
 * JASA 113, 2018). Of another kind of observation (another country, other cameras, species that the model
 * does not know) nothing is promised.
 *
 * Two conformities:
 * - plain: p(y). Of all sets that hold the truth so often these are the smallest in the mean (M. Sadinle,
 *   J. Lei, L. Wasserman, Least ambiguous set-valued classifiers with bounded error levels, JASA 114, 2019).
 *   The probability holds over observations: mostly of common species.
 * - balanced: p(y) / w(y), w being how often a species is observed. So rare species are not left out for
 *   being rare, and the mean over species of how often each is held is as high as sets of that size can make
 *   it (T. Ding, J.-B. Fermanian, J. Salmon, Conformal prediction for long-tailed classification,
 *   arXiv:2507.06867, 2025, "prevalence-adjusted softmax", tried on Pl@ntNet-300K). The probability over
 *   observations is the same.
 * A threshold for each species would promise more, but needs more than 1 / a observations of each, which rare
 * species do not have. Sets by summed probabilities (APS: Y. Romano, M. Sesia, E. Candes, NeurIPS 2020; RAPS:
 * A. Angelopoulos et al., ICLR 2021) adapt to how hard a picture is, but are larger, and need the whole
 * distribution where we keep a list.
 *
 * Pure functions of arrays; any thread. */
#ifndef LINNET_CALIBRATION_CONFORMAL_H
#define LINNET_CALIBRATION_CONFORMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Probabilities that thresholds are kept for: 0.50, 0.51 ... 0.99. */
#define LINNET_CONFORMAL_LEVELS 50

enum linnet_conformal { LINNET_CONFORMAL_PLAIN, LINNET_CONFORMAL_BALANCED, LINNET_CONFORMALS };

/* "plain", "balanced"; LINNET_CONFORMALS if it is neither. */
const char *linnet_conformal_name(enum linnet_conformal kind);
enum linnet_conformal linnet_conformal_parse(const char *name);

/* The conformity of a species of probability p; `weight` is its share of observations, above 0 (not looked at
 * where plain). 0: as little as can be. */
double linnet_conformity(enum linnet_conformal kind, double p, double weight);

/* Shares of classes that were seen `counts` times: (count + 1) / (sum + n), so that none is nothing
 * (Laplace's rule). out[n]. */
void linnet_prevalence(const uint32_t *counts, size_t n, double *out);

/* The threshold for a coverage of 0..1 from the conformities of n truths (sorted here, ascending): a species
 * belongs to the set if its conformity is not below it. 0, by which all belong, where n is too small for the
 * coverage. */
double linnet_conformal_threshold(double *conformities, size_t n, double coverage);
/* Of all levels, from the least coverage up. */
void linnet_conformal_thresholds(double *conformities, size_t n, double out[LINNET_CONFORMAL_LEVELS]);
/* The level that promises at least this coverage; false: there is none (it is not within 0.5..0.99). */
bool linnet_conformal_level(double coverage, size_t *out);

/* ---- how good sets are ---- */

/* Sets that were drawn up where the truth was known, by class. Zero-filled but `classes` and `by_class`,
 * which is the caller's, `classes` of them. */
struct linnet_coverage {
    uint32_t classes;
    struct linnet_coverage_class {
        uint32_t n, held;
    } * by_class;
    uint64_t size; /* of all sets together */
};
struct linnet_coverage_figures {
    uint64_t n;
    double held;      /* of all observations */
    double mean_size; /* species in a set */
    double macro;     /* mean over species of how often each is held */
    double rare;      /* the same over the rarest third of the species, by weight */
};
void linnet_coverage_add(struct linnet_coverage *coverage, uint32_t truth, bool held, size_t size);
/* weights[classes]. LINNET_E_NOMEM. */
int linnet_coverage_figures(const struct linnet_coverage *coverage, const double *weights,
                            struct linnet_coverage_figures *out);

#endif
