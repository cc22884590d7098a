#include "plugins/consensus/record.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/consensus/judge.h"

enum { LABEL_NONE, LABEL_NOT_A_PLANT, LABEL_TAXON };
enum { PASSING = OBSERVED_CHANGED | OBSERVED_PENDING /* flags that are not saved */ };
enum { TAXON_MOST = 512, UID_MOST = 512, SEALED_MOST = 65536 };

static void put_label(struct bytes *bytes, const struct crowd *crowd, uint32_t label) {
    const char *text = labels_text(&crowd->labels, label);
    bytes_put_u8(bytes, text                                ? LABEL_TAXON
                        : label == LINNET_LABEL_NOT_A_PLANT ? LABEL_NOT_A_PLANT
                                                            : LABEL_NONE);
    if (text) bytes_put_text(bytes, text);
}

static uint32_t take_label(struct reader *reader, struct crowd *crowd) {
    char text[TAXON_MOST];
    uint8_t kind = reader_u8(reader);
    if (kind == LABEL_NOT_A_PLANT) return LINNET_LABEL_NOT_A_PLANT;
    if (kind != LABEL_TAXON) return LINNET_NO_LABEL;
    reader_text(reader, text, sizeof text);
    uint32_t label = reader->bad ? LINNET_NO_LABEL : labels_put(&crowd->labels, text);
    if (label == LINNET_NO_LABEL) reader->bad = true;
    return label;
}

static uint32_t take_user(struct reader *reader, struct crowd *crowd) {
    char text[UID_MOST];
    reader_text(reader, text, sizeof text);
    uint32_t user = reader->bad ? INTERN_NONE : crowd_user(crowd, text);
    if (user == INTERN_NONE) reader->bad = true;
    return user;
}

/* ---- observations ---- */

static void put_document(struct bytes *bytes, const struct crowd *crowd, const struct observed *observed) {
    bytes_put(bytes, observed->digest, DIGEST_BYTES);
    bytes_put_text(bytes, intern_text(&crowd->users, observed->author));
    bytes_put_u64(bytes, (uint64_t)observed->proposed_at);
    put_label(bytes, crowd, observed->proposal);
    bytes_put_u32(bytes, (uint32_t)observed->latitude);
    bytes_put_u32(bytes, (uint32_t)observed->longitude);
    bytes_put_u32(bytes, observed->uncertainty);
    bytes_put_text(bytes, observed->sealed ? observed->sealed : "");
}

static void take_document(struct reader *reader, struct crowd *crowd, struct observed *observed) {
    reader_take(reader, observed->digest, DIGEST_BYTES);
    observed->author = take_user(reader, crowd);
    observed->proposed_at = (int64_t)reader_u64(reader);
    observed->proposal = take_label(reader, crowd);
    observed->latitude = (int32_t)reader_u32(reader);
    observed->longitude = (int32_t)reader_u32(reader);
    observed->uncertainty = reader_u32(reader);
    char *sealed = malloc(SEALED_MOST);
    if (!sealed) {
        reader->bad = true;
        return;
    }
    reader_text(reader, sealed, SEALED_MOST);
    if (*sealed) observed->sealed = strdup(sealed);
    if (*sealed && !observed->sealed) reader->bad = true;
    free(sealed);
}

static void put_machine(struct bytes *bytes, const struct crowd *crowd, const struct observed *observed) {
    bytes_put(bytes, observed->machine_digest, DIGEST_BYTES);
    put_label(bytes, crowd, observed->machine_label);
    bytes_put_double(bytes, observed->machine_score);
    bytes_put_text(bytes, intern_text(&crowd->models, observed->machine_model));
}

static void take_machine(struct reader *reader, struct crowd *crowd, struct observed *observed) {
    char model[256];
    reader_take(reader, observed->machine_digest, DIGEST_BYTES);
    observed->machine_label = take_label(reader, crowd);
    observed->machine_score = reader_double(reader);
    reader_text(reader, model, sizeof model);
    observed->machine_model = intern_put(&crowd->models, model);
    if (observed->machine_model == INTERN_NONE) reader->bad = true;
}

static void put_told(struct bytes *bytes, const struct crowd *crowd, const struct told *told) {
    put_label(bytes, crowd, told->label);
    bytes_put_u32(bytes, told->hash);
    bytes_put_float(bytes, told->confidence);
    bytes_put_float(bytes, told->accuracy);
    bytes_put_u8(bytes, told->valid);
    bytes_put_u8(bytes, told->grade);
}

static void take_told(struct reader *reader, struct crowd *crowd, struct told *told) {
    told->label = take_label(reader, crowd);
    told->hash = reader_u32(reader);
    told->confidence = reader_float(reader);
    told->accuracy = reader_float(reader);
    told->valid = reader_u8(reader);
    told->grade = reader_u8(reader);
}

static void put_vote(struct bytes *bytes, const struct crowd *crowd, const struct vote *vote) {
    bytes_put_text(bytes, intern_text(&crowd->users, vote->user));
    put_label(bytes, crowd, vote->label);
    put_label(bytes, crowd, vote->rejects);
    bytes_put_u64(bytes, (uint64_t)vote->created_at);
    bytes_put_u8(bytes, vote->rated);
    bytes_put_u8(bytes, vote->bad);
    bytes_put_u8(bytes, vote->flags);
    if (!(vote->flags & VOTE_PROPOSED)) bytes_put(bytes, vote->digest, DIGEST_BYTES);
}

static void take_vote(struct reader *reader, struct crowd *crowd, struct observed *observed) {
    struct vote vote = {.user = take_user(reader, crowd)};
    vote.label = take_label(reader, crowd);
    vote.rejects = take_label(reader, crowd);
    vote.created_at = (int64_t)reader_u64(reader);
    vote.rated = reader_u8(reader);
    vote.bad = reader_u8(reader);
    vote.flags = reader_u8(reader);
    if (!(vote.flags & VOTE_PROPOSED)) reader_take(reader, vote.digest, DIGEST_BYTES);
    if (!reader->bad && crowd_add_vote(crowd, observed, &vote) != 0) reader->bad = true;
}

void record_put_observation(struct bytes *bytes, const struct crowd *crowd, uint32_t observation) {
    const struct observed *observed = &crowd->observed[observation];
    uint16_t flags = (uint16_t)(observed->flags & ~PASSING);
    bytes_put(bytes, intern_text(&crowd->ulids, observation), ULID_TEXT);
    bytes_put_u32(bytes, flags);
    if (flags & OBSERVED_EXISTS) put_document(bytes, crowd, observed);
    if (flags & OBSERVED_MACHINE) put_machine(bytes, crowd, observed);
    if (flags & OBSERVED_TOLD) put_told(bytes, crowd, &observed->told);
    bytes_put_u32(bytes, observed->nvotes);
    for (uint32_t i = 0; i < observed->nvotes; i++)
        put_vote(bytes, crowd, &observed->votes[i]);
}

/* Empty it: what a record says stands in place of all that was there. */
static void clear(struct crowd *crowd, struct observed *observed) {
    crowd->votes -= observed->nvotes;
    free(observed->votes);
    free(observed->sealed);
    *observed = (struct observed){.uncertainty = UINT32_MAX,
                                  .author = INTERN_NONE,
                                  .proposal = LINNET_NO_LABEL,
                                  .machine_label = LINNET_NO_LABEL,
                                  .told.label = LINNET_NO_LABEL};
}

int record_take_observation(struct reader *reader, struct crowd *crowd) {
    char ulid[ULID_TEXT];
    reader_take(reader, ulid, sizeof ulid);
    uint32_t index = reader->bad ? INTERN_NONE : crowd_observation(crowd, ulid);
    if (index == INTERN_NONE) return -1;
    struct observed *observed = &crowd->observed[index];
    clear(crowd, observed);
    observed->flags = (uint16_t)(reader_u32(reader) & ~(uint32_t)PASSING);
    if (observed->flags & OBSERVED_EXISTS) take_document(reader, crowd, observed);
    if (observed->flags & OBSERVED_MACHINE) take_machine(reader, crowd, observed);
    if (observed->flags & OBSERVED_TOLD) take_told(reader, crowd, &observed->told);
    uint32_t votes = reader_u32(reader);
    for (uint32_t i = 0; i < votes && !reader->bad; i++)
        take_vote(reader, crowd, observed);
    return reader->bad ? -1 : 0;
}

/* ---- people ---- */

void record_put_person(struct bytes *bytes, const struct crowd *crowd, uint32_t user) {
    const struct person *person = &crowd->people[user];
    bytes_put_text(bytes, intern_text(&crowd->users, user));
    bytes_put_u32(bytes, person->n_author);
    bytes_put_u32(bytes, person->n_vote);
    bytes_put_u32(bytes, person->n);
    bytes_put_u8(bytes, person->told);
    bytes_put_u32(bytes, person->told_author);
    bytes_put_u32(bytes, person->told_vote);
    bytes_put_u32(bytes, person->told_hash);
    bytes_put_float(bytes, person->told_precision);
}

int record_take_person(struct reader *reader, struct crowd *crowd, const struct consensus_config *config) {
    uint32_t user = take_user(reader, crowd);
    if (user == INTERN_NONE) return -1;
    struct person *person = &crowd->people[user];
    person->n_author = reader_u32(reader);
    person->n_vote = reader_u32(reader);
    person->n = reader_u32(reader);
    person->told = reader_u8(reader);
    person->told_author = reader_u32(reader);
    person->told_vote = reader_u32(reader);
    person->told_hash = reader_u32(reader);
    person->told_precision = reader_float(reader);
    crowd->weight[user] = judge_weight(config, person->n);
    return reader->bad ? -1 : 0;
}
