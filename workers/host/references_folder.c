/* Reference documents from a folder: what `linnet run`, `linnet eval` and the tests read in place of a store.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/json.h"
#include "workers/host/references.h"

static bool ends_with(const char *name, const char *end) {
    size_t size = strlen(name), tail = strlen(end);
    return size > tail && !strcmp(name + size - tail, end);
}

static bool is_file(const char *path) {
    struct stat status;
    return !stat(path, &status) && S_ISREG(status.st_mode);
}

/* The attachments of a document: <stem>/<name> for each that it names, or model.onnx beside model.json. */
static int add_files(struct linnet_references *references, const json_t *document, const char *path) {
    const char *id = json_string_value(json_object_get(document, "_id"));
    const char *slash = strrchr(path, '/');
    size_t stem = strlen(path) - strlen(".json");
    const char *name;
    json_t *attachment;
    json_object_foreach(json_object_get(document, "_attachments"), name, attachment) {
        char file[4096];
        if (strchr(name, '/')) continue; /* never out of the folder */
        snprintf(file, sizeof(file), "%.*s/%s", (int)stem, path, name);
        if (!is_file(file)) snprintf(file, sizeof(file), "%.*s/%s", (int)(slash - path), path, name);
        if (is_file(file) && linnet_references_add_file(references, id, name, file)) return LINNET_E_NOMEM;
    }
    return 0;
}

static int add_document(struct linnet_references *references, json_t *document, const char *path,
                        struct linnet_error *err) {
    int rc = linnet_references_add(references, document, err);
    if (rc) return rc;
    return ends_with(path, ".json") ? add_files(references, document, path) : 0;
}

static int load_json(struct linnet_references *references, const char *path, struct linnet_error *err) {
    json_t *root = NULL;
    int rc = linnet_json_load_file(path, 0, &root, err);
    if (rc) return rc;
    if (json_is_array(root)) {
        for (size_t i = 0; !rc && i < json_array_size(root); i++)
            rc = add_document(references, json_array_get(root, i), path, err);
    } else {
        rc = add_document(references, root, path, err);
    }
    json_decref(root);
    if (rc) linnet_error_prefix(err, "%s", path);
    return rc;
}

static int load_jsonl(struct linnet_references *references, const char *path, struct linnet_error *err) {
    FILE *file = fopen(path, "re");
    if (!file) return linnet_error_set(err, LINNET_E_IO, "%s: cannot be read", path);
    char *line = NULL;
    size_t capacity = 0, number = 0;
    ssize_t size;
    int rc = 0;
    while (!rc && (size = getline(&line, &capacity, file)) >= 0) {
        number++;
        if (strspn(line, " \t\r\n") == (size_t)size) continue;
        json_t *document = NULL;
        rc = linnet_json_parse(line, (size_t)size, 0, &document, err);
        if (!rc) rc = add_document(references, document, path, err);
        json_decref(document);
        if (rc) linnet_error_prefix(err, "%s, line %zu", path, number);
    }
    free(line);
    fclose(file);
    return rc;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

int linnet_references_load_folder(struct linnet_references *references, const char *path,
                                  struct linnet_error *err) {
    struct dirent **names = NULL;
    int n = scandir(path, &names, NULL, by_name); /* sorted, so that which of two counts is no accident */
    if (n < 0) return linnet_error_set(err, LINNET_E_NOT_FOUND, "%s: no such folder", path);
    int rc = 0;
    for (int i = 0; i < n; i++) {
        char file[4096];
        snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
        if (!rc && ends_with(names[i]->d_name, ".json") && is_file(file))
            rc = load_json(references, file, err);
        if (!rc && ends_with(names[i]->d_name, ".jsonl") && is_file(file))
            rc = load_jsonl(references, file, err);
        free(names[i]);
    }
    free(names);
    return rc;
}
