#include "tests/unit/plugins/consensus/fixture.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void obs_id(int i, char out[27]) {
    snprintf(out, 27, "01JD00000000000000000%05u", (unsigned)i % 100000);
}

static void taxon(struct fake_host *host, const char *id, const char *name, const char *rank,
                  const char *parent, const char *accepted) {
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s*}", "_id", id, "kind", "taxon", "scientificName", name,
                  "taxonRank", rank, "parentNameUsageID", parent, "acceptedNameUsageID", accepted);
    assert_non_null(json);
    fake_host_reference(host, json);
}

struct fake_host *host_with(json_t *config, const char *state) {
    struct fake_host *host = fake_host_load(PLUGIN_PATH);
    taxon(host, "taxon:f", "Rosaceae", "family", NULL, NULL);
    taxon(host, "taxon:g", "Rosa", "genus", "taxon:f", NULL);
    taxon(host, "taxon:h", "Rubus", "genus", "taxon:f", NULL);
    taxon(host, "taxon:a", "Rosa alba", "species", "taxon:g", NULL);
    taxon(host, "taxon:b", "Rosa bella", "species", "taxon:g", NULL);
    taxon(host, "taxon:c", "Rubus caesius", "species", "taxon:h", NULL);
    taxon(host, "taxon:old", "Rosa antiqua", "species", "taxon:g", "taxon:a");
    taxon(host, "taxon:j", "Juncaceae", "family", NULL, NULL);
    taxon(host, "taxon:k", "Juncus", "genus", "taxon:j", NULL);
    taxon(host, "taxon:d", "Juncus durus", "species", "taxon:k", NULL);
    fake_host_reference(
        host, json_pack("{s:s, s:s, s:b}", "_id", "reviewer:troll", "kind", "reviewer", "blocked", 1));
    if (state) fake_host_state_dir(host, state);
    assert_int_equal(fake_host_open(host, config), 0);
    return host;
}

json_t *observation(const char *obs, const char *observer, const char *proposed) {
    char id[64];
    snprintf(id, sizeof id, "%s:observation", obs);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:[{s:s, s:s}], s:{s:f, s:f}, s:s*}", "_id", id, "kind", "observation",
        "observer", observer, "created_at", "2026-05-01T10:00:00Z", "observed_at", "2026-05-01T09:00:00Z",
        "views", "image", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "organ", "leaf",
        "location", "decimalLatitude", 43.6, "decimalLongitude", 3.8, "proposed_taxon", proposed);
}

json_t *vote(const char *obs, const char *user, const char *voted, int second) {
    char id[96], at[32];
    snprintf(id, sizeof id, "%s:validation:%s", obs, user);
    snprintf(at, sizeof at, "2026-05-02T10:%02d:%02dZ", second / 60, second % 60);
    bool taxon = strncmp(voted, "taxon:", 6) == 0;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*}", "_id", id, "kind", "validation", "user", user,
                     "created_at", at, "vote", taxon ? "taxon" : voted, "taxon", taxon ? voted : NULL);
}

json_t *disagreement(const char *obs, const char *user, const char *voted, const char *rejects, int second) {
    json_t *json = vote(obs, user, voted, second);
    json_object_set_new(json, "disagrees_with", json_string(rejects));
    return json;
}

json_t *identification(const char *obs, const char *taxon, double score) {
    char id[64];
    snprintf(id, sizeof id, "%s:identification", obs);
    return json_pack("{s:s, s:s, s:s, s:[{s:s, s:f}]}", "_id", id, "kind", "identification", "model",
                     "flora@1.0.0", "species", "taxon", taxon, "score", score);
}

static json_t *outcome(struct fake_host *host, struct fake_item *item) {
    assert_int_equal(fake_host_process(host, item), 0);
    assert_int_equal(item->verdict, LINNET_OK);
    json_t *consensus = item->noutputs ? json_incref(item->outputs[0].document) : NULL;
    fake_item_free(item);
    return consensus;
}

json_t *give(struct fake_host *host, const char *obs, json_t *document) {
    struct fake_item *item = fake_item_new(obs);
    fake_item_doc(item, document);
    return outcome(host, item);
}

json_t *give_tombstone(struct fake_host *host, const char *obs, const char *id) {
    struct fake_item *item = fake_item_new(obs);
    fake_item_tombstone(item, id);
    return outcome(host, item);
}

json_t *after(struct fake_host *host, json_t **documents, size_t n) {
    json_t *last = NULL;
    for (size_t i = 0; i < n; i++) {
        json_t *consensus = give(host, OBS, documents[i]);
        if (!consensus) continue;
        json_decref(last);
        last = consensus;
    }
    return last;
}

/* ---- time ---- */

static int64_t clock_ms; /* only ever goes on, for all hosts */

void pass(struct fake_host *host, int64_t ms) {
    fake_host_set_now(host, clock_ms += ms);
    assert_int_equal(fake_host_tick(host), 0);
}

/* Reports that were told: an epoch is over when its own is. */
static size_t reports(struct fake_host *host) {
    size_t n, found = 0;
    const struct fake_output *outputs = fake_host_outputs(host, &n);
    for (size_t i = 0; i < n; i++)
        found += strcmp(outputs[i].kind, "epoch") == 0;
    return found;
}

void come_to_rest(struct fake_host *host) {
    for (int quiet = 0; quiet < 3;) { /* so many ticks that begin nothing */
        double epochs = fake_host_counted(host, "epochs");
        size_t before = reports(host);
        pass(host, 400000);
        sched_yield(); /* a solve on a thread of its own */
        bool busy = fake_host_counted(host, "epochs") > epochs || reports(host) > before ||
                    fake_host_counted(host, "epochs_begun") > fake_host_counted(host, "epochs");
        quiet = busy ? 0 : quiet + 1;
    }
}

void settle(struct fake_host *host) {
    static unsigned requests;
    char ulid[27], id[40];
    snprintf(ulid, sizeof ulid, "01JE00000000000000000%05u", ++requests % 100000);
    snprintf(id, sizeof id, "%s:settle", ulid);
    json_decref(give(
        host, ulid,
        json_pack("{s:s, s:s, s:s}", "_id", id, "kind", "settle", "created_at", "2026-05-03T10:00:00Z")));
    come_to_rest(host);
    const json_t *epoch = told(host, "epoch", "consensus", NULL);
    assert_non_null(epoch);
    assert_string_equal(text(epoch, "settled"), ulid);
}

json_t *told(struct fake_host *host, const char *kind, const char *of, bool *deleted) {
    size_t n;
    const struct fake_output *outputs = fake_host_outputs(host, &n);
    while (n-- > 0) {
        const struct fake_output *output = &outputs[n];
        if (strcmp(output->kind, kind) != 0) continue;
        if (strcmp(output->observation, of) != 0 && strcmp(output->qualifier, of) != 0) continue;
        if (deleted) *deleted = !output->document;
        return output->document;
    }
    if (deleted) *deleted = false;
    return NULL;
}

/* ---- reading ---- */

double figure(const json_t *json, const char *key) {
    return json_number_value(json_object_get(json, key));
}

const char *text(const json_t *json, const char *key) {
    return json_string_value(json_object_get(json, key));
}

bool truth(const json_t *json, const char *key) {
    return json_is_true(json_object_get(json, key));
}

bool says(const json_t *consensus, const char *words) {
    size_t i;
    json_t *reason;
    json_array_foreach(json_object_get(consensus, "why"), i,
                       reason) if (strstr(json_string_value(reason), words)) return true;
    return false;
}

uint64_t random_next(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
