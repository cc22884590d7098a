#include "plugins/fusion/area.h"

#include <math.h>
#include <stdlib.h>

#define METRES_PER_DEGREE 111320.0 /* of latitude */
#define RADIANS           (3.14159265358979323846 / 180)

/* --- reading --- */

static bool read_point(const json_t *json, double out[2]) {
    const json_t *x = json_array_get(json, 0), *y = json_array_get(json, 1);
    if (!json_is_number(x) || !json_is_number(y)) return false;
    out[0] = json_number_value(x);
    out[1] = json_number_value(y);
    return true;
}

/* The area that a ring encloses, by the shoelace formula. */
static double enclosed(const struct fusion_ring *ring) {
    double sum = 0;
    for (size_t i = 0, j = ring->n - 1; i < ring->n; j = i++)
        sum += ring->points[j][0] * ring->points[i][1] - ring->points[i][0] * ring->points[j][1];
    return fabs(sum) / 2;
}

static void widen(struct fusion_box *box, const double point[2]) {
    box->west = fmin(box->west, point[0]);
    box->east = fmax(box->east, point[0]);
    box->south = fmin(box->south, point[1]);
    box->north = fmax(box->north, point[1]);
}

/* One ring more. Points that are none are passed over. */
static int add_ring(struct fusion_area *area, const json_t *json, bool hole) {
    size_t n = json_array_size(json);
    struct fusion_ring *rings = realloc(area->rings, (area->nrings + 1) * sizeof *rings);
    if (!rings) return -2;
    area->rings = rings;
    struct fusion_ring ring = {malloc((n ? n : 1) * sizeof *ring.points), 0};
    if (!ring.points) return -2;
    for (size_t i = 0; i < n; i++)
        if (read_point(json_array_get(json, i), ring.points[ring.n]))
            widen(&area->box, ring.points[ring.n++]);
    if (ring.n < 3) {
        free(ring.points);
        return 0;
    }
    area->rings[area->nrings++] = ring;
    area->extent += hole ? -enclosed(&ring) : enclosed(&ring);
    return 0;
}

static int read_polygons(const json_t *json, struct fusion_area *area) {
    area->box = (struct fusion_box){INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *polygon = json_array_get(json, i);
        for (size_t j = 0; j < json_array_size(polygon); j++)
            if (add_ring(area, json_array_get(polygon, j), j > 0)) return -2;
    }
    if (!area->nrings) return -1;
    area->extent *= cos((area->box.south + area->box.north) / 2 * RADIANS);
    return 0;
}

static int read_box(const json_t *json, struct fusion_area *area) {
    double sides[4];
    for (size_t i = 0; i < 4; i++) {
        const json_t *side = json_array_get(json, i);
        if (!json_is_number(side)) return -1;
        sides[i] = json_number_value(side);
    }
    area->box = (struct fusion_box){sides[0], sides[1], sides[2], sides[3]};
    if (area->box.east < area->box.west) area->box.east += 360; /* across the date line */
    if (area->box.north < area->box.south) return -1;
    area->extent = (area->box.east - area->box.west) * (area->box.north - area->box.south) *
                   cos((area->box.south + area->box.north) / 2 * RADIANS);
    return 0;
}

int fusion_area_read(const json_t *json, struct fusion_area *out) {
    struct fusion_area area = {0};
    const json_t *polygons = json_object_get(json, "polygons");
    int error = polygons ? read_polygons(polygons, &area) : read_box(json_object_get(json, "bbox"), &area);
    if (error) fusion_area_done(&area);
    *out = area;
    return error;
}

void fusion_area_done(struct fusion_area *area) {
    for (size_t i = 0; i < area->nrings; i++)
        free(area->rings[i].points);
    free(area->rings);
    *area = (struct fusion_area){0};
}

/* --- asking --- */

struct fusion_box fusion_box_around(double latitude, double longitude, double metres) {
    double down = metres / METRES_PER_DEGREE, shrink = cos(latitude * RADIANS);
    double across = shrink * 180 > down ? down / shrink : 180;
    if (fabs(latitude) + down >= 90) across = 180; /* it holds a pole */
    return (struct fusion_box){longitude - across, fmax(latitude - down, -90), longitude + across,
                               fmin(latitude + down, 90)};
}

static bool meet(const struct fusion_box *a, const struct fusion_box *b) {
    return a->west <= b->east && b->west <= a->east && a->south <= b->north && b->south <= a->north;
}

/* Does a segment have a point in the box? Liang and Barsky's clipping (ACM Transactions on Graphics 3(1),
 * 1984). */
static bool crosses(const double from[2], const double to[2], const struct fusion_box *box) {
    double dx = to[0] - from[0], dy = to[1] - from[1], enter = 0, leave = 1;
    const double steps[4] = {-dx, dx, -dy, dy};
    const double room[4] = {from[0] - box->west, box->east - from[0], from[1] - box->south,
                            box->north - from[1]};
    for (int i = 0; i < 4; i++) {
        if (steps[i] == 0) {
            if (room[i] < 0) return false;
            continue;
        }
        double t = room[i] / steps[i];
        if (steps[i] < 0 && t > enter) enter = t;
        if (steps[i] > 0 && t < leave) leave = t;
    }
    return enter <= leave;
}

static bool any_edge_crosses(const struct fusion_area *area, const struct fusion_box *box) {
    for (size_t r = 0; r < area->nrings; r++) {
        const struct fusion_ring *ring = &area->rings[r];
        for (size_t i = 0, j = ring->n - 1; i < ring->n; j = i++)
            if (crosses(ring->points[j], ring->points[i], box)) return true;
    }
    return false;
}

/* Even-odd rule over all rings. */
static bool holds(const struct fusion_area *area, double x, double y) {
    bool inside = false;
    for (size_t r = 0; r < area->nrings; r++) {
        const struct fusion_ring *ring = &area->rings[r];
        for (size_t i = 0, j = ring->n - 1; i < ring->n; j = i++) {
            const double *a = ring->points[i], *b = ring->points[j];
            if ((a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0])
                inside = !inside;
        }
    }
    return inside;
}

static bool touches_here(const struct fusion_area *area, const struct fusion_box *box) {
    if (!meet(&area->box, box)) return false;
    if (!area->nrings || any_edge_crosses(area, box)) return true;
    return holds(area, (box->west + box->east) / 2, (box->south + box->north) / 2);
}

static bool covers_here(const struct fusion_area *area, const struct fusion_box *box) {
    const struct fusion_box *all = &area->box;
    if (all->west > box->west || all->east < box->east || all->south > box->south || all->north < box->north)
        return false;
    if (!area->nrings) return true;
    return !any_edge_crosses(area, box) &&
           holds(area, (box->west + box->east) / 2, (box->south + box->north) / 2);
}

/* The same place is asked for three times, a turn of the world apart, for what lies across the date line. */
static bool ask(const struct fusion_area *area, struct fusion_box box,
                bool (*question)(const struct fusion_area *area, const struct fusion_box *box)) {
    for (int turn = -1; turn <= 1; turn++) {
        struct fusion_box turned = {box.west + 360 * turn, box.south, box.east + 360 * turn, box.north};
        if (question(area, &turned)) return true;
    }
    return false;
}

bool fusion_area_touches(const struct fusion_area *area, struct fusion_box box) {
    return ask(area, box, touches_here);
}

bool fusion_area_covers(const struct fusion_area *area, struct fusion_box box) {
    return ask(area, box, covers_here);
}

/* --- distance, in degrees of latitude; `shrink` is what a degree of longitude has of one --- */

static double from_segment(const double a[2], const double b[2], double x, double y, double shrink) {
    double ax = (a[0] - x) * shrink, ay = a[1] - y, dx = (b[0] - a[0]) * shrink, dy = b[1] - a[1];
    double square = dx * dx + dy * dy;
    double t = square > 0 ? fmin(fmax(-(ax * dx + ay * dy) / square, 0), 1) : 0;
    return hypot(ax + t * dx, ay + t * dy);
}

static double from_box(const struct fusion_box *box, double x, double y, double shrink) {
    double across = fmax(fmax(box->west - x, x - box->east), 0);
    double along = fmax(fmax(box->south - y, y - box->north), 0);
    return hypot(across * shrink, along);
}

static double from_area(const struct fusion_area *area, double x, double y, double shrink) {
    if (!area->nrings) return from_box(&area->box, x, y, shrink);
    if (holds(area, x, y)) return 0;
    double nearest = INFINITY;
    for (size_t r = 0; r < area->nrings; r++) {
        const struct fusion_ring *ring = &area->rings[r];
        for (size_t i = 0, j = ring->n - 1; i < ring->n; j = i++)
            nearest = fmin(nearest, from_segment(ring->points[j], ring->points[i], x, y, shrink));
    }
    return nearest;
}

double fusion_area_distance(const struct fusion_area *area, double latitude, double longitude) {
    double shrink = cos(latitude * RADIANS), nearest = INFINITY;
    for (int turn = -1; turn <= 1; turn++)
        nearest = fmin(nearest, from_area(area, longitude + 360 * turn, latitude, shrink));
    return nearest * METRES_PER_DEGREE;
}
