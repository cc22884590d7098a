/* Patterns by steps: they say what regexec says, or leave it to regexec. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test.h"

#include "common/base/schema_steps.h"

static void agrees(const char *pattern, const struct schema_steps *steps, const char *text) {
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int wanted = regexec(&regex, text, 0, NULL, 0) == 0, said = schema_steps_match(steps, text);
    regfree(&regex);
    if (said != wanted) fail_msg("%s on \"%s\": %d, regexec says %d", pattern, text, said, wanted);
}

static void the_patterns_of_our_schemas_are_matched_without_regexec(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *yes, *no[3];
    } cases[] = {
        {"^[0-9a-f]{4}$", "09af", {"09a", "09aff", "09aF"}},
        {"^[0-7][0-9A-HJKMNP-TV-Z]{2}:image:[0-9a-f]{2}$",
         "7ZA:image:ff",
         {"8ZA:image:ff", "7ZA:image:f", ""}},
        {"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)([."
         "][0-9]{1,"
         "9})?Z$",
         "2026-05-03T10:21:60.123456789Z",
         {"2026-13-03T10:21:00Z", "2026-05-03T10:21:00.Z", "2026-05-03T10:21:00.1234567890Z"}},
        {"^[A-Za-z0-9+/]*={0,2}$", "YWI=", {"YWI===", "YW=I", "-"}},
        {"^[A-Za-z0-9][A-Za-z0-9._-]{0,3}@[0-9]+$", "a.b-@12", {"@1", "abcdef@1", "a@"}},
        {"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,2})*$", "de-CH-19", {"de-", "d", "de-CHX"}},
        {"^https?://", "https://x", {"http:/x", "httpss://", "x"}},
        {"^worker:.+$", "worker:a b", {"worker:", "worker", ""}},
        {"^share:([0-9]{2,4}|site)$", "share:site", {"share:1", "share:sit", "share:12345"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct schema_steps *steps = schema_steps_make(cases[i].pattern);
        if (!steps) fail_msg("%s has no steps", cases[i].pattern);
        assert_int_equal(schema_steps_match(steps, cases[i].yes), 1);
        agrees(cases[i].pattern, steps, cases[i].yes);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(schema_steps_match(steps, cases[i].no[k]), 0);
            agrees(cases[i].pattern, steps, cases[i].no[k]);
        }
        schema_steps_free(steps);
    }
}

static void what_is_ambiguous_or_odd_is_left_to_regexec(void **state) {
    (void)state;
    static const char *const patterns[] = {
        "abc",  "^(heic|heif)$", "^a*ab$",    "^a|b$",        "^(a?){2}$", "^[[:digit:]]$", "^a**$",
        "^a$b", "^(^a)$",        "^\xc3\xa9", "^[\xc3\xa9]$", "^()$",      "^(a|)$",        "^[a-z]{300}$"};
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        if (schema_steps_make(patterns[i])) fail_msg("%s has steps", patterns[i]);
    struct schema_steps *steps = schema_steps_make("^.+$");
    assert_int_equal(schema_steps_match(steps, "caf\xc3\xa9"), -1);
    schema_steps_free(steps);
}

/* Patterns and texts from a seed: whatever has steps is held against regexec. */
static void steps_agree_with_regexec_on_anything(void **state) {
    (void)state;
    static const char pattern_letters[] = "aab(|)*+?{}12,[]^-.$", text_letters[] = "aabb12-:,]";
    size_t compared = 0;
    srand(1);
    for (int i = 0; i < 60000; i++) {
        char pattern[20] = "^", text[10]; /* zeros behind it */
        for (int k = 1 + rand() % 14; k > 0; k--)
            pattern[strlen(pattern)] = pattern_letters[(size_t)rand() % (sizeof pattern_letters - 1)];
        if (rand() % 2) strcat(pattern, "$");
        regex_t regex;
        if (strstr(pattern, "(?") || regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB)) continue;
        regfree(&regex);
        struct schema_steps *steps = schema_steps_make(pattern);
        for (int t = 0; steps && t < 8; t++, compared++) {
            size_t size = (size_t)rand() % sizeof text;
            for (size_t k = 0; k < size; k++)
                text[k] = text_letters[(size_t)rand() % (sizeof text_letters - 1)];
            text[size < sizeof text - 1 ? size : sizeof text - 1] = '\0';
            agrees(pattern, steps, text);
        }
        schema_steps_free(steps);
    }
    assert_true(compared > 10000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_patterns_of_our_schemas_are_matched_without_regexec),
        cmocka_unit_test(what_is_ambiguous_or_odd_is_left_to_regexec),
        cmocka_unit_test(steps_agree_with_regexec_on_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
