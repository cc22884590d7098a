#include "tests/unit/plugins/fusion/fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const backbone_taxa[][4] = {
    /* id, rank, parent, accepted */
    {"ales", "order", NULL, NULL},     {"aaceae", "family", "ales", NULL}, {"baceae", "family", "ales", NULL},
    {"aa", "genus", "aaceae", NULL},   {"ab", "genus", "aaceae", NULL},    {"ba", "genus", "baceae", NULL},
    {"a1", "species", "aa", NULL},     {"a2", "species", "aa", NULL},      {"a3", "species", "aa", NULL},
    {"b1", "species", "ab", NULL},     {"b2", "species", "ab", NULL},      {"c1", "species", "ba", NULL},
    {"old-a1", "species", "aa", "a1"},
};

static json_t *taxon_id(const char *name) {
    return name ? json_sprintf("taxon:%s", name) : NULL;
}

struct fake_host *fusion_host(bool backbone) {
    struct fake_host *host = fake_host_load(PLUGIN_PATH);
    for (size_t i = 0; backbone && i < sizeof backbone_taxa / sizeof backbone_taxa[0]; i++) {
        const char *const *taxon = backbone_taxa[i];
        fake_host_reference(host, json_pack("{s:o, s:s, s:s, s:s, s:o*, s:o*}", "_id", taxon_id(taxon[0]),
                                            "kind", "taxon", "scientificName", taxon[0], "taxonRank",
                                            taxon[1], "parentNameUsageID", taxon_id(taxon[2]),
                                            "acceptedNameUsageID", taxon_id(taxon[3])));
    }
    return host;
}

void fusion_add_model(struct fake_host *host, const char *model, const char *created_at, json_t *labels) {
    fake_host_reference(host, json_pack("{s:o, s:s, s:s, s:o*}", "_id", json_sprintf("model:%s", model),
                                        "kind", "model", "created_at", created_at, "labels", labels));
}

void fusion_add_flora(struct fake_host *host, const char *id, json_t *taxa, json_t *area) {
    fake_host_reference(host, json_pack("{s:s, s:s, s:s, s:o, s:o*}", "_id", id, "kind", "flora", "title", id,
                                        "taxa", taxa, "area", area));
}

void fusion_want(struct fake_host *host, const char *model) {
    fake_host_reference(
        host, json_pack("{s:s, s:s, s:s}", "_id", "wanted:convnet", "kind", "wanted", "model", model));
}

void fusion_open(struct fake_host *host, json_t *config) {
    if (fake_host_open(host, config)) fail_msg("%s", fake_host_why(host));
}

const char *fusion_image(int n) {
    static char digests[4][65];
    char *digest = digests[n & 3];
    memset(digest, '0' + n, 64);
    digest[64] = '\0';
    return digest;
}

struct fake_item *fusion_item(int n, const char *const *organs, json_t *more) {
    struct fake_item *item = fake_item_new(FUSION_OBSERVATION);
    json_t *views = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(views, json_pack("{s:s, s:s}", "image", fusion_image(i), "organ",
                                               organs && organs[i] ? organs[i] : "auto"));
    json_t *observation = json_pack("{s:s, s:s, s:o}", "_id", FUSION_OBSERVATION ":observation", "kind",
                                    "observation", "views", views);
    if (more) json_object_update_new(observation, more);
    fake_item_doc(item, observation);
    return item;
}

static json_t *parse_list(const char *text) {
    json_t *list = json_array();
    char name[64];
    double score;
    for (int used; text && sscanf(text, " %63[^=]=%lf%n", name, &score, &used) == 2; text += used)
        json_array_append_new(list, json_pack("{s:o, s:f}", "taxon", taxon_id(name), "score", score));
    return list;
}

void fusion_predict(struct fake_item *item, int n, const char *model, const char *species, const char *genera,
                    const char *families, json_t *more) {
    json_t *prediction =
        json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o}", "_id",
                  json_sprintf(FUSION_OBSERVATION ":prediction:%s:%s", fusion_image(n), model), "kind",
                  "prediction", "image", fusion_image(n), "model", model, "species", parse_list(species),
                  "genera", parse_list(genera), "families", parse_list(families));
    if (more) json_object_update_new(prediction, more);
    fake_item_doc(item, prediction);
}

const json_t *fusion_run(struct fake_host *host, struct fake_item *item) {
    assert_int_equal(fake_host_process(host, item), 0);
    assert_true(item->selected);
    if (item->verdict != LINNET_OK) fail_msg("%s", item->reason);
    assert_int_equal(item->noutputs, 1);
    return item->outputs[0].document;
}

double fusion_score(const json_t *identification, const char *list, const char *taxon) {
    const json_t *entries = json_object_get(identification, list);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        const char *id = json_string_value(json_object_get(entry, "taxon"));
        if (!strcmp(id + strlen("taxon:"), taxon)) return json_number_value(json_object_get(entry, "score"));
    }
    return -1;
}

void assert_score(const json_t *identification, const char *list, const char *taxon, double expected) {
    double score = fusion_score(identification, list, taxon);
    if (fabs(score - expected) > 1e-6)
        fail_msg("%s of %s is %.8f, expected %.8f", list, taxon, score, expected);
}

void assert_best(const json_t *identification, const char *taxon, const char *rank, double score) {
    const json_t *best = json_object_get(identification, "best");
    if (!taxon) {
        assert_true(json_is_null(best));
        return;
    }
    if (!json_is_object(best)) fail_msg("there is no best taxon, expected %s", taxon);
    assert_string_equal(json_string_value(json_object_get(best, "taxon")) + strlen("taxon:"), taxon);
    assert_string_equal(json_string_value(json_object_get(best, "rank")), rank);
    if (fabs(json_number_value(json_object_get(best, "score")) - score) > 1e-6)
        fail_msg("best score %.8f, expected %.8f", json_number_value(json_object_get(best, "score")), score);
}

bool fusion_says(const json_t *identification, const char *words) {
    const json_t *why = json_object_get(identification, "why");
    for (size_t i = 0; i < json_array_size(why); i++)
        if (strstr(json_string_value(json_array_get(why, i)), words)) return true;
    return false;
}
