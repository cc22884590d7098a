/* Hostile documents: what a client could PUT as user `uid`. Each differs from a good one in one thing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/base/digest.h"
#include "tests/data/hostile.h"
#include "tests/data/sampling.h"

#define DIGEST  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define ID_SIZE 192

/* "<new ULID>:<kind>[:<qualifier>]" */
static void new_id(struct corpus *corpus, const char *kind, const char *qualifier, char out[ID_SIZE]) {
    char ulid[FLORA_ULID_SIZE];
    linnet_flora_ulid(&corpus->rng, 1777804800000 + (int64_t)json_array_size(corpus->manifest) * 1000, ulid);
    snprintf(out, ID_SIZE, "%s:%s%s%s", ulid, kind, qualifier ? ":" : "", qualifier ? qualifier : "");
}

/* A good observation, to be spoiled. */
static json_t *observation(const struct corpus *corpus) {
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:f,s:f,s:f}, s:[{s:s,s:s,s:s}]}", "kind", "observation",
                     "observer", corpus->uid, "created_at", "2026-05-03T10:25:30Z", "observed_at",
                     "2026-05-03T10:21:00Z", "location", "decimalLatitude", 43.6, "decimalLongitude", 3.8,
                     "coordinateUncertaintyInMeters", 15700.0, "views", "image", DIGEST, "organ", "flower",
                     "licence", "CC-BY-4.0");
}

static json_t *validation(const struct corpus *corpus) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", "validation", "user", corpus->uid, "created_at",
                     "2026-05-03T11:00:00Z", "vote", "taxon", "taxon", "taxon:100001");
}

/* Write a document as JSON, taking it. */
static void put(struct corpus *corpus, const char *name, const char *id, const char *expected,
                const char *also, const char *what, json_t *document) {
    char *text = document ? json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;
    if (text)
        linnet_flora_hostile_document(corpus, name, id, expected, also, what, text, strlen(text));
    else
        corpus->failed = true;
    free(text);
    json_decref(document);
}

/* An observation with one member replaced (`value` taken) or, where it is NULL, removed. */
static void spoiled(struct corpus *corpus, const char *name, const char *expected, const char *also,
                    const char *what, const char *member, json_t *value) {
    char id[ID_SIZE];
    json_t *document = observation(corpus);
    new_id(corpus, "observation", NULL, id);
    if (value)
        json_object_set_new(document, member, value);
    else
        json_object_del(document, member);
    put(corpus, name, id, expected, also, what, document);
}

static json_t *views(size_t n, const char *digest, const char *organ) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "image", digest, "organ", organ));
    return list;
}

static json_t *text_of(char letter, size_t size) {
    char *text = malloc(size);
    if (!text) return NULL;
    memset(text, letter, size);
    json_t *value = json_stringn(text, size);
    free(text);
    return value;
}

static void members(struct corpus *corpus) {
    const char *no = OUTCOME_FORBIDDEN;
    spoiled(corpus, "ten-thousand-views", no, NULL, "10,000 views", "views", views(10000, DIGEST, "leaf"));
    spoiled(corpus, "eleven-views", no, NULL, "one view too many", "views", views(11, DIGEST, "leaf"));
    spoiled(corpus, "no-views", no, NULL, "an empty list of views", "views", json_array());
    spoiled(corpus, "views-are-an-object", no, NULL, "views that are no list", "views",
            json_pack("{s:s}", "length", "1"));
    spoiled(corpus, "views-are-numbers", no, NULL, "views that are numbers", "views",
            json_pack("[i,i]", 1, 2));
    spoiled(corpus, "short-digest", no, NULL, "a digest of eight digits", "views",
            views(1, "9f86d081", "leaf"));
    spoiled(corpus, "path-for-digest", no, NULL, "a path where a digest should be", "views",
            views(1, "../../_users/org.couchdb.user:admin", "leaf"));
    spoiled(corpus, "unknown-organ", no, NULL, "an organ that does not exist", "views",
            views(1, DIGEST, "root"));
    spoiled(corpus, "missing-observer", no, NULL, "nobody's observation", "observer", NULL);
    spoiled(corpus, "missing-kind", no, NULL, "without kind", "kind", NULL);
    spoiled(corpus, "missing-views", no, NULL, "without views", "views", NULL);
    spoiled(corpus, "missing-created-at", no, NULL, "without created_at", "created_at", NULL);
    spoiled(corpus, "wrong-kind", no, NULL, "a kind other than its id's", "kind", json_string("consensus"));
    spoiled(corpus, "foreign-observer", no, NULL, "in another user's name", "observer",
            json_string("somebodyelse0000"));
    spoiled(corpus, "observer-is-a-list", no, NULL, "an observer that is no text", "observer",
            json_pack("[s]", corpus->uid));
    spoiled(corpus, "time-in-words", no, NULL, "a time in words", "created_at", json_string("yesterday"));
    spoiled(corpus, "time-out-of-range", no, OUTCOME_REJECT, "the 45th day of the 13th month", "observed_at",
            json_string("2026-13-45T99:99:99Z"));
    spoiled(corpus, "latitude-1000", no, NULL, "a latitude of 1,000 degrees", "location",
            json_pack("{s:f, s:f}", "decimalLatitude", 1000.0, "decimalLongitude", 3.8));
    spoiled(corpus, "latitude-is-text", no, NULL, "a latitude that is text", "location",
            json_pack("{s:s, s:f}", "decimalLatitude", "43.6", "decimalLongitude", 3.8));
    spoiled(corpus, "exact-location", no, NULL, "a place that is not rounded: it would be public", "location",
            json_pack("{s:f, s:f}", "decimalLatitude", 43.61234, "decimalLongitude", 3.87654));
    spoiled(corpus, "huge-text", no, NULL, "a megabyte of text in an unknown member", "note",
            text_of('a', 1000000));
    spoiled(corpus, "attachment", no, NULL, "an observation with an attachment", "_attachments",
            json_pack("{s:{s:s, s:s}}", "x.html", "content_type", "text/html", "data", "PGh0bWw+"));
    spoiled(corpus, "newer-app", OUTCOME_OK, NULL, "members of a newer app: kept", "phenology",
            json_pack("{s:s, s:[s]}", "stage", "flowering", "tags", "new"));
    spoiled(corpus, "prototype-keys", OUTCOME_OK, OUTCOME_FORBIDDEN, "keys that are special in JavaScript",
            "__proto__", json_pack("{s:[s], s:{s:s}}", "roles", "_admin", "constructor", "name", "x"));
    spoiled(corpus, "unknown-flora", OUTCOME_OK, OUTCOME_REJECT, "a flora that nobody published", "flora",
            json_string("flora:nowhere"));
    spoiled(corpus, "sealed-garbage", OUTCOME_OK, OUTCOME_REJECT, "a sealed place that no key opens",
            "location",
            json_pack("{s:f, s:f, s:s}", "decimalLatitude", 43.6, "decimalLongitude", 3.8, "sealed",
                      "bm90IGEgc2VhbGVkIGJveA=="));
}

static void regions(struct corpus *corpus) {
    static const struct {
        const char *name, *what;
        double box[4];
    } list[] = {{"region-negative", "a region that starts outside of the picture", {-0.5, 0, 0.5, 0.5}},
                {"region-too-wide", "a region nine times as wide as the picture", {0.1, 0.1, 9, 0.5}}};
    for (size_t i = 0; i < 2; i++) {
        json_t *view = views(1, DIGEST, "leaf"), *region = json_array();
        for (int k = 0; k < 4; k++)
            json_array_append_new(region, json_real(list[i].box[k]));
        json_object_set_new(json_array_get(view, 0), "region", region);
        spoiled(corpus, list[i].name, OUTCOME_FORBIDDEN, NULL, list[i].what, "views", view);
    }
}

/* Bodies that are no JSON, or not what it seems. */
static void raw(struct corpus *corpus) {
#define HEAD                                                                                                 \
    "{\"kind\":\"observation\",\"observer\":\"%s\",\"created_at\":\"2026-05-03T10:25:30Z\",\"views\":[{"     \
    "\"image\":\"" DIGEST "\",\"organ\":\"leaf\"}],"
    static const struct {
        const char *name, *tail, *what, *expected, *also;
    } list[] = {
        {"invalid-utf8", "\"note\":\"caf\xe9 \xff\xfe\xc0\xaf\"}", "bytes that are no UTF-8",
         OUTCOME_FORBIDDEN, OUTCOME_OK},
        {"lone-surrogate", "\"note\":\"\\ud800\"}", "half of a surrogate pair", OUTCOME_FORBIDDEN,
         OUTCOME_OK},
        {"nul-in-text", "\"note\":\"a\\u0000b\"}", "a zero character in a text", OUTCOME_OK,
         OUTCOME_FORBIDDEN},
        {"duplicate-keys", "\"kind\":\"identification\",\"observer\":\"somebodyelse0000\"}",
         "members twice, with other values", OUTCOME_FORBIDDEN, OUTCOME_OK},
        {"number-overflow", "\"note\":1e999}", "a number that no computer holds", OUTCOME_FORBIDDEN,
         OUTCOME_OK},
        {"long-number", "\"note\":123456789012345678901234567890123456789012345678901234567890}",
         "a number of sixty digits", OUTCOME_OK, OUTCOME_FORBIDDEN},
        {"not-a-number", "\"note\":NaN}", "NaN, which JSON has not", OUTCOME_FORBIDDEN, NULL},
        {"truncated", "\"note\":\"and then", "ends in the middle of a text", OUTCOME_FORBIDDEN, NULL},
        {"trailing-garbage", "\"note\":1}}}}]", "more brackets closed than opened", OUTCOME_FORBIDDEN, NULL},
    };
    char body[1024], id[ID_SIZE];
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        int n = snprintf(body, sizeof body, HEAD "%s", corpus->uid, list[i].tail);
        new_id(corpus, "observation", NULL, id);
        linnet_flora_hostile_document(corpus, list[i].name, id, list[i].expected, list[i].also, list[i].what,
                                      body, (size_t)n);
    }
    new_id(corpus, "observation", NULL, id);
    linnet_flora_hostile_document(corpus, "not-an-object", id, OUTCOME_FORBIDDEN, NULL, "a list", "[1,2,3]",
                                  7);
    linnet_flora_hostile_document(corpus, "empty-body", id, OUTCOME_FORBIDDEN, NULL, "nothing", "", 0);
}

/* Lists within lists, in a member that nobody knows. */
static void deep(struct corpus *corpus) {
    static const struct {
        size_t depth;
        const char *name, *what, *expected;
    } list[] = {{10, "ten-deep", "ten lists within one another", OUTCOME_OK},
                {100, "hundred-deep", "a hundred lists within one another", OUTCOME_FORBIDDEN},
                {100000, "hundred-thousand-deep",
                 "100,000 lists within one another (CouchDB 3.5 on QuickJS answers 500: its validator falls "
                 "over, and is made anew)",
                 OUTCOME_FORBIDDEN}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        char head[512], id[ID_SIZE];
        struct bytes body = {NULL, 0};
        int n = snprintf(head, sizeof head, HEAD "\"note\":", corpus->uid);
        linnet_flora_bytes_add(&body, head, (size_t)n);
        for (size_t k = 0; k < list[i].depth; k++)
            linnet_flora_bytes_add(&body, "[", 1);
        for (size_t k = 0; k < list[i].depth; k++)
            linnet_flora_bytes_add(&body, "]", 1);
        linnet_flora_bytes_add(&body, "}", 1);
        new_id(corpus, "observation", NULL, id);
        linnet_flora_hostile_document(corpus, list[i].name, id, list[i].expected, NULL, list[i].what,
                                      body.data, body.size);
        linnet_flora_bytes_free(&body);
    }
#undef HEAD
}

void linnet_flora_hostile_observations(struct corpus *corpus) {
    members(corpus);
    regions(corpus);
    raw(corpus);
    deep(corpus);
}

static void ids(struct corpus *corpus) {
    static const char *const list[][2] = {
        {"not-a-ulid:observation", "an id without a ULID"},
        {"01jtb7k3m4n5p6q7r8s9t0v1w2:observation", "a ULID in lower case"},
        {"91JTB7K3M4N5P6Q7R8S9T0V1W2:observation", "a ULID of the year 10,889 and later"},
        {"01JTB7K3M4N5P6Q7R8S9T0V1W2", "a ULID alone"},
        {"01JTB7K3M4N5P6Q7R8S9T0V1W2:share:images", "a kind that lives elsewhere"}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        char name[32];
        snprintf(name, sizeof name, "id-%zu", i + 1);
        put(corpus, name, list[i][0], OUTCOME_FORBIDDEN, NULL, list[i][1], observation(corpus));
    }
}

/* What only workers write. */
static void results(struct corpus *corpus) {
    static const char *const kinds[][2] = {{"normalized", DIGEST},
                                           {"prediction", DIGEST ":flora-inception@1.0.0"},
                                           {"identification", NULL},
                                           {"consensus", NULL}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char id[ID_SIZE], name[64];
        snprintf(name, sizeof name, "forged-%s", kinds[i][0]);
        new_id(corpus, kinds[i][0], kinds[i][1], id);
        put(corpus, name, id, OUTCOME_FORBIDDEN, NULL, "a result that a user wrote",
            json_pack("{s:s, s:{s:s, s:s, s:s}, s:[], s:s}", "kind", kinds[i][0], "stage", "name",
                      kinds[i][0], "version", "1.0.0", "fingerprint", DIGEST, "inputs", "digest", DIGEST));
    }
}

static void votes(struct corpus *corpus) {
    static const struct {
        const char *name, *what, *member, *value, *expected, *also;
    } list[] = {
        {"vote-without-taxon", "a vote for a taxon that names none", "taxon", NULL, OUTCOME_FORBIDDEN, NULL},
        {"vote-unknown", "a vote of no known sort", "vote", "maybe", OUTCOME_FORBIDDEN, NULL},
        {"vote-cannot-tell-taxon", "cannot tell, but names a taxon", "vote", "cannot-tell", OUTCOME_FORBIDDEN,
         NULL},
        {"vote-of-another", "in another user's name", "user", "somebodyelse0000", OUTCOME_FORBIDDEN, NULL},
        {"vote-strange-taxon", "for a taxon that the backbone lacks", "taxon", "taxon:nowhere", OUTCOME_OK,
         OUTCOME_REJECT},
        {"vote-taxon-script", "for a taxon that is a script", "taxon", "<script>alert(1)</script>",
         OUTCOME_FORBIDDEN, NULL}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        char id[ID_SIZE];
        json_t *document = validation(corpus);
        new_id(corpus, "validation", corpus->uid, id);
        if (list[i].value)
            json_object_set_new(document, list[i].member, json_string(list[i].value));
        else
            json_object_del(document, list[i].member);
        put(corpus, list[i].name, id, list[i].expected, list[i].also, list[i].what, document);
    }
    char id[ID_SIZE];
    new_id(corpus, "validation", "somebodyelse0000", id);
    put(corpus, "vote-at-anothers-id", id, OUTCOME_FORBIDDEN, NULL, "at another user's id",
        validation(corpus));
}

/* An image document with `data` as its attachment, under `digest`. */
static void image_document(struct corpus *corpus, const char *name, const char *digest, const char *type,
                           const char *attachment, const void *data, size_t size, const char *expected,
                           const char *also, const char *what) {
    char id[ID_SIZE];
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(room);
    if (!text) {
        corpus->failed = true;
        return;
    }
    sodium_bin2base64(text, room, data, size, sodium_base64_VARIANT_ORIGINAL);
    new_id(corpus, "image", digest, id);
    put(corpus, name, id, expected, also, what,
        json_pack("{s:s, s:s, s:s, s:{s:{s:s, s:s}}}", "kind", "image", "observer", corpus->uid, "created_at",
                  "2026-05-03T10:25:30Z", "_attachments", attachment, "content_type", type, "data", text));
    free(text);
}

static void images(struct corpus *corpus, const struct image *plant) {
    static const char svg[] = "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
    char own[LINNET_DIGEST_SIZE], drawing[LINNET_DIGEST_SIZE], id[ID_SIZE];
    struct bytes jpeg = {NULL, 0};
    if (linnet_flora_jpeg_encode(plant, 70, false, NULL, &jpeg)) {
        corpus->failed = true;
        return;
    }
    linnet_digest_bytes(jpeg.data, jpeg.size, own);
    linnet_digest_bytes(svg, sizeof svg - 1, drawing);
    image_document(corpus, "image-wrong-digest", DIGEST, "image/jpeg", "original", jpeg.data, jpeg.size,
                   OUTCOME_REJECT, NULL, "a good picture under another's digest");
    image_document(corpus, "image-svg", drawing, "image/jpeg", "original", svg, sizeof svg - 1,
                   OUTCOME_REJECT, NULL, "a drawing with a script, declared as JPEG");
    image_document(corpus, "image-html-type", own, "text/html", "original", jpeg.data, jpeg.size,
                   OUTCOME_FORBIDDEN, NULL, "declared as a page");
    image_document(corpus, "image-other-name", own, "image/jpeg", "index.html", jpeg.data, jpeg.size,
                   OUTCOME_FORBIDDEN, NULL, "an attachment of another name");
    linnet_flora_bytes_free(&jpeg);
    new_id(corpus, "image", DIGEST, id);
    put(corpus, "image-without-attachment", id, OUTCOME_FORBIDDEN, NULL, "no attachment",
        json_pack("{s:s, s:s, s:s}", "kind", "image", "observer", corpus->uid, "created_at",
                  "2026-05-03T10:25:30Z"));
    new_id(corpus, "image", DIGEST, id);
    put(corpus, "image-bad-base64", id, OUTCOME_FORBIDDEN, OUTCOME_REJECT, "an attachment that is no base64",
        json_pack("{s:s, s:s, s:s, s:{s:{s:s, s:s}}}", "kind", "image", "observer", corpus->uid, "created_at",
                  "2026-05-03T10:25:30Z", "_attachments", "original", "content_type", "image/jpeg", "data",
                  "!!!! not base64 !!!!"));
}

void linnet_flora_hostile_rest(struct corpus *corpus, const struct image *plant) {
    ids(corpus);
    results(corpus);
    votes(corpus);
    images(corpus, plant);
}
