/* Anybody's Darwin Core Archive: as a zip file, and as the description in one. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"
#include "workers/flora/meta.h"
#include "workers/flora/readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct linnet_reader_options options = {.kingdom = "Plantae"};
    const char *path = memory_file(data, size);
    struct linnet_archive *archive;
    struct linnet_stream *stream;
    struct linnet_meta meta;
    if (linnet_archive_open(path, &archive, NULL) == 0) {
        struct linnet_checklist *list = linnet_checklist_new();
        HOLD(list);
        if (linnet_read_dwca(list, archive, &options, NULL) == 0)
            HOLD(linnet_checklist_resolve(list, NULL) == 0);
        linnet_checklist_free(list);
        linnet_archive_close(archive);
    }
    HOLD(linnet_stream_open(path, &stream, NULL) == 0);
    if (linnet_meta_read(stream, &meta, NULL) == 0) HOLD(meta.nfiles > 0 && meta.nfiles <= LINNET_META_FILES);
    linnet_stream_close(stream);
    return 0;
}
