#include "workers/serve/lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/serve/catalog.h"
#include "workers/serve/engine.h"
#include "workers/serve/projects.h"
#include "workers/serve/serve.h"
#include "workers/serve/species.h"

#define PAGE_SIZE     1000
#define PAGE_SIZE_MAX 10000
#define FOUND         10
#define FOUND_MAX     100

const char *const serve_species_query[] = {
    "prefix", "page", "pageSize", "lang", "type", "authenix-access-token", NULL};

const char *const serve_taxa_query[] = {"query", "pageSize", "lang", "authenix-access-token", NULL};

/* What of the list is asked for. */
struct page {
    const char *prefix, *lang;
    size_t from, size;
};

bool serve_read_number(struct serve_request *request, const char *name, size_t least, size_t most,
                       size_t fallback, size_t *out) {
    const char *text = serve_param(request, name);
    char *end;
    *out = fallback;
    if (text == NULL) return true;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < least || value > most) {
        serve_answer_error(request, 400, "\"%s\" must be a number from %zu to %zu", name, least, most);
        return false;
    }
    *out = (size_t)value;
    return true;
}

static bool read_page(struct serve_request *request, struct page *out) {
    size_t page;
    const char *prefix = serve_param(request, "prefix"), *lang = serve_param(request, "lang");
    out->prefix = prefix != NULL ? prefix : "";
    out->lang = lang != NULL ? lang : "en";
    if (!serve_read_number(request, "page", 1, 100000000, 1, &page) ||
        !serve_read_number(request, "pageSize", 1, PAGE_SIZE_MAX, PAGE_SIZE, &out->size))
        return false;
    out->from = (page - 1) * out->size;
    return true;
}

static json_t *one_species(const struct linnet_references *references, uint32_t index, const char *lang) {
    const struct linnet_taxon *taxon = linnet_taxonomy_at(linnet_references_taxonomy(references), index);
    json_t *species = json_pack("{s:s, s:s, s:s, s:o}", "id", taxon->id, "scientificNameWithoutAuthor",
                                taxon->scientific_name, "scientificNameAuthorship", taxon->authorship,
                                "commonNames", serve_common_names(references, taxon->id, lang));
    const json_t *identifiers = json_object_get(linnet_references_get(references, taxon->id), "identifiers");
    json_t *gbif = json_object_get(identifiers, "gbif"), *powo = json_object_get(identifiers, "powo");
    if (gbif != NULL) json_object_set(species, "gbifId", gbif);
    if (powo != NULL) json_object_set(species, "powoId", powo);
    return species;
}

bool *serve_listed_taxa(const struct linnet_references *references, const char *flora) {
    const struct linnet_taxonomy *taxonomy = linnet_references_taxonomy(references);
    const json_t *taxa = json_object_get(linnet_references_get(references, flora), "taxa"), *id;
    size_t size = linnet_taxonomy_size(taxonomy), i;
    bool *listed = calloc(size + 1, sizeof *listed);
    if (listed == NULL) return NULL;
    json_array_foreach(taxa, i, id) {
        uint32_t index =
            json_is_string(id) ? linnet_taxonomy_find(taxonomy, json_string_value(id)) : LINNET_NO_TAXON;
        if (index != LINNET_NO_TAXON) listed[linnet_taxonomy_accepted(taxonomy, index)] = true;
    }
    for (uint32_t taxon = 0; taxon < size; taxon++) { /* parents stand before their children */
        uint32_t parent = linnet_taxonomy_at(taxonomy, taxon)->parent;
        if (parent != LINNET_NO_TAXON && listed[parent]) listed[taxon] = true;
    }
    return listed;
}

static void answer_page(struct serve_request *request, const struct serve_catalog *catalog,
                        const struct page *page, const bool *listed) {
    size_t first, end, total = 0;
    char count[32];
    json_t *list = json_array();
    serve_catalog_prefix(catalog, page->prefix, &first, &end);
    for (size_t i = first; i < end; i++) {
        uint32_t index = catalog->species[i];
        if (listed != NULL && !listed[index]) continue;
        if (total >= page->from && total - page->from < page->size)
            json_array_append_new(list, one_species(catalog->references, index, page->lang));
        total++;
    }
    snprintf(count, sizeof count, "%zu", total);
    serve_answer_json(request, 200, list);
    if (request->response != NULL) MHD_add_response_header(request->response, "X-Total-Count", count);
}

/* The catalog, NULL while it is being made: the request has been answered then. */
static const struct serve_catalog *catalog_for(struct serve_request *request) {
    const struct serve_catalog *catalog = serve_engine_view(request->serve->engine)->catalog;
    if (catalog == NULL) serve_answer_error(request, 503, "the list of species is being made");
    return catalog;
}

void serve_species_get(struct serve_request *request) {
    struct page page;
    const struct serve_catalog *catalog = catalog_for(request);
    if (catalog != NULL && read_page(request, &page)) answer_page(request, catalog, &page, NULL);
}

void serve_project_species_get(struct serve_request *request) {
    struct page page;
    char flora[160];
    const struct serve_catalog *catalog = catalog_for(request);
    if (catalog == NULL || !read_page(request, &page)) return;
    int found = serve_project_find(request->serve->config, catalog->references, request->captures[0], flora,
                                   sizeof flora);
    bool *listed = found > 0 ? serve_listed_taxa(catalog->references, flora) : NULL;
    if (found < 0)
        serve_answer_error(request, 404, "Project \"%.64s\" not found", request->captures[0]);
    else if (found > 0 && listed == NULL)
        serve_answer_error(request, 500, "out of memory");
    else
        answer_page(request, catalog, &page, listed);
    free(listed);
}

/* ---- names as people type them ---- */

static json_t *match_json(const struct linnet_lookup *lookup, const struct linnet_lookup_match *match,
                          const char *lang) {
    static const char *const kinds[] = {"accepted", "synonym", "common"};
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:{s:s, s:s, s:s, s:i}}", "id", match->id,
                     "scientificNameWithoutAuthor", match->scientific_name, "scientificNameAuthorship",
                     match->authorship, "rank", linnet_rank_name(match->rank), "commonName",
                     linnet_lookup_common(lookup, match->taxon, lang), "matched", "name", match->name, "kind",
                     kinds[match->kind], "language", match->language, "distance", (int)match->distance);
}

void serve_taxa_get(struct serve_request *request) {
    struct linnet_lookup_match matches[FOUND_MAX];
    const struct serve_catalog *catalog = catalog_for(request);
    const char *query = serve_param(request, "query"), *lang = serve_param(request, "lang");
    struct linnet_lookup_options options = {0};
    if (catalog == NULL || !serve_read_number(request, "pageSize", 1, FOUND_MAX, FOUND, &options.limit))
        return;
    if (query == NULL || *query == '\0') {
        serve_answer_error(request, 400, "\"query\" is required");
        return;
    }
    json_t *list = json_array();
    size_t n = linnet_lookup_find(catalog->lookup, query, &options, matches);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, match_json(catalog->lookup, &matches[i], lang != NULL ? lang : "en"));
    serve_answer_json(request, 200, list);
}

void serve_languages_get(struct serve_request *request) {
    const struct serve_catalog *catalog = catalog_for(request);
    if (catalog != NULL) serve_answer_json(request, 200, json_incref(catalog->languages));
}
