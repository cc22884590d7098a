/* Asking server and database what they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/couch/internal.h"

struct probe {
    struct linnet_couch *couch;
    enum linnet_database database;
    linnet_couch_server_callback *done;
    void *arg;
    struct linnet_couch_server server;
    char made[32]; /* when the database was made, "" if the server does not tell */
};

static void end(struct probe *probe, int error, const char *detail) {
    probe->done(error, detail, error ? NULL : &probe->server, probe->arg);
    free(probe);
}

static void on_identity(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                        void *arg) {
    (void)request;
    struct probe *probe = arg;
    if (response->error && response->error != LINNET_E_NOT_FOUND) {
        end(probe, response->error, response->detail);
        return;
    }
    /* Both where there are both: a copy of the databases on another server differs in the time only, a
     * database made again on a server that does not tell the time of its making in nothing. */
    const char *uuid = response->error ? "" : linnet_json_string(response->json, "uuid", "");
    snprintf(probe->server.identity, sizeof probe->server.identity, "%.47s%s%s", uuid,
             *uuid && *probe->made ? "-" : "", probe->made);
    end(probe, 0, "");
}

static void on_database(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                        void *arg) {
    (void)request;
    struct probe *probe = arg;
    if (response->error) {
        end(probe, response->error, response->detail);
        return;
    }
    probe->server.partitions = linnet_json_bool(response->json, "props/partitioned", false);
    probe->couch->partitions[probe->database] = probe->server.partitions;
    /* CouchDB gives seconds since 1970, before 3.3 always "0"; the embedded store gives the database a uuid
     * of its own; others give when the server was started, which says nothing about the database. */
    const char *made = linnet_json_string(response->json, "instance_start_time", "0");
    if (strstr(probe->server.vendor, "Apache") && strcmp(made, "0") != 0)
        snprintf(probe->made, sizeof probe->made, "%.31s", made);
    else
        snprintf(probe->made, sizeof probe->made, "%.31s", linnet_json_string(response->json, "uuid", ""));
    int rc = linnet_couch_get(probe->couch, LINNET_DB_OPS, LINNET_COUCH_IDENTITY, NULL, on_identity, probe);
    if (rc) end(probe, rc, linnet_error_message(rc));
}

static void on_server(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                      void *arg) {
    (void)request;
    struct probe *probe = arg;
    if (response->error || !linnet_json_string(response->json, "version", NULL)) {
        if (response->error)
            end(probe, response->error, response->detail);
        else
            end(probe, LINNET_E_UNSUPPORTED, "what answers at the store's URL is no CouchDB");
        return;
    }
    snprintf(probe->server.version, sizeof probe->server.version, "%.31s",
             linnet_json_string(response->json, "version", ""));
    snprintf(probe->server.vendor, sizeof probe->server.vendor, "%.63s",
             linnet_json_string(response->json, "vendor/name", ""));
    struct linnet_buf path = {0};
    int rc = linnet_buf_append(&path, "/", 1);
    if (!rc) rc = linnet_couch_escape(&path, linnet_couch_database(probe->couch, probe->database));
    const struct linnet_couch_call call = {.method = "GET", .path = path.data};
    if (!rc) rc = linnet_couch_request(probe->couch, &call, on_database, probe, NULL);
    linnet_buf_done(&path);
    if (rc) end(probe, rc, linnet_error_message(rc));
}

int linnet_couch_probe(struct linnet_couch *couch, enum linnet_database database,
                       linnet_couch_server_callback *done, void *arg) {
    if (!linnet_couch_database(couch, database)) return LINNET_E_INVALID;
    struct probe *probe = calloc(1, sizeof *probe);
    if (!probe) return LINNET_E_NOMEM;
    *probe = (struct probe){.couch = couch, .database = database, .done = done, .arg = arg};
    const struct linnet_couch_call call = {.method = "GET", .path = "/"};
    int rc = linnet_couch_request(couch, &call, on_server, probe, NULL);
    if (rc) free(probe);
    return rc;
}
