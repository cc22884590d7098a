/* linnet consensus audit: rings of users who mostly validate each other. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "workers/cli/command.h"
#include "workers/cli/consensus.h"
#include "workers/cli/say.h"
#include "workers/consensus/audit.h"

struct options {
    struct linnet_consensus_options common;
    struct linnet_audit_rules limits;
};

enum { KEY_VOTES_MIN = 1, KEY_SHARE };

static const struct argp_option options[] = {
    {"votes-min", KEY_VOTES_MIN, "N", 0, "Votes of one user for another that tie them (5)", 0},
    {"share-min", KEY_SHARE, "X", 0, "Share of a ring's votes, cast and received, that are its own (0.5)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->common;
        mine->limits = (struct linnet_audit_rules){5, 0.25, 0.5};
        return 0;
    case KEY_VOTES_MIN:
        mine->limits.votes_min = (uint32_t)strtoul(arg, &end, 10);
        if (*end || mine->limits.votes_min == 0) argp_error(state, "'%s' is no number of votes", arg);
        return 0;
    case KEY_SHARE:
        mine->limits.share_min = strtod(arg, &end);
        if (end == arg || *end || !(mine->limits.share_min > 0 && mine->limits.share_min <= 1))
            argp_error(state, "'%s' is no share from 0 to 1", arg);
        return 0;
    case ARGP_KEY_END:
        if (!mine->common.votes) argp_error(state, "--votes is wanted");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct argp_child children[] = {{&linnet_consensus_argp, 0, "Crowd and rules:", 1}, {0}};
static const struct argp argp = {
    options,
    parse,
    "",
    "Find rings: users who mostly validate each other, as one person with several accounts would.\v"
    "Reported are groups whose members' votes on others' observations support one another for the most part, "
    "and whose observations have "
    "most of their other votes from members. It is evidence for a person to look at, no verdict: friends in "
    "one garden look the "
    "same. Exit status 0 whether there are rings or not.",
    children,
    0,
    0};

static double share(uint32_t part, uint32_t whole) {
    return whole ? (double)part / whole : 0;
}

static void print_ring(const struct linnet_crowd_file *file, const struct linnet_consensus_result *result,
                       const struct linnet_ring *ring, uint32_t number) {
    printf("ring %u: %u users\n", number + 1, ring->n);
    printf("  %u of the %u votes that they cast on others' observations (%.0f%%) were on one another's; %u "
           "of these say what the author said\n",
           ring->inside, ring->cast, 100 * share(ring->inside, ring->cast), ring->agreeing);
    printf("  %u of the %u votes of others on their observations (%.0f%%) were their own\n", ring->inside,
           ring->received, 100 * share(ring->inside, ring->received));
    printf("  %u observations have such votes; %u are valid by them alone\n", ring->observations,
           ring->valid_by_ring);
    for (uint32_t k = 0; k < ring->n; k++) {
        size_t size;
        const char *user = linnet_names_text(&file->users, ring->users[k], &size);
        printf("  %.*s: knows %u species, weight %.4f\n", (int)size, user, result->skills[ring->users[k]].n,
               result->weight[ring->users[k]]);
    }
}

static json_t *ring_json(const struct linnet_crowd_file *file, const struct linnet_ring *ring) {
    json_t *users = json_array();
    for (uint32_t k = 0; k < ring->n; k++) {
        size_t size;
        const char *user = linnet_names_text(&file->users, ring->users[k], &size);
        json_array_append_new(users, json_stringn(user, size));
    }
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "users", users, "votes_cast",
                     (json_int_t)ring->cast, "votes_received", (json_int_t)ring->received, "votes_inside",
                     (json_int_t)ring->inside, "votes_agreeing", (json_int_t)ring->agreeing, "observations",
                     (json_int_t)ring->observations, "valid_by_ring", (json_int_t)ring->valid_by_ring);
}

static void print(const struct options *mine, const struct linnet_crowd_file *file,
                  const struct linnet_consensus_result *result, const struct linnet_audit *audit) {
    json_t *rings = json_array();
    for (uint32_t r = 0; r < audit->n; r++) {
        if (mine->common.say.json)
            json_array_append_new(rings, ring_json(file, &audit->rings[r]));
        else
            print_ring(file, result, &audit->rings[r], r);
    }
    if (mine->common.say.json) {
        json_dumpf(rings, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (audit->n == 0) {
        puts("no rings were found");
    }
    json_decref(rings);
}

int linnet_consensus_run_audit(int argc, char **argv) {
    struct options mine = {0};
    struct linnet_crowd_file file;
    struct linnet_consensus_result result;
    struct linnet_audit audit;
    struct linnet_error err = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    int code = linnet_consensus_load(&mine.common, "audit", &file);
    if (code) return code;
    int rc = linnet_consensus_solve(&file.tree, &mine.common.rules, &file.crowd, NULL, NULL, &result, &err);
    if (!rc) {
        rc = linnet_audit_run(&file, &mine.common.rules, &result, &mine.limits, &audit);
        if (rc)
            linnet_error_set(&err, rc, "%s", linnet_error_message(rc));
        else {
            print(&mine, &file, &result, &audit);
            linnet_audit_done(&audit);
        }
        linnet_consensus_result_done(&result);
    }
    linnet_crowd_file_done(&file);
    return rc ? linnet_say_error("consensus audit", &err) : LINNET_EXIT_OK;
}
