/* The web app at /app: the build that `linnet init` pushes (the same file, couchapp.json), held in memory. No
 * path of a request ever becomes the path of a file: what is not in the table is not there. */
#ifndef LINNET_SERVE_APP_H
#define LINNET_SERVE_APP_H

#include <jansson.h>

#include "common/base/error.h"
#include "workers/serve/request.h"

struct serve_app;

/* Read the app out of a couchapp (workers/cli/bundle.h; borrowed) and make its config.json of the server's
 * configuration. *out is NULL where the couchapp was built without an app. LINNET_E_INVALID: files that
 * cannot be read; LINNET_E_NOMEM. */
int serve_app_new(const json_t *couchapp, const json_t *config, struct serve_app **out,
                  struct linnet_error *err);
void serve_app_free(struct serve_app *app);

/* GET of /app (which leads to /app/), of /app/ and of what lies below it. */
void serve_app_get(struct serve_request *request);

#endif
