/* A pattern on the first line, a text behind it: what has steps says what regexec says. Left out are patterns
 * of which regcomp, the judge, would make too much to be a quick one: by the count that the loader of schemas
 * goes by, with a lower limit. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/schema_internal.h"
#include "tests/fuzz/fuzz.h"

enum { ATOMS_MOST = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[65] = "";
    if (size >= sizeof text) return 0;
    memcpy(text, data, size);
    char *value = strchr(text, '\n');
    if (!value) return 0;
    *value++ = '\0';
    if (strchr(text, '\\') || strstr(text, "(?") || schema_pattern_atoms(text) > ATOMS_MOST) return 0;
    regex_t regex;
    struct schema_steps *steps = NULL;
    if (regcomp(&regex, text, REG_EXTENDED | REG_NOSUB)) return 0;
    steps = schema_steps_make(text);
    int said = steps ? schema_steps_match(steps, value) : -1;
    if (said >= 0 && said != (regexec(&regex, value, 0, NULL, 0) == 0)) abort();
    schema_steps_free(steps);
    regfree(&regex);
    return 0;
}
