/* The configuration of the stage. */
#ifndef LINNET_FUSION_CONFIG_H
#define LINNET_FUSION_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum fusion_method { FUSION_ORGAN, FUSION_MAXIMUM, FUSION_MEAN };
enum fusion_flora_mode { FUSION_FLORA_HARD, FUSION_FLORA_SOFT, FUSION_FLORA_OFF };
enum fusion_organ { FUSION_FLOWER, FUSION_LEAF, FUSION_FRUIT, FUSION_BARK, FUSION_HABIT, FUSION_ORGANS };

struct fusion_config {
    enum fusion_method method;
    double organ_weights[FUSION_ORGANS]; /* of a view that shows this organ */
    bool measured;                       /* the model's measured accuracy by organ goes before them */
    double declared_trust;               /* that a declared organ is right, 0..1 */
    double independence;                 /* of views of one plant, 0..1 (pool.h) */
    double floor;                        /* least probability that a view gives to anything (pool.h) */
    enum fusion_flora_mode flora_mode;
    double flora_outside; /* soft: what is left of the score of a species that is not in the flora */
    double distance;      /* soft: metres in which a flora near the place loses weight e-fold; 0: none has */
    double unrecorded;    /* soft: what a listed species counts that was never recorded there */
    double unusual;       /* a prior below it is unusual */
    double uncertainty;   /* metres, of a location that says none */
    double threshold;     /* of the best taxon */
    double plant_threshold;           /* below it nothing is the best taxon */
    size_t species, genera, families; /* how many are listed */
};

/* JSON Schema of it, defaults included. */
extern const char fusion_config_schema[];

/* Read a configuration that fits the schema and has its defaults filled in. */
void fusion_config_read(const json_t *json, struct fusion_config *out);

/* "organ", "maximum", "mean". Static string. */
const char *fusion_method_name(enum fusion_method method);
/* "flower", "leaf", "fruit", "bark", "habit". Static string. */
const char *fusion_organ_name(enum fusion_organ organ);
/* FUSION_ORGANS if it is none of them. NULL is safe. */
enum fusion_organ fusion_organ_parse(const char *name);

#endif
