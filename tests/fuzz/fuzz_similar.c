/* An index of pictures from a file: a valid one whose bytes are changed at places that the input names, or,
 * if it begins so, the input itself. Whatever opens can be asked. */
#include <string.h>

#include "common/similar/internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"

#define DIMS 8

/* The bytes of an index of 30 pictures. */
static uint8_t *valid(size_t *size) {
    static uint8_t *bytes;
    static size_t held;
    struct linnet_similar *similar;
    char path[] = "/tmp/fuzz-similar-XXXXXX";
    uint16_t halves[DIMS];
    if (bytes == NULL) {
        HOLD(linnet_similar_new("flora@1", DIMS, &similar) == 0);
        for (unsigned n = 0; n < 30; n++) {
            struct linnet_similar_picture picture = {.taxon = n % 3 ? "taxon:1" : "taxon:2", .note = "{}"};
            snprintf(picture.observation, sizeof picture.observation, "01JTB7K3M4N5P6Q7R8S9%06u", n % 100);
            snprintf(picture.digest, sizeof picture.digest, "%064x", n);
            for (size_t i = 0; i < DIMS; i++)
                halves[i] = (uint16_t)(0x3c00 + n * (i + 1));
            HOLD(linnet_similar_put(similar, &picture, halves, 0.1F) == 0);
        }
        linnet_similar_remove(similar, "01JTB7K3M4N5P6Q7R8S9000003");
        int fd = mkstemp(path);
        HOLD(fd >= 0 && linnet_similar_save(similar, path, "7", 0, NULL) == 0);
        linnet_similar_free(similar);
        close(fd);
        FILE *file = fopen(path, "rb");
        HOLD(file && (bytes = malloc(1 << 20)));
        held = fread(bytes, 1, 1 << 20, file);
        fclose(file);
        unlink(path);
    }
    *size = held;
    return bytes;
}

static void ask(const char *path) {
    struct linnet_similar *similar;
    struct linnet_error err = {0};
    struct linnet_similar_hit hits[40];
    struct linnet_similar_picture picture;
    float vector[DIMS] = {1, 2, 3, 4, 5, 6, 7, 8};
    if (linnet_similar_open(path, NULL, &similar, &err) != 0) {
        HOLD(err.detail[0]);
        return;
    }
    if (linnet_similar_verify(similar, &err) == 0 && linnet_similar_dims(similar) == DIMS) {
        struct linnet_similar_query query = {.vector = vector, .k = 40};
        size_t n = linnet_similar_find(similar, &query, hits);
        HOLD(n <= 40 && n <= linnet_similar_size(similar));
        for (size_t i = 0; i < n; i++)
            HOLD(linnet_similar_at(similar, hits[i].picture, &picture));
        linnet_similar_remove(similar, "01JTB7K3M4N5P6Q7R8S9000007");
    }
    linnet_similar_free(similar);
}

/* As a writer that means harm would: both checksums are right. */
static void seal(uint8_t *bytes, size_t size) {
    struct similar_header *header = (void *)bytes;
    const size_t before = offsetof(struct similar_header, content);
    header->content = similar_check(bytes + sizeof *header, size - sizeof *header);
    header->check = similar_check(bytes + before, sizeof *header - before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t held;
    const uint8_t *bytes = valid(&held);
    if (size > 0 && data[0] == 'L') {
        ask(memory_file(data, size));
        return 0;
    }
    uint8_t *changed = malloc(held);
    HOLD(changed);
    memcpy(changed, bytes, held);
    for (size_t i = 1; i + 3 <= size; i += 3)
        changed[(data[i] << 8 | data[i + 1]) % held] = data[i + 2];
    if (size > 0 && data[0] % 2) seal(changed, held);
    size_t kept = size > 0 && data[0] % 4 == 2 ? held * data[0] / 255 : held;
    ask(memory_file(changed, kept));
    free(changed);
    return 0;
}
