/* Names looked up as anybody types them, in an index of other such names; and the distance between them. */
#include <string.h>

#include "common/taxonomy/lookup.h"
#include "common/taxonomy/name.h"
#include "tests/fuzz/fuzz.h"

/* An index of the lines of a text, but the last, which is looked up. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct linnet_lookup_builder *builder = linnet_lookup_builder_new();
    struct linnet_lookup *lookup;
    struct linnet_lookup_match matches[20];
    char *text = malloc(size + 1), *line = text, *end;
    uint32_t taxon = 0;
    HOLD(builder && text);
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    for (; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (line == text || *line != '+')
            HOLD(linnet_lookup_add_taxon(builder, "taxon:1", line, "", LINNET_RANK_SPECIES, &taxon) == 0);
        else
            HOLD(linnet_lookup_add_name(builder, taxon, line + 1, LINNET_LOOKUP_COMMON, "en") == 0);
    }
    HOLD(linnet_lookup_build(builder, &lookup) == 0);
    struct linnet_lookup_options options = {.limit = 20};
    size_t n = linnet_lookup_find(lookup, line, &options, matches);
    HOLD(n <= 20);
    for (size_t i = 0; i < n; i++) {
        HOLD(matches[i].taxon < linnet_lookup_size(lookup).taxa && matches[i].distance <= 4);
    }
    struct linnet_buf once = {0}, twice = {0};
    HOLD(!linnet_name_simplify(line, &once) && !linnet_name_simplify(once.data, &twice));
    HOLD(!strcmp(once.data, twice.data));
    linnet_buf_done(&once);
    linnet_buf_done(&twice);
    linnet_lookup_free(lookup);
    linnet_lookup_builder_free(builder);
    free(text);
    return 0;
}
