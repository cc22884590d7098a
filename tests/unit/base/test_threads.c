/* What any thread may call, called by many at once. Run under the thread sanitizer it says whether that
 * holds. */
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/base/schema.h"
#include "common/base/ulid.h"

enum { THREADS = 4, ROUNDS = 500 };

struct shared {
    struct linnet_metrics *metrics;
    struct linnet_schemas *schemas;
    json_t *good, *bad;
    int failures; /* written by join only */
};

static void *work(void *arg) {
    struct shared *shared = arg;
    intptr_t failures = 0;
    for (int i = 0; i < ROUNDS; i++) {
        char labels[32], ulid[LINNET_ULID_SIZE], digest[65];
        struct linnet_error err;
        snprintf(labels, sizeof labels, "n=\"%d\"", i % 7);
        linnet_metric_add(linnet_metrics_counter(shared->metrics, "rounds_total", NULL, "Rounds."), 1);
        linnet_metric_add(linnet_metrics_counter(shared->metrics, "labelled_total", labels, "Rounds."), 1);
        linnet_metric_observe(linnet_metrics_histogram(shared->metrics, "took_seconds", NULL, "Time."),
                              i / 100.0);
        linnet_ulid_new(ulid);
        failures += !linnet_ulid_valid(ulid, strlen(ulid));
        failures += linnet_schemas_check(shared->schemas, "s", shared->good, &err) != 0;
        failures += linnet_schemas_check(shared->schemas, "s", shared->bad, &err) != LINNET_E_INVALID;
        failures += linnet_json_digest(shared->good, digest) != 0;
        if (i % 50 == 0) {
            struct linnet_buf text = {0};
            failures += linnet_metrics_write(shared->metrics, &text) != 0;
            linnet_buf_done(&text);
            linnet_log(LINNET_INFO, "threads", "a line", "ulid", "s", ulid, "n", "i", (long long)i, NULL);
        }
    }
    return (void *)failures;
}

static json_t *parse(const char *text) {
    json_t *value = NULL;
    assert_int_equal(linnet_json_parse(text, strlen(text), 0, &value, NULL), 0);
    return value;
}

static void *read_lines(void *arg) {
    FILE *file = arg;
    char line[4096];
    intptr_t whole = 0;
    while (fgets(line, sizeof line, file)) {
        json_t *json = json_loads(line, 0, NULL);
        whole += json != NULL;
        json_decref(json);
    }
    return (void *)whole;
}

static void threads_share_what_they_may(void **state) {
    (void)state;
    struct shared shared = {linnet_metrics_new(), linnet_schemas_new(),
                            parse("{\"a\":\"xyz\",\"l\":[1,2,3]}"), parse("{\"a\":\"abc\",\"l\":[1,1]}"), 0};
    json_t *schema =
        parse("{\"properties\":{\"a\":{\"pattern\":\"^(x|y)*z$\"},\"l\":{\"uniqueItems\":true}}}");
    assert_int_equal(linnet_schemas_add(shared.schemas, "s", schema, NULL), 0);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    linnet_log_setup(LINNET_INFO, 0, ends[1]);
    pthread_t threads[THREADS], reader;
    FILE *file = fdopen(ends[0], "r");
    assert_int_equal(pthread_create(&reader, NULL, read_lines, file), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &shared), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failures;
        pthread_join(threads[i], &failures);
        shared.failures += (int)(intptr_t)failures;
    }
    close(ends[1]);
    void *whole;
    pthread_join(reader, &whole);
    fclose(file);
    linnet_log_setup(LINNET_INFO, 0, STDERR_FILENO);
    assert_int_equal(shared.failures, 0);
    assert_int_equal((int)(intptr_t)whole, THREADS * ROUNDS / 50); /* no line in another */
    struct linnet_metric *rounds = linnet_metrics_counter(shared.metrics, "rounds_total", NULL, "Rounds.");
    assert_true(linnet_metric_value(rounds) == THREADS * ROUNDS);
    struct linnet_metric *took = linnet_metrics_histogram(shared.metrics, "took_seconds", NULL, "Time.");
    assert_true(linnet_metric_value(took) == THREADS * ROUNDS);
    linnet_metrics_free(shared.metrics);
    linnet_schemas_free(shared.schemas);
    json_decref(shared.good);
    json_decref(shared.bad);
    json_decref(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_share_what_they_may)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
