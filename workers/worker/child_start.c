/* From the configuration to groups at work:
 *   connect -> probe the databases -> follow linnet-reference -> first snapshot: open groups -> first round
 * of members: take shares What may get better by itself (a store that is down or not initialised, a model
 * that is not published yet) is waited for, and /readyz and the log say what for; what cannot (a missing
 * plugin, wrong credentials) ends the worker. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "workers/worker/child.h"
#include "workers/worker/child_room.h"
#include "workers/worker/config.h"
#include "workers/worker/documents.h"

#define RETRY_LIMIT_MS 10000

static void probe(struct child *child);
static void wait_for_store(struct child *child, int error, const char *detail);

/* ---- groups ---- */

static void start_group(struct child *child, struct child_group *entry) {
    if (child->check) return;
    linnet_group_review(entry->group);
    if (child->members_read) linnet_group_start(entry->group);
}

static void on_round(void *arg) {
    struct child *child = arg;
    bool first = !child->members_read;
    child->members_read = true;
    linnet_suspects_refresh(child->suspects, NULL, NULL);
    for (size_t i = 0; i < child->ngroups; i++) {
        if (child->groups[i].group == NULL) continue;
        linnet_group_review(child->groups[i].group);
        linnet_group_sweep(child->groups[i].group);
        if (first) linnet_group_start(child->groups[i].group);
    }
}

static void on_group_changed(void *arg) {
    struct child *child = arg;
    if (child->members != NULL && !child->draining && !child->closing && child->members_read)
        linnet_members_beat(child->members);
    child_report(child);
}

static void on_group_fatal(void *arg, const char *group, int error, const char *detail) {
    struct child *child = arg;
    char text[700];
    snprintf(text, sizeof text, "group %s: %s (%s)", group, detail, linnet_error_message(error));
    child_fatal(child, text);
}

static bool uses_model(void *arg, const char *model) {
    const struct child *child = arg;
    for (size_t i = 0; i < child->ngroups; i++)
        if (child->groups[i].group != NULL && linnet_group_uses_model(child->groups[i].group, model))
            return true;
    return false;
}

/* False: it cannot get better by itself. */
static bool open_group(struct child *child, struct child_group *entry) {
    struct linnet_error err = {0};
    int rc = linnet_group_open(&child->context, entry->name, child->references, &entry->group, &err);
    if (rc == 0) {
        entry->why[0] = '\0';
        start_group(child, entry);
        return true;
    }
    bool waits = rc == LINNET_E_PLUGIN &&
                 !child->check; /* the stage's own words: perhaps a model that is not there yet */
    if (waits && strcmp(entry->why, err.detail) != 0)
        linnet_log(LINNET_WARN, "worker", "a group waits until its stages can be opened", "why", "s",
                   err.detail, NULL);
    snprintf(entry->why, sizeof entry->why, "%s", err.detail);
    return waits;
}

void child_open_groups(struct child *child) {
    if (child->draining || child->closing) return;
    linnet_channel_send(&child->channel, json_pack("{s:b}", "busy", 1));
    for (size_t i = 0; i < child->ngroups; i++) {
        if (child->groups[i].group != NULL || open_group(child, &child->groups[i])) continue;
        child_fatal(child, child->groups[i].why);
        return;
    }
    child->phase[0] = '\0';
    if (child->check) {
        linnet_channel_send(&child->channel, json_pack("{s:b}", "drained", 1));
        child_close(child, 0);
        return;
    }
    child_report(child);
}

/* ---- references ---- */

static void on_loaded(void *arg, struct linnet_references *references, const json_t *changed) {
    struct child *child = arg;
    bool first = child->references == NULL;
    linnet_references_unref(child->references);
    child->references = linnet_references_ref(references);
    child->trouble[0] = '\0';
    if (child->draining || child->closing) return;
    if (first)
        linnet_log(LINNET_INFO, "reference", "loaded", "taxa", "i",
                   (json_int_t)linnet_taxonomy_size(linnet_references_taxonomy(references)), NULL);
    linnet_channel_send(&child->channel, json_pack("{s:b}", "busy", 1));
    for (size_t i = 0; i < child->ngroups; i++) {
        struct linnet_error err = {0};
        if (child->groups[i].group == NULL) continue;
        if (linnet_group_reload(child->groups[i].group, references, changed, &err) != 0)
            linnet_log(LINNET_ERROR, "stage",
                       "cannot be opened with the new reference documents: the old goes on", "why", "s",
                       err.detail, NULL);
        linnet_group_review(child->groups[i].group);
    }
    child_open_groups(child);
    child_tell_guest(child, changed);
}

static void on_load_failed(void *arg, const char *detail) {
    struct child *child = arg;
    if (child->trouble[0] == '\0')
        linnet_log(LINNET_ERROR, "reference", "no snapshot could be made", "why", "s", detail, NULL);
    snprintf(child->trouble, sizeof child->trouble, "linnet-reference: %s", detail);
    if (child->check)
        child_fatal(child, child->trouble);
    else
        child_report(child);
}

/* ---- what the groups lean on ---- */

static int open_members(struct child *child) {
    struct linnet_members_options options = {.loop = &child->loop,
                                             .couch = child->lease_couch,
                                             .id = child->worker,
                                             .term_ms =
                                                 linnet_json_integer(child->config, "lease/term_ms", 30000),
                                             .describe = child_describe,
                                             .round = on_round,
                                             .arg = child};
    return linnet_members_open(&options, &child->members);
}

static void fill_context(struct child *child) {
    child->context = (struct linnet_group_context){.loop = &child->loop,
                                                   .couch = child->couch,
                                                   .lease_couch = child->lease_couch,
                                                   .metrics = child->metrics,
                                                   .members = child->members,
                                                   .suspects = child->suspects,
                                                   .inflight = child->inflight,
                                                   .schemas = child->schemas,
                                                   .site_key = child->has_site_key ? &child->site_key : NULL,
                                                   .config = child->config,
                                                   .worker = child->worker,
                                                   .session = child->session,
                                                   .identity = child->server.identity,
                                                   .partitions = child->server.partitions,
                                                   .changed = on_group_changed,
                                                   .fatal = on_group_fatal,
                                                   .arg = child};
}

/* The suspects are known before anything runs: a document that kills must not come first in a batch with
 * others. */
static void on_suspects(void *arg, int error, const char *detail) {
    struct child *child = arg;
    struct linnet_error err = {0};
    if (child->closing) return;
    if (error != 0) {
        wait_for_store(child, error, detail);
        return;
    }
    if (!child->check && open_members(child) != 0) {
        child_fatal(child, "out of memory");
        return;
    }
    fill_context(child);
    snprintf(child->phase, sizeof child->phase, "loading linnet-reference");
    struct linnet_reference_loader_options options = {.loop = &child->loop,
                                                      .couch = child->couch,
                                                      .cache_dir =
                                                          linnet_json_string(child->config, "cache_dir", "."),
                                                      .uses_model = uses_model,
                                                      .loaded = on_loaded,
                                                      .failed = on_load_failed,
                                                      .arg = child};
    if (linnet_reference_loader_open(&options, &child->loader, &err) != 0) child_fatal(child, err.detail);
}

static void connected(struct child *child) {
    linnet_log(LINNET_INFO, "worker", "connected", "store", "s", child->server.vendor, "version", "s",
               child->server.version, "partitions", "b", (int)child->server.partitions, "worker", "s",
               child->worker, NULL);
    int rc = child->suspects == NULL ? linnet_suspects_open(child->lease_couch, &child->suspects) : 0;
    if (rc == 0) rc = linnet_suspects_refresh(child->suspects, on_suspects, child);
    if (rc != 0) child_fatal(child, linnet_error_message(rc));
}

/* ---- the store ---- */

static void on_retry(uv_timer_t *timer) {
    probe(timer->data);
}

static void wait_for_store(struct child *child, int error, const char *detail) {
    const char *url = linnet_json_string(child->config, "couchdb/url", ""),
               *prefix = linnet_json_string(child->config, "couchdb/prefix", "");
    char text[700];
    if (error == LINNET_E_NOT_FOUND)
        snprintf(text, sizeof text,
                 "the store has no database %s: run `linnet init` (with the same URL and prefix)", prefix);
    else if (error == LINNET_E_AUTH || error == LINNET_E_DENIED)
        snprintf(text, sizeof text,
                 "the store refuses our credentials (%s): check LINNET_COUCHDB_URL or couchdb.user and its "
                 "password file",
                 detail);
    else
        snprintf(text, sizeof text, "cannot reach the store: %s; is it running, and is the URL right?",
                 detail);
    if (child->check || error == LINNET_E_AUTH || error == LINNET_E_UNSUPPORTED) {
        child_fatal(child, text);
        return;
    }
    if (strcmp(child->phase, text) != 0) linnet_log(LINNET_ERROR, "worker", text, "url", "s", url, NULL);
    snprintf(child->phase, sizeof child->phase, "%s", text);
    child_report(child);
    uint64_t pause = (uint64_t)250 << (child->attempts < 6 ? child->attempts : 6);
    child->attempts++;
    uv_timer_start(&child->start, on_retry, pause < RETRY_LIMIT_MS ? pause : RETRY_LIMIT_MS, 0);
}

static void on_ops_probed(int error, const char *detail, const struct linnet_couch_server *server,
                          void *arg) {
    struct child *child = arg;
    (void)server;
    if (child->closing) return;
    if (error != 0)
        wait_for_store(child, error, detail);
    else
        connected(child);
}

static void on_probed(int error, const char *detail, const struct linnet_couch_server *server, void *arg) {
    struct child *child = arg;
    if (child->closing) return;
    if (error == 0) {
        child->server = *server;
        error = linnet_couch_probe(child->couch, LINNET_DB_OPS, on_ops_probed, child);
        detail = linnet_error_message(error);
    }
    if (error != 0) wait_for_store(child, error, detail);
}

static void probe(struct child *child) {
    int rc = linnet_couch_probe(child->couch, LINNET_DB_MAIN, on_probed, child);
    if (rc != 0) wait_for_store(child, rc, linnet_error_message(rc));
}

static int open_couch(struct child *child, struct linnet_error *err) {
    long term = (long)linnet_json_integer(child->config, "lease/term_ms", 30000);
    struct linnet_couch_options options = {
        .url = linnet_json_string(child->config, "couchdb/url", ""),
        .prefix = linnet_json_string(child->config, "couchdb/prefix", "linnet"),
        .connections = (unsigned)linnet_json_integer(child->config, "couchdb/connections", 0)};
    int rc = linnet_couch_open(&child->loop, &options, &child->couch, err);
    if (rc != 0) return rc;
    options.connections = 4;
    options.request_timeout_ms = term / 2 > 1000 ? term / 2 : 1000;
    return linnet_couch_open(&child->loop, &options, &child->lease_couch, err);
}

static int open_monitor(struct child *child, struct linnet_error *err) {
    if (linnet_monitor_port(LINNET_CHILD_LISTEN) == 0) return 0; /* "off" */
    return linnet_monitor_open(LINNET_CHILD_LISTEN, child->metrics,
                               linnet_json_integer(child->config, "supervisor/hang_s", 60) * 1000 / 2,
                               &child->monitor, err);
}

static int load_site_key(struct child *child, struct linnet_error *err) {
    const char *path = linnet_json_string(child->config, "site/secret_key_file", NULL);
    if (path == NULL) return 0;
    int rc = linnet_site_key_load(path, &child->site_key, err);
    child->has_site_key = rc == 0;
    return rc == 0 ? 0 : linnet_error_prefix(err, "site.secret_key_file");
}

static int list_groups(struct child *child, struct linnet_error *err) {
    const char *name;
    json_t *unused;
    json_object_foreach(json_object_get(child->config, "groups"), name, unused) {
        if (child->ngroups == CHILD_GROUPS_MAX)
            return linnet_error_set(err, LINNET_E_LIMIT, "more than %d groups", CHILD_GROUPS_MAX);
        snprintf(child->groups[child->ngroups++].name, sizeof child->groups->name, "%s", name);
    }
    return 0;
}

void child_start(struct child *child) {
    struct linnet_error err = {0};
    snprintf(child->phase, sizeof child->phase, "starting");
    int rc = list_groups(child, &err);
    if (rc == 0) rc = linnet_document_schemas(&child->schemas, &err);
    if (rc == 0) rc = load_site_key(child, &err);
    if (rc == 0) rc = child_check_graph(child->config, &err);
    if (rc == 0) rc = open_couch(child, &err);
    if (rc == 0) rc = open_monitor(child, &err);
    if (rc == 0) rc = child_open_guest(child, &err);
    if (rc != 0) {
        child_fatal(child, err.detail);
        return;
    }
    child_start_ticks(child);
    probe(child);
}

/* ---- a new configuration ---- */

int child_reload(struct child *child, json_t *config, struct linnet_error *err) {
    const char *fixed = linnet_worker_config_needs_restart(child->config, config);
    if (fixed != NULL) return linnet_error_set(err, LINNET_E_UNSUPPORTED, "%s has changed", fixed);
    if (child->references == NULL || child->draining || child->closing)
        return linnet_error_set(err, LINNET_E_FULL, "not started yet, or ending");
    int rc = child_check_graph(config, err);
    if (rc != 0) return rc;
    json_t *old = child->config;
    child->config = json_incref(config);
    child->context.config = child->config;
    for (size_t i = 0; i < child->ngroups && rc == 0; i++)
        if (child->groups[i].group != NULL)
            rc = linnet_group_reload(child->groups[i].group, child->references, NULL, err);
    if (rc != 0) {
        child->config = old;
        child->context.config = old;
        json_decref(config);
        return rc;
    }
    json_decref(old);
    linnet_reference_loader_refresh(child->loader);
    for (size_t i = 0; i < child->ngroups; i++)
        if (child->groups[i].group != NULL) linnet_group_review(child->groups[i].group);
    return 0;
}
