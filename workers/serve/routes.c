/* All endpoints. */
#include "workers/serve/app.h"
#include "workers/serve/events.h"
#include "workers/serve/identify.h"
#include "workers/serve/lists.h"
#include "workers/serve/observations.h"
#include "workers/serve/page.h"
#include "workers/serve/projects.h"
#include "workers/serve/related.h"
#include "workers/serve/router.h"
#include "workers/serve/signup.h"
#include "workers/serve/status.h"
#include "workers/serve/survey.h"

static const char *const none[] = {NULL};

const struct serve_route serve_routes[] = {
    {"POST", "/v2/identify/{project}", SERVE_FORM, SERVE_KEYED | SERVE_READY, &serve_identify_form,
     serve_identify_query, serve_identify_post},
    {"GET", "/v2/projects", SERVE_NO_BODY, SERVE_KEYED | SERVE_READY, NULL, serve_projects_query,
     serve_projects_get},
    {"GET", "/v2/projects/{project}/species", SERVE_NO_BODY, SERVE_KEYED | SERVE_READY, NULL,
     serve_species_query, serve_project_species_get},
    {"GET", "/v2/species", SERVE_NO_BODY, SERVE_KEYED | SERVE_READY, NULL, serve_species_query,
     serve_species_get},
    {"GET", "/v2/taxa", SERVE_NO_BODY, SERVE_KEYED | SERVE_READY, NULL, serve_taxa_query, serve_taxa_get},
    {"GET", "/v2/languages", SERVE_NO_BODY, SERVE_KEYED | SERVE_READY, NULL, none, serve_languages_get},
    {"GET", "/v2/events", SERVE_NO_BODY, SERVE_KEYED, NULL, serve_events_query, serve_events_get},
    {"POST", "/v2/signup", SERVE_JSON, 0, NULL, none, serve_signup_post},
    {"GET", "/v2/quota/daily", SERVE_NO_BODY, SERVE_KEYED, NULL, none, serve_quota_get},
    {"GET", "/v2/identify/{project}", SERVE_NO_BODY, SERVE_KEYED | SERVE_READY, NULL,
     serve_identify_urls_query, serve_identify_get},
    {"POST", "/v2/similar", SERVE_FORM, SERVE_KEYED | SERVE_READY, &serve_identify_form, serve_looks_query,
     serve_looks_post},
    {"POST", "/v2/similar/{project}", SERVE_FORM, SERVE_KEYED | SERVE_READY, &serve_identify_form,
     serve_looks_query, serve_looks_post},
    {"GET", "/v2/similar", SERVE_NO_BODY, SERVE_KEYED | SERVE_READY, NULL, serve_looks_urls_query,
     serve_looks_get},
    {"GET", "/v2/similar/{project}", SERVE_NO_BODY, SERVE_KEYED | SERVE_READY, NULL, serve_looks_urls_query,
     serve_looks_get},
    {"GET", "/v2/duplicates", SERVE_NO_BODY, SERVE_KEYED | SERVE_READY, NULL, serve_duplicates_query,
     serve_duplicates_get},
    {"GET", "/v2/observations/{id}", SERVE_NO_BODY, SERVE_KEYED | SERVE_READY, NULL, serve_observation_query,
     serve_observation_get},
    {"GET", "/v2/observations/{id}/images/{digest}/{size}", SERVE_NO_BODY, SERVE_READY, NULL, none,
     serve_observation_image_get},
    {"POST", "/v2/survey/tiles", SERVE_FORM, SERVE_KEYED | SERVE_READY, &serve_survey_form,
     serve_survey_query, serve_survey_post},
    {"POST", "/v2/survey/tiles/{project}", SERVE_FORM, SERVE_KEYED | SERVE_READY, &serve_survey_form,
     serve_survey_query, serve_survey_post},
    {"GET", "/v2/_status", SERVE_NO_BODY, 0, NULL, none, serve_status_get},
    {"GET", "/healthz", SERVE_NO_BODY, SERVE_QUIET, NULL, none, serve_health_get},
    {"GET", "/readyz", SERVE_NO_BODY, SERVE_QUIET, NULL, none, serve_ready_get},
    {"GET", "/metrics", SERVE_NO_BODY, SERVE_QUIET, NULL, none, serve_metrics_get},
    {"GET", "/app", SERVE_NO_BODY, 0, NULL, NULL, serve_app_get},
    {"GET", "/app/{file}", SERVE_NO_BODY, SERVE_QUIET, NULL, NULL, serve_app_get},
    {"GET", "/app/{folder}/{file}", SERVE_NO_BODY, SERVE_QUIET, NULL, NULL, serve_app_get},
    {"GET", "/", SERVE_NO_BODY, 0, NULL, NULL, serve_page_get},
    {"GET", "/docs", SERVE_NO_BODY, 0, NULL, NULL, serve_page_get},
    {"GET", "/page.css", SERVE_NO_BODY, SERVE_QUIET, NULL, NULL, serve_page_get},
    {"GET", "/page.js", SERVE_NO_BODY, SERVE_QUIET, NULL, NULL, serve_page_get},
    {"GET", "/docs.js", SERVE_NO_BODY, SERVE_QUIET, NULL, NULL, serve_page_get},
    {"GET", "/openapi.json", SERVE_NO_BODY, 0, NULL, NULL, serve_page_get},
    {NULL, NULL, SERVE_NO_BODY, 0, NULL, NULL, NULL},
};
