#include "workers/flora/documents.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/digest.h"
#include "common/taxonomy/name.h"

/* Names by the taxon that they mean: those of taxon t are order[first[t]] up to order[first[t + 1]]. */
struct groups {
    uint32_t *first, *order;
};

struct writing {
    const struct linnet_checklist *list;
    const struct linnet_checklist_output *output;
    struct groups names;
    bool *chosen; /* names that are written; NULL: all taxa */
    struct linnet_buf id, text;
    struct linnet_error *err;
};

/* ---- which ---- */

static int group_names(const struct linnet_checklist *list, struct groups *out) {
    *out = (struct groups){calloc((size_t)list->nnames + 2, sizeof *out->first),
                           malloc(((size_t)list->nnames + 1) * sizeof *out->order)};
    if (!out->first || !out->order) return LINNET_E_NOMEM;
    uint32_t *next = out->first + 1; /* counts first, then where the next goes, at the end the ends */
    for (uint32_t i = 0; i < list->nnames; i++)
        if (list->names[i].taxon != LINNET_NO_NAME && list->names[i].taxon + 1 < list->nnames)
            next[list->names[i].taxon + 1]++;
    for (uint32_t i = 1; i < list->nnames; i++)
        next[i] += next[i - 1];
    for (uint32_t i = 0; i < list->nnames; i++)
        if (list->names[i].taxon != LINNET_NO_NAME) out->order[next[list->names[i].taxon]++] = i;
    return 0;
}

static bool is_wanted(const struct linnet_checklist *list, const char *const *codes, uint16_t area) {
    for (; *codes; codes++)
        if (!strcmp(*codes, linnet_checklist_text(list, list->areas[area].code))) return true;
    return false;
}

static int check_codes(const struct linnet_checklist *list, const char *const *codes,
                       struct linnet_error *err) {
    for (; codes && *codes; codes++) {
        bool found = false;
        for (uint16_t area = 0; area < list->nareas && !found; area++)
            found = !strcmp(*codes, linnet_checklist_text(list, list->areas[area].code));
        if (!found)
            return linnet_error_set(
                err, LINNET_E_NOT_FOUND,
                "nothing is known of an area %s; areas are the distribution's codes, like "
                "BGM or GRB",
                *codes);
    }
    return 0;
}

/* The species of the areas, and what they stand under. */
static int choose(struct writing *w) {
    const struct linnet_checklist *list = w->list;
    if (!w->output->codes) return 0;
    int error = check_codes(list, w->output->codes, w->err);
    if (error) return error;
    w->chosen = calloc((size_t)list->nnames + 1, sizeof *w->chosen);
    bool *areas = calloc((size_t)list->nareas + 1, sizeof *areas);
    if (!w->chosen || !areas) {
        free(areas);
        return linnet_error_set(w->err, LINNET_E_NOMEM, "out of memory");
    }
    for (uint16_t area = 0; area < list->nareas; area++)
        areas[area] = is_wanted(list, w->output->codes, area);
    for (size_t i = 0; i < list->npresences; i++) {
        if (!areas[list->presences[i].area]) continue;
        for (uint32_t t = list->presences[i].name; t != LINNET_NO_NAME && !w->chosen[t];
             t = list->names[t].parent)
            w->chosen[t] = true;
    }
    free(areas);
    return 0;
}

/* ---- text ---- */

/* Texts of a checklist hold no control characters: two more are escaped. */
static int put_string(struct linnet_buf *out, const char *text) {
    int error = linnet_buf_append(out, "\"", 1);
    while (!error && *text) {
        size_t size = strcspn(text, "\"\\");
        error = linnet_buf_append(out, text, size);
        text += size;
        if (error || !*text) break;
        char escaped[2] = {'\\', *text++};
        error = linnet_buf_append(out, escaped, 2);
    }
    return error ? error : linnet_buf_append(out, "\"", 1);
}

static int put_member(struct linnet_buf *out, const char *name, const char *text) {
    int error = linnet_buf_printf(out, ",\"%s\":", name);
    return error ? error : put_string(out, text);
}

/* Letters without their accents, lower case, anything else a hyphen, never two of them. */
static int put_slug(struct linnet_buf *out, const char *name) {
    struct linnet_buf folded = {0};
    int error = linnet_name_simplify(name, &folded);
    size_t start = out->size;
    for (const char *s = folded.data; !error && s && *s; s++) {
        bool plain = isalnum((unsigned char)*s) && (unsigned char)*s < 0x80;
        if (plain)
            error = linnet_buf_append(out, s, 1);
        else if (out->size > start && out->data[out->size - 1] != '-')
            error = linnet_buf_append(out, "-", 1);
    }
    if (!error && out->size > start && out->data[out->size - 1] == '-') out->data[--out->size] = '\0';
    linnet_buf_done(&folded);
    return error;
}

/* An id of the source as a part of ours: what may not stand there goes by its number. */
static int put_escaped(struct linnet_buf *out, const char *id) {
    int error = 0;
    for (; !error && *id; id++) {
        unsigned char c = (unsigned char)*id;
        if ((c < 0x80 && isalnum(c)) || strchr("._:-", c))
            error = linnet_buf_append(out, id, 1);
        else
            error = linnet_buf_printf(out, ".%02x", c);
    }
    return error;
}

static int put_id(struct writing *w, struct linnet_buf *out, const char *kind, const char *id) {
    int error = linnet_buf_printf(out, "%s:%s", kind, w->output->prefix);
    size_t start = out->size;
    if (!error) error = w->output->slugs ? put_slug(out, id) : put_escaped(out, id);
    if (!error && (out->size == start || !isalnum((unsigned char)out->data[start])) && !*w->output->prefix)
        error = linnet_buf_printf(out, "x"); /* an id begins with a letter or digit */
    if (error || out->size <= 120) return error;
    /* Too long for an id: its beginning, and a hash of the whole. */
    uint64_t hash = linnet_hash(out->data, out->size);
    out->data[out->size = 100] = '\0';
    return linnet_buf_printf(out, "-%016llx", (unsigned long long)hash);
}

static int put_taxon_id(struct writing *w, struct linnet_buf *out, uint32_t name) {
    return put_id(w, out, "taxon", linnet_checklist_key(w->list, w->list->names[name].key));
}

static int put_quoted_id(struct writing *w, uint32_t name) {
    int error = linnet_buf_append(&w->text, "\"", 1);
    w->id.size = 0;
    if (!error) error = put_taxon_id(w, &w->id, name);
    if (!error) error = linnet_buf_append(&w->text, w->id.data, w->id.size);
    return error ? error : linnet_buf_append(&w->text, "\"", 1);
}

/* ---- taxa ---- */

static int put_synonyms(struct writing *w, uint32_t taxon, struct linnet_checklist_written *written) {
    const struct linnet_checklist *list = w->list;
    bool first = true;
    int error = 0;
    for (uint32_t i = w->names.first[taxon]; !error && i < w->names.first[taxon + 1]; i++) {
        uint32_t name = w->names.order[i];
        if (name == taxon) continue;
        error = linnet_buf_append_string(&w->text, first ? ",\"synonyms\":{" : ",");
        if (!error) error = put_quoted_id(w, name);
        if (!error) error = linnet_buf_append_string(&w->text, ":[");
        if (!error) error = put_string(&w->text, linnet_checklist_text(list, list->names[name].name));
        if (!error && list->names[name].authors) {
            error = linnet_buf_append(&w->text, ",", 1);
            if (!error) error = put_string(&w->text, linnet_checklist_text(list, list->names[name].authors));
        }
        if (!error) error = linnet_buf_append(&w->text, "]", 1);
        first = false;
        written->synonyms++;
    }
    return error || first ? error : linnet_buf_append(&w->text, "}", 1);
}

/* Common names lie in order of taxon and language. */
static int put_vernacular(struct writing *w, uint32_t taxon) {
    const struct linnet_checklist *list = w->list;
    size_t low = 0, high = list->nvernacular;
    int error = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->vernacular[middle].name < taxon)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == list->nvernacular || list->vernacular[low].name != taxon) return 0;
    uint32_t language = 0;
    unsigned of_language = 0;
    error = linnet_buf_append_string(&w->text, ",\"vernacularNames\":{");
    for (size_t i = low; !error && i < list->nvernacular && list->vernacular[i].name == taxon; i++) {
        const struct linnet_vernacular *name = &list->vernacular[i];
        bool another = i == low || name->language != language;
        of_language = another ? 1 : of_language + 1;
        if (of_language > 100) continue; /* as the schema has it */
        if (another) {
            error = linnet_buf_printf(&w->text, "%s", i == low ? "" : "],");
            if (!error) error = put_string(&w->text, linnet_checklist_text(list, name->language));
            if (!error) error = linnet_buf_append_string(&w->text, ":[");
        } else {
            error = linnet_buf_append(&w->text, ",", 1);
        }
        if (!error) error = put_string(&w->text, linnet_checklist_text(list, name->text));
        language = name->language;
    }
    return error ? error : linnet_buf_append_string(&w->text, "]}");
}

static int put_identifiers(struct writing *w, const struct linnet_checklist_name *name) {
    const char *external = linnet_checklist_text(w->list, name->external);
    const char *key = linnet_checklist_key(w->list, name->key);
    const char *family = "family-", *genus = "genus-"; /* made ones are in no catalogue */
    bool known = w->output->identifier && strncmp(key, family, strlen(family)) != 0 &&
                 strncmp(key, genus, strlen(genus)) != 0;
    bool also = w->output->external && *external;
    if (!known && !also) return 0;
    int error = linnet_buf_printf(&w->text, ",\"identifiers\":{%s%s%s", known ? "\"" : "",
                                  known ? w->output->identifier : "", known ? "\":" : "");
    if (!error && known) error = put_string(&w->text, key);
    if (!error && also)
        error = linnet_buf_printf(&w->text, "%s\"%s\":", known ? "," : "", w->output->external);
    if (!error && also) error = put_string(&w->text, external);
    return error ? error : linnet_buf_append(&w->text, "}", 1);
}

static int write_taxon(struct writing *w, uint32_t taxon, struct linnet_checklist_written *written) {
    const struct linnet_checklist *list = w->list;
    const struct linnet_checklist_name *name = &list->names[taxon];
    w->text.size = 0;
    int error = linnet_buf_append_string(&w->text, "{\"_id\":");
    if (!error) error = put_quoted_id(w, taxon);
    if (!error) error = linnet_buf_append_string(&w->text, ",\"kind\":\"taxon\"");
    if (!error) error = put_member(&w->text, "scientificName", linnet_checklist_text(list, name->name));
    if (!error && name->authors)
        error = put_member(&w->text, "scientificNameAuthorship", linnet_checklist_text(list, name->authors));
    if (!error) error = put_member(&w->text, "taxonRank", linnet_level_name(name->level));
    if (!error) error = linnet_buf_append_string(&w->text, ",\"parentNameUsageID\":");
    if (!error)
        error = name->parent == LINNET_NO_NAME ? linnet_buf_append_string(&w->text, "null")
                                               : put_quoted_id(w, name->parent);
    if (!error) error = put_synonyms(w, taxon, written);
    if (!error) error = put_vernacular(w, taxon);
    if (!error) error = put_identifiers(w, name);
    if (!error) error = linnet_buf_append(&w->text, "}", 1);
    w->id.size = 0;
    if (!error) error = put_taxon_id(w, &w->id, taxon);
    if (error) return linnet_error_set(w->err, error, "%s", linnet_error_message(error));
    written->taxa++;
    return w->output->emit(w->output->arg, w->id.data, w->text.data, w->text.size, w->err);
}

static void done(struct writing *w) {
    free(w->names.first);
    free(w->names.order);
    free(w->chosen);
    linnet_buf_done(&w->id);
    linnet_buf_done(&w->text);
}

int linnet_checklist_write_taxa(const struct linnet_checklist *list,
                                const struct linnet_checklist_output *output,
                                struct linnet_checklist_written *written, struct linnet_error *err) {
    struct writing w = {.list = list, .output = output, .err = err};
    int error = group_names(list, &w.names);
    if (error)
        linnet_error_set(err, error, "out of memory");
    else
        error = choose(&w);
    for (int level = LINNET_LEVEL_FAMILY; level <= LINNET_LEVEL_SPECIES; level++)
        for (uint32_t i = 0; !error && i < list->nnames; i++)
            if (list->names[i].taxon == i && list->names[i].level == level && (!w.chosen || w.chosen[i]))
                error = write_taxon(&w, i, written);
    done(&w);
    return error;
}

/* ---- floras ---- */

static int put_taxa(struct writing *w, const char *member, size_t from, size_t to, bool introduced_only) {
    bool first = true;
    int error = 0;
    for (size_t i = from; !error && i < to; i++) {
        const struct linnet_presence *presence = &w->list->presences[i];
        if (introduced_only ? !presence->introduced : presence->introduced && w->output->native_only)
            continue;
        error =
            first ? linnet_buf_printf(&w->text, ",\"%s\":[", member) : linnet_buf_append(&w->text, ",", 1);
        if (!error) error = put_quoted_id(w, presence->name);
        first = false;
    }
    if (error) return error;
    if (!first) return linnet_buf_append(&w->text, "]", 1);
    return introduced_only ? 0 : linnet_buf_printf(&w->text, ",\"%s\":[]", member);
}

static int put_shape(struct writing *w, const char *code) {
    const json_t *shape = json_object_get(w->output->shapes, code);
    char *text = shape ? json_dumps(shape, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    if (!shape) return 0;
    int error = text ? linnet_buf_printf(&w->text, ",\"area\":") : LINNET_E_NOMEM;
    if (!error) error = linnet_buf_append_string(&w->text, text);
    free(text);
    return error;
}

static int write_flora(struct writing *w, size_t from, size_t to, struct linnet_checklist_written *written) {
    const struct linnet_checklist *list = w->list;
    const struct linnet_checklist_area *area = &list->areas[list->presences[from].area];
    const char *code = linnet_checklist_text(list, area->code),
               *title = linnet_checklist_text(list, area->title);
    struct linnet_buf id = {0};
    w->text.size = 0;
    int error = put_id(w, &id, "flora", code);
    if (!error) error = linnet_buf_printf(&w->text, "{\"_id\":\"%s\",\"kind\":\"flora\"", id.data);
    if (!error) error = put_member(&w->text, "title", *title ? title : code);
    if (!error) error = put_taxa(w, "taxa", from, to, false);
    if (!error && !w->output->native_only) error = put_taxa(w, "introduced", from, to, true);
    if (!error) error = put_shape(w, code);
    if (!error) error = linnet_buf_append(&w->text, "}", 1);
    if (error)
        linnet_error_set(w->err, error, "%s", linnet_error_message(error));
    else
        error = w->output->emit(w->output->arg, id.data, w->text.data, w->text.size, w->err);
    written->floras += !error;
    linnet_buf_done(&id);
    return error;
}

int linnet_checklist_write_floras(const struct linnet_checklist *list,
                                  const struct linnet_checklist_output *output,
                                  struct linnet_checklist_written *written, struct linnet_error *err) {
    struct writing w = {.list = list, .output = output, .err = err};
    int error = check_codes(list, output->codes, err);
    for (size_t from = 0, to; !error && from < list->npresences; from = to) {
        for (to = from; to < list->npresences && list->presences[to].area == list->presences[from].area;)
            to++;
        if (output->codes && !is_wanted(list, output->codes, list->presences[from].area)) continue;
        error = write_flora(&w, from, to, written);
    }
    done(&w);
    return error;
}
