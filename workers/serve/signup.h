/* POST /v2/signup {name, password}: an account with the store, as `linnet user add` makes one: a random uid,
 * carried as the role u:<uid>, and its reviewer document. Where the configuration opens it; so many an hour
 * from one address. */
#ifndef LINNET_SERVE_SIGNUP_H
#define LINNET_SERVE_SIGNUP_H

#include "workers/serve/request.h"

void serve_signup_post(struct serve_request *request);

#endif
