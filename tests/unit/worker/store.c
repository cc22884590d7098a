#include "tests/unit/test.h"

#include "tests/unit/worker/store.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/json.h"

static char url[256], prefix[64], folder[64];
static pid_t node;
static uv_loop_t loop;
static struct linnet_couch *couch;

/* The embedded store in a child that does not outlive this program. Its first line is its address. */
static bool start_embedded(void) {
    int out[2];
    if (system("command -v node >/dev/null && " LINNET_SOURCE "/deploy/embedded/install.sh") != 0)
        return false;
    snprintf(folder, sizeof folder, "/tmp/linnet-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(pipe(out), 0);
    node = fork();
    if (node == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        execlp("node", "node", LINNET_SOURCE "/deploy/embedded/store.js", "--dir", folder, "--admin",
               "admin:test", "--port", "0", "--quiet", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    char line[128] = "";
    FILE *file = fdopen(out[0], "r");
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    assert_int_equal(strncmp(line, "http://", 7), 0);
    snprintf(url, sizeof url, "http://admin:test@%s", line + 7);
    return true;
}

static json_t *call(const char *method, const char *path, const char *body, long *status) {
    struct linnet_couch_call request = {
        .method = method, .path = path, .body = body, .size = body != NULL ? strlen(body) : 0};
    struct linnet_error err = {0};
    json_t *answer = NULL;
    *status = 0;
    linnet_couch_wait(couch, &request, &answer, status, &err);
    if (*status == 0) fail_msg("%s %s: %s", method, path, err.detail);
    return answer;
}

static void database(const char *method, enum linnet_database which) {
    char path[160];
    long status;
    snprintf(path, sizeof path, "/%s", linnet_couch_database(couch, which));
    json_decref(call(method, path, NULL, &status));
}

static void make_databases(void) {
    struct linnet_error err;
    snprintf(prefix, sizeof prefix, "test%08x", randombytes_random());
    struct linnet_couch_options options = {.url = url, .prefix = prefix};
    if (linnet_couch_open(&loop, &options, &couch, &err) != 0) fail_msg("%s", err.detail);
    for (enum linnet_database which = LINNET_DB_MAIN; which < LINNET_DB_NONE; which++)
        database("PUT", which);
    store_put(LINNET_DB_OPS,
              json_pack("{s:s, s:s, s:s}", "_id", LINNET_COUCH_IDENTITY, "kind", "identity", "uuid", prefix));
}

static void drop_databases(void) {
    for (enum linnet_database which = LINNET_DB_MAIN; which < LINNET_DB_NONE; which++)
        database("DELETE", which);
    linnet_couch_close(couch, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    couch = NULL;
}

void store_fresh(void) {
    drop_databases();
    make_databases();
}

bool store_open(void) {
    const char *given = getenv("LINNET_COUCHDB_URL");
    assert_true(sodium_init() >= 0);
    if (given != NULL && *given != '\0')
        snprintf(url, sizeof url, "%s", given);
    else if (!start_embedded())
        return false;
    assert_int_equal(uv_loop_init(&loop), 0);
    make_databases();
    return true;
}

void store_close(void) {
    if (couch == NULL) return;
    drop_databases();
    uv_loop_close(&loop);
    if (node <= 0) return;
    kill(node, SIGTERM);
    waitpid(node, NULL, 0);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

const char *store_url(void) {
    return url;
}

const char *store_prefix(void) {
    return prefix;
}

json_t *store_get(enum linnet_database which, const char *id) {
    char path[512];
    long status;
    snprintf(path, sizeof path, "/%s/%s", linnet_couch_database(couch, which), id);
    json_t *answer = call("GET", path, NULL, &status);
    if (status == 200) return answer;
    json_decref(answer);
    return NULL;
}

void store_put(enum linnet_database which, json_t *document) {
    char path[512];
    long status;
    const char *id = linnet_json_string(document, "_id", "");
    json_t *old = store_get(which, id);
    if (old != NULL) json_object_set(document, "_rev", json_object_get(old, "_rev"));
    snprintf(path, sizeof path, "/%s/%s", linnet_couch_database(couch, which), id);
    char *text = json_dumps(document, JSON_COMPACT);
    json_decref(call("PUT", path, text, &status));
    if (status != 201 && status != 200) fail_msg("PUT %s: %ld", path, status);
    free(text);
    json_decref(old);
    json_decref(document);
}
