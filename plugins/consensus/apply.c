#include "plugins/consensus/apply.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t apply_time(const char *text) {
    struct tm tm = {0};
    int read = 0;
    if (!text || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
                        &tm.tm_min, &tm.tm_sec, &read) != 6)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int64_t ms = (int64_t)timegm(&tm) * 1000;
    const char *rest = text + read;
    if (*rest == '.') {
        int64_t unit = 100;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            ms += (*rest - '0') * unit;
    }
    int hours, minutes;
    if ((*rest == '+' || *rest == '-') && sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2)
        ms += (*rest == '+' ? -1 : 1) * (hours * 60 + minutes) * INT64_C(60000);
    return ms;
}

static const char *member(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* -1: it is no SHA-256 in lower-case hexadecimal. */
static int read_digest(const char *text, uint8_t out[DIGEST_BYTES]) {
    if (strlen(text) != (size_t)2 * DIGEST_BYTES) return -1;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);
        if (high < 0 || low < 0) return -1;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

/* ---- the observation ---- */

static bool has_validation_of(const struct observed *observed, uint32_t user) {
    for (uint32_t i = 0; i < observed->nvotes; i++)
        if (observed->votes[i].user == user && !(observed->votes[i].flags & VOTE_PROPOSED)) return true;
    return false;
}

/* The observer's own proposal is the author's vote as long as the author has no validation. */
static int apply_proposal(struct crowd *crowd, struct observed *observed) {
    if (observed->author == INTERN_NONE) return 0;
    crowd_remove_votes(crowd, observed, observed->author, true);
    if (observed->proposal == LINNET_NO_LABEL || has_validation_of(observed, observed->author)) return 0;
    struct vote vote = {.user = observed->author,
                        .label = observed->proposal,
                        .rejects = LINNET_NO_LABEL,
                        .created_at = observed->proposed_at,
                        .flags = VOTE_AUTHOR | VOTE_PROPOSED};
    return crowd_add_vote(crowd, observed, &vote);
}

enum {
    OF_OBSERVATION = OBSERVED_EXISTS | OBSERVED_DATED | OBSERVED_PLACED | OBSERVED_PLANTED | OBSERVED_ORGAN |
                     OBSERVED_WITHHELD
};

static void forget_observation(struct crowd *crowd, struct observed *observed) {
    if (observed->author != INTERN_NONE) crowd_remove_votes(crowd, observed, observed->author, true);
    for (uint32_t i = 0; i < observed->nvotes; i++)
        observed->votes[i].flags &= (uint8_t)~VOTE_AUTHOR;
    free(observed->sealed);
    observed->sealed = NULL;
    observed->author = INTERN_NONE;
    observed->proposal = LINNET_NO_LABEL;
    observed->flags &= (uint16_t)~OF_OBSERVATION;
}

static bool says_an_organ(const json_t *views) {
    const json_t *view;
    size_t i;
    json_array_foreach(views, i, view) {
        const char *organ = member(view, "organ");
        if (organ && strcmp(organ, "auto") != 0) return true;
    }
    return false;
}

static double within(double value, double least, double most) {
    return value < least ? least : value > most ? most : value;
}

/* Degrees to 1e-7 are a centimetre, and give back the very number that had no more decimals. */
static int set_place(struct observed *observed, const json_t *location) {
    const json_t *latitude = json_object_get(location, "decimalLatitude"),
                 *longitude = json_object_get(location, "decimalLongitude"),
                 *uncertainty = json_object_get(location, "coordinateUncertaintyInMeters");
    const char *publish = member(location, "publish"), *sealed = member(location, "sealed");
    if (!json_is_number(latitude) || !json_is_number(longitude)) return 0;
    observed->flags |= OBSERVED_PLACED;
    observed->latitude = (int32_t)lround(within(json_number_value(latitude), -90, 90) * 1e7);
    observed->longitude = (int32_t)lround(within(json_number_value(longitude), -180, 180) * 1e7);
    observed->uncertainty = json_is_number(uncertainty)
                                ? (uint32_t)(within(json_number_value(uncertainty), 0, 2.2e7) * 100 + 0.5)
                                : UINT32_MAX;
    if (publish && strcmp(publish, "withheld") == 0) observed->flags |= OBSERVED_WITHHELD;
    if (!publish || strcmp(publish, "exact") != 0 || !sealed) return 0;
    observed->sealed = strdup(sealed);
    return observed->sealed ? 0 : -2;
}

int apply_observation(struct crowd *crowd, uint32_t index, const json_t *document, const char *digest,
                      const char **why) {
    struct observed *observed = &crowd->observed[index];
    if (!document) {
        forget_observation(crowd, observed);
        return 0;
    }
    const char *observer = member(document, "observer"), *proposal = member(document, "proposed_taxon");
    uint8_t bytes[DIGEST_BYTES];
    if (!observer || read_digest(digest, bytes) != 0) {
        *why = observer ? "the observation's digest is none" : "the observation has no observer";
        return -1;
    }
    uint32_t author = crowd_user(crowd, observer),
             proposed = proposal ? labels_put(&crowd->labels, proposal) : LINNET_NO_LABEL;
    if (author == INTERN_NONE || (proposal && proposed == LINNET_NO_LABEL)) return -2;
    forget_observation(crowd, observed);
    memcpy(observed->digest, bytes, sizeof bytes);
    observed->flags |= OBSERVED_EXISTS;
    observed->author = author;
    observed->proposal = proposed;
    observed->proposed_at = apply_time(member(document, "created_at"));
    for (uint32_t i = 0; i < observed->nvotes; i++)
        if (observed->votes[i].user == author) observed->votes[i].flags |= VOTE_AUTHOR;
    if (json_is_string(json_object_get(document, "observed_at"))) observed->flags |= OBSERVED_DATED;
    if (json_is_false(json_object_get(document, "wild"))) observed->flags |= OBSERVED_PLANTED;
    if (says_an_organ(json_object_get(document, "views"))) observed->flags |= OBSERVED_ORGAN;
    int error = set_place(observed, json_object_get(document, "location"));
    return error ? error : apply_proposal(crowd, observed);
}

/* ---- validations ---- */

static int read_label(struct crowd *crowd, const json_t *document, uint32_t *label, const char **why) {
    const char *vote = member(document, "vote"), *taxon = member(document, "taxon");
    *label = LINNET_NO_LABEL;
    if (vote && strcmp(vote, "taxon") == 0 && taxon) {
        *label = labels_put(&crowd->labels, taxon);
        return *label == LINNET_NO_LABEL ? -2 : 0;
    }
    if (vote && strcmp(vote, "cannot-tell") == 0) return 0;
    if (vote && strcmp(vote, "not-a-plant") == 0) {
        *label = LINNET_LABEL_NOT_A_PLANT;
        return 0;
    }
    *why = "the validation's vote is none of taxon (with a taxon), not-a-plant, cannot-tell";
    return -1;
}

static void read_views(struct vote *vote, const json_t *views) {
    const char *image;
    json_t *view;
    json_object_foreach((json_t *)views, image, view) {
        const char *quality = member(view, "quality");
        if (json_is_string(json_object_get(view, "organ"))) vote->flags |= VOTE_ORGAN;
        if (!quality || vote->rated == UINT8_MAX) continue;
        vote->rated++;
        vote->bad += strcmp(quality, "bad") == 0;
    }
}

int apply_validation(struct crowd *crowd, uint32_t index, const char *uid, const json_t *document,
                     const char *digest, const char **why) {
    uint32_t user = crowd_user(crowd, uid);
    if (user == INTERN_NONE) return -2;
    struct observed *observed = &crowd->observed[index];
    if (!document) {
        crowd_remove_votes(crowd, observed, user, false);
        return apply_proposal(crowd, observed); /* it may have hidden the author's own proposal */
    }
    struct vote vote = {.user = user,
                        .rejects = LINNET_NO_LABEL,
                        .flags = user == observed->author ? VOTE_AUTHOR : 0,
                        .created_at = apply_time(member(document, "created_at"))};
    const char *rejects = member(document, "disagrees_with");
    int error = read_label(crowd, document, &vote.label, why);
    if (error) return error;
    if (read_digest(digest, vote.digest) != 0) {
        *why = "the validation's digest is none";
        return -1;
    }
    if (rejects && (vote.rejects = labels_put(&crowd->labels, rejects)) == LINNET_NO_LABEL) return -2;
    read_views(&vote, json_object_get(document, "views"));
    crowd_remove_votes(crowd, observed, user, false);
    return crowd_add_vote(crowd, observed, &vote);
}

/* ---- the machine ---- */

int apply_identification(struct crowd *crowd, uint32_t index, const json_t *document, const char *digest,
                         const char **why) {
    struct observed *observed = &crowd->observed[index];
    const json_t *first = json_array_get(json_object_get(document, "species"), 0);
    const char *taxon = member(first, "taxon"), *model = member(document, "model");
    uint8_t bytes[DIGEST_BYTES] = {0};
    if (document && read_digest(digest, bytes) != 0) {
        *why = "the identification's digest is none";
        return -1;
    }
    uint32_t label = taxon ? labels_put(&crowd->labels, taxon) : LINNET_NO_LABEL,
             name = document ? intern_put(&crowd->models, model ? model : "") : 0;
    if ((taxon && label == LINNET_NO_LABEL) || name == INTERN_NONE) return -2;
    memcpy(observed->machine_digest, bytes, sizeof bytes);
    observed->flags &= (uint16_t) ~(OBSERVED_MACHINE | OBSERVED_MACHINE_ORGAN);
    if (document) observed->flags |= OBSERVED_MACHINE;
    if (json_object_size(json_object_get(document, "organs"))) observed->flags |= OBSERVED_MACHINE_ORGAN;
    observed->machine_label = label;
    observed->machine_model = name;
    observed->machine_score = taxon ? json_number_value(json_object_get(first, "score")) : 0;
    return 0;
}
