#include "tests/data/png.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

static void be32(uint8_t *out, uint32_t value) {
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

int linnet_flora_png_chunk(struct bytes *out, const char *type, const void *data, size_t size, bool wrong) {
    uint8_t head[8], tail[4];
    be32(head, (uint32_t)size);
    memcpy(head + 4, type, 4);
    uLong crc = crc32(crc32(0, NULL, 0), head + 4, 4);
    if (size) crc = crc32(crc, data, (uInt)size);
    be32(tail, (uint32_t)crc ^ (wrong ? 0x5a5a5a5a : 0));
    return linnet_flora_bytes_add(out, head, 8) || linnet_flora_bytes_add(out, data, size) ||
                   linnet_flora_bytes_add(out, tail, 4)
               ? -1
               : 0;
}

int linnet_flora_png_begin(const struct png *png, struct bytes *out) {
    uint8_t header[13];
    be32(header, png->width);
    be32(header + 4, png->height);
    header[8] = png->depth;
    header[9] = png->colour;
    header[10] = header[11] = 0;
    header[12] = png->interlaced;
    if (linnet_flora_bytes_add(out, "\x89PNG\r\n\x1a\n", 8)) return -1;
    return linnet_flora_png_chunk(out, "IHDR", header, 13, false);
}

/* Run deflate over what is set up as input, to the end of it. */
static int pump(z_stream *stream, int flush, struct bytes *out) {
    uint8_t block[16384];
    int rc;
    do {
        stream->next_out = block;
        stream->avail_out = sizeof block;
        rc = deflate(stream, flush);
        if (rc == Z_STREAM_ERROR || linnet_flora_bytes_add(out, block, sizeof block - stream->avail_out))
            return -1;
    } while (!stream->avail_out);
    return flush == Z_FINISH && rc != Z_STREAM_END ? -1 : 0;
}

int linnet_flora_png_deflate(const void *data, size_t size, uint64_t zeros, struct bytes *out) {
    z_stream stream;
    static const uint8_t nothing[65536];
    memset(&stream, 0, sizeof stream);
    /* runs are all that zeros need, and found three times as fast */
    int strategy = zeros > 1000000 ? Z_RLE : Z_DEFAULT_STRATEGY;
    if (deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS, 8, strategy) != Z_OK) return -1;
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)size;
    int rc = size ? pump(&stream, Z_NO_FLUSH, out) : 0;
    while (!rc && zeros) {
        stream.next_in = (Bytef *)(uintptr_t)nothing;
        stream.avail_in = zeros < sizeof nothing ? (uInt)zeros : (uInt)sizeof nothing;
        zeros -= stream.avail_in;
        rc = pump(&stream, Z_NO_FLUSH, out);
    }
    if (!rc) rc = pump(&stream, Z_FINISH, out);
    deflateEnd(&stream);
    return rc;
}

static int finish(struct bytes *data, struct bytes *out) {
    int rc = linnet_flora_png_chunk(out, "IDAT", data->data, data->size, false) ||
             linnet_flora_png_chunk(out, "IEND", NULL, 0, false);
    linnet_flora_bytes_free(data);
    return rc ? -1 : 0;
}

/* Bytes of all rows, a filter byte before each; an interlaced picture is seven small ones (ISO/IEC 15948,
 * clause 8). */
static uint64_t raw_size(const struct png *png) {
    static const uint8_t channels[] = {1, 0, 3, 1, 2, 0, 4};
    static const uint8_t start_x[] = {0, 4, 0, 2, 0, 1, 0}, start_y[] = {0, 0, 4, 0, 2, 0, 1};
    static const uint8_t step_x[] = {8, 8, 4, 4, 2, 2, 1}, step_y[] = {8, 8, 8, 4, 4, 2, 2};
    uint64_t bits = (uint64_t)channels[png->colour] * png->depth, total = 0;
    if (!png->interlaced) return png->height * (1 + (png->width * bits + 7) / 8);
    for (int pass = 0; pass < 7; pass++) {
        uint64_t w = (png->width - start_x[pass] + step_x[pass] - 1u) / step_x[pass];
        uint64_t h = (png->height - start_y[pass] + step_y[pass] - 1u) / step_y[pass];
        if (w && h) total += h * (1 + (w * bits + 7) / 8);
    }
    return total;
}

int linnet_flora_png_blank(const struct png *png, struct bytes *out) {
    struct bytes data = {NULL, 0};
    if (linnet_flora_png_begin(png, out) || linnet_flora_png_deflate(NULL, 0, raw_size(png), &data)) {
        linnet_flora_bytes_free(&data);
        return -1;
    }
    return finish(&data, out);
}

int linnet_flora_png_encode(const struct image *image, uint8_t depth, uint8_t colour, struct bytes *out) {
    size_t channels = colour == 6 ? 4 : 3, sample = depth / 8u,
           stride = 1 + (size_t)image->width * channels * sample;
    uint8_t *raw = calloc((size_t)image->height, stride);
    struct bytes data = {NULL, 0};
    struct png png = {(uint32_t)image->width, (uint32_t)image->height, depth, colour, false};
    if (!raw) return -1;
    for (int y = 0; y < image->height; y++) {
        uint8_t *to = raw + (size_t)y * stride + 1;
        const uint8_t *from = image->rgb + (size_t)y * (size_t)image->width * 3;
        for (int x = 0; x < image->width; x++, from += 3) {
            uint8_t pixel[4] = {from[0], from[1], from[2], (uint8_t)(255 - 255 * x / image->width)};
            for (size_t c = 0; c < channels; c++)
                for (size_t b = 0; b < sample; b++)
                    *to++ = pixel[c];
        }
    }
    int rc = linnet_flora_png_begin(&png, out) ||
             linnet_flora_png_deflate(raw, stride * (size_t)image->height, 0, &data);
    free(raw);
    if (!rc) return finish(&data, out);
    linnet_flora_bytes_free(&data);
    return -1;
}
