#include "workers/cli/photo.h"

#include <libexif/exif-data.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"
#include "workers/cli/file.h"
#include "workers/picture/strip.h"

#define PHOTO_LIMIT ((size_t)64 << 20)

static const char *type_of(const unsigned char *data, size_t size) {
    if (size >= 3 && memcmp(data, "\xff\xd8\xff", 3) == 0) return "image/jpeg";
    if (size >= 8 && memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0) return "image/png";
    if (size >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0) return "image/webp";
    return NULL;
}

static bool rational(const ExifEntry *entry, ExifByteOrder order, unsigned at, double *out) {
    if (!entry || entry->format != EXIF_FORMAT_RATIONAL || entry->components <= at ||
        entry->size < (at + 1) * 8)
        return false;
    ExifRational value = exif_get_rational(entry->data + at * 8, order);
    if (value.denominator == 0) return false;
    *out = (double)value.numerator / value.denominator;
    return true;
}

/* Degrees, minutes, seconds; the reference's letter gives the sign. */
static bool angle(ExifData *exif, ExifTag tag, ExifTag reference, char negative, double *out) {
    ExifByteOrder order = exif_data_get_byte_order(exif);
    const ExifEntry *entry = exif_content_get_entry(exif->ifd[EXIF_IFD_GPS], tag);
    const ExifEntry *sign = exif_content_get_entry(exif->ifd[EXIF_IFD_GPS], reference);
    double degrees, minutes = 0, seconds = 0;
    if (!rational(entry, order, 0, &degrees)) return false;
    rational(entry, order, 1, &minutes);
    rational(entry, order, 2, &seconds);
    *out = degrees + minutes / 60 + seconds / 3600;
    if (sign && sign->size > 0 && sign->data[0] == (unsigned char)negative) *out = -*out;
    return true;
}

static void read_place(ExifData *exif, struct linnet_photo *photo) {
    double latitude, longitude;
    if (!angle(exif, (ExifTag)EXIF_TAG_GPS_LATITUDE, (ExifTag)EXIF_TAG_GPS_LATITUDE_REF, 'S', &latitude))
        return;
    if (!angle(exif, (ExifTag)EXIF_TAG_GPS_LONGITUDE, (ExifTag)EXIF_TAG_GPS_LONGITUDE_REF, 'W', &longitude))
        return;
    if (fabs(latitude) > 90 || fabs(longitude) > 180 || (latitude == 0 && longitude == 0)) return;
    photo->located = true;
    photo->latitude = latitude;
    photo->longitude = longitude;
}

/* "2026:05:03 10:21:00" of DateTimeOriginal. EXIF knows no zone as a rule: it is taken as UTC. */
static void read_time(ExifData *exif, struct linnet_photo *photo) {
    const ExifEntry *entry = exif_content_get_entry(exif->ifd[EXIF_IFD_EXIF], EXIF_TAG_DATE_TIME_ORIGINAL);
    int year, month, day, hour, minute, second;
    char text[20] = "";
    if (!entry || entry->size < 19) return;
    memcpy(text, entry->data, 19);
    if (sscanf(text, "%4d:%2d:%2d %2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) != 6) return;
    if (year < 1826 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return;
    snprintf(photo->taken_at, sizeof photo->taken_at, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day,
             hour, minute, second);
}

int linnet_photo_load(const char *path, struct linnet_photo *out, struct linnet_error *err) {
    struct linnet_photo photo = {0};
    void *data = NULL;
    size_t size;
    int error = linnet_file_read(path, PHOTO_LIMIT, &data, &size, err);
    if (error) return error;
    photo.content_type = type_of(data, size);
    if (!photo.content_type) {
        free(data);
        return linnet_error_set(err, LINNET_E_UNSUPPORTED, "%s is no JPEG, PNG or WebP picture", path);
    }
    ExifData *exif = exif_data_new_from_data(data, (unsigned)size);
    if (exif) {
        read_place(exif, &photo);
        read_time(exif, &photo);
        exif_data_unref(exif);
    }
    error = linnet_strip(data, size, &photo.data, &photo.size, err);
    free(data);
    if (error) return linnet_error_prefix(err, "%s: ", path);
    linnet_digest_bytes(photo.data, photo.size, photo.digest);
    *out = photo;
    return 0;
}

void linnet_photo_done(struct linnet_photo *photo) {
    free(photo->data);
    *photo = (struct linnet_photo){0};
}
