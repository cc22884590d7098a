/* Scientific names as anybody's list of labels spells them. */
#include <string.h>

#include "common/taxonomy/name.h"
#include "common/taxonomy/taxonomy.h"
#include "tests/fuzz/fuzz.h"

static struct linnet_taxonomy *small_backbone(void) {
    static const char *const names[][2] = {
        {"Quercus", "L."}, {"Quercus robur", "L."}, {"Rosa × alba", "L."}, {"A", "B C"}};
    struct linnet_taxonomy *taxonomy = linnet_taxonomy_new();
    for (int i = 0; i < 4; i++) {
        char id[] = "taxon:0";
        id[6] = (char)('0' + i);
        json_t *document =
            json_pack("{s:s,s:s}", "scientificName", names[i][0], "scientificNameAuthorship", names[i][1]);
        if (!taxonomy || linnet_taxonomy_add(taxonomy, id, document, NULL)) abort();
        json_decref(document);
    }
    if (linnet_taxonomy_finish(taxonomy, NULL, NULL)) abort();
    return taxonomy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct linnet_taxonomy *taxonomy;
    if (!taxonomy) taxonomy = small_backbone();
    char *text = malloc(size + 1);
    if (!text) abort();
    if (size) memcpy(text, data, size);
    text[size] = '\0';
    uint32_t index = linnet_taxonomy_find_name(taxonomy, text);
    if (index != LINNET_NO_TAXON && !linnet_taxonomy_at(taxonomy, index)) abort();
    struct linnet_buf once = {0}, twice = {0};
    if (linnet_name_fold(text, &once) || linnet_name_fold(once.data, &twice)) abort();
    if (strcmp(once.data, twice.data)) abort(); /* folding what is folded changes nothing */
    linnet_buf_done(&once);
    linnet_buf_done(&twice);
    free(text);
    return 0;
}
