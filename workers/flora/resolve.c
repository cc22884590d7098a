/* From names to taxa: who is a synonym of whom, who stands under whom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "workers/flora/checklist.h"
#include "workers/flora/tables.h"

enum { STEPS = 64 }; /* longest chain of synonyms or parents; a longer one is a circle */

/* Accepted names of the three ranks by their spelling. */
struct spelled {
    uint32_t *slots;
    size_t mask;
};

struct resolving {
    struct linnet_checklist *list;
    struct spelled spelled;
    struct linnet_error *err;
};

static const char *text(const struct linnet_checklist *list, uint32_t offset) {
    return list->tables->text + offset;
}

static uint32_t name_of_key(const struct linnet_checklist *list, uint32_t key) {
    return key == LINNET_NO_NAME ? LINNET_NO_NAME : list->tables->ids.names[key];
}

/* ---- by spelling ---- */

static size_t slot_of(const struct resolving *r, const char *name, size_t size, enum linnet_level level) {
    const struct linnet_checklist *list = r->list;
    size_t slot = (linnet_hash(name, size) + level) & r->spelled.mask;
    for (; r->spelled.slots[slot] != LINNET_NO_NAME; slot = (slot + 1) & r->spelled.mask) {
        const struct linnet_checklist_name *there = &list->names[r->spelled.slots[slot]];
        const char *spelling = text(list, there->name);
        if (there->level == level && !strncmp(spelling, name, size) && !spelling[size]) break;
    }
    return slot;
}

static uint32_t by_spelling(const struct resolving *r, const char *name, size_t size,
                            enum linnet_level level) {
    return r->spelled.slots[slot_of(r, name, size, level)];
}

static bool is_taxon(const struct linnet_checklist_name *name) {
    return name->status == LINNET_STATUS_ACCEPTED && name->level <= LINNET_LEVEL_SPECIES;
}

static int index_spellings(struct resolving *r) {
    struct linnet_checklist *list = r->list;
    size_t size = 1024, taxa = 0;
    for (uint32_t i = 0; i < list->nnames; i++)
        taxa += is_taxon(&list->names[i]);
    while (size < taxa * 4) /* room for the genera and families to come */
        size *= 2;
    r->spelled.slots = malloc(size * sizeof *r->spelled.slots);
    if (!r->spelled.slots) return LINNET_E_NOMEM;
    memset(r->spelled.slots, 0xff, size * sizeof *r->spelled.slots);
    r->spelled.mask = size - 1;
    for (uint32_t i = 0; i < list->nnames; i++) {
        const struct linnet_checklist_name *name = &list->names[i];
        if (name->status == LINNET_STATUS_ACCEPTED && name->level < LINNET_LEVEL_OTHER)
            list->report.accepted++;
        if (!is_taxon(name)) continue;
        const char *spelling = text(list, name->name);
        size_t slot = slot_of(r, spelling, strlen(spelling), name->level);
        if (r->spelled.slots[slot] == LINNET_NO_NAME)
            r->spelled.slots[slot] = i;
        else
            list->report.homonyms++;
    }
    return 0;
}

/* ---- synonyms ---- */

/* The accepted name that a name means, itself or by the chain of its synonyms. */
static uint32_t accepted_of(struct resolving *r, uint32_t index, bool count) {
    struct linnet_checklist *list = r->list;
    for (unsigned steps = 0; steps < STEPS; steps++) {
        const struct linnet_checklist_name *name = &list->names[index];
        if (name->status == LINNET_STATUS_ACCEPTED) return index;
        if (name->status == LINNET_STATUS_UNPLACED) break;
        index = name_of_key(list, name->accepted_key);
        if (index == LINNET_NO_NAME) break;
        if (steps + 1 == STEPS) {
            list->report.cycles += count;
            return LINNET_NO_NAME;
        }
    }
    list->report.dangling += count;
    return LINNET_NO_NAME;
}

/* ---- parents ---- */

/* The nearest accepted name above of a level, by the source's own chain of parents. */
static uint32_t above(struct resolving *r, uint32_t index, enum linnet_level level) {
    const struct linnet_checklist *list = r->list;
    for (unsigned steps = 0; steps < STEPS; steps++) {
        index = name_of_key(list, list->names[index].parent_key);
        if (index != LINNET_NO_NAME) index = accepted_of(r, index, false);
        if (index == LINNET_NO_NAME) return LINNET_NO_NAME;
        if (list->names[index].level == level) return index;
        if (list->names[index].level < level) return LINNET_NO_NAME;
    }
    return LINNET_NO_NAME;
}

/* How many bytes the first `words` words of a name have, a hybrid's sign counting as part of the word behind
 * it. */
static size_t leading(const char *name, unsigned words) {
    const char *s = name;
    while (*s) {
        size_t size = strcspn(s, " ");
        bool sign = (size == 2 && !strncmp(s, "\xc3\x97", 2)) || (size == 1 && *s == 'x');
        s += size;
        if (!sign && --words == 0) return (size_t)(s - name);
        while (*s == ' ')
            s++;
    }
    return (size_t)(s - name);
}

/* The species of an accepted name below it: by its parents, else by its first two words. */
static uint32_t species_of(struct resolving *r, uint32_t index) {
    uint32_t species = above(r, index, LINNET_LEVEL_SPECIES);
    if (species != LINNET_NO_NAME) return species;
    const char *name = text(r->list, r->list->names[index].name);
    return by_spelling(r, name, leading(name, 2), LINNET_LEVEL_SPECIES);
}

/* A genus or family that the source only mentions. */
static int make(struct resolving *r, const char *spelling, enum linnet_level level, uint32_t family,
                uint32_t *out) {
    struct linnet_checklist *list = r->list;
    char id[LINNET_CHECKLIST_TEXT + 16], name[LINNET_CHECKLIST_TEXT + 1];
    snprintf(name, sizeof name, "%s", spelling);
    snprintf(id, sizeof id, "%s-%s", linnet_level_name(level), name);
    struct linnet_checklist_row row = {.id = id, .name = name, .rank = linnet_level_name(level)};
    uint32_t before = list->nnames;
    int error = linnet_checklist_add(list, &row, r->err);
    if (error) return error;
    list->report.rows--;
    if (list->nnames == before) { /* a stranger's id is just like it: no parent then */
        *out = LINNET_NO_NAME;
        return 0;
    }
    list->names[before].family = family;
    list->names[before].taxon = before;
    list->report.made++;
    r->spelled.slots[slot_of(r, name, strlen(name), level)] = *out = before;
    return 0;
}

/* Does the table keep a free slot for each that could still be made? */
static bool has_room(const struct resolving *r) {
    return r->list->report.made + r->list->report.accepted < r->spelled.mask - r->spelled.mask / 8;
}

static int family_of(struct resolving *r, uint32_t index, uint32_t *out) {
    uint32_t family = r->list->names[index].family;
    *out = above(r, index, LINNET_LEVEL_FAMILY);
    if (*out != LINNET_NO_NAME || !family) return 0;
    const char *name = text(r->list, family);
    *out = by_spelling(r, name, strlen(name), LINNET_LEVEL_FAMILY);
    if (*out != LINNET_NO_NAME || !has_room(r)) return 0;
    return make(r, name, LINNET_LEVEL_FAMILY, 0, out);
}

static int genus_of(struct resolving *r, uint32_t index, uint32_t *out) {
    const struct linnet_checklist *list = r->list;
    char genus[LINNET_CHECKLIST_TEXT + 1];
    *out = above(r, index, LINNET_LEVEL_GENUS);
    if (*out != LINNET_NO_NAME) return 0;
    const char *name = text(list, list->names[index].name);
    snprintf(genus, sizeof genus, "%.*s", (int)leading(name, 1), name);
    *out = by_spelling(r, genus, strlen(genus), LINNET_LEVEL_GENUS);
    if (*out != LINNET_NO_NAME || !has_room(r)) return 0;
    return make(r, genus, LINNET_LEVEL_GENUS, list->names[index].family, out);
}

/* ---- all of it ---- */

static void resolve_names(struct resolving *r) {
    struct linnet_checklist *list = r->list;
    for (uint32_t i = 0; i < list->nnames; i++) {
        struct linnet_checklist_name *name = &list->names[i];
        if (name->level == LINNET_LEVEL_OTHER) {
            list->report.other_ranks++;
            continue;
        }
        if (name->status == LINNET_STATUS_UNPLACED) {
            list->report.unplaced++;
            continue;
        }
        uint32_t accepted = accepted_of(r, i, true);
        if (accepted == LINNET_NO_NAME) continue;
        list->report.synonyms += accepted != i;
        if (list->names[accepted].level == LINNET_LEVEL_BELOW) {
            uint32_t species = species_of(r, accepted);
            if (accepted == i)
                ++*(species == LINNET_NO_NAME ? &list->report.infraspecies_alone
                                              : &list->report.infraspecies);
            accepted = species;
        } else if (list->names[accepted].level == LINNET_LEVEL_OTHER) {
            accepted = LINNET_NO_NAME;
        }
        name->taxon = accepted;
    }
}

/* Species first, as they make genera; then genera, which make families. */
static int resolve_parents(struct resolving *r) {
    struct linnet_checklist *list = r->list;
    for (int level = LINNET_LEVEL_SPECIES; level >= LINNET_LEVEL_GENUS; level--) {
        for (uint32_t i = 0; i < list->nnames; i++) {
            uint32_t parent = LINNET_NO_NAME;
            if (list->names[i].taxon != i || list->names[i].level != level) continue;
            int error = level == LINNET_LEVEL_SPECIES ? genus_of(r, i, &parent) : family_of(r, i, &parent);
            if (error) return error;
            list->names[i].parent = parent;
        }
    }
    for (uint32_t i = 0; i < list->nnames; i++) {
        if (list->names[i].taxon != i) continue;
        uint64_t *counts[] = {&list->report.families, &list->report.genera, &list->report.species};
        ++*counts[list->names[i].level];
    }
    return 0;
}

static int by_name_and_language(const void *a, const void *b) {
    const struct linnet_vernacular *x = a, *y = b;
    if (x->name != y->name) return x->name < y->name ? -1 : 1;
    if (x->language != y->language) return x->language < y->language ? -1 : 1;
    if (x->preferred != y->preferred) return x->preferred ? -1 : 1;
    return (x->text > y->text) - (x->text < y->text); /* as the source has them */
}

static void resolve_vernacular(struct linnet_checklist *list) {
    size_t kept = 0;
    for (size_t i = 0; i < list->nvernacular; i++) {
        struct linnet_vernacular vernacular = list->vernacular[i];
        uint32_t name = name_of_key(list, vernacular.name);
        vernacular.name = name == LINNET_NO_NAME ? name : list->names[name].taxon;
        if (vernacular.name == LINNET_NO_NAME)
            list->report.vernacular_dangling++;
        else
            list->vernacular[kept++] = vernacular;
    }
    list->report.vernacular = list->nvernacular = kept;
    if (kept > 1) qsort(list->vernacular, kept, sizeof *list->vernacular, by_name_and_language);
}

static int by_area_and_name(const void *a, const void *b) {
    const struct linnet_presence *x = a, *y = b;
    if (x->area != y->area) return x->area < y->area ? -1 : 1;
    if (x->name != y->name) return x->name < y->name ? -1 : 1;
    return x->introduced - y->introduced; /* native goes before introduced */
}

/* Presence of what is below a species is the species'. */
static void resolve_presences(struct linnet_checklist *list) {
    size_t kept = 0, unique = 0;
    for (size_t i = 0; i < list->npresences; i++) {
        struct linnet_presence presence = list->presences[i];
        uint32_t name = name_of_key(list, presence.name);
        presence.name = name == LINNET_NO_NAME ? name : list->names[name].taxon;
        if (presence.name == LINNET_NO_NAME)
            list->report.presences_dangling++;
        else if (list->names[presence.name].level == LINNET_LEVEL_SPECIES)
            list->presences[kept++] = presence;
    }
    if (kept > 1) qsort(list->presences, kept, sizeof *list->presences, by_area_and_name);
    for (size_t i = 0; i < kept; i++) {
        const struct linnet_presence *last = unique ? &list->presences[unique - 1] : NULL;
        if (last && last->area == list->presences[i].area && last->name == list->presences[i].name) continue;
        list->presences[unique++] = list->presences[i];
    }
    list->report.presences = list->npresences = unique;
    list->report.areas = list->nareas;
}

int linnet_checklist_resolve(struct linnet_checklist *list, struct linnet_error *err) {
    struct resolving r = {.list = list, .err = err};
    int error = index_spellings(&r);
    if (error) return linnet_error_set(err, error, "out of memory");
    resolve_names(&r);
    error = resolve_parents(&r);
    free(r.spelled.slots);
    if (error) return error;
    resolve_vernacular(list);
    resolve_presences(list);
    return 0;
}
