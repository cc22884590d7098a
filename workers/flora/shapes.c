/* Areas of floras from GeoJSON. */
#include <math.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/flora/documents.h"

#define MOST ((size_t)512 << 20)

static void widen(const json_t *ring, double box[4]) {
    size_t i;
    const json_t *point;
    json_array_foreach(ring, i, point) {
        double x = json_number_value(json_array_get(point, 0)),
               y = json_number_value(json_array_get(point, 1));
        box[0] = fmin(box[0], x);
        box[1] = fmin(box[1], y);
        box[2] = fmax(box[2], x);
        box[3] = fmax(box[3], y);
    }
}

/* Polygons more of an area: one with several features has them all. */
static int add_polygons(json_t *area, const json_t *geometry) {
    const char *type = linnet_json_string(geometry, "type", "");
    json_t *coordinates = json_object_get(geometry, "coordinates"),
           *polygons = json_object_get(area, "polygons");
    bool several = !strcmp(type, "MultiPolygon");
    if (!json_is_array(coordinates) || (!several && strcmp(type, "Polygon") != 0)) return LINNET_E_PARSE;
    return several ? json_array_extend(polygons, coordinates) : json_array_append(polygons, coordinates);
}

static int finish(json_t *areas) {
    const char *code;
    json_t *area, *polygon;
    json_object_foreach(areas, code, area) {
        double box[4] = {INFINITY, INFINITY, -INFINITY, -INFINITY};
        size_t i;
        json_array_foreach(json_object_get(area, "polygons"), i, polygon)
            widen(json_array_get(polygon, 0), box);
        if (!(box[0] <= box[2])) return LINNET_E_PARSE;
        json_t *sides = json_pack("[f,f,f,f]", box[0], box[1], box[2], box[3]);
        if (!sides || json_object_set_new(area, "bbox", sides) != 0) return LINNET_E_NOMEM;
    }
    return 0;
}

static int read_feature(const json_t *feature, json_t *areas) {
    const json_t *properties = json_object_get(feature, "properties");
    const char *code =
        linnet_json_string(properties, "LEVEL3_COD", linnet_json_string(properties, "code", NULL));
    if (!code) return 0; /* of something else */
    json_t *area = json_object_get(areas, code);
    if (!area) {
        area = json_pack("{s:[]}", "polygons");
        if (!area || json_object_set_new(areas, code, area) != 0) return LINNET_E_NOMEM;
    }
    return add_polygons(area, json_object_get(feature, "geometry"));
}

int linnet_checklist_shapes(const char *path, json_t **out, struct linnet_error *err) {
    json_t *file = NULL, *areas = json_object(), *feature;
    size_t i;
    int error = linnet_json_load_file(path, MOST, &file, err);
    json_array_foreach(json_object_get(file, "features"), i, feature) {
        if (error) break;
        error = read_feature(feature, areas);
        if (error) linnet_error_set(err, error, "%s: feature %zu has no polygon", path, i);
    }
    if (!error && json_object_size(areas) == 0)
        error =
            linnet_error_set(err, LINNET_E_PARSE, "%s: no feature has a property LEVEL3_COD or code", path);
    if (!error && (error = finish(areas))) linnet_error_set(err, error, "%s: an area has no points", path);
    json_decref(file);
    if (error)
        json_decref(areas);
    else
        *out = areas;
    return error;
}
