#include "plugins/retrain/state.h"

#include <linnet/state.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1

struct saving {
    FILE *file;
    const struct tally *tally;
    const struct baseline *baseline;
    const json_t *raised;
    const char *position;
};

static int write_line(FILE *file, json_t *line) {
    int error = !line || json_dumpf(line, file, JSON_COMPACT) != 0 || fputc('\n', file) == EOF;
    json_decref(line);
    return error ? -1 : 0;
}

static json_t *taxon(const struct tally *tally, uint32_t index) {
    return index == LINNET_NO_TAXON ? json_null()
                                    : json_string(linnet_taxonomy_at(tally->taxonomy, index)->id);
}

static json_t *views_of(const struct seen *seen) {
    json_t *views = json_array();
    for (uint32_t i = 0; views && i < seen->nviews; i++)
        json_array_append_new(
            views, json_pack("{s:s, s:s}", "image", seen->views[i].image, "organ", seen->views[i].organ));
    return views;
}

/* One observation, in the shape of the documents that it came from, so that loading applies them again. */
static int write_seen(void *arg, const struct seen *seen) {
    struct saving *saving = arg;
    const struct tally *tally = saving->tally;
    json_t *line =
        json_pack("{s:s, s:{s:b, s:o}, s:{s:s, s:[{s:o}]}}", "id", seen->ulid, "consensus", "valid",
                  seen->valid, "taxon", taxon(tally, seen->taxon), "identification", "model",
                  seen->machine_model, "species", "taxon", taxon(tally, seen->machine_taxon));
    json_t *blind = json_object();
    if (line && seen->exists)
        json_object_set_new(line, "observation",
                            json_pack("{s:s, s:o}", "observer", seen->observer ? seen->observer : "", "views",
                                      views_of(seen)));
    for (uint32_t i = 0; i < seen->nblind; i++)
        json_object_set_new(blind, seen->blind[i].user,
                            json_pack("{s:o}", "taxon", taxon(tally, seen->blind[i].taxon)));
    json_object_set_new(line, "blind", blind);
    return write_line(saving->file, line);
}

static int write_all(FILE *file, void *arg) {
    struct saving *saving = arg;
    saving->file = file;
    json_t *baseline = NULL;
    if (saving->baseline->ready)
        baseline = json_pack("{s:s, s:I, s:I, s:O}", "model", saving->baseline->model, "valid",
                             (json_int_t)saving->baseline->valid, "since",
                             (json_int_t)saving->baseline->since, "ready", saving->baseline->ready);
    json_t *head = json_pack("{s:i, s:s, s:I, s:O, s:o*}", "format", FORMAT, "position", saving->position,
                             "observations", (json_int_t)saving->tally->size, "raised", saving->raised,
                             "baseline", baseline);
    if (write_line(file, head) != 0) return -1;
    return tally_each(saving->tally, write_seen, saving);
}

int state_save(const struct tally *tally, const struct baseline *baseline, const json_t *raised,
               const char *folder, const char *position) {
    struct saving saving = {.tally = tally, .baseline = baseline, .raised = raised, .position = position};
    return linnet_state_save(folder, "tally.jsonl", write_all, &saving);
}

static int apply_line(struct tally *tally, json_t *line) {
    const char *ulid = json_string_value(json_object_get(line, "id")), *user;
    json_t *observation = json_object_get(line, "observation"), *vote;
    if (!ulid || strlen(ulid) != 26) return -1;
    int error = observation ? tally_observation(tally, ulid, observation) : 0;
    error |= tally_identification(tally, ulid, json_object_get(line, "identification"));
    json_object_foreach(json_object_get(line, "blind"), user, vote) error |=
        tally_validation(tally, ulid, user, vote);
    return error | tally_consensus(tally, ulid, json_object_get(line, "consensus"));
}

static json_t *read_line(FILE *file, char **text, size_t *capacity) {
    ssize_t size = getline(text, capacity, file);
    return size > 0 ? json_loadb(*text, (size_t)size, 0, NULL) : NULL;
}

static int apply_head(struct baseline *baseline, json_t *raised, json_t *head, char *position, size_t size) {
    const char *at = json_string_value(json_object_get(head, "position"));
    if (!at || strlen(at) >= size || json_integer_value(json_object_get(head, "format")) != FORMAT) return -1;
    strcpy(position, at);
    json_object_update(raised, json_object_get(head, "raised"));
    json_t *json = json_object_get(head, "baseline");
    const char *model = json_string_value(json_object_get(json, "model"));
    if (!model) return 0;
    baseline_done(baseline);
    snprintf(baseline->model, sizeof baseline->model, "%s", model);
    baseline->valid = (uint64_t)json_integer_value(json_object_get(json, "valid"));
    baseline->since = json_integer_value(json_object_get(json, "since"));
    baseline->ready = json_incref(json_object_get(json, "ready"));
    return json_is_object(baseline->ready) ? 0 : -1;
}

int state_load(struct tally *tally, struct baseline *baseline, json_t *raised, const char *folder,
               char *position, size_t size) {
    char path[4096], *text = NULL;
    size_t capacity = 0;
    position[0] = '\0';
    snprintf(path, sizeof path, "%s/tally.jsonl", folder);
    FILE *file = fopen(path, "re");
    if (!file) return errno == ENOENT ? 0 : -1;
    json_t *line = read_line(file, &text, &capacity);
    long long lines = json_integer_value(json_object_get(line, "observations"));
    int error = !line || apply_head(baseline, raised, line, position, size) != 0;
    json_decref(line);
    for (long long i = 0; !error && i < lines; i++) {
        line = read_line(file, &text, &capacity);
        error = !line || apply_line(tally, line) != 0;
        json_decref(line);
    }
    free(text);
    fclose(file);
    if (error) position[0] = '\0';
    return error ? -1 : 0;
}
