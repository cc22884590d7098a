#include "workers/cli/score.h"

#include <math.h>
#include <stdlib.h>

int linnet_score_init(struct linnet_score *score, uint32_t classes) {
    *score = (struct linnet_score){.classes = classes};
    score->by_class = calloc(classes ? classes : 1, sizeof *score->by_class);
    return score->by_class ? 0 : LINNET_E_NOMEM;
}

void linnet_score_done(struct linnet_score *score) {
    free(score->by_class);
    *score = (struct linnet_score){0};
}

void linnet_score_add(struct linnet_score *score, uint32_t truth, unsigned rank, double confidence) {
    struct linnet_score_class *class_ = &score->by_class[truth];
    int bin = (int)(confidence * LINNET_SCORE_BINS);
    if (bin < 0) bin = 0;
    if (bin >= LINNET_SCORE_BINS) bin = LINNET_SCORE_BINS - 1;
    class_->n++;
    class_->top1 += rank == 1;
    class_->top5 += rank >= 1 && rank <= 5;
    score->bins[bin].n++;
    score->bins[bin].right += rank == 1;
    score->bins[bin].confidence += confidence;
}

struct linnet_score_figures linnet_score_figures(const struct linnet_score *score) {
    struct linnet_score_figures figures = {0};
    double top1 = 0, top5 = 0, variance = 0;
    for (uint32_t i = 0; i < score->classes; i++) {
        const struct linnet_score_class *class_ = &score->by_class[i];
        if (class_->n == 0) continue;
        double p = (double)class_->top1 / class_->n;
        figures.n += class_->n;
        figures.classes++;
        top1 += class_->top1;
        top5 += class_->top5;
        figures.macro_top1 += p;
        figures.macro_top5 += (double)class_->top5 / class_->n;
        double likely =
            (class_->top1 + 2.0) / (class_->n + 4.0); /* Agresti and Coull (1998): sound for few pictures */
        variance += likely * (1 - likely) / (class_->n + 4.0);
    }
    if (figures.n == 0) return figures;
    for (int i = 0; i < LINNET_SCORE_BINS; i++)
        figures.calibration_error +=
            fabs((double)score->bins[i].right - score->bins[i].confidence) / (double)figures.n;
    figures.top1 = top1 / (double)figures.n;
    figures.top5 = top5 / (double)figures.n;
    figures.macro_top1 /= figures.classes;
    figures.macro_top5 /= figures.classes;
    figures.macro_top1_error = 1.96 * sqrt(variance) / figures.classes;
    return figures;
}

json_t *linnet_score_json(const struct linnet_score *score) {
    struct linnet_score_figures f = linnet_score_figures(score);
    return json_pack("{s:I, s:i, s:f, s:f, s:f, s:f, s:f, s:f}", "n", (json_int_t)f.n, "classes",
                     (int)f.classes, "top1", f.top1, "top5", f.top5, "macro_top1", f.macro_top1, "macro_top5",
                     f.macro_top5, "macro_top1_error", f.macro_top1_error, "calibration_error",
                     f.calibration_error);
}
