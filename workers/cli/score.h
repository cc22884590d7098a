/* How good a model is: top-1 and top-5, over all pictures and as the mean over species (macro), whole and by
 * organ. */
#ifndef LINNET_CLI_SCORE_H
#define LINNET_CLI_SCORE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum { LINNET_SCORE_BINS = 15 };

/* Hits of one group (all pictures, or those of one organ), by class. Owned by its maker. */
struct linnet_score {
    uint32_t classes;
    struct linnet_score_class {
        uint32_t n, top1, top5;
    } * by_class;
    /* calibration of the first answer: Guo et al., "On Calibration of Modern Neural Networks" (2017), section
     * 2, expected calibration error */
    struct {
        uint64_t n, right;
        double confidence;
    } bins[LINNET_SCORE_BINS];
};

int linnet_score_init(struct linnet_score *score, uint32_t classes);
void linnet_score_done(struct linnet_score *score);
/* Count one answer: the truth's class (< classes), its place among the answers (1 is first, 0: not among
 * them), the first answer's score in 0..1. */
void linnet_score_add(struct linnet_score *score, uint32_t truth, unsigned rank, double confidence);

struct linnet_score_figures {
    uint64_t n;
    uint32_t classes;              /* classes with pictures */
    double top1, top5;             /* of all answers */
    double macro_top1, macro_top5; /* mean over classes with pictures */
    double macro_top1_error;  /* half width of the 95% interval of macro_top1, normal approximation over each
                                 class's binomial */
    double calibration_error; /* ECE, 15 bins */
};
struct linnet_score_figures linnet_score_figures(const struct linnet_score *score);
/* {"n","classes","top1","top5","macro_top1","macro_top5","macro_top1_error","calibration_error"}; new
 * reference. */
json_t *linnet_score_json(const struct linnet_score *score);

#endif
