/* Epochs: when one begins, and what follows from it, a bounded part each tick. */
#include <string.h>

#include "plugins/consensus/stage.h"

enum {
    SLICE = 100000, /* observations copied in a tick: some 10 ms */
    SAVED = 20000,  /* records of the state that are written ahead of a save, or anew */
    COST = 10       /* a solve is followed by so many times its length of rest */
};

static bool is_due(const struct consensus *self, int64_t now) {
    if (self->settle[0] || self->unsettled) return true;
    if (!self->changed || now - self->ended_at < COST * self->report.solve_ms) return false;
    return self->changed >= self->config.epoch_votes || now - self->changed_since >= self->config.epoch_ms ||
           now - self->changed_at >= self->config.quiet_ms;
}

static void begin(struct consensus *self) {
    self->exact = self->settle[0] != '\0';
    if (epoch_begin(self->epoch, &self->crowd, self->exact) != 0) {
        self->host->log(self->host->ctx, 3, "no memory for an epoch");
        return;
    }
    self->host->count(self->host->ctx, "epochs_begun", 1);
    memcpy(self->settling, self->settle, sizeof self->settling);
    self->changed = 0;
    self->unsettled = false;
}

static void take(struct consensus *self) {
    self->report = *epoch_report(self->epoch);
    if (!self->report.converged)
        self->host->log(self->host->ctx, 2, "the crowd has not settled in %u rounds", self->report.rounds);
    epoch_take(self->epoch, &self->crowd);
    self->rebuilding = false;
    self->telling = true;
    self->next_news = self->next_skill = 0;
    self->host->count(self->host->ctx, "epochs", 1);
}

static int go_on_telling(struct consensus *self, int64_t now) {
    int all = tell_some(self);
    if (all < 0) return -1; /* the next tick tries this part again */
    if (!all) return 0;
    self->telling = false;
    self->report_due = true;
    self->ended_at = now;
    epoch_end(self->epoch);
    return 0;
}

/* All that the epoch told is written: only now it may be said that it is settled. */
static int report(struct consensus *self) {
    if (tell_report(self) != 0) return -1;
    self->report_due = false;
    if (strcmp(self->settle, self->settling) == 0) self->settle[0] = '\0';
    return 0;
}

int turn(struct consensus *self) {
    int64_t now = self->host->now(self->host->ctx);
    if (self->state && state_step(self->state, &self->crowd, SAVED) != 0)
        self->host->log(self->host->ctx, 2, "a part of the state could not be written; it is tried again");
    if (self->telling) return go_on_telling(self, now);
    if (self->report_due) return report(self);
    if (epoch_phase(self->epoch) == EPOCH_IDLE && is_due(self, now)) begin(self);
    epoch_step(self->epoch, &self->crowd, SLICE);
    if (epoch_phase(self->epoch) == EPOCH_FAILED) {
        self->host->log(self->host->ctx, 3, "an epoch could not be solved; it is tried again");
        self->unsettled = true;
        epoch_end(self->epoch);
        return 0;
    }
    if (epoch_phase(self->epoch) != EPOCH_SOLVED) return 0;
    take(self);
    return go_on_telling(self, now);
}
