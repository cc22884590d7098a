/* Where a flora holds, and whether a place that is only roughly known lies in it. Degrees, WGS 84; all by
 * plane geometry in degrees, as checklists are cut. */
#ifndef LINNET_FUSION_AREA_H
#define LINNET_FUSION_AREA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct fusion_box {
    double west, south, east, north; /* west <= east: east may pass 180 */
};

struct fusion_ring {
    double (*points)[2]; /* longitude, latitude */
    size_t n;
};

struct fusion_area {
    struct fusion_box box;     /* of all of it */
    struct fusion_ring *rings; /* of all polygons, holes too: what an odd number of them encloses is inside.
                                  None: the box is all */
    size_t nrings;
    double extent; /* square degrees at the equator: to tell which of two areas is the more particular */
};

/* Read a flora's "area". 0; -1 if there is none that makes sense (*out is zeroed); -2: out of memory. */
int fusion_area_read(const json_t *json, struct fusion_area *out);
void fusion_area_done(struct fusion_area *area);

/* The box around a circle of `metres` around a place. At the poles it goes all around. */
struct fusion_box fusion_box_around(double latitude, double longitude, double metres);
/* Could the place be in the area (does the box have anything in common with it)? Any thread. */
bool fusion_area_touches(const struct fusion_area *area, struct fusion_box box);
/* Is it there for certain (does the area cover all of the box)? Any thread. */
bool fusion_area_covers(const struct fusion_area *area, struct fusion_box box);

/* How far a place is from the area: metres, 0 inside. By plane geometry in degrees of latitude, longitudes
 * shrunk as they are at the place: right to some per cent over hundreds of kilometres. Any thread. */
double fusion_area_distance(const struct fusion_area *area, double latitude, double longitude);

#endif
