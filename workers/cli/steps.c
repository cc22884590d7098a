#include "workers/cli/steps.h"

#include <stdio.h>

static const char *const deeds[] = {"unchanged", "made", "changed", "removed"};
static const char *const intents[] = {"unchanged", "would make", "would change", "would remove"};

void linnet_steps_init(struct linnet_steps *steps, bool json, bool quiet, bool dry_run) {
    *steps = (struct linnet_steps){.json = json, .quiet = quiet, .dry_run = dry_run, .list = json_array()};
}

void linnet_steps_done(struct linnet_steps *steps) {
    json_decref(steps->list);
    steps->list = NULL;
}

void linnet_steps_add(struct linnet_steps *steps, enum linnet_deed deed, const char *what, const char *name,
                      const char *note) {
    if (deed != LINNET_UNCHANGED) steps->done++;
    json_t *step = json_pack("{s:s, s:s, s:s}", "did", deeds[deed], "what", what, "name", name);
    if (note) json_object_set_new(step, "note", json_string(note));
    json_array_append_new(steps->list, step);
    if (steps->json || steps->quiet) return;
    printf("%-13s %-16s %s%s%s\n", steps->dry_run ? intents[deed] : deeds[deed], what, name, note ? ", " : "",
           note ? note : "");
}

void linnet_steps_finish(struct linnet_steps *steps, json_t *more) {
    if (steps->json) {
        json_t *all = json_pack("{s:b, s:i, s:O}", "dry_run", steps->dry_run, "changed", (int)steps->done,
                                "steps", steps->list);
        if (more) json_object_update(all, more);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    }
    json_decref(more);
}
