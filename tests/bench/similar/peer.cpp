// The same with hnswlib, as one would use it: single precision, inner product, 16 links, 128 candidates at building.
//   peer build FILE INDEX     peer search FILE INDEX EFFORT...
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include <hnswlib/hnswlib.h>

static const size_t questions = 1000, nearest = 10;

static double cpu() {
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static double resident() {
    double kib = 0, one;
    char line[256];
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Rss: %lf", &one) == 1) kib = one;
    if (file) fclose(file);
    return kib / 1024;
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    FILE *file = fopen(argv[2], "rb");
    uint64_t head[2];
    if (!file || fread(head, sizeof head, 1, file) != 1) return 2;
    size_t n = head[0], dims = head[1];
    hnswlib::InnerProductSpace space(dims);
    if (!strcmp(argv[1], "build")) {
        std::vector<float> row(dims);
        hnswlib::HierarchicalNSW<float> index(&space, n, 16, 128);
        double start = cpu();
        for (size_t i = 0; i < n; i++) {
            if (fread(row.data(), sizeof(float), dims, file) != dims) return 2;
            index.addPoint(row.data(), i);
        }
        printf("build_cpu_s %.1f\n", cpu() - start);
        index.saveIndex(argv[3]);
        return 0;
    }
    std::vector<float> asked(questions * dims);
    std::vector<uint32_t> truth(questions * nearest);
    fseek(file, long(sizeof head + n * dims * sizeof(float)), SEEK_SET);
    if (fread(asked.data(), sizeof(float), asked.size(), file) != asked.size() ||
        fread(truth.data(), sizeof(uint32_t), truth.size(), file) != truth.size())
        return 2;
    double before = resident(), start = cpu();
    hnswlib::HierarchicalNSW<float> index(&space, std::string(argv[3]));
    printf("open_ms %.1f\n", (cpu() - start) * 1000);
    for (int arg = 4; arg < argc; arg++) {
        size_t right = 0;
        index.setEf(atol(argv[arg]));
        start = cpu();
        for (size_t i = 0; i < questions; i++) {
            auto found = index.searchKnn(asked.data() + i * dims, nearest);
            for (; !found.empty(); found.pop())
                for (size_t k = 0; k < nearest; k++) right += found.top().second == truth[i * nearest + k];
        }
        double spent = cpu() - start;
        printf("effort %s recall %.4f per_s %.0f\n", argv[arg], double(right) / (questions * nearest), questions / spent);
    }
    printf("memory_mib %.1f\n", resident() - before);
}
