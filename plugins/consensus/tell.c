#include <stddef.h>
#include <string.h>

#include "plugins/consensus/document.h"
#include "plugins/consensus/skills.h"
#include "plugins/consensus/stage.h"
#include "plugins/consensus/told.h"

/* Of one tick: the host calls the next one when these are written. */
enum { EMIT_MOST = 500, LOOK_MOST = 20000 };

static int emit_consensus(struct consensus *self, const struct linnet_item *item, uint32_t observation,
                          const struct opinions *opinions, enum grade grade) {
    struct observed *observed = &self->crowd.observed[observation];
    char ulid[ULID_TEXT + 1];
    crowd_ulid(&self->crowd, observation, ulid);
    struct linnet_output output = {.kind = "consensus", .observation = ulid, .qualifier = ""};
    bool exists = observed->flags & OBSERVED_EXISTS;
    if (exists) {
        output.document =
            document_consensus(self->host, &self->crowd, &self->config, observation, opinions, grade);
        output.inputs = document_inputs(&self->crowd, observation);
        if (!output.document || !output.inputs) {
            json_decref(output.document);
            json_decref(output.inputs);
            return -1;
        }
    }
    int error = self->host->emit(self->host->ctx, item, &output);
    if (error) return error;
    observed->flags &= (uint16_t)~OBSERVED_TOLD;
    if (exists) observed->flags |= OBSERVED_TOLD;
    observed->told = told_of(opinions, grade, told_weights(&self->crowd, observed));
    crowd_touch(&self->crowd, observation);
    return 0;
}

/* Votes on an observation that is not there (yet) say nothing. */
static bool is_silent(const struct observed *observed) {
    return !(observed->flags & (OBSERVED_EXISTS | OBSERVED_TOLD));
}

int tell_consensus(struct consensus *self, const struct linnet_item *item, uint32_t observation) {
    const struct observed *observed = &self->crowd.observed[observation];
    struct opinions opinions;
    if (is_silent(observed)) return 0;
    if (judge(&self->crowd, &self->config, observation, &opinions) != 0) return -1;
    unsigned lacks = grade_lacks(&self->crowd, &self->config, observed);
    return emit_consensus(self, item, observation, &opinions,
                          grade_of(&self->crowd.labels, &self->config, lacks, &opinions.verdict));
}

/* Tell an observation of an epoch's news again, unless a vote since has had it told. 1: it was told. */
static int tell_again(struct consensus *self, uint32_t observation) {
    const struct observed *observed = &self->crowd.observed[observation];
    struct opinions opinions;
    if (is_silent(observed)) return 0;
    if (judge(&self->crowd, &self->config, observation, &opinions) != 0) return -1;
    enum grade grade = grade_of(&self->crowd.labels, &self->config,
                                grade_lacks(&self->crowd, &self->config, observed), &opinions.verdict);
    struct told now = told_of(&opinions, grade, told_weights(&self->crowd, observed));
    bool news = !(observed->flags & OBSERVED_TOLD) || !(observed->flags & OBSERVED_EXISTS) ||
                told_moved(&observed->told, &opinions.verdict, grade, self->config.tolerance) ||
                (self->exact && now.hash != observed->told.hash);
    if (!news) return 0;
    int error = emit_consensus(self, NULL, observation, &opinions, grade);
    return error ? error : 1;
}

static int tell_skill(struct consensus *self, const struct skills *skills, const struct skill_entry *entry) {
    struct person *person = &self->crowd.people[entry->user];
    const uint32_t *families = skills->words + entry->at, *species = families + (size_t)3 * entry->families;
    bool speaks = entry->families || entry->species;
    struct linnet_output output = {.kind = "skill",
                                   .observation = "",
                                   .qualifier = intern_text(&self->crowd.users, entry->user),
                                   .document = speaks
                                                   ? document_skill(&self->crowd, entry->user, families,
                                                                    entry->families, species, entry->species)
                                                   : NULL,
                                   .inputs = json_array()};
    if (speaks && !output.document) return -1;
    int error = self->host->emit(self->host->ctx, NULL, &output);
    if (error) return error;
    person->told = speaks;
    person->told_author = person->n_author;
    person->told_vote = person->n_vote;
    person->told_hash = entry->hash;
    person->told_precision = entry->precision;
    crowd_touch_person(&self->crowd, entry->user);
    return 0;
}

/* A tick that fails has written nothing: what it told is not told. */
static int take_back(struct consensus *self, const uint32_t *news, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++)
        self->crowd.observed[news[i]].flags &= (uint16_t)~OBSERVED_TOLD;
    self->next_news = from;
    return -1;
}

int tell_some(struct consensus *self) {
    const struct skills *skills = epoch_skills(self->epoch);
    uint32_t n, emitted = 0, from = self->next_news, first_skill = self->next_skill;
    const uint32_t *news = epoch_news(self->epoch, &n);
    for (uint32_t looked = 0; self->next_news < n; self->next_news++) {
        if (emitted == EMIT_MOST || looked++ == LOOK_MOST) return 0;
        int told = tell_again(self, news[self->next_news]);
        if (told < 0) return take_back(self, news, from, self->next_news);
        emitted += (uint32_t)told;
    }
    for (; self->next_skill < skills->n; self->next_skill++) {
        if (emitted++ == EMIT_MOST) return 0;
        if (tell_skill(self, skills, &skills->entries[self->next_skill]) == 0) continue;
        self->next_skill = first_skill;
        return take_back(self, news, from, self->next_news);
    }
    return 1;
}

static void gauge(const struct linnet_host *host, const char *name, double value) {
    if (host->struct_size > offsetof(struct linnet_host, gauge) && host->gauge)
        host->gauge(host->ctx, name, value);
}

int tell_report(struct consensus *self) {
    const struct epoch_report *report = &self->report;
    struct linnet_output output = {.kind = "epoch",
                                   .observation = "",
                                   .qualifier = "consensus",
                                   .document = document_epoch(&self->config, report, self->settling),
                                   .inputs = json_array()};
    if (!output.document) {
        json_decref(output.inputs);
        return -1;
    }
    gauge(self->host, "observations", report->observations);
    gauge(self->host, "valid", report->valid);
    gauge(self->host, "machine_withdrew", report->withdrew);
    gauge(self->host, "machine_granted", report->granted);
    return self->host->emit(self->host->ctx, NULL, &output);
}
