/* Glushkov's construction (V. M. Glushkov, The abstract theory of automata, 1961): each character of the
 * pattern is a position, and after a position come those that may follow it. Where these never share a
 * character the automaton is deterministic as it stands (Brueggemann-Klein and Wood, One-unambiguous regular
 * languages, 1998). A counted repetition is written out, each copy reached through the one before. */
#include "common/base/schema_steps.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    POSITIONS = 256, /* 0 is where it begins */
    WAYS = 4         /* after one position */
};

struct step {
    uint64_t set[2];    /* the ASCII characters that lead here */
    uint8_t next[WAYS]; /* up to the first 0 */
    bool last;          /* the text may end here */
};

struct schema_steps {
    bool open; /* no $: what follows a match is of no interest */
    struct step step[];
};

/* A part of the pattern: the positions that it can begin and end with. */
struct part {
    uint64_t first[POSITIONS / 64], last[POSITIONS / 64];
    bool nullable;
};

struct builder {
    const char *s;
    size_t count;
    struct step step[POSITIONS];
};

static bool has(const uint64_t *bits, size_t i) {
    return bits[i / 64] >> i % 64 & 1;
}

static void set(uint64_t *bits, size_t i) {
    bits[i / 64] |= UINT64_C(1) << i % 64;
}

static void join(uint64_t *to, const uint64_t *from) {
    for (size_t i = 0; i < POSITIONS / 64; i++)
        to[i] |= from[i];
}

/* ---- building ---- */

static bool add_way(struct step *from, size_t to) {
    for (size_t w = 0; w < WAYS; w++) {
        if (from->next[w] == to) return true;
        if (from->next[w]) continue;
        from->next[w] = (uint8_t)to;
        return true;
    }
    return false;
}

static bool link_parts(struct builder *b, const uint64_t *last, const uint64_t *first) {
    for (size_t from = 0; from < b->count; from++)
        for (size_t to = 0; has(last, from) && to < b->count; to++)
            if (has(first, to) && !add_way(&b->step[from], to)) return false;
    return true;
}

/* [...], the bracket read already. Backslashes are nothing special in it. */
static bool read_list(struct builder *b, uint64_t bits[2]) {
    bool negated = *b->s == '^';
    if (negated) b->s++;
    for (bool begun = false; *b->s != ']' || !begun; begun = true) {
        unsigned char low = (unsigned char)*b->s, high = low;
        if (!low || low >= 0x80 || (low == '[' && b->s[1] && strchr(":.=", b->s[1]))) return false;
        b->s++;
        if (b->s[0] == '-' && b->s[1] != ']') {
            high = (unsigned char)b->s[1];
            if (high < low || high >= 0x80 || high == '[') return false;
            b->s += 2;
        }
        for (unsigned c = low; c <= high; c++)
            set(bits, c);
    }
    b->s++;
    for (int i = 0; negated && i < 2; i++)
        bits[i] = ~bits[i];
    return true;
}

static bool read_character(struct builder *b, struct part *out) {
    if (b->count == POSITIONS) return false;
    uint64_t *bits = b->step[b->count].set;
    unsigned char c = (unsigned char)*b->s++;
    if (c == '[') {
        if (!read_list(b, bits)) return false;
    } else if (c == '.') {
        bits[0] = bits[1] = ~UINT64_C(0);
    } else {
        if (c == '\\') c = (unsigned char)*b->s++;
        if (!c || c >= 0x80) return false;
        set(bits, c);
    }
    set(out->first, b->count);
    set(out->last, b->count++);
    return true;
}

static bool read_choice(struct builder *b, struct part *out);

static bool read_atom(struct builder *b, struct part *out) {
    *out = (struct part){0};
    if (!*b->s || strchr("^$*+?{|)", *b->s)) return false;
    if (*b->s != '(') return read_character(b, out);
    b->s++;
    return read_choice(b, out) && *b->s++ == ')';
}

/* How often the atom before comes: least to most, 0 for without end. */
static bool read_count(struct builder *b, size_t *least, size_t *most) {
    *least = *b->s != '*' && *b->s != '?';
    *most = *b->s != '*' && *b->s != '+';
    if (*b->s == '{') {
        char *end;
        if (b->s[1] < '0' || b->s[1] > '9') return false;
        *least = *most = strtoul(b->s + 1, &end, 10);
        if (*end == ',' && end[1] == '}')
            *most = 0, end++;
        else if (*end == ',')
            *most = strtoul(end + 1, &end, 10);
        if (*end != '}' || (*most && *most < *least) || (!*most && end[-1] != ',')) return false;
        b->s = end + 1;
    } else if (*b->s && strchr("*+?", *b->s)) {
        b->s++;
    }
    return !*b->s || !strchr("*+?{", *b->s);
}

static bool read_repeated(struct builder *b, struct part *out) {
    const char *atom = b->s;
    struct part copy, before;
    size_t least, most;
    if (!read_atom(b, &copy) || !read_count(b, &least, &most)) return false;
    const char *behind = b->s;
    *out = copy;
    if (least == 1 && most == 1) return true;
    if (copy.nullable) return false; /* which copy takes nothing? */
    size_t copies = most ? most : least ? least : 1;
    if (least > 1) memset(out->last, 0, sizeof out->last);
    for (size_t i = 2; i <= copies; i++) {
        before = copy;
        b->s = atom;
        if (!read_atom(b, &copy) || !link_parts(b, before.last, copy.first)) return false;
        if (i >= least) join(out->last, copy.last);
    }
    b->s = behind;
    out->nullable = !least;
    return most || link_parts(b, copy.last, copy.first);
}

static bool read_sequence(struct builder *b, struct part *out) {
    *out = (struct part){.nullable = true};
    while (*b->s && !strchr("|)", *b->s) && !(*b->s == '$' && !b->s[1])) {
        struct part part;
        if (!read_repeated(b, &part) || !link_parts(b, out->last, part.first)) return false;
        if (out->nullable) join(out->first, part.first);
        if (!part.nullable) memset(out->last, 0, sizeof out->last);
        join(out->last, part.last);
        out->nullable &= part.nullable;
    }
    return true;
}

static bool read_choice(struct builder *b, struct part *out) {
    *out = (struct part){0};
    for (;;) {
        struct part part;
        const char *start = b->s;
        if (!read_sequence(b, &part) || b->s == start) return false;
        join(out->first, part.first);
        join(out->last, part.last);
        out->nullable |= part.nullable;
        if (*b->s != '|') return true;
        b->s++;
    }
}

/* Does every character leave but one way to go? */
static bool unambiguous(const struct builder *b) {
    for (size_t i = 0; i < b->count; i++) {
        uint64_t taken[2] = {0};
        for (size_t w = 0; w < WAYS && b->step[i].next[w]; w++) {
            const uint64_t *bits = b->step[b->step[i].next[w]].set;
            if (taken[0] & bits[0] || taken[1] & bits[1]) return false;
            taken[0] |= bits[0];
            taken[1] |= bits[1];
        }
    }
    return true;
}

static struct schema_steps *build(struct builder *b, const char *pattern) {
    struct part whole;
    uint64_t begin[POSITIONS / 64] = {1};
    b->s = pattern + 1;
    b->count = 1;
    if (!read_sequence(b, &whole) || !link_parts(b, begin, whole.first) || !unambiguous(b)) return NULL;
    bool open = *b->s != '$';
    if (b->s[!open]) return NULL; /* | outside of a group */
    for (size_t i = 1; i < b->count; i++)
        b->step[i].last = has(whole.last, i);
    b->step[0].last = whole.nullable;
    struct schema_steps *steps = malloc(sizeof *steps + b->count * sizeof *b->step);
    if (!steps) return NULL;
    steps->open = open;
    memcpy(steps->step, b->step, b->count * sizeof *b->step);
    return steps;
}

struct schema_steps *schema_steps_make(const char *pattern) {
    struct builder *b = *pattern == '^' ? calloc(1, sizeof *b) : NULL;
    struct schema_steps *steps = b ? build(b, pattern) : NULL;
    free(b);
    return steps;
}

void schema_steps_free(struct schema_steps *steps) {
    free(steps);
}

/* ---- matching ---- */

int schema_steps_match(const struct schema_steps *steps, const char *text) {
    const struct step *at = steps->step;
    for (const unsigned char *s = (const unsigned char *)text;; s++) {
        if (at->last && (steps->open || !*s)) return 1;
        if (!*s) return 0;
        if (*s >= 0x80) return -1;
        size_t way = 0;
        while (way < WAYS && at->next[way] && !has(steps->step[at->next[way]].set, *s))
            way++;
        if (way == WAYS || !at->next[way]) return 0;
        at = &steps->step[at->next[way]];
    }
}
