#include "common/consensus/taxa.h"

#include <stdlib.h>
#include <string.h>

static int allocate(struct linnet_consensus_taxa *taxa, uint32_t n) {
    size_t room = (size_t)n + 1; /* malloc(0) may be NULL */
    *taxa = (struct linnet_consensus_taxa){.n = n,
                                           .parent = calloc(room, sizeof *taxa->parent),
                                           .accepted = calloc(room, sizeof *taxa->accepted),
                                           .species = calloc(room, sizeof *taxa->species),
                                           .enter = calloc(room, sizeof *taxa->enter),
                                           .leave = calloc(room, sizeof *taxa->leave),
                                           .rank = malloc(room)};
    return taxa->parent && taxa->accepted && taxa->species && taxa->enter && taxa->leave && taxa->rank
               ? 0
               : LINNET_E_NOMEM;
}

void linnet_consensus_taxa_done(struct linnet_consensus_taxa *taxa) {
    free(taxa->parent);
    free(taxa->accepted);
    free(taxa->species);
    free(taxa->enter);
    free(taxa->leave);
    free(taxa->rank);
    *taxa = (struct linnet_consensus_taxa){0};
}

static int check_range(const uint32_t *links, uint32_t n, const char *what, struct linnet_error *err) {
    for (uint32_t i = 0; i < n; i++)
        if (links[i] != LINNET_NO_LABEL && links[i] >= n)
            return linnet_error_set(err, LINNET_E_INVALID, "taxon %u: its %s %u is no taxon", i, what,
                                    links[i]);
    return 0;
}

/* Every name to the end of its chain of synonyms. What was closed already is skipped over, so a chain is
 * walked once. */
static int close_synonyms(struct linnet_consensus_taxa *taxa, const uint32_t *accepted,
                          struct linnet_error *err) {
    for (uint32_t i = 0; i < taxa->n; i++)
        taxa->accepted[i] = LINNET_NO_LABEL;
    for (uint32_t i = 0; i < taxa->n; i++) {
        uint32_t end = i, steps = 0;
        while (taxa->accepted[end] == LINNET_NO_LABEL && accepted[end] != LINNET_NO_LABEL &&
               accepted[end] != end) {
            end = accepted[end];
            if (++steps > taxa->n)
                return linnet_error_set(err, LINNET_E_INVALID, "taxon %u: is a synonym of itself", i);
        }
        if (taxa->accepted[end] != LINNET_NO_LABEL) end = taxa->accepted[end];
        for (uint32_t at = i; steps--; at = accepted[at])
            taxa->accepted[at] = end;
        taxa->accepted[end] = end;
    }
    return 0;
}

/* The tree of accepted names. A synonym stands where its accepted name does. */
static void link_parents(struct linnet_consensus_taxa *taxa, const uint32_t *parent) {
    for (uint32_t i = 0; i < taxa->n; i++) {
        uint32_t above = parent[taxa->accepted[i]];
        taxa->parent[i] = above == LINNET_NO_LABEL ? above : taxa->accepted[above];
    }
}

/* The accepted names, children before their parents. Fills size[] with how many are at or below each. Returns
 * how many were ordered: fewer than there are if there is a cycle, and then children[] is above 0 on it. */
static uint32_t order_tree(const struct linnet_consensus_taxa *taxa, uint32_t *children, uint32_t *size,
                           uint32_t *order) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < taxa->n; i++) {
        size[i] = 1;
        if (taxa->accepted[i] == i && taxa->parent[i] != LINNET_NO_LABEL) children[taxa->parent[i]]++;
    }
    for (uint32_t i = 0; i < taxa->n; i++)
        if (taxa->accepted[i] == i && !children[i]) order[last++] = i;
    for (uint32_t k = 0; k < last; k++) {
        uint32_t above = taxa->parent[order[k]];
        if (above == LINNET_NO_LABEL) continue;
        size[above] += size[order[k]];
        if (--children[above] == 0) order[last++] = above;
    }
    return last;
}

/* Number the tree so that what is below a taxon are the numbers from its enter to its leave: a parent is
 * placed before its children, which share its room from the second number on. */
static int number_tree(struct linnet_consensus_taxa *taxa, uint32_t *scratch, struct linnet_error *err) {
    uint32_t *free_from = scratch, *order = scratch + taxa->n, *size = taxa->leave, accepted = 0, next = 0;
    for (uint32_t i = 0; i < taxa->n; i++)
        accepted += taxa->accepted[i] == i;
    uint32_t ordered = order_tree(taxa, scratch, size, order);
    if (ordered < accepted) {
        uint32_t culprit = 0;
        while (scratch[culprit] == 0)
            culprit++;
        return linnet_error_set(err, LINNET_E_INVALID, "taxon %u: is its own ancestor", culprit);
    }
    for (uint32_t k = ordered; k-- > 0;) {
        uint32_t i = order[k], above = taxa->parent[i],
                 *place = above == LINNET_NO_LABEL ? &next : &free_from[above];
        taxa->enter[i] = *place;
        *place += size[i];
        free_from[i] = taxa->enter[i] + 1;
        taxa->leave[i] = taxa->enter[i] + size[i];
    }
    for (uint32_t i = 0; i < taxa->n; i++) { /* a synonym is where its accepted name is */
        taxa->enter[i] = taxa->enter[taxa->accepted[i]];
        taxa->leave[i] = taxa->leave[taxa->accepted[i]];
    }
    return 0;
}

/* The species at or above an accepted name. A subspecies without a species above it is one itself, and so is
 * a taxon of which nothing is known: neither rank nor place. */
static uint32_t species_of(const struct linnet_consensus_taxa *taxa, uint32_t label) {
    for (uint32_t at = label; at != LINNET_NO_LABEL; at = taxa->parent[at])
        if (taxa->rank[at] == LINNET_RANK_SPECIES) return at;
    if (taxa->rank[label] == LINNET_RANK_SUBSPECIES) return label;
    bool alone = taxa->parent[label] == LINNET_NO_LABEL && taxa->leave[label] - taxa->enter[label] == 1;
    return taxa->rank[label] == LINNET_RANK_OTHER && alone ? label : LINNET_NO_LABEL;
}

static int fill(struct linnet_consensus_taxa *taxa, const uint32_t *parent, const uint8_t *rank,
                const uint32_t *accepted, struct linnet_error *err) {
    if (taxa->n >= LINNET_LABEL_NOT_A_PLANT / 2)
        return linnet_error_set(err, LINNET_E_LIMIT, "too many taxa");
    int rc = check_range(parent, taxa->n, "parent", err);
    if (!rc) rc = check_range(accepted, taxa->n, "accepted name", err);
    if (!rc) rc = close_synonyms(taxa, accepted, err);
    if (rc) return rc;
    link_parents(taxa, parent);
    if (taxa->n) memcpy(taxa->rank, rank, taxa->n);
    uint32_t *scratch = calloc(2 * (size_t)taxa->n + 1, sizeof *scratch);
    if (!scratch) return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    rc = number_tree(taxa, scratch, err);
    free(scratch);
    for (uint32_t i = 0; !rc && i < taxa->n; i++)
        taxa->species[i] = species_of(taxa, taxa->accepted[i]);
    return rc;
}

int linnet_consensus_taxa_init(struct linnet_consensus_taxa *taxa, uint32_t n, const uint32_t *parent,
                               const uint8_t *rank, const uint32_t *accepted, struct linnet_error *err) {
    struct linnet_consensus_taxa made;
    int rc = allocate(&made, n);
    if (rc)
        linnet_error_set(err, rc, "out of memory");
    else
        rc = fill(&made, parent, rank, accepted, err);
    if (rc)
        linnet_consensus_taxa_done(&made);
    else
        *taxa = made;
    return rc;
}

int linnet_consensus_taxa_of(struct linnet_consensus_taxa *taxa, const struct linnet_taxonomy *backbone,
                             struct linnet_error *err) {
    uint32_t n = (uint32_t)linnet_taxonomy_size(backbone);
    uint32_t *links = malloc((2 * (size_t)n + 1) * sizeof *links);
    uint8_t *rank = malloc((size_t)n + 1);
    if (!links || !rank) {
        free(links);
        free(rank);
        return linnet_error_set(err, LINNET_E_NOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct linnet_taxon *taxon = linnet_taxonomy_at(backbone, i);
        links[i] = taxon->parent;
        links[n + i] = taxon->accepted;
        rank[i] = (uint8_t)taxon->rank;
    }
    int rc = linnet_consensus_taxa_init(taxa, n, links, rank, links + n, err);
    free(links);
    free(rank);
    return rc;
}
