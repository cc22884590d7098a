/* linnet flora: read checklists into linnet-reference, and look names up as people type them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/json.h"
#include "workers/cli/command.h"
#include "workers/cli/flora_find.h"
#include "workers/cli/flora_import.h"
#include "workers/cli/say.h"

enum {
    KEY_DISTRIBUTION = 0x2000,
    KEY_FLORAS,
    KEY_AREA,
    KEY_SHAPES,
    KEY_OUT,
    KEY_INDEX,
    KEY_KINGDOM,
    KEY_IDS,
    KEY_NATIVE,
    KEY_LANG,
    KEY_PREFIX
};

struct options {
    struct linnet_store_options store;
    struct linnet_flora_import import;
    struct linnet_flora_find find;
    char **words;
    int nwords;
};

static const struct argp_option options[] = {
    {0, 0, 0, 0, "Import:", 1},
    {"distribution", KEY_DISTRIBUTION, "FILE", 0,
     "WCVP's second file (wcvp_distribution.csv beside the first)", 1},
    {"floras", KEY_FLORAS, 0, 0, "Write a flora for each area too", 1},
    {"area", KEY_AREA, "CODE,...", 0, "Only what grows in these areas (TDWG level 3: BGM, GRB, ...)", 1},
    {"shapes", KEY_SHAPES, "FILE", 0, "GeoJSON of the areas, so that a place chooses its flora", 1},
    {"native", KEY_NATIVE, 0, 0, "Floras without what was introduced", 1},
    {"kingdom", KEY_KINGDOM, "NAME", 0, "Of an archive that tells kingdoms, this one (Plantae; any: all)", 1},
    {"ids", KEY_IDS, "PREFIX", 0, "Ids begin with taxon:PREFIX (wcvp-, gbif-, none)", 1},
    {"out", KEY_OUT, "FILE", 0, "Write the documents to a file, one a line, instead of the store", 1},
    {"index", KEY_INDEX, "FILE", 0, "Write (import) or use (find) an index of names", 1},
    {"dry-run", 'n', 0, 0, "Say what would be written, write nothing", 1},
    {0, 0, 0, 0, "Find:", 2},
    {"limit", 'l', "N", 0, "At most so many (10)", 2},
    {"lang", KEY_LANG, "TAG", 0, "Common names of this language only, and shown", 2},
    {"complete", KEY_PREFIX, 0, 0, "Names that begin so; no typing errors", 2},
    {0},
};

static error_t parse_find(int key, char *arg, struct argp_state *state, struct linnet_flora_find *find) {
    char *end;
    switch (key) {
    case 'l': {
        unsigned long limit = strtoul(arg, &end, 10);
        if (*end || end == arg || limit < 1 || limit > 1000)
            argp_error(state, "--limit takes a number from 1 to 1000, not \"%s\"", arg);
        find->limit = limit;
        return 0;
    }
    case KEY_LANG:
        find->language = arg;
        return 0;
    case KEY_PREFIX:
        find->prefix_only = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct options *mine = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &mine->store;
        return 0;
    case KEY_DISTRIBUTION:
        mine->import.distribution = arg;
        return 0;
    case KEY_FLORAS:
        mine->import.floras = true;
        return 0;
    case KEY_AREA:
        mine->import.areas = arg;
        return 0;
    case KEY_SHAPES:
        mine->import.shapes = arg;
        mine->import.floras = true;
        return 0;
    case KEY_NATIVE:
        mine->import.native_only = true;
        return 0;
    case KEY_KINGDOM:
        mine->import.kingdom = arg;
        return 0;
    case KEY_IDS:
        mine->import.prefix = arg;
        return 0;
    case KEY_OUT:
        mine->import.out = arg;
        return 0;
    case KEY_INDEX:
        mine->import.index = mine->find.index = arg;
        return 0;
    case 'n':
        mine->import.dry_run = true;
        return 0;
    case ARGP_KEY_ARGS:
        mine->words = state->argv + state->next;
        mine->nwords = state->argc - state->next;
        return 0;
    default:
        return parse_find(key, arg, state, &mine->find);
    }
}

static struct argp_child children[] = {{&linnet_store_argp, 0, "Store:", 3}, {0}};
static const struct argp argp = {
    options,
    parse,
    "import FILE|FOLDER\nfind NAME...\nindex FILE",
    "Read checklists into linnet-reference, and look names up as people type them.\v"
    "import takes wcvp_names.csv of the World Checklist of Vascular Plants (with wcvp_distribution.csv "
    "beside "
    "it), a Darwin Core Archive (zipped or a folder) as World Flora Online and GBIF publish them, or a plain "
    "list of names (a name a line, or a table with a column scientificName). Accepted names become taxa of "
    "three ranks; synonyms, and names below the species, stand with the taxon that they mean. Documents that "
    "stand there unchanged are left alone: importing twice changes nothing.\n\n"
    "index writes an index of all names in the store; find uses one (--index) or makes it as it goes.",
    children,
    0,
    0};

static int import(struct options *mine, struct linnet_error *err) {
    mine->import.store = &mine->store;
    mine->import.path = mine->words[1];
    return linnet_flora_import(&mine->import, err);
}

static int find(struct options *mine, struct linnet_error *err) {
    mine->find.store = &mine->store;
    mine->find.words = mine->words + 1;
    mine->find.nwords = (size_t)mine->nwords - 1;
    return linnet_flora_find(&mine->find, err);
}

static int make_index(struct options *mine, struct linnet_error *err) {
    return linnet_flora_index(&mine->store, mine->words[1], err);
}

static int run(int argc, char **argv) {
    struct options mine = {.import = {.kingdom = "Plantae"}, .find = {.limit = 10}};
    struct linnet_error err = {0};
    if (linnet_options_parse(&argp, argc, argv, &mine)) return LINNET_EXIT_USAGE;
    const char *verb = mine.nwords ? mine.words[0] : "";
    int (*act)(struct options *, struct linnet_error *) = !strcmp(verb, "import") && mine.nwords == 2 ? import
                                                          : !strcmp(verb, "find") && mine.nwords > 1  ? find
                                                          : !strcmp(verb, "index") && mine.nwords == 2
                                                              ? make_index
                                                              : NULL;
    if (!act) {
        fprintf(stderr, "linnet flora: import FILE, find NAME... or index FILE is wanted; see --help\n");
        return LINNET_EXIT_USAGE;
    }
    return act(&mine, &err) ? linnet_say_error("flora", &err) : LINNET_EXIT_OK;
}

const struct linnet_command linnet_command_flora = {"flora",
                                                    "import checklists; find names as people type them", run};
