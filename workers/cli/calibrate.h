/* How sure a model may be, measured on labelled pictures that it was not trained on, through the stages of a
 * worker: the temperature of its scores, and the thresholds of sets that hold the truth with a stated
 * probability (common/calibration).
 *
 * What fits never measures: of every three observations one chooses the temperature and counts how common
 * species are, the other two make the thresholds and the error that is reported. Which is which is said by a
 * hash of the observation's name, so that it is the same each time. */
#ifndef LINNET_CLI_CALIBRATE_H
#define LINNET_CLI_CALIBRATE_H

#include <jansson.h>

#include "workers/cli/evaluation.h"
#include "workers/cli/pictures.h"

/* Fewer observations of known species tell too little: 90% sets stand on a tenth of two thirds of them. */
enum { LINNET_CALIBRATION_LEAST = 150 };

/* Calibrate: `options` says which model (its `description`, may be NULL, with the temperature to begin from),
 * of which taxa; what it says of flora, organs and fusion is not looked at. `labels` are the model's, as its
 * document has them. *calibration and *uncertainty are new references to the members of that name of a
 * model's document (schemas/model.schema.json). Blocks; runs stages on threads of their own, two or three
 * times over the pictures. LINNET_E_INVALID with too few observations, and what linnet_evaluate fails with.
 */
int linnet_calibrate(const struct linnet_evaluation_options *options, const struct linnet_pictures *pictures,
                     const json_t *labels, json_t **calibration, json_t **uncertainty,
                     struct linnet_error *err);

#endif
