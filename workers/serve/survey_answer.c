#include "workers/serve/survey_answer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/serve/species.h"

static struct serve_survey_find *find_of(struct serve_survey_finds *finds, const char *taxon) {
    for (size_t i = 0; i < finds->n; i++)
        if (strcmp(finds->list[i].taxon, taxon) == 0) return &finds->list[i];
    struct serve_survey_find *more = realloc(finds->list, (finds->n + 1) * sizeof *more);
    if (more == NULL) return NULL;
    finds->list = more;
    more[finds->n] = (struct serve_survey_find){.taxon = strdup(taxon)};
    return more[finds->n].taxon != NULL ? &more[finds->n++] : NULL;
}

int serve_survey_note(struct serve_survey_finds *finds, const struct serve_survey_question *question,
                      const json_t *identification, size_t tile) {
    const json_t *species;
    size_t i;
    json_array_foreach(json_object_get(identification, "species"), i, species) {
        double score = linnet_json_number(species, "score", 0);
        if (i >= question->max_rank || score < question->min_score) break;
        struct serve_survey_find *find = find_of(finds, linnet_json_string(species, "taxon", ""));
        size_t *more = find != NULL ? realloc(find->tiles, (find->ntiles + 1) * sizeof *more) : NULL;
        if (more == NULL) return LINNET_E_NOMEM;
        find->tiles = more;
        more[find->ntiles++] = tile;
        if (find->ntiles > 1 && score <= find->max_score) continue;
        find->max_score = score;
        find->best = tile;
    }
    return 0;
}

void serve_survey_finds_done(struct serve_survey_finds *finds) {
    for (size_t i = 0; i < finds->n; i++) {
        free(finds->list[i].taxon);
        free(finds->list[i].tiles);
    }
    free(finds->list);
    *finds = (struct serve_survey_finds){0};
}

/* ---- the answer ---- */

static double cover(const struct serve_survey_find *find, const struct serve_tile *tiles) {
    const struct serve_tile *list[SERVE_TILES_MAX];
    for (size_t i = 0; i < find->ntiles; i++)
        list[i] = &tiles[find->tiles[i]];
    return serve_tiles_coverage(list, find->ntiles);
}

static int descending(double a, double b) {
    return (a < b) - (a > b);
}

static int by_score(const void *a, const void *b) {
    const struct serve_survey_find *one = a, *other = b;
    int order = descending(one->max_score, other->max_score);
    return order != 0 ? order : strcmp(one->taxon, other->taxon);
}

static int by_coverage(const void *a, const void *b) {
    int order = descending(((const struct serve_survey_find *)a)->coverage,
                           ((const struct serve_survey_find *)b)->coverage);
    return order != 0 ? order : by_score(a, b);
}

static int by_count(const void *a, const void *b) {
    int order = descending((double)((const struct serve_survey_find *)a)->ntiles,
                           (double)((const struct serve_survey_find *)b)->ntiles);
    return order != 0 ? order : by_score(a, b);
}

/* In pixels of the picture. */
static json_t *box_of(const struct serve_tiling *tiling, const struct serve_tile *tile) {
    return json_pack("{s:i, s:i, s:i, s:i}", "x", (int)lround(tile->x * tiling->width), "y",
                     (int)lround(tile->y * tiling->height), "width", (int)lround(tile->width * tiling->width),
                     "height", (int)lround(tile->height * tiling->height));
}

static json_t *find_json(const struct serve_survey_question *question, const struct serve_survey_find *find,
                         const struct serve_tile *tiles, const struct serve_view *view) {
    json_t *result =
        json_pack("{s:f, s:f, s:i, s:o, s:o}", "max_score", find->max_score, "coverage", find->coverage,
                  "count", (int)find->ntiles, "location", box_of(&question->tiling, &tiles[find->best]),
                  "species", serve_species_json(view->references, find->taxon, question->lang));
    if (result != NULL) serve_species_identifiers(view->references, find->taxon, result);
    return result;
}

json_t *serve_survey_answer(const struct serve_survey_question *question, struct serve_survey_finds *finds,
                            const struct serve_tile *tiles, size_t ntiles, const struct serve_view *view) {
    const struct serve_tiling *tiling = &question->tiling;
    json_t *results = json_array();
    for (size_t i = 0; i < finds->n; i++)
        finds->list[i].coverage = cover(&finds->list[i], tiles);
    if (finds->n > 0)
        qsort(finds->list, finds->n, sizeof *finds->list,
              strcmp(question->sort, "coverage") == 0 ? by_coverage
              : strcmp(question->sort, "count") == 0  ? by_count
                                                      : by_score);
    for (size_t i = 0; i < finds->n; i++)
        json_array_append_new(results, find_json(question, &finds->list[i], tiles, view));
    return json_pack("{s:{s:s, s:f, s:f, s:b, s:f, s:f, s:i, s:s}, s:{s:i, s:i}, s:i, s:s, s:s, s:s, s:o}",
                     "query", "project", question->project, "tile_size", tiling->size, "tile_stride",
                     tiling->stride, "multi_scale", (int)tiling->scales, "size_factor", tiling->factor,
                     "min_score", question->min_score, "max_rank", (int)question->max_rank, "sort",
                     question->sort, "image", "width", (int)tiling->width, "height", (int)tiling->height,
                     "tiles", (int)ntiles, "language", question->lang, "preferedReferential",
                     question->project, "version", view->model, "results", results);
}
