/* POST /v2/survey/tiles[/{project}]: which species grow in a picture of many plants. The picture is cut into
 * overlapping tiles of several sizes, each is identified by itself, and what was found often and surely
 * enough is told with where. */
#ifndef LINNET_SERVE_SURVEY_H
#define LINNET_SERVE_SURVEY_H

#include "workers/serve/request.h"

extern const struct serve_form_limits serve_survey_form;
extern const char *const serve_survey_query[];
void serve_survey_post(struct serve_request *request);

#endif
