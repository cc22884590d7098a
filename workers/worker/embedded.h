/* Texts that the build puts into the program. */
#ifndef LINNET_WORKER_EMBEDDED_H
#define LINNET_WORKER_EMBEDDED_H

struct linnet_embedded {
    const char *name; /* the file's, without .schema.json */
    const char *text;
};

/* Every file of schemas/; ended by a NULL name. */
extern const struct linnet_embedded linnet_embedded_schemas[];

#endif
