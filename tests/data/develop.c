/* From what is before the camera to what it stores. */
#include "tests/data/scene.h"

#define TONES 1024

/* One picture's development, drawn once. */
struct film {
    double gain[3];          /* white balance and exposure */
    double slope_x, slope_y; /* light from one side */
    double vignette, shadow, shadow_size;
    uint64_t shadow_key, grain_key;
    int grain; /* amplitude, of 255 */
    uint8_t tone[TONES];
};

static void expose(struct film *film, struct rng *rng, const struct conditions *c) {
    double exposure = fm_exp(0.24 * fm_clamp(c->exposure + 0.7 * rng_normal(rng) + 0.2, -1.4, 2));
    double warmth = 0.07 * fm_clamp(c->warmth + 0.6 * rng_normal(rng), -2, 2),
           green = 0.025 * rng_normal(rng);
    film->gain[0] = exposure * (1 + warmth);
    film->gain[1] = exposure * (1 + green);
    film->gain[2] = exposure * (1 - warmth);
    film->slope_x = rng_range(rng, -0.25, 0.25);
    film->slope_y = rng_range(rng, -0.3, 0.15);
    film->vignette = rng_chance(rng, 0.4) ? rng_range(rng, 0, 0.6) : 0;
    film->shadow = rng_chance(rng, 0.3) ? rng_range(rng, 0.2, 0.55) : 0;
    film->shadow_size = rng_range(rng, 2, 5);
    film->shadow_key = rng_next(rng);
    film->grain_key = rng_next(rng);
    double contrast = fm_exp(0.16 * rng_normal(rng)), lift = fm_clamp(0.03 * rng_normal(rng), 0, 0.1);
    for (int i = 0; i < TONES; i++) {
        /* the table covers twice white, so that bright light burns out softly */
        double x = 2.0 * i / TONES, y = x < 0.8 ? x : 0.8 + 0.2 * (1 - fm_exp(-(x - 0.8) / 0.2));
        y = fm_clamp(0.45 + (y - 0.45) * contrast, 0, 1);
        film->tone[i] = (uint8_t)(255 * (lift + (1 - lift) * y) + 0.5);
    }
}

static void print(struct image *image, const struct film *film) {
    double unit = image->width < image->height ? image->width : image->height;
    double across = image->width / unit, down = image->height / unit;
    for (int j = 0; j < image->height; j++) {
        double y = j / unit - down / 2;
        uint8_t *p = image->rgb + (size_t)j * (size_t)image->width * 3;
        uint64_t bits = rng_mix(film->grain_key + (uint64_t)j);
        for (int i = 0; i < image->width; i++, p += 3) {
            double x = i / unit - across / 2;
            double light = 1 + film->slope_x * x + film->slope_y * y - film->vignette * (x * x + y * y);
            if (film->shadow > 0) {
                double n = linnet_flora_noise(film->shadow_key, x * film->shadow_size, y * film->shadow_size);
                light *= 1 - film->shadow * fm_step(0.42, 0.6, n);
            }
            bits = bits * 6364136223846793005u + 1442695040888963407u;
            int noise = film->grain ? (int)((bits >> 33) % (unsigned)(2 * film->grain + 1)) - film->grain : 0;
            for (int c = 0; c < 3; c++) {
                int tone = (int)(p[c] * light * film->gain[c] * (TONES / 510.0));
                int value = film->tone[tone < 0        ? 0
                                       : tone >= TONES ? TONES - 1
                                                       : tone] +
                            (c == 1 ? noise : noise / 2);
                p[c] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
        }
    }
}

void linnet_flora_develop(struct image *image, struct rng *rng, const struct conditions *conditions) {
    struct film film;
    double unit = image->width < image->height ? image->width : image->height;
    expose(&film, rng, conditions);
    /* a sensor's noise is by the pixel: a small picture is a large one averaged, and has less of it */
    film.grain = (int)(fm_clamp(2 + 16 * conditions->grain, 0, 20) * fm_clamp(unit / 1000, 0.25, 1) + 0.5);
    double soft = (0.001 + 0.008 * conditions->softness) * unit * rng_range(rng, 0.3, 1.3);
    bool shaken = rng_chance(rng, 0.08);
    double shake = shaken ? rng_range(rng, 0.006, 0.016) * unit : 0;
    bool sideways = rng_chance(rng, 0.5);
    linnet_flora_image_blur(image, soft + (sideways ? shake : 0), soft + (sideways ? 0 : shake));
    print(image, &film);
}
