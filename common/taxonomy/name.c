#include "common/taxonomy/name.h"

#include <ctype.h>
#include <string.h>

#define HYBRID "\xc3\x97" /* the multiplication sign */

/* Longest word that is looked at; a longer one is no part of a name and goes in pieces. */
enum { WORD_MOST = 128 };

/* The next word at *text into `word`, a leading hybrid sign as a word of its own. False at the end. */
static bool next_word(const char **text, char word[WORD_MOST]) {
    const char *s = *text;
    while (isspace((unsigned char)*s) || !strncmp(s, "\xc2\xa0", 2))
        s += *s == '\xc2' ? 2 : 1;
    size_t size = 0;
    if (!strncmp(s, HYBRID, 2)) {
        size = 2;
    } else {
        while (s[size] && !isspace((unsigned char)s[size]) && strncmp(s + size, "\xc2\xa0", 2) != 0 &&
               size < WORD_MOST - 1)
            size++;
    }
    memcpy(word, s, size);
    word[size] = '\0';
    *text = s + size;
    if (!strcmp(word, "x") || !strcmp(word, "X")) strcpy(word, HYBRID);
    return size > 0;
}

/* ASCII, and U+00C0 to U+00DE but the multiplication sign: what names and authors have. */
static void fold(char *word) {
    for (unsigned char *s = (unsigned char *)word; *s; s++) {
        if (*s >= 'A' && *s <= 'Z')
            *s |= 0x20;
        else if (*s == 0xc3 && s[1] >= 0x80 && s[1] <= 0x9e && s[1] != 0x97)
            *++s += 0x20;
    }
}

static int append_word(struct linnet_buf *out, size_t start, char *word) {
    fold(word);
    int rc = out->size > start ? linnet_buf_append(out, " ", 1) : 0;
    return rc ? rc : linnet_buf_append_string(out, word);
}

int linnet_name_fold(const char *name, struct linnet_buf *out) {
    char word[WORD_MOST];
    size_t start = out->size;
    int rc = linnet_buf_append(out, "", 0);
    while (!rc && next_word(&name, word))
        rc = append_word(out, start, word);
    return rc;
}

/* Ranks below the species as they stand inside names, and one spelling for each. NULL: no rank. */
static const char *infraspecific(const char *word) {
    static const char *const ranks[][2] = {{"subsp.", "subsp."},
                                           {"ssp.", "subsp."},
                                           {"var.", "var."},
                                           {"subvar.", "subvar."},
                                           {"f.", "f."},
                                           {"fo.", "f."},
                                           {"nothosubsp.", "nothosubsp."},
                                           {"nothovar.", "nothovar."}};
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
        if (!strcmp(word, ranks[i][0])) return ranks[i][1];
    return NULL;
}

/* Is it an epithet: lower case all through, and not one of the small words that stand between authors? */
static bool is_epithet(const char *word) {
    static const char *const particles[] = {"ex",  "et",  "in", "de",  "da",    "von", "van",
                                            "den", "der", "f.", "al.", "auct.", "non"};
    for (size_t i = 0; i < sizeof particles / sizeof particles[0]; i++)
        if (!strcmp(word, particles[i])) return false;
    for (const unsigned char *s = (const unsigned char *)word; *s; s++) {
        if (*s >= 'A' && *s <= 'Z') return false;
        if (*s == 0xc3 && s[1] >= 0x80 && s[1] <= 0x9e && s[1] != 0x97) return false;
        if (strchr("().&,0123456789'", *s)) return false;
    }
    return *word != '\0';
}

/* "sp.", "cf." and the like say that the name is not known: kept, so that "Quercus sp." is not taken for the
 * genus. */
static bool is_open(const char *word) {
    static const char *const open[] = {"sp.",  "sp",  "spp.", "spp",  "cf.",   "cf",
                                       "aff.", "aff", "agg.", "s.l.", "s.str."};
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        if (!strcmp(word, open[i])) return true;
    return false;
}

int linnet_name_without_authors(const char *name, struct linnet_buf *out) {
    char word[WORD_MOST], next[WORD_MOST];
    size_t start = out->size;
    bool genus = false, authors = false;
    int rc = linnet_buf_append(out, "", 0);
    bool more = next_word(&name, word);
    while (!rc && more) {
        more = next_word(&name, next);
        const char *rank = genus ? infraspecific(word) : NULL;
        bool sign = !strcmp(word, HYBRID);
        if (rank && more && is_epithet(next)) {
            strcpy(word, rank);
            rc = append_word(out, start, word);
            authors = false;
        } else if (!genus || (!authors && (sign || is_epithet(word) || is_open(word)))) {
            rc = append_word(out, start, word);
            genus = genus || !sign;
        } else {
            authors = true;
        }
        strcpy(word, next);
    }
    return rc;
}

bool linnet_name_same_authors(const char *a, const char *b) {
    for (;; a++, b++) {
        while (*a == ' ' || *a == '.')
            a++;
        while (*b == ' ' || *b == '.')
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) return false;
        if (!*a) return true;
    }
}
