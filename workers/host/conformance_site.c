/* Checks of what scope `site` adds: its state depends on the latest revision of each document, never on how
 * often it came. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/ulid.h"
#include "workers/host/conformance_rig.h"

static const struct linnet_rig_shape one_by_one = {.threads = 1},
                                     stateless = {.threads = 1, .no_state = true};

/* Open, and skip for other scopes. */
static bool open_site(struct linnet_rig *rig, const struct linnet_rig_shape *shape) {
    if (!linnet_rig_open(rig, shape)) return false;
    if (linnet_stage_plugin(rig->stage)->scope == LINNET_SCOPE_SITE) return true;
    if (!linnet_rig_close(rig)) return false;
    return linnet_rig_skip(rig, "for scope site");
}

/* The last word on each id. */
static const struct linnet_result *last_of(const struct linnet_rig *rig, const char *id) {
    for (size_t i = rig->nworks; i-- > 0;)
        for (size_t r = rig->works[i]->nresults; r-- > 0;)
            if (!strcmp(rig->works[i]->results[r].id, id)) return &rig->works[i]->results[r];
    return NULL;
}

bool linnet_check_redelivery(struct linnet_rig *rig) {
    size_t n;
    char where[300];
    struct linnet_rig once = *rig;
    if (!open_site(&once, &stateless)) return false;
    if (!linnet_rig_submit_samples(&once, &n) || !linnet_rig_settle(&once, true) || !linnet_rig_close(&once))
        return false;
    if (!linnet_rig_open(rig, &stateless)) return false;
    for (int time = 0; time < 2; time++)
        if (!linnet_rig_submit_samples(rig, &n)) return false;
    if (!linnet_rig_settle(rig, true) || !linnet_rig_close(rig)) return false;
    for (size_t i = 0; i < once.nworks; i++)
        for (size_t r = 0; r < once.works[i]->nresults; r++) {
            const char *id = once.works[i]->results[r].id;
            const struct linnet_result *one = last_of(&once, id), *other = last_of(rig, id);
            if (!other || !linnet_results_alike(one, other, where, sizeof(where)))
                return linnet_rig_fail(rig, "%s is another when every document comes twice, in %s", id,
                                       other && *where ? where : "whether it is there");
        }
    linnet_rig_forget(&once);
    linnet_rig_forget(rig);
    return true;
}

static bool submit_tombstone(struct linnet_rig *rig, const char *id) {
    struct linnet_work *work = NULL;
    if (linnet_work_document(linnet_stage_plugin(rig->stage), id, NULL, &work))
        return linnet_rig_fail(rig, "out of memory");
    return linnet_rig_submit(rig, work);
}

/* The tombstones of every document of a sample, under another observation's id if `ulid` is given. */
static bool bury(struct linnet_rig *rig, const struct linnet_observation *sample, const char *ulid) {
    const struct linnet_plugin *plugin = linnet_stage_plugin(rig->stage);
    for (size_t i = 0; i < sample->ndocs; i++) {
        char id[LINNET_ID_MAX];
        const struct linnet_input *input = linnet_plugin_input(plugin, sample->docs[i].kind);
        if (!input || !(input->flags & LINNET_TRIGGER)) continue;
        if (linnet_id_format(ulid ? ulid : sample->ulid, sample->docs[i].kind, sample->docs[i].qualifier, id))
            continue;
        linnet_rig_phase(rig, "the tombstone of %s came", id);
        if (!submit_tombstone(rig, id)) return false;
    }
    return true;
}

bool linnet_check_tombstones(struct linnet_rig *rig) {
    char stranger[LINNET_ULID_SIZE];
    size_t n;
    if (!open_site(rig, &one_by_one)) return false;
    linnet_ulid_new(stranger);
    for (size_t i = 0; i < rig->options->nsamples; i++) {
        if (!bury(rig, &rig->options->samples[i], stranger) || !linnet_rig_settle(rig, false))
            return false; /* never seen */
    }
    if (!linnet_rig_submit_samples(rig, &n)) return false;
    for (int time = 0; time < 2; time++)
        for (size_t i = 0; i < rig->options->nsamples; i++)
            if (!bury(rig, &rig->options->samples[i], NULL) || !linnet_rig_settle(rig, false)) return false;
    if (!linnet_rig_submit_samples(rig, &n)) return false; /* back from the dead: deletions can be undone */
    return linnet_rig_settle(rig, false) && linnet_rig_tick(rig) && linnet_rig_close(rig) &&
           (linnet_rig_forget(rig), true);
}

bool linnet_check_state(struct linnet_rig *rig) {
    size_t n;
    if (!open_site(rig, &one_by_one)) return false;
    if (!linnet_stage_plugin(rig->stage)->snapshot) {
        if (!linnet_rig_close(rig)) return false;
        return linnet_rig_skip(rig, "it keeps no state");
    }
    if (!linnet_rig_restore(rig)) return false;
    if (*rig->position)
        return linnet_rig_fail(rig, "an empty state folder gives the position \"%s\": it should be \"\"",
                               rig->position);
    if (!linnet_rig_submit_samples(rig, &n) || !linnet_rig_settle(rig, false)) return false;
    if (!linnet_rig_snapshot(rig, "17-g1AAAACheck") || !linnet_rig_close(rig)) return false;
    linnet_rig_forget(rig);
    if (!linnet_rig_open(rig, &one_by_one) || !linnet_rig_restore(rig)) return false;
    if (strcmp(rig->position, "17-g1AAAACheck") != 0)
        return linnet_rig_fail(rig, "it saved its state at \"17-g1AAAACheck\" and restored \"%s\"",
                               rig->position);
    if (!linnet_rig_close(rig)) return false;
    /* A member without the folder must start all the same, from the beginning. */
    if (!linnet_rig_open(rig, &stateless) || !linnet_rig_restore(rig)) return false;
    if (*rig->position)
        return linnet_rig_fail(rig, "without a state folder it restores \"%s\"", rig->position);
    return linnet_rig_close(rig);
}
