/* linnet-flora backbone: the taxonomy and the checklists as reference documents, the species as tables. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/data/commands.h"
#include "tests/data/flora.h"
#include "tests/data/options.h"
#include "tests/data/output.h"

/* A taxon document; `parent` and `accepted` may be "". */
static json_t *taxon(const char *id, const char *name, const char *rank, const char *parent,
                     const char *accepted, const char *author) {
    json_t *doc = json_pack("{s:s, s:s, s:s, s:s}", "_id", id, "kind", "taxon", "scientificName", name,
                            "taxonRank", rank);
    json_object_set_new(doc, "parentNameUsageID", *parent ? json_string(parent) : json_null());
    if (*accepted) json_object_set_new(doc, "acceptedNameUsageID", json_string(accepted));
    if (*author) json_object_set_new(doc, "scientificNameAuthorship", json_string(author));
    return doc;
}

static json_t *vernacular(const struct flora_genus *genus, const struct flora_species *species) {
    char en[160], fr[160];
    snprintf(en, sizeof en, "%s %s", species->epithet.en, genus->name.en);
    snprintf(fr, sizeof fr, "%s %s", genus->name.fr, species->epithet.fr);
    linnet_flora_name_capital(en);
    linnet_flora_name_capital(fr);
    return json_pack("{s:[s], s:[s]}", "en", en, "fr", fr);
}

static int write_higher(const struct flora *flora, FILE *file) {
    char id[FLORA_ID_SIZE], parent[FLORA_ID_SIZE];
    int bad = linnet_flora_put_line(file, taxon("taxon:1", "Plantae", "kingdom", "", "", ""));
    for (size_t i = 0; i < flora->norders; i++) {
        linnet_flora_taxon_id(TAXON_ORDERS, i, id);
        bad |= linnet_flora_put_line(file, taxon(id, flora->orders[i].name, "order", "taxon:1", "", ""));
    }
    for (size_t i = 0; i < flora->nfamilies; i++) {
        linnet_flora_taxon_id(TAXON_FAMILIES, i, id);
        linnet_flora_taxon_id(TAXON_ORDERS, flora->families[i].order, parent);
        bad |= linnet_flora_put_line(file, taxon(id, flora->families[i].name, "family", parent, "", ""));
    }
    for (size_t i = 0; i < flora->ngenera; i++) {
        linnet_flora_taxon_id(TAXON_GENERA, i, id);
        linnet_flora_taxon_id(TAXON_FAMILIES, flora->genera[i].family, parent);
        bad |= linnet_flora_put_line(file, taxon(id, flora->genera[i].name.name, "genus", parent, "", ""));
    }
    return bad;
}

/* A species, its synonym, and for one in forty a subspecies (never drawn on its own: an identification may
 * not go so far). */
static int write_species(const struct flora *flora, size_t s, FILE *file) {
    const struct flora_species *species = &flora->species[s];
    char id[FLORA_ID_SIZE], parent[FLORA_ID_SIZE], other[FLORA_ID_SIZE], name[2 * FLORA_NAME_SIZE + 40];
    linnet_flora_taxon_id(TAXON_SPECIES, s, id);
    linnet_flora_taxon_id(TAXON_GENERA, species->genus, parent);
    json_t *doc = taxon(id, species->name, "species", parent, "", species->author);
    if (species->vernacular)
        json_object_set_new(doc, "vernacularNames", vernacular(&flora->genera[species->genus], species));
    if (species->sensitive) json_object_set_new(doc, "sensitive", json_true());
    int bad = linnet_flora_put_line(file, doc);
    if (species->synonym[0]) {
        linnet_flora_taxon_id(TAXON_SYNONYMS, s, other);
        bad |= linnet_flora_put_line(file,
                                     taxon(other, species->synonym, "species", parent, id, species->author));
    }
    if (s % 40 == 7) {
        linnet_flora_taxon_id(TAXON_SUBSPECIES, s, other);
        snprintf(name, sizeof name, "%.100s subsp. typica", species->name);
        bad |= linnet_flora_put_line(file, taxon(other, name, "subspecies", id, "", ""));
    }
    return bad;
}

static int write_taxa(const struct flora *flora, const char *folder) {
    FILE *file = linnet_flora_create("backbone", folder, "taxa.jsonl");
    if (!file) return 1;
    int bad = write_higher(flora, file);
    for (size_t s = 0; s < flora->nspecies; s++)
        bad |= write_species(flora, s, file);
    return linnet_flora_close("backbone", file, "taxa.jsonl") || bad;
}

static int write_floras(const struct flora *flora, const char *folder) {
    FILE *file = linnet_flora_create("backbone", folder, "floras.jsonl");
    int bad = 0;
    if (!file) return 1;
    for (unsigned i = 0; i < FLORA_CHECKLISTS; i++) {
        const struct flora_checklist *list = &linnet_flora_checklists[i];
        json_t *taxa = json_array();
        for (size_t s = 0; s < flora->nspecies; s++) {
            char id[FLORA_ID_SIZE];
            if (!(flora->species[s].checklists >> i & 1)) continue;
            linnet_flora_taxon_id(TAXON_SPECIES, s, id);
            json_array_append_new(taxa, json_string(id));
        }
        bad |= linnet_flora_put_line(file, json_pack("{s:s, s:s, s:s, s:{s:[f,f,f,f]}, s:o}", "_id", list->id,
                                                     "kind", "flora", "title", list->title, "area", "bbox",
                                                     list->west, list->south, list->east, list->north, "taxa",
                                                     taxa));
    }
    return linnet_flora_close("backbone", file, "floras.jsonl") || bad;
}

static int write_labels(const struct flora *flora, const char *folder) {
    FILE *file = linnet_flora_create("backbone", folder, "labels.csv");
    if (!file) return 1;
    fprintf(file, "scientificName,taxon,genus,family\n");
    for (size_t s = 0; s < flora->nspecies; s++) {
        const struct flora_genus *genus = &flora->genera[flora->species[s].genus];
        char id[FLORA_ID_SIZE];
        linnet_flora_taxon_id(TAXON_SPECIES, s, id);
        fprintf(file, "%s,%s,%s,%s\n", flora->species[s].name, id, genus->name.name,
                flora->families[genus->family].name);
    }
    return linnet_flora_close("backbone", file, "labels.csv");
}

/* What a test may need to know of a species that no reference document says. */
static int write_table(const struct flora *flora, const char *folder) {
    FILE *file = linnet_flora_create("backbone", folder, "species.csv");
    if (!file) return 1;
    fprintf(file,
            "taxon,scientificName,genus,family,abundance,woody,toxic,sensitive,lookalike,told_by,floras\n");
    for (size_t s = 0; s < flora->nspecies; s++) {
        const struct flora_species *species = &flora->species[s];
        const struct flora_genus *genus = &flora->genera[species->genus];
        char id[FLORA_ID_SIZE], twin[FLORA_ID_SIZE] = "";
        linnet_flora_taxon_id(TAXON_SPECIES, s, id);
        if (species->lookalike != FLORA_NONE) linnet_flora_taxon_id(TAXON_SPECIES, species->lookalike, twin);
        fprintf(file, "%s,%s,%s,%s,%.9f,%d,%d,%d,%s,%s,", id, species->name, genus->name.name,
                flora->families[genus->family].name, species->abundance,
                linnet_flora_has_organ(&species->traits, ORGAN_BARK), species->toxic, species->sensitive,
                twin,
                !*twin                           ? ""
                : species->told_by == ORGAN_NONE ? "flora"
                                                 : linnet_flora_organ_name(species->told_by));
        const char *space = "";
        for (unsigned i = 0; i < FLORA_CHECKLISTS; i++) {
            if (!(species->checklists >> i & 1)) continue;
            fprintf(file, "%s%s", space, linnet_flora_checklists[i].id);
            space = " ";
        }
        fputc('\n', file);
    }
    return linnet_flora_close("backbone", file, "species.csv");
}

int linnet_flora_command_backbone(int argc, char **argv) {
    uint64_t seed = FLORA_SEED;
    size_t nspecies = FLORA_SPECIES;
    const char *out = NULL;
    bool json = false;
    const struct option_spec table[] = {
        {"seed", "N", "the flora", OPTION_SEED, 0, 0, &seed},
        {"flora-seed", "N", "the same, as other commands call it", OPTION_SEED, 0, 0, &seed},
        {"species", "N", "how many species", OPTION_NUMBER, 8, 100000, &nspecies},
        {"out", "DIR", "folder to write to, made if need be", OPTION_TEXT, 0, 0, &out},
        {"json", "", "print what was made as JSON", OPTION_FLAG, 0, 0, &json},
        {NULL, NULL, NULL, OPTION_FLAG, 0, 0, NULL}};
    int rc = linnet_flora_options(
        "backbone", "Write taxa.jsonl and floras.jsonl (reference documents), species.csv and labels.csv.",
        table, argc, argv);
    if (rc) return rc < 0;
    if (!out) return linnet_flora_complain("backbone", "--out is needed");
    if (linnet_flora_make_folder(out))
        return linnet_flora_complain("backbone", "%s: %s", out, strerror(errno));
    struct flora *flora = linnet_flora_new(seed, nspecies);
    if (!flora) return linnet_flora_complain("backbone", "out of memory");
    rc = write_taxa(flora, out) || write_floras(flora, out) || write_labels(flora, out) ||
         write_table(flora, out);
    if (!rc && json)
        printf(
            "{\"seed\":%llu,\"species\":%zu,\"genera\":%zu,\"families\":%zu,\"orders\":%zu,\"floras\":%d}\n",
            (unsigned long long)seed, flora->nspecies, flora->ngenera, flora->nfamilies, flora->norders,
            FLORA_CHECKLISTS);
    else if (!rc)
        printf("%zu species of %zu genera, %zu families in %s\n", flora->nspecies, flora->ngenera,
               flora->nfamilies, out);
    linnet_flora_free(flora);
    return rc;
}
