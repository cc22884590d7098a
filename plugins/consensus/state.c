#include "plugins/consensus/state.h"

#include <errno.h>
#include <linnet/state.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/consensus/document.h"

#define FORMAT 1

static void set_text(json_t *object, const char *key, const struct intern *intern, uint32_t index) {
    if (index != INTERN_NONE) json_object_set_new(object, key, json_string(intern_text(intern, index)));
}

static json_t *observation_line(const struct crowd *crowd, const struct observed *observed) {
    json_t *json = json_pack("{s:s, s:b, s:o}", "digest", observed->digest, "wild", observed->wild,
                             "created_at", document_time(observed->proposed_at));
    set_text(json, "observer", &crowd->users, observed->author);
    set_text(json, "proposed_taxon", &crowd->labels, observed->proposal);
    if (observed->place) json_object_set(json, "location", observed->place);
    if (observed->dated) json_object_set_new(json, "observed_at", json_string("known"));
    return json;
}

static json_t *validations_line(const struct crowd *crowd, const struct observed *observed) {
    static const char *const kinds[] = {"taxon", "not-a-plant", "cannot-tell"};
    json_t *all = json_object();
    for (uint32_t i = 0; all && i < observed->nvotes; i++) {
        const struct vote *vote = &observed->votes[i];
        if (vote->proposed) continue;
        json_t *json = json_pack("{s:s, s:s, s:o}", "digest", vote->digest, "vote", kinds[vote->kind],
                                 "created_at", document_time(vote->created_at));
        set_text(json, "taxon", &crowd->labels, vote->given);
        set_text(json, "disagrees_with", &crowd->labels, vote->rejects);
        json_object_set_new(all, intern_text(&crowd->users, vote->user), json);
    }
    return all;
}

static json_t *identification_line(const struct crowd *crowd, const struct observed *observed) {
    json_t *json =
        json_pack("{s:s, s:s}", "digest", observed->machine_digest, "model", observed->machine_model);
    if (observed->machine_label != INTERN_NONE)
        json_object_set_new(json, "species",
                            json_pack("[{s:s, s:f}]", "taxon",
                                      intern_text(&crowd->labels, observed->machine_label), "score",
                                      observed->machine_score));
    return json;
}

static json_t *line_of(const struct crowd *crowd, uint32_t index) {
    const struct observed *observed = &crowd->observed[index];
    json_t *line = json_pack("{s:s, s:o}", "id", intern_text(&crowd->observations, index), "validations",
                             validations_line(crowd, observed));
    if (observed->exists) json_object_set_new(line, "observation", observation_line(crowd, observed));
    if (observed->machine_digest[0])
        json_object_set_new(line, "identification", identification_line(crowd, observed));
    if (observed->has_told) {
        const struct verdict *told = &observed->told;
        json_t *json =
            json_pack("{s:b, s:f, s:f, s:b, s:b, s:f}", "not_a_plant", told->not_a_plant, "confidence",
                      told->confidence, "accuracy", told->accuracy, "valid", told->valid, "invalidated",
                      told->invalidated, "weights", observed->told_weights);
        set_text(json, "label", &crowd->labels, told->label);
        json_object_set_new(line, "told", json);
    }
    return line;
}

static int write_line(FILE *file, json_t *line) {
    int error = !line || json_dumpf(line, file, JSON_COMPACT) != 0 || fputc('\n', file) == EOF;
    json_decref(line);
    return error ? -1 : 0;
}

static json_t *skills_line(const struct crowd *crowd) {
    json_t *skills = json_object();
    for (uint32_t i = 0; i < crowd->users.size; i++) {
        const struct voter *voter = &crowd->voters[i];
        if (voter->told_weight >= 0)
            json_object_set_new(
                skills, intern_text(&crowd->users, i),
                json_pack("[f, i, i]", voter->told_weight, (int)voter->told_author, (int)voter->told_vote));
    }
    return json_pack("{s:o}", "skills", skills);
}

struct saving {
    const struct crowd *crowd;
    const char *position;
};

static int write_all(FILE *file, void *arg) {
    const struct saving *saving = arg;
    const struct crowd *crowd = saving->crowd;
    if (write_line(file, json_pack("{s:i, s:s, s:i}", "format", FORMAT, "position", saving->position,
                                   "observations", (int)crowd->observations.size)) != 0)
        return -1;
    for (uint32_t i = 0; i < crowd->observations.size; i++)
        if (write_line(file, line_of(crowd, i)) != 0) return -1;
    return write_line(file, skills_line(crowd));
}

int state_save(const struct crowd *crowd, const char *folder, const char *position) {
    struct saving saving = {crowd, position};
    return linnet_state_save(folder, "crowd.jsonl", write_all, &saving);
}

static int apply_validations(struct crowd *crowd, uint32_t index, json_t *validations) {
    const char *uid, *why;
    json_t *json;
    json_object_foreach(validations, uid, json) {
        const char *digest = json_string_value(json_object_get(json, "digest"));
        if (!digest || crowd_apply_validation(crowd, index, uid, json, digest, &why) != 0) return -1;
    }
    return 0;
}

static void apply_told(struct crowd *crowd, struct observed *observed, const json_t *told) {
    const char *label = json_string_value(json_object_get(told, "label"));
    observed->has_told = true;
    observed->told = (struct verdict){
        .label = label ? intern_put(&crowd->labels, label) : INTERN_NONE,
        .not_a_plant = json_is_true(json_object_get(told, "not_a_plant")),
        .confidence = json_number_value(json_object_get(told, "confidence")),
        .accuracy = json_number_value(json_object_get(told, "accuracy")),
        .valid = json_is_true(json_object_get(told, "valid")),
        .invalidated = json_is_true(json_object_get(told, "invalidated")),
    };
    observed->told_weights = json_number_value(json_object_get(told, "weights"));
}

static int apply_skills(struct crowd *crowd, json_t *skills) {
    const char *uid;
    json_t *figures;
    json_object_foreach(skills, uid, figures) {
        uint32_t user = crowd_user(crowd, uid);
        if (user == INTERN_NONE) return -1;
        crowd->voters[user].told_weight = json_number_value(json_array_get(figures, 0));
        crowd->voters[user].told_author = (uint32_t)json_integer_value(json_array_get(figures, 1));
        crowd->voters[user].told_vote = (uint32_t)json_integer_value(json_array_get(figures, 2));
    }
    return 0;
}

static int apply_line(struct crowd *crowd, json_t *line) {
    json_t *skills = json_object_get(line, "skills");
    if (skills) return apply_skills(crowd, skills);
    const char *ulid = json_string_value(json_object_get(line, "id"));
    uint32_t index = ulid ? crowd_observation(crowd, ulid) : INTERN_NONE;
    if (index == INTERN_NONE) return -1;
    const char *why;
    json_t *observation = json_object_get(line, "observation"), *told = json_object_get(line, "told");
    json_t *identification = json_object_get(line, "identification");
    const char *digest = json_string_value(json_object_get(observation, "digest"));
    if (observation && (!digest || crowd_apply_observation(crowd, index, observation, digest, &why) != 0))
        return -1;
    digest = json_string_value(json_object_get(identification, "digest"));
    if (identification && (!digest || crowd_apply_identification(crowd, index, identification, digest) != 0))
        return -1;
    if (apply_validations(crowd, index, json_object_get(line, "validations")) != 0) return -1;
    if (told) apply_told(crowd, &crowd->observed[index], told);
    return 0;
}

static json_t *read_line(FILE *file, char **text, size_t *capacity) {
    ssize_t size = getline(text, capacity, file);
    return size > 0 ? json_loadb(*text, (size_t)size, 0, NULL) : NULL;
}

static int load_lines(struct crowd *crowd, FILE *file, char *position, size_t size) {
    char *text = NULL;
    size_t capacity = 0;
    json_t *line = read_line(file, &text, &capacity);
    const char *at = json_string_value(json_object_get(line, "position"));
    long long lines = json_integer_value(json_object_get(line, "observations")) + 1;
    int error = !at || strlen(at) >= size || json_integer_value(json_object_get(line, "format")) != FORMAT;
    if (!error) strcpy(position, at);
    json_decref(line);
    for (long long i = 0; !error && i < lines; i++) {
        line = read_line(file, &text, &capacity);
        error = !line || apply_line(crowd, line) != 0;
        json_decref(line);
    }
    free(text);
    return error ? -1 : 0;
}

int state_load(struct crowd *crowd, const char *folder, char *position, size_t size, char *why,
               size_t why_size) {
    char path[4096];
    snprintf(path, sizeof path, "%s/crowd.jsonl", folder);
    position[0] = '\0';
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT) return 0;
    if (!file || load_lines(crowd, file, position, size) != 0) {
        snprintf(why, why_size, "%s cannot be used (%s); the state is built again from the store", path,
                 file ? "damaged, or of another version" : strerror(errno));
        position[0] = '\0';
        if (file) fclose(file);
        return -1;
    }
    fclose(file);
    return 0;
}
