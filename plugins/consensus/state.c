#include "plugins/consensus/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/consensus/record.h"

#define FILE_MAGIC UINT64_C(0x3244574352434e4c) /* LNCRCWD2 */
/* Of a block that ends with a position, and of one that does not: it stands only if one that does follows. */
#define BLOCK_MAGIC UINT32_C(0x4b434c42)
#define PART_MAGIC  UINT32_C(0x54524150)
enum { HEADER = 20 /* of a block: magic, size, checksum */, POSITION_MOST = 1024 };
enum { RECORD_OBSERVATION = 'O', RECORD_PERSON = 'P', RECORD_END = 'E' };
/* A file is written anew once it is so big and so many times what it last came to. */
enum { ANEW_LEAST = 4 << 20, ANEW_TIMES = 3 };

struct state {
    char path[4096], aside[4200], folder[4096];
    const struct consensus_config *config;
    int fd;
    bool unnamed;         /* the file is still aside: nothing was saved yet */
    uint64_t size, whole; /* of the file, and when it was last written whole */
    char position[POSITION_MOST], settle[STATE_SETTLE_SIZE];
    /* writing anew */
    int new_fd; /* -1: not under way */
    uint64_t new_size;
    uint32_t next_observation, next_person;
};

/* ---- blocks ---- */

static int write_whole(int fd, const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return -1;
        data += written;
        size -= (size_t)written;
    }
    return 0;
}

static void put_header(struct bytes *block, uint32_t magic, size_t size, uint64_t checksum) {
    bytes_put_u32(block, magic);
    bytes_put_u64(block, size);
    bytes_put_u64(block, checksum);
}

/* A block begins with room for its header. */
static void block_begin(struct bytes *block) {
    *block = (struct bytes){0};
    put_header(block, 0, 0, 0);
}

static int block_seal(struct bytes *block, uint32_t magic) {
    struct bytes header = {0};
    size_t size = block->size - HEADER;
    if (block->failed) {
        errno = ENOMEM;
        return -1;
    }
    put_header(&header, magic, size, bytes_checksum(block->data + HEADER, size));
    if (!header.failed) memcpy(block->data, header.data, HEADER);
    bytes_done(&header);
    return 0;
}

static void put_end(struct bytes *block, const char *position, const char *settle) {
    bytes_put_u8(block, RECORD_END);
    bytes_put_text(block, position);
    bytes_put_text(block, settle);
}

/* ---- loading ---- */

static int take_records(struct state *state, struct crowd *crowd, struct reader *reader) {
    int error = 0;
    while (!error && reader->at < reader->end) {
        switch (reader_u8(reader)) {
        case RECORD_OBSERVATION:
            error = record_take_observation(reader, crowd);
            break;
        case RECORD_PERSON:
            error = record_take_person(reader, crowd, state->config);
            break;
        case RECORD_END:
            reader_text(reader, state->position, sizeof state->position);
            reader_text(reader, state->settle, sizeof state->settle);
            break;
        default:
            error = -1;
        }
    }
    return error || reader->bad ? -1 : 0;
}

/* One block from the file, with its kind and what it takes there. False: there is no whole one any more. */
static bool read_block(FILE *file, struct bytes *block, uint32_t *magic, uint64_t *size) {
    uint8_t header[HEADER];
    if (fread(header, 1, HEADER, file) != HEADER) return false;
    struct reader reader = {header, header + HEADER, false};
    *magic = reader_u32(&reader);
    uint64_t length = reader_u64(&reader), checksum = reader_u64(&reader);
    struct stat about;
    if ((*magic != BLOCK_MAGIC && *magic != PART_MAGIC) || fstat(fileno(file), &about) != 0 ||
        length > (uint64_t)about.st_size)
        return false;
    if (length > block->room) {
        uint8_t *data = realloc(block->data, length);
        if (!data) return false;
        block->data = data;
        block->room = length;
    }
    block->size = length;
    if (fread(block->data, 1, length, file) != length) return false;
    if (bytes_checksum(block->data, length) != checksum) return false;
    *size = HEADER + length;
    return true;
}

/* Where the last position ends; 0: nowhere. */
static uint64_t find_end(FILE *file, struct bytes *block) {
    uint8_t magic[8];
    uint64_t at = sizeof magic, end = 0, size;
    uint32_t kind;
    if (fread(magic, 1, sizeof magic, file) != sizeof magic) return 0;
    struct reader reader = {magic, magic + sizeof magic, false};
    if (reader_u64(&reader) != FILE_MAGIC) return 0;
    while (read_block(file, block, &kind, &size)) {
        at += size;
        if (kind == BLOCK_MAGIC) end = at;
    }
    return end;
}

/* Every block up to the last position; what is behind it was written ahead of a save that never came, and is
 * cut off. -1: there is none, or a record that is not one. */
static int load(struct state *state, struct crowd *crowd, FILE *file) {
    struct bytes block = {0};
    uint64_t size, end = find_end(file, &block);
    uint32_t kind;
    int error = !end || fseek(file, 8, SEEK_SET) != 0;
    state->size = 8;
    while (!error && state->size < end) {
        error = !read_block(file, &block, &kind, &size);
        struct reader reader = {block.data, block.data + block.size, false};
        if (!error) error = take_records(state, crowd, &reader);
        state->size += error ? 0 : size;
    }
    bytes_done(&block);
    return error ? -1 : truncate(state->path, (off_t)state->size);
}

static int open_file(struct state *state, struct crowd *crowd, char *why, size_t why_size) {
    FILE *file = fopen(state->path, "re");
    int error = file ? load(state, crowd, file) : errno == ENOENT ? 0 : -1;
    if (error)
        snprintf(why, why_size, "%s cannot be used (%s); the state is built again from the store",
                 state->path, file ? "damaged, or of another version" : strerror(errno));
    if (!error && file && (state->fd = open(state->path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0) {
        snprintf(why, why_size, "%s cannot be written: %s", state->path, strerror(errno));
        error = -1;
    }
    if (file) fclose(file);
    state->whole = state->size;
    return error;
}

struct state *state_new(const char *folder, const struct consensus_config *config) {
    struct state *state = calloc(1, sizeof *state);
    if (!state) return NULL;
    state->config = config;
    state->fd = state->new_fd = -1;
    snprintf(state->folder, sizeof state->folder, "%s", folder);
    snprintf(state->path, sizeof state->path, "%s/crowd.state", folder);
    snprintf(state->aside, sizeof state->aside, "%s.new", state->path);
    return state;
}

struct state *state_open(const char *folder, struct crowd *crowd, const struct consensus_config *config,
                         char *position, size_t size, char settle[STATE_SETTLE_SIZE], char *why,
                         size_t why_size) {
    struct state *state = state_new(folder, config);
    position[0] = settle[0] = '\0';
    if (!state) {
        snprintf(why, why_size, "out of memory");
        return NULL;
    }
    if (open_file(state, crowd, why, why_size) != 0) {
        state_close(state);
        return NULL;
    }
    snprintf(position, size, "%s", state->position);
    memcpy(settle, state->settle, sizeof state->settle);
    return state;
}

void state_close(struct state *state) {
    if (!state) return;
    if (state->fd >= 0) close(state->fd);
    if (state->new_fd >= 0) close(state->new_fd);
    if (state->unnamed || state->new_fd >= 0) unlink(state->aside);
    free(state);
}

void state_discard(const char *folder) {
    char from[4096], to[4200];
    snprintf(from, sizeof from, "%s/crowd.state", folder);
    snprintf(to, sizeof to, "%s.damaged", from);
    rename(from, to);
}

/* ---- writing anew ---- */

static int sync_folder(const char *folder) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    int error = fsync(fd);
    close(fd);
    return error;
}

static void give_up(struct state *state) {
    int saved = errno;
    close(state->new_fd);
    unlink(state->aside);
    state->new_fd = -1;
    errno = saved;
}

/* A file aside with nothing in it: its descriptor, or -1. */
static int open_aside(const struct state *state) {
    struct bytes magic = {0};
    int fd = open(state->aside, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    bytes_put_u64(&magic, FILE_MAGIC);
    int error = magic.failed ? -1 : write_whole(fd, magic.data, magic.size);
    bytes_done(&magic);
    if (!error) return fd;
    int saved = errno;
    close(fd);
    unlink(state->aside);
    errno = saved;
    return -1;
}

static int begin_anew(struct state *state) {
    state->new_fd = open_aside(state);
    state->new_size = 8;
    state->next_observation = state->next_person = 0;
    return state->new_fd < 0 ? -1 : 0;
}

static int append_anew(struct state *state, const struct bytes *block) {
    if (write_whole(state->new_fd, block->data, block->size) != 0) return -1;
    /* let it go to the disk as it comes, or the last sync would take it all at once */
    sync_file_range(state->new_fd, (off_t)state->new_size, (off_t)block->size, SYNC_FILE_RANGE_WRITE);
    state->new_size += block->size;
    return 0;
}

static int finish_anew(struct state *state) {
    struct bytes block;
    block_begin(&block);
    put_end(&block, state->position, state->settle);
    int error = block_seal(&block, BLOCK_MAGIC) || append_anew(state, &block) || fsync(state->new_fd) ||
                rename(state->aside, state->path) || sync_folder(state->folder);
    bytes_done(&block);
    if (error) return -1;
    if (state->fd >= 0) close(state->fd);
    state->fd = state->new_fd;
    state->size = state->whole = state->new_size;
    state->new_fd = -1;
    return 0;
}

static int go_on_anew(struct state *state, const struct crowd *crowd, uint32_t n) {
    struct bytes block;
    block_begin(&block);
    for (; n > 0 && state->next_observation < crowd->ulids.size; n--) {
        bytes_put_u8(&block, RECORD_OBSERVATION);
        record_put_observation(&block, crowd, state->next_observation++);
    }
    for (; n > 0 && state->next_person < crowd->users.size; n--) {
        bytes_put_u8(&block, RECORD_PERSON);
        record_put_person(&block, crowd, state->next_person++);
    }
    int error = block_seal(&block, PART_MAGIC) || append_anew(state, &block);
    bytes_done(&block);
    if (!error && n > 0) error = finish_anew(state);
    if (error && state->new_fd >= 0) give_up(state);
    return error ? -1 : 0;
}

/* ---- saving ---- */

/* The last n of what has changed. */
static void put_changed(struct bytes *block, const struct crowd *crowd, uint32_t people,
                        uint32_t observations) {
    for (uint32_t i = 1; i <= people; i++) {
        bytes_put_u8(block, RECORD_PERSON);
        record_put_person(block, crowd, crowd->changed_people[crowd->nchanged_people - i]);
    }
    for (uint32_t i = 1; i <= observations; i++) {
        bytes_put_u8(block, RECORD_OBSERVATION);
        record_put_observation(block, crowd, crowd->changed[crowd->nchanged - i]);
    }
}

static void forget_changed(struct crowd *crowd, uint32_t people, uint32_t observations) {
    for (; people > 0; people--)
        crowd->people[crowd->changed_people[--crowd->nchanged_people]].changed = false;
    for (; observations > 0; observations--)
        crowd->observed[crowd->changed[--crowd->nchanged]].flags &= (uint16_t)~OBSERVED_CHANGED;
}

static int append(struct state *state, const struct bytes *block, bool durable) {
    if (write_whole(state->fd, block->data, block->size) != 0 || (durable && fdatasync(state->fd) != 0)) {
        int saved = errno; /* nothing may stand behind a torn block */
        if (ftruncate(state->fd, (off_t)state->size) != 0) saved = errno;
        errno = saved;
        return -1;
    }
    /* let it go to the disk as it comes, or the next sync would take it all at once */
    if (!durable) sync_file_range(state->fd, (off_t)state->size, (off_t)block->size, SYNC_FILE_RANGE_WRITE);
    state->size += block->size;
    if (state->new_fd >= 0 && append_anew(state, block) != 0) give_up(state); /* the old file stands */
    return 0;
}

/* Until its first save the file stays aside, and what the folder holds stands. */
static int open_first(struct state *state) {
    if (state->fd >= 0) return 0;
    state->fd = open_aside(state);
    state->unnamed = state->fd >= 0;
    state->size = 8;
    return state->unnamed ? 0 : -1;
}

static int give_name(struct state *state) {
    if (!state->unnamed) return 0;
    if (rename(state->aside, state->path) != 0) return -1;
    state->unnamed = false;
    state->whole = state->size;
    return sync_folder(state->folder);
}

/* The last n records that have changed, ahead of the save that they belong to. */
static int write_ahead(struct state *state, struct crowd *crowd, uint32_t n) {
    struct bytes block;
    uint32_t people = crowd->nchanged_people < n ? crowd->nchanged_people : n,
             observations = crowd->nchanged < n - people ? crowd->nchanged : n - people;
    if (open_first(state) != 0) return -1;
    block_begin(&block);
    put_changed(&block, crowd, people, observations);
    int error = block_seal(&block, PART_MAGIC) || append(state, &block, false);
    bytes_done(&block);
    if (error) return -1;
    forget_changed(crowd, people, observations);
    return 0;
}

int state_step(struct state *state, struct crowd *crowd, uint32_t n) {
    if ((uint64_t)crowd->nchanged + crowd->nchanged_people > n) return write_ahead(state, crowd, n);
    return state->new_fd >= 0 ? go_on_anew(state, crowd, n) : 0;
}

int state_save(struct state *state, struct crowd *crowd, const char *position, const char *settle) {
    struct bytes block;
    if (strlen(position) >= sizeof state->position) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (open_first(state) != 0) return -1;
    block_begin(&block);
    put_changed(&block, crowd, crowd->nchanged_people, crowd->nchanged);
    put_end(&block, position, settle);
    int error = block_seal(&block, BLOCK_MAGIC) || append(state, &block, true) || give_name(state);
    bytes_done(&block);
    if (error) return -1;
    snprintf(state->position, sizeof state->position, "%s", position);
    snprintf(state->settle, sizeof state->settle, "%s", settle);
    forget_changed(crowd, crowd->nchanged_people, crowd->nchanged);
    if (state->new_fd < 0 && state->size > ANEW_LEAST && state->size > ANEW_TIMES * state->whole)
        begin_anew(state); /* later, if it cannot be now */
    return 0;
}
