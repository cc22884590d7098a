#include "plugins/consensus/bytes.h"

#include <stdlib.h>
#include <string.h>

void bytes_done(struct bytes *bytes) {
    free(bytes->data);
    *bytes = (struct bytes){0};
}

void bytes_put(struct bytes *bytes, const void *data, size_t size) {
    if (bytes->failed || size == 0) return;
    if (bytes->size + size > bytes->room) {
        size_t room = bytes->room * 2 + size + 256;
        uint8_t *more = realloc(bytes->data, room);
        if (!more) {
            bytes->failed = true;
            return;
        }
        bytes->data = more;
        bytes->room = room;
    }
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static void put_number(struct bytes *bytes, uint64_t value, size_t size) {
    uint8_t out[8];
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> 8 * i);
    bytes_put(bytes, out, size);
}

void bytes_put_u8(struct bytes *bytes, uint8_t value) {
    put_number(bytes, value, 1);
}

void bytes_put_u32(struct bytes *bytes, uint32_t value) {
    put_number(bytes, value, 4);
}

void bytes_put_u64(struct bytes *bytes, uint64_t value) {
    put_number(bytes, value, 8);
}

void bytes_put_float(struct bytes *bytes, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bytes_put_u32(bytes, bits);
}

void bytes_put_double(struct bytes *bytes, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bytes_put_u64(bytes, bits);
}

void bytes_put_text(struct bytes *bytes, const char *text) {
    size_t size = strnlen(text, UINT16_MAX);
    put_number(bytes, size, 2);
    bytes_put(bytes, text, size);
}

void reader_take(struct reader *reader, void *out, size_t size) {
    if (reader->bad || (size_t)(reader->end - reader->at) < size) {
        reader->bad = true;
        memset(out, 0, size);
        return;
    }
    memcpy(out, reader->at, size);
    reader->at += size;
}

static uint64_t take_number(struct reader *reader, size_t size) {
    uint8_t in[8];
    uint64_t value = 0;
    reader_take(reader, in, size);
    for (size_t i = size; i-- > 0;)
        value = value << 8 | in[i];
    return value;
}

uint8_t reader_u8(struct reader *reader) {
    return (uint8_t)take_number(reader, 1);
}

uint32_t reader_u32(struct reader *reader) {
    return (uint32_t)take_number(reader, 4);
}

uint64_t reader_u64(struct reader *reader) {
    return take_number(reader, 8);
}

float reader_float(struct reader *reader) {
    uint32_t bits = reader_u32(reader);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double reader_double(struct reader *reader) {
    uint64_t bits = reader_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void reader_text(struct reader *reader, char *out, size_t size) {
    size_t length = take_number(reader, 2);
    if (length >= size) reader->bad = true;
    if (reader->bad) length = 0;
    reader_take(reader, out, length);
    out[reader->bad ? 0 : length] = '\0';
}

uint64_t bytes_checksum(const void *data, size_t size) {
    uint64_t hash = UINT64_C(14695981039346656037), word;
    const uint8_t *at = data;
    for (; size >= 8; at += 8, size -= 8) {
        memcpy(&word, at, 8);
        hash = (hash ^ word) * UINT64_C(1099511628211);
        hash ^= hash >> 32;
    }
    for (; size > 0; at++, size--)
        hash = (hash ^ *at) * UINT64_C(1099511628211);
    return hash;
}
