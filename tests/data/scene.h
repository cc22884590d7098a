/* What is round the plant: ground and sky behind it, clutter before it, and the light and the camera that it
 * is seen through. */
#ifndef LINNET_FLORA_SCENE_H
#define LINNET_FLORA_SCENE_H

#include "tests/data/canvas.h"
#include "tests/data/traits.h"

enum background {
    BACKGROUND_FOLIAGE,
    BACKGROUND_LITTER,
    BACKGROUND_GRASS,
    BACKGROUND_SKY,
    BACKGROUND_ROCK,
    BACKGROUND_PAPER,
    BACKGROUND_WOOD,
    BACKGROUND_DARK,
    BACKGROUNDS
};

/* What an observer's camera and a site do to all pictures taken with it and there. */
struct conditions {
    double warmth;   /* -1 blue .. 1 yellow */
    double exposure; /* -1 dark .. 1 bright */
    double softness; /* 0 sharp .. 1 blurred */
    double grain;    /* 0 .. 1 */
    double clutter;  /* 0 .. 1 */
    double weights[BACKGROUNDS];
};

/* Ordinary conditions, wandering by `rng`. */
void linnet_flora_conditions(struct rng *rng, struct conditions *out);
enum background linnet_flora_background_pick(struct rng *rng, const struct conditions *conditions);
/* Fill the picture with a background, out of focus. */
void linnet_flora_draw_background(struct canvas *canvas, struct rng *rng, enum background kind);
/* A landscape with its horizon at y (units): sky, far trees, ground. */
void linnet_flora_draw_landscape(struct canvas *canvas, struct rng *rng, double horizon);
/* Things before the subject: blades of grass, a stray leaf, a twig, a finger, an insect. */
void linnet_flora_draw_clutter(struct canvas *canvas, struct rng *rng, double amount);
/* Something that is no plant. `kind` below FLORA_NON_PLANTS. */
#define FLORA_NON_PLANTS 8
void linnet_flora_draw_non_plant(struct canvas *canvas, struct rng *rng, unsigned kind);
/* Light, shadow, white balance, blur and sensor noise, on the finished picture. */
void linnet_flora_develop(struct image *image, struct rng *rng, const struct conditions *conditions);

#endif
