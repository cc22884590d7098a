/* The list holds unanswered entries, and answered ones only where they stand behind an unanswered one. Passed
 * changes are folded into the entry before them, so the list is never longer than the work under way, however
 * much goes by. */
#include "workers/worker/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/error.h"

#define SPARE_MAX 1024

static int keep(char **text, size_t *capacity, const char *value) {
    size_t size = strlen(value) + 1;
    if (size > *capacity) {
        size_t wanted = size < 128 ? 128 : size + size / 4;
        char *grown = realloc(*text, wanted);
        if (!grown) return LINNET_E_NOMEM;
        *text = grown;
        *capacity = wanted;
    }
    memcpy(*text, value, size);
    return 0;
}

int linnet_ledger_init(struct linnet_ledger *ledger, const char *since) {
    memset(ledger, 0, sizeof(*ledger));
    if (!since || !*since) return 0;
    return keep(&ledger->low, &ledger->low_capacity, since);
}

static void free_list(struct linnet_entry *entry) {
    while (entry) {
        struct linnet_entry *next = entry->next;
        free(entry->seq);
        free(entry);
        entry = next;
    }
}

void linnet_ledger_done(struct linnet_ledger *ledger) {
    free_list(ledger->first);
    free_list(ledger->spare);
    free(ledger->low);
    memset(ledger, 0, sizeof(*ledger));
}

static struct linnet_entry *take(struct linnet_ledger *ledger) {
    struct linnet_entry *entry = ledger->spare;
    if (!entry) return calloc(1, sizeof(*entry));
    ledger->spare = entry->next;
    ledger->nspare--;
    char *seq = entry->seq;
    size_t capacity = entry->capacity;
    memset(entry, 0, sizeof(*entry));
    entry->seq = seq;
    entry->capacity = capacity;
    return entry;
}

static void give(struct linnet_ledger *ledger, struct linnet_entry *entry) {
    if (ledger->nspare >= SPARE_MAX) {
        free(entry->seq);
        free(entry);
        return;
    }
    entry->next = ledger->spare;
    ledger->spare = entry;
    ledger->nspare++;
}

struct linnet_entry *linnet_ledger_add(struct linnet_ledger *ledger, const char *seq) {
    struct linnet_entry *entry = take(ledger);
    if (!entry) return NULL;
    if (keep(&entry->seq, &entry->capacity, seq)) {
        give(ledger, entry);
        return NULL;
    }
    entry->ledger = ledger;
    entry->changes = 1;
    entry->holders = 1;
    if (ledger->last)
        ledger->last->next = entry;
    else
        ledger->first = entry;
    ledger->last = entry;
    ledger->span++;
    ledger->unanswered++;
    return entry;
}

int linnet_ledger_pass(struct linnet_ledger *ledger, const char *seq) {
    struct linnet_entry *last = ledger->last;
    if (!last) return keep(&ledger->low, &ledger->low_capacity, seq);
    ledger->span++;
    last->changes++;
    /* An entry's seq is where the mark may go once that entry is answered, so it moves with what is passed
     * behind it. Should memory be short it stays where it was: a mark that is too low is safe. */
    return keep(&last->seq, &last->capacity, seq);
}

/* Drop the answered entries at the head; the last of them says where the mark is now. */
static void advance(struct linnet_ledger *ledger) {
    while (ledger->first && ledger->first->answered) {
        struct linnet_entry *entry = ledger->first;
        char *low = ledger->low;
        size_t capacity = ledger->low_capacity;
        ledger->low = entry->seq;
        ledger->low_capacity = entry->capacity;
        entry->seq = low;
        entry->capacity = capacity;
        ledger->span -= entry->changes;
        ledger->first = entry->next;
        if (!ledger->first) ledger->last = NULL;
        give(ledger, entry);
    }
}

void linnet_ledger_hold(struct linnet_entry *entry) {
    entry->holders++;
}

void linnet_ledger_answer(struct linnet_entry *entry) {
    if (--entry->holders) return;
    struct linnet_ledger *ledger = entry->ledger;
    entry->answered = true;
    ledger->unanswered--;
    if (entry == ledger->first) advance(ledger);
}

const char *linnet_ledger_low(const struct linnet_ledger *ledger) {
    return ledger->low;
}

int64_t linnet_ledger_oldest(const struct linnet_ledger *ledger) {
    return ledger->first ? ledger->first->since : -1;
}
