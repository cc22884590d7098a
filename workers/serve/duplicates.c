/* GET /v2/duplicates: for reviewers, pictures of two observations that are near enough to be one: sent twice,
 * or under two names. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/serve/identify.h"
#include "workers/serve/lists.h"
#include "workers/serve/observations.h"
#include "workers/serve/related.h"
#include "workers/serve/serve.h"
#include "workers/serve/similar.h"

#define PAGE 100

const char *const serve_duplicates_query[] = {"page", "pageSize", "names", "authenix-access-token", NULL};

static json_t *side(const struct linnet_similar *index, uint32_t number,
                    const struct linnet_similar_picture *picture, const char *base) {
    json_t *json = serve_related_picture(index, number, base, -1);
    if (json != NULL) json_object_set_new(json, "taxon", json_string(picture->taxon));
    return json;
}

void serve_duplicates_get(struct serve_request *request) {
    const struct linnet_similar *index = serve_similar_index(request->serve->similar);
    size_t page, size, total = 0;
    bool names = false;
    char base[SERVE_BASE_SIZE], count[32];
    if (!serve_related_offered(request) || !serve_read_number(request, "page", 1, 100000000, 1, &page) ||
        !serve_read_number(request, "pageSize", 1, SERVE_RELATED_MAX, PAGE, &size) ||
        !serve_read_switch(request, "names", &names))
        return;
    json_t *list = json_array();
    serve_image_base(request, base, sizeof base);
    for (uint32_t n = index != NULL ? (uint32_t)linnet_similar_numbers(index) : 0;
         n-- > 0;) { /* latest first */
        struct linnet_similar_picture one, other;
        if (!linnet_similar_at(index, n, &one) || one.twin == LINNET_SIMILAR_NONE ||
            !linnet_similar_at(index, one.twin, &other))
            continue;
        bool same = strcmp(one.taxon, other.taxon) == 0;
        if (names && same) continue;
        if (total >= (page - 1) * size && total < page * size)
            json_array_append_new(
                list, json_pack("{s:f, s:b, s:b, s:[o, o]}", "distance", (double)one.twin_distance,
                                "sameBytes", strcmp(one.digest, other.digest) == 0, "sameTaxon", (int)same,
                                "images", side(index, n, &one, base), side(index, one.twin, &other, base)));
        total++;
    }
    snprintf(count, sizeof count, "%zu", total);
    serve_answer_json(request, 200, list);
    if (request->response != NULL) MHD_add_response_header(request->response, "X-Total-Count", count);
}
