#include "tests/unit/consensus/naive.h"

#include <math.h>
#include <string.h>

/* Weights are kept to 36 binary places, as the library says that it does: a tie must be a tie here too. */
static double f(uint32_t n) {
    double w = n == 0 ? log(2.1) : sqrt(n) - pow(n, 0.2) + log(2.1);
    return round(w * 68719476736.0) / 68719476736.0;
}

static double weight_of(const struct linnet_crowd *crowd, const struct naive *naive, uint32_t i,
                        uint32_t label) {
    double sum = 0;
    for (uint32_t v = crowd->start[i]; v < crowd->start[i + 1]; v++)
        if (crowd->votes[v].label == label) sum += naive->weight[crowd->votes[v].user];
    return sum;
}

static void figures(const struct linnet_crowd *crowd, struct naive *naive) {
    for (uint32_t i = 0; i < crowd->observations; i++) {
        double all = 0;
        for (uint32_t v = crowd->start[i]; v < crowd->start[i + 1]; v++)
            all += naive->weight[crowd->votes[v].user];
        naive->confidence[i] =
            naive->label[i] == LINNET_NO_LABEL ? 0 : weight_of(crowd, naive, i, naive->label[i]);
        naive->accuracy[i] = all > 0 ? naive->confidence[i] / all : 0;
        naive->valid[i] = naive->accuracy[i] >= 0.7 && naive->confidence[i] >= 2;
    }
}

/* The label of the heaviest; of tied the present one, else the first voted. */
static uint32_t heaviest(const struct linnet_crowd *crowd, const struct naive *naive, uint32_t i) {
    uint32_t best = LINNET_NO_LABEL;
    double most = -1;
    for (uint32_t v = crowd->start[i]; v < crowd->start[i + 1]; v++) {
        double weight = weight_of(crowd, naive, i, crowd->votes[v].label);
        if (weight > most) {
            most = weight;
            best = crowd->votes[v].label;
        }
    }
    if (naive->label[i] != LINNET_NO_LABEL && weight_of(crowd, naive, i, naive->label[i]) == most)
        return naive->label[i];
    return best;
}

/* Does user j know species k as author (or as voter)? Looked up in all observations. */
static bool knows(const struct linnet_crowd *crowd, const struct naive *naive, uint32_t j, uint32_t k,
                  bool as_author, bool valid_only) {
    for (uint32_t i = 0; i < crowd->observations; i++)
        for (uint32_t v = crowd->start[i]; v < crowd->start[i + 1]; v++) {
            const struct linnet_vote *vote = &crowd->votes[v];
            if (vote->user != j || vote->label != k || naive->label[i] != k || vote->author != as_author)
                continue;
            if (naive->valid[i] || (!as_author && !valid_only)) return true;
        }
    return false;
}

static bool reweigh(const struct linnet_crowd *crowd, uint32_t species, bool valid_only,
                    struct naive *naive) {
    bool changed = false;
    for (uint32_t j = 0; j < crowd->users; j++) {
        naive->n_author[j] = naive->n_vote[j] = 0;
        for (uint32_t k = 0; k < species; k++) {
            if (knows(crowd, naive, j, k, true, valid_only))
                naive->n_author[j]++;
            else if (knows(crowd, naive, j, k, false, valid_only))
                naive->n_vote[j]++;
        }
        double exact = naive->n_author[j] + naive->n_vote[j] / 10.0, down = floor(exact);
        naive->n[j] = (uint32_t)down;
        if (exact - down > 0.5 || (exact - down == 0.5 && naive->n[j] % 2 == 1)) naive->n[j]++;
        double weight = f(naive->n[j]);
        changed = changed || weight != naive->weight[j];
        naive->weight[j] = weight;
    }
    return changed;
}

static bool relabel(const struct linnet_crowd *crowd, struct naive *naive) {
    bool changed = false;
    for (uint32_t i = 0; i < crowd->observations; i++) {
        uint32_t label = heaviest(crowd, naive, i);
        changed = changed || label != naive->label[i];
        naive->label[i] = label;
    }
    return changed;
}

void naive_solve(const struct linnet_crowd *crowd, uint32_t species, bool credit_valid_only,
                 unsigned rounds_max, struct naive *naive) {
    memset(naive, 0, sizeof *naive);
    for (uint32_t j = 0; j < crowd->users; j++)
        naive->weight[j] = f(0);
    for (uint32_t i = 0; i < crowd->observations; i++)
        naive->label[i] = LINNET_NO_LABEL;
    relabel(crowd, naive);
    figures(crowd, naive);
    while (naive->rounds < rounds_max && !naive->converged) {
        bool weights = reweigh(crowd, species, credit_valid_only, naive);
        bool labels = relabel(crowd, naive);
        figures(crowd, naive);
        naive->rounds++;
        naive->converged = !weights && !labels;
    }
}
