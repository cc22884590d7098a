/* Darwin Core Archives: folders and zip files, and those that are made to hurt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "tests/unit/cli/scratch.h"
#include "workers/flora/meta.h"
#include "workers/flora/readers.h"

#define META(location)                                                                                       \
    "<archive xmlns='http://rs.tdwg.org/dwc/text/'><core rowType='http://rs.tdwg.org/dwc/terms/Taxon' "      \
    "fieldsTerminatedBy='\\t' fieldsEnclosedBy='' ignoreHeaderLines='1'><files><location>" location          \
    "</location></files><id index='0'/><field index='1' "                                                    \
    "term='http://rs.tdwg.org/dwc/terms/scientificName'/>"                                                   \
    "<field index='2' term='http://rs.tdwg.org/dwc/terms/scientificNameAuthorship'/>"                        \
    "<field index='3' term='http://rs.tdwg.org/dwc/terms/taxonRank'/>"                                       \
    "<field index='4' term='http://rs.tdwg.org/dwc/terms/taxonomicStatus'/>"                                 \
    "<field index='5' term='http://rs.tdwg.org/dwc/terms/acceptedNameUsageID'/>"                             \
    "<field index='6' term='http://rs.tdwg.org/dwc/terms/kingdom'/></core>"                                  \
    "<extension rowType='http://rs.gbif.org/terms/1.0/VernacularName' fieldsTerminatedBy=',' "               \
    "fieldsEnclosedBy='\"'><files><location>names.csv</location></files><coreid index='0'/>"                 \
    "<field index='1' term='http://rs.tdwg.org/dwc/terms/vernacularName'/>"                                  \
    "<field index='2' term='http://purl.org/dc/terms/language'/></extension></archive>"

static const char TAXA[] =
    "id\tname\tauthors\trank\tstatus\taccepted\tkingdom\n"
    "1\tQuercus L.\tL.\tGENUS\taccepted\t\tPlantae\n"
    "2\tQuercus robur L.\tL.\tSPECIES\taccepted\t\tPlantae\n"
    "3\tQuercus pedunculata Ehrh.\tEhrh.\tSPECIES\tsynonym\t2\tPlantae\n"
    "4\tPanthera leo (Linnaeus, 1758)\t(Linnaeus, 1758)\tSPECIES\taccepted\t\tAnimalia\n";
static const char COMMON[] = "2,\"oak, English\",eng\n2,chêne,fr\n9,nothing,en\n2,Eiche,klingon-language\n";

static struct linnet_checklist *read_archive(const char *path, int expected, const char *words) {
    static const struct linnet_reader_options options = {.kingdom = "Plantae"};
    struct linnet_archive *archive = NULL;
    struct linnet_checklist *list = linnet_checklist_new();
    struct linnet_error err = {0};
    int rc = linnet_archive_open(path, &archive, &err);
    if (!rc) rc = linnet_read_dwca(list, archive, &options, &err);
    linnet_archive_close(archive);
    if (rc != expected || (words && !strstr(err.detail, words))) fail_msg("%d: %s", rc, err.detail);
    if (rc == 0) assert_int_equal(linnet_checklist_resolve(list, &err), 0);
    return list;
}

/* A zip file in the folder; members by name and bytes, ended by NULL. */
struct member {
    const char *name, *data;
    size_t size;
};

static char *zipped(const char *folder, const struct member *members) {
    char *path = NULL;
    int code;
    assert_true(asprintf(&path, "%s/archive.zip", folder) > 0);
    unlink(path);
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_EXCL, &code);
    assert_non_null(zip);
    for (; members->name; members++) {
        size_t size = members->size ? members->size : strlen(members->data);
        zip_source_t *source = zip_source_buffer(zip, members->data, size, 0);
        assert_true(zip_file_add(zip, members->name, source, ZIP_FL_ENC_UTF_8) >= 0);
    }
    assert_int_equal(zip_close(zip), 0);
    return path;
}

static void assert_oak(const struct linnet_checklist *list) {
    assert_int_equal(list->report.rows, 4);
    assert_int_equal(list->report.other_kingdoms, 1);
    assert_int_equal(list->report.species, 1);
    assert_int_equal(list->report.genera, 1);
    assert_int_equal(list->report.synonyms, 1);
    assert_int_equal(list->report.vernacular, 3);
    assert_int_equal(list->report.vernacular_dangling, 1);
    assert_string_equal(linnet_checklist_text(list, list->names[1].name),
                        "Quercus robur"); /* authors cut off */
    for (size_t i = 0; i < 3; i++) {
        const char *language = linnet_checklist_text(list, list->vernacular[i].language);
        assert_true(!strcmp(language, "en") || !strcmp(language, "fr") || !strcmp(language, "und"));
    }
}

static void a_folder_and_a_zip_file_are_read_alike(void **state) {
    const char *folder = *state;
    free(scratch_text(folder, "a/meta.xml", META("taxa.txt")));
    free(scratch_text(folder, "a/taxa.txt", TAXA));
    free(scratch_text(folder, "a/names.csv", COMMON));
    char path[512];
    snprintf(path, sizeof path, "%s/a", folder);
    struct linnet_checklist *list = read_archive(path, 0, NULL);
    assert_oak(list);
    linnet_checklist_free(list);
    const struct member flat[] = {
        {"meta.xml", META("taxa.txt"), 0}, {"taxa.txt", TAXA, 0}, {"names.csv", COMMON, 0}, {0}};
    const struct member nested[] = {{"backbone/meta.xml", META("taxa.txt"), 0},
                                    {"backbone/taxa.txt", TAXA, 0},
                                    {"backbone/names.csv", COMMON, 0},
                                    {0}};
    const struct member *const both[] = {flat, nested};
    for (int i = 0; i < 2; i++) {
        char *zip = zipped(folder, both[i]);
        list = read_archive(zip, 0, NULL);
        assert_oak(list);
        linnet_checklist_free(list);
        free(zip);
    }
}

static void names_that_lead_elsewhere_are_refused(void **state) {
    const char *folder = *state;
    free(scratch_text(folder, "taxa.txt", TAXA)); /* what a way up would reach */
    free(scratch_text(folder, "a/meta.xml", META("../taxa.txt")));
    char path[512], link[512];
    snprintf(path, sizeof path, "%s/a", folder);
    linnet_checklist_free(read_archive(path, LINNET_E_DENIED, "no plain file name"));
    free(scratch_text(folder, "a/meta.xml", META("/etc/passwd")));
    linnet_checklist_free(read_archive(path, LINNET_E_DENIED, "no plain file name"));
    free(scratch_text(folder, "a/meta.xml", META("linked.txt")));
    snprintf(link, sizeof link, "%s/a/linked.txt", folder);
    assert_int_equal(symlink("../taxa.txt", link), 0);
    linnet_checklist_free(read_archive(path, LINNET_E_DENIED, "linked.txt"));
    const struct member up[] = {{"meta.xml", META("../taxa.txt"), 0}, {"../taxa.txt", TAXA, 0}, {0}};
    char *zip = zipped(folder, up);
    linnet_checklist_free(read_archive(zip, LINNET_E_DENIED, "no plain file name"));
    free(zip);
}

static void a_bomb_is_refused(void **state) {
    size_t size = (size_t)72 << 20;
    char *zeros = calloc(1, size);
    for (size_t i = 0; i < size; i += 4096)
        zeros[i] = '\n'; /* rows that are short enough */
    const struct member bomb[] = {{"meta.xml", META("taxa.txt"), 0}, {"taxa.txt", zeros, size}, {0}};
    char *zip = zipped(*state, bomb);
    linnet_checklist_free(read_archive(zip, LINNET_E_LIMIT, "unpacks to far more"));
    free(zip);
    free(zeros);
}

static void descriptions_with_entities_or_of_nothing_are_refused(void **state) {
    static const char laughs[] =
        "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;'>]><archive>&c;</archive>";
    const struct member entities[] = {{"meta.xml", laughs, 0}, {0}};
    const struct member empty[] = {{"meta.xml", "<archive/>", 0}, {0}};
    const struct member broken[] = {{"meta.xml", "<archive><core>", 0}, {0}};
    const struct member latin[] = {{"meta.xml", "<archive><core encoding='ISO-8859-1'/></archive>", 0}, {0}};
    const struct member none[] = {{"taxa.txt", TAXA, 0}, {0}};
    const struct member lost[] = {{"meta.xml", META("elsewhere.txt"), 0}, {0}};
    const struct {
        const struct member *members;
        int code;
    } cases[] = {{entities, LINNET_E_PARSE},    {empty, LINNET_E_PARSE},    {broken, LINNET_E_PARSE},
                 {latin, LINNET_E_UNSUPPORTED}, {none, LINNET_E_NOT_FOUND}, {lost, LINNET_E_NOT_FOUND}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *zip = zipped(*state, cases[i].members);
        linnet_checklist_free(read_archive(zip, cases[i].code, NULL));
        free(zip);
    }
    char *other = scratch_text(*state, "other.zip", "PK\x03\x04 and nothing more");
    linnet_checklist_free(read_archive(other, LINNET_E_PARSE, NULL));
    free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_folder_and_a_zip_file_are_read_alike, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(names_that_lead_elsewhere_are_refused, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_bomb_is_refused, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(descriptions_with_entities_or_of_nothing_are_refused, scratch_make,
                                        scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
