#include "common/base/id.h"

#include <string.h>

#include "common/base/digest.h"
#include "common/base/error.h"

/* Whether a kind's ids go on after the kind. */
enum qualifier { WITHOUT, WITH };

static const struct {
    const char *kind;
    enum linnet_database database;
    enum qualifier qualifier;
} KINDS[] = {
    {"observation", LINNET_DB_MAIN, WITHOUT}, {"image", LINNET_DB_MAIN, WITH},
    {"validation", LINNET_DB_MAIN, WITH},     {"normalized", LINNET_DB_MAIN, WITH},
    {"prediction", LINNET_DB_MAIN, WITH},     {"identification", LINNET_DB_MAIN, WITHOUT},
    {"consensus", LINNET_DB_MAIN, WITHOUT},   {"taxon", LINNET_DB_REFERENCE, WITH},
    {"flora", LINNET_DB_REFERENCE, WITH},     {"model", LINNET_DB_REFERENCE, WITH},
    {"reviewer", LINNET_DB_REFERENCE, WITH},  {"wanted", LINNET_DB_REFERENCE, WITH},
    {"skill", LINNET_DB_REFERENCE, WITH},     {"share", LINNET_DB_OPS, WITH},
    {"retry", LINNET_DB_OPS, WITH},           {"deadletter", LINNET_DB_OPS, WITH},
    {"suspect", LINNET_DB_OPS, WITH},         {"worker", LINNET_DB_OPS, WITH},
    {"retraining", LINNET_DB_OPS, WITH},      {"backfill", LINNET_DB_OPS, WITH},
    {"identity", LINNET_DB_OPS, WITH},        {"site", LINNET_DB_REFERENCE, WITH},
    {"apikey", LINNET_DB_OPS, WITH},          {"quota", LINNET_DB_OPS, WITH},
    {"comment", LINNET_DB_MAIN, WITH},        {"flag", LINNET_DB_MAIN, WITH},
    {"settle", LINNET_DB_MAIN, WITHOUT},      {"epoch", LINNET_DB_OPS, WITH},
};
enum { NKINDS = sizeof KINDS / sizeof KINDS[0] };

static int find_kind(const char *kind) {
    /* Asked several times for every document: most names differ in their first letter. */
    for (int i = 0; i < NKINDS; i++)
        if (KINDS[i].kind[0] == kind[0] && !strcmp(KINDS[i].kind, kind)) return i;
    return -1;
}

static bool kind_well_formed(const char *kind, size_t size) {
    if (!size || size >= LINNET_KIND_MAX || kind[0] < 'a' || kind[0] > 'z') return false;
    for (size_t i = 1; i < size; i++) {
        char c = kind[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) return false;
    }
    return true;
}

int linnet_id_parse(const char *text, struct linnet_id *out) {
    struct linnet_id id = {.database = LINNET_DB_NONE};
    if (strnlen(text, LINNET_ID_MAX) == LINNET_ID_MAX) return LINNET_E_INVALID;
    const char *colon = strchr(text, ':');
    bool in_observation = colon && linnet_ulid_valid(text, (size_t)(colon - text));
    if (in_observation) {
        memcpy(id.observation, text, LINNET_ULID_SIZE - 1);
        text = colon + 1;
    }
    size_t size = strcspn(text, ":");
    if (!kind_well_formed(text, size)) return LINNET_E_INVALID;
    memcpy(id.kind, text, size);
    id.qualifier = text[size] ? text + size + 1 : text + size;
    if (text[size] && !*id.qualifier) return LINNET_E_INVALID; /* "image:" names nothing */

    int known = find_kind(id.kind);
    if (known >= 0) {
        id.database = KINDS[known].database;
        if ((id.database == LINNET_DB_MAIN) != in_observation) return LINNET_E_INVALID;
        if ((KINDS[known].qualifier == WITH) != (*id.qualifier != '\0')) return LINNET_E_INVALID;
    } else {
        if (!in_observation) return LINNET_E_INVALID;
        id.database = LINNET_DB_MAIN; /* a kind that somebody's own stage brings */
    }
    *out = id;
    return 0;
}

int linnet_id_format(const char *observation, const char *kind, const char *qualifier,
                     char out[LINNET_ID_MAX]) {
    char text[LINNET_ID_MAX];
    const char *const parts[] = {observation, kind, qualifier};
    size_t used = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!parts[i] || !*parts[i]) continue;
        size_t size = strlen(parts[i]), colon = used > 0;
        if (colon + size >= LINNET_ID_MAX - used) return LINNET_E_LIMIT;
        if (colon) text[used++] = ':';
        memcpy(text + used, parts[i], size);
        used += size;
    }
    text[used] = '\0';
    memcpy(out, text, used + 1);
    return 0;
}

enum linnet_database linnet_kind_database(const char *kind) {
    int known = find_kind(kind);
    return known < 0 ? LINNET_DB_NONE : KINDS[known].database;
}

const char *linnet_database_suffix(enum linnet_database database) {
    switch (database) {
    case LINNET_DB_REFERENCE:
        return "-reference";
    case LINNET_DB_OPS:
        return "-ops";
    default:
        return "";
    }
}

unsigned linnet_share_of(const char *observation, unsigned shares) {
    return shares ? (unsigned)(linnet_hash(observation, strlen(observation)) % shares) : 0;
}
