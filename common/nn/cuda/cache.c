#include "common/nn/cuda/cache.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/digest.h"

/* A plan compiled at run time is kept with its kernel, some 100 kB. */
#define TEXT_MAX ((long)16 << 20)

struct entry {
    char key[CUDA_KEY_SIZE];
    char *text;
};

struct cuda_cache {
    char folder[PATH_MAX]; /* "": none */
    struct entry *entries;
    size_t count;
};

/* mkdir -p. */
static bool make_folder(char *path) {
    for (char *at = path + 1; *at; at++) {
        if (*at != '/') continue;
        *at = 0;
        int rc = mkdir(path, 0777);
        *at = '/';
        if (rc && errno != EEXIST) return false;
    }
    return !mkdir(path, 0777) || errno == EEXIST;
}

/* Letters, digits and dots as they are, anything else a hyphen. */
static void append_name(char *out, size_t size, const char *name) {
    size_t at = strlen(out);
    for (; *name && at + 1 < size; name++)
        out[at++] = isalnum((unsigned char)*name) || *name == '.' ? *name : '-';
    out[at] = 0;
}

static void choose_folder(struct cuda_cache *cache, const char *device, const char *versions) {
    const char *own = getenv("LINNET_NN_CACHE"), *user = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    size_t size = sizeof cache->folder;
    int n = -1;
    if (own)
        n = *own ? snprintf(cache->folder, size, "%s/cuda-", own) : -1;
    else if (user && *user)
        n = snprintf(cache->folder, size, "%s/linnet/nn/cuda-", user);
    else if (home && *home)
        n = snprintf(cache->folder, size, "%s/.cache/linnet/nn/cuda-", home);
    if (n < 0 || (size_t)n + 256 > size) {
        cache->folder[0] = 0;
        return;
    }
    append_name(cache->folder, size, device);
    append_name(cache->folder, size, " ");
    append_name(cache->folder, size, versions);
    if (!make_folder(cache->folder)) cache->folder[0] = 0;
}

struct cuda_cache *cuda_cache_open(const char *device, const char *versions) {
    struct cuda_cache *cache = calloc(1, sizeof *cache);
    if (cache) choose_folder(cache, device, versions);
    return cache;
}

void cuda_cache_close(struct cuda_cache *cache) {
    for (size_t i = 0; cache && i < cache->count; i++)
        free(cache->entries[i].text);
    if (cache) free(cache->entries);
    free(cache);
}

static void write_tensor(FILE *to, const struct dnn_tensor *tensor) {
    fprintf(to, "t%d", (int)tensor->type);
    for (int d = 0; d < tensor->rank; d++)
        fprintf(to, " %lld:%lld", (long long)tensor->dims[d], (long long)tensor->strides[d]);
    fputc('\n', to);
}

static void write_spec(FILE *to, const struct dnn_spec *spec, int safe) {
    const struct linnet_nn_window *w = &spec->window;
    fprintf(to, "k%d safe%d exact%d scale%a\n", (int)spec->kind, safe, spec->exact, (double)spec->scale);
    write_tensor(to, &spec->a);
    write_tensor(to, &spec->b);
    write_tensor(to, &spec->c);
    write_tensor(to, &spec->out);
    for (int i = 0; i < w->rank; i++)
        fprintf(to, "w %lld %lld %lld %lld %lld\n", (long long)w->kernel[i], (long long)w->strides[i],
                (long long)w->dilations[i], (long long)w->before[i], (long long)w->after[i]);
    for (int i = 0; i < spec->nposts; i++) {
        const struct dnn_post *post = &spec->posts[i];
        if (post->add)
            write_tensor(to, &post->tensor);
        else
            fprintf(to, "f%d %a %a\n", (int)post->unary.function, (double)post->unary.alpha,
                    (double)post->unary.beta);
    }
}

void cuda_cache_key(const struct dnn_spec *spec, int safe, char key[CUDA_KEY_SIZE]) {
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    char digest[LINNET_DIGEST_SIZE] = "";
    if (to) write_spec(to, spec, safe);
    if (to) fclose(to);
    if (text) linnet_digest_bytes(text, size, digest);
    snprintf(key, CUDA_KEY_SIZE, "%s", digest);
    free(text);
}

static const char *remember(struct cuda_cache *cache, const char *key, char *text) {
    struct entry *more = realloc(cache->entries, (cache->count + 1) * sizeof *more);
    if (!more) {
        free(text);
        return NULL;
    }
    cache->entries = more;
    snprintf(more[cache->count].key, CUDA_KEY_SIZE, "%s", key);
    more[cache->count].text = text;
    return more[cache->count++].text;
}

static bool path_of(const struct cuda_cache *cache, const char *key, char *path, size_t size) {
    return *cache->folder && *key && snprintf(path, size, "%s/%s", cache->folder, key) < (int)size;
}

const char *cuda_cache_get(struct cuda_cache *cache, const char *key) {
    char path[PATH_MAX + CUDA_KEY_SIZE];
    for (size_t i = 0; i < cache->count; i++)
        if (!strcmp(cache->entries[i].key, key)) return cache->entries[i].text;
    FILE *file = path_of(cache, key, path, sizeof path) ? fopen(path, "rb") : NULL;
    if (!file) return NULL;
    long size = fseek(file, 0, SEEK_END) ? -1 : ftell(file);
    char *text = size > 0 && size <= TEXT_MAX ? calloc((size_t)size + 1, 1) : NULL;
    rewind(file);
    bool whole = text && fread(text, 1, (size_t)size, file) == (size_t)size;
    fclose(file);
    if (whole) return remember(cache, key, text);
    free(text);
    return NULL;
}

void cuda_cache_put(struct cuda_cache *cache, const char *key, const char *text) {
    char path[PATH_MAX + CUDA_KEY_SIZE], fresh[PATH_MAX + CUDA_KEY_SIZE + 16];
    cuda_cache_drop(cache, key);
    char *copy = strdup(text);
    if (copy) remember(cache, key, copy);
    if (!path_of(cache, key, path, sizeof path)) return;
    snprintf(fresh, sizeof fresh, "%s.%ld", path, (long)getpid());
    FILE *file = fopen(fresh, "wb");
    if (!file) return;
    bool whole = fputs(text, file) >= 0;
    whole = !fclose(file) && whole;
    if (!whole || rename(fresh, path)) unlink(fresh);
}

void cuda_cache_drop(struct cuda_cache *cache, const char *key) {
    char path[PATH_MAX + CUDA_KEY_SIZE];
    for (size_t i = 0; i < cache->count; i++) {
        if (strcmp(cache->entries[i].key, key) != 0) continue;
        free(cache->entries[i].text);
        cache->entries[i] = cache->entries[--cache->count];
        break;
    }
    if (path_of(cache, key, path, sizeof path)) unlink(path);
}
