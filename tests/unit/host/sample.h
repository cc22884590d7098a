/* What the tests of the host share: an observation with pictures, and plugins that declare themselves and do
 * nothing. */
#ifndef LINNET_TESTS_HOST_SAMPLE_H
#define LINNET_TESTS_HOST_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <jansson.h>
#include <linnet/plugin.h>

#include "workers/host/observation.h"
#include "workers/host/plan.h"

#define ULID  "01J0000000000000000000TEST"
#define OTHER "01J0000000000000000000XXXX"

/* A document from a format of json_pack with _id "<ULID>:<rest>"; fails the test if it can't be. */
json_t *sample_doc(const char *rest, const char *format, ...);
/* Put such a document. */
void sample_put(struct linnet_observation *observation, json_t *document);
/* The completed output of a due item, as the host would have made it now. */
json_t *sample_output(const struct linnet_observation *observation, const struct linnet_planned_stage *stage,
                      const struct linnet_due *due);

/* Declarations like those of the real stages: normalize (image, observation present), convnet (normalized,
 * the region and organ of its view), fusion (observation with its predictions). None can be run. */
extern const struct linnet_plugin sample_normalize, sample_convnet, sample_fusion;

#endif
