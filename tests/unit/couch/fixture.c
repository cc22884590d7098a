#include "tests/unit/couch/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void count_closed(void *arg) {
    ++*(int *)arg;
}

static void open_client(struct fixture *f, struct linnet_couch_options options) {
    struct linnet_error err;
    if (!options.url) options.url = fake_server_url(f->server, "ann:sec%20ret@");
    assert_int_equal(linnet_couch_open(&f->loop, &options, &f->couch, &err), 0);
}

static void close_client(struct fixture *f) {
    int closed = 0;
    if (!f->couch) return;
    linnet_couch_close(f->couch, count_closed, &closed);
    run_until(&f->loop, &closed, 1);
    f->couch = NULL;
}

int fixture_setup(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    uv_loop_init(&f->loop);
    f->server = fake_server_new(&f->loop);
    open_client(f, (struct linnet_couch_options){0});
    *state = f;
    return 0;
}

int fixture_teardown(void **state) {
    struct fixture *f = *state;
    close_client(f);
    fake_server_free(f->server);
    uv_run(&f->loop, UV_RUN_DEFAULT); /* ends only if nothing was forgotten */
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

void fixture_reopen(struct fixture *f, struct linnet_couch_options options) {
    close_client(f);
    open_client(f, options);
}

void keep_answer(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                 void *arg) {
    (void)request;
    struct answer *answer = arg;
    answer->count++;
    answer->error = response->error;
    answer->status = response->status;
    json_decref(answer->json);
    answer->json = json_incref(response->json);
    snprintf(answer->detail, sizeof answer->detail, "%s", response->detail);
    size_t kept = response->size < sizeof answer->body - 1 ? response->size : sizeof answer->body - 1;
    if (kept) memcpy(answer->body, response->body, kept);
    answer->body[kept] = '\0';
    snprintf(answer->etag, sizeof answer->etag, "%s", response->etag ? response->etag : "");
    answer->size = response->size;
}

void answer_done(struct answer *answer) {
    json_decref(answer->json);
    *answer = (struct answer){0};
}
