#include "workers/worker/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/json.h"
#include "workers/worker/attachment_cache.h"

#define INSTANCES 256

static void read_line(const char *path, char *out, size_t size) {
    *out = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL) return;
    if (fgets(out, (int)size, file) == NULL) *out = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(file);
}

/* What tells this run of this machine from every other. */
static void machine(char *out, size_t size) {
    char host[65] = "", boot[64], id[64];
    gethostname(host, sizeof host - 1);
    read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
    read_line("/etc/machine-id", id, sizeof id);
    snprintf(out, size, "%s %s %s", host, id, boot);
}

/* Read the name in a locked file, or give it a new one. */
static int name_of(int fd, const char *path, const char *prefix, char *out, size_t size,
                   struct linnet_error *err) {
    char here[256], random[9];
    json_t *file = NULL;
    machine(here, sizeof here);
    if (linnet_json_load_file(path, 4096, &file, NULL) == 0 &&
        strcmp(linnet_json_string(file, "machine", ""), here) == 0 &&
        strcmp(linnet_json_string(file, "prefix", ""), prefix) == 0) {
        snprintf(out, size, "%s", linnet_json_string(file, "id", ""));
        json_decref(file);
        if (*out != '\0') return 0;
    } else {
        json_decref(file);
    }
    uint8_t bytes[4];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(random, sizeof random, bytes, sizeof bytes);
    snprintf(out, size, "%s-%s", prefix, random);
    char text[512];
    json_t *made = json_pack("{s:s, s:s, s:s}", "id", out, "prefix", prefix, "machine", here);
    size_t n = made != NULL ? json_dumpb(made, text, sizeof text, JSON_COMPACT) : 0;
    json_decref(made);
    if (n == 0 || n > sizeof text || ftruncate(fd, 0) != 0 || pwrite(fd, text, n, 0) != (ssize_t)n)
        return linnet_error_set(err, LINNET_E_IO, "cannot write %s: %s", path, strerror(errno));
    return 0;
}

int linnet_instance_take(const char *state_dir, const char *prefix, char *out, size_t size, int *fd,
                         struct linnet_error *err) {
    char folder[PATH_MAX], path[PATH_MAX + 32];
    if (snprintf(folder, sizeof folder, "%s/workers", state_dir) >= (int)sizeof folder)
        return linnet_error_set(err, LINNET_E_LIMIT, "state_dir is too long");
    int rc = linnet_folder_make(folder, err);
    if (rc != 0) return linnet_error_prefix(err, "state_dir");
    for (int i = 0; i < INSTANCES; i++) {
        snprintf(path, sizeof path, "%s/%d.json", folder, i);
        int made = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (made < 0)
            return linnet_error_set(err, LINNET_E_IO, "cannot open %s: %s; set state_dir to a folder of ours",
                                    path, strerror(errno));
        if (flock(made, LOCK_EX | LOCK_NB) != 0) {
            close(made);
            continue; /* another worker of this machine */
        }
        rc = name_of(made, path, prefix, out, size, err);
        if (rc != 0) {
            close(made);
            return rc;
        }
        *fd = made;
        return 0;
    }
    return linnet_error_set(err, LINNET_E_LIMIT, "%d workers run in %s already", INSTANCES, state_dir);
}
