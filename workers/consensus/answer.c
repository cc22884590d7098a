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

/* What the rows of a sheet are made of. */
struct answer {
    const struct linnet_crowd_file *file;
    const struct linnet_consensus_result *result;
    struct linnet_consensus_rules plantnet, community; /* of beside.csv */
};

static void put_verdict(struct linnet_page *page, const struct linnet_crowd_file *file,
                        const struct linnet_verdict *verdict) {
    size_t size;
    const char *taxon = linnet_crowd_file_taxon(file, verdict->label, &size);
    linnet_page_text(page, taxon, size);
    linnet_page_number(page, verdict->confidence);
    linnet_page_number(page, verdict->accuracy);
    linnet_page_integer(page, verdict->valid);
}

static void put_name(struct linnet_page *page, const struct linnet_names *names, uint32_t number) {
    size_t size;
    const char *name = linnet_names_text(names, number, &size);
    linnet_page_text(page, name, size);
}

static void put_observation(void *arg, struct linnet_page *page, uint32_t i) {
    const struct answer *answer = arg;
    const struct linnet_verdict *verdict = &answer->result->verdicts[i];
    const char *grade = linnet_answer_grade(answer->file, verdict);
    put_name(page, &answer->file->observations, i);
    put_verdict(page, answer->file, verdict);
    linnet_page_text(page, grade, strlen(grade));
    linnet_page_end_row(page);
}

static void put_user(void *arg, struct linnet_page *page, uint32_t u) {
    const struct answer *answer = arg;
    const struct linnet_skill *skill = &answer->result->skills[u];
    put_name(page, &answer->file->users, u);
    linnet_page_integer(page, skill->n_author);
    linnet_page_integer(page, skill->n_vote);
    linnet_page_integer(page, skill->n);
    linnet_page_number(page, skill->weight);
    linnet_page_end_row(page);
}

static void put_beside(void *arg, struct linnet_page *page, uint32_t i) {
    const struct answer *answer = arg;
    const struct linnet_consensus_taxa *tree = &answer->file->tree;
    struct linnet_ballot ballot = linnet_answer_ballot(answer->file, answer->result, i);
    struct linnet_verdict by_votes =
        linnet_verdict_of(tree, &answer->plantnet, &ballot, answer->result->species[i]);
    struct linnet_verdict by_heads = linnet_verdict_of(tree, &answer->community, &ballot, LINNET_NO_LABEL);
    put_name(page, &answer->file->observations, i);
    put_verdict(page, answer->file, &by_votes);
    put_verdict(page, answer->file, &by_heads);
    linnet_page_end_row(page);
}

int linnet_answer_write(const struct linnet_crowd_file *file, const struct linnet_consensus_rules *rules,
                        const struct linnet_consensus_result *result, const char *dir,
                        struct linnet_error *err) {
    struct answer answer = {file, result, *rules, *rules};
    answer.plantnet.method = LINNET_METHOD_PLANTNET;
    answer.plantnet.classes = linnet_consensus_classes(rules);
    answer.community.method = LINNET_METHOD_COMMUNITY;
    int rc = linnet_sheet_write(dir, "observations.csv", "observation,taxon,confidence,accuracy,valid,grade",
                                result->observations, rules->threads, put_observation, &answer, err);
    if (!rc)
        rc = linnet_sheet_write(dir, "users.csv", "user,n_author,n_vote,n,weight", result->users,
                                rules->threads, put_user, &answer, err);
    if (!rc && rules->method == LINNET_METHOD_LINNET)
        rc = linnet_sheet_write(dir, "beside.csv",
                                "observation,species,species_confidence,species_accuracy,species_valid,"
                                "community,community_identifications,community_score,community_valid",
                                result->observations, rules->threads, put_beside, &answer, err);
    return rc;
}
