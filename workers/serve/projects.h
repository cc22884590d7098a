/* Projects: the floras of the reference documents as the API knows them, and "all", which restricts nothing.
 */
#ifndef LINNET_SERVE_PROJECTS_H
#define LINNET_SERVE_PROJECTS_H

#include "workers/host/references.h"
#include "workers/serve/request.h"

/* The flora of a project: 1 and its id in `flora` ("flora:<project>"), 0 for "all", LINNET_E_NOT_FOUND.
 * Aliases of the configuration are followed once. */
int serve_project_find(const json_t *config, const struct linnet_references *references, const char *project,
                       char *flora, size_t size);

extern const char *const serve_projects_query[];
void serve_projects_get(struct serve_request *request); /* GET /v2/projects */

#endif
