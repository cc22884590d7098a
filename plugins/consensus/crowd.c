#include "plugins/consensus/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void crowd_init(struct crowd *crowd, const struct linnet_taxonomy *taxonomy, double newcomer) {
    *crowd = (struct crowd){.taxonomy = taxonomy, .newcomer = newcomer};
}

void crowd_done(struct crowd *crowd) {
    for (uint32_t i = 0; i < crowd->observations.size; i++) {
        free(crowd->observed[i].votes);
        json_decref(crowd->observed[i].place);
    }
    free(crowd->observed);
    free(crowd->voters);
    free(crowd->pairs);
    intern_done(&crowd->observations);
    intern_done(&crowd->users);
    intern_done(&crowd->labels);
    intern_done(&crowd->pair_keys);
    *crowd = (struct crowd){0};
}

/* Make room for one more element of `size` bytes beyond `used`. */
static int reserve(void *array, uint32_t *capacity, uint32_t used, size_t size) {
    if (used < *capacity) return 0;
    uint32_t wanted = *capacity ? *capacity * 2 : 64;
    void *memory = realloc(*(void **)array, wanted * size);
    if (!memory) return -1;
    *(void **)array = memory;
    *capacity = wanted;
    return 0;
}

uint32_t crowd_observation(struct crowd *crowd, const char *ulid) {
    uint32_t known = crowd->observations.size;
    if (reserve(&crowd->observed, &crowd->observed_capacity, known, sizeof *crowd->observed) != 0)
        return INTERN_NONE;
    uint32_t index = intern_put(&crowd->observations, ulid);
    if (index == known)
        crowd->observed[index] = (struct observed){.author = INTERN_NONE,
                                                   .proposal = INTERN_NONE,
                                                   .machine_label = INTERN_NONE,
                                                   .wild = true,
                                                   .verdict.label = INTERN_NONE,
                                                   .told.label = INTERN_NONE};
    return index;
}

uint32_t crowd_user(struct crowd *crowd, const char *uid) {
    uint32_t known = crowd->users.size;
    if (reserve(&crowd->voters, &crowd->voters_capacity, known, sizeof *crowd->voters) != 0)
        return INTERN_NONE;
    uint32_t index = intern_put(&crowd->users, uid);
    if (index == known) crowd->voters[index] = (struct voter){.weight = crowd->newcomer, .told_weight = -1};
    return index;
}

static uint32_t pair_of(struct crowd *crowd, uint32_t user, uint32_t label) {
    char key[32];
    snprintf(key, sizeof key, "%x:%x", user, label);
    uint32_t known = crowd->pair_keys.size;
    if (reserve(&crowd->pairs, &crowd->pairs_capacity, known, sizeof *crowd->pairs) != 0) return INTERN_NONE;
    uint32_t index = intern_put(&crowd->pair_keys, key);
    if (index == known) crowd->pairs[index] = (struct pair){.user = user, .label = label};
    return index;
}

/* The label of the accepted name of a taxon id. */
static uint32_t accepted_label(struct crowd *crowd, const char *taxon) {
    uint32_t index = linnet_taxonomy_find(crowd->taxonomy, taxon);
    if (index != LINNET_NO_TAXON)
        taxon = linnet_taxonomy_at(crowd->taxonomy, linnet_taxonomy_accepted(crowd->taxonomy, index))->id;
    return intern_put(&crowd->labels, taxon);
}

int64_t crowd_time(const char *text) {
    struct tm tm = {0};
    int read = 0;
    if (!text || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
                        &tm.tm_min, &tm.tm_sec, &read) != 6)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int64_t ms = (int64_t)timegm(&tm) * 1000;
    const char *rest = text + read;
    if (*rest == '.') {
        int64_t unit = 100;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            ms += (*rest - '0') * unit;
    }
    int hours, minutes;
    if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2)
        ms += (*rest == '+' ? -1 : 1) * (hours * 60 + minutes) * INT64_C(60000);
    return ms;
}

static void remove_vote(struct observed *observed, uint32_t at) {
    memmove(&observed->votes[at], &observed->votes[at + 1],
            (observed->nvotes - at - 1) * sizeof *observed->votes);
    observed->nvotes--;
}

static void remove_votes_of(struct observed *observed, uint32_t user, bool proposed_only) {
    for (uint32_t i = observed->nvotes; i-- > 0;)
        if (observed->votes[i].user == user && (!proposed_only || observed->votes[i].proposed))
            remove_vote(observed, i);
}

/* Votes stand by time, then by user id, so that sums and ties do not depend on the order of arrival. */
static bool comes_before(const struct crowd *crowd, const struct vote *a, const struct vote *b) {
    if (a->created_at != b->created_at) return a->created_at < b->created_at;
    return strcmp(intern_text(&crowd->users, a->user), intern_text(&crowd->users, b->user)) < 0;
}

static int insert_vote(const struct crowd *crowd, struct observed *observed, const struct vote *vote) {
    struct vote *votes = realloc(observed->votes, (observed->nvotes + 1) * sizeof *votes);
    if (!votes) return -2;
    observed->votes = votes;
    uint32_t at = 0;
    while (at < observed->nvotes && comes_before(crowd, &votes[at], vote))
        at++;
    memmove(&votes[at + 1], &votes[at], (observed->nvotes - at) * sizeof *votes);
    votes[at] = *vote;
    observed->nvotes++;
    return 0;
}

static int add_taxon_vote(struct crowd *crowd, struct observed *observed, struct vote *vote,
                          const char *taxon, const char *rejects) {
    vote->rejects = rejects ? accepted_label(crowd, rejects) : INTERN_NONE;
    if (taxon) {
        vote->given = intern_put(&crowd->labels, taxon);
        vote->label = accepted_label(crowd, taxon);
        if (vote->given == INTERN_NONE || vote->label == INTERN_NONE) return -2;
        vote->pair = pair_of(crowd, vote->user, vote->label);
        if (vote->pair == INTERN_NONE) return -2;
    }
    return insert_vote(crowd, observed, vote);
}

static bool has_validation_of(const struct observed *observed, uint32_t user) {
    for (uint32_t i = 0; i < observed->nvotes; i++)
        if (observed->votes[i].user == user && !observed->votes[i].proposed) return true;
    return false;
}

/* The observer's own proposal is the author's vote as long as the author has no validation. */
static int apply_proposal(struct crowd *crowd, struct observed *observed) {
    if (observed->author == INTERN_NONE) return 0;
    remove_votes_of(observed, observed->author, true);
    if (observed->proposal == INTERN_NONE || has_validation_of(observed, observed->author)) return 0;
    struct vote vote = {.user = observed->author,
                        .given = INTERN_NONE,
                        .label = INTERN_NONE,
                        .pair = INTERN_NONE,
                        .created_at = observed->proposed_at,
                        .kind = VOTE_TAXON,
                        .author = true,
                        .proposed = true};
    return add_taxon_vote(crowd, observed, &vote, intern_text(&crowd->labels, observed->proposal), NULL);
}

static void forget_observation(struct observed *observed) {
    for (uint32_t i = observed->nvotes; i-- > 0;) {
        if (observed->votes[i].proposed)
            remove_vote(observed, i);
        else
            observed->votes[i].author = false;
    }
    json_decref(observed->place);
    observed->place = NULL;
    observed->proposal = observed->author = INTERN_NONE;
    observed->exists = false;
    observed->digest[0] = '\0';
}

int crowd_apply_observation(struct crowd *crowd, uint32_t index, const json_t *document, const char *digest,
                            const char **why) {
    struct observed *observed = &crowd->observed[index];
    if (!document) {
        forget_observation(observed);
        return 0;
    }
    const char *observer = json_string_value(json_object_get(document, "observer"));
    if (!observer) {
        *why = "the observation has no observer";
        return -1;
    }
    uint32_t author = crowd_user(crowd, observer);
    if (author == INTERN_NONE) return -2;
    forget_observation(observed);
    observed->exists = true;
    observed->author = author;
    for (uint32_t i = 0; i < observed->nvotes; i++)
        observed->votes[i].author = observed->votes[i].user == author;
    observed->place = json_incref(json_object_get(document, "location"));
    observed->dated = json_is_string(json_object_get(document, "observed_at"));
    observed->wild = !json_is_false(json_object_get(document, "wild"));
    snprintf(observed->digest, sizeof observed->digest, "%s", digest);
    const char *proposal = json_string_value(json_object_get(document, "proposed_taxon"));
    observed->proposed_at = crowd_time(json_string_value(json_object_get(document, "created_at")));
    if (proposal && (observed->proposal = intern_put(&crowd->labels, proposal)) == INTERN_NONE) return -2;
    return apply_proposal(crowd, observed);
}

static int vote_kind(const json_t *document, enum vote_kind *kind, const char **why) {
    const char *vote = json_string_value(json_object_get(document, "vote"));
    if (vote && strcmp(vote, "taxon") == 0 && json_is_string(json_object_get(document, "taxon")))
        *kind = VOTE_TAXON;
    else if (vote && strcmp(vote, "not-a-plant") == 0)
        *kind = VOTE_NOT_A_PLANT;
    else if (vote && strcmp(vote, "cannot-tell") == 0)
        *kind = VOTE_CANNOT_TELL;
    else {
        *why = "the validation's vote is none of taxon (with a taxon), not-a-plant, cannot-tell";
        return -1;
    }
    return 0;
}

int crowd_apply_validation(struct crowd *crowd, uint32_t index, const char *uid, const json_t *document,
                           const char *digest, const char **why) {
    uint32_t user = crowd_user(crowd, uid);
    if (user == INTERN_NONE) return -2;
    struct observed *observed = &crowd->observed[index];
    if (!document) {
        remove_votes_of(observed, user, false);
        return apply_proposal(crowd, observed); /* it may have hidden the author's own proposal */
    }
    struct vote vote = {.user = user,
                        .given = INTERN_NONE,
                        .label = INTERN_NONE,
                        .pair = INTERN_NONE,
                        .author = user == observed->author,
                        .created_at = crowd_time(json_string_value(json_object_get(document, "created_at")))};
    if (vote_kind(document, &vote.kind, why) != 0) return -1;
    snprintf(vote.digest, sizeof vote.digest, "%s", digest);
    remove_votes_of(observed, user, false);
    return add_taxon_vote(crowd, observed, &vote,
                          vote.kind == VOTE_TAXON ? json_string_value(json_object_get(document, "taxon"))
                                                  : NULL,
                          json_string_value(json_object_get(document, "disagrees_with")));
}

int crowd_apply_identification(struct crowd *crowd, uint32_t index, const json_t *document,
                               const char *digest) {
    struct observed *observed = &crowd->observed[index];
    observed->machine_label = INTERN_NONE;
    observed->machine_score = 0;
    observed->machine_model[0] = observed->machine_digest[0] = '\0';
    if (!document) return 0;
    const json_t *first = json_array_get(json_object_get(document, "species"), 0);
    const char *taxon = json_string_value(json_object_get(first, "taxon"));
    const char *model = json_string_value(json_object_get(document, "model"));
    snprintf(observed->machine_digest, sizeof observed->machine_digest, "%s", digest);
    snprintf(observed->machine_model, sizeof observed->machine_model, "%s", model ? model : "");
    if (!taxon) return 0;
    observed->machine_label = accepted_label(crowd, taxon);
    observed->machine_score = json_number_value(json_object_get(first, "score"));
    return observed->machine_label == INTERN_NONE ? -2 : 0;
}

bool crowd_is_within(const struct crowd *crowd, uint32_t label, uint32_t ancestor) {
    if (label == ancestor) return true;
    uint32_t a = linnet_taxonomy_find(crowd->taxonomy, intern_text(&crowd->labels, label));
    uint32_t b = linnet_taxonomy_find(crowd->taxonomy, intern_text(&crowd->labels, ancestor));
    return a != LINNET_NO_TAXON && b != LINNET_NO_TAXON && linnet_taxonomy_is_within(crowd->taxonomy, a, b);
}

double crowd_weights(const struct crowd *crowd, const struct observed *observed) {
    double sum = 0;
    for (uint32_t i = 0; i < observed->nvotes; i++) {
        const struct voter *voter = &crowd->voters[observed->votes[i].user];
        sum += (i + 1) * (voter->blocked ? 0 : voter->weight);
    }
    return sum;
}
