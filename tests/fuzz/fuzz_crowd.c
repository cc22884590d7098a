/* Anybody's files of votes and taxa, and of a published crowd: read whole or refused in words; and what is
 * read can be solved. */
#include <string.h>

#include "common/consensus/solve.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"
#include "workers/consensus/crowd_file.h"
#include "workers/consensus/flat_json.h"

static int count_number(void *arg, const char *outer, size_t outer_size, const char *name, size_t name_size,
                        const char *text, size_t size, const char **what) {
    size_t *total = arg;
    (void)what;
    for (size_t i = 0; i < size; i++) /* every byte is there to be read */
        *total += (unsigned char)text[i];
    for (size_t i = 0; i < name_size; i++)
        *total += (unsigned char)name[i];
    for (size_t i = 0; outer && i < outer_size; i++)
        *total += (unsigned char)outer[i];
    return 0;
}

static void solve(const struct linnet_crowd_file *file) {
    static const enum linnet_consensus_method methods[] = {LINNET_METHOD_LINNET, LINNET_METHOD_PLANTNET,
                                                           LINNET_METHOD_DAWID_SKENE};
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        struct linnet_consensus_rules rules;
        struct linnet_consensus_result result;
        struct linnet_error err;
        linnet_consensus_rules_init(&rules);
        rules.method = methods[m];
        rules.rounds_max = 5;
        rules.threads = 1;
        HOLD(linnet_consensus_solve(&file->tree, &rules, &file->crowd, NULL, NULL, &result, &err) == 0);
        for (uint32_t i = 0; i < result.observations; i++) {
            HOLD(result.verdicts[i].label < file->taxa.n ||
                 result.verdicts[i].label >= LINNET_LABEL_NOT_A_PLANT);
            HOLD(result.verdicts[i].accuracy >= 0 && result.verdicts[i].accuracy <= 1 + 1e-9);
        }
        linnet_consensus_result_done(&result);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct linnet_crowd_file file;
    struct linnet_error err = {0};
    size_t total = 0;
    if (size < 1) return 0;
    const char *path = memory_file(data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        if (linnet_crowd_file_load(&file, path, NULL, NULL, 1, NULL, NULL, &err) == 0) {
            solve(&file);
            linnet_crowd_file_done(&file);
        } else {
            HOLD(err.detail[0]);
        }
        return 0;
    case 1: /* one file as votes and taxa: both want the column `taxon` */
        if (linnet_crowd_file_load(&file, path, path, NULL, 1, NULL, NULL, &err) == 0) {
            solve(&file);
            linnet_crowd_file_done(&file);
        } else {
            HOLD(err.detail[0]);
        }
        return 0;
    default:
        HOLD(linnet_flat_json_read(path, count_number, &total, &err) == 0 || err.detail[0]);
        return 0;
    }
}
