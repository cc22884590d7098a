/* A loop, a fake server and a client on it, made anew for each test. */
#ifndef LINNET_TESTS_UNIT_COUCH_FIXTURE_H
#define LINNET_TESTS_UNIT_COUCH_FIXTURE_H

#include "common/couch/couch.h"
#include "tests/unit/couch/fake_server.h"
#include "tests/unit/test.h"

struct fixture {
    uv_loop_t loop;
    struct fake_server *server;
    struct linnet_couch *couch;
};

/* What a response held, kept for the test to look at. */
struct answer {
    int count; /* how many came */
    int error;
    long status;
    json_t *json;
    char detail[1024], body[4096], etag[64];
    size_t size;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* Open the client again with other options (url is filled in where it is NULL). */
void fixture_reopen(struct fixture *f, struct linnet_couch_options options);
/* A linnet_couch_callback whose arg is a struct answer. */
void keep_answer(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                 void *arg);
void answer_done(struct answer *answer);

#endif
