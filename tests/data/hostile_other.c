/* Hostile PNG and WebP files, and files that are no picture at all. */
#include <stdio.h>
#include <string.h>

#include <webp/encode.h>
#include <webp/mux.h>

#include "tests/data/hostile.h"
#include "tests/data/png.h"

#define PNG  "image/png"
#define WEBP "image/webp"

static void accepted_png(struct corpus *corpus, const struct image *plant) {
    struct bytes b = {NULL, 0};
    linnet_flora_png_encode(plant, 8, 2, &b);
    linnet_flora_hostile_picture(corpus, "plain.png", PNG, OUTCOME_OK, NULL, "an ordinary PNG", &b, NULL);
    linnet_flora_png_encode(plant, 16, 2, &b);
    linnet_flora_hostile_picture(corpus, "sixteen-bit.png", PNG, OUTCOME_OK, NULL, "16 bits a channel", &b,
                                 NULL);
    linnet_flora_png_encode(plant, 8, 6, &b);
    linnet_flora_hostile_picture(corpus, "alpha.png", PNG, OUTCOME_OK, NULL,
                                 "fades into transparency: must be laid on a ground", &b, NULL);
    /* 216 MB of samples in 210 kB, within the limits on size: must take its time, not the memory */
    linnet_flora_png_blank(&(struct png){6000, 6000, 16, 2, false}, &b);
    linnet_flora_hostile_picture(corpus, "large-but-allowed.png", PNG, OUTCOME_OK, OUTCOME_REJECT,
                                 "36 megapixels of nothing at 16 bits", &b, NULL);
    linnet_flora_png_blank(&(struct png){1, 1, 8, 2, false}, &b);
    linnet_flora_hostile_picture(corpus, "one-pixel.png", PNG, OUTCOME_OK, OUTCOME_REJECT, "a single pixel",
                                 &b, NULL);
}

static void refused_png(struct corpus *corpus, const struct image *plant) {
    struct bytes b = {NULL, 0}, text = {NULL, 0};
    linnet_flora_png_encode(plant, 8, 2, &b);
    b.size = b.size / 2;
    linnet_flora_hostile_picture(corpus, "truncated.png", PNG, OUTCOME_REJECT, NULL,
                                 "the second half missing", &b, NULL);
    linnet_flora_png_begin(&(struct png){60000, 60000, 8, 2, false}, &b);
    linnet_flora_png_chunk(&b, "IDAT", "x\x9c\x03\0\0\0\0\1", 8, false);
    linnet_flora_png_chunk(&b, "IEND", NULL, 0, false);
    linnet_flora_hostile_picture(corpus, "header-60000.png", PNG, OUTCOME_REJECT, NULL,
                                 "a header of 60,000 x 60,000 pixels, no data", &b, NULL);
    linnet_flora_png_blank(&(struct png){30000, 30000, 1, 0, false}, &b);
    linnet_flora_hostile_picture(corpus, "bomb.png", PNG, OUTCOME_REJECT, NULL,
                                 "900 megapixels in a file of 110 kB", &b, NULL);
    linnet_flora_png_blank(&(struct png){9900, 9900, 16, 2, true}, &b);
    linnet_flora_hostile_picture(corpus, "bomb-interlaced.png", PNG, OUTCOME_REJECT, NULL,
                                 "interlaced, so that 588 MB have to be held at once", &b, NULL);
    linnet_flora_png_begin(&(struct png){(uint32_t)plant->width, (uint32_t)plant->height, 8, 2, false}, &b);
    linnet_flora_png_chunk(&b, "IDAT", "not deflated", 12, false);
    linnet_flora_png_chunk(&b, "IEND", NULL, 0, false);
    linnet_flora_hostile_picture(corpus, "no-deflate.png", PNG, OUTCOME_REJECT, NULL,
                                 "its data are not compressed data", &b, NULL);
    linnet_flora_png_begin(&(struct png){16, 16, 8, 2, false}, &b);
    linnet_flora_png_chunk(&b, "IDAT", "x\x9c\x03\0\0\0\0\1", 8, true);
    linnet_flora_png_chunk(&b, "IEND", NULL, 0, false);
    linnet_flora_hostile_picture(corpus, "bad-checksum.png", PNG, OUTCOME_REJECT, NULL,
                                 "a wrong checksum, and too little data", &b, NULL);
    /* text that unpacks to 100 MB, before an ordinary picture */
    linnet_flora_png_begin(&(struct png){64, 64, 8, 2, false}, &b);
    linnet_flora_bytes_add(&text, "Comment\0\0", 9);
    linnet_flora_png_deflate(NULL, 0, 100000000, &text);
    linnet_flora_png_chunk(&b, "zTXt", text.data, text.size, false);
    linnet_flora_bytes_free(&text);
    linnet_flora_png_deflate(NULL, 0, 64 * (64 * 3 + 1), &text);
    linnet_flora_png_chunk(&b, "IDAT", text.data, text.size, false);
    linnet_flora_png_chunk(&b, "IEND", NULL, 0, false);
    linnet_flora_bytes_free(&text);
    linnet_flora_hostile_picture(corpus, "text-bomb.png", PNG, OUTCOME_OK, OUTCOME_REJECT,
                                 "a comment that unpacks to 100 MB", &b, NULL);
}

static struct bytes webp(const struct image *image, bool lossless) {
    uint8_t *data = NULL;
    struct bytes b = {NULL, 0};
    size_t size =
        lossless ? WebPEncodeLosslessRGB(image->rgb, image->width, image->height, image->width * 3, &data)
                 : WebPEncodeRGB(image->rgb, image->width, image->height, image->width * 3, 80, &data);
    linnet_flora_bytes_add(&b, data, size);
    WebPFree(data);
    return b;
}

/* The picture `frames` times, getting lighter. */
static struct bytes animation(const struct image *image, int frames) {
    struct bytes b = {NULL, 0};
    WebPAnimEncoderOptions options;
    WebPPicture picture;
    WebPData data;
    WebPAnimEncoderOptionsInit(&options);
    options.kmax = 1; /* whole frames */
    WebPAnimEncoder *encoder = WebPAnimEncoderNew(image->width, image->height, &options);
    if (!encoder || !WebPPictureInit(&picture)) return b;
    picture.use_argb = 1;
    picture.width = image->width;
    picture.height = image->height;
    bool good = WebPPictureImportRGB(&picture, image->rgb, image->width * 3);
    for (int i = 0; good && i < frames; i++) {
        picture.argb[i % (image->width * image->height)] ^= 0xffffff;
        good = WebPAnimEncoderAdd(encoder, &picture, 100 * i, NULL);
    }
    WebPDataInit(&data);
    if (good && WebPAnimEncoderAdd(encoder, NULL, 100 * frames, NULL) &&
        WebPAnimEncoderAssemble(encoder, &data))
        linnet_flora_bytes_add(&b, data.bytes, data.size);
    WebPDataClear(&data);
    WebPPictureFree(&picture);
    WebPAnimEncoderDelete(encoder);
    return b;
}

static void webps(struct corpus *corpus, const struct image *plant) {
    struct bytes b = webp(plant, false);
    struct image small;
    linnet_flora_hostile_picture(corpus, "plain.webp", WEBP, OUTCOME_OK, NULL, "an ordinary WebP", &b, NULL);
    b = webp(plant, true);
    linnet_flora_hostile_picture(corpus, "lossless.webp", WEBP, OUTCOME_OK, NULL, "a lossless WebP", &b,
                                 NULL);
    b = webp(plant, false);
    b.size = b.size / 2;
    linnet_flora_hostile_picture(corpus, "truncated.webp", WEBP, OUTCOME_REJECT, NULL,
                                 "the second half missing", &b, NULL);
    if (linnet_flora_image_shrink(plant, 4, &small)) {
        corpus->failed = true;
        return;
    }
    b = animation(&small, 5);
    linnet_flora_hostile_picture(corpus, "animated.webp", WEBP, OUTCOME_OK, OUTCOME_REJECT,
                                 "five pictures in one file: the first counts", &b, NULL);
    b = animation(&small, 200);
    linnet_flora_hostile_picture(corpus, "animated-200.webp", WEBP, OUTCOME_REJECT, NULL,
                                 "two hundred pictures in one file", &b, NULL);
    b = webp(&small, true);
    /* a lossless picture that says it is 16,384 x 16,384: its header is 14 bits and 14 bits behind the
     * signature */
    if (b.size > 25) memset(b.data + 21, 0xff, 3);
    if (b.size > 25) b.data[24] |= 0x0f;
    linnet_flora_hostile_picture(corpus, "header-16384.webp", WEBP, OUTCOME_REJECT, NULL,
                                 "a header of 16,384 x 16,384 pixels on a small picture", &b, NULL);
    linnet_flora_image_free(&small);
}

void linnet_flora_hostile_others(struct corpus *corpus, const struct image *plant) {
    accepted_png(corpus, plant);
    refused_png(corpus, plant);
    webps(corpus, plant);
}

void linnet_flora_hostile_impostors(struct corpus *corpus) {
#define LITERAL(text) text, sizeof(text) - 1
    static const struct {
        const char *name, *what, *data;
        size_t size;
    } files[] = {
        {"empty.jpg", "no bytes at all", LITERAL("")},
        {"svg.jpg", "an SVG drawing that calls itself JPEG and asks for a file of the server",
         LITERAL("<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>"
                 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"400\" height=\"300\"><text "
                 "y=\"20\">&f;</text></svg>")},
        {"svg-billion-laughs.jpg", "an SVG drawing whose entities multiply",
         LITERAL(
             "<!DOCTYPE svg [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c "
             "\"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e "
             "\"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\">]><svg "
             "xmlns=\"http://www.w3.org/2000/svg\"><text>&e;</text></svg>")},
        {"pdf.jpg", "a PDF document that calls itself JPEG",
         LITERAL("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count "
                 "0>>endobj\n"
                 "trailer<</Root 1 0 R>>\n%%EOF\n")},
        {"gif.jpg", "a GIF that calls itself JPEG",
         LITERAL("GIF89a\1\0\1\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;")},
        {"tiff.jpg", "a TIFF that calls itself JPEG", LITERAL("II*\0\x08\0\0\0\0\0\0\0\0\0")},
        {"html.jpg", "a page with a script that calls itself JPEG",
         LITERAL("<html><script>alert(1)</script></html>\n")},
        {"mvg.jpg", "a script of another image library",
         LITERAL("push graphic-context\nviewbox 0 0 640 480\nfill 'url(https://127.0.0.1/x)'\n")},
        {"heif.jpg", "the first bytes of a HEIF, then nothing",
         LITERAL("\0\0\0\x18"
                 "ftypheic\0\0\0\0mif1heic\0\0\0\x08meta")},
        {"soi-eoi.jpg", "a start marker and an end marker", LITERAL("\xff\xd8\xff\xd9")},
        {"all-ff.jpg", "fill bytes without end",
         LITERAL("\xff\xd8\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct bytes b = {NULL, 0};
        linnet_flora_bytes_add(&b, files[i].data, files[i].size);
        /* an attachment without bytes does not get past the door */
        linnet_flora_hostile_picture(corpus, files[i].name, "image/jpeg", OUTCOME_REJECT,
                                     files[i].size ? NULL : OUTCOME_FORBIDDEN, files[i].what, &b, NULL);
    }
    struct bytes b = {NULL, 0};
    for (int i = 0; i < 50000; i++) {
        uint8_t byte = (uint8_t)rng_next(&corpus->rng);
        linnet_flora_bytes_add(&b, &byte, 1);
    }
    linnet_flora_hostile_picture(corpus, "noise.jpg", "image/jpeg", OUTCOME_REJECT, NULL, "50 kB of chance",
                                 &b, NULL);
#undef LITERAL
}
