/* Search among similar pictures, measured: embeddings that are made up, the index that is built of them, and
 * how fast and how truly it answers.
 *
 *   bench-similar make N DIMS FILE       N embeddings, 1,000 questions and the 10 nearest of each
 *   bench-similar build FILE INDEX       seconds
 *   bench-similar search FILE INDEX EFFORT...   a line each: effort, recall at 10, questions a second
 *
 * Embeddings lie as those of plants do: a place for each family, near it its genera's, near them the
 * species', species of very different numbers of pictures, which spread in few directions much and in many a
 * little. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/half.h"
#include "common/similar/similar.h"

#define QUESTIONS 1000
#define NEAREST   10

/* A file: this, rows (float), questions (float), the rows nearest to each question (uint32_t). */
struct head {
    uint64_t n, dims;
};

struct data {
    const struct head *head;
    const float *rows, *questions;
    const uint32_t *nearest;
};

static double now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- making ---- */

static uint64_t state = 88172645463325252U;

static double uniform(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static float normal(void) {
    return (float)(sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform()));
}

/* Around a place, less and less in each further direction. */
static void near(const float *place, size_t dims, float spread, float *out) {
    for (size_t i = 0; i < dims; i++)
        out[i] = (place != NULL ? place[i] : 0) + spread * normal() / sqrtf(1 + 8 * (float)i / (float)dims);
}

static void to_unit(float *vector, size_t dims) {
    double square = 0;
    for (size_t i = 0; i < dims; i++)
        square += (double)vector[i] * (double)vector[i];
    for (size_t i = 0; i < dims; i++)
        vector[i] = (float)(vector[i] / sqrt(square));
}

/* A picture of a species; common ones come often (Zipf's law). */
static void picture(const float *species, size_t nspecies, size_t dims, float *out) {
    size_t which = (size_t)(pow((double)nspecies, uniform())) - 1;
    near(species + which * dims, dims, 0.45F, out);
    to_unit(out, dims);
}

static void find_nearest(const float *rows, size_t n, size_t dims, const float *question, uint32_t *out) {
    float best[NEAREST];
    size_t held = 0;
    for (size_t row = 0; row < n; row++) {
        float product = 0;
        const float *vector = rows + row * dims;
        for (size_t i = 0; i < dims; i++)
            product += vector[i] * question[i];
        if (held == NEAREST && product <= best[NEAREST - 1]) continue;
        size_t at = held < NEAREST ? held++ : NEAREST - 1;
        for (; at > 0 && best[at - 1] < product; at--) {
            best[at] = best[at - 1];
            out[at] = out[at - 1];
        }
        best[at] = product;
        out[at] = (uint32_t)row;
    }
}

static int make(const char *path, size_t n, size_t dims) {
    size_t nspecies = n / 50 + 10, families = nspecies / 60 + 2, genera = nspecies / 6 + 2;
    struct head head = {n, dims};
    float *places = malloc((families + genera + nspecies) * dims * sizeof *places);
    float *rows = malloc((n + QUESTIONS) * dims * sizeof *rows);
    uint32_t *nearest = malloc((size_t)QUESTIONS * NEAREST * sizeof *nearest);
    FILE *file = fopen(path, "wb");
    if (places == NULL || rows == NULL || nearest == NULL || file == NULL) return 1;
    float *genus = places + families * dims, *species = genus + genera * dims;
    for (size_t i = 0; i < families; i++)
        near(NULL, dims, 1, places + i * dims);
    for (size_t i = 0; i < genera; i++)
        near(places + (size_t)(uniform() * (double)families) * dims, dims, 0.6F, genus + i * dims);
    for (size_t i = 0; i < nspecies; i++)
        near(genus + (size_t)(uniform() * (double)genera) * dims, dims, 0.4F, species + i * dims);
    for (size_t i = 0; i < n + QUESTIONS; i++)
        picture(species, nspecies, dims, rows + i * dims);
    for (size_t i = 0; i < QUESTIONS; i++)
        find_nearest(rows, n, dims, rows + (n + i) * dims, nearest + i * NEAREST);
    fwrite(&head, sizeof head, 1, file);
    fwrite(rows, sizeof *rows, (n + QUESTIONS) * dims, file);
    fwrite(nearest, sizeof *nearest, (size_t)QUESTIONS * NEAREST, file);
    free(places);
    free(rows);
    free(nearest);
    return fclose(file) != 0;
}

/* ---- ours ---- */

static int load(const char *path, struct data *out) {
    struct stat what;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &what) != 0) return 1;
    void *block = mmap(NULL, (size_t)what.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (block == MAP_FAILED) return 1;
    out->head = block;
    out->rows = (const float *)(out->head + 1);
    out->questions = out->rows + out->head->n * out->head->dims;
    out->nearest = (const uint32_t *)(out->questions + QUESTIONS * out->head->dims);
    return 0;
}

static int build(const struct data *data, const char *path) {
    size_t dims = data->head->dims;
    struct linnet_similar *similar;
    struct linnet_error err = {0};
    uint16_t *halves = malloc(dims * sizeof *halves);
    if (halves == NULL || linnet_similar_new("bench@1", dims, &similar) != 0) return 1;
    double start = now(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t n = 0; n < data->head->n; n++) {
        struct linnet_similar_picture picture = {.taxon = "taxon:1", .note = ""};
        snprintf(picture.observation, sizeof picture.observation, "01JTB7K3M4N5P6Q7R8%08u",
                 (unsigned)(n % 100000000));
        snprintf(picture.digest, sizeof picture.digest, "%064zx", n);
        for (size_t i = 0; i < dims; i++)
            halves[i] = linnet_half_from_float(data->rows[n * dims + i]);
        if (linnet_similar_put(similar, &picture, halves, 0) != 0) return 1;
    }
    int rc = linnet_similar_save(similar, path, "", 1, &err);
    if (rc != 0) fprintf(stderr, "%s\n", err.detail);
    printf("build_cpu_s %.1f\n", now(CLOCK_PROCESS_CPUTIME_ID) - start);
    linnet_similar_free(similar);
    free(halves);
    return rc != 0;
}

static double resident(void) {
    char line[256];
    double kib = 0, one;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Rss: %lf", &one) == 1) kib = one;
    if (file != NULL) fclose(file);
    return kib / 1024;
}

static void ask(const struct linnet_similar *similar, const struct data *data, size_t effort) {
    struct linnet_similar_hit hits[NEAREST];
    size_t right = 0, dims = data->head->dims;
    double start = now(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t i = 0; i < QUESTIONS; i++) {
        struct linnet_similar_query query = {
            .vector = data->questions + i * dims, .k = NEAREST, .effort = effort, .exact = 1};
        size_t n = linnet_similar_find(similar, &query, hits);
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < NEAREST; k++)
                right += hits[j].picture == data->nearest[i * NEAREST + k];
    }
    double spent = now(CLOCK_PROCESS_CPUTIME_ID) - start;
    printf("effort %zu recall %.4f per_s %.0f\n", effort, (double)right / (QUESTIONS * NEAREST),
           QUESTIONS / spent);
}

/* The questions are copied out of the file, so that only the index counts as memory. */
static int search(struct data *data, const char *path, char **efforts) {
    struct linnet_similar *similar;
    struct linnet_error err = {0};
    size_t bytes = QUESTIONS * data->head->dims * sizeof(float);
    struct head head = *data->head;
    float *questions = malloc(bytes);
    uint32_t *nearest = malloc((size_t)QUESTIONS * NEAREST * sizeof *nearest);
    if (questions == NULL || nearest == NULL) return 1;
    memcpy(questions, data->questions, bytes);
    memcpy(nearest, data->nearest, (size_t)QUESTIONS * NEAREST * sizeof *nearest);
    munmap((void *)(uintptr_t)data->head, sizeof head + head.n * head.dims * sizeof(float) + bytes +
                                              (size_t)QUESTIONS * NEAREST * sizeof *nearest);
    *data = (struct data){&head, NULL, questions, nearest};
    double before = resident(), start = now(CLOCK_MONOTONIC);
    if (linnet_similar_open(path, NULL, &similar, &err) != 0) return fprintf(stderr, "%s\n", err.detail), 1;
    double opened = now(CLOCK_MONOTONIC);
    if (linnet_similar_verify(similar, &err) != 0) return fprintf(stderr, "%s\n", err.detail), 1;
    printf("open_ms %.1f verify_ms %.1f\n", (opened - start) * 1000, (now(CLOCK_MONOTONIC) - opened) * 1000);
    for (; *efforts != NULL; efforts++)
        ask(similar, data, (size_t)atol(*efforts));
    printf("memory_mib %.1f\n", resident() - before);
    linnet_similar_free(similar);
    free(questions);
    free(nearest);
    return 0;
}

int main(int argc, char **argv) {
    struct data data;
    if (argc == 5 && strcmp(argv[1], "make") == 0)
        return make(argv[4], (size_t)atol(argv[2]), (size_t)atol(argv[3]));
    if (argc < 4 || load(argv[2], &data) != 0)
        return fprintf(stderr, "make, build or search, and a file\n"), 2;
    return strcmp(argv[1], "build") == 0 ? build(&data, argv[3]) : search(&data, argv[3], argv + 4);
}
