#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workers/cli/command.h"
#include "workers/cli/consensus.h"
#include "workers/cli/say.h"

enum {
    KEY_VOTES = 0x2000,
    KEY_TAXA,
    KEY_MACHINE_VOTES,
    KEY_MACHINE,
    KEY_ACCURACY,
    KEY_CONFIDENCE,
    KEY_CREDIT,
    KEY_CLASSES,
    KEY_ROUNDS,
    KEY_THREADS,
    KEY_JSON
};

static const struct argp_option options[] = {
    {"votes", KEY_VOTES, "FILE", 0, "observation,user,taxon,author,created_at,disagreement (wanted)", 0},
    {"taxa", KEY_TAXA, "FILE", 0, "taxon,parent,rank,accepted; without, every taxon is a species", 0},
    {"machine-votes", KEY_MACHINE_VOTES, "FILE", 0, "observation,taxon,score", 0},
    {"machine", KEY_MACHINE, "MODE", 0, "What they do: off, invalidate (the default), confident, fixed", 0},
    {"accuracy-min", KEY_ACCURACY, "X", 0, "Share of the weight that makes valid (0.7)", 0},
    {"confidence-min", KEY_CONFIDENCE, "X", 0, "Weight that makes valid (2)", 0},
    {"vote-credit", KEY_CREDIT, "WHICH", 0, "Votes earn on any observation, or on valid ones only (any)", 0},
    {"classes", KEY_CLASSES, "WHICH", 0,
     "What counts as one label in the weighted iteration: label (of plantnet) or species (of linnet)", 0},
    {"rounds-max", KEY_ROUNDS, "N", 0, "Give up settling after so many rounds (100)", 0},
    {"threads", KEY_THREADS, "N", 0, "One for each processor unless said", 0},
    {"json", KEY_JSON, 0, 0, "Print JSON for scripts", 0},
    {"quiet", 'q', 0, 0, "No progress", 0},
    {0},
};

static double number(struct argp_state *state, const char *arg, double least, double most) {
    char *end;
    double value = strtod(arg, &end);
    if (end == arg || *end || !(value >= least && value <= most))
        argp_error(state, "'%s' is no number from %g to %g", arg, least, most);
    return value;
}

/* Which of two words. */
static bool is_second(struct argp_state *state, const char *arg, const char *first, const char *second) {
    if (strcmp(arg, first) != 0 && strcmp(arg, second) != 0)
        argp_error(state, "'%s' is neither %s nor %s", arg, first, second);
    return strcmp(arg, second) == 0;
}

static void parse_mode(struct argp_state *state, const char *arg, struct linnet_consensus_rules *rules) {
    int mode = linnet_machine_mode_parse(arg);
    if (mode < 0) argp_error(state, "'%s' is none of off, invalidate, confident, fixed", arg);
    rules->machine = (enum linnet_machine_mode)mode;
}

static error_t parse_rule(int key, char *arg, struct argp_state *state,
                          struct linnet_consensus_rules *rules) {
    switch (key) {
    case KEY_MACHINE:
        parse_mode(state, arg, rules);
        return 0;
    case KEY_ACCURACY:
        rules->accuracy_min = number(state, arg, 0, 1);
        return 0;
    case KEY_CONFIDENCE:
        rules->confidence_min = rules->identifications_min = number(state, arg, 0, 1e6);
        return 0;
    case KEY_CREDIT:
        rules->credit_valid_only = is_second(state, arg, "any", "valid");
        return 0;
    case KEY_CLASSES:
        rules->classes =
            is_second(state, arg, "label", "species") ? LINNET_CLASSES_SPECIES : LINNET_CLASSES_LABELS;
        return 0;
    case KEY_ROUNDS:
        rules->rounds_max = (unsigned)number(state, arg, 1, 1e6);
        return 0;
    case KEY_THREADS:
        rules->threads = (unsigned)number(state, arg, 1, 64);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct linnet_consensus_options *mine = state->input;
    if (!mine) return ARGP_ERR_UNKNOWN;
    switch (key) {
    case ARGP_KEY_INIT:
        linnet_consensus_rules_init(&mine->rules);
        return 0;
    case KEY_VOTES:
        mine->votes = arg;
        return 0;
    case KEY_TAXA:
        mine->taxa = arg;
        return 0;
    case KEY_MACHINE_VOTES:
        mine->machine = arg;
        return 0;
    case KEY_JSON:
        mine->say.json = true;
        return 0;
    case 'q':
        mine->say.quiet = true;
        return 0;
    default:
        return parse_rule(key, arg, state, &mine->rules);
    }
}

const struct argp linnet_consensus_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

static void progress(void *arg, size_t done, size_t all) {
    const struct linnet_consensus_options *mine = arg;
    linnet_say_progress(&mine->say, "reading votes: %.0f%%", 100.0 * (double)done / (double)all);
}

int linnet_consensus_load(const struct linnet_consensus_options *mine, const char *verb,
                          struct linnet_crowd_file *file) {
    struct linnet_error err = {0};
    char name[64];
    snprintf(name, sizeof name, "consensus %s", verb);
    int rc = linnet_crowd_file_load(file, mine->votes, mine->taxa, mine->machine, mine->rules.threads,
                                    progress, (void *)mine, &err);
    linnet_say_done(&mine->say);
    if (rc) return linnet_say_error(name, &err);
    if (mine->say.quiet) return 0;
    if (file->replaced)
        fprintf(stderr, "%u votes were replaced by a later one of the same user on the same observation\n",
                file->replaced);
    if (mine->taxa && file->unknown_taxa)
        fprintf(stderr, "%u taxa that were voted are not in %s: each is taken as a species of its own\n",
                file->unknown_taxa, mine->taxa);
    if (file->orphans)
        fprintf(stderr, "%u parents or accepted names have no row of their own in %s\n", file->orphans,
                mine->taxa);
    return 0;
}
