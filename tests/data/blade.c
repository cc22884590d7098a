#include "tests/data/blade.h"

double linnet_flora_blade_width(const struct blade *blade, double t) {
    if (t <= 0 || t >= 1) return 0;
    double m = blade->widest;
    double p = blade->base < 0 ? 0.45 : fm_mix(0.45, 1.05, blade->base);
    double q = fm_clamp(p * (1 - m) / m, 0.3, 2.5);
    double w = fm_pow(t / m, p) * fm_pow((1 - t) / (1 - m), q);
    w *= 1 - 0.7 * blade->tip * fm_step(0.55, 1, t);
    return 0.5 * blade->length / blade->aspect * (w > 1.15 ? 1.15 : w);
}

/* How far out a tooth stands at phase f of it, 0..1. */
static double tooth_at(enum leaf_margin margin, double f) {
    double triangle = 1 - fabs(2 * f - 1);
    switch (margin) {
    case MARGIN_SERRATE:
        return f;
    case MARGIN_CRENATE:
        return fm_sin(FM_PI * f);
    case MARGIN_DENTATE:
        return triangle;
    case MARGIN_SPINY:
        return 1.8 * triangle * triangle * triangle;
    default:
        return 0;
    }
}

void linnet_flora_blade_outline(const struct blade *blade, double pixels, struct outline *out) {
    bool toothed = blade->margin != MARGIN_ENTIRE && blade->tooth * pixels > 0.35;
    double points = pixels < 12 ? 10 : pixels < 40 ? 18 : 28;
    if (blade->lobes > 0 && points < blade->lobes * 8) points = blade->lobes * 8;
    if (toothed && points < blade->teeth * 4) points = blade->teeth * 4;
    out->n = points >= BLADE_POINTS ? BLADE_POINTS - 1 : (int)points;
    out->bend = blade->bend;
    out->length = blade->length;
    for (int i = 0; i <= out->n; i++) {
        double s = (double)i / out->n;
        double t = fm_mix(s, s * s * (3 - 2 * s), 0.8); /* closer points where the outline turns */
        double w = linnet_flora_blade_width(blade, t), x = t * blade->length;
        if (blade->lobes > 0) {
            double f = s * blade->lobes - floor(s * blade->lobes);
            double c = fm_mix(fm_pow(fm_sin(FM_PI * f), 0.6), 1 - fabs(2 * f - 1), blade->lobe_point);
            x += 0.45 * blade->lobe_depth * w * c * (1 - t);
            w *= 1 - blade->lobe_depth * (1 - c);
        }
        if (toothed) {
            double f = s * blade->teeth - floor(s * blade->teeth);
            double room = fm_clamp(8 * w / blade->length, 0, 1);
            double out_by = blade->tooth * blade->length * room * tooth_at(blade->margin, f);
            w += out_by;
            if (blade->margin != MARGIN_CRENATE) x += 0.6 * out_by;
        }
        if (blade->base < -0.2) { /* ears behind the stalk */
            double near = (1 - t) * (1 - t) * (1 - t);
            x += (blade->base + 0.2) * 0.75 * w * near * near;
        }
        if (blade->notch > 0 && t > 0.5) x -= blade->notch * blade->length * fm_pow((t - 0.5) * 2, 5);
        out->x[i] = x;
        out->w[i] = w;
    }
    out->n++;
}

double linnet_flora_outline_bend(const struct outline *outline, double x) {
    return outline->bend * x * x / outline->length;
}

void linnet_flora_outline_path(cairo_t *cr, const struct outline *o, int side) {
    cairo_move_to(cr, 0, 0);
    for (int i = 0; i < o->n; i++)
        cairo_line_to(cr, o->x[i], linnet_flora_outline_bend(o, o->x[i]) + (side >= 0 ? o->w[i] : 0));
    for (int i = o->n - 1; i >= 0; i--)
        cairo_line_to(cr, o->x[i], linnet_flora_outline_bend(o, o->x[i]) - (side <= 0 ? o->w[i] : 0));
    cairo_close_path(cr);
}
