/* The pages for people (the one at /, and the API's at /docs) and openapi.json: files of workers/serve/page,
 * built into the program. They load nothing from anywhere else, and their policy forbids it. */
#ifndef LINNET_SERVE_PAGE_H
#define LINNET_SERVE_PAGE_H

#include "workers/serve/request.h"

/* GET of the route's own path. */
void serve_page_get(struct serve_request *request);

/* Made by the build; ended by a NULL name. */
struct serve_asset {
    const char *name;
    const unsigned char *data;
    size_t size;
};
extern const struct serve_asset serve_assets[];

#endif
