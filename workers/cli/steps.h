/* What an admin command did, step by step: printed as it happens for people, at the end as JSON for scripts.
 */
#ifndef LINNET_CLI_STEPS_H
#define LINNET_CLI_STEPS_H

#include <jansson.h>
#include <stdbool.h>

struct linnet_steps {
    bool json;     /* say nothing until linnet_steps_finish */
    bool quiet;    /* say only what failed */
    bool dry_run;  /* nothing is done: "would make" */
    json_t *list;  /* [{"did","what","name","note"}]; owned */
    unsigned done; /* how many steps changed something, or would */
};

enum linnet_deed { LINNET_UNCHANGED, LINNET_MADE, LINNET_CHANGED, LINNET_REMOVED };

void linnet_steps_init(struct linnet_steps *steps, bool json, bool quiet, bool dry_run);
void linnet_steps_done(struct linnet_steps *steps);
/* Note one step: `what` is a sort of thing ("database"), `name` which one, `note` more words or NULL. */
void linnet_steps_add(struct linnet_steps *steps, enum linnet_deed deed, const char *what, const char *name,
                      const char *note);
/* Print {"dry_run","changed","steps",...members of `more`} in JSON mode. `more` may be NULL; taken. */
void linnet_steps_finish(struct linnet_steps *steps, json_t *more);

#endif
