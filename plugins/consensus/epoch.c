#include "plugins/consensus/epoch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/consensus/solve.h"
#include "plugins/consensus/copy.h"
#include "plugins/consensus/skills.h"
#include "plugins/consensus/told.h"

struct epoch {
    const struct consensus_config *config;
    const struct labels *labels;
    enum epoch_phase phase;
    bool exact, own_thread;
    struct copy copy;
    pthread_t thread;
    _Atomic bool over; /* set by the thread when all below is made */
    int error;
    struct linnet_consensus_result result;
    struct skills skills;
    uint32_t *news, nnews;
    struct epoch_report report;
};

struct epoch *epoch_new(const struct consensus_config *config, const struct labels *labels) {
    struct epoch *epoch = calloc(1, sizeof *epoch);
    if (!epoch) return NULL;
    epoch->config = config;
    epoch->labels = labels;
    return epoch;
}

static void forget(struct epoch *epoch) {
    copy_done(&epoch->copy);
    linnet_consensus_result_done(&epoch->result);
    skills_done(&epoch->skills);
    free(epoch->news);
    epoch->news = NULL;
    epoch->nnews = 0;
}

void epoch_free(struct epoch *epoch) {
    if (!epoch) return;
    if (epoch->own_thread) pthread_join(epoch->thread, NULL);
    forget(epoch);
    free(epoch);
}

enum epoch_phase epoch_phase(const struct epoch *epoch) {
    return epoch->phase;
}

/* ---- solving ---- */

static struct opinion opinion_of(struct linnet_verdict verdict) {
    return (struct opinion){.label = verdict.label,
                            .valid = verdict.valid,
                            .withdrawn = verdict.withdrawn,
                            .granted = verdict.granted,
                            .confidence = verdict.confidence,
                            .accuracy = verdict.accuracy};
}

/* All that a consensus says, of the copy: what judge() says of the crowd. */
static struct told told_by(const struct epoch *epoch, uint32_t i, enum grade grade) {
    const struct copy *copy = &epoch->copy;
    const struct linnet_consensus_taxa *taxa = &epoch->labels->taxa;
    uint32_t from = copy->start[i], mixed = 0,
             present = epoch->result.species ? epoch->result.species[i] : LINNET_NO_LABEL;
    struct linnet_ballot people = {copy->votes + from, copy->start[i + 1] - from, epoch->result.weight, NULL},
                         heads = people;
    heads.weight = NULL;
    for (uint32_t v = 0; v < people.nvotes; v++)
        mixed = told_mix(mixed, epoch->result.weight[people.votes[v].user]);
    struct opinions opinions = {
        .verdict = opinion_of(epoch->result.verdicts[i]),
        .plantnet = opinion_of(linnet_verdict_plantnet(taxa, &epoch->config->rules, &people, present)),
        .community = opinion_of(linnet_verdict_community(taxa, &epoch->config->rules, &heads))};
    return told_of(&opinions, grade, mixed);
}

static bool is_news(const struct epoch *epoch, uint32_t i) {
    const struct copy *copy = &epoch->copy;
    struct opinion verdict = opinion_of(epoch->result.verdicts[i]);
    if (!(copy->flags[i] & COPY_EXISTS)) return copy->flags[i] & COPY_TOLD;
    if (!(copy->flags[i] & COPY_TOLD)) return true;
    enum grade grade = grade_of(epoch->labels, epoch->config, copy->lacks[i], &verdict);
    if (told_moved(&copy->told[i], &verdict, grade, epoch->config->tolerance)) return true;
    return epoch->exact && told_by(epoch, i, grade).hash != copy->told[i].hash;
}

static int find_news(struct epoch *epoch) {
    epoch->news = malloc(((size_t)epoch->copy.observations + 1) * sizeof *epoch->news);
    if (!epoch->news) return LINNET_E_NOMEM;
    for (uint32_t i = 0; i < epoch->copy.observations; i++)
        if (is_news(epoch, i)) epoch->news[epoch->nnews++] = i;
    return 0;
}

static void sum_up(struct epoch *epoch) {
    const struct linnet_consensus_report *solved = &epoch->result.report;
    struct epoch_report report = {.votes = epoch->copy.start[epoch->copy.observations],
                                  .users = epoch->copy.users,
                                  .rounds = solved->rounds,
                                  .converged = solved->converged,
                                  .labelled = solved->labelled,
                                  .valid = solved->valid,
                                  .withdrew = solved->machine_withdrew,
                                  .granted = solved->machine_granted};
    for (uint32_t i = 0; i < epoch->copy.observations; i++)
        report.observations += (epoch->copy.flags[i] & COPY_EXISTS) != 0;
    epoch->report = report;
}

static void solve(struct epoch *epoch) {
    struct linnet_error err;
    struct linnet_crowd crowd = copy_crowd(&epoch->copy);
    epoch->error = linnet_consensus_solve(&epoch->labels->taxa, &epoch->config->rules, &crowd, NULL, NULL,
                                          &epoch->result, &err);
    if (!epoch->error) epoch->error = find_news(epoch);
    if (!epoch->error)
        epoch->error = skills_tally(&epoch->skills, epoch->labels, epoch->config, &epoch->copy,
                                    &epoch->result, epoch->exact);
    if (!epoch->error) sum_up(epoch);
}

static int64_t monotonic_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *solve_work(void *arg) {
    struct epoch *epoch = arg;
    int64_t began = monotonic_ms();
    solve(epoch);
    epoch->report.solve_ms = monotonic_ms() - began;
    atomic_store(&epoch->over, true);
    return NULL;
}

static void start(struct epoch *epoch) {
    atomic_store(&epoch->over, false);
    bool beside = epoch->copy.start[epoch->copy.observations] >= epoch->config->thread_votes;
    epoch->own_thread = beside && pthread_create(&epoch->thread, NULL, solve_work, epoch) == 0;
    epoch->phase = EPOCH_SOLVING;
    if (!epoch->own_thread) solve_work(epoch);
}

/* ---- steps ---- */

int epoch_begin(struct epoch *epoch, const struct crowd *crowd, bool exact) {
    if (copy_begin(&epoch->copy, crowd) != 0) return -1;
    epoch->exact = exact;
    epoch->phase = EPOCH_COPYING;
    return 0;
}

void epoch_step(struct epoch *epoch, const struct crowd *crowd, uint32_t slice) {
    if (epoch->phase == EPOCH_COPYING) {
        int whole = copy_slice(&epoch->copy, crowd, epoch->config, slice);
        if (whole < 0) epoch->phase = EPOCH_FAILED;
        if (whole > 0) start(epoch);
    }
    if (epoch->phase != EPOCH_SOLVING || !atomic_load(&epoch->over)) return;
    if (epoch->own_thread) pthread_join(epoch->thread, NULL);
    epoch->own_thread = false;
    epoch->phase = epoch->error ? EPOCH_FAILED : EPOCH_SOLVED;
}

const struct epoch_report *epoch_report(const struct epoch *epoch) {
    return &epoch->report;
}

bool epoch_exact(const struct epoch *epoch) {
    return epoch->exact;
}

void epoch_take(const struct epoch *epoch, struct crowd *crowd) {
    const struct linnet_consensus_result *result = &epoch->result;
    if (result->species && result->observations)
        memcpy(crowd->species, result->species, result->observations * sizeof *crowd->species);
    for (uint32_t u = 0; u < result->users; u++) {
        struct person *person = &crowd->people[u];
        const struct linnet_skill *skill = &result->skills[u];
        if (person->n_author == skill->n_author && person->n_vote == skill->n_vote && person->n == skill->n)
            continue;
        person->n_author = skill->n_author;
        person->n_vote = skill->n_vote;
        person->n = skill->n;
        crowd->weight[u] = skill->weight;
        crowd_touch_person(crowd, u);
    }
}

const uint32_t *epoch_news(const struct epoch *epoch, uint32_t *n) {
    *n = epoch->nnews;
    return epoch->news;
}

const struct skills *epoch_skills(const struct epoch *epoch) {
    return &epoch->skills;
}

void epoch_end(struct epoch *epoch) {
    forget(epoch);
    epoch->phase = EPOCH_IDLE;
}
