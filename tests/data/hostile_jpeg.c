/* Hostile JPEG files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "tests/data/hostile.h"
#include "tests/data/profiles.h"

#define JPEG "image/jpeg"

static struct bytes encode(const struct image *image, const struct exif *exif) {
    struct bytes bytes = {NULL, 0};
    linnet_flora_jpeg_encode(image, 85, false, exif, &bytes);
    return bytes;
}

/* Put a segment right behind the start marker, where APPn segments live. */
static void insert(struct bytes *bytes, const void *segment, size_t size) {
    struct bytes whole = {NULL, 0};
    if (bytes->size < 2) return;
    linnet_flora_bytes_add(&whole, bytes->data, 2);
    linnet_flora_bytes_add(&whole, segment, size);
    linnet_flora_bytes_add(&whole, bytes->data + 2, bytes->size - 2);
    linnet_flora_bytes_free(bytes);
    *bytes = whole;
}

/* The marker 0xff `code`: where it starts, or 0. */
static size_t find_marker(const struct bytes *bytes, uint8_t code) {
    for (size_t at = 2; at + 4 <= bytes->size && bytes->data[at] == 0xff;
         at += 2 + ((size_t)bytes->data[at + 2] << 8) + bytes->data[at + 3])
        if (bytes->data[at + 1] == code) return at;
    return 0;
}

/* An ICC profile in one APP2 segment. */
static void insert_profile(struct bytes *bytes, int (*make)(struct bytes *)) {
    struct bytes profile = {NULL, 0}, segment = {NULL, 0};
    if (!make(&profile) && profile.size < 65000) {
        size_t length = profile.size + 16;
        uint8_t head[18] = {0xff, 0xe2, (uint8_t)(length >> 8), (uint8_t)length};
        memcpy(head + 4, "ICC_PROFILE\0\1\1", 14);
        linnet_flora_bytes_add(&segment, head, 18);
        linnet_flora_bytes_add(&segment, profile.data, profile.size);
        insert(bytes, segment.data, segment.size);
    }
    linnet_flora_bytes_free(&profile);
    linnet_flora_bytes_free(&segment);
}

/* Encode in another way than photographs are: four inks, grey, or progressive. Errors exit as libjpeg's own
 * handler does; only our own pixels come here. */
static struct bytes encode_as(const struct image *image, J_COLOR_SPACE space, bool progressive) {
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL;
    unsigned long size = 0;
    int channels = space == JCS_CMYK ? 4 : space == JCS_GRAYSCALE ? 1 : 3;
    uint8_t *row = malloc((size_t)image->width * 4);
    if (!row) return (struct bytes){NULL, 0};
    codec.err = jpeg_std_error(&errors);
    jpeg_create_compress(&codec);
    jpeg_mem_dest(&codec, &data, &size);
    codec.image_width = (JDIMENSION)image->width;
    codec.image_height = (JDIMENSION)image->height;
    codec.input_components = channels;
    codec.in_color_space = space;
    jpeg_set_defaults(&codec);
    if (progressive) jpeg_simple_progression(&codec);
    jpeg_start_compress(&codec, TRUE);
    while (codec.next_scanline < codec.image_height) {
        const uint8_t *from = image->rgb + (size_t)codec.next_scanline * (size_t)image->width * 3;
        for (int x = 0; x < image->width; x++) {
            /* Adobe's inks are stored the other way round: 255 is none */
            uint8_t pixel[4] = {from[3 * x], from[3 * x + 1], from[3 * x + 2], 255};
            memcpy(row + x * channels, channels == 1 ? pixel + 1 : pixel, (size_t)channels);
        }
        JSAMPROW rows = row;
        jpeg_write_scanlines(&codec, &rows, 1);
    }
    jpeg_finish_compress(&codec);
    jpeg_destroy_compress(&codec);
    free(row);
    return (struct bytes){data, size};
}

static void accepted(struct corpus *corpus, const struct image *plant) {
    struct exif exif = {6, true, 43.61234, 3.87654, "2026:05:03 10:21:00", "Plume 4"};
    struct bytes b = encode(plant, NULL);
    linnet_flora_hostile_picture(corpus, "plain.jpg", JPEG, OUTCOME_OK, NULL,
                                 "an ordinary photograph, to compare with", &b, NULL);
    b = encode(plant, &exif);
    linnet_flora_hostile_picture(corpus, "located.jpg", JPEG, OUTCOME_OK, NULL,
                                 "with EXIF: turned by a quarter, place, time, camera", &b, NULL);
    b = encode(plant, NULL);
    insert_profile(&b, linnet_flora_profile_adobe_rgb);
    linnet_flora_hostile_picture(corpus, "adobe-rgb.jpg", JPEG, OUTCOME_OK, NULL,
                                 "with an Adobe RGB profile: colours must be converted", &b, NULL);
    b = encode_as(plant, JCS_CMYK, false);
    insert_profile(&b, linnet_flora_profile_cmyk);
    linnet_flora_hostile_picture(corpus, "cmyk-profile.jpg", JPEG, OUTCOME_OK, NULL,
                                 "in CMYK as Adobe writes it, with a profile", &b, NULL);
    b = encode_as(plant, JCS_CMYK, false);
    linnet_flora_hostile_picture(corpus, "cmyk.jpg", JPEG, OUTCOME_OK, NULL, "in CMYK without a profile", &b,
                                 NULL);
    b = encode_as(plant, JCS_GRAYSCALE, false);
    linnet_flora_hostile_picture(corpus, "grey.jpg", JPEG, OUTCOME_OK, NULL, "one channel", &b, NULL);
    b = encode_as(plant, JCS_RGB, true);
    linnet_flora_hostile_picture(corpus, "progressive.jpg", JPEG, OUTCOME_OK, NULL,
                                 "in ten passes, as the web likes it", &b, NULL);
    b = encode(plant, NULL);
    static const char film[] = "\0\0\0\x18"
                               "ftypmp42\0\0\0\0isommp42\0\0\0\x08mdat";
    linnet_flora_bytes_add(&b, film, sizeof film - 1);
    for (int i = 0; i < 20000; i++) {
        uint8_t frame = (uint8_t)rng_next(&corpus->rng);
        linnet_flora_bytes_add(&b, &frame, 1);
    }
    linnet_flora_hostile_picture(corpus, "motion-photo.jpg", JPEG, OUTCOME_OK, NULL,
                                 "a film of 20 kB behind the end marker", &b, NULL);
    b = encode(plant, NULL);
    static const char archive[] = "PK\3\4\24\0\0\0\0\0evil.exe";
    linnet_flora_bytes_add(&b, archive, sizeof archive - 1);
    linnet_flora_hostile_picture(corpus, "polyglot.jpg", JPEG, OUTCOME_OK, NULL,
                                 "the head of a ZIP archive behind the end marker", &b, NULL);
}

static void odd_metadata(struct corpus *corpus, const struct image *plant) {
    struct bytes b = encode(plant, NULL);
    uint8_t exif[70] = {0xff, 0xe1, 0, 68};
    memcpy(exif + 4, "Exif\0\0II*\0\xff\xff\xff\x7f", 14);
    insert(&b, exif, sizeof exif);
    linnet_flora_hostile_picture(corpus, "exif-astray.jpg", JPEG, OUTCOME_OK, NULL,
                                 "EXIF whose first directory lies 2 GiB away", &b, NULL);
    b = encode(plant, NULL);
    /* an entry of 4 billion values, and a directory that is its own next */
    uint8_t loop[40] = {0xff, 0xe1, 0, 38};
    memcpy(loop + 4, "Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\xff\xff\xff\xff\6\0\0\0\x08\0\0\0", 32);
    insert(&b, loop, sizeof loop);
    linnet_flora_hostile_picture(corpus, "exif-loop.jpg", JPEG, OUTCOME_OK, NULL,
                                 "EXIF that points to itself, with 4 billion values", &b, NULL);
    b = encode(plant, NULL);
    uint8_t icc[300] = {0xff, 0xe2, 1, 42};
    memcpy(icc + 4, "ICC_PROFILE\0\1\1\xff\xff\xff\xff", 18);
    insert(&b, icc, sizeof icc);
    linnet_flora_hostile_picture(corpus, "icc-garbage.jpg", JPEG, OUTCOME_OK, OUTCOME_REJECT,
                                 "a profile that is none", &b, NULL);
    b = encode(plant, NULL);
    uint8_t comment[] = {0xff, 0xfe, 0, 1};
    insert(&b, comment, sizeof comment);
    linnet_flora_hostile_picture(corpus, "segment-too-short.jpg", JPEG, OUTCOME_REJECT, NULL,
                                 "a segment shorter than its own length field", &b, NULL);
}

/* Write another size into the frame header. */
static void resize(struct bytes *b, unsigned width, unsigned height) {
    size_t at = find_marker(b, 0xc0);
    if (!at) return;
    b->data[at + 5] = (uint8_t)(height >> 8);
    b->data[at + 6] = (uint8_t)height;
    b->data[at + 7] = (uint8_t)(width >> 8);
    b->data[at + 8] = (uint8_t)width;
}

/* A progressive file whose last scan comes again and again: small, and each one a pass over all pixels. */
static struct bytes many_scans(const struct image *plant, int times) {
    struct bytes b = encode_as(plant, JCS_RGB, true), scan = {NULL, 0};
    size_t last = 0;
    for (size_t i = 2; i + 1 < b.size; i++)
        if (b.data[i] == 0xff && b.data[i + 1] == 0xda) last = i;
    if (!last) return b;
    linnet_flora_bytes_add(&scan, b.data + last, b.size - 2 - last);
    b.size -= 2;
    for (int i = 0; i < times; i++)
        linnet_flora_bytes_add(&b, scan.data, scan.size);
    linnet_flora_bytes_add(&b, "\xff\xd9", 2);
    linnet_flora_bytes_free(&scan);
    return b;
}

static void refused(struct corpus *corpus, const struct image *plant) {
    struct bytes b = encode(plant, NULL);
    b.size = b.size * 2 / 3;
    linnet_flora_hostile_picture(corpus, "truncated.jpg", JPEG, OUTCOME_REJECT, NULL,
                                 "a third of its bytes missing at the end", &b, NULL);
    b = encode(plant, NULL);
    b.size = 400;
    linnet_flora_hostile_picture(corpus, "truncated-header.jpg", JPEG, OUTCOME_REJECT, NULL,
                                 "ends within its tables", &b, NULL);
    b = encode(plant, NULL);
    b.size = 3;
    linnet_flora_hostile_picture(corpus, "three-bytes.jpg", JPEG, OUTCOME_REJECT, NULL,
                                 "ends after three bytes", &b, NULL);
    b = encode(plant, NULL);
    resize(&b, 60000, 60000);
    linnet_flora_hostile_picture(corpus, "header-60000.jpg", JPEG, OUTCOME_REJECT, NULL,
                                 "a header of 60,000 x 60,000 pixels on a small picture", &b, NULL);
    b = encode(plant, NULL);
    resize(&b, 65535, 1);
    linnet_flora_hostile_picture(corpus, "header-65535x1.jpg", JPEG, OUTCOME_REJECT, OUTCOME_OK,
                                 "a header of one line of 65,535 pixels", &b, NULL);
    b = encode(plant, NULL);
    resize(&b, (unsigned)plant->width, 0);
    linnet_flora_hostile_picture(corpus, "header-no-height.jpg", JPEG, OUTCOME_REJECT, NULL,
                                 "a header without height", &b, NULL);
    b = encode(plant, NULL);
    for (size_t i = b.size / 2; i < b.size - 2; i++)
        b.data[i] = (uint8_t)(rng_next(&corpus->rng) & 0x7f);
    linnet_flora_hostile_picture(corpus, "scrambled.jpg", JPEG, OUTCOME_REJECT, OUTCOME_OK,
                                 "the second half of its data is noise", &b, NULL);
    b = many_scans(plant, 4000);
    linnet_flora_hostile_picture(corpus, "scan-bomb.jpg", JPEG, OUTCOME_REJECT, NULL,
                                 "4,000 progressive passes over every pixel", &b, NULL);
    b = encode(plant, NULL);
    linnet_flora_hostile_picture(corpus, "wrong-digest.jpg", JPEG, OUTCOME_REJECT, OUTCOME_FORBIDDEN,
                                 "declared under another picture's digest", &b,
                                 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
}

void linnet_flora_hostile_jpegs(struct corpus *corpus, const struct image *plant) {
    accepted(corpus, plant);
    odd_metadata(corpus, plant);
    refused(corpus, plant);
}
