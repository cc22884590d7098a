/* What a survey finds, tile by tile, and how it is told. Loop thread. */
#ifndef LINNET_SERVE_SURVEY_ANSWER_H
#define LINNET_SERVE_SURVEY_ANSWER_H

#include "workers/serve/engine.h"
#include "workers/serve/tiles.h"

struct serve_survey_question {
    const char *project, *lang, *sort; /* the request's */
    struct serve_tiling tiling;
    double min_score;
    size_t max_rank; /* of a species within a tile, from 1 */
};

/* A species with the tiles that it was found in. */
struct serve_survey_find {
    char *taxon;
    double max_score;
    size_t best; /* the tile of it */
    size_t *tiles, ntiles;
    double coverage;
};

struct serve_survey_finds {
    struct serve_survey_find *list;
    size_t n;
};

/* Note what a tile's identification says. LINNET_E_NOMEM. */
int serve_survey_note(struct serve_survey_finds *finds, const struct serve_survey_question *question,
                      const json_t *identification, size_t tile);
void serve_survey_finds_done(struct serve_survey_finds *finds);
/* The answer. Sorts the finds. NULL: out of memory. */
json_t *serve_survey_answer(const struct serve_survey_question *question, struct serve_survey_finds *finds,
                            const struct serve_tile *tiles, size_t ntiles, const struct serve_view *view);

#endif
