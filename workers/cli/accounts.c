#include "workers/cli/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/json.h"

#define ACCOUNT "org.couchdb.user:"
enum { FRESH = 26, NAME_MOST = 128 };

/* ---- uids and passwords ---- */

void linnet_uid_new(char out[LINNET_UID_SIZE]) {
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char bytes[FRESH];
    randombytes_buf(bytes, sizeof bytes);
    for (int i = 0; i < FRESH; i++)
        out[i] = alphabet[bytes[i] & 31];
    out[FRESH] = '\0';
    sodium_memzero(bytes, sizeof bytes);
}

static int read_password(FILE *file, const char *path, char out[LINNET_PASSWORD_SIZE],
                         struct linnet_error *err) {
    if (!fgets(out, LINNET_PASSWORD_SIZE, file))
        return linnet_error_set(err, LINNET_E_INVALID, "%s: holds no password", path);
    size_t length = strcspn(out, "\r\n");
    if (out[length] == '\0' && length == LINNET_PASSWORD_SIZE - 1)
        return linnet_error_set(err, LINNET_E_LIMIT, "%s: a password of more than %d bytes", path,
                                LINNET_PASSWORD_SIZE - 2);
    out[length] = '\0';
    return length ? 0 : linnet_error_set(err, LINNET_E_INVALID, "%s: the first line is empty", path);
}

static int write_password(const char *path, const char *password, struct linnet_error *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) return linnet_error_set(err, LINNET_E_IO, "%s: %s", path, strerror(errno));
    int failed = fprintf(file, "%s\n", password) < 0;
    failed |= fclose(file) != 0;
    return failed ? linnet_error_set(err, LINNET_E_IO, "%s: cannot write", path) : 0;
}

int linnet_password_get(const char *file, char out[LINNET_PASSWORD_SIZE], struct linnet_error *err) {
    if (file && strcmp(file, "-") == 0) return read_password(stdin, "stdin", out, err);
    FILE *stream = file ? fopen(file, "re") : NULL;
    if (stream) {
        int rc = read_password(stream, file, out, err);
        fclose(stream);
        return rc;
    }
    if (file && errno != ENOENT) return linnet_error_set(err, LINNET_E_IO, "%s: %s", file, strerror(errno));
    linnet_uid_new(out); /* 130 random bits */
    return file ? write_password(file, out, err) : 0;
}

/* ---- accounts ---- */

static int account_path(const char *name, struct linnet_buf *path, struct linnet_error *err) {
    linnet_buf_init(path, 0);
    int rc = linnet_buf_append_string(path, "/_users/");
    if (rc == 0) rc = linnet_couch_escape(path, ACCOUNT);
    if (rc == 0) rc = linnet_couch_escape(path, name);
    return rc ? linnet_error_set(err, rc, "out of memory") : 0;
}

int linnet_account_find(struct linnet_store *store, const char *name, json_t **out,
                        struct linnet_error *err) {
    struct linnet_buf path;
    int rc = account_path(name, &path, err);
    if (rc == 0) rc = linnet_store_request(store, "GET", path.data, NULL, out, NULL, err);
    linnet_buf_done(&path);
    return rc;
}

int linnet_account_put(struct linnet_store *store, const json_t *account, struct linnet_error *err) {
    struct linnet_buf path;
    int rc = account_path(linnet_json_string(account, "name", ""), &path, err);
    if (rc == 0) rc = linnet_store_request(store, "PUT", path.data, account, NULL, NULL, err);
    linnet_buf_done(&path);
    return rc;
}

int linnet_account_make(struct linnet_store *store, const char *name, const char *password,
                        const json_t *roles, struct linnet_error *err) {
    if (!*name || strlen(name) > NAME_MOST || *name == '_' || strchr(name, ':'))
        return linnet_error_set(err, LINNET_E_INVALID,
                                "a login name has 1 to %d bytes, no ':' and no '_' at its beginning",
                                NAME_MOST);
    char id[sizeof ACCOUNT + NAME_MOST];
    snprintf(id, sizeof id, ACCOUNT "%s", name);
    json_t *account = json_pack("{s:s, s:s, s:s, s:s, s:O}", "_id", id, "type", "user", "name", name,
                                "password", password, "roles", roles);
    if (!account) return linnet_error_set(err, LINNET_E_INVALID, "a login name and a password are UTF-8");
    int rc = linnet_account_put(store, account, err);
    json_decref(account);
    return rc;
}

const char *linnet_account_uid(const json_t *account) {
    size_t i;
    json_t *role;
    json_array_foreach(json_object_get(account, "roles"), i, role) {
        const char *text = json_string_value(role);
        if (text && strncmp(text, "u:", 2) == 0) return text + 2;
    }
    return "";
}

int linnet_account_list(struct linnet_store *store, json_t **out, struct linnet_error *err) {
    json_t *answer = NULL, *row;
    size_t i;
    int rc = linnet_store_request(
        store, "GET",
        "/_users/"
        "_all_docs?include_docs=true&startkey=%22org.couchdb.user%3A%22&endkey=%22org.couchdb.user%3B%22",
        NULL, &answer, NULL, err);
    if (rc) return rc;
    *out = json_array();
    json_array_foreach(json_object_get(answer, "rows"), i, row) {
        json_t *account = json_object_get(row, "doc");
        if (*linnet_account_uid(account)) json_array_append(*out, account);
    }
    json_decref(answer);
    return 0;
}

static bool has_form_of_uid(const char *text) {
    size_t length = strlen(text);
    return length > 0 && length <= 64 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

int linnet_account_resolve(struct linnet_store *store, const char *name_or_uid, json_t **out, char uid[65],
                           struct linnet_error *err) {
    json_t *account = NULL, *all = NULL, *one;
    size_t i;
    int rc = linnet_account_find(store, name_or_uid, &account, err);
    if (rc && rc != LINNET_E_NOT_FOUND) return rc;
    if (rc) {
        rc = linnet_account_list(store, &all, err);
        if (rc) return rc;
        json_array_foreach(all, i, one) {
            if (strcmp(linnet_account_uid(one), name_or_uid) == 0) account = json_incref(one);
        }
        json_decref(all);
        if (!account && !has_form_of_uid(name_or_uid))
            return linnet_error_set(err, LINNET_E_NOT_FOUND, "there is no user %s", name_or_uid);
    }
    const char *found = account ? linnet_account_uid(account) : name_or_uid;
    if (!*found || strlen(found) > 64) {
        json_decref(account);
        return linnet_error_set(err, LINNET_E_INVALID, "%s is an account without a uid, not a person's",
                                name_or_uid);
    }
    strcpy(uid, found);
    *out = account;
    return 0;
}
