#include "plugins/consensus/place.h"

static json_t *opened(const json_t *from) {
    json_t *place = json_object();
    static const char *const members[] = {"decimalLatitude", "decimalLongitude",
                                          "coordinateUncertaintyInMeters"};
    for (size_t i = 0; place && i < sizeof members / sizeof *members; i++) {
        json_t *value = json_object_get(from, members[i]);
        if (json_is_number(value)) json_object_set(place, members[i], value);
    }
    if (place) json_object_set_new(place, "precision", json_string("exact"));
    return place;
}

/* A whole number of metres is written as one. */
static json_t *metres(uint32_t centimetres) {
    return centimetres % 100 ? json_real(centimetres / 100.0) : json_integer(centimetres / 100);
}

static json_t *rounded(const struct observed *observed) {
    json_t *place = json_pack("{s:f, s:f, s:s}", "decimalLatitude", observed->latitude / 1e7,
                              "decimalLongitude", observed->longitude / 1e7, "precision", "0.2");
    if (place && observed->uncertainty != UINT32_MAX)
        json_object_set_new(place, "coordinateUncertaintyInMeters", metres(observed->uncertainty));
    return place;
}

json_t *place_published(const struct linnet_host *host, const struct observed *observed, bool settled,
                        bool sensitive) {
    if (!(observed->flags & OBSERVED_PLACED)) return NULL;
    if (observed->flags & OBSERVED_WITHHELD) return json_pack("{s:s}", "precision", "withheld");
    if (settled && !sensitive && observed->sealed && host->unseal) {
        json_t *exact = host->unseal(host->ctx, observed->sealed);
        json_t *place = json_is_object(exact) ? opened(exact) : NULL;
        json_decref(exact);
        if (place) return place;
    }
    return rounded(observed);
}
