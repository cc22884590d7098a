/* GET /v2/species, /v2/projects/{project}/species, /v2/taxa and /v2/languages. */
#ifndef LINNET_SERVE_LISTS_H
#define LINNET_SERVE_LISTS_H

#include "workers/host/references.h"
#include "workers/serve/request.h"

extern const char *const serve_species_query[], *const serve_taxa_query[];
void serve_species_get(struct serve_request *request); /* all species; `prefix`, `page`, `pageSize`, `lang` */
void serve_project_species_get(struct serve_request *request); /* those of a flora */
void serve_taxa_get(
    struct serve_request *request); /* what `query` may mean, best first; `pageSize`, `lang` */
void serve_languages_get(struct serve_request *request);

/* Taxa that the flora lists, by index: itself or all under it; malloc()ed. NULL: out of memory. */
bool *serve_listed_taxa(const struct linnet_references *references, const char *flora);

/* A number in the query, `fallback` if it is not there. False: it is none from `least` to `most`, and the
 * request has been answered. */
bool serve_read_number(struct serve_request *request, const char *name, size_t least, size_t most,
                       size_t fallback, size_t *out);

#endif
