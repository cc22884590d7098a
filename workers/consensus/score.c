#include "workers/consensus/score.h"

#include <stdlib.h>
#include <string.h>

#include "workers/consensus/table.h"

struct tally {
    uint32_t n, labelled, right, coarse, valid, valid_right;
    uint32_t *of, *right_of; /* by species */
};

static enum linnet_score_scope scope_of(const struct linnet_crowd_file *file, uint32_t i) {
    uint32_t from = file->start[i], to = file->start[i + 1];
    for (uint32_t v = from + 1; v < to; v++)
        if (linnet_consensus_accepted(&file->tree, file->votes[v].label) !=
            linnet_consensus_accepted(&file->tree, file->votes[from].label))
            return LINNET_SCORE_DISPUTED;
    return to - from > 1 ? LINNET_SCORE_SHARED : LINNET_SCORE_ALL;
}

static void add(const struct linnet_crowd_file *file, struct tally *tally,
                const struct linnet_verdict *verdict, uint32_t truth) {
    uint32_t species = linnet_consensus_species(&file->tree, verdict->label);
    bool has = verdict->label != LINNET_NO_LABEL && species != LINNET_NO_LABEL,
         right = has && species == truth;
    tally->n++;
    tally->labelled += has;
    tally->right += right;
    tally->coarse += !has && verdict->label != LINNET_NO_LABEL &&
                     linnet_consensus_is_within(&file->tree, truth, verdict->label);
    tally->valid += has && verdict->valid;
    tally->valid_right += right && verdict->valid;
    tally->of[truth]++;
    tally->right_of[truth] += right;
}

static double share(uint32_t part, uint32_t whole) {
    return whole ? (double)part / whole : 0;
}

static struct linnet_crowd_score sum_up(const struct tally *tally, uint32_t species) {
    double macro = 0;
    uint32_t seen = 0;
    for (uint32_t k = 0; k < species; k++) {
        seen += tally->of[k] > 0;
        macro += share(tally->right_of[k], tally->of[k]);
    }
    return (struct linnet_crowd_score){tally->n,
                                       share(tally->labelled, tally->n),
                                       share(tally->right, tally->n),
                                       share(tally->right, tally->labelled),
                                       seen ? macro / seen : 0,
                                       share(tally->coarse, tally->n),
                                       share(tally->valid, tally->n),
                                       share(tally->valid_right, tally->valid)};
}

int linnet_crowd_score(const struct linnet_crowd_file *file, const uint32_t *truth,
                       const struct linnet_consensus_result *result,
                       struct linnet_crowd_score scores[LINNET_SCORE_SCOPES]) {
    struct tally tallies[LINNET_SCORE_SCOPES] = {{0}};
    uint32_t species = file->taxa.n;
    int rc = 0;
    for (int s = 0; s < LINNET_SCORE_SCOPES; s++) {
        tallies[s].of = calloc((size_t)species + 1, sizeof(uint32_t));
        tallies[s].right_of = calloc((size_t)species + 1, sizeof(uint32_t));
        if (!tallies[s].of || !tallies[s].right_of) rc = LINNET_E_NOMEM;
    }
    for (uint32_t i = 0; !rc && i < result->observations; i++) {
        uint32_t true_species =
            truth[i] == LINNET_NO_LABEL
                ? LINNET_NO_LABEL
                : linnet_consensus_species(&file->tree, linnet_consensus_accepted(&file->tree, truth[i]));
        if (true_species >= species) continue;
        for (int s = (int)scope_of(file, i); s >= 0;
             s--) /* the disputed are among the shared, and those among all */
            add(file, &tallies[s], &result->verdicts[i], true_species);
    }
    for (int s = 0; s < LINNET_SCORE_SCOPES; s++) {
        if (!rc) scores[s] = sum_up(&tallies[s], species);
        free(tallies[s].of);
        free(tallies[s].right_of);
    }
    return rc;
}

struct reading {
    struct linnet_crowd_file *file;
    uint32_t *truth;
    int observation, taxon;
};

static int on_row(void *arg, const struct linnet_cell *cells, const char **what) {
    struct reading *reading = arg;
    const struct linnet_cell *name = &cells[reading->observation], *taxon = &cells[reading->taxon];
    uint32_t observation = linnet_names_find(&reading->file->observations, name->text, name->size);
    bool failed = false;
    (void)what;
    if (observation == LINNET_NO_NAME) return 0;
    reading->truth[observation] = linnet_crowd_file_label(
        reading->file, taxon->text, taxon->size, linnet_name_hash(taxon->text, taxon->size), &failed);
    return failed ? LINNET_E_NOMEM : 0;
}

int linnet_truth_file_read(struct linnet_crowd_file *file, const char *path, uint32_t **truth,
                           struct linnet_error *err) {
    struct linnet_table table;
    struct reading reading = {.file = file};
    int rc = linnet_table_open(&table, path, err);
    if (rc) return rc;
    reading.observation = linnet_table_column(&table, "observation");
    reading.taxon = linnet_table_column(&table, "taxon");
    reading.truth = malloc(((size_t)file->observations.n + 1) * sizeof *reading.truth);
    if (reading.observation < 0 || reading.taxon < 0)
        rc = linnet_error_set(err, LINNET_E_PARSE, "%s: line 1: the columns observation and taxon are wanted",
                              path);
    else if (!reading.truth)
        rc = linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    for (uint32_t i = 0; reading.truth && i < file->observations.n; i++)
        reading.truth[i] = LINNET_NO_LABEL;
    if (!rc) rc = linnet_table_read(&table, on_row, &reading, err);
    linnet_table_close(&table);
    if (rc)
        free(reading.truth);
    else
        *truth = reading.truth;
    return rc;
}
