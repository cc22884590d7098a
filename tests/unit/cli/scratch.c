#include "tests/unit/cli/scratch.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int scratch_make(void **state) {
    char *folder = strdup("/tmp/linnet-test-XXXXXX");
    *state = folder ? mkdtemp(folder) : NULL;
    return *state ? 0 : -1;
}

int scratch_remove(void **state) {
    char *roots[] = {*state, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; tree && (entry = fts_read(tree));)
        if (entry->fts_info != FTS_D) remove(entry->fts_path);
    if (tree) fts_close(tree);
    free(*state);
    return 0;
}

char *scratch_file(const char *folder, const char *name, const void *data, size_t size) {
    char *path;
    assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
    for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700); /* may be there */
        *slash = '/';
    }
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

char *scratch_text(const char *folder, const char *name, const char *text) {
    return scratch_file(folder, name, text, strlen(text));
}
