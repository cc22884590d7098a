#include "workers/serve/signup.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/time.h"
#include "common/base/utf8.h"
#include "workers/cli/accounts.h"
#include "workers/serve/serve.h"

#define NAME_MOST      64
#define PASSWORD_LEAST 8
#define PASSWORD_MOST  256

/* A sign-up under way: is the name free, then the reviewer's document, then the account; without the account
 * the document goes again. */
struct signup {
    struct serve_request *request;
    struct serve *serve;
    char name[NAME_MOST + 1], uid[LINNET_UID_SIZE], reviewer[96], revision[96];
    json_t *account;
};

/* ---- what is asked for ---- */

static bool name_valid(const char *name) {
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
    return size >= 2 && size <= NAME_MOST && name[size] == '\0' && name[0] >= 'a' && name[0] <= 'z';
}

static bool read_request(struct serve_request *request, const char **name, const char **password) {
    *name = json_string_value(json_object_get(request->json, "name"));
    *password = json_string_value(json_object_get(request->json, "password"));
    if (*name == NULL || !name_valid(*name)) {
        serve_answer_error(request, 400,
                           "\"name\" must have 2 to %d of a-z, 0-9, '.', '_', '-', and begin with a letter",
                           NAME_MOST);
        return false;
    }
    if (*password == NULL || linnet_utf8_count(*password) < PASSWORD_LEAST ||
        strlen(*password) > PASSWORD_MOST) {
        serve_answer_error(request, 400, "\"password\" must have %d to %d characters", PASSWORD_LEAST,
                           PASSWORD_MOST);
        return false;
    }
    return true;
}

/* ---- the steps ---- */

static void signup_free(struct signup *signup) {
    json_decref(signup->account);
    free(signup);
}

static void fail(struct signup *signup, unsigned status, const char *why) {
    serve_answer_error(signup->request, status, "%s", why);
    signup_free(signup);
}

/* The store's refusal in our words. */
static void fail_by(struct signup *signup, const struct linnet_couch_response *response) {
    linnet_log(LINNET_ERROR, "signup", "no account could be made", "request", "s", signup->request->id, "why",
               "s", response->detail, NULL);
    if (response->error == LINNET_E_AUTH || response->error == LINNET_E_DENIED)
        fail(signup, 500,
             "this server may not make accounts: it needs an administrator's credentials for the store");
    else
        fail(signup, 503, "the store does not answer; try again");
}

static void on_dropped(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                       void *arg) {
    (void)request, (void)response;
    signup_free(arg);
}

/* The account could not be made: nobody has this uid. */
static void drop_reviewer(struct signup *signup) {
    json_t *grave =
        json_pack("{s:s, s:s, s:b}", "_id", signup->reviewer, "_rev", signup->revision, "_deleted", 1);
    if (grave == NULL ||
        linnet_couch_put(signup->serve->couch, LINNET_DB_REFERENCE, grave, on_dropped, signup) != 0)
        signup_free(signup);
    json_decref(grave);
}

static void on_account(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                       void *arg) {
    struct signup *signup = arg;
    (void)request;
    if (response->error == 0) {
        serve_answer_json(
            signup->request, 201,
            json_pack("{s:s, s:s, s:s}", "name", signup->name, "uid", signup->uid, "role", "observer"));
        signup_free(signup);
        return;
    }
    if (response->error == LINNET_E_CONFLICT)
        serve_answer_error(signup->request, 409, "there is a user %s already", signup->name);
    else
        serve_answer_error(signup->request, 503, "the account could not be made; try again");
    drop_reviewer(signup);
}

static int send_account(struct signup *signup) {
    char path[160];
    struct linnet_buf body = {0};
    snprintf(path, sizeof path, "/_users/org.couchdb.user:%s", signup->name);
    int rc = linnet_json_write(&body, signup->account);
    struct linnet_couch_call call = {.method = "PUT", .path = path, .body = body.data, .size = body.size};
    if (rc == 0) rc = linnet_couch_request(signup->serve->couch, &call, on_account, signup, NULL);
    if (body.data != NULL) sodium_memzero(body.data, body.size);
    linnet_buf_done(&body);
    return rc;
}

static void on_reviewer(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                        void *arg) {
    struct signup *signup = arg;
    (void)request;
    if (response->error != 0) {
        fail_by(signup, response);
        return;
    }
    snprintf(signup->revision, sizeof signup->revision, "%s", linnet_json_string(response->json, "rev", ""));
    if (send_account(signup) == 0) return;
    serve_answer_error(signup->request, 500, "out of memory");
    drop_reviewer(signup);
}

static int send_reviewer(struct signup *signup) {
    char now[LINNET_TIME_SIZE];
    linnet_time_format(linnet_time_now(), now);
    json_t *reviewer = json_pack("{s:s, s:s, s:s, s:b, s:s}", "_id", signup->reviewer, "kind", "reviewer",
                                 "role", "observer", "blocked", 0, "created_at", now);
    int rc = reviewer != NULL
                 ? linnet_couch_put(signup->serve->couch, LINNET_DB_REFERENCE, reviewer, on_reviewer, signup)
                 : LINNET_E_NOMEM;
    json_decref(reviewer);
    return rc;
}

static void on_found(struct linnet_couch_request *request, const struct linnet_couch_response *response,
                     void *arg) {
    struct signup *signup = arg;
    char words[160];
    (void)request;
    if (response->error == 0) {
        snprintf(words, sizeof words, "there is a user %s already", signup->name);
        fail(signup, 409, words);
    } else if (response->error != LINNET_E_NOT_FOUND) {
        fail_by(signup, response);
    } else if (send_reviewer(signup) != 0) {
        fail(signup, 500, "out of memory");
    }
}

/* ---- the beginning ---- */

static struct signup *make(struct serve_request *request, const char *name, const char *password) {
    char id[96], role[LINNET_UID_SIZE + 2];
    struct signup *signup = calloc(1, sizeof *signup);
    if (signup == NULL) return NULL;
    signup->request = request;
    signup->serve = request->serve;
    snprintf(signup->name, sizeof signup->name, "%s", name);
    linnet_uid_new(signup->uid);
    snprintf(signup->reviewer, sizeof signup->reviewer, "reviewer:%s", signup->uid);
    snprintf(id, sizeof id, "org.couchdb.user:%s", name);
    snprintf(role, sizeof role, "u:%s", signup->uid);
    signup->account = json_pack("{s:s, s:s, s:s, s:[s], s:s}", "_id", id, "name", name, "type", "user",
                                "roles", role, "password", password);
    if (signup->account != NULL) return signup;
    free(signup);
    return NULL;
}

void serve_signup_post(struct serve_request *request) {
    struct serve *serve = request->serve;
    const char *name, *password;
    char path[160];
    if (!linnet_json_bool(serve->config, "signup/open", false) || serve->couch == NULL) {
        serve_answer_error(request, 403, "sign-up is closed on this server");
        return;
    }
    if (!read_request(request, &name, &password)) return;
    if (!serve_tally_take(&serve->signups, request->address,
                          (unsigned)linnet_json_integer(serve->config, "signup/per_hour", 10))) {
        serve_answer_error(request, 429, "too many sign-ups from this address; try again in an hour");
        return;
    }
    struct signup *signup = make(request, name, password);
    snprintf(path, sizeof path, "/_users/org.couchdb.user:%s", name);
    struct linnet_couch_call call = {.method = "GET", .path = path};
    if (signup != NULL && linnet_couch_request(serve->couch, &call, on_found, signup, NULL) == 0) return;
    if (signup != NULL) signup_free(signup);
    serve_answer_error(request, 500, "out of memory");
}
