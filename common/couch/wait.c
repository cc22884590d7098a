/* Blocking calls for the admin commands: run the loop until the answer is there. */
#include "common/couch/internal.h"

struct answer {
    bool there;
    int error;
    long status;
    json_t *json;
    struct linnet_error *err;
};

static void on_answer(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                      void *arg) {
    (void)request;
    struct answer *answer = arg;
    answer->there = true;
    answer->error = response->error;
    answer->status = response->status;
    if (response->error)
        linnet_error_set(answer->err, response->error, "%s", response->detail);
    else
        answer->json = json_incref(response->json);
}

int linnet_couch_wait(struct linnet_couch *couch, const struct linnet_couch_call *call, json_t **out,
                      long *status, struct linnet_error *err) {
    struct answer answer = {.err = err};
    int rc = linnet_couch_request(couch, call, on_answer, &answer, NULL);
    if (rc) return linnet_error_set(err, rc, "%s %s: %s", call->method, call->path, linnet_error_message(rc));
    while (!answer.there)
        uv_run(couch->loop, UV_RUN_ONCE);
    if (status) *status = answer.status;
    if (answer.error) return answer.error;
    if (out)
        *out = answer.json;
    else
        json_decref(answer.json);
    return 0;
}

struct probing {
    bool there;
    int error;
    struct linnet_couch_server server;
    struct linnet_error *err;
};

static void on_probed(int error, const char *detail, const struct linnet_couch_server *server, void *arg) {
    struct probing *probing = arg;
    probing->there = true;
    probing->error = error;
    if (error)
        linnet_error_set(probing->err, error, "%s", detail);
    else
        probing->server = *server;
}

int linnet_couch_probe_wait(struct linnet_couch *couch, enum linnet_database database,
                            struct linnet_couch_server *out, struct linnet_error *err) {
    struct probing probing = {.err = err};
    int rc = linnet_couch_probe(couch, database, on_probed, &probing);
    if (rc) return linnet_error_set(err, rc, "%s", linnet_error_message(rc));
    while (!probing.there)
        uv_run(couch->loop, UV_RUN_ONCE);
    if (!probing.error) *out = probing.server;
    return probing.error;
}
