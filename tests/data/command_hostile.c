/* linnet-flora hostile: a corpus that must not break anything. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "tests/data/commands.h"
#include "tests/data/hostile.h"
#include "tests/data/options.h"
#include "tests/data/output.h"
#include "tests/data/picture.h"

static int write_manifest(const struct corpus *corpus) {
    FILE *file = linnet_flora_create("hostile", corpus->folder, "manifest.json");
    if (!file) return 1;
    int bad = json_dumpf(corpus->manifest, file, JSON_INDENT(1));
    fputc('\n', file);
    return linnet_flora_close("hostile", file, "manifest.json") || bad;
}

static int make_folders(const char *out) {
    static const char *const parts[] = {"pictures", "documents"};
    for (size_t i = 0; i < 2; i++) {
        char path[4096];
        if (snprintf(path, sizeof path, "%s/%s", out, parts[i]) >= (int)sizeof path ||
            linnet_flora_make_folder(path))
            return linnet_flora_complain("hostile", "%s: %s", path, strerror(errno));
    }
    return 0;
}

/* A picture of a plant, to be spoiled in many ways. */
static int draw_plant(struct image *plant) {
    struct flora *flora = linnet_flora_new(FLORA_SEED, 100);
    struct picture picture = {flora, 0, ORGAN_FLOWER, 1, 1, NULL, 320, 240};
    int rc = flora ? linnet_flora_picture_draw(&picture, plant) : -1;
    linnet_flora_free(flora);
    return rc;
}

int linnet_flora_command_hostile(int argc, char **argv) {
    uint64_t seed = 1;
    const char *out = NULL;
    bool json = false, documents_only = false;
    struct corpus corpus = {.uid = "hostile0user0000"};
    const struct option_spec table[] = {
        {"seed", "N", "of what is random in it", OPTION_SEED, 0, 0, &seed},
        {"uid", "ID", "the user in whose name documents are written", OPTION_TEXT, 0, 0, &corpus.uid},
        {"documents-only", "", "no pictures", OPTION_FLAG, 0, 0, &documents_only},
        {"out", "DIR", "folder to write to, made if need be", OPTION_TEXT, 0, 0, &out},
        {"json", "", "print what was made as JSON", OPTION_FLAG, 0, 0, &json},
        {NULL, NULL, NULL, OPTION_FLAG, 0, 0, NULL}};
    int rc = linnet_flora_options(
        "hostile",
        "Write DIR/pictures, DIR/documents and DIR/manifest.json, which says of each what it is and what "
        "should\n"
        "come of it: ok (a result), reject (a dead letter with a reason) or forbidden (refused at the door).",
        table, argc, argv);
    if (rc) return rc < 0;
    if (!out) return linnet_flora_complain("hostile", "--out is needed");
    struct image plant;
    if (sodium_init() < 0 || make_folders(out)) return 1;
    if (draw_plant(&plant)) return linnet_flora_complain("hostile", "out of memory");
    corpus.folder = out;
    corpus.manifest = json_array();
    corpus.rng = rng_make(seed, RNG_HOSTILE, 0);
    if (!documents_only) {
        linnet_flora_hostile_jpegs(&corpus, &plant);
        linnet_flora_hostile_others(&corpus, &plant);
        linnet_flora_hostile_impostors(&corpus);
    }
    linnet_flora_hostile_observations(&corpus);
    linnet_flora_hostile_rest(&corpus, &plant);
    linnet_flora_image_free(&plant);
    rc = corpus.failed || write_manifest(&corpus);
    if (!rc) printf(json ? "{\"files\":%zu}\n" : "%zu files\n", json_array_size(corpus.manifest));
    json_decref(corpus.manifest);
    return rc;
}
