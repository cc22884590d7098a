/* Drawing the parts of a plant by its traits. Lengths are in units of the picture's shorter side, angles in
 * radians, 0 to the right, growing clockwise (y runs down). What cannot be seen at the canvas's size is left
 * out. */
#ifndef LINNET_FLORA_PLANT_H
#define LINNET_FLORA_PLANT_H

#include "tests/data/blade.h"
#include "tests/data/canvas.h"
#include "tests/data/traits.h"

#define UP (-FM_PI / 2)

/* A whole leaf, stalk and all, from (x, y) towards `angle`. `length` is of a leaf of middling size; the
 * species' own size is applied. `light` scales its colour. */
void linnet_flora_draw_leaf(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                            double y, double angle, double length, double light);
/* A stem from (x, y) towards `angle`, `length` long, with leaves by the species' phyllotaxy. */
void linnet_flora_draw_shoot(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                             double y, double angle, double length, double leaf_length, int nodes);
/* One flower or flower head of radius `radius`; `tilt` 0 is seen from the front, 1 from the side; `angle` is
 * where it points to, for those that hang or look sideways. */
void linnet_flora_draw_flower(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                              double y, double angle, double radius, double tilt);
/* A stem with the flowers of one inflorescence above it, from (x, y) upwards, `length` in all. */
void linnet_flora_draw_inflorescence(struct canvas *canvas, const struct traits *traits, struct rng *rng,
                                     double x, double y, double angle, double length);
/* One fruit of radius `radius`, its stalk at (x, y), hanging or standing towards `angle`. */
void linnet_flora_draw_fruit(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                             double y, double angle, double radius);
/* The fruits as they grow, round (x, y), within `radius`. */
void linnet_flora_draw_fruits(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                              double y, double radius);
/* A trunk from edge to edge (width in units; above the picture's own it fills it). */
void linnet_flora_draw_bark(struct canvas *canvas, const struct traits *traits, struct rng *rng,
                            double width);
/* The whole plant, standing on (x, y), at most `height` tall. */
void linnet_flora_draw_habit(struct canvas *canvas, const struct traits *traits, struct rng *rng, double x,
                             double y, double height);

#endif
