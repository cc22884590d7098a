/* The changes feed, cut in pieces: the same is heard as when it comes in one. The first three bytes choose
 * form, limit and pieces. */
#include <string.h>

#include "common/base/digest.h"
#include "common/base/json.h"
#include "common/couch/feed_parser.h"
#include "tests/fuzz/fuzz.h"

struct heard {
    struct linnet_digest digest;
    size_t stop_at, changes;
    bool wants_all;
};

static int on_change(void *arg, const struct linnet_change *change) {
    struct heard *heard = arg;
    linnet_digest_update_string(&heard->digest, change->seq);
    linnet_digest_update_string(&heard->digest, change->id);
    linnet_digest_update(&heard->digest, &change->deleted, sizeof change->deleted);
    for (size_t i = 0; i < change->nrevisions; i++)
        linnet_digest_update_string(&heard->digest, change->revisions[i]);
    char *document = change->document ? linnet_json_canonical(change->document) : NULL;
    linnet_digest_update_string(&heard->digest, document);
    free(document);
    return ++heard->changes == heard->stop_at ? LINNET_E_CANCELLED : 0;
}

static bool wants(void *arg, const char *id) {
    return ((struct heard *)arg)->wants_all || id[0] != 'x';
}

static void on_heartbeat(void *arg) {
    linnet_digest_update_string(&((struct heard *)arg)->digest, "heartbeat");
}

static int hear(const uint8_t *data, size_t size, const uint8_t choice[3], size_t piece,
                char out[LINNET_DIGEST_SIZE]) {
    static const struct feed_events events = {.change = on_change, .heartbeat = on_heartbeat, .wants = wants};
    struct heard heard = {.stop_at = choice[0] & 4 ? 2 : 0, .wants_all = choice[0] & 8};
    linnet_digest_init(&heard.digest);
    struct feed_parser parser;
    feed_parser_init(&parser, choice[1], &events, &heard);
    feed_parser_start(&parser, choice[0] & 1 ? FEED_NORMAL : FEED_CONTINUOUS);
    int rc = 0;
    for (size_t at = 0; !rc && at < size; at += piece) {
        size_t now = piece < size - at ? piece : size - at;
        char *copy = malloc(now);
        if (!copy) abort();
        memcpy(copy, data + at, now);
        rc = feed_parser_push(&parser, copy, now);
        free(copy);
    }
    if (!rc) rc = feed_parser_finish(&parser);
    if (rc && rc != LINNET_E_CANCELLED && !parser.error.detail[0]) abort();
    linnet_digest_update_string(&heard.digest, parser.seq.data);
    linnet_digest_final(&heard.digest, out);
    feed_parser_done(&parser);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 4) return 0;
    char whole[LINNET_DIGEST_SIZE], pieces[LINNET_DIGEST_SIZE];
    int first = hear(data + 3, size - 3, data, size, whole);
    int second = hear(data + 3, size - 3, data, (size_t)data[2] + 1, pieces);
    if (first != second || strcmp(whole, pieces)) abort();
    return 0;
}
