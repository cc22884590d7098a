/* The schemas of Linnet's documents (schemas/), built into the program. */
#ifndef LINNET_WORKER_DOCUMENTS_H
#define LINNET_WORKER_DOCUMENTS_H

#include "common/base/schema.h"

/* A new set of all of them, by kind ("observation"). LINNET_E_NOMEM; LINNET_E_INVALID with the fault of a
 * schema. */
int linnet_document_schemas(struct linnet_schemas **out, struct linnet_error *err);

#endif
