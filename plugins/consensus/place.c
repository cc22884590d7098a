#include "plugins/consensus/place.h"

#include <string.h>

static json_t *position(const json_t *from, const char *precision) {
    json_t *place = json_object();
    static const char *const members[] = {"decimalLatitude", "decimalLongitude",
                                          "coordinateUncertaintyInMeters"};
    for (size_t i = 0; place && i < sizeof members / sizeof *members; i++) {
        json_t *value = json_object_get(from, members[i]);
        if (json_is_number(value)) json_object_set(place, members[i], value);
    }
    if (place) json_object_set_new(place, "precision", json_string(precision));
    return place;
}

json_t *place_published(const struct linnet_host *host, const json_t *location, bool settled,
                        bool sensitive) {
    if (!json_is_object(location)) return NULL;
    const char *publish = json_string_value(json_object_get(location, "publish"));
    const char *sealed = json_string_value(json_object_get(location, "sealed"));
    if (publish && strcmp(publish, "withheld") == 0) return json_pack("{s:s}", "precision", "withheld");
    if (settled && !sensitive && sealed && publish && strcmp(publish, "exact") == 0 && host->unseal) {
        json_t *exact = host->unseal(host->ctx, sealed);
        json_t *place = json_is_object(exact) ? position(exact, "exact") : NULL;
        json_decref(exact);
        if (place) return place;
    }
    return position(location, "0.2");
}
