#!/usr/bin/env python3
"""peer.py VOTES OUT: Pl@ntNet's weighted iteration as a Python user would write it, vectorised with numpy.

Reads the votes file, iterates to convergence with the same constants and tie rules as Linnet, writes observation,taxon,valid to OUT, and
prints: votes, rounds, then wall seconds of reading and of solving, then CPU seconds of both."""
import sys
import time

import numpy as np

GAMMA = np.log(2.1)


def read(path):
    """Columns as dense numbers in the order of first appearance of sorted names, the rows by observation and time."""
    columns = np.loadtxt(path, delimiter=",", skiprows=1, usecols=(0, 1, 2, 3, 4), dtype="U24", unpack=True)
    observations, i = np.unique(columns[0], return_inverse=True)
    users, j = np.unique(columns[1], return_inverse=True)
    taxa, k = np.unique(columns[2], return_inverse=True)
    order = np.lexsort((k, columns[4], i))  # of one time by label
    return observations, len(users), taxa, i[order], j[order], k[order], columns[3][order] == "1"


def exact(weight):
    """To 36 binary places, as Linnet keeps it, so that ties are ties in both."""
    return np.round(weight * 2.0**36) / 2.0**36


def weigh(n):
    return exact(np.where(n > 0, n**0.5 - n**0.2 + GAMMA, GAMMA))


def solve(n_observations, n_users, n_taxa, i, j, k, author):
    # A (observation, label) pair each, numbered; first vote of each pair breaks ties.
    pair_key, pair_first, pair = np.unique(i.astype(np.int64) * n_taxa + k, return_index=True, return_inverse=True)
    pair_observation, pair_label = pair_key // n_taxa, pair_key % n_taxa
    known_key, known = np.unique(j.astype(np.int64) * n_taxa + k, return_inverse=True)
    known_user = known_key // n_taxa
    label = np.full(n_observations, -1)
    weight = np.full(n_users, exact(np.float64(GAMMA)))

    def relabel():
        confidence = np.bincount(pair, weight[j], len(pair_key))
        present = pair_label == label[pair_observation]
        # heaviest last: by weight, then the present label, then the first voted
        order = np.lexsort((-pair_first, present, confidence, pair_observation))
        last = order[np.append(pair_observation[order][1:] != pair_observation[order][:-1], True)]
        total = np.bincount(i, weight[j], n_observations)
        best = confidence[last]
        return pair_label[last], best, best / total

    label, confidence, accuracy = relabel()
    for rounds in range(1, 101):
        valid = (accuracy >= 0.7) & (confidence >= 2)
        right = k == label[i]
        as_author = np.zeros(len(known_key), bool)
        as_author[known[right & author & valid[i]]] = True
        as_voter = np.zeros(len(known_key), bool)
        as_voter[known[right & ~author]] = True
        n_author = np.bincount(known_user[as_author], minlength=n_users)
        n_vote = np.bincount(known_user[as_voter & ~as_author], minlength=n_users)
        weight_before, label_before = weight, label
        weight = weigh(np.round(n_author + n_vote / 10))
        label, confidence, accuracy = relabel()
        if np.array_equal(weight, weight_before) and np.array_equal(label, label_before):
            break
    return label, (accuracy >= 0.7) & (confidence >= 2), rounds


def main():
    clocks = lambda: np.array([time.monotonic(), time.process_time()])
    begin = clocks()
    observations, n_users, taxa, i, j, k, author = read(sys.argv[1])
    middle = clocks()
    label, valid, rounds = solve(len(observations), n_users, len(taxa), i, j, k, author)
    end = clocks()
    with open(sys.argv[2], "w") as out:
        for name, taxon, ok in zip(observations, taxa[label], valid):
            out.write(f"{name},{taxon},{int(ok)}\n")
    reading, solving = middle - begin, end - middle
    print(len(i), rounds, f"{reading[0]:.3f} {solving[0]:.3f} {reading[1]:.3f} {solving[1]:.3f}")


if __name__ == "__main__":
    main()
