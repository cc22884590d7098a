/* The form of a request: its pictures, each read into memory once, and its fields. One thread. */
#ifndef LINNET_SERVE_FORM_H
#define LINNET_SERVE_FORM_H

#include "common/base/digest.h"
#include "workers/host/bytes.h"
#include "workers/serve/multipart.h"
#include "workers/serve/params.h"

#define SERVE_IMAGES_MAX 5
#define SERVE_FIELDS_MAX 32

struct serve_image {
    struct linnet_bytes *bytes;
    char digest[LINNET_DIGEST_SIZE]; /* SHA-256 of them */
    const char *type;                /* "image/jpeg", "image/png"; static */
    char *filename;                  /* "" if none was given */
};

struct serve_form_limits {
    const char *file;          /* name of the field with the pictures: "images" */
    size_t images;             /* most of them, SERVE_IMAGES_MAX at most */
    size_t bytes;              /* of all pictures together */
    const char *const *fields; /* names of fields that there may be, ended by NULL */
};

struct serve_form {
    struct serve_form_limits limits;
    struct serve_image images[SERVE_IMAGES_MAX];
    size_t nimages;
    struct serve_param fields[SERVE_FIELDS_MAX]; /* owned */
    size_t nfields;
    int status; /* the HTTP status that a failure stands for; 0: none */

    struct serve_multipart parser;
    struct linnet_buf part;
    struct linnet_digest digest;
    char *name, *filename; /* of the part that is being read */
    size_t bytes;
};

/* Start with the request's Content-Type. Negative: `err` has words, out->status the HTTP status. To be given
 * to serve_form_done in any case. */
int serve_form_init(struct serve_form *out, const char *content_type, const struct serve_form_limits *limits,
                    struct linnet_error *err);
int serve_form_feed(struct serve_form *form, const char *bytes, size_t size, struct linnet_error *err);
int serve_form_finish(struct serve_form *form, struct linnet_error *err);
void serve_form_done(struct serve_form *form);
/* Take over what has been read: pictures and fields. `from` is empty after, `to` (uninitialised before) is to
 * be given to serve_form_done. */
void serve_form_move(struct serve_form *from, struct serve_form *to);

/* The `index`th field of a name (or "name[]"), NULL if there are not so many. */
const char *serve_form_field(const struct serve_form *form, const char *name, size_t index);
/* Add a picture that came otherwise than in a form (`bytes`: own reference taken). As above. */
int serve_form_add_image(struct serve_form *form, struct linnet_bytes *bytes, const char *filename,
                         struct linnet_error *err);

#endif
