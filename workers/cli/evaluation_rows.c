#include "workers/cli/evaluation_rows.h"

#include <string.h>

#include "common/base/json.h"

unsigned linnet_evaluation_rank(const json_t *list, const char *taxon, double *score) {
    size_t i;
    json_t *entry;
    *score = 0;
    if (taxon == NULL) return 0;
    json_array_foreach(list, i, entry) {
        if (strcmp(linnet_json_string(entry, "taxon", ""), taxon) != 0) continue;
        *score = linnet_json_number(entry, "score", 0);
        return (unsigned)i + 1;
    }
    return 0;
}

/* What a prediction or an identification says, in short. */
static json_t *line_of(const json_t *document, const char *truth) {
    const json_t *species = json_object_get(document, "species");
    double score;
    unsigned rank = linnet_evaluation_rank(species, truth, &score);
    return json_pack("{s:i, s:f, s:s?, s:f, s:O*}", "rank", (int)rank, "score", score, "first",
                     linnet_json_string(species, "0/taxon", NULL), "sure",
                     linnet_json_number(species, "0/score", 0), "plant", json_object_get(document, "plant"));
}

/* {taxon: score} of all species that are listed. */
static json_t *scores_of(const json_t *identification) {
    json_t *scores = json_object(), *entry;
    size_t i;
    json_array_foreach(json_object_get(identification, "species"), i, entry)
        json_object_set(scores, linnet_json_string(entry, "taxon", ""), json_object_get(entry, "score"));
    return scores;
}

void linnet_evaluation_write(void *arg, const struct linnet_evaluation_answer *answer) {
    json_t *views = json_array(), *line = line_of(answer->identification, answer->truth);
    for (size_t i = 0; i < answer->n; i++) {
        json_t *view = line_of(answer->predictions[i], answer->truth);
        json_object_set_new(view, "organ", json_string(answer->pictures[i].organ));
        json_array_append_new(views, view);
    }
    json_object_set_new(line, "observation", json_string(answer->pictures[0].observation));
    json_object_set_new(line, "label", json_string(answer->pictures[0].label));
    json_object_set_new(line, "truth", answer->truth ? json_string(answer->truth) : json_null());
    json_object_set(line, "best", json_object_get(answer->identification, "best"));
    json_object_set(line, "flora", json_object_get(answer->identification, "flora"));
    json_object_set_new(line, "species", scores_of(answer->identification));
    json_object_set_new(line, "views", views);
    json_dumpf(line, arg, JSON_COMPACT);
    putc('\n', (FILE *)arg);
    json_decref(line);
}
