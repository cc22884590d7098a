/* Bytes written and read in a row: the state's file is made of them. Little-endian. */
#ifndef CONSENSUS_BYTES_H
#define CONSENSUS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data;
    size_t size, room;
    bool failed; /* out of memory: what was put since is missing */
};

void bytes_done(struct bytes *bytes);
void bytes_put(struct bytes *bytes, const void *data, size_t size);
void bytes_put_u8(struct bytes *bytes, uint8_t value);
void bytes_put_u32(struct bytes *bytes, uint32_t value);
void bytes_put_u64(struct bytes *bytes, uint64_t value);
void bytes_put_float(struct bytes *bytes, float value);
void bytes_put_double(struct bytes *bytes, double value);
/* At most 65,535 bytes of it. */
void bytes_put_text(struct bytes *bytes, const char *text);

struct reader {
    const uint8_t *at, *end;
    bool bad; /* something reached past the end: all that was read is to be thrown away */
};

void reader_take(struct reader *reader, void *out, size_t size); /* zeros past the end */
uint8_t reader_u8(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
float reader_float(struct reader *reader);
double reader_double(struct reader *reader);
/* Ended by NUL; bad if it does not fit. */
void reader_text(struct reader *reader, char *out, size_t size);

/* FNV-1a by 8 bytes: tells a torn write, not an enemy. */
uint64_t bytes_checksum(const void *data, size_t size);

#endif
