/* Checklists as they are published, down to the documents that are made of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "tests/unit/cli/scratch.h"
#include "workers/flora/documents.h"
#include "workers/flora/readers.h"

static const struct linnet_reader_options NO_PROGRESS = {.kingdom = "Plantae"};

static const char NAMES[] =
    "plant_name_id|ipni_id|taxon_rank|taxon_status|family|taxon_name|taxon_authors|accepted_plant_name_id|"
    "parent_plant_name_id|powo_id\n"
    "1|i1|Genus|Accepted|Fagaceae|Quercus|L.|1||1-1\n"
    "2|i2|Species|Accepted|Fagaceae|Quercus robur|L.|2|1|2-1\n"
    "3|i3|Species|Synonym|Fagaceae|Quercus pedunculata|Ehrh.|2||3-1\n"
    "4|i4|Subspecies|Accepted|Fagaceae|Quercus robur subsp. brutia|(Ten.) O.Schwarz|4|2|4-1\n"
    "5|i5|Species|Synonym|Fagaceae|Quercus brutia|Ten.|4||5-1\n"
    "6|i6|Species|Synonym|Fagaceae|Quercus longinqua|A.|5||6-1\n"  /* of a synonym */
    "7|i7|Species|Synonym|Fagaceae|Quercus nusquam|A.|99||7-1\n"   /* of nothing */
    "8|i8|Species|Synonym|Fagaceae|Quercus circularis|A.|9||8-1\n" /* of each other */
    "9|i9|Species|Synonym|Fagaceae|Quercus orbis|A.|8||9-1\n"
    "10|i10|Species|Unplaced|Fagaceae|Quercus dubia|A.|||10-1\n"
    "11|i11|Species|Accepted|Fagaceae|Fagus sylvatica|L.|11||11-1\n"    /* its genus is only mentioned */
    "12|i12|Species|Accepted|Fagaceae|Fagus sylvatica|Mill.|12||12-1\n" /* a homonym */
    "11|i11|Species|Accepted|Fagaceae|Fagus sylvatica|L.|11||11-1\n"    /* again */
    "13|i13|Section|Accepted|Fagaceae|Quercus sect. Cerris|Loudon|13|1|13-1\n"
    "14|i14|Species|Accepted|Fagaceae||L.|14|1|14-1\n"                     /* without a name */
    "15|i15|Species|Accepted|Fagaceae|Quercus × rosacea|Bechst.|15|13|\n"; /* under the section */

static const char DISTRIBUTION[] =
    "plant_locality_id|plant_name_id|area_code_l3|area|introduced|extinct|location_doubtful\n"
    "1|2|BGM|Belgium|0|0|0\n"
    "2|4|BGM|Belgium|1|0|0\n" /* of the subspecies: native goes before */
    "3|4|ITA|Italy|0|0|0\n"
    "4|11|BGM|Belgium|1|0|0\n"
    "5|11|GRB|Great Britain|0|1|0\n"
    "6|11|ITA|Italy|0|0|1\n"
    "7|77|ITA|Italy|0|0|0\n"
    "8|2|||0|0|0\n";

/* Documents by id. */
static int collect(void *arg, const char *id, const char *text, size_t size, struct linnet_error *err) {
    json_t *document = NULL;
    assert_int_equal(linnet_json_parse(text, size, 0, &document, err), 0);
    assert_string_equal(json_string_value(json_object_get(document, "_id")), id);
    assert_null(json_object_get(arg, id));
    json_object_set_new(arg, id, document);
    return 0;
}

static json_t *documents_of(const struct linnet_checklist *list, struct linnet_checklist_output output) {
    json_t *documents = json_object();
    struct linnet_checklist_written written = {0};
    struct linnet_error err;
    output.emit = collect;
    output.arg = documents;
    if (!output.prefix) output.prefix = "";
    assert_int_equal(linnet_checklist_write_taxa(list, &output, &written, &err), 0);
    assert_int_equal(linnet_checklist_write_floras(list, &output, &written, &err), 0);
    assert_int_equal(written.taxa + written.floras, json_object_size(documents));
    return documents;
}

static struct linnet_stream *stream_of(const char *folder, const char *name, const char *text) {
    struct linnet_stream *stream;
    struct linnet_error err;
    char *path = scratch_text(folder, name, text);
    assert_int_equal(linnet_stream_open(path, &stream, &err), 0);
    free(path);
    return stream;
}

static struct linnet_checklist *wcvp(const char *folder) {
    struct linnet_checklist *list = linnet_checklist_new();
    struct linnet_stream *names = stream_of(folder, "names", NAMES);
    struct linnet_stream *distribution = stream_of(folder, "distribution", DISTRIBUTION);
    struct linnet_error err;
    assert_int_equal(linnet_read_wcvp(list, names, distribution, &NO_PROGRESS, &err), 0);
    assert_int_equal(linnet_checklist_resolve(list, &err), 0);
    linnet_stream_close(names);
    linnet_stream_close(distribution);
    return list;
}

static void wcvp_is_resolved_and_counted(void **state) {
    struct linnet_checklist *list = wcvp(*state);
    const struct linnet_checklist_report *r = &list->report;
    assert_int_equal(r->rows, 16);
    assert_int_equal(r->malformed, 1);
    assert_int_equal(r->duplicates, 1);
    assert_int_equal(r->accepted, 6);
    assert_int_equal(r->synonyms, 3);
    assert_int_equal(r->dangling, 1);
    assert_int_equal(r->cycles, 2);
    assert_int_equal(r->unplaced, 1);
    assert_int_equal(r->homonyms, 1);
    assert_int_equal(r->infraspecies, 1);
    assert_int_equal(r->other_ranks, 1);
    assert_int_equal(r->families, 1);
    assert_int_equal(r->genera, 2);
    assert_int_equal(r->species, 4);
    assert_int_equal(r->made, 2); /* Fagaceae and Fagus */
    assert_int_equal(r->presences, 3);
    assert_int_equal(r->presences_dangling, 1);
    assert_int_equal(r->absent, 2);
    linnet_checklist_free(list);
}

static void wcvp_becomes_taxa_with_all_their_names(void **state) {
    struct linnet_checklist *list = wcvp(*state);
    json_t *documents =
        documents_of(list, (struct linnet_checklist_output){.prefix = "w-", .external = "powo"});
    const json_t *robur = json_object_get(documents, "taxon:w-2");
    assert_string_equal(linnet_json_string(robur, "scientificName", ""), "Quercus robur");
    assert_string_equal(linnet_json_string(robur, "scientificNameAuthorship", ""), "L.");
    assert_string_equal(linnet_json_string(robur, "taxonRank", ""), "species");
    assert_string_equal(linnet_json_string(robur, "parentNameUsageID", ""), "taxon:w-1");
    assert_string_equal(linnet_json_string(robur, "identifiers/powo", ""), "2-1");
    /* The synonym, the subspecies, its synonym and that one's synonym all mean the species. */
    const json_t *synonyms = json_object_get(robur, "synonyms");
    assert_int_equal(json_object_size(synonyms), 4);
    assert_string_equal(linnet_json_string(synonyms, "taxon:w-3/0", ""), "Quercus pedunculata");
    assert_string_equal(linnet_json_string(synonyms, "taxon:w-4/1", ""), "(Ten.) O.Schwarz");
    assert_non_null(json_object_get(synonyms, "taxon:w-5"));
    assert_non_null(json_object_get(synonyms, "taxon:w-6"));
    const json_t *beech = json_object_get(documents, "taxon:w-11");
    assert_string_equal(linnet_json_string(beech, "parentNameUsageID", ""), "taxon:w-genus-Fagus");
    const json_t *genus = json_object_get(documents, "taxon:w-genus-Fagus");
    assert_string_equal(linnet_json_string(genus, "parentNameUsageID", ""), "taxon:w-family-Fagaceae");
    const json_t *hybrid = json_object_get(documents, "taxon:w-15");
    assert_string_equal(linnet_json_string(hybrid, "parentNameUsageID", ""), "taxon:w-1");
    assert_string_equal(linnet_json_string(hybrid, "identifiers/powo", ""), "i15");
    json_decref(documents);
    linnet_checklist_free(list);
}

static void a_distribution_becomes_floras(void **state) {
    struct linnet_checklist *list = wcvp(*state);
    json_t *documents = documents_of(list, (struct linnet_checklist_output){0});
    const json_t *belgium = json_object_get(documents, "flora:BGM"),
                 *italy = json_object_get(documents, "flora:ITA");
    assert_string_equal(linnet_json_string(belgium, "title", ""), "Belgium");
    assert_int_equal(json_array_size(json_object_get(belgium, "taxa")), 2);
    assert_string_equal(linnet_json_string(belgium, "introduced/0", ""), "taxon:11");
    assert_int_equal(json_array_size(json_object_get(belgium, "introduced")), 1);
    assert_int_equal(json_array_size(json_object_get(italy, "taxa")), 1);
    assert_null(json_object_get(documents, "flora:GRB")); /* extinct there */
    json_decref(documents);
    documents = documents_of(list, (struct linnet_checklist_output){.native_only = true});
    belgium = json_object_get(documents, "flora:BGM");
    assert_int_equal(json_array_size(json_object_get(belgium, "taxa")), 1);
    json_decref(documents);
    linnet_checklist_free(list);
}

static void an_area_takes_its_species_and_what_they_stand_under(void **state) {
    struct linnet_checklist *list = wcvp(*state);
    static const char *const codes[] = {"ITA", NULL};
    json_t *documents = documents_of(list, (struct linnet_checklist_output){.codes = codes});
    assert_int_equal(json_object_size(documents), 4);
    assert_non_null(json_object_get(documents, "taxon:family-Fagaceae"));
    assert_non_null(json_object_get(documents, "taxon:1"));
    assert_non_null(json_object_get(documents, "taxon:2"));
    assert_non_null(json_object_get(documents, "flora:ITA"));
    json_decref(documents);
    static const char *const unknown[] = {"ATL", NULL};
    struct linnet_checklist_output output = {.prefix = "", .codes = unknown, .emit = collect};
    struct linnet_checklist_written written = {0};
    struct linnet_error err;
    assert_int_equal(linnet_checklist_write_taxa(list, &output, &written, &err), LINNET_E_NOT_FOUND);
    assert_non_null(strstr(err.detail, "ATL"));
    linnet_checklist_free(list);
}

static void shapes_of_areas_come_from_geojson(void **state) {
    struct linnet_checklist *list = wcvp(*state);
    struct linnet_error err;
    json_t *shapes = NULL;
    char *path =
        scratch_text(*state, "areas.geojson",
                     "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":"
                     "{\"LEVEL3_COD\":\"BGM\"},\"geometry\":{\"type\":\"MultiPolygon\",\"coordinates\":"
                     "[[[[2,49],[6,49],[6,52],[2,52],[2,49]]],[[[7,50],[8,50],[8,51],[7,50]]]]}},"
                     "{\"type\":\"Feature\",\"properties\":{\"LEVEL3_COD\":\"ITA\"},\"geometry\":"
                     "{\"type\":\"Polygon\",\"coordinates\":[[[7,37],[18,37],[18,47],[7,37]]]}}]}");
    assert_int_equal(linnet_checklist_shapes(path, &shapes, &err), 0);
    json_t *documents = documents_of(list, (struct linnet_checklist_output){.shapes = shapes});
    const json_t *belgium = json_object_get(documents, "flora:BGM");
    assert_true(linnet_json_number(belgium, "area/bbox/2", 0) == 8);
    assert_int_equal(json_array_size(linnet_json_at(belgium, "area/polygons")), 2);
    assert_true(linnet_json_number(belgium, "area/polygons/0/0/1/0", 0) == 6);
    json_decref(documents);
    json_decref(shapes);
    free(path);
    path = scratch_text(*state, "other.json", "{\"features\":[{\"properties\":{}}]}");
    assert_int_equal(linnet_checklist_shapes(path, &shapes, &err), LINNET_E_PARSE);
    free(path);
    linnet_checklist_free(list);
}

static void a_file_that_is_no_wcvp_is_said(void **state) {
    struct linnet_checklist *list = linnet_checklist_new();
    struct linnet_error err;
    struct linnet_stream *stream = stream_of(*state, "odd", "plant_name_id|family\n1|Fagaceae\n");
    assert_int_equal(linnet_read_wcvp(list, stream, NULL, &NO_PROGRESS, &err), LINNET_E_PARSE);
    assert_non_null(strstr(err.detail, "taxon_name"));
    linnet_stream_close(stream);
    stream = stream_of(*state, "empty", "");
    assert_int_equal(linnet_read_wcvp(list, stream, NULL, &NO_PROGRESS, &err), LINNET_E_PARSE);
    linnet_stream_close(stream);
    linnet_checklist_free(list);
}

static json_t *list_of(const char *folder, const char *text) {
    struct linnet_checklist *list = linnet_checklist_new();
    struct linnet_error err;
    struct linnet_stream *stream = stream_of(folder, "list", text);
    assert_int_equal(linnet_read_list(list, stream, &NO_PROGRESS, &err), 0);
    assert_int_equal(linnet_checklist_resolve(list, &err), 0);
    linnet_stream_close(stream);
    json_t *documents = documents_of(list, (struct linnet_checklist_output){.slugs = true});
    linnet_checklist_free(list);
    return documents;
}

static void a_list_of_names_is_enough(void **state) {
    json_t *documents =
        list_of(*state, "# of my garden\nQuercus robur L.\n× Fatshedera lizei\nRosa × alba L.\nQuercus "
                        "robur\n");
    const json_t *robur = json_object_get(documents, "taxon:quercus-robur");
    assert_string_equal(linnet_json_string(robur, "scientificName", ""), "Quercus robur");
    assert_string_equal(linnet_json_string(robur, "scientificNameAuthorship", ""), "L.");
    assert_string_equal(linnet_json_string(robur, "parentNameUsageID", ""), "taxon:genus-quercus");
    assert_non_null(json_object_get(documents, "taxon:rosa-x-alba"));
    assert_non_null(json_object_get(documents, "taxon:x-fatshedera-lizei"));
    json_decref(documents);
}

static void a_table_of_names_has_ranks_synonyms_and_common_names(void **state) {
    json_t *documents = list_of(*state, "scientificName,authors,family,synonymOf,en,name_fr,id\n"
                                        "Quercus robur,L.,Fagaceae,,\"oak, English\",chêne,7\n"
                                        "Quercus pedunculata,Ehrh.,Fagaceae,Quercus robur,,,8\n");
    const json_t *robur = json_object_get(documents, "taxon:quercus-robur");
    assert_string_equal(linnet_json_string(robur, "vernacularNames/en/0", ""), "oak, English");
    assert_string_equal(linnet_json_string(robur, "vernacularNames/fr/0", ""), "chêne");
    assert_int_equal(json_object_size(json_object_get(robur, "vernacularNames")), 2);
    assert_string_equal(linnet_json_string(robur, "synonyms/taxon:quercus-pedunculata/0", ""),
                        "Quercus pedunculata");
    const json_t *genus = json_object_get(documents, "taxon:genus-quercus");
    assert_string_equal(linnet_json_string(genus, "parentNameUsageID", ""), "taxon:family-fagaceae");
    json_decref(documents);
}

static void bytes_that_are_no_text_are_counted_and_left_out(void **state) {
    json_t *documents = list_of(*state, "Quercus robur\nRosa \xff\xfe\nRosa \x01x\nFagus \"quoted\\\"\n");
    assert_non_null(json_object_get(documents, "taxon:quercus-robur"));
    assert_int_equal(json_object_size(documents), 4); /* two species, two genera */
    json_decref(documents);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wcvp_is_resolved_and_counted, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(wcvp_becomes_taxa_with_all_their_names, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_distribution_becomes_floras, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(an_area_takes_its_species_and_what_they_stand_under, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(shapes_of_areas_come_from_geojson, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_wcvp_is_said, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_list_of_names_is_enough, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_table_of_names_has_ranks_synonyms_and_common_names, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text_are_counted_and_left_out, scratch_make,
                                        scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
