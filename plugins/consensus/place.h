/* The place that may be published with a consensus. */
#ifndef CONSENSUS_PLACE_H
#define CONSENSUS_PLACE_H

#include <jansson.h>
#include <linnet/plugin.h>
#include <stdbool.h>

#include "plugins/consensus/crowd.h"

/* A new reference to {decimalLatitude, decimalLongitude, coordinateUncertaintyInMeters, precision}: "exact"
 * when the taxon is settled and not sensitive, the observer allows it (location.publish is "exact") and the
 * sealed position opens; "withheld", without coordinates, when the observer wants that; else the rounded
 * position, "0.2" (degrees). NULL: no place, or no memory. */
json_t *place_published(const struct linnet_host *host, const struct observed *observed, bool settled,
                        bool sensitive);

#endif
