#include "plugins/consensus/skills.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/consensus/skill.h"
#include "common/consensus/solve.h"

enum { OUTCOME_CREDIT = 1, OUTCOME_RIGHT = 2, OUTCOME_WRONG = 4 };

struct tallying {
    struct skills *skills;
    const struct labels *labels;
    const struct consensus_config *config;
    const struct copy *copy;
    const struct linnet_consensus_result *result;
    uint8_t *outcome;     /* by vote */
    uint32_t *start, *of; /* votes by user */
    bool exact;
};

void skills_done(struct skills *skills) {
    free(skills->entries);
    free(skills->words);
    *skills = (struct skills){0};
}

/* ---- what each vote was ---- */

/* What people say: the machine never bears on a skill. */
static struct linnet_verdict verdict_of_people(const struct tallying *t, uint32_t i,
                                               const struct linnet_ballot *people) {
    struct linnet_verdict verdict = t->result->verdicts[i];
    enum linnet_machine_mode mode = t->config->rules.machine;
    if (mode == LINNET_MACHINE_CONFIDENT || mode == LINNET_MACHINE_FIXED)
        return linnet_verdict_of(&t->labels->taxa, &t->config->rules, people,
                                 t->result->species ? t->result->species[i] : LINNET_NO_LABEL);
    verdict.valid = verdict.valid || verdict.withdrawn;
    return verdict;
}

static void judge_votes(const struct tallying *t, uint32_t i) {
    const struct linnet_consensus_taxa *taxa = &t->labels->taxa;
    const struct linnet_consensus_rules *rules = &t->config->rules;
    uint32_t from = t->copy->start[i], to = t->copy->start[i + 1];
    struct linnet_ballot people = {t->copy->votes + from, to - from, t->result->weight, NULL};
    struct linnet_verdict verdict = verdict_of_people(t, i, &people), species = {.label = LINNET_NO_LABEL};
    if (t->result->species) species = linnet_verdict_plantnet(taxa, rules, &people, t->result->species[i]);
    for (uint32_t v = from; v < to; v++) {
        const struct linnet_vote *vote = &t->copy->votes[v];
        enum linnet_vote_role role = linnet_vote_role(taxa, rules, vote, verdict.label);
        uint8_t outcome = 0;
        if (t->result->species && linnet_vote_credit(taxa, rules, vote, &species) != LINNET_CREDIT_NONE)
            outcome |= OUTCOME_CREDIT;
        if (verdict.valid && role == LINNET_VOTE_FOR) outcome |= OUTCOME_RIGHT;
        if (verdict.valid && (role == LINNET_VOTE_AGAINST || role == LINNET_VOTE_REJECTS))
            outcome |= OUTCOME_WRONG;
        t->outcome[v] = outcome;
    }
}

static void sort_by_user(const struct tallying *t) {
    uint32_t votes = t->copy->start[t->copy->observations];
    for (uint32_t v = 0; v < votes; v++)
        t->start[t->copy->votes[v].user + 2]++;
    for (uint32_t u = 0; u < t->copy->users; u++)
        t->start[u + 2] += t->start[u + 1];
    for (uint32_t v = 0; v < votes; v++)
        t->of[t->start[t->copy->votes[v].user + 1]++] = v;
}

/* ---- one user ---- */

static int reserve(struct skills *skills, size_t words) {
    if (skills->n == skills->capacity) {
        uint32_t capacity = skills->capacity ? skills->capacity * 2 : 256;
        struct skill_entry *entries = realloc(skills->entries, capacity * sizeof *entries);
        if (!entries) return -1;
        skills->entries = entries;
        skills->capacity = capacity;
    }
    if (skills->used + words <= skills->room) return 0;
    size_t room = skills->room * 2 + words;
    uint32_t *more = realloc(skills->words, room * sizeof *more);
    if (!more) return -1;
    skills->words = more;
    skills->room = room;
    return 0;
}

static int by_first(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Count a vote under its family, among the n at `families`. */
static uint32_t count_family(uint32_t *families, uint32_t n, uint32_t family, bool right) {
    uint32_t at = 0;
    while (at < n && families[3 * at] != family)
        at++;
    if (at == n) {
        families[3 * at] = family;
        families[3 * at + 1] = families[3 * at + 2] = 0;
    }
    families[3 * at + (right ? 1 : 2)]++;
    return at == n ? n + 1 : n;
}

static uint32_t species_of(const struct tallying *t, const struct linnet_vote *vote) {
    uint32_t accepted = linnet_consensus_accepted(&t->labels->taxa, vote->label);
    if (linnet_consensus_classes(&t->config->rules) == LINNET_CLASSES_LABELS) return accepted;
    return linnet_consensus_species(&t->labels->taxa, accepted);
}

static uint32_t distinct(uint32_t *sorted, uint32_t n) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || sorted[kept - 1] != sorted[i]) sorted[kept++] = sorted[i];
    return kept;
}

/* Families, then species, at the end of skills.words: room for three words and one a vote is there. */
static struct skill_entry gather(const struct tallying *t, uint32_t user) {
    uint32_t *families = t->skills->words + t->skills->used, from = t->start[user], to = t->start[user + 1],
             right = 0, wrong = 0;
    struct skill_entry entry = {.user = user, .at = t->skills->used, .precision = -1};
    for (uint32_t k = from; k < to; k++) {
        const struct linnet_vote *vote = &t->copy->votes[t->of[k]];
        uint8_t outcome = t->outcome[t->of[k]];
        uint32_t family = labels_family(t->labels, vote->label);
        if (!(outcome & (OUTCOME_RIGHT | OUTCOME_WRONG)) || family == LINNET_NO_LABEL) continue;
        entry.families = count_family(families, entry.families, family, outcome & OUTCOME_RIGHT);
        right += (outcome & OUTCOME_RIGHT) != 0;
        wrong += (outcome & OUTCOME_WRONG) != 0;
    }
    qsort(families, entry.families, 3 * sizeof *families, by_first);
    uint32_t *species = families + (size_t)3 * entry.families;
    for (uint32_t k = from; k < to; k++)
        if (t->outcome[t->of[k]] & OUTCOME_CREDIT)
            species[entry.species++] = species_of(t, &t->copy->votes[t->of[k]]);
    qsort(species, entry.species, sizeof *species, by_first);
    entry.species = distinct(species, entry.species);
    if (right + wrong) entry.precision = (float)right / (float)(right + wrong);
    entry.hash = 2166136261u;
    for (size_t w = 0; w < (size_t)3 * entry.families + entry.species; w++)
        entry.hash = (entry.hash ^ families[w]) * 16777619u;
    return entry;
}

static bool is_news(const struct tallying *t, const struct skill_entry *entry) {
    const struct person *person = &t->copy->people[entry->user];
    const struct linnet_skill *skill = &t->result->skills[entry->user];
    if (!entry->families && !entry->species) return person->told;
    if (!person->told || skill->n_author != person->told_author || skill->n_vote != person->told_vote)
        return true;
    if (t->exact) return entry->hash != person->told_hash;
    return fabsf(entry->precision - person->told_precision) > (float)t->config->tolerance;
}

static int tally_users(const struct tallying *t) {
    for (uint32_t u = 0; u < t->copy->users; u++) {
        uint32_t votes = t->start[u + 1] - t->start[u];
        if (!votes && !t->copy->people[u].told) continue;
        if (reserve(t->skills, (size_t)4 * votes + 4) != 0) return LINNET_E_NOMEM;
        struct skill_entry entry = gather(t, u);
        if (!is_news(t, &entry)) continue;
        t->skills->entries[t->skills->n++] = entry;
        t->skills->used += (size_t)3 * entry.families + entry.species;
    }
    return 0;
}

int skills_tally(struct skills *skills, const struct labels *labels, const struct consensus_config *config,
                 const struct copy *copy, const struct linnet_consensus_result *result, bool exact) {
    size_t votes = (size_t)copy->start[copy->observations] + 1;
    struct tallying t = {.skills = skills,
                         .labels = labels,
                         .config = config,
                         .copy = copy,
                         .result = result,
                         .outcome = malloc(votes),
                         .start = calloc((size_t)copy->users + 3, sizeof(uint32_t)),
                         .of = malloc(votes * sizeof(uint32_t)),
                         .exact = exact};
    int rc = t.outcome && t.start && t.of ? 0 : LINNET_E_NOMEM;
    if (!rc) {
        for (uint32_t i = 0; i < copy->observations; i++)
            judge_votes(&t, i);
        sort_by_user(&t);
        rc = tally_users(&t);
    }
    free(t.outcome);
    free(t.start);
    free(t.of);
    return rc;
}
