#include "plugins/consensus/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/consensus/record.h"

#define FILE_MAGIC  UINT64_C(0x3244574352434e4c) /* LNCRCWD2 */
#define BLOCK_MAGIC UINT32_C(0x4b434c42)
enum { HEADER = 20 /* of a block: magic, size, checksum */, POSITION_MOST = 1024 };
enum { RECORD_OBSERVATION = 'O', RECORD_PERSON = 'P', RECORD_END = 'E' };
/* A file is written anew once it is so big and so many times what it last came to. */
enum { ANEW_LEAST = 4 << 20, ANEW_TIMES = 3 };

struct state {
    char path[4096], aside[4200], folder[4096];
    const struct consensus_config *config;
    int fd;
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

static void put_header(struct bytes *block, size_t size, uint64_t checksum) {
    bytes_put_u32(block, BLOCK_MAGIC);
    bytes_put_u64(block, size);
    bytes_put_u64(block, checksum);
}

/* A block begins with room for its header. */
static void block_begin(struct bytes *block) {
    *block = (struct bytes){0};
    put_header(block, 0, 0);
}

static int block_seal(struct bytes *block) {
    struct bytes header = {0};
    size_t size = block->size - HEADER;
    if (block->failed) {
        errno = ENOMEM;
        return -1;
    }
    put_header(&header, size, bytes_checksum(block->data + HEADER, size));
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

static int take_records(struct state *state, struct crowd *crowd, struct reader *reader, bool *ended) {
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
            *ended = true;
            break;
        default:
            error = -1;
        }
    }
    return error || reader->bad ? -1 : 0;
}

/* One block from the file: 1 read, 0 there is no whole one any more. */
static int read_block(FILE *file, struct bytes *block, uint64_t *size) {
    uint8_t header[HEADER];
    if (fread(header, 1, HEADER, file) != HEADER) return 0;
    struct reader reader = {header, header + HEADER, false};
    uint32_t magic = reader_u32(&reader);
    uint64_t length = reader_u64(&reader), checksum = reader_u64(&reader);
    struct stat about;
    if (magic != BLOCK_MAGIC || fstat(fileno(file), &about) != 0 || length > (uint64_t)about.st_size)
        return 0;
    if (length > block->room) {
        uint8_t *data = realloc(block->data, length);
        if (!data) return 0;
        block->data = data;
        block->room = length;
    }
    block->size = length;
    if (fread(block->data, 1, length, file) != length) return 0;
    if (bytes_checksum(block->data, length) != checksum) return 0;
    *size = HEADER + length;
    return 1;
}

/* Every whole block; what is behind the last one is cut off. -1: not one that says a position. */
static int load(struct state *state, struct crowd *crowd, FILE *file) {
    struct bytes block = {0};
    uint8_t magic[8];
    uint64_t size;
    bool ended = false;
    int error = fread(magic, 1, sizeof magic, file) != sizeof magic;
    struct reader reader = {magic, magic + sizeof magic, false};
    error = error || reader_u64(&reader) != FILE_MAGIC;
    state->size = sizeof magic;
    while (!error && read_block(file, &block, &size)) {
        reader = (struct reader){block.data, block.data + block.size, false};
        error = take_records(state, crowd, &reader, &ended);
        state->size += size;
    }
    bytes_done(&block);
    if (error || !ended) return -1;
    return truncate(state->path, (off_t)state->size);
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
    if (state->new_fd >= 0) {
        close(state->new_fd);
        unlink(state->aside);
    }
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

static int begin_anew(struct state *state) {
    struct bytes magic = {0};
    state->new_fd = open(state->aside, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (state->new_fd < 0) return -1;
    bytes_put_u64(&magic, FILE_MAGIC);
    int error = magic.failed ? -1 : write_whole(state->new_fd, magic.data, magic.size);
    bytes_done(&magic);
    state->new_size = 8;
    state->next_observation = state->next_person = 0;
    if (error) give_up(state);
    return error;
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
    int error = block_seal(&block) || append_anew(state, &block) || fsync(state->new_fd) ||
                rename(state->aside, state->path) || sync_folder(state->folder);
    bytes_done(&block);
    if (error) return -1;
    if (state->fd >= 0) close(state->fd);
    state->fd = state->new_fd;
    state->size = state->whole = state->new_size;
    state->new_fd = -1;
    return 0;
}

int state_step(struct state *state, const struct crowd *crowd, uint32_t n) {
    struct bytes block;
    if (state->new_fd < 0) return 0;
    block_begin(&block);
    for (; n > 0 && state->next_observation < crowd->ulids.size; n--) {
        bytes_put_u8(&block, RECORD_OBSERVATION);
        record_put_observation(&block, crowd, state->next_observation++);
    }
    for (; n > 0 && state->next_person < crowd->users.size; n--) {
        bytes_put_u8(&block, RECORD_PERSON);
        record_put_person(&block, crowd, state->next_person++);
    }
    int error = block_seal(&block) || append_anew(state, &block);
    bytes_done(&block);
    if (!error && n > 0) error = finish_anew(state);
    if (error && state->new_fd >= 0) give_up(state);
    return error ? -1 : 0;
}

/* ---- saving ---- */

static void put_changed(struct bytes *block, const struct crowd *crowd) {
    for (uint32_t i = 0; i < crowd->nchanged_people; i++) {
        bytes_put_u8(block, RECORD_PERSON);
        record_put_person(block, crowd, crowd->changed_people[i]);
    }
    for (uint32_t i = 0; i < crowd->nchanged; i++) {
        bytes_put_u8(block, RECORD_OBSERVATION);
        record_put_observation(block, crowd, crowd->changed[i]);
    }
}

static void forget_changed(struct crowd *crowd) {
    for (uint32_t i = 0; i < crowd->nchanged_people; i++)
        crowd->people[crowd->changed_people[i]].changed = false;
    for (uint32_t i = 0; i < crowd->nchanged; i++)
        crowd->observed[crowd->changed[i]].flags &= (uint16_t)~OBSERVED_CHANGED;
    crowd->nchanged = crowd->nchanged_people = 0;
}

/* The first save makes the file: whole, aside, renamed. */
static int save_first(struct state *state, const struct crowd *crowd) {
    if (state->new_fd < 0 && begin_anew(state) != 0) return -1;
    while (state->new_fd >= 0)
        if (state_step(state, crowd, UINT32_MAX) != 0) return -1;
    return 0;
}

static int append(struct state *state, const struct bytes *block) {
    if (write_whole(state->fd, block->data, block->size) != 0 || fdatasync(state->fd) != 0) {
        int saved = errno; /* nothing may stand behind a torn block */
        if (ftruncate(state->fd, (off_t)state->size) != 0) saved = errno;
        errno = saved;
        return -1;
    }
    state->size += block->size;
    if (state->new_fd >= 0 && append_anew(state, block) != 0) give_up(state); /* the old file stands */
    return 0;
}

int state_save(struct state *state, struct crowd *crowd, const char *position, const char *settle) {
    struct bytes block;
    int error;
    if (strlen(position) >= sizeof state->position) {
        errno = ENAMETOOLONG;
        return -1;
    }
    block_begin(&block);
    put_changed(&block, crowd);
    put_end(&block, position, settle);
    error = block_seal(&block);
    if (!error && state->fd >= 0) error = append(state, &block);
    bytes_done(&block);
    if (error) return -1;
    snprintf(state->position, sizeof state->position, "%s", position);
    snprintf(state->settle, sizeof state->settle, "%s", settle);
    if (state->fd < 0 && save_first(state, crowd) != 0) return -1;
    forget_changed(crowd);
    if (state->new_fd < 0 && state->size > ANEW_LEAST && state->size > ANEW_TIMES * state->whole)
        begin_anew(state); /* later, if it cannot be now */
    return 0;
}
