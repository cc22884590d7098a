/* linnet-flora votes: what a crowd says of drawn observations. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/data/commands.h"
#include "tests/data/crowd.h"
#include "tests/data/options.h"
#include "tests/data/output.h"
#include "tests/data/table.h"

#define VOTERS_MAX 64

/* One observation, out of the lines of its images. */
struct subject {
    char id[FLORA_ULID_SIZE], observer[FLORA_UID_SIZE], observed_at[FLORA_TIME_SIZE];
    size_t truth, label;
};

struct poll {
    const struct flora *flora;
    struct person *crowd;
    double *activity;
    size_t people, right, votes, observations;
    double wanted; /* votes of an observation, on average */
    uint64_t seed;
    FILE *csv, *documents; /* documents may be NULL */
};

/* "2026-05-03T10:21:00Z" to milliseconds; days from a civil date by Howard Hinnant's algorithm. */
static int64_t parse_time(const char *text) {
    int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0;
    if (sscanf(text, "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second) < 3) return 0;
    int64_t y = month <= 2 ? year - 1 : year, era = y / 400, yoe = y - era * 400;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t days = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
    return ((days * 24 + hour) * 60 + minute) * 60000 + second * 1000;
}

/* A validation document, as an app would write it. */
static int write_document(const struct poll *p, const struct subject *subject, const char *uid,
                          const struct vote *vote, const char *at) {
    char id[128], taxon[FLORA_ID_SIZE];
    if (!p->documents) return 0;
    snprintf(id, sizeof id, "%s:validation:%s", subject->id, uid);
    json_t *doc =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:b}}", "_id", id, "kind", "validation", "user", uid,
                  "created_at", at, "vote", linnet_flora_vote_kind_name(vote->kind), "suggested", "shown", 0);
    if (vote->kind == VOTE_TAXON) {
        linnet_flora_taxon_id(TAXON_SPECIES, vote->species, taxon);
        json_object_set_new(doc, "taxon", json_string(taxon));
    }
    if (vote->disagrees_with != FLORA_NONE) {
        linnet_flora_taxon_id(TAXON_GENERA, vote->disagrees_with, taxon);
        json_object_set_new(doc, "disagrees_with", json_string(taxon));
    }
    return linnet_flora_put_line(p->documents, doc);
}

static int write_vote(struct poll *p, const struct subject *subject, const char *uid, const struct vote *vote,
                      bool author) {
    char at[FLORA_TIME_SIZE], taxon[FLORA_ID_SIZE] = "", against[FLORA_ID_SIZE] = "";
    bool right = vote->kind == VOTE_TAXON ? vote->species == subject->truth
                                          : vote->kind == VOTE_NOT_A_PLANT && subject->truth == FLORA_NONE;
    if (vote->kind == VOTE_TAXON) linnet_flora_taxon_id(TAXON_SPECIES, vote->species, taxon);
    if (vote->disagrees_with != FLORA_NONE)
        linnet_flora_taxon_id(TAXON_GENERA, vote->disagrees_with, against);
    linnet_flora_time_format(vote->ms, at);
    p->votes++;
    p->right += right;
    fprintf(p->csv, "%s,%s,%s,%s,%s,%s,%d,%d\n", subject->id, uid, linnet_flora_vote_kind_name(vote->kind),
            taxon, against, at, author, right);
    return author ? 0 : write_document(p, subject, uid, vote, at);
}

/* The observer's own vote first, then those who came by. */
static int poll_one(struct poll *p, const struct subject *subject) {
    struct rng rng = rng_make(p->seed, RNG_VOTE, p->observations++);
    int64_t observed = parse_time(subject->observed_at);
    size_t voters[VOTERS_MAX], n = 0;
    struct vote own = {subject->label == FLORA_NONE ? VOTE_NOT_A_PLANT : VOTE_TAXON, subject->label,
                       FLORA_NONE, observed + 600000};
    int bad = subject->label == FLORA_NONE ? 0 : write_vote(p, subject, subject->observer, &own, true);
    double stop = 1 / (1 + p->wanted);
    while (n < VOTERS_MAX && n < p->people && !rng_chance(&rng, stop)) {
        size_t who = rng_weighted(&rng, p->activity, p->people);
        bool again = !strcmp(p->crowd[who].uid, subject->observer);
        for (size_t i = 0; i < n; i++)
            again = again || voters[i] == who;
        if (again) continue;
        struct vote vote;
        linnet_flora_cast(p->flora, &p->crowd[who], subject->truth, subject->label, observed, &rng, &vote);
        voters[n++] = who;
        bad |= write_vote(p, subject, p->crowd[who].uid, &vote, false);
    }
    return bad;
}

static size_t species_of(const struct flora *flora, const char *taxon) {
    return *taxon ? linnet_flora_find(flora, taxon) : FLORA_NONE;
}

static int poll_all(struct poll *p, const char *path) {
    static const char *const wanted[] = {"observation", "taxon", "observer", "observed_at", "trueTaxon"};
    struct table table;
    int column[5], got, bad = 0;
    char last[FLORA_ULID_SIZE] = "";
    if (linnet_flora_table_open(&table, path))
        return linnet_flora_complain("votes", "%s: %s", path, strerror(errno));
    for (size_t i = 0; i < 5; i++) {
        column[i] = linnet_flora_table_column(&table, wanted[i]);
        if (column[i] >= 0) continue;
        linnet_flora_table_close(&table);
        return linnet_flora_complain("votes", "%s has no column \"%s\"", path, wanted[i]);
    }
    while ((got = linnet_flora_table_next(&table)) > 0 && !bad) {
        struct subject s;
        snprintf(s.id, sizeof s.id, "%s", table.fields[column[0]]);
        if (!strcmp(s.id, last)) continue; /* another view of the same plant */
        memcpy(last, s.id, sizeof last);
        snprintf(s.observer, sizeof s.observer, "%s", table.fields[column[2]]);
        snprintf(s.observed_at, sizeof s.observed_at, "%s", table.fields[column[3]]);
        s.label = species_of(p->flora, table.fields[column[1]]);
        s.truth = species_of(p->flora, table.fields[column[4]]);
        bad = poll_one(p, &s);
    }
    linnet_flora_table_close(&table);
    if (got < 0) return linnet_flora_complain("votes", "%s, line %zu is too long", path, table.number);
    return bad ? linnet_flora_complain("votes", "out of memory") : 0;
}

static int write_people(const struct poll *p, const char *path) {
    if (!path) return 0;
    FILE *file = fopen(path, "wb");
    if (!file) return linnet_flora_complain("votes", "%s: %s", path, strerror(errno));
    fprintf(file, "user,kind,skill\n");
    for (size_t i = 0; i < p->people; i++)
        fprintf(file, "%s,%s,%.3f\n", p->crowd[i].uid, linnet_flora_person_kind_name(p->crowd[i].kind),
                p->crowd[i].skill);
    return linnet_flora_close("votes", file, path);
}

static int open_outputs(struct poll *p, const char *csv, const char *documents) {
    p->csv = fopen(csv, "wb");
    if (!p->csv) return linnet_flora_complain("votes", "%s: %s", csv, strerror(errno));
    fprintf(p->csv, "observation,user,vote,taxon,disagrees_with,created_at,author,right\n");
    if (documents && !(p->documents = fopen(documents, "wb")))
        return linnet_flora_complain("votes", "%s: %s", documents, strerror(errno));
    return 0;
}

int linnet_flora_command_votes(int argc, char **argv) {
    struct poll p = {.people = 40, .wanted = 3, .seed = 1};
    uint64_t flora_seed = FLORA_SEED;
    size_t nspecies = FLORA_SPECIES;
    const char *observations = NULL, *out = NULL, *people = NULL, *documents = NULL;
    bool json = false;
    const struct option_spec table[] = {
        {"flora-seed", "N", "the flora", OPTION_SEED, 0, 0, &flora_seed},
        {"species", "N", "species in the flora", OPTION_NUMBER, 8, 100000, &nspecies},
        {"observations", "CSV", "the observations.csv to vote on", OPTION_TEXT, 0, 0, &observations},
        {"seed", "N", "which crowd", OPTION_SEED, 0, 0, &p.seed},
        {"users", "N", "people in the crowd", OPTION_NUMBER, 1, 100000, &p.people},
        {"votes", "F", "votes of an observation on average, the observer's own apart", OPTION_REAL, 0, 50,
         &p.wanted},
        {"out", "CSV", "votes to write", OPTION_TEXT, 0, 0, &out},
        {"people", "CSV", "also write who the people are", OPTION_TEXT, 0, 0, &people},
        {"documents", "JSONL", "also write validation documents, a line each", OPTION_TEXT, 0, 0, &documents},
        {"json", "", "print what was made as JSON", OPTION_FLAG, 0, 0, &json},
        {NULL, NULL, NULL, OPTION_FLAG, 0, 0, NULL}};
    int rc =
        linnet_flora_options("votes", "Simulate a crowd that validates observations.", table, argc, argv);
    if (rc) return rc < 0;
    if (!observations || !out) return linnet_flora_complain("votes", "--observations and --out are needed");
    struct flora *flora = linnet_flora_new(flora_seed, nspecies);
    p.flora = flora;
    p.crowd = calloc(p.people, sizeof *p.crowd);
    p.activity = calloc(p.people, sizeof *p.activity);
    if (!flora || !p.crowd || !p.activity) rc = linnet_flora_complain("votes", "out of memory");
    for (size_t i = 0; !rc && i < p.people; i++) {
        linnet_flora_person(p.seed, i, &p.crowd[i]);
        p.activity[i] = p.crowd[i].activity;
    }
    if (!rc) rc = open_outputs(&p, out, documents) || poll_all(&p, observations) || write_people(&p, people);
    if (p.csv && linnet_flora_close("votes", p.csv, out)) rc = 1;
    if (p.documents && linnet_flora_close("votes", p.documents, documents)) rc = 1;
    if (!rc)
        printf(json ? "{\"observations\":%zu,\"votes\":%zu,\"right\":%zu}\n"
                    : "%zu observations, %zu votes, %zu right\n",
               p.observations, p.votes, p.right);
    free(p.crowd);
    free(p.activity);
    linnet_flora_free(flora);
    return rc;
}
