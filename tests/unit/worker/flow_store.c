#include "tests/unit/worker/flow_store.h"

#include "tests/unit/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/json.h"

#ifndef STORE_JS
#error "STORE_JS: the path of deploy/embedded/store.js"
#endif

static struct {
    pid_t pid;
    char dir[64], url[200], port[16];
} server;

/* ---- the server ---- */

static void launch(const char *port) {
    int out[2];
    assert_int_equal(pipe(out), 0);
    server.pid = fork();
    assert_true(server.pid >= 0);
    if (server.pid == 0) {
        char log[80];
        setsid(); /* a group of its own, so that the server can be killed with its supervisor */
        snprintf(log, sizeof(log), "%s/log", server.dir);
        dup2(out[1], 1);
        close(out[0]);
        close(out[1]);
        FILE *file = freopen(log, "a", stderr);
        setenv("LINNET_STORE_ADMIN", "admin:secret", 1);
        if (file) execlp("node", "node", STORE_JS, "--dir", server.dir, "--port", port, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *lines = fdopen(out[0], "r");
    char line[128] = "";
    if (!fgets(line, sizeof(line), lines))
        fail_msg("the embedded store did not start: see %s/log", server.dir);
    fclose(lines);
    line[strcspn(line, "\n")] = '\0';
    snprintf(server.url, sizeof(server.url), "http://admin:secret@%s", line + strlen("http://"));
    snprintf(server.port, sizeof(server.port), "%s", strrchr(line, ':') + 1);
}

int store_start(void **state) {
    (void)state;
    const char *given = getenv("LINNET_COUCHDB_URL");
    if (given && *given) {
        snprintf(server.url, sizeof(server.url), "%s", given);
        return 0;
    }
    snprintf(server.dir, sizeof(server.dir), "/tmp/linnet-test-XXXXXX");
    assert_non_null(mkdtemp(server.dir));
    launch("0");
    return 0;
}

static void end(int signal) {
    /* The supervisor runs the server in a child of its own; SIGTERM makes it end both, SIGKILL goes to both. */
    kill(signal == SIGKILL ? -server.pid : server.pid, signal);
    waitpid(server.pid, NULL, 0);
    server.pid = 0;
}

int store_stop(void **state) {
    (void)state;
    if (!server.pid) return 0;
    end(SIGTERM);
    char command[100];
    snprintf(command, sizeof(command), "rm -rf %s", server.dir);
    return system(command);
}

bool store_is_ours(void) {
    return server.pid != 0;
}

void store_kill(void) {
    end(SIGKILL);
}

void store_restart(void) {
    launch(server.port);
}

/* ---- requests ---- */

json_t *store_request(struct store *store, const char *method, const char *path, json_t *body, long status) {
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct linnet_couch_call call = {
        .method = method, .path = path, .body = text, .size = text ? strlen(text) : 0, .free_body = free};
    json_t *answer = NULL;
    long got = 0;
    struct linnet_error err = {0};
    linnet_couch_wait(store->couch, &call, &answer, &got, &err);
    json_decref(body);
    if (status && got != status)
        fail_msg("%s %s: %ld, expected %ld: %s", method, path, got, status, err.detail);
    return answer;
}

const char *store_database(struct store *store, enum linnet_database database) {
    return linnet_couch_database(store->couch, database);
}

struct store *store_new(void) {
    static unsigned count;
    struct store *store = calloc(1, sizeof(*store));
    assert_non_null(store);
    snprintf(store->url, sizeof(store->url), "%s", server.url);
    snprintf(store->prefix, sizeof(store->prefix), "flow%ld-%u", (long)getpid(), count++);
    assert_int_equal(uv_loop_init(&store->loop), 0);
    struct linnet_couch_options options = {.url = store->url, .prefix = store->prefix};
    struct linnet_error err;
    if (linnet_couch_open(&store->loop, &options, &store->couch, &err)) fail_msg("%s", err.detail);
    for (int d = 0; d < LINNET_DB_NONE; d++) {
        char path[128];
        long status = 0;
        struct linnet_couch_call call = {.method = "PUT", .path = path};
        snprintf(path, sizeof(path), "/%s?partitioned=%s", store_database(store, (enum linnet_database)d),
                 d == LINNET_DB_MAIN ? "true" : "false");
        linnet_couch_wait(store->couch, &call, NULL, &status, &err);
        if (status != 201) fail_msg("PUT %s: %ld %s", path, status, err.detail);
    }
    return store;
}

void store_free(struct store *store) {
    for (int d = 0; d < LINNET_DB_NONE; d++) {
        char path[128];
        snprintf(path, sizeof(path), "/%s", store_database(store, (enum linnet_database)d));
        json_decref(store_request(store, "DELETE", path, NULL, 0));
    }
    linnet_couch_close(store->couch, NULL, NULL);
    uv_run(&store->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&store->loop), 0);
    free(store);
}

/* ---- documents ---- */

void store_put_all(struct store *store, enum linnet_database database, json_t *documents, bool new_edits) {
    char path[128];
    snprintf(path, sizeof(path), "/%s/_bulk_docs", store_database(store, database));
    json_t *body = json_pack("{s:o, s:b}", "docs", documents, "new_edits", new_edits);
    json_t *answer = store_request(store, "POST", path, body, 201), *row;
    size_t i;
    json_array_foreach(answer, i, row) {
        if (json_object_get(row, "error"))
            fail_msg("%s: %s", linnet_json_string(row, "id", ""), json_dumps(row, 0));
    }
    json_decref(answer);
}

void store_put(struct store *store, json_t *document) {
    store_put_all(store, LINNET_DB_MAIN, json_pack("[o]", document), true);
}

json_t *store_get(struct store *store, enum linnet_database database, const char *id) {
    char path[700];
    snprintf(path, sizeof(path), "/%s/%s?conflicts=true", store_database(store, database), id);
    json_t *document = store_request(store, "GET", path, NULL, 0);
    if (document && !json_object_get(document, "error")) return document;
    json_decref(document);
    return NULL;
}

void store_delete(struct store *store, enum linnet_database database, const char *id) {
    json_t *document = store_get(store, database, id);
    assert_non_null(document);
    json_t *tombstone =
        json_pack("{s:s, s:O, s:b}", "_id", id, "_rev", json_object_get(document, "_rev"), "_deleted", 1);
    store_put_all(store, database, json_pack("[o]", tombstone), true);
    json_decref(document);
}

json_t *store_all(struct store *store, enum linnet_database database) {
    char path[128];
    snprintf(path, sizeof(path), "/%s/_all_docs?include_docs=true&conflicts=true",
             store_database(store, database));
    json_t *answer = store_request(store, "GET", path, NULL, 200), *all = json_object(), *row;
    size_t i;
    json_array_foreach(json_object_get(answer, "rows"), i, row) {
        const char *id = linnet_json_string(row, "id", "");
        if (*id != '_') json_object_set(all, id, json_object_get(row, "doc"));
    }
    json_decref(answer);
    return all;
}

size_t store_count(struct store *store, enum linnet_database database, const char *part) {
    char path[128];
    snprintf(path, sizeof(path), "/%s/_all_docs", store_database(store, database));
    json_t *answer = store_request(store, "GET", path, NULL, 200), *row;
    size_t i, n = 0;
    json_array_foreach(json_object_get(answer, "rows"), i, row) {
        n += strstr(linnet_json_string(row, "id", ""), part) != NULL;
    }
    json_decref(answer);
    return n;
}

long long store_last_seq(struct store *store) {
    char path[128];
    snprintf(path, sizeof(path), "/%s/_changes?since=now&limit=1", store_database(store, LINNET_DB_MAIN));
    json_t *answer = store_request(store, "GET", path, NULL, 200), *seq = json_object_get(answer, "last_seq");
    long long number = json_is_integer(seq) ? json_integer_value(seq) : atoll(json_string_value(seq));
    json_decref(answer);
    return number;
}
