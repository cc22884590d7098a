#include "workers/consensus/crowd_file.h"

#include <stdlib.h>
#include <string.h>

#include "workers/consensus/table.h"

static const char NOT_A_PLANT[] = "not-a-plant";

uint32_t linnet_crowd_file_label(struct linnet_crowd_file *file, const char *text, size_t size, uint32_t hash,
                                 bool *failed) {
    if (size == 0) return LINNET_NO_LABEL;
    if (size == sizeof NOT_A_PLANT - 1 && memcmp(text, NOT_A_PLANT, size) == 0)
        return LINNET_LABEL_NOT_A_PLANT;
    uint32_t label = linnet_names_put(&file->taxa, text, size, hash);
    *failed |= label == LINNET_NO_NAME;
    return label;
}

const char *linnet_crowd_file_taxon(const struct linnet_crowd_file *file, uint32_t label, size_t *size) {
    if (label < file->taxa.n) return linnet_names_text(&file->taxa, label, size);
    *size = label == LINNET_LABEL_NOT_A_PLANT ? sizeof NOT_A_PLANT - 1 : 0;
    return label == LINNET_LABEL_NOT_A_PLANT ? NOT_A_PLANT : "";
}

struct machine_reading {
    struct linnet_crowd_file *file;
    int observation, taxon, score;
};

static int on_machine_row(void *arg, const struct linnet_cell *cells, const char **what) {
    struct machine_reading *reading = arg;
    const struct linnet_cell *observation = &cells[reading->observation], *taxon = &cells[reading->taxon];
    const struct linnet_cell *score = &cells[reading->score];
    char text[32], *end;
    bool failed = false;
    if (score->size == 0 || score->size >= sizeof text) {
        *what = "the score is no number";
        return LINNET_E_PARSE;
    }
    memcpy(text, score->text, score->size);
    text[score->size] = '\0';
    double value = strtod(text, &end);
    if (*end || !(value >= 0 && value <= 1)) {
        *what = "the score is no number from 0 to 1";
        return LINNET_E_PARSE;
    }
    uint32_t number = linnet_names_find(&reading->file->observations, observation->text, observation->size);
    if (number == LINNET_NO_NAME) return 0; /* nobody voted on it */
    uint32_t label = linnet_crowd_file_label(reading->file, taxon->text, taxon->size,
                                             linnet_name_hash(taxon->text, taxon->size), &failed);
    if (failed) return LINNET_E_NOMEM;
    reading->file->machine[number] = (struct linnet_machine_vote){label, value};
    return 0;
}

int linnet_machine_file_read(struct linnet_crowd_file *file, const char *path, struct linnet_error *err) {
    struct machine_reading reading = {.file = file};
    struct linnet_table table;
    int rc = linnet_table_open(&table, path, err);
    if (rc) return rc;
    reading.observation = linnet_table_column(&table, "observation");
    reading.taxon = linnet_table_column(&table, "taxon");
    reading.score = linnet_table_column(&table, "score");
    if (reading.observation < 0 || reading.taxon < 0 || reading.score < 0)
        rc = linnet_error_set(err, LINNET_E_PARSE,
                              "%s: line 1: the columns observation, taxon and score are wanted", path);
    file->machine = malloc(((size_t)file->observations.n + 1) * sizeof *file->machine);
    if (!rc && !file->machine) {
        linnet_table_close(&table);
        return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    for (uint32_t i = 0; file->machine && i < file->observations.n; i++)
        file->machine[i] = (struct linnet_machine_vote){LINNET_NO_LABEL, 0};
    if (!rc) rc = linnet_table_read(&table, on_machine_row, &reading, err);
    linnet_table_close(&table);
    file->crowd.machine = file->machine;
    return rc;
}

int linnet_crowd_file_load(struct linnet_crowd_file *file, const char *votes, const char *taxa,
                           const char *machine, unsigned threads, linnet_crowd_file_progress *progress,
                           void *progress_arg, struct linnet_error *err) {
    *file = (struct linnet_crowd_file){0};
    int rc = linnet_names_init(&file->taxa, 1 << 14) == 0
                 ? 0
                 : linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    if (!rc)
        rc = taxa ? linnet_taxa_file_read(file, taxa, err)
                  : linnet_consensus_taxa_init(&file->tree, 0, NULL, NULL, NULL, err);
    if (!rc) rc = linnet_votes_file_read(file, votes, threads, progress, progress_arg, err);
    if (!rc && machine) rc = linnet_machine_file_read(file, machine, err);
    if (rc) {
        linnet_crowd_file_done(file);
        return rc;
    }
    file->unknown_taxa = file->taxa.n - file->tree.n;
    return 0;
}

void linnet_crowd_file_done(struct linnet_crowd_file *file) {
    linnet_names_done(&file->observations);
    linnet_names_done(&file->users);
    linnet_names_done(&file->taxa);
    linnet_consensus_taxa_done(&file->tree);
    free(file->start);
    free(file->votes);
    free(file->created_at);
    free(file->machine);
    *file = (struct linnet_crowd_file){0};
}
