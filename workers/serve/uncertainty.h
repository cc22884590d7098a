/* How sure an identification is, as a set: species that hold the truth with a stated probability
 * (common/calibration/conformal.h), by the thresholds that `linnet model publish --held-out` put into the
 * model's document. Pure; any thread. */
#ifndef LINNET_SERVE_UNCERTAINTY_H
#define LINNET_SERVE_UNCERTAINTY_H

#include <jansson.h>

#include "common/calibration/conformal.h"
#include "workers/host/references.h"

struct serve_uncertainty_question {
    double probability; /* 0.5..0.99 */
    enum linnet_conformal kind;
    const char *lang;
};

/* {"probability","kind","scope": "flora" or "anywhere","observations","species":[{"score","species"}],
 * "complete","ancestor"} of an identification by a model ("NAME@VERSION"). The first species always belongs:
 * a larger set holds no less. `complete` is false where no threshold promises so much: then the set is only
 * the part of it that is listed. `ancestor` is what several species have in common, null where there is one
 * or where the set is not complete. With a model that was published without held-out pictures "species" is
 * null and "why" says so. New reference; NULL: out of memory. */
json_t *serve_uncertainty(const struct serve_uncertainty_question *question,
                          const struct linnet_references *references, const json_t *identification,
                          const char *model);

#endif
