#include "workers/serve/projects.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/serve/engine.h"
#include "workers/serve/serve.h"

#define EARTH_KM 6371.0088 /* mean radius, WGS 84 (IUGG) */

const char *const serve_projects_query[] = {"lat", "lon", "lang", "type", "authenix-access-token", NULL};

int serve_project_find(const json_t *config, const struct linnet_references *references, const char *project,
                       char *flora, size_t size) {
    const char *alias =
        json_string_value(json_object_get(json_object_get(config, "project_aliases"), project));
    if (alias != NULL) project = alias;
    if (strcmp(project, "all") == 0) return 0;
    int n = snprintf(flora, size, "flora:%s", project);
    if (n < 0 || (size_t)n >= size || linnet_references_get(references, flora) == NULL)
        return LINNET_E_NOT_FOUND;
    return 1;
}

/* ---- the list ---- */

struct place {
    bool given;
    double latitude, longitude;
};

struct found {
    json_t *project;
    double km; /* from the place; 0: within; infinite: the flora has no area */
    double extent;
    size_t order;
};

struct list {
    struct place place;
    const struct linnet_references *references;
    struct found *found;
    size_t n;
    bool failed;
};

static double radians(double degrees) {
    return degrees * (3.14159265358979323846 / 180);
}

/* Great-circle distance by the haversine formula (R. W. Sinnott, Virtues of the Haversine, Sky and Telescope
 * 68(2), 1984). */
static double distance_km(double latitude, double longitude, double latitude2, double longitude2) {
    double a = sin(radians(latitude2 - latitude) / 2), b = sin(radians(longitude2 - longitude) / 2);
    double h = a * a + cos(radians(latitude)) * cos(radians(latitude2)) * b * b;
    return 2 * EARTH_KM * asin(sqrt(h < 1 ? h : 1));
}

static double clamp(double value, double low, double high) {
    return value < low ? low : value > high ? high : value;
}

/* To the nearest point of the flora's box; longitudes may pass 180. */
static double distance_to_box(const json_t *box, const struct place *place) {
    double west = json_number_value(json_array_get(box, 0)),
           south = json_number_value(json_array_get(box, 1)),
           east = json_number_value(json_array_get(box, 2)),
           north = json_number_value(json_array_get(box, 3));
    double best = INFINITY;
    if (json_array_size(box) != 4) return INFINITY;
    if (east < west) east += 360;
    for (int turn = -1; turn <= 1; turn++) {
        double longitude = place->longitude + 360.0 * turn;
        double km = distance_km(place->latitude, longitude, clamp(place->latitude, south, north),
                                clamp(longitude, west, east));
        if (km < best) best = km;
    }
    return best;
}

static double extent_of(const json_t *box) {
    if (json_array_size(box) != 4) return INFINITY;
    double width = json_number_value(json_array_get(box, 2)) - json_number_value(json_array_get(box, 0));
    return (width < 0 ? width + 360 : width) *
           (json_number_value(json_array_get(box, 3)) - json_number_value(json_array_get(box, 1)));
}

static int add_flora(void *arg, const char *id, json_t *document) {
    struct list *list = arg;
    const json_t *box = linnet_json_at(document, "area/bbox");
    struct found *more = realloc(list->found, (list->n + 1) * sizeof *more);
    if (more == NULL) {
        list->failed = true;
        return 1;
    }
    list->found = more;
    json_t *project = json_pack("{s:s, s:s, s:s, s:I}", "id", id + strlen("flora:"), "title",
                                linnet_json_string(document, "title", id + 6), "description",
                                linnet_json_string(document, "description", ""), "speciesCount",
                                (json_int_t)json_array_size(json_object_get(document, "taxa")));
    if (box != NULL) json_object_set(project, "bbox", (json_t *)box);
    more[list->n] = (struct found){project, list->place.given ? distance_to_box(box, &list->place) : 0,
                                   extent_of(box), list->n};
    list->n++;
    return 0;
}

/* Nearest first; of those that hold the place, the most particular. */
static int by_distance(const void *a, const void *b) {
    const struct found *one = a, *other = b;
    if (one->km != other->km) return one->km < other->km ? -1 : 1;
    if (one->extent != other->extent) return one->extent < other->extent ? -1 : 1;
    return one->order < other->order ? -1 : 1;
}

static bool read_degrees(struct serve_request *request, const char *name, double most, bool *given,
                         double *out) {
    const char *text = serve_param(request, name);
    char *end;
    *given = text != NULL;
    if (text == NULL) return true;
    *out = strtod(text, &end);
    if (end != text && *end == '\0' && *out >= -most && *out <= most) return true;
    serve_answer_error(request, 400, "\"%s\" must be a number from %g to %g", name, -most, most);
    return false;
}

static bool read_place(struct serve_request *request, struct place *out) {
    bool latitude, longitude;
    if (!read_degrees(request, "lat", 90, &latitude, &out->latitude) ||
        !read_degrees(request, "lon", 180, &longitude, &out->longitude))
        return false;
    out->given = latitude && longitude;
    if (latitude == longitude) return true;
    serve_answer_error(request, 400, "\"lat\" and \"lon\" go together");
    return false;
}

void serve_projects_get(struct serve_request *request) {
    struct list list = {.references = serve_engine_view(request->serve->engine)->references};
    if (!read_place(request, &list.place)) return;
    linnet_references_each(list.references, "flora:", add_flora, &list);
    if (list.place.given && list.n > 0) qsort(list.found, list.n, sizeof *list.found, by_distance);
    json_t *projects = json_array();
    json_array_append_new(projects,
                          json_pack("{s:s, s:s, s:s}", "id", "all", "title", "All species", "description",
                                    "Every species that the model knows, wherever it grows"));
    for (size_t i = 0; i < list.n; i++) {
        if (list.place.given && isfinite(list.found[i].km))
            json_object_set_new(list.found[i].project, "distanceKm",
                                json_real(round(list.found[i].km * 10) / 10));
        json_array_append_new(projects, list.found[i].project);
    }
    free(list.found);
    if (list.failed) {
        json_decref(projects);
        projects = NULL;
    }
    serve_answer_json(request, 200, projects);
}
