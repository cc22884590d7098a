/* linnet-flora checklist: names by the million as catalogues publish them, with all that is wrong in them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/data/commands.h"
#include "tests/data/names.h"
#include "tests/data/options.h"
#include "tests/data/output.h"

enum { AREAS = 369, SPECIES_A_GENUS = 25, GENERA_A_FAMILY = 35 };

struct checklist {
    uint64_t seed;
    size_t names; /* rows of names, about */
    FILE *main, *distribution, *vernacular;
    bool archive; /* Darwin Core, not WCVP */
    uint64_t id, locality;
    size_t rows;
};

/* What is written of one name. */
struct row {
    uint64_t id, accepted, parent; /* 0: none */
    const char *rank, *status, *family, *genus, *authors;
    char name[256], epithet[FLORA_NAME_SIZE];
    bool hybrid;
};

static const char *numbered(uint64_t id, char out[32]) {
    out[0] = '\0';
    if (id) snprintf(out, 32, "%llu", (unsigned long long)id);
    return out;
}

static void put_wcvp(struct checklist *c, const struct row *row) {
    char id[32], accepted[32], parent[32];
    fprintf(c->main,
            "%s|%llu-1|%s|%s|%s||%s|%s|%s||||%s||Sp. "
            "Pl.|%llu|(1753)|||annual|temperate|%s|%s|%s||||%s|%llu-1||Y\n",
            numbered(row->id, id), (unsigned long long)row->id, row->rank, row->status, row->family,
            row->genus, row->hybrid ? "×" : "", row->epithet, row->authors,
            (unsigned long long)row->id % 900 + 1, row->name, row->authors, numbered(row->accepted, accepted),
            numbered(row->parent, parent), (unsigned long long)row->id);
}

/* As GBIF writes it: authors behind the name, the name again without them. */
static void put_core(struct checklist *c, const struct row *row) {
    char id[32], accepted[32], parent[32];
    bool own = row->accepted == row->id;
    fprintf(c->main, "%s\t%s\t%s\t%s%s%s\t%s\t%s\t%s\t%s\t%s\tPlantae\n", numbered(row->id, id),
            numbered(row->parent, parent), own ? "" : numbered(row->accepted, accepted), row->name,
            *row->authors ? " " : "", row->authors, row->name, row->authors, row->rank, row->status,
            row->family);
}

static void put(struct checklist *c, const struct row *row) {
    c->rows++;
    (c->archive ? put_core : put_wcvp)(c, row);
}

/* Areas are neighbours in a row: a species grows in a few that lie together, and is introduced far away. */
static void put_areas(struct checklist *c, struct rng *rng, uint64_t id) {
    unsigned first = rng_below(rng, AREAS), n = 1 + rng_below(rng, 9);
    for (unsigned i = 0; i < n; i++) {
        unsigned area = (first + i * (1 + i / 6 * 40)) % AREAS;
        bool introduced = i >= 6, extinct = rng_chance(rng, 0.01), doubtful = rng_chance(rng, 0.02);
        char code[4] = {(char)('A' + area / 26 / 26 % 26), (char)('A' + area / 26 % 26),
                        (char)('A' + area % 26), 0};
        if (c->archive)
            fprintf(c->distribution, "%llu\tTDWG:%s\tArea %s\t%s\t%s\n", (unsigned long long)id, code, code,
                    introduced ? "introduced" : "native",
                    extinct    ? "extinct"
                    : doubtful ? "doubtful"
                               : "present");
        else
            fprintf(c->distribution, "%llu|%llu|%u|CONTINENT|%u|Region %u|%s|Area %s|%d|%d|%d\n",
                    (unsigned long long)++c->locality, (unsigned long long)id, area / 50 + 1, area / 8 + 10,
                    area / 8, code, code, introduced, extinct, doubtful);
    }
}

static void put_common(struct checklist *c, struct rng *rng, uint64_t id, const struct genus_name *genus,
                       const struct epithet *epithet) {
    if (!c->archive || !rng_chance(rng, 0.4)) return;
    char en[160];
    snprintf(en, sizeof en, "%s %s", epithet->en, genus->en);
    linnet_flora_name_capital(en);
    fprintf(c->vernacular, "%llu\t%s\ten\n%llu\t%s %s\tfra\n", (unsigned long long)id, en,
            (unsigned long long)id, genus->fr, epithet->fr);
}

/* A genus by its number, whoever asks. Its name is made of two, as the parts of one are too few. */
static void genus_of(const struct checklist *c, uint64_t number, struct genus_name *genus,
                     char name[2 * FLORA_NAME_SIZE]) {
    struct rng rng = rng_make(c->seed, RNG_CATALOGUE, number);
    struct genus_name second;
    linnet_flora_name_genus(&rng, genus);
    linnet_flora_name_genus(&rng, &second);
    second.name[0] = (char)(second.name[0] | 0x20);
    snprintf(name, 2 * FLORA_NAME_SIZE, "%.4s%s", genus->name, second.name);
    genus->gender = second.gender;
}

/* Half the epithets are of the few that are everywhere, half are invented: as real ones, they are of a
 * quarter million words. */
static void epithet_of(struct rng *rng, enum gender gender, struct epithet *out) {
    static const char *const syllables[] = {"ba",  "ce",  "di",  "fo",   "gu",  "hal", "ka",  "len",
                                            "mi",  "nor", "pu",  "qua",  "ri",  "sto", "tur", "ve",
                                            "xan", "ze",  "bri", "chlo", "dra", "phi", "gla", "tho",
                                            "ser", "mar", "con", "pel",  "an",  "ol"};
    static const char *const ends[][3] = {
        {"a", "us", "um"}, {"ensis", "ensis", "ense"}, {"iana", "ianus", "ianum"}};
    linnet_flora_name_epithet(rng, gender, out);
    if (rng_chance(rng, 0.5)) return;
    size_t size = 0;
    unsigned n = 2 + rng_below(rng, 3), count = sizeof syllables / sizeof *syllables;
    for (unsigned i = 0; i < n; i++) {
        unsigned one = rng_below(rng, count), other = rng_below(rng, count); /* the first are commoner */
        const char *syllable = syllables[one < other ? one : other];
        size += (size_t)snprintf(out->latin + size, sizeof out->latin - size, "%s", syllable);
    }
    snprintf(out->latin + size, sizeof out->latin - size, "%s", ends[rng_below(rng, 3)][gender]);
}

/* A species with what hangs on it: on average 2.3 synonyms, now and then a subspecies, a name that nobody
 * places, a synonym of nothing, a row that came twice. */
static void put_species(struct checklist *c, struct rng *rng, const struct row *genus,
                        const struct genus_name *name) {
    struct epithet epithet;
    char author[FLORA_NAME_SIZE], other[FLORA_NAME_SIZE];
    epithet_of(rng, name->gender, &epithet);
    linnet_flora_name_author(rng, author);
    struct row row = {.id = ++c->id,
                      .parent = genus->id,
                      .rank = c->archive ? "SPECIES" : "Species",
                      .status = c->archive ? "accepted" : "Accepted",
                      .family = genus->family,
                      .genus = genus->genus,
                      .authors = author,
                      .hybrid = rng_chance(rng, 0.02)};
    row.accepted = row.id;
    snprintf(row.epithet, sizeof row.epithet, "%s", epithet.latin);
    snprintf(row.name, sizeof row.name, "%s %s%s", genus->genus, row.hybrid ? "× " : "", epithet.latin);
    put(c, &row);
    put_areas(c, rng, row.id);
    put_common(c, rng, row.id, name, &epithet);
    struct row synonym = row;
    synonym.authors = other;
    unsigned n = rng_below(rng, 6);
    for (unsigned i = 0; i < n; i++) {
        struct epithet another;
        epithet_of(rng, name->gender, &another);
        linnet_flora_name_author(rng, other);
        synonym.id = ++c->id;
        bool unplaced = rng_chance(rng, 0.02), lost = rng_chance(rng, 0.005);
        synonym.status = c->archive ? unplaced ? "doubtful" : "synonym" : unplaced ? "Unplaced" : "Synonym";
        synonym.accepted = unplaced ? 0 : lost ? c->id + UINT64_C(1000000000) : row.id;
        snprintf(synonym.epithet, sizeof synonym.epithet, "%s", another.latin);
        /* Half the synonyms are of another genus, of those that came or are to come. */
        struct genus_name elsewhere;
        char moved[2 * FLORA_NAME_SIZE];
        genus_of(c, rng_below(rng, (unsigned)(c->names / 90 + 1)), &elsewhere, moved);
        synonym.genus = rng_chance(rng, 0.5) ? moved : genus->genus;
        snprintf(synonym.name, sizeof synonym.name, "%s %s", synonym.genus, another.latin);
        put(c, &synonym);
        if (rng_chance(rng, 0.001)) put(c, &synonym); /* the same row again */
    }
    if (!rng_chance(rng, 0.12)) return;
    struct row below = row;
    below.id = ++c->id;
    below.accepted = below.id;
    below.parent = row.id;
    below.rank = c->archive ? "SUBSPECIES" : "Subspecies";
    snprintf(below.name, sizeof below.name, "%.160s subsp. %s", row.name, epithet.latin);
    put(c, &below);
    put_areas(c, rng, below.id);
}

static int put_all(struct checklist *c) {
    char family[FLORA_NAME_SIZE + 8] = "Incertaceae", author[FLORA_NAME_SIZE];
    for (uint64_t g = 0; c->rows < c->names; g++) {
        struct rng rng =
            rng_make(c->seed, RNG_CATALOGUE, g + (UINT64_C(1) << 40)); /* apart from its name's */
        struct genus_name genus;
        char name[2 * FLORA_NAME_SIZE];
        genus_of(c, g, &genus, name);
        if (g % GENERA_A_FAMILY == 0) snprintf(family, sizeof family, "%saceae", genus.stem);
        linnet_flora_name_author(&rng, author);
        struct row row = {.id = ++c->id,
                          .rank = c->archive ? "GENUS" : "Genus",
                          .status = c->archive ? "accepted" : "Accepted",
                          .family = family,
                          .genus = name,
                          .authors = author};
        row.accepted = row.id;
        snprintf(row.name, sizeof row.name, "%s", name);
        put(c, &row);
        unsigned n = 1 + rng_below(&rng, 2 * SPECIES_A_GENUS);
        for (unsigned s = 0; s < n && c->rows < c->names; s++)
            put_species(c, &rng, &row, &genus);
    }
    return 0;
}

static const char WCVP_NAMES[] =
    "plant_name_id|ipni_id|taxon_rank|taxon_status|family|genus_hybrid|genus|species_hybrid|species|"
    "infraspecific_rank|infraspecies|parenthetical_author|primary_author|publication_author|place_of_"
    "publication|"
    "volume_and_page|first_published|nomenclatural_remarks|geographic_area|lifeform_description|"
    "climate_description|taxon_name|taxon_authors|accepted_plant_name_id|basionym_plant_name_id|"
    "replaced_synonym_author|homotypic_synonym|parent_plant_name_id|powo_id|hybrid_formula|reviewed\n";
static const char WCVP_DISTRIBUTION[] =
    "plant_locality_id|plant_name_id|continent_code_l1|continent|region_code_l2|region|area_code_l3|area|"
    "introduced|extinct|location_doubtful\n";
static const char META[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<archive xmlns=\"http://rs.tdwg.org/dwc/text/\" metadata=\"eml.xml\">\n"
    "  <core encoding=\"UTF-8\" fieldsTerminatedBy=\"\\t\" linesTerminatedBy=\"\\n\" fieldsEnclosedBy=\"\""
    " ignoreHeaderLines=\"1\" rowType=\"http://rs.tdwg.org/dwc/terms/Taxon\">\n"
    "    <files><location>Taxon.tsv</location></files>\n    <id index=\"0\"/>\n"
    "    <field index=\"1\" term=\"http://rs.tdwg.org/dwc/terms/parentNameUsageID\"/>\n"
    "    <field index=\"2\" term=\"http://rs.tdwg.org/dwc/terms/acceptedNameUsageID\"/>\n"
    "    <field index=\"3\" term=\"http://rs.tdwg.org/dwc/terms/scientificName\"/>\n"
    "    <field index=\"4\" term=\"http://rs.gbif.org/terms/1.0/canonicalName\"/>\n"
    "    <field index=\"5\" term=\"http://rs.tdwg.org/dwc/terms/scientificNameAuthorship\"/>\n"
    "    <field index=\"6\" term=\"http://rs.tdwg.org/dwc/terms/taxonRank\"/>\n"
    "    <field index=\"7\" term=\"http://rs.tdwg.org/dwc/terms/taxonomicStatus\"/>\n"
    "    <field index=\"8\" term=\"http://rs.tdwg.org/dwc/terms/family\"/>\n"
    "    <field index=\"9\" term=\"http://rs.tdwg.org/dwc/terms/kingdom\"/>\n  </core>\n"
    "  <extension encoding=\"UTF-8\" fieldsTerminatedBy=\"\\t\" linesTerminatedBy=\"\\n\" "
    "fieldsEnclosedBy=\"\""
    " ignoreHeaderLines=\"1\" rowType=\"http://rs.gbif.org/terms/1.0/VernacularName\">\n"
    "    <files><location>VernacularName.tsv</location></files>\n    <coreid index=\"0\"/>\n"
    "    <field index=\"1\" term=\"http://rs.tdwg.org/dwc/terms/vernacularName\"/>\n"
    "    <field index=\"2\" term=\"http://purl.org/dc/terms/language\"/>\n  </extension>\n"
    "  <extension encoding=\"UTF-8\" fieldsTerminatedBy=\"\\t\" linesTerminatedBy=\"\\n\" "
    "fieldsEnclosedBy=\"\""
    " ignoreHeaderLines=\"1\" rowType=\"http://rs.gbif.org/terms/1.0/Distribution\">\n"
    "    <files><location>Distribution.tsv</location></files>\n    <coreid index=\"0\"/>\n"
    "    <field index=\"1\" term=\"http://rs.tdwg.org/dwc/terms/locationID\"/>\n"
    "    <field index=\"2\" term=\"http://rs.tdwg.org/dwc/terms/locality\"/>\n"
    "    <field index=\"3\" term=\"http://rs.tdwg.org/dwc/terms/establishmentMeans\"/>\n"
    "    <field index=\"4\" term=\"http://rs.tdwg.org/dwc/terms/occurrenceStatus\"/>\n  "
    "</extension>\n</archive>\n";

static int write_wcvp(struct checklist *c, const char *out) {
    c->main = linnet_flora_create("checklist", out, "wcvp_names.csv");
    c->distribution = c->main ? linnet_flora_create("checklist", out, "wcvp_distribution.csv") : NULL;
    if (!c->distribution) {
        if (c->main) fclose(c->main);
        return 1;
    }
    fputs(WCVP_NAMES, c->main);
    fputs(WCVP_DISTRIBUTION, c->distribution);
    put_all(c);
    int bad = linnet_flora_close("checklist", c->main, "wcvp_names.csv");
    return linnet_flora_close("checklist", c->distribution, "wcvp_distribution.csv") || bad;
}

static int write_archive(struct checklist *c, const char *out) {
    FILE *meta = linnet_flora_create("checklist", out, "meta.xml");
    c->archive = true;
    c->main = linnet_flora_create("checklist", out, "Taxon.tsv");
    c->distribution = linnet_flora_create("checklist", out, "Distribution.tsv");
    c->vernacular = linnet_flora_create("checklist", out, "VernacularName.tsv");
    if (!meta || !c->main || !c->distribution || !c->vernacular) return 1;
    fputs(META, meta);
    fputs("taxonID\tparentNameUsageID\tacceptedNameUsageID\tscientificName\tcanonicalName\t"
          "scientificNameAuthorship\ttaxonRank\ttaxonomicStatus\tfamily\tkingdom\n",
          c->main);
    fputs("taxonID\tlocationID\tlocality\testablishmentMeans\toccurrenceStatus\n", c->distribution);
    fputs("taxonID\tvernacularName\tlanguage\n", c->vernacular);
    put_all(c);
    int bad = linnet_flora_close("checklist", meta, "meta.xml");
    bad |= linnet_flora_close("checklist", c->main, "Taxon.tsv");
    bad |= linnet_flora_close("checklist", c->distribution, "Distribution.tsv");
    return linnet_flora_close("checklist", c->vernacular, "VernacularName.tsv") || bad;
}

int linnet_flora_command_checklist(int argc, char **argv) {
    struct checklist c = {.seed = 5, .names = 1000};
    const char *out = NULL, *format = "wcvp";
    const struct option_spec table[] = {
        {"out", "DIR", "where to write", OPTION_TEXT, 0, 0, &out},
        {"names", "N", "rows of names", OPTION_NUMBER, 1, 10000000, &c.names},
        {"format", "FORMAT", "wcvp (two files) or dwca (a Darwin Core Archive's files)", OPTION_TEXT, 0, 0,
         &format},
        {"seed", "N", "which ones", OPTION_SEED, 0, 0, &c.seed},
        {0},
    };
    int parsed = linnet_flora_options("checklist", "Write a catalogue of names that are all made up.", table,
                                      argc, argv);
    if (parsed) return parsed < 0;
    if (!out) return linnet_flora_complain("checklist", "--out is needed");
    if (strcmp(format, "wcvp") && strcmp(format, "dwca"))
        return linnet_flora_complain("checklist", "--format takes wcvp or dwca, not \"%s\"", format);
    if (linnet_flora_make_folder(out))
        return linnet_flora_complain("checklist", "%s: %s", out, strerror(errno));
    return strcmp(format, "dwca") ? write_wcvp(&c, out) : write_archive(&c, out);
}
