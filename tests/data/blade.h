/* One flat blade: a leaf, a leaflet, a petal, a bract. An outline on both sides of a midrib that starts at
 * the origin and runs along +x. */
#ifndef LINNET_FLORA_BLADE_H
#define LINNET_FLORA_BLADE_H

#include "tests/data/canvas.h"
#include "tests/data/traits.h"

#define BLADE_POINTS 192

struct blade {
    double length;
    double aspect; /* length over greatest width */
    double widest; /* where that is, 0 base .. 1 tip */
    double base;   /* -1 heart-shaped .. 0 round .. 1 wedge */
    double tip;    /* 0 blunt .. 1 drawn out */
    double notch;  /* depth of a notch at the tip, in lengths; 0 for none */
    double bend;   /* sideways, in lengths at the tip */
    enum leaf_margin margin;
    double teeth, tooth;                  /* how many a side; how deep, in lengths */
    double lobes, lobe_depth, lobe_point; /* 0 lobes for none */
};

/* Half outlines, from base to tip: x along the midrib, w across. */
struct outline {
    int n;
    double x[BLADE_POINTS], w[BLADE_POINTS];
    double bend, length;
};

/* Work out the outline in as much detail as `pixels` of length can show. */
void linnet_flora_blade_outline(const struct blade *blade, double pixels, struct outline *out);
/* Half the width at t (0 base .. 1 tip) without teeth and lobes. */
double linnet_flora_blade_width(const struct blade *blade, double t);
/* Add the outline to the path: side 0 both halves, 1 the half of positive y, -1 the other. */
void linnet_flora_outline_path(cairo_t *cr, const struct outline *outline, int side);
/* How far sideways the midrib is at x. */
double linnet_flora_outline_bend(const struct outline *outline, double x);

#endif
