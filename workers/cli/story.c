#include "workers/cli/story.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"

struct linnet_names {
    struct linnet_store *store;
    json_t *known; /* {taxon: name} */
};

struct linnet_names *linnet_names_new(struct linnet_store *store) {
    struct linnet_names *names = calloc(1, sizeof *names);
    if (!names || !(names->known = json_object())) {
        free(names);
        return NULL;
    }
    names->store = store;
    return names;
}

void linnet_names_free(struct linnet_names *names) {
    if (!names) return;
    json_decref(names->known);
    free(names);
}

const char *linnet_names_of(struct linnet_names *names, const char *taxon) {
    json_t *document = NULL;
    if (!taxon || !*taxon) return "-";
    const char *known = json_string_value(json_object_get(names->known, taxon));
    if (known) return known;
    if (linnet_store_get(names->store, LINNET_DB_REFERENCE, taxon, NULL, &document, NULL) != 0)
        document = NULL;
    json_object_set_new(names->known, taxon,
                        json_string(linnet_json_string(document, "scientificName", taxon)));
    json_decref(document);
    return json_string_value(json_object_get(names->known, taxon));
}

json_t *linnet_story_find(const json_t *documents, const char *kind, const char *qualifier) {
    size_t i;
    json_t *document;
    json_array_foreach(documents, i, document) {
        struct linnet_id id;
        if (linnet_id_parse(linnet_json_string(document, "_id", ""), &id) != 0 || strcmp(id.kind, kind) != 0)
            continue;
        if (!qualifier || strcmp(id.qualifier, qualifier) == 0) return document;
    }
    return NULL;
}

int linnet_story_letters(struct linnet_store *store, const json_t *documents, const char *ulid, json_t **out,
                         struct linnet_error *err) {
    json_t *all = NULL, *letter;
    size_t i;
    (void)documents;
    int error =
        linnet_store_range(store, LINNET_DB_OPS, "deadletter:", "deadletter:\xef\xbf\xb0", 0, &all, err);
    if (error) return error;
    *out = json_array();
    json_array_foreach(all, i, letter) if (strncmp(linnet_json_string(letter, "id", ""), ulid, 26) == 0)
        json_array_append(*out, letter);
    json_decref(all);
    return 0;
}

static void print_scores(FILE *out, const char *indent, const json_t *scores, size_t most,
                         struct linnet_names *names) {
    size_t i;
    json_t *entry;
    json_array_foreach(scores, i, entry) {
        if (i == most) break;
        fprintf(out, "%s%5.1f%%  %s\n", indent, 100 * linnet_json_number(entry, "score", 0),
                linnet_names_of(names, linnet_json_string(entry, "taxon", NULL)));
    }
}

static void print_predictions(FILE *out, const json_t *documents, const char *digest,
                              struct linnet_names *names) {
    size_t i;
    json_t *document;
    json_array_foreach(documents, i, document) {
        if (strcmp(linnet_json_string(document, "kind", ""), "prediction") != 0) continue;
        if (strcmp(linnet_json_string(document, "image", ""), digest) != 0) continue;
        const char *organ = NULL, *name;
        double best = 0;
        json_t *score;
        json_object_foreach(json_object_get(document, "organ"), name, score) {
            if (json_number_value(score) > best) best = json_number_value(score), organ = name;
        }
        fprintf(out, "      %s", linnet_json_string(document, "model", "?"));
        if (organ) fprintf(out, " sees %s (%.0f%%)", organ, 100 * best);
        if (json_object_get(document, "plant"))
            fprintf(out, ", a plant at %.0f%%", 100 * linnet_json_number(document, "plant", 0));
        fputc('\n', out);
        print_scores(out, "      ", json_object_get(document, "species"), 3, names);
    }
}

static void print_views(FILE *out, const json_t *documents, const json_t *observation,
                        struct linnet_names *names) {
    size_t i;
    json_t *view;
    json_array_foreach(json_object_get(observation, "views"), i, view) {
        const char *digest = linnet_json_string(view, "image", "");
        json_t *normalized = linnet_story_find(documents, "normalized", digest);
        fprintf(out, "  view %zu: %s, %.12s...", i + 1, linnet_json_string(view, "organ", "auto"), digest);
        if (normalized)
            fprintf(out, ", %lld x %lld %s\n", linnet_json_integer(normalized, "width", 0),
                    linnet_json_integer(normalized, "height", 0),
                    linnet_json_string(normalized, "format", ""));
        else if (linnet_story_find(documents, "image", digest))
            fputs(", not normalized yet\n", out);
        else
            fputs(", its picture has not arrived\n", out);
        print_predictions(out, documents, digest, names);
    }
}

static void print_identification(FILE *out, const json_t *identification, struct linnet_names *names) {
    if (!identification) {
        fputs("identification: none yet\n", out);
        return;
    }
    const char *flora = linnet_json_string(identification, "flora", NULL);
    fprintf(out, "identification: %s at %.1f%% (%s)\n",
            linnet_names_of(names, linnet_json_string(identification, "best/taxon", NULL)),
            100 * linnet_json_number(identification, "best/score", 0),
            linnet_json_string(identification, "best/rank", "?"));
    fprintf(out, "  %lld of %lld views, by %s of %s", linnet_json_integer(identification, "views/used", 0),
            linnet_json_integer(identification, "views/of", 0),
            linnet_json_string(identification, "method", "?"),
            linnet_json_string(identification, "model", "?"));
    if (flora)
        fprintf(out, "; %s took %.1f%% away", flora,
                100 * linnet_json_number(identification, "flora_removed", 0));
    fputc('\n', out);
    print_scores(out, "  ", json_object_get(identification, "species"), 5, names);
}

/* What a user's vote weighs now: a consensus is not written again for every weight that moved. Negative: it
 * is not known. */
static double present_weight(struct linnet_names *names, const char *user) {
    char id[160];
    json_t *skill = NULL;
    snprintf(id, sizeof id, "skill:%s", user);
    if (linnet_store_get(names->store, LINNET_DB_REFERENCE, id, NULL, &skill, NULL) != 0) return -1;
    double weight = linnet_json_number(skill, "weight", -1);
    json_decref(skill);
    return weight;
}

static const char *role_words(const json_t *vote) {
    static const char *const words[][2] = {{"for", "for it"},
                                           {"against", "against it"},
                                           {"rejects", "rejects it"},
                                           {"neutral", "neutral"},
                                           {"none", "says nothing"}};
    const char *role = linnet_json_string(vote, "role", "");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], role) == 0) return words[i][1];
    return "";
}

static void print_vote(FILE *out, const json_t *vote, struct linnet_names *names) {
    const char *kind = linnet_json_string(vote, "vote", "taxon"),
               *user = linnet_json_string(vote, "user", "?"),
               *rejects = linnet_json_string(vote, "disagrees_with", NULL);
    bool blocked = linnet_json_bool(vote, "blocked", false);
    double then = linnet_json_number(vote, "weight", 0), now = blocked ? -1 : present_weight(names, user);
    fprintf(out, "  %-16s %-28s %-12s weight %.2f", user,
            strcmp(kind, "taxon") == 0 ? linnet_names_of(names, linnet_json_string(vote, "taxon", NULL))
                                       : kind,
            role_words(vote), then);
    if (now >= 0 && (now - then > 0.005 || then - now > 0.005)) fprintf(out, " (%.2f now)", now);
    if (rejects) fprintf(out, ", not %s", linnet_names_of(names, rejects));
    fprintf(out, "%s%s%s, since %s\n", linnet_json_bool(vote, "author", false) ? ", the observer" : "",
            linnet_json_bool(vote, "proposed", false) ? " (proposed)" : "", blocked ? ", blocked" : "",
            linnet_json_string(vote, "created_at", "?"));
}

static void print_method(FILE *out, const json_t *consensus, const char *name, const char *words,
                         struct linnet_names *names) {
    const json_t *method = json_object_get(json_object_get(consensus, "methods"), name);
    const char *taxon = linnet_json_string(method, "taxon", NULL);
    if (!method) return;
    fprintf(out, "  %s: %s (confidence %.2f, accuracy %.2f)%s\n", words,
            linnet_json_bool(method, "not_a_plant", false) ? "not a plant"
            : taxon                                        ? linnet_names_of(names, taxon)
                                                           : "nothing",
            linnet_json_number(method, "confidence", 0), linnet_json_number(method, "accuracy", 0),
            linnet_json_bool(method, "valid", false) ? ", valid" : "");
}

static void print_consensus(FILE *out, const json_t *consensus, struct linnet_names *names) {
    size_t i;
    json_t *entry;
    if (!consensus) {
        fputs("consensus: none yet\n", out);
        return;
    }
    fprintf(out, "consensus: %s, %s, %s (confidence %.2f, accuracy %.2f)\n",
            linnet_json_bool(consensus, "not_a_plant", false)
                ? "not a plant"
                : linnet_names_of(names, linnet_json_string(consensus, "taxon", NULL)),
            linnet_json_string(consensus, "grade", "?"),
            linnet_json_bool(consensus, "valid", false) ? "valid" : "not valid",
            linnet_json_number(consensus, "confidence", 0), linnet_json_number(consensus, "accuracy", 0));
    json_array_foreach(json_object_get(consensus, "votes"), i, entry) print_vote(out, entry, names);
    print_method(out, consensus, "plantnet", "the species alone", names);
    print_method(out, consensus, "community", "by heads", names);
    json_array_foreach(json_object_get(consensus, "why"), i, entry)
        fprintf(out, "  because %s\n", json_string_value(entry));
}

void linnet_story_print(FILE *out, const char *ulid, const json_t *documents, const json_t *letters,
                        struct linnet_names *names) {
    size_t i;
    json_t *letter;
    const json_t *observation = linnet_story_find(documents, "observation", NULL);
    fprintf(out, "observation %s", ulid);
    if (observation) {
        fprintf(out, " by %s, seen %s", linnet_json_string(observation, "observer", "?"),
                linnet_json_string(observation, "observed_at", "at no known time"));
        if (linnet_json_at(observation, "location/decimalLatitude"))
            fprintf(out, ", near %.1f, %.1f", linnet_json_number(observation, "location/decimalLatitude", 0),
                    linnet_json_number(observation, "location/decimalLongitude", 0));
        if (json_object_get(observation, "flora"))
            fprintf(out, ", %s", linnet_json_string(observation, "flora", ""));
    } else {
        fputs(": the observation itself has not arrived", out);
    }
    fputc('\n', out);
    print_views(out, documents, observation, names);
    print_identification(out, linnet_story_find(documents, "identification", NULL), names);
    print_consensus(out, linnet_story_find(documents, "consensus", NULL), names);
    json_array_foreach(letters, i, letter)
        fprintf(out, "failed: %s on %s: %s\n  (linnet deadletter retry %s)\n",
                linnet_json_string(letter, "stage", "?"), linnet_json_string(letter, "id", "?"),
                linnet_json_string(letter, "reason", "?"),
                linnet_json_string(letter, "_id", "?") + strlen("deadletter:"));
}
