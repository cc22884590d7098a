#include "workers/consensus/crowdswe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "workers/consensus/flat_json.h"
#include "workers/consensus/vote_rows.h"

struct answers {
    struct linnet_crowd_file *file;
    struct linnet_vote_rows rows;
};

static uint32_t put(struct linnet_names *names, const char *text, size_t size) {
    return linnet_names_put(names, text, size, linnet_name_hash(text, size));
}

static int on_answer(void *arg, const char *outer, size_t outer_size, const char *name, size_t name_size,
                     const char *text, size_t size, const char **what) {
    struct answers *answers = arg;
    struct linnet_vote_rows *rows = &answers->rows;
    if (!outer) {
        *what = "an observation's votes are wanted in braces";
        return LINNET_E_PARSE;
    }
    if (name_size == 2 && memcmp(name, "AI", 2) == 0) return 0; /* the machine is no user */
    size_t n = rows->n;
    if (n >= INT32_MAX) return LINNET_E_LIMIT;
    if (linnet_vote_column_reserve(&rows->observation, n, n + 1) != 0 ||
        linnet_vote_column_reserve(&rows->user, n, n + 1) != 0)
        return LINNET_E_NOMEM;
    uint32_t label = put(&answers->file->taxa, text, size);
    rows->observation.of[n] = put(&answers->file->observations, outer, outer_size);
    rows->user.of[n] = put(&answers->file->users, name, name_size);
    if (rows->observation.of[n] == LINNET_NO_NAME || rows->user.of[n] == LINNET_NO_NAME ||
        label == LINNET_NO_NAME)
        return LINNET_E_NOMEM;
    return linnet_vote_rows_add(rows, label, LINNET_NO_LABEL, INT64_MAX, false);
}

/* Each line of a text of numbers: line i is of the observation named i. `taken` gets the observation's number
 * and the text. */
static int read_lines(struct linnet_crowd_file *file, const char *path,
                      void (*taken)(void *, uint32_t, const char *, size_t), void *arg,
                      struct linnet_error *err) {
    FILE *lines = fopen(path, "re");
    char text[64], name[16];
    if (!lines) return linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    for (unsigned long line = 0; fgets(text, sizeof text, lines); line++) {
        char *end;
        double value = strtod(text, &end);
        while (*end == ' ' || *end == '\r' || *end == '\n')
            end++;
        if (end == text || *end) {
            fclose(lines);
            return linnet_error_set(err, LINNET_E_PARSE, "%s: line %lu: a number is wanted", path, line + 1);
        }
        size_t size = (size_t)snprintf(name, sizeof name, "%lu", line);
        uint32_t observation = linnet_names_find(&file->observations, name, size);
        if (observation == LINNET_NO_NAME || value < 0) continue;
        size =
            (size_t)snprintf(text, sizeof text, "%.0f", value); /* numpy may have written 12.0 or 1.2e+01 */
        taken(arg, observation, text, size);
    }
    fclose(lines);
    return 0;
}

static void on_author(void *arg, uint32_t observation, const char *text, size_t size) {
    struct linnet_crowd_file *file = arg;
    uint32_t user = linnet_names_find(&file->users, text, size);
    for (uint32_t v = file->start[observation]; v < file->start[observation + 1]; v++)
        file->votes[v].author = file->votes[v].user == user;
}

struct truths {
    struct linnet_crowd_file *file;
    uint32_t *truth;
};

static void on_truth(void *arg, uint32_t observation, const char *text, size_t size) {
    struct truths *truths = arg;
    truths->truth[observation] = put(&truths->file->taxa, text, size);
}

static int on_ai_answer(void *arg, const char *outer, size_t outer_size, const char *name, size_t name_size,
                        const char *text, size_t size, const char **what) {
    struct linnet_crowd_file *file = arg;
    (void)outer, (void)outer_size, (void)what;
    uint32_t observation = linnet_names_find(&file->observations, name, name_size);
    if (observation == LINNET_NO_NAME) return 0;
    uint32_t label = put(&file->taxa, text, size);
    if (label == LINNET_NO_NAME) return LINNET_E_NOMEM;
    file->machine[observation].label = label;
    return 0;
}

static int on_ai_score(void *arg, const char *outer, size_t outer_size, const char *name, size_t name_size,
                       const char *text, size_t size, const char **what) {
    struct linnet_crowd_file *file = arg;
    char number[32];
    (void)outer, (void)outer_size;
    uint32_t observation = linnet_names_find(&file->observations, name, name_size);
    if (observation == LINNET_NO_NAME) return 0;
    if (size >= sizeof number) {
        *what = "a score is too long";
        return LINNET_E_PARSE;
    }
    memcpy(number, text, size);
    number[size] = '\0';
    file->machine[observation].score = strtod(number, NULL);
    return 0;
}

static int read_machine(struct linnet_crowd_file *file, const char *dir, struct linnet_error *err) {
    char answers[4096], scores[4096];
    snprintf(answers, sizeof answers, "%s/aggregation/ai_answers.json", dir);
    snprintf(scores, sizeof scores, "%s/aggregation/ai_scores.json", dir);
    if (access(answers, R_OK) != 0 || access(scores, R_OK) != 0) return 0;
    file->machine = malloc(((size_t)file->observations.n + 1) * sizeof *file->machine);
    if (!file->machine) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    for (uint32_t i = 0; i < file->observations.n; i++)
        file->machine[i] = (struct linnet_machine_vote){LINNET_NO_LABEL, 0};
    file->crowd.machine = file->machine;
    int rc = linnet_flat_json_read(answers, on_ai_answer, file, err);
    return rc ? rc : linnet_flat_json_read(scores, on_ai_score, file, err);
}

static int read_answers(struct linnet_crowd_file *file, const char *dir, struct linnet_error *err) {
    struct answers answers = {.file = file};
    char path[4096];
    snprintf(path, sizeof path, "%s/answers/answers.json", dir);
    int rc = linnet_flat_json_read(path, on_answer, &answers, err);
    if (!rc && answers.rows.n == 0) rc = linnet_error_set(err, LINNET_E_PARSE, "%s holds no votes", path);
    if (!rc && linnet_vote_rows_gather(&answers.rows, file, 0) != 0)
        rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    linnet_vote_rows_done(&answers.rows);
    return rc;
}

static int read_rest(struct linnet_crowd_file *file, uint32_t *truth, const char *dir,
                     struct linnet_error *err) {
    struct truths truths = {file, truth};
    char path[4096];
    snprintf(path, sizeof path, "%s/aggregation/authors.txt", dir);
    int rc = read_lines(file, path, on_author, file, err);
    snprintf(path, sizeof path, "%s/answers/ground_truth.txt", dir);
    if (!rc) rc = read_lines(file, path, on_truth, &truths, err);
    return rc ? rc : read_machine(file, dir, err);
}

int linnet_crowdswe_load(struct linnet_crowd_file *file, uint32_t **truth, const char *dir,
                         struct linnet_error *err) {
    *file = (struct linnet_crowd_file){0};
    uint32_t *truths = NULL;
    int rc = 0;
    if (linnet_names_init(&file->observations, 1 << 23) != 0 ||
        linnet_names_init(&file->users, 1 << 20) != 0 || linnet_names_init(&file->taxa, 1 << 14) != 0)
        rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (!rc) rc = linnet_consensus_taxa_init(&file->tree, 0, NULL, NULL, NULL, err);
    if (!rc) rc = read_answers(file, dir, err);
    if (!rc && !(truths = malloc(((size_t)file->observations.n + 1) * sizeof *truths)))
        rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    for (uint32_t i = 0; truths && i < file->observations.n; i++)
        truths[i] = LINNET_NO_LABEL;
    if (!rc && truths) rc = read_rest(file, truths, dir, err);
    if (rc) {
        free(truths);
        linnet_crowd_file_done(file);
        return rc;
    }
    *truth = truths;
    return 0;
}
