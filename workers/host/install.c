#include "workers/host/install.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stdbool.h>

#include "common/base/buf.h"

/* From <prefix> to the folder of installed plugins; the build says where libraries go. */
#ifndef LINNET_PLUGIN_DIR
#define LINNET_PLUGIN_DIR "lib/linnet/plugins"
#endif

/* The folder above that of the program. */
static int prefix(char out[PATH_MAX]) {
    ssize_t size = readlink("/proc/self/exe", out, PATH_MAX - 1);
    if (size <= 0) return LINNET_E_NOT_FOUND;
    out[size] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(out, '/');
        if (!slash) return LINNET_E_NOT_FOUND;
        *slash = '\0';
    }
    return 0;
}

static int join(char out[PATH_MAX], const char *folder, const char *name) {
    int size = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return size > 0 && size < PATH_MAX ? 0 : LINNET_E_LIMIT;
}

int linnet_install_data(const char *name, char out[PATH_MAX], struct linnet_error *err) {
    const char *data = getenv("LINNET_DATA_PATH");
    char folder[PATH_MAX], path[PATH_MAX];
    int rc = 0;
    if (!data || !*data) {
        char program[PATH_MAX];
        rc = prefix(program);
        if (!rc) rc = join(folder, program, "share/linnet");
        data = folder;
    }
    if (!rc) rc = join(path, data, name);
    if (rc || access(path, R_OK))
        return linnet_error_set(err, LINNET_E_NOT_FOUND, "%s is not where it was installed (%s)", name,
                                rc ? "?" : path);
    memcpy(out, path, strlen(path) + 1);
    return 0;
}

void linnet_paths_done(struct linnet_paths *list) {
    for (size_t i = 0; i < list->n; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct linnet_paths){0};
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int add_path(struct linnet_paths *list, const char *path) {
    for (size_t i = 0; i < list->n; i++)
        if (!strcmp(base_name(list->paths[i]), base_name(path))) return 0;
    char **more = realloc(list->paths, (list->n + 1) * sizeof(*more));
    if (!more) return LINNET_E_NOMEM;
    list->paths = more;
    if (!(more[list->n] = strdup(path))) return LINNET_E_NOMEM;
    list->n++;
    return 0;
}

static bool is_plugin(const char *name) {
    size_t size = strlen(name);
    return size > 10 && !strncmp(name, "linnet-", 7) && !strcmp(name + size - 3, ".so");
}

static int add_folder(struct linnet_paths *list, const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) return 0; /* a folder of a search path may be missing */
    int rc = 0;
    for (struct dirent *entry; !rc && (entry = readdir(dir));) {
        char path[PATH_MAX];
        if (is_plugin(entry->d_name) && !join(path, folder, entry->d_name)) rc = add_path(list, path);
    }
    closedir(dir);
    return rc;
}

static int add_search_path(struct linnet_paths *list, const char *folders) {
    int rc = 0;
    while (!rc && *folders) {
        size_t size = strcspn(folders, ":");
        char folder[PATH_MAX];
        if (size && size < sizeof(folder)) {
            memcpy(folder, folders, size);
            folder[size] = '\0';
            rc = add_folder(list, folder);
        }
        folders += size + (folders[size] == ':');
    }
    return rc;
}

static int by_name(const void *a, const void *b) {
    return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

int linnet_install_plugins(struct linnet_paths *out, struct linnet_error *err) {
    struct linnet_paths list = {0};
    const char *folders = getenv("LINNET_PLUGIN_PATH");
    char program[PATH_MAX], folder[PATH_MAX];
    int rc = 0;
    if (folders && *folders) {
        rc = add_search_path(&list, folders);
    } else if (!prefix(program)) {
        if (!join(folder, program, "plugins-out")) rc = add_folder(&list, folder);
        if (!rc && !list.n && !join(folder, program, LINNET_PLUGIN_DIR)) rc = add_folder(&list, folder);
    }
    if (rc) {
        linnet_paths_done(&list);
        return linnet_error_set(err, rc, "out of memory");
    }
    if (list.n > 1) qsort(list.paths, list.n, sizeof(*list.paths), by_name);
    *out = list;
    return 0;
}

static int not_installed(const char *name, const struct linnet_paths *installed, struct linnet_error *err) {
    struct linnet_buf names = {0};
    for (size_t i = 0; i < installed->n; i++) {
        const char *base = base_name(installed->paths[i]);
        linnet_buf_printf(&names, "%s%.*s", i ? ", " : "", (int)(strlen(base) - 10), base + 7);
    }
    linnet_error_set(err, LINNET_E_NOT_FOUND,
                     "no plugin %s is installed (there %s %s); give a path to use a file", name,
                     installed->n == 1 ? "is" : "are", names.size ? names.data : "none");
    linnet_buf_done(&names);
    return LINNET_E_NOT_FOUND;
}

int linnet_install_plugin(const char *name, char out[PATH_MAX], struct linnet_error *err) {
    size_t size = strlen(name);
    if (strchr(name, '/') || (size > 3 && !strcmp(name + size - 3, ".so"))) {
        if (size >= PATH_MAX)
            return linnet_error_set(err, LINNET_E_LIMIT, "the path of a plugin is too long");
        memcpy(out, name, size + 1);
        return 0;
    }
    struct linnet_paths installed = {0};
    int rc = linnet_install_plugins(&installed, err);
    if (rc) return rc;
    rc = LINNET_E_NOT_FOUND;
    for (size_t i = 0; rc && i < installed.n; i++) {
        const char *base = base_name(installed.paths[i]);
        if (strlen(base) != size + 10 || strncmp(base + 7, name, size) != 0) continue;
        memcpy(out, installed.paths[i], strlen(installed.paths[i]) + 1);
        rc = 0;
    }
    if (rc) not_installed(name, &installed, err);
    linnet_paths_done(&installed);
    return rc;
}
