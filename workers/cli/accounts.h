/* The people of a site: their accounts in the server's users database, their uid, their standing in
 * linnet-reference.
 *
 * An account is org.couchdb.user:<name> with the role u:<uid>, <uid> random, and the roles that CouchDB's
 * doors go by; reviewer:<uid> is what the stages know of the person. Nothing but the account holds the name.
 */
#ifndef LINNET_CLI_ACCOUNTS_H
#define LINNET_CLI_ACCOUNTS_H

#include <jansson.h>

#include "common/base/error.h"
#include "workers/cli/store.h"

#define LINNET_UID_SIZE      27
#define LINNET_PASSWORD_SIZE 129

/* A fresh uid: 26 random characters a-z2-7 (130 bits). */
void linnet_uid_new(char out[LINNET_UID_SIZE]);
/* A password: the first line of `file` ("-": stdin); where there is no such file, a fresh one that is written
 * to it (mode 0600); with `file` NULL a fresh one. LINNET_E_IO, LINNET_E_LIMIT. */
int linnet_password_get(const char *file, char out[LINNET_PASSWORD_SIZE], struct linnet_error *err);

/* The account of a login name; *out is a new reference. LINNET_E_NOT_FOUND. */
int linnet_account_find(struct linnet_store *store, const char *name, json_t **out, struct linnet_error *err);
/* Make an account. `roles` is borrowed. LINNET_E_CONFLICT if there is one; LINNET_E_INVALID for a name that
 * CouchDB would not take. */
int linnet_account_make(struct linnet_store *store, const char *name, const char *password,
                        const json_t *roles, struct linnet_error *err);
/* All accounts that are people (have a uid), in order of name: a new array. */
int linnet_account_list(struct linnet_store *store, json_t **out, struct linnet_error *err);
/* Write an account back, a new `password` in it or not. */
int linnet_account_put(struct linnet_store *store, const json_t *account, struct linnet_error *err);
/* The uid in an account's roles, "" if it has none. Borrowed. */
const char *linnet_account_uid(const json_t *account);
/* The account of a login name or a uid: 0 and a new reference, or NULL where only the uid may be known. `uid`
 * is filled in. LINNET_E_NOT_FOUND: neither a login name nor the form of a uid. */
int linnet_account_resolve(struct linnet_store *store, const char *name_or_uid, json_t **out, char uid[65],
                           struct linnet_error *err);

#endif
