#include "workers/serve/submit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/time.h"
#include "workers/picture/strip.h"

struct submission {
    struct linnet_couch *couch;
    const struct serve_sighting *sighting;
    char digests[SERVE_IMAGES_MAX][LINNET_DIGEST_SIZE]; /* of the pictures as they are stored */
    size_t next;                                        /* picture to write; all: the observation */
    serve_submitted_callback *done;
    void *arg;
};

static int go_on(struct submission *submission, struct linnet_error *err);

static void on_written(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                       void *arg) {
    struct submission *submission = arg;
    struct linnet_error err = {0};
    int error = response->error;
    (void)request;
    if (error == 0 && submission->next++ < submission->sighting->form->nimages) {
        error = go_on(submission, &err);
        if (error == 0) return;
    } else if (error != 0) {
        linnet_error_set(&err, error, "%s", response->detail);
    }
    submission->done(submission->arg, error, err.detail);
    free(submission);
}

static int put(struct submission *submission, json_t *document, struct linnet_error *err) {
    int rc = document != NULL
                 ? linnet_couch_put(submission->couch, LINNET_DB_MAIN, document, on_written, submission)
                 : LINNET_E_NOMEM;
    json_decref(document);
    return rc != 0 ? linnet_error_set(err, rc, "out of memory") : 0;
}

static int put_image(struct submission *submission, struct linnet_error *err) {
    const struct serve_image *image = &submission->sighting->form->images[submission->next];
    char *digest = submission->digests[submission->next], id[LINNET_ID_MAX], now[LINNET_TIME_SIZE];
    void *clean;
    size_t size;
    int rc = linnet_strip(image->bytes->data, image->bytes->size, &clean, &size, err);
    if (rc != 0) return rc;
    linnet_digest_bytes(clean, size, digest);
    for (size_t i = 0; i < submission->next; i++)
        if (strcmp(submission->digests[i], digest) == 0) { /* the same picture again is the same document */
            free(clean);
            submission->next++;
            return go_on(submission, err);
        }
    linnet_time_format(linnet_time_now(), now);
    linnet_id_format(submission->sighting->ulid, "image", digest, id);
    json_t *document = json_pack("{s:s, s:s, s:s, s:s}", "_id", id, "kind", "image", "observer",
                                 submission->sighting->observer, "created_at", now);
    if (document != NULL && linnet_couch_attach(document, "original", image->type, clean, size) != 0) {
        json_decref(document);
        document = NULL;
    }
    free(clean);
    return put(submission, document, err);
}

static int put_observation(struct submission *submission, struct linnet_error *err) {
    const struct serve_sighting *sighting = submission->sighting;
    char id[LINNET_ID_MAX], now[LINNET_TIME_SIZE];
    json_t *views = json_array();
    for (size_t i = 0; i < sighting->form->nimages; i++) {
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again |= strcmp(submission->digests[i], submission->digests[j]) == 0;
        if (!again)
            json_array_append_new(views, json_pack("{s:s, s:s}", "image", submission->digests[i], "organ",
                                                   sighting->organs[i]));
    }
    linnet_time_format(linnet_time_now(), now);
    linnet_id_format(sighting->ulid, "observation", NULL, id);
    return put(submission,
               json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s*}", "_id", id, "kind", "observation", "observer",
                         sighting->observer, "created_at", now, "observed_at", now, "views", views, "flora",
                         sighting->flora),
               err);
}

static int go_on(struct submission *submission, struct linnet_error *err) {
    return submission->next < submission->sighting->form->nimages ? put_image(submission, err)
                                                                  : put_observation(submission, err);
}

int serve_submit(struct linnet_couch *couch, const struct serve_sighting *sighting,
                 serve_submitted_callback *done, void *arg) {
    struct linnet_error err = {0};
    struct submission *submission = calloc(1, sizeof *submission);
    if (submission == NULL) return LINNET_E_NOMEM;
    *submission = (struct submission){.couch = couch, .sighting = sighting, .done = done, .arg = arg};
    int rc = go_on(submission, &err);
    if (rc != 0) free(submission);
    return rc;
}
