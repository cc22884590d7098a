#include "tests/data/names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const onsets[] = {"Al",  "Ar",   "Bel",  "Bor",  "Cal", "Cer", "Dor",  "El",  "Fal",
                                     "Gar", "Hel",  "Il",   "Jun",  "Lor", "Mal", "Mir",  "Nel", "Or",
                                     "Pal", "Quin", "Ros",  "Sal",  "Tam", "Ul",  "Ver",  "Vin", "Xan",
                                     "Zel", "Chry", "Phil", "Scro", "Tra", "Bry", "Clem", "Dra"};
static const char *const middles[] = {"an",  "and", "ari", "ast", "ech", "el",  "eni", "er",
                                      "ib",  "ich", "id",  "il",  "im",  "ind", "ol",  "om",
                                      "ops", "or",  "osp", "ul",  "um",  "yn"};
/* ending, its gender, and what of it stays in the family's name */
static const struct {
    const char *ending, *stem;
    enum gender gender;
} endings[] = {
    {"a", "", GENDER_FEMININE},       {"ia", "i", GENDER_FEMININE},         {"ea", "e", GENDER_FEMININE},
    {"aria", "ari", GENDER_FEMININE}, {"ella", "ell", GENDER_FEMININE},     {"is", "id", GENDER_FEMININE},
    {"us", "", GENDER_MASCULINE},     {"anthus", "anth", GENDER_MASCULINE}, {"um", "", GENDER_NEUTER},
    {"ium", "i", GENDER_NEUTER},      {"on", "on", GENDER_NEUTER}};

static const char *const en_first[] = {"bell",  "star", "thorn", "wood", "silver", "dew",    "moon",
                                       "spear", "lace", "fen",   "mist", "gold",   "bitter", "sweet",
                                       "stone", "lamb", "crane", "fox",  "sun",    "rush"};
static const char *const en_last[] = {"wort", "weed",  "bane",   "cress", "vine",
                                      "tree", "grass", "flower", "berry", "mint"};
static const char *const fr_first[] = {"lun",  "am",   "ros", "clar",    "vir",  "sab", "or",
                                       "herb", "spir", "cam", "flor",    "gen",  "mar", "aub",
                                       "ciél", "dor",  "fén", "pimpren", "tour", "corn"};
static const char *const fr_last[] = {"elle", "ette", "ine", "ière", "ole", "ille", "aire", "ide"};

/* stem that takes -a/-us/-um (0), -is/-is/-e (1) or nothing (2) */
static const struct {
    const char *stem;
    int declension;
    const char *en, *fr;
} adjectives[] = {{"montan", 0, "mountain", "des montagnes"},
                  {"alpin", 0, "alpine", "des Alpes"},
                  {"sylvestr", 1, "wood", "des bois"},
                  {"palustr", 1, "marsh", "des marais"},
                  {"arvens", 1, "field", "des champs"},
                  {"pratens", 1, "meadow", "des prés"},
                  {"maritim", 0, "sea", "maritime"},
                  {"aquatic", 0, "water", "aquatique"},
                  {"vulgar", 1, "common", "commune"},
                  {"officinal", 1, "true", "officinale"},
                  {"hirsut", 0, "hairy", "hirsute"},
                  {"glabr", 0, "smooth", "glabre"},
                  {"alb", 0, "white", "à fleurs blanches"},
                  {"lute", 0, "yellow", "jaune"},
                  {"caerule", 0, "blue", "à fleurs bleues"},
                  {"rubr", 0, "red", "rouge"},
                  {"purpure", 0, "purple", "pourpre"},
                  {"viridi", 1, "green", "verdoyante"},
                  {"nan", 0, "dwarf", "naine"},
                  {"elegans", 2, "elegant", "élégante"},
                  {"repens", 2, "creeping", "rampante"},
                  {"scandens", 2, "climbing", "grimpante"},
                  {"perenn", 1, "perennial", "vivace"},
                  {"annu", 0, "annual", "annuelle"},
                  {"autumnal", 1, "autumn", "d’automne"},
                  {"vernal", 1, "spring", "de printemps"},
                  {"odorat", 0, "sweet", "odorante"},
                  {"foetid", 0, "stinking", "fétide"},
                  {"mult", 0, "many-flowered", "multiflore"},
                  {"divers", 0, "variable", "changeante"},
                  {"dubi", 0, "doubtful", "douteuse"},
                  {"neglect", 0, "overlooked", "négligée"},
                  {"saxatil", 1, "rock", "des rochers"},
                  {"rupestr", 1, "cliff", "des falaises"},
                  {"littoral", 1, "shore", "du littoral"},
                  {"campestr", 1, "hedge", "champêtre"},
                  {"nemoros", 0, "grove", "des bosquets"},
                  {"ripari", 0, "riverside", "des rives"},
                  {"arenari", 0, "sand", "des sables"},
                  {"septentrional", 1, "northern", "du Nord"},
                  {"australi", 1, "southern", "du Midi"},
                  {"occidental", 1, "western", "d’Occident"}};

static const struct {
    const char *latin, *en, *fr;
} prefixes[] = {{"longi", "long", "longues"},      {"brevi", "short", "courtes"},
                {"angusti", "narrow", "étroites"}, {"lati", "broad", "larges"},
                {"parvi", "small", "petites"},     {"grandi", "large", "grandes"},
                {"tenui", "slender", "fines"},     {"crassi", "thick", "épaisses"},
                {"albi", "white", "blanches"},     {"rubri", "red", "rouges"}};
static const struct {
    const char *latin;
    int declension;
    const char *en, *fr;
} parts[] = {{"foli", 0, "leaved", "feuilles"},
             {"flor", 0, "flowered", "fleurs"},
             {"caul", 1, "stemmed", "tiges"},
             {"spin", 0, "spined", "épines"},
             {"ped", 2, "stalked", "queues"}};

static const char *const place_first[] = {"Val", "Mont", "Bre", "Cor", "Sar",
                                          "Ten", "Lus",  "Mar", "Nor", "Ost"};
static const char *const place_last[] = {"dor", "mer", "tan", "lin", "vel",
                                         "gar", "ros", "cas", "pol", "bria"};
static const char *const authors[] = {"Vess.",  "Ard.",   "Lume",  "Torvald", "Bricq.",
                                      "Hellw.", "Ombr.",  "Sallé", "Quint.",  "Duv.",
                                      "Ferr.",  "Nordh.", "Pell.", "Rask",    "Wint."};

static const char *pick(struct rng *rng, const char *const *list, size_t n) {
    return list[rng_below(rng, (unsigned)n)];
}
#define PICK(rng, list) pick(rng, list, COUNT(list))

void linnet_flora_name_capital(char *name) {
    *name = (char)toupper((unsigned char)*name);
}

void linnet_flora_name_genus(struct rng *rng, struct genus_name *out) {
    const char *onset = PICK(rng, onsets);
    const char *middle = PICK(rng, middles);
    const char *second = rng_chance(rng, 0.35) ? PICK(rng, middles) : "";
    size_t e = rng_below(rng, COUNT(endings));
    snprintf(out->name, sizeof out->name, "%s%s%s%s", onset, middle, second, endings[e].ending);
    snprintf(out->stem, sizeof out->stem, "%s%s%s%s", onset, middle, second, endings[e].stem);
    out->gender = endings[e].gender;
    const char *first = PICK(rng, en_first);
    snprintf(out->en, sizeof out->en, "%s%s", first, PICK(rng, en_last));
    first = PICK(rng, fr_first);
    snprintf(out->fr, sizeof out->fr, "%s%s", first, PICK(rng, fr_last));
}

static const char *ending_of(int declension, enum gender gender) {
    static const char *const first[] = {"a", "us", "um"};
    if (declension == 0) return first[gender];
    if (declension == 1) return gender == GENDER_NEUTER ? "e" : "is";
    return "";
}

void linnet_flora_name_epithet(struct rng *rng, enum gender gender, struct epithet *out) {
    static const double kinds[] = {6, 4, 2};
    switch (rng_weighted(rng, kinds, 3)) {
    case 0: {
        size_t i = rng_below(rng, COUNT(adjectives));
        const char *stem = adjectives[i].stem;
        size_t n = strlen(stem);
        if (adjectives[i].declension == 1 && n && stem[n - 1] == 'i') n--; /* australi- + -is */
        snprintf(out->latin, sizeof out->latin, "%.*s%s", (int)n, stem,
                 ending_of(adjectives[i].declension, gender));
        snprintf(out->en, sizeof out->en, "%s", adjectives[i].en);
        snprintf(out->fr, sizeof out->fr, "%s", adjectives[i].fr);
        return;
    }
    case 1: {
        size_t p = rng_below(rng, COUNT(prefixes)), q = rng_below(rng, COUNT(parts));
        const char *ending = parts[q].declension == 2 ? "es" : ending_of(parts[q].declension, gender);
        snprintf(out->latin, sizeof out->latin, "%s%s%s", prefixes[p].latin, parts[q].latin, ending);
        snprintf(out->en, sizeof out->en, "%s-%s", prefixes[p].en, parts[q].en);
        snprintf(out->fr, sizeof out->fr, "à %s %s", parts[q].fr, prefixes[p].fr);
        return;
    }
    default: {
        char place[FLORA_NAME_SIZE];
        const char *first = PICK(rng, place_first);
        snprintf(place, sizeof place / 2, "%s%s", first, PICK(rng, place_last));
        snprintf(out->en, sizeof out->en, "%.31s", place);
        snprintf(out->fr, sizeof out->fr, "de %.31s", place);
        place[0] = (char)tolower((unsigned char)place[0]);
        snprintf(out->latin, sizeof out->latin, "%.31s%s", place, gender == GENDER_NEUTER ? "ense" : "ensis");
    }
    }
}

void linnet_flora_name_author(struct rng *rng, char out[FLORA_NAME_SIZE]) {
    const char *first = PICK(rng, authors), *second = PICK(rng, authors);
    if (rng_chance(rng, 0.3))
        snprintf(out, FLORA_NAME_SIZE, "(%s) %s", first, second);
    else
        snprintf(out, FLORA_NAME_SIZE, "%s", first);
}
