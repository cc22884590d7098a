/* The parts of normalize that need no library: what a file is, what its header asks for, how sizes are
 * reckoned. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/normalize/header.h"
#include "plugins/normalize/limits.h"
#include "plugins/normalize/profile.h"
#include "plugins/normalize/sha256.h"
#include "plugins/normalize/sizes.h"

#define BYTES(text) (text), sizeof(text) - 1

/* --- sniff --- */

static void assert_sniffed(const char *bytes, size_t size, enum normalize_format format, const char *words) {
    const char *what = NULL;
    assert_int_equal(normalize_sniff(bytes, size, &what), format);
    if (!strstr(what, words)) fail_msg("%s is not in \"%s\"", words, what);
}

static void files_are_what_their_first_bytes_say(void **state) {
    (void)state;
    assert_sniffed(BYTES("\xff\xd8\xff\xe0"), NORMALIZE_JPEG, "JPEG");
    assert_sniffed(BYTES("\x89PNG\r\n\x1a\n...."), NORMALIZE_PNG, "PNG");
    assert_sniffed(BYTES("RIFF\x10\0\0\0WEBPVP8 "), NORMALIZE_WEBP, "WebP");
    assert_sniffed(BYTES("RIFF\x10\0\0\0AVI LIST"), NORMALIZE_FOREIGN, "film");
    assert_sniffed(BYTES("\0\0\0\x18"
                         "ftypheic"),
                   NORMALIZE_HEIF, "HEIF");
    assert_sniffed(BYTES("\0\0\0\x18"
                         "ftypavif"),
                   NORMALIZE_FOREIGN, "AVIF");
    assert_sniffed(BYTES("\0\0\0\x18"
                         "ftypisom"),
                   NORMALIZE_FOREIGN, "MP4");
    assert_sniffed(BYTES("GIF89a"), NORMALIZE_FOREIGN, "GIF");
    assert_sniffed(BYTES("II*\0\x08"), NORMALIZE_FOREIGN, "TIFF");
    assert_sniffed(BYTES("%PDF-1.4"), NORMALIZE_FOREIGN, "PDF");
    assert_sniffed(BYTES("PK\x03\x04"), NORMALIZE_FOREIGN, "ZIP");
    assert_sniffed(BYTES("<svg xmlns="), NORMALIZE_FOREIGN, "SVG");
    assert_sniffed(BYTES("\xef\xbb\xbf \n<?xml version='1.0'?><!-- --><SVG>"), NORMALIZE_FOREIGN, "SVG");
    assert_sniffed(BYTES("<!DOCTYPE html><html>"), NORMALIZE_FOREIGN, "web page");
    assert_sniffed(BYTES("<note/>"), NORMALIZE_FOREIGN, "markup");
    assert_sniffed(BYTES("hello"), NORMALIZE_FOREIGN, "unknown");
    assert_sniffed(BYTES("\xff\xd8"), NORMALIZE_FOREIGN, "unknown");
    assert_sniffed(BYTES("RIFF"), NORMALIZE_FOREIGN, "unknown");
    assert_sniffed("", 0, NORMALIZE_FOREIGN, "empty");
}

/* --- headers --- */

static struct normalize_header read_well(const char *bytes, size_t size) {
    struct normalize_header header;
    const char *what;
    char why[256] = "";
    if (normalize_header_read(normalize_sniff(bytes, size, &what), bytes, size, &header, why, sizeof why))
        fail_msg("%s", why);
    return header;
}

static void assert_refused(const char *bytes, size_t size, const char *words) {
    struct normalize_header header;
    const char *what;
    char why[256] = "";
    assert_int_equal(
        normalize_header_read(normalize_sniff(bytes, size, &what), bytes, size, &header, why, sizeof why),
        -1);
    if (!strstr(why, words)) fail_msg("\"%s\" is not in \"%s\"", words, why);
}

#define SOI "\xff\xd8"
#define APP0                                                                                                 \
    "\xff\xe0\0\x04"                                                                                         \
    "JF"
#define SOF(marker)                                                                                          \
    "\xff" marker "\0\x11\x08\x0b\xb8\x0f\xa0\x03\x01\x22\0\x02\x11\x01\x03\x11\x01" /* 4000 x 3000, 4:2:0   \
                                                                                      */
#define SOS3 "\xff\xda\0\x0c\x03\x01\0\x02\x11\x03\x11\0\x3f\0"
#define SOS1 "\xff\xda\0\x08\x01\x01\0\0\x3f\0"
#define DATA "\x12\xff\0\x34\xff\xd0\x56"
#define EOI  "\xff\xd9"

static void a_jpegs_extent_and_passes_are_read(void **state) {
    (void)state;
    struct normalize_header header = read_well(BYTES(SOI APP0 SOF("\xc0") SOS3 DATA EOI));
    assert_int_equal(header.width, 4000);
    assert_int_equal(header.height, 3000);
    assert_int_equal(header.scans, 1);
    assert_int_equal(header.memory, 0);
    /* Progressive: 250 x 188 MCUs of 4 + 1 + 1 blocks of 64 coefficients of 2 bytes. */
    header = read_well(BYTES(SOI SOF("\xc2") SOS3 DATA SOS1 DATA SOS1 DATA EOI));
    assert_int_equal(header.scans, 3);
    assert_int_equal(header.memory, 250 * 188 * 6 * 64 * 2);
    /* Not interleaved: as costly. */
    header = read_well(BYTES(SOI SOF("\xc0") SOS1 DATA SOS1 DATA SOS1 DATA EOI));
    assert_int_equal(header.scans, 3);
    assert_int_equal(header.memory, 250 * 188 * 6 * 64 * 2);
    /* Bytes between segments, fill bytes, and what comes after the first picture. */
    header =
        read_well(BYTES(SOI APP0 "junk" APP0 "\xff\xff" SOF("\xc0") SOS3 DATA EOI SOI SOF("\xc2") "film"));
    assert_int_equal(header.scans, 1);
}

static void a_damaged_jpeg_is_refused_in_words(void **state) {
    (void)state;
    assert_refused(BYTES("\xff\xd8\xff"), "ends early");
    assert_refused(BYTES(SOI APP0), "ends early");
    assert_refused(BYTES(SOI APP0 SOF("\xc0")), "ends early");
    assert_refused(BYTES(SOI "\xff\xe1\x40\0 Exif"), "ends early");
    assert_refused(BYTES(SOI SOS3 DATA EOI), "before its frame header");
    assert_refused(BYTES(SOI SOF("\xc0") SOF("\xc0") SOS3), "two frame headers");
    assert_refused(BYTES(SOI SOF("\xc3") SOS3), "SOF3");
    assert_refused(BYTES(SOI "\xff\xc0\0\x0b\x0c\0\x10\0\x10\x01\x01\x11\0" SOS1), "12 bits");
    assert_refused(BYTES(SOI "\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\x51\0" SOS1), "sampling");
    assert_refused(BYTES(SOI "\xff\xc0\0\x0b\x08\0\x10\0\x10\x03\x01\x11\0" SOS1), "short");
    assert_refused(BYTES(SOI "\xff\xc0\0\x08\x08\0\x10\0\x10\0" SOS1), "0 colour components");
    assert_refused(BYTES(SOI "\xff\xc0\0\x0b\x08\0\0\0\x10\x01\x01\x11\0" SOS1 DATA), "16 x 0");
    assert_refused(BYTES(SOI "\xff\xe0\0\x01" SOF("\xc0") SOS3), "cannot be");
    assert_refused(BYTES(SOI APP0 SOI SOF("\xc0") SOS3), "cannot be");
}

#define SIGNATURE "\x89PNG\r\n\x1a\n"
#define IHDR(type, interlace)                                                                                \
    "\0\0\0\x0dIHDR\0\0\x04\0\0\0\x02\0" type "\0\0" interlace "...." /* 1024 x 512 */
#define IDAT "\0\0\0\x04IDATabcd...."
#define IEND "\0\0\0\0IEND...."

static void a_pngs_extent_and_cost_are_read(void **state) {
    (void)state;
    struct normalize_header header = read_well(BYTES(SIGNATURE IHDR("\x08\x02", "\0") IDAT IEND));
    assert_int_equal(header.width, 1024);
    assert_int_equal(header.height, 512);
    assert_int_equal(header.memory, 0);
    assert_int_equal(header.pages, 1);
    header = read_well(BYTES(SIGNATURE IHDR("\x08\x02", "\x01") IDAT IEND));
    assert_int_equal(header.memory, 1024 * 512 * 3);
    header = read_well(BYTES(SIGNATURE IHDR("\x10\x06", "\x01") IDAT IEND));
    assert_int_equal(header.memory, 1024 * 512 * 8);
    header = read_well(BYTES(SIGNATURE IHDR("\x08\x02", "\0") "\0\0\0\x08"
                                                              "acTL\0\0\0\x63\0\0\0\0...." IDAT IEND));
    assert_int_equal(header.pages, 99);
}

static void a_damaged_png_is_refused_in_words(void **state) {
    (void)state;
    assert_refused(BYTES(SIGNATURE), "ends early");
    assert_refused(BYTES(SIGNATURE IHDR("\x08\x02", "\0") IDAT), "ends early");
    assert_refused(BYTES(SIGNATURE IHDR("\x08\x02", "\0") "\0\0\x10\0IDATabcd...."), "ends early");
    assert_refused(BYTES(SIGNATURE IDAT IHDR("\x08\x02", "\0") IEND), "not where it should be");
    assert_refused(BYTES(SIGNATURE IHDR("\x08\x02", "\0") IHDR("\x08\x02", "\0") IEND),
                   "not where it should be");
    assert_refused(BYTES(SIGNATURE IHDR("\x08\x05", "\0") IDAT IEND), "no sense");
    assert_refused(BYTES(SIGNATURE IHDR("\x08\x02", "\x02") IDAT IEND), "no sense");
    assert_refused(BYTES(SIGNATURE IHDR("\x08\x02", "\0") "\xff\xff\xff\xff"
                                                          "IDATabcd...."),
                   "impossible chunk");
}

#define RIFF(size) "RIFF" size "\0\0\0WEBP"
#define VP8        "VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x40\x01\xf0\0" /* 320 x 240 */
#define VP8L       "VP8L\x06\0\0\0\x2f\x3f\xc1\x3b\0\0"             /* 320 x 240 */
#define VP8X(flag) "VP8X\x0a\0\0\0" flag "\0\0\0\x3f\x01\0\xef\0\0" /* 320 x 240 */
#define ANMF       "ANMF\x04\0\0\0abcd"

static void a_webps_extent_and_cost_are_read(void **state) {
    (void)state;
    struct normalize_header header = read_well(BYTES(RIFF("\x16") VP8));
    assert_int_equal(header.width, 320);
    assert_int_equal(header.height, 240);
    assert_int_equal(header.memory, 0);
    header = read_well(BYTES(RIFF("\x12") VP8L));
    assert_int_equal(header.width, 320);
    assert_int_equal(header.height, 240);
    assert_int_equal(header.memory, 320 * 240 * 4);
    header = read_well(BYTES(RIFF("\x28") VP8X("\0") VP8));
    assert_int_equal(header.width, 320);
    header = read_well(BYTES(RIFF("\x3a") VP8X("\x02") ANMF ANMF ANMF));
    assert_int_equal(header.pages, 3);
    assert_int_equal(header.memory, 320 * 240 * 8);
}

static void a_damaged_webp_is_refused_in_words(void **state) {
    (void)state;
    assert_refused(BYTES(RIFF("\x17") VP8), "ends early");
    assert_refused(BYTES(RIFF("\x10") VP8), "reaches past its end");
    assert_refused(BYTES(RIFF("\x16") "VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2b\x40\x01\xf0\0"), "no key frame");
    assert_refused(BYTES(RIFF("\x12") "VP8L\x06\0\0\0\x2e\x3f\xc1\x3b\0\0"), "no signature");
    assert_refused(BYTES(RIFF("\x28") VP8X("\0") "VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x41\x01\xf0\0"),
                   "not of the size");
    assert_refused(BYTES(RIFF("\x10") ANMF), "does not begin with a picture");
    assert_refused(BYTES(RIFF("\x16") VP8X("\x02")), "no picture");
    assert_refused(BYTES(RIFF("\x04")), "no picture");
}

/* --- limits --- */

static void limits_say_what_is_too_much(void **state) {
    (void)state;
    const struct normalize_limits limits = {
        .bytes = 1000, .pixels = 1000000, .memory = 5000000, .pages = 2, .scans = 9};
    struct normalize_header fits = {NORMALIZE_JPEG, 1000, 1000, 2, 9, 5000000}, header;
    char why[256];
    assert_int_equal(normalize_limits_check_bytes(&limits, 1000, why, sizeof why), 0);
    assert_int_equal(normalize_limits_check_bytes(&limits, 1001, why, sizeof why), -1);
    assert_int_equal(normalize_limits_check_header(&limits, &fits, why, sizeof why), 0);
    header = fits;
    header.width++;
    assert_int_equal(normalize_limits_check_header(&limits, &header, why, sizeof why), -1);
    assert_non_null(strstr(why, "1001 x 1000"));
    header = fits;
    header.width = header.height = UINT32_MAX;
    assert_int_equal(normalize_limits_check_header(&limits, &header, why, sizeof why), -1);
    header = fits;
    header.pages++;
    assert_int_equal(normalize_limits_check_header(&limits, &header, why, sizeof why), -1);
    assert_non_null(strstr(why, "3 pictures"));
    header = fits;
    header.scans++;
    assert_int_equal(normalize_limits_check_header(&limits, &header, why, sizeof why), -1);
    assert_non_null(strstr(why, "10 passes"));
    header = fits;
    header.memory++;
    assert_int_equal(normalize_limits_check_header(&limits, &header, why, sizeof why), -1);
    assert_non_null(strstr(why, "memory"));
}

/* --- sizes --- */

static void assert_extent(struct normalize_size size, uint32_t width, uint32_t height, uint32_t w,
                          uint32_t h) {
    struct normalize_extent extent = normalize_size_extent(&size, (struct normalize_extent){width, height});
    assert_int_equal(extent.width, w);
    assert_int_equal(extent.height, h);
}

static void sides_are_rounded_and_never_enlarged(void **state) {
    (void)state;
    assert_extent((struct normalize_size){.longest = 1024}, 4000, 3000, 1024, 768);
    assert_extent((struct normalize_size){.longest = 1024}, 3000, 4000, 768, 1024);
    assert_extent((struct normalize_size){.longest = 1024}, 1024, 3, 1024, 3);
    assert_extent((struct normalize_size){.shortest = 320}, 4000, 3000, 427, 320);
    assert_extent((struct normalize_size){.shortest = 320, .longest = 400}, 4000, 3000, 400, 300);
    assert_extent((struct normalize_size){.shortest = 320}, 300, 200, 300, 200);
    assert_extent((struct normalize_size){.longest = 10}, 4000, 1, 10, 1);
    assert_extent((struct normalize_size){.longest = 7}, 1000000, 999999, 7, 7);
}

static void a_shrink_never_loses_what_is_wanted(void **state) {
    (void)state;
    for (uint32_t width = 1; width < 70; width++) {
        for (uint32_t height = 1; height < 70; height++) {
            for (uint32_t side = 1; side < 12; side++) {
                const struct normalize_size sizes[] = {{.longest = side}, {.shortest = 2}, {.longest = 1}};
                struct normalize_extent original = {width, height};
                struct normalize_extent wanted = normalize_sizes_largest(sizes, original);
                uint32_t shrink = normalize_jpeg_shrink(original, wanted);
                assert_true(width / shrink >= wanted.width && height / shrink >= wanted.height);
                assert_true(wanted.width >= 1 && wanted.height >= 1);
                if (shrink < 8)
                    assert_true(width / (2 * shrink) < wanted.width || height / (2 * shrink) < wanted.height);
            }
        }
    }
}

static void a_size_that_is_left_out_is_not_decoded_for(void **state) {
    (void)state;
    const struct normalize_size sizes[] = {
        {.longest = 1024, .left_out = true}, {.shortest = 320}, {.longest = 256, .left_out = true}};
    struct normalize_extent largest = normalize_sizes_largest(sizes, (struct normalize_extent){4000, 3000});
    assert_int_equal(largest.width, 427);
    assert_int_equal(largest.height, 320);
}

/* --- profiles: the good ones are tried through the plugin --- */

static void what_is_no_profile_is_not_srgb(void **state) {
    (void)state;
    char profile[256] = {0};
    assert_false(normalize_profile_is_srgb("", 0));
    assert_false(normalize_profile_is_srgb(profile, sizeof profile));
    memcpy(profile + 16, "RGB XYZ ", 8);
    assert_false(normalize_profile_is_srgb(profile, sizeof profile));
    assert_false(normalize_profile_is_srgb(profile, 128));
    memset(profile + 128, 0xff, 4); /* four thousand million tags */
    assert_false(normalize_profile_is_srgb(profile, sizeof profile));
}

/* --- digests --- */

static void both_ways_of_sha256_agree(void **state) {
    (void)state;
    static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                  0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                  0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    uint8_t data[1000], native[NORMALIZE_SHA256_SIZE], portable[NORMALIZE_SHA256_SIZE];
    normalize_sha256("abc", 3, portable);
    assert_memory_equal(portable, abc, sizeof abc);
    if (!normalize_sha256_native("", 0, native)) {
        print_message("this processor has no instructions for SHA-256\n");
        skip();
    }
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * i + 3 * i);
    for (size_t size = 0; size < sizeof data - 3; size++) {
        normalize_sha256_portable(data + size % 3, size, portable);
        assert_true(normalize_sha256_native(data + size % 3, size, native));
        assert_memory_equal(native, portable, sizeof native);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_what_their_first_bytes_say),
        cmocka_unit_test(a_jpegs_extent_and_passes_are_read),
        cmocka_unit_test(a_damaged_jpeg_is_refused_in_words),
        cmocka_unit_test(a_pngs_extent_and_cost_are_read),
        cmocka_unit_test(a_damaged_png_is_refused_in_words),
        cmocka_unit_test(a_webps_extent_and_cost_are_read),
        cmocka_unit_test(a_damaged_webp_is_refused_in_words),
        cmocka_unit_test(limits_say_what_is_too_much),
        cmocka_unit_test(sides_are_rounded_and_never_enlarged),
        cmocka_unit_test(a_shrink_never_loses_what_is_wanted),
        cmocka_unit_test(a_size_that_is_left_out_is_not_decoded_for),
        cmocka_unit_test(what_is_no_profile_is_not_srgb),
        cmocka_unit_test(both_ways_of_sha256_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
