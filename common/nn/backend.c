/* Finding backends: shared objects opened once, kept for the life of the process. */
#include "common/nn/backend.h"
#include "common/nn/fail.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef LINNET_NN_INSTALLED
#define LINNET_NN_INSTALLED "/usr/lib/linnet"
#endif
#define KNOWN_MAX 8

/* Backends that were opened; a dlclose would pull code from under the threads that libraries keep. */
static struct {
    pthread_mutex_t lock;
    const struct linnet_nn_backend *list[KNOWN_MAX];
    size_t count;
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The folder of the shared object (or program) that this code is part of. */
static bool own_folder(char folder[PATH_MAX]) {
    static const char here; /* something of this object's that has an address */
    Dl_info info;
    char path[PATH_MAX];
    if (!dladdr(&here, &info) || !info.dli_fname) return false;
    if (!strchr(info.dli_fname, '/') || !realpath(info.dli_fname, path)) {
        ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
        if (n <= 0) return false;
        path[n] = 0;
    }
    char *slash = strrchr(path, '/');
    if (!slash) return false;
    *slash = 0;
    memcpy(folder, path, strlen(path) + 1);
    return true;
}

static bool program_folder(char folder[PATH_MAX]) {
    ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    if (n <= 0) return false;
    folder[n] = 0;
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    return slash != NULL;
}

/* Open folder/within/liblinnet-nn-name.so. NULL and the reason appended to `tried`. */
static void *try_folder(const char *folder, const char *within, const char *name,
                        struct linnet_error *tried) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%sliblinnet-nn-%s.so", folder, within, name) >= (int)sizeof path)
        return NULL;
    if (access(path, R_OK)) return NULL;
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) linnet_error_set(tried, LINNET_E_UNSUPPORTED, "%s", dlerror());
    return object;
}

static void *open_object(const char *name, struct linnet_error *tried) {
    static const char *const within[] = {"", "lib/", "../lib/", "../lib/linnet/", "../"};
    const char *chosen = getenv("LINNET_NN_PATH");
    char folder[PATH_MAX];
    if (chosen && *chosen) return try_folder(chosen, "", name, tried);
    void *object = NULL;
    for (int own = 1; own >= 0 && !object; own--) {
        if (!(own ? own_folder(folder) : program_folder(folder))) continue;
        for (size_t i = 0; i < sizeof within / sizeof *within && !object; i++)
            object = try_folder(folder, within[i], name, tried);
    }
    return object ? object : try_folder(LINNET_NN_INSTALLED, "", name, tried);
}

static int open_backend(const char *name, const struct linnet_nn_backend **out, struct linnet_error *err) {
    struct linnet_error tried = {0};
    void *object = open_object(name, &tried);
    if (!object)
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED,
                              "the backend \"%s\" is not here (liblinnet-nn-%s.so%s%s)", name, name,
                              tried.code ? ": " : "; LINNET_NN_PATH names its folder", tried.detail);
    linnet_nn_backend_function function = NULL;
    void *symbol = dlsym(object, LINNET_NN_BACKEND_SYMBOL);
    memcpy(&function, &symbol, sizeof function); /* ISO C knows no cast from object to function pointers */
    const struct linnet_nn_backend *backend = function ? function() : NULL;
    if (!backend || backend->abi != LINNET_NN_BACKEND_ABI || backend->struct_size != sizeof *backend) {
        dlclose(object);
        return linnet_nn_fail(err, LINNET_E_UNSUPPORTED, "the backend \"%s\" is of another version of Linnet",
                              name);
    }
    *out = backend;
    return 0;
}

int linnet_nn_backend_find(const char *name, const struct linnet_nn_backend **out, struct linnet_error *err) {
    const struct linnet_nn_backend *found = NULL;
    if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") != strlen(name))
        return linnet_nn_fail(err, LINNET_E_INVALID, "no name of a backend");
    pthread_mutex_lock(&known.lock);
    for (size_t i = 0; i < known.count; i++)
        if (!strcmp(known.list[i]->name, name)) found = known.list[i];
    int rc = found ? 0 : open_backend(name, &found, err);
    if (!rc) rc = found->probe(err);
    bool listed = false;
    for (size_t i = 0; i < known.count; i++)
        listed = listed || known.list[i] == found;
    if (!rc && !listed && known.count < KNOWN_MAX) known.list[known.count++] = found;
    pthread_mutex_unlock(&known.lock);
    if (!rc) *out = found;
    return rc;
}
