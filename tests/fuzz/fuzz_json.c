/* Foreign JSON: whatever is parsed can be written and read again as the same; mending keeps the size and
 * leaves alone what could be read without it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/json_reader.h"

#define HOLD(condition)                                                                                      \
    do                                                                                                       \
        if (!(condition)) abort();                                                                           \
    while (0)

static void check_round_trip(const json_t *value) {
    char *canonical = linnet_json_canonical(value);
    HOLD(canonical);
    struct linnet_buf wire = {0};
    HOLD(!linnet_json_write(&wire, value));
    json_t *again = NULL;
    HOLD(!linnet_json_load(wire.data, wire.size, JSON_DECODE_ANY, &again, NULL));
    char *second = linnet_json_canonical(again);
    HOLD(second && !strcmp(canonical, second));
    char digest[65], other[65];
    HOLD(!linnet_json_digest(value, digest) && !linnet_json_digest(again, other) && !strcmp(digest, other));
    free(canonical);
    free(second);
    json_decref(again);
    linnet_buf_done(&wire);
}

/* The quick reader against jansson: the same verdict, the same value; skipping passes over what reading
 * reads. */
static void check_reader(const char *text, size_t size) {
    static const size_t flags[] = {0, JSON_DECODE_ANY, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES};
    for (int i = 0; i < 3; i++) {
        json_t *ours = NULL, *theirs = json_loadb(text, size, flags[i], NULL);
        int rc = linnet_json_load(text, size, flags[i], &ours, NULL);
        HOLD(!rc == !!theirs);
        HOLD(!theirs || json_equal(ours, theirs));
        json_decref(ours);
        json_decref(theirs);
    }
    struct linnet_json_reader reader, skipper;
    linnet_json_reader_init(&reader, text, size);
    linnet_json_reader_init(&skipper, text, size);
    json_t *value = linnet_json_read_value(&reader);
    bool skipped = linnet_json_skip_value(&skipper);
    if (value && (json_is_object(value) || json_is_array(value) || json_is_string(value)))
        HOLD(skipped && skipper.s == reader.s);
    HOLD(reader.s <= reader.end && skipper.s <= skipper.end);
    json_decref(value);
    linnet_json_reader_done(&reader);
    linnet_json_reader_done(&skipper);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct linnet_error err;
    json_t *value = NULL, *loaded = NULL, *mended = NULL;
    if (!linnet_json_parse((const char *)data, size, 0, &value, &err)) check_round_trip(value);
    char *text = malloc(size + !size); /* a copy of just that size: what is read behind it is seen */
    HOLD(text);
    if (size) memcpy(text, data, size);
    check_reader(text, size);
    linnet_json_mend(text, size);
    /* Numbers of more than 400 characters it does not look into. */
    if (size < 400 && !linnet_json_load((const char *)data, size, JSON_DECODE_ANY, &loaded, NULL))
        HOLD(!memcmp(text, data, size));
    if (!linnet_json_load(text, size, JSON_DECODE_ANY, &mended, NULL)) check_round_trip(mended);
    json_decref(value);
    json_decref(loaded);
    json_decref(mended);
    free(text);
    return 0;
}
