#include "workers/flora/checklist.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/utf8.h"
#include "workers/flora/tables.h"

struct linnet_checklist *linnet_checklist_new(void) {
    struct linnet_checklist *list = calloc(1, sizeof *list);
    if (!list) return NULL;
    list->tables = calloc(1, sizeof *list->tables);
    if (list->tables) list->tables->text = calloc(1, 4096);
    if (!list->tables || !list->tables->text) {
        free(list->tables);
        free(list);
        return NULL;
    }
    list->tables->size = 4096;
    list->tables->used = 1; /* offset 0 is "" */
    return list;
}

void linnet_checklist_free(struct linnet_checklist *list) {
    if (!list) return;
    linnet_intern_done(&list->tables->ids);
    linnet_intern_done(&list->tables->words);
    linnet_intern_done(&list->tables->areas);
    free(list->tables->text);
    free(list->tables);
    free(list->names);
    free(list->vernacular);
    free(list->presences);
    free(list->areas);
    free(list);
}

const char *linnet_checklist_text(const struct linnet_checklist *list, uint32_t offset) {
    return list->tables->text + offset;
}

const char *linnet_checklist_key(const struct linnet_checklist *list, uint32_t key) {
    return list->tables->text + list->tables->ids.texts[key];
}

const char *linnet_level_name(enum linnet_level level) {
    static const char *const names[] = {"family", "genus", "species", "infraspecies", "other"};
    return names[level <= LINNET_LEVEL_OTHER ? level : LINNET_LEVEL_OTHER];
}

/* ---- what a source's words mean ---- */

static bool one_of(const char *word, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!strcasecmp(word, list[i])) return true;
    return false;
}
#define ONE_OF(word, list) one_of(word, list, sizeof(list) / sizeof *(list))

static enum linnet_level level_of(const char *rank, const char *name) {
    static const char *const below[] = {
        "subspecies",  "variety",   "varietas", "form",      "forma",        "subvariety",
        "subform",     "subsp.",    "ssp.",     "var.",      "f.",           "infraspecific_name",
        "nothosubsp.", "nothovar.", "nothof.",  "nothoform", "nothovariety", "nothosubspecies",
        "convariety",  "convar.",   "cultivar", "proles",    "race",         "infraspecific name",
        "subsubsp.",   "subvar.",   "subf.",    "lusus",     "monstr.",      "infraspecies"};
    static const char *const species[] = {"species", "sp.", "nothospecies"};
    static const char *const genus[] = {"genus", "nothogenus"};
    if (ONE_OF(rank, species)) return LINNET_LEVEL_SPECIES;
    if (ONE_OF(rank, genus)) return LINNET_LEVEL_GENUS;
    if (!strcasecmp(rank, "family")) return LINNET_LEVEL_FAMILY;
    if (ONE_OF(rank, below)) return LINNET_LEVEL_BELOW;
    if (*rank) return LINNET_LEVEL_OTHER;
    /* Nothing is said: by the words of the name, a hybrid's sign being none. */
    unsigned words = 0;
    for (const char *s = name; *s;) {
        size_t size = strcspn(s, " ");
        if (size && !(size == 2 && !strncmp(s, "\xc3\x97", 2)) && !(size == 1 && (*s == 'x' || *s == 'X')))
            words++;
        s += size + (s[size] == ' ');
    }
    size_t size = strlen(name);
    if (words == 1 && size > 5 && !strcmp(name + size - 5, "aceae")) return LINNET_LEVEL_FAMILY;
    return words == 1 ? LINNET_LEVEL_GENUS : words == 2 ? LINNET_LEVEL_SPECIES : LINNET_LEVEL_BELOW;
}

static enum linnet_status status_of(const struct linnet_checklist_row *row) {
    static const char *const good[] = {
        "accepted", "valid", "artificial hybrid", "provisionally accepted", "local biotype", "correct"};
    const char *status = row->status;
    if (*row->accepted)
        return strcmp(row->accepted, row->id) ? LINNET_STATUS_SYNONYM : LINNET_STATUS_ACCEPTED;
    return !*status || ONE_OF(status, good) ? LINNET_STATUS_ACCEPTED : LINNET_STATUS_UNPLACED;
}

/* BCP 47 for what sources write: two letters as they are, three by the list, English names too. */
static const char *language_of(const char *text, char out[32]) {
    static const char *const known[][3] = {
        {"eng", "en", "english"},    {"fra", "fr", "french"},     {"fre", "fr", "français"},
        {"deu", "de", "german"},     {"ger", "de", "deutsch"},    {"spa", "es", "spanish"},
        {"ita", "it", "italian"},    {"por", "pt", "portuguese"}, {"nld", "nl", "dutch"},
        {"dut", "nl", "nederlands"}, {"rus", "ru", "russian"},    {"zho", "zh", "chinese"},
        {"chi", "zh", "mandarin"},   {"jpn", "ja", "japanese"},   {"ara", "ar", "arabic"},
        {"pol", "pl", "polish"},     {"swe", "sv", "swedish"},    {"dan", "da", "danish"},
        {"fin", "fi", "finnish"},    {"nor", "no", "norwegian"},  {"nob", "nb", "bokmål"},
        {"ces", "cs", "czech"},      {"cze", "cs", "čeština"},    {"tur", "tr", "turkish"},
        {"kor", "ko", "korean"},     {"hun", "hu", "hungarian"},  {"ell", "el", "greek"},
        {"gre", "el", "ellenika"},   {"cat", "ca", "catalan"},    {"slv", "sl", "slovenian"},
        {"hrv", "hr", "croatian"},   {"est", "et", "estonian"},   {"heb", "he", "hebrew"},
        {"ukr", "uk", "ukrainian"},  {"eus", "eu", "basque"},     {"baq", "eu", "euskara"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(text, known[i][0]) || !strcasecmp(text, known[i][2])) return known[i][1];
    size_t size = 0, part = 0;
    bool first = true;
    for (const char *s = text; size < 31; s++) {
        unsigned char c = (unsigned char)(*s == '_' ? '-' : *s);
        if (c == '-' || c == '\0') {
            if (part < (first ? 2 : 1) || part > (first ? 3 : 8)) return "und";
            part = 0;
            first = false;
            if (!c) {
                out[size] = '\0';
                return out;
            }
        } else if (isalpha(c) || (!first && isdigit(c))) {
            part++;
        } else {
            return "und";
        }
        out[size++] = (char)(first ? tolower(c) : c);
    }
    return "und";
}

/* Text that may stand in a document. */
static bool is_text(const char *text) {
    size_t size = strlen(text);
    if (size > LINNET_CHECKLIST_TEXT) return false;
    for (size_t at = 0, step; at < size; at += step) {
        if ((unsigned char)text[at] < 0x20) return false;
        step = (unsigned char)text[at] < 0x80 ? 1 : linnet_utf8_next(text + at, size - at);
        if (step == 0) return false;
    }
    return true;
}

/* ---- adding ---- */

static int failed(int code, struct linnet_error *err) {
    return linnet_error_set(err, code, "%s",
                            code == LINNET_E_LIMIT ? "the checklist is larger than can be held"
                                                   : linnet_error_message(code));
}

static void fill_in(struct linnet_checklist_row *row) {
    const char **texts[] = {&row->id,     &row->name,  &row->authors, &row->rank,     &row->status,
                            &row->family, &row->genus, &row->parent,  &row->accepted, &row->external};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!*texts[i]) *texts[i] = "";
    if (!*row->id) row->id = row->name;
}

static int make_room(struct linnet_checklist *list) {
    struct linnet_checklist_tables *tables = list->tables;
    if (list->nnames < tables->names_capacity) return 0;
    if (list->nnames >= LINNET_CHECKLIST_NAMES) return LINNET_E_LIMIT;
    uint32_t capacity = tables->names_capacity ? tables->names_capacity * 2 : 1024;
    struct linnet_checklist_name *names = realloc(list->names, capacity * sizeof *names);
    if (!names) return LINNET_E_NOMEM;
    list->names = names;
    tables->names_capacity = capacity;
    return 0;
}

static int intern_or_none(struct linnet_checklist_tables *tables, const char *id, uint32_t *out) {
    *out = LINNET_NO_NAME;
    return *id ? linnet_tables_intern(tables, &tables->ids, id, out) : 0;
}

static int keep_texts(struct linnet_checklist *list, const struct linnet_checklist_row *row,
                      struct linnet_checklist_name *name) {
    struct linnet_checklist_tables *tables = list->tables;
    uint32_t family = 0;
    int error = linnet_tables_keep(tables, row->name, &name->name);
    if (!error) error = linnet_tables_keep(tables, row->authors, &name->authors);
    if (!error) error = linnet_tables_keep(tables, row->external, &name->external);
    if (!error && *row->family) {
        error = linnet_tables_intern(tables, &tables->words, row->family, &family);
        if (!error) name->family = tables->words.texts[family];
    }
    if (!error) error = intern_or_none(tables, row->parent, &name->parent_key);
    if (!error) error = intern_or_none(tables, row->accepted, &name->accepted_key);
    return error;
}

int linnet_checklist_add(struct linnet_checklist *list, const struct linnet_checklist_row *given,
                         struct linnet_error *err) {
    struct linnet_checklist_row row = *given;
    struct linnet_checklist_tables *tables = list->tables;
    struct linnet_checklist_name name = {.taxon = LINNET_NO_NAME, .parent = LINNET_NO_NAME};
    fill_in(&row);
    list->report.rows++;
    if (!*row.name || !is_text(row.id) || !is_text(row.name) || !is_text(row.authors) ||
        !is_text(row.family) || !is_text(row.external) || !is_text(row.parent) || !is_text(row.accepted)) {
        list->report.malformed++;
        return 0;
    }
    name.level = (uint8_t)level_of(row.rank, row.name);
    name.status = (uint8_t)status_of(&row);
    int error = make_room(list);
    if (!error) error = linnet_tables_intern(tables, &tables->ids, row.id, &name.key);
    if (!error && tables->ids.names[name.key] != LINNET_NO_NAME) {
        list->report.duplicates++;
        return 0;
    }
    if (!error) error = keep_texts(list, &row, &name);
    if (error) return failed(error, err);
    tables->ids.names[name.key] = list->nnames;
    list->names[list->nnames++] = name;
    return 0;
}

int linnet_checklist_add_vernacular(struct linnet_checklist *list, const char *id, const char *language,
                                    const char *text, bool preferred, struct linnet_error *err) {
    struct linnet_checklist_tables *tables = list->tables;
    struct linnet_vernacular vernacular = {.preferred = preferred};
    char tag[32];
    vernacular.name = linnet_tables_find(tables, &tables->ids, id);
    if (vernacular.name == LINNET_NO_NAME || !*text || !is_text(text)) {
        list->report.vernacular_dangling++;
        return 0;
    }
    uint32_t word;
    int error = linnet_tables_intern(tables, &tables->words, language_of(language, tag), &word);
    if (!error) error = linnet_tables_keep(tables, text, &vernacular.text);
    if (!error && list->nvernacular == tables->vernacular_capacity) {
        size_t capacity = tables->vernacular_capacity ? tables->vernacular_capacity * 2 : 1024;
        struct linnet_vernacular *wider = realloc(list->vernacular, capacity * sizeof *wider);
        if (!wider) error = LINNET_E_NOMEM;
        if (wider) list->vernacular = wider, tables->vernacular_capacity = capacity;
    }
    if (error) return failed(error, err);
    vernacular.language = tables->words.texts[word];
    list->vernacular[list->nvernacular++] = vernacular;
    return 0;
}

static int area_of(struct linnet_checklist *list, const char *code, const char *title, uint32_t *out) {
    struct linnet_checklist_tables *tables = list->tables;
    int error = linnet_tables_intern(tables, &tables->areas, code, out);
    if (error || *out < list->nareas) return error;
    if (list->nareas == UINT16_MAX) return LINNET_E_LIMIT;
    struct linnet_checklist_area *wider = realloc(list->areas, (list->nareas + 1u) * sizeof *wider);
    if (!wider) return LINNET_E_NOMEM;
    list->areas = wider;
    wider[list->nareas].code = tables->areas.texts[*out];
    error = linnet_tables_keep(tables, title, &wider[list->nareas].title);
    if (!error) list->nareas++;
    return error;
}

int linnet_checklist_add_presence(struct linnet_checklist *list, const char *id, const char *code,
                                  const char *title, bool introduced, struct linnet_error *err) {
    struct linnet_checklist_tables *tables = list->tables;
    struct linnet_presence presence = {.introduced = introduced};
    uint32_t area = 0;
    presence.name = linnet_tables_find(tables, &tables->ids, id);
    if (presence.name == LINNET_NO_NAME || !*code || !is_text(code) || !is_text(title)) {
        list->report.presences_dangling++;
        return 0;
    }
    int error = area_of(list, code, title, &area);
    if (!error && list->npresences == tables->presences_capacity) {
        size_t capacity = tables->presences_capacity ? tables->presences_capacity * 2 : 4096;
        struct linnet_presence *wider = realloc(list->presences, capacity * sizeof *wider);
        if (!wider) error = LINNET_E_NOMEM;
        if (wider) list->presences = wider, tables->presences_capacity = capacity;
    }
    if (error) return failed(error, err);
    presence.area = (uint16_t)area;
    list->presences[list->npresences++] = presence;
    return 0;
}
