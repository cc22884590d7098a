#include "plugins/consensus/crowd.h"

#include <stdlib.h>
#include <string.h>

int crowd_init(struct crowd *crowd, const struct linnet_taxonomy *taxonomy, double newcomer,
               struct linnet_error *err) {
    *crowd = (struct crowd){.newcomer = newcomer};
    intern_init(&crowd->ulids, ULID_TEXT);
    intern_init(&crowd->users, 0);
    intern_init(&crowd->models, 0);
    intern_init(&crowd->blocked, 0);
    return labels_init(&crowd->labels, taxonomy, err);
}

void crowd_done(struct crowd *crowd) {
    for (uint32_t i = 0; i < crowd->ulids.size; i++) {
        free(crowd->observed[i].votes);
        free(crowd->observed[i].sealed);
    }
    free(crowd->observed);
    free(crowd->species);
    free(crowd->changed);
    free(crowd->people);
    free(crowd->weight);
    free(crowd->changed_people);
    intern_done(&crowd->ulids);
    intern_done(&crowd->users);
    intern_done(&crowd->models);
    intern_done(&crowd->blocked);
    labels_done(&crowd->labels);
    *crowd = (struct crowd){0};
}

static int resize(void *array, size_t n, size_t size) {
    void *memory = realloc(*(void **)array, n * size);
    if (!memory) return -1;
    *(void **)array = memory;
    return 0;
}

static uint32_t next_capacity(uint32_t capacity) {
    return capacity ? capacity + capacity / 2 : 64;
}

static int grow_observed(struct crowd *crowd) {
    if (crowd->ulids.size < crowd->observed_capacity) return 0;
    uint32_t wanted = next_capacity(crowd->observed_capacity);
    if (resize(&crowd->observed, wanted, sizeof *crowd->observed) != 0 ||
        resize(&crowd->species, wanted, sizeof *crowd->species) != 0 ||
        resize(&crowd->changed, wanted, sizeof *crowd->changed) != 0)
        return -1;
    crowd->observed_capacity = wanted;
    return 0;
}

static int grow_people(struct crowd *crowd) {
    if (crowd->users.size < crowd->people_capacity) return 0;
    uint32_t wanted = next_capacity(crowd->people_capacity);
    if (resize(&crowd->people, wanted, sizeof *crowd->people) != 0 ||
        resize(&crowd->weight, wanted, sizeof *crowd->weight) != 0 ||
        resize(&crowd->changed_people, wanted, sizeof *crowd->changed_people) != 0)
        return -1;
    crowd->people_capacity = wanted;
    return 0;
}

uint32_t crowd_observation(struct crowd *crowd, const char *ulid) {
    uint32_t known = crowd->ulids.size;
    if (grow_observed(crowd) != 0) return INTERN_NONE;
    uint32_t index = intern_put(&crowd->ulids, ulid);
    if (index != known) return index;
    crowd->observed[index] = (struct observed){.uncertainty = UINT32_MAX,
                                               .author = INTERN_NONE,
                                               .proposal = LINNET_NO_LABEL,
                                               .machine_label = LINNET_NO_LABEL,
                                               .told.label = LINNET_NO_LABEL};
    crowd->species[index] = LINNET_NO_LABEL;
    return index;
}

uint32_t crowd_user(struct crowd *crowd, const char *uid) {
    uint32_t known = crowd->users.size;
    if (grow_people(crowd) != 0) return INTERN_NONE;
    uint32_t index = intern_put(&crowd->users, uid);
    if (index != known) return index;
    crowd->people[index] = (struct person){.blocked = intern_find(&crowd->blocked, uid) != INTERN_NONE};
    crowd->weight[index] = crowd->newcomer;
    return index;
}

void crowd_ulid(const struct crowd *crowd, uint32_t observation, char out[ULID_TEXT + 1]) {
    memcpy(out, intern_text(&crowd->ulids, observation), ULID_TEXT);
    out[ULID_TEXT] = '\0';
}

void crowd_touch(struct crowd *crowd, uint32_t observation) {
    struct observed *observed = &crowd->observed[observation];
    if (observed->flags & OBSERVED_CHANGED) return;
    observed->flags |= OBSERVED_CHANGED;
    crowd->changed[crowd->nchanged++] = observation;
}

void crowd_touch_person(struct crowd *crowd, uint32_t user) {
    struct person *person = &crowd->people[user];
    if (person->changed) return;
    person->changed = true;
    crowd->changed_people[crowd->nchanged_people++] = user;
}

static int by_text(const char *a, const char *b) {
    if (!a || !b) return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

static bool comes_before(const struct crowd *crowd, const struct vote *a, const struct vote *b) {
    if (a->created_at != b->created_at) return a->created_at < b->created_at;
    int order = by_text(labels_text(&crowd->labels, a->label), labels_text(&crowd->labels, b->label));
    if (order != 0) return order < 0;
    return strcmp(intern_text(&crowd->users, a->user), intern_text(&crowd->users, b->user)) < 0;
}

int crowd_add_vote(struct crowd *crowd, struct observed *observed, const struct vote *vote) {
    struct vote *votes = realloc(observed->votes, (observed->nvotes + 1) * sizeof *votes);
    if (!votes) return -2;
    observed->votes = votes;
    uint32_t at = 0;
    while (at < observed->nvotes && comes_before(crowd, &votes[at], vote))
        at++;
    memmove(&votes[at + 1], &votes[at], (observed->nvotes - at) * sizeof *votes);
    votes[at] = *vote;
    observed->nvotes++;
    crowd->votes++;
    return 0;
}

void crowd_remove_votes(struct crowd *crowd, struct observed *observed, uint32_t user, bool proposed_only) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < observed->nvotes; i++) {
        const struct vote *vote = &observed->votes[i];
        if (vote->user == user && (!proposed_only || vote->flags & VOTE_PROPOSED)) continue;
        observed->votes[kept++] = *vote;
    }
    crowd->votes -= observed->nvotes - kept;
    observed->nvotes = kept;
}
