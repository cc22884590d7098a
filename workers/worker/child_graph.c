#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "workers/host/graph.h"
#include "workers/worker/child_room.h"
#include "workers/worker/opened.h"

#define STAGES_MAX 128

struct files {
    struct linnet_plugin_file *file[STAGES_MAX];
    struct linnet_graph_stage stage[STAGES_MAX];
    size_t n;
};

static int open_files(const json_t *config, const json_t *stages, struct files *files,
                      struct linnet_error *err) {
    const char *name;
    json_t *stage;
    json_object_foreach((json_t *)stages, name, stage) {
        char path[PATH_MAX];
        if (files->n == STAGES_MAX)
            return linnet_error_set(err, LINNET_E_LIMIT, "more than %d stages", STAGES_MAX);
        int rc = linnet_plugin_find(json_object_get(config, "plugin_path"),
                                    linnet_json_string(stage, "plugin", name), path, sizeof path, err);
        if (rc == 0) rc = linnet_plugin_file_open(path, &files->file[files->n], err);
        if (rc != 0) return linnet_error_prefix(err, "stage %s", name);
        files->stage[files->n] =
            (struct linnet_graph_stage){.name = name, .plugin = &files->file[files->n]->plugin};
        files->n++;
    }
    return 0;
}

/* Kinds that others produce. Who runs one group only leaves the rest to others. */
static size_t list_elsewhere(const json_t *config, const char *out[STAGES_MAX + 1]) {
    json_t *given = json_object_get(config, "elsewhere"), *kind;
    size_t n = 0, i;
    json_array_foreach(given, i, kind) {
        if (n < STAGES_MAX) out[n++] = json_string_value(kind);
    }
    if (given == NULL && json_object_size(json_object_get(config, "groups")) == 1) out[n++] = "*";
    out[n] = NULL;
    return n;
}

int child_check_graph(const json_t *config, struct linnet_error *err) {
    const char *name, *elsewhere[STAGES_MAX + 1];
    json_t *group;
    struct files *files = calloc(1, sizeof *files);
    struct linnet_graph graph = {0};
    int rc = files == NULL ? linnet_error_set(err, LINNET_E_NOMEM, "out of memory") : 0;
    json_object_foreach(json_object_get(config, "groups"), name, group) {
        if (rc == 0) rc = open_files(config, json_object_get(group, "stages"), files, err);
    }
    size_t n = list_elsewhere(config, elsewhere);
    if (rc == 0) rc = linnet_graph_make(files->stage, files->n, n > 0 ? elsewhere : NULL, &graph, err);
    if (rc == 0) linnet_graph_done(&graph);
    for (size_t i = 0; files != NULL && i < files->n; i++)
        linnet_plugin_file_free(files->file[i]);
    free(files);
    return rc;
}
