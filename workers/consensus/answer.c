#include "workers/consensus/answer.h"

#include <string.h>

#include "workers/consensus/sheet.h"

const char *linnet_answer_grade(const struct linnet_crowd_file *file, const struct linnet_verdict *verdict) {
    if (verdict->label == LINNET_LABEL_NOT_A_PLANT && verdict->valid) return "casual";
    bool species = linnet_consensus_species(&file->tree, verdict->label) != LINNET_NO_LABEL;
    return verdict->valid && species ? "research" : "needs_review";
}

struct linnet_ballot linnet_answer_ballot(const struct linnet_crowd_file *file,
                                          const struct linnet_consensus_result *result,
                                          uint32_t observation) {
    uint32_t from = file->start[observation];
    return (struct linnet_ballot){file->votes + from, file->start[observation + 1] - from, result->weight,
                                  file->machine ? &file->machine[observation] : NULL};
}

static void put_verdict(struct linnet_sheet *sheet, const struct linnet_crowd_file *file,
                        const struct linnet_verdict *verdict) {
    size_t size;
    const char *taxon = linnet_crowd_file_taxon(file, verdict->label, &size);
    linnet_sheet_text(sheet, taxon, size);
    linnet_sheet_number(sheet, verdict->confidence);
    linnet_sheet_number(sheet, verdict->accuracy);
    linnet_sheet_integer(sheet, verdict->valid);
}

static void put_name(struct linnet_sheet *sheet, const struct linnet_names *names, uint32_t number) {
    size_t size;
    const char *name = linnet_names_text(names, number, &size);
    linnet_sheet_text(sheet, name, size);
}

static int write_observations(const struct linnet_crowd_file *file,
                              const struct linnet_consensus_result *result, const char *dir,
                              struct linnet_error *err) {
    struct linnet_sheet sheet;
    int rc = linnet_sheet_open(&sheet, dir, "observations.csv",
                               "observation,taxon,confidence,accuracy,valid,grade", err);
    if (rc) return rc;
    for (uint32_t i = 0; i < result->observations; i++) {
        const char *grade = linnet_answer_grade(file, &result->verdicts[i]);
        put_name(&sheet, &file->observations, i);
        put_verdict(&sheet, file, &result->verdicts[i]);
        linnet_sheet_text(&sheet, grade, strlen(grade));
        linnet_sheet_end_row(&sheet);
    }
    return linnet_sheet_close(&sheet, err);
}

static int write_users(const struct linnet_crowd_file *file, const struct linnet_consensus_result *result,
                       const char *dir, struct linnet_error *err) {
    struct linnet_sheet sheet;
    int rc = linnet_sheet_open(&sheet, dir, "users.csv", "user,n_author,n_vote,n,weight", err);
    if (rc) return rc;
    for (uint32_t u = 0; u < result->users; u++) {
        put_name(&sheet, &file->users, u);
        linnet_sheet_integer(&sheet, result->skills[u].n_author);
        linnet_sheet_integer(&sheet, result->skills[u].n_vote);
        linnet_sheet_integer(&sheet, result->skills[u].n);
        linnet_sheet_number(&sheet, result->skills[u].weight);
        linnet_sheet_end_row(&sheet);
    }
    return linnet_sheet_close(&sheet, err);
}

static int write_beside(const struct linnet_crowd_file *file, const struct linnet_consensus_rules *rules,
                        const struct linnet_consensus_result *result, const char *dir,
                        struct linnet_error *err) {
    struct linnet_consensus_rules plantnet = *rules, community = *rules;
    struct linnet_sheet sheet;
    plantnet.method = LINNET_METHOD_PLANTNET;
    plantnet.classes = linnet_consensus_classes(rules);
    community.method = LINNET_METHOD_COMMUNITY;
    int rc = linnet_sheet_open(&sheet, dir, "beside.csv",
                               "observation,species,species_confidence,species_accuracy,species_valid,"
                               "community,community_identifications,community_score,community_valid",
                               err);
    if (rc) return rc;
    for (uint32_t i = 0; i < result->observations; i++) {
        struct linnet_ballot ballot = linnet_answer_ballot(file, result, i);
        struct linnet_verdict by_votes =
            linnet_verdict_of(&file->tree, &plantnet, &ballot, result->species[i]);
        struct linnet_verdict by_heads = linnet_verdict_of(&file->tree, &community, &ballot, LINNET_NO_LABEL);
        put_name(&sheet, &file->observations, i);
        put_verdict(&sheet, file, &by_votes);
        put_verdict(&sheet, file, &by_heads);
        linnet_sheet_end_row(&sheet);
    }
    return linnet_sheet_close(&sheet, err);
}

int linnet_answer_write(const struct linnet_crowd_file *file, const struct linnet_consensus_rules *rules,
                        const struct linnet_consensus_result *result, const char *dir,
                        struct linnet_error *err) {
    int rc = write_observations(file, result, dir, err);
    if (!rc) rc = write_users(file, result, dir, err);
    if (!rc && rules->method == LINNET_METHOD_LINNET) rc = write_beside(file, rules, result, dir, err);
    return rc;
}
