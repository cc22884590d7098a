/* Anybody's checklist: as WCVP's names, its distribution, a list of names, and what is written of it. */
#include <string.h>

#include "common/base/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"
#include "workers/flora/documents.h"
#include "workers/flora/readers.h"

static int check(void *arg, const char *id, const char *text, size_t size, struct linnet_error *err) {
    json_t *document = NULL;
    (void)arg;
    HOLD(linnet_json_parse(text, size, 0, &document, err) == 0);
    HOLD(!strcmp(linnet_json_string(document, "_id", ""), id));
    json_decref(document);
    return 0;
}

static struct linnet_stream *stream_of(const uint8_t *data, size_t size) {
    struct linnet_stream *stream;
    HOLD(linnet_stream_open(memory_file(data, size), &stream, NULL) == 0);
    return stream;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char header[] =
        "plant_name_id|taxon_name|accepted_plant_name_id|taxon_rank|taxon_status|family|"
        "parent_plant_name_id|area_code_l3|area\n";
    const struct linnet_reader_options options = {.kingdom = "Plantae"};
    struct linnet_checklist_output output = {.prefix = "", .emit = check};
    struct linnet_checklist_written written = {0};
    struct linnet_checklist *list = linnet_checklist_new();
    uint8_t *table = malloc(sizeof header + size);
    HOLD(list && table);
    memcpy(table, header, sizeof header - 1);
    if (size) memcpy(table + sizeof header - 1, data, size);
    struct linnet_stream *stream = stream_of(table, sizeof header - 1 + size);
    linnet_read_wcvp(list, stream, NULL, &options, NULL);
    linnet_stream_close(stream);
    stream = stream_of(data, size);
    linnet_read_list(list, stream, &options, NULL);
    linnet_stream_close(stream);
    HOLD(linnet_checklist_resolve(list, NULL) == 0);
    HOLD(linnet_checklist_write_taxa(list, &output, &written, NULL) == 0);
    HOLD(linnet_checklist_write_floras(list, &output, &written, NULL) == 0);
    HOLD(written.taxa == list->report.families + list->report.genera + list->report.species);
    linnet_checklist_free(list);
    free(table);
    return 0;
}
