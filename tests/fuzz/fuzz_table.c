/* Anybody's CSV file: a table of UTF-8 cells or an error in words; and what is made of tables, labels of a
 * model and labelled pictures. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"
#include "workers/cli/csv.h"
#include "workers/cli/labels.h"
#include "workers/cli/pictures.h"

static struct linnet_taxonomy *small_backbone(void) {
    static const char *const names[][2] = {{"taxon:1", "Quercus robur"}, {"taxon:2", "Rosa canina"}};
    struct linnet_taxonomy *taxonomy = linnet_taxonomy_new();
    for (size_t i = 0; i < 2; i++) {
        json_t *document = json_pack("{s:s}", "scientificName", names[i][1]);
        if (i == 1) json_object_set_new(document, "acceptedNameUsageID", json_string(names[0][0]));
        HOLD(taxonomy && linnet_taxonomy_add(taxonomy, names[i][0], document, NULL) == 0);
        json_decref(document);
    }
    HOLD(linnet_taxonomy_finish(taxonomy, NULL, NULL) == 0);
    return taxonomy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct linnet_taxonomy *backbone;
    if (!backbone) backbone = small_backbone();
    const char *path = memory_file(data, size);
    struct linnet_csv csv;
    struct linnet_error err = {0};
    if (linnet_csv_load(path, 0, &csv, &err) != 0) {
        HOLD(err.detail[0] && !strstr(err.detail, "success"));
        return 0;
    }
    HOLD(csv.nrows > 0);
    size_t rows = csv.nrows;
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < csv.rows[row].ncells; i++) {
            json_t *text = json_string(linnet_csv_cell(&csv, row, (int)i));
            HOLD(text); /* UTF-8 */
            json_decref(text);
        }
    linnet_csv_done(&csv);
    struct linnet_labels labels;
    if (linnet_labels_load(path, backbone, &labels, &err) == 0) {
        size_t index, nothing = 0;
        json_t *taxon;
        HOLD(json_array_size(labels.taxa) == rows - 1);
        json_array_foreach(labels.taxa, index, taxon) nothing += json_is_null(taxon);
        HOLD(json_array_size(labels.unmapped) == nothing);
        linnet_labels_done(&labels);
    }
    struct linnet_pictures pictures;
    if (linnet_pictures_table(path, "/nowhere", &pictures, &err) == 0) {
        HOLD(pictures.n == rows - 1);
        linnet_pictures_done(&pictures);
    }
    return 0;
}
