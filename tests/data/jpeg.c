#include "tests/data/jpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

void linnet_flora_bytes_free(struct bytes *bytes) {
    free(bytes->data);
    *bytes = (struct bytes){NULL, 0};
}

int linnet_flora_bytes_add(struct bytes *bytes, const void *data, size_t size) {
    uint8_t *grown = realloc(bytes->data, bytes->size + size + 1);
    if (!grown) return -1;
    if (size) memcpy(grown + bytes->size, data, size);
    bytes->data = grown;
    bytes->size += size;
    return 0;
}

int linnet_flora_bytes_save(const struct bytes *bytes, const char *path) {
    char aside[4096];
    if (snprintf(aside, sizeof aside, "%s.part", path) >= (int)sizeof aside) return -1;
    FILE *file = fopen(aside, "wb");
    if (!file) return -1;
    bool good = !bytes->size || fwrite(bytes->data, 1, bytes->size, file) == bytes->size;
    good = !fclose(file) && good;
    if (good && !rename(aside, path)) return 0;
    remove(aside);
    return -1;
}

struct failure {
    struct jpeg_error_mgr manager;
    jmp_buf back;
};

static void fail(j_common_ptr codec) {
    longjmp(((struct failure *)codec->err)->back, 1);
}

int linnet_flora_jpeg_encode(const struct image *image, int quality, bool full, const struct exif *exif,
                             struct bytes *out) {
    struct jpeg_compress_struct codec;
    struct failure failure;
    unsigned char *data = NULL;
    unsigned long size = 0;
    codec.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = fail;
    if (setjmp(failure.back)) {
        jpeg_destroy_compress(&codec);
        free(data);
        return -1;
    }
    jpeg_create_compress(&codec);
    jpeg_mem_dest(&codec, &data, &size);
    codec.image_width = (JDIMENSION)image->width;
    codec.image_height = (JDIMENSION)image->height;
    codec.input_components = 3;
    codec.in_color_space = JCS_RGB;
    jpeg_set_defaults(&codec);
    jpeg_set_quality(&codec, quality, TRUE);
    codec.dct_method = JDCT_ISLOW;
    if (full) codec.comp_info[0].h_samp_factor = codec.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&codec, TRUE);
    if (exif) {
        uint8_t block[512];
        jpeg_write_marker(&codec, JPEG_APP0 + 1, block, (unsigned)linnet_flora_exif_block(exif, block));
    }
    while (codec.next_scanline < codec.image_height) {
        JSAMPROW row = image->rgb + (size_t)codec.next_scanline * (size_t)image->width * 3;
        jpeg_write_scanlines(&codec, &row, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    *out = (struct bytes){data, size};
    return 0;
}

/* A TIFF in the making: little-endian, directories first, long values in `heap` behind them. */
struct tiff {
    uint8_t *at;
    size_t size, heap;
};

static void put16(struct tiff *t, unsigned value) {
    t->at[t->size++] = (uint8_t)value;
    t->at[t->size++] = (uint8_t)(value >> 8);
}

static void put32(struct tiff *t, uint32_t value) {
    put16(t, value & 0xffff);
    put16(t, value >> 16);
}

static void entry(struct tiff *t, unsigned tag, unsigned type, uint32_t count, uint32_t value) {
    put16(t, tag);
    put16(t, type);
    put32(t, count);
    put32(t, value);
}

static void text_entry(struct tiff *t, unsigned tag, const char *text) {
    uint32_t size = (uint32_t)strlen(text) + 1, value = 0;
    if (size <= 4) {
        memcpy(&value, text, size); /* little-endian, as all this is */
    } else {
        value = (uint32_t)t->heap;
        memcpy(t->at + t->heap, text, size);
        t->heap += size + (size & 1);
    }
    entry(t, tag, 2, size, value);
}

/* Degrees, minutes and hundredths of seconds as three rationals. */
static void angle_entry(struct tiff *t, unsigned tag, double degrees) {
    uint32_t hundredths = (uint32_t)(degrees * 360000 + 0.5);
    uint32_t parts[6] = {hundredths / 360000, 1, hundredths / 6000 % 60, 1, hundredths % 6000, 100};
    entry(t, tag, 5, 3, (uint32_t)t->heap);
    struct tiff heap = {t->at, t->heap, 0};
    for (int i = 0; i < 6; i++)
        put32(&heap, parts[i]);
    t->heap = heap.size;
}

size_t linnet_flora_exif_block(const struct exif *exif, uint8_t out[512]) {
    bool located = exif->located;
    unsigned n = (exif->orientation != 0) + (exif->taken[0] != 0) + (exif->camera != NULL) + located;
    size_t gps = 8 + 2 + 12 * n + 4;
    struct tiff t = {out + 6, 0, gps + (located ? 2 + 12 * 4 + 4 : 0)};
    memset(out, 0, 512);
    memcpy(out, "Exif\0\0II*\0", 10);
    t.size = 4;
    put32(&t, 8);
    put16(&t, n);
    if (exif->camera) text_entry(&t, 0x0110, exif->camera);
    if (exif->orientation) entry(&t, 0x0112, 3, 1, (uint32_t)exif->orientation);
    if (exif->taken[0]) text_entry(&t, 0x0132, exif->taken);
    if (located) {
        entry(&t, 0x8825, 4, 1, (uint32_t)gps);
        put32(&t, 0);
        put16(&t, 4);
        text_entry(&t, 1, exif->latitude < 0 ? "S" : "N");
        angle_entry(&t, 2, fabs(exif->latitude));
        text_entry(&t, 3, exif->longitude < 0 ? "W" : "E");
        angle_entry(&t, 4, fabs(exif->longitude));
    }
    return 6 + t.heap;
}

static void mirror(struct image *image) {
    for (int y = 0; y < image->height; y++) {
        uint8_t *row = image->rgb + (size_t)y * (size_t)image->width * 3;
        for (int i = 0, j = image->width - 1; i < j; i++, j--) {
            uint8_t swap[3];
            memcpy(swap, row + 3 * i, 3);
            memcpy(row + 3 * i, row + 3 * j, 3);
            memcpy(row + 3 * j, swap, 3);
        }
    }
}

int linnet_flora_orient(struct image *image, int orientation) {
    /* what has to be done to see it upright: 3 half a turn, 6 a quarter clockwise, 8 one back; 2, 4, 5, 7
     * mirrored too */
    static const int back[9] = {0, 0, 0, 2, 2, 3, 3, 1, 1};
    if (orientation < 1 || orientation > 8) return 0;
    if (orientation == 2 || orientation == 4 || orientation == 5 || orientation == 7) mirror(image);
    return linnet_flora_image_turn(image, back[orientation]);
}
