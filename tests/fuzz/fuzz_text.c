/* The small readers of text: ids, ULIDs, times, UTF-8 and the log's masking. What is read can be written
 * back. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "common/base/utf8.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int nowhere = -1;
    if (nowhere < 0) linnet_log_setup(LINNET_DEBUG, 0, nowhere = open("/dev/null", O_WRONLY));
    char *text = malloc(size + 1);
    HOLD(text);
    if (size) memcpy(text, data, size);
    text[size] = '\0';

    struct linnet_id id;
    if (!linnet_id_parse(text, &id)) {
        char again[LINNET_ID_MAX];
        HOLD(!linnet_id_format(id.observation, id.kind, id.qualifier, again));
        HOLD(!strcmp(again, text));
        HOLD(id.database != LINNET_DB_NONE);
        HOLD((id.database == LINNET_DB_MAIN) == (id.observation[0] != '\0'));
        HOLD(!id.observation[0] || linnet_ulid_valid(id.observation, strlen(id.observation)));
    }
    int64_t ms, second;
    if (!linnet_time_parse(text, &ms)) {
        char written[LINNET_TIME_SIZE];
        linnet_time_format(ms, written);
        HOLD(!linnet_time_parse(written, &second));
        /* An offset can carry a time out of the years that have four digits. */
        HOLD(second == ms || !strncmp(text, "0000", 4) || !strncmp(text, "9999", 4));
    }
    HOLD(linnet_utf8_count(text) <= strlen(text));
    linnet_log(LINNET_INFO, "fuzz", text, "member", "s", text, NULL);
    free(text);
    return 0;
}
