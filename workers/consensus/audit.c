#include "workers/consensus/audit.h"

#include <stdlib.h>
#include <string.h>

/* A pair is a vote that supports its observation's author: the voter in the upper half, the author in the
 * lower. */
struct auditing {
    const struct linnet_crowd_file *file;
    const struct linnet_consensus_rules *rules;
    const struct linnet_consensus_result *result;
    const struct linnet_audit_rules *limits;
    uint32_t *cast;  /* by user: votes on others' observations */
    uint64_t *pairs; /* supporting votes */
    uint32_t npairs;
    uint32_t *leader; /* union-find over users */
    uint32_t *ring;   /* by user: its ring's number, UINT32_MAX none */
};

/* The vote of the observation's author; UINT32_MAX if there is none. */
static uint32_t author_vote(const struct linnet_crowd_file *file, uint32_t i) {
    for (uint32_t v = file->start[i]; v < file->start[i + 1]; v++)
        if (file->votes[v].author) return v;
    return UINT32_MAX;
}

static bool supports(const struct linnet_crowd_file *file, uint32_t v, uint32_t author) {
    return file->votes[v].label != LINNET_NO_LABEL &&
           linnet_consensus_accepted(&file->tree, file->votes[v].label) ==
               linnet_consensus_accepted(&file->tree, file->votes[author].label);
}

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void gather_pairs(struct auditing *auditing) {
    const struct linnet_crowd_file *file = auditing->file;
    for (uint32_t i = 0; i < file->crowd.observations; i++) {
        uint32_t author = author_vote(file, i);
        for (uint32_t v = file->start[i]; v < file->start[i + 1]; v++) {
            if (file->votes[v].author) continue;
            auditing->cast[file->votes[v].user]++;
            if (author != UINT32_MAX && supports(file, v, author))
                auditing->pairs[auditing->npairs++] =
                    (uint64_t)file->votes[v].user << 32 | file->votes[author].user;
        }
    }
    qsort(auditing->pairs, auditing->npairs, sizeof *auditing->pairs, by_number);
}

static uint32_t leader_of(struct auditing *auditing, uint32_t user) {
    while (auditing->leader[user] != user)
        user = auditing->leader[user] = auditing->leader[auditing->leader[user]];
    return user;
}

static void tie_users(struct auditing *auditing) {
    for (uint32_t u = 0; u < auditing->file->crowd.users; u++)
        auditing->leader[u] = u;
    for (uint32_t p = 0, next; p < auditing->npairs; p = next) {
        uint32_t voter = (uint32_t)(auditing->pairs[p] >> 32), author = (uint32_t)auditing->pairs[p];
        for (next = p + 1; next < auditing->npairs && auditing->pairs[next] == auditing->pairs[p];)
            next++;
        if (next - p < auditing->limits->votes_min ||
            next - p < auditing->limits->tie_share * auditing->cast[voter])
            continue;
        auditing->leader[leader_of(auditing, voter)] = leader_of(auditing, author);
    }
}

/* Number the groups of two or more; every other user has none. */
static int number_rings(struct auditing *auditing, struct linnet_audit *audit) {
    uint32_t users = auditing->file->crowd.users, *size = calloc((size_t)users + 1, sizeof *size);
    if (!size) return LINNET_E_NOMEM;
    for (uint32_t u = 0; u < users; u++)
        size[leader_of(auditing, u)]++;
    for (uint32_t u = 0; u < users; u++)
        audit->n += size[u] > 1;
    audit->rings = calloc((size_t)audit->n + 1, sizeof *audit->rings);
    uint32_t n = 0;
    int rc = audit->rings ? 0 : LINNET_E_NOMEM;
    for (uint32_t u = 0; u < users; u++)
        auditing->ring[u] = UINT32_MAX;
    for (uint32_t u = 0; !rc && u < users; u++) {
        if (size[u] < 2) continue;
        audit->rings[n].users = malloc(size[u] * sizeof(uint32_t));
        if (!audit->rings[n].users) rc = LINNET_E_NOMEM;
        auditing->ring[u] = n++;
    }
    for (uint32_t u = 0; !rc && audit->rings && u < users; u++) {
        auditing->ring[u] = auditing->ring[leader_of(auditing, u)];
        if (auditing->ring[u] == UINT32_MAX) continue;
        struct linnet_ring *ring = &audit->rings[auditing->ring[u]];
        if (!ring->users) continue;
        ring->users[ring->n++] = u;
        ring->cast += auditing->cast[u];
    }
    free(size);
    return rc;
}

/* Is a valid observation no longer so with the ring's votes left out, its author a newcomer? The author's
 * weight may be of the ring's making too. */
static bool rests_on_ring(const struct auditing *auditing, uint32_t i, uint32_t ring) {
    const struct linnet_crowd_file *file = auditing->file;
    uint32_t from = file->start[i], n = 0, all = file->start[i + 1] - from;
    if (!auditing->result->verdicts[i].valid) return false;
    struct linnet_vote *votes = malloc(all * sizeof *votes);
    double *weight = malloc(all * sizeof *weight);
    for (uint32_t v = from; votes && weight && v < from + all; v++) {
        bool member = auditing->ring[file->votes[v].user] == ring;
        if (member && !file->votes[v].author) continue;
        weight[n] = member ? linnet_consensus_weight(auditing->rules, 0)
                           : auditing->result->weight[file->votes[v].user];
        votes[n] = file->votes[v];
        votes[n].user = n;
        n++;
    }
    struct linnet_ballot ballot = {votes, n, weight, file->machine ? &file->machine[i] : NULL};
    uint32_t present = auditing->result->species ? auditing->result->species[i] : LINNET_NO_LABEL;
    struct linnet_verdict without = auditing->result->verdicts[i];
    if (votes && weight) without = linnet_verdict_of(&file->tree, auditing->rules, &ballot, present);
    free(votes);
    free(weight);
    return !without.valid || without.label != auditing->result->verdicts[i].label;
}

static void weigh_observation(const struct auditing *auditing, struct linnet_audit *audit, uint32_t i) {
    const struct linnet_crowd_file *file = auditing->file;
    uint32_t author = author_vote(file, i), inside = 0;
    if (author == UINT32_MAX) return;
    uint32_t number = auditing->ring[file->votes[author].user];
    if (number == UINT32_MAX) return;
    struct linnet_ring *ring = &audit->rings[number];
    for (uint32_t v = file->start[i]; v < file->start[i + 1]; v++) {
        if (v == author) continue;
        ring->received++;
        if (auditing->ring[file->votes[v].user] != number) continue;
        inside++;
        ring->agreeing += supports(file, v, author);
    }
    ring->inside += inside;
    ring->observations += inside > 0;
    if (inside > 0) ring->valid_by_ring += rests_on_ring(auditing, i, number);
}

static int by_inside(const void *a, const void *b) {
    const struct linnet_ring *x = a, *y = b;
    if (x->inside != y->inside) return x->inside > y->inside ? -1 : 1;
    return (x->users[0] > y->users[0]) - (x->users[0] < y->users[0]);
}

/* Keep what is a ring, most votes first. */
static void sift(const struct linnet_audit_rules *limits, struct linnet_audit *audit) {
    uint32_t kept = 0;
    for (uint32_t r = 0; r < audit->n; r++) {
        struct linnet_ring ring = audit->rings[r];
        if (ring.agreeing >= limits->share_min * ring.cast &&
            ring.inside >= limits->share_min * ring.received)
            audit->rings[kept++] = ring;
        else
            free(ring.users);
    }
    audit->n = kept;
    qsort(audit->rings, kept, sizeof *audit->rings, by_inside);
}

void linnet_audit_done(struct linnet_audit *audit) {
    for (uint32_t r = 0; audit->rings && r < audit->n; r++)
        free(audit->rings[r].users);
    free(audit->rings);
    *audit = (struct linnet_audit){0};
}

int linnet_audit_run(const struct linnet_crowd_file *file, const struct linnet_consensus_rules *rules,
                     const struct linnet_consensus_result *result,
                     const struct linnet_audit_rules *audit_rules, struct linnet_audit *audit) {
    size_t users = (size_t)file->crowd.users + 1, votes = (size_t)file->start[file->crowd.observations] + 1;
    struct auditing auditing = {.file = file,
                                .rules = rules,
                                .result = result,
                                .limits = audit_rules,
                                .cast = calloc(users, sizeof(uint32_t)),
                                .pairs = malloc(votes * sizeof(uint64_t)),
                                .leader = malloc(users * sizeof(uint32_t)),
                                .ring = malloc(users * sizeof(uint32_t))};
    *audit = (struct linnet_audit){0};
    int rc = auditing.cast && auditing.pairs && auditing.leader && auditing.ring ? 0 : LINNET_E_NOMEM;
    if (!rc) {
        gather_pairs(&auditing);
        tie_users(&auditing);
        rc = number_rings(&auditing, audit);
    }
    for (uint32_t i = 0; !rc && i < file->crowd.observations; i++)
        weigh_observation(&auditing, audit, i);
    if (!rc)
        sift(audit_rules, audit);
    else
        linnet_audit_done(audit);
    free(auditing.cast);
    free(auditing.pairs);
    free(auditing.leader);
    free(auditing.ring);
    return rc;
}
