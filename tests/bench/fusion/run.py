#!/usr/bin/env python3
"""run.py: what several views, organ weights, floras and conformal sets are worth, on the synthetic flora.

    tests/bench/fusion/run.py [--build build] [--work DIR] [--model DIR]... [--seeds 31,32,33] [--count 300]

Every observation goes through the stages of a worker (`linnet eval --each`) once for each variant, and variants are
compared observation by observation: the mean of the paired differences with its 95% interval (normal, over observations).
--model may be given several times: folders as train.py writes them, one for each seed of training; without, the model
that ships alone. Draws what it needs into --work once. Prints a table in Markdown.
"""
import argparse
import csv
import datetime
import json
import math
import os
import random
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PLAIN = {"measured_weights": False, "organ_weights": {organ: 1 for organ in ("flower", "fruit", "leaf", "habit", "bark")}}
LISTED = {"list": {"species": 100}}
PLANT = 0.25  # `reject_below` of linnet serve, chosen on plants of the split that calibrates (seeds 21 and 22)


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("%s\n%s%s" % (" ".join(command), done.stdout, done.stderr))


def draw(options, name, *arguments):
    folder = os.path.join(options.work, name)
    if not os.path.exists(os.path.join(folder, "done")):
        run(options.flora, "observations", "--flora-seed", "3", "--size", "240", "--plain", "--out", folder, *arguments)
        open(os.path.join(folder, "done"), "w").close()
    return folder


def table(folder, change=None):
    """The rows of a folder's observations.csv, changed and written beside it: (path of the table)."""
    with open(os.path.join(folder, "observations.csv")) as file:
        rows = list(csv.DictReader(file))
    if change is None:
        return os.path.join(folder, "observations.csv")
    change(rows)
    path = os.path.join(folder, change.__name__ + ".csv")
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def wrong_flora(rows):
    """Every observation is said to be from the next flora."""
    floras = sorted({row["flora"] for row in rows})
    for row in rows:
        row["flora"] = floras[(floras.index(row["flora"]) + 1) % len(floras)]


def shuffled_organs(rows):
    """The organs of all pictures of plants, dealt out anew."""
    plants = [row for row in rows if row["trueTaxon"]]
    organs = [row["organ"] for row in plants]
    random.Random(5).shuffle(organs)
    for row, organ in zip(plants, organs):
        row["organ"] = organ


def evaluate(options, model, folder, name, fusion, flags, change=None):
    """{observation: what came of it} of a variant."""
    out = os.path.join(folder, "%s-%s.jsonl" % (os.path.basename(os.path.abspath(model)), name))
    config = os.path.join(options.work, name + ".json")
    with open(config, "w") as file:
        json.dump(dict(LISTED, **fusion), file)
    run(options.linnet, "eval", folder, "--csv", table(folder, change), "--onnx", os.path.join(model, "flora-inception.onnx"), "--labels",
        os.path.join(model, "labels.csv"), "--description", os.path.join(model, "model.json"), "--backbone", os.path.join(options.work, "backbone"),
        "--fusion", config, "--unknown", "--quiet", "--each", out, *flags)
    with open(out) as file:
        return {line["observation"]: line for line in map(json.loads, file)}


VARIANTS = {"alone": ({}, []), "flora": ({}, ["--flora"]), "wrong": ({}, ["--flora"], wrong_flora), "unweighed": (PLAIN, []),
            "declared": ({}, ["--organs"]), "shuffled": ({}, ["--organs"], shuffled_organs)}


def known(rows):
    return {key: row for key, row in rows.items() if row["truth"]}


def fused(row):
    return row["rank"] == 1


def surest_view(row):
    """Right by the one view that is surest of itself?"""
    return max(row["views"], key=lambda view: view["sure"])["rank"] == 1


def several(row):
    return len(row["views"]) > 1


def compare(pairs):
    """Paired differences in points: (n, first, second, difference, half width of its 95% interval)."""
    n = len(pairs)
    differences = [100.0 * (a - b) for a, b in pairs]
    mean = sum(differences) / n
    spread = math.sqrt(sum((d - mean) ** 2 for d in differences) / max(n - 1, 1) / n)
    return n, 100.0 * sum(a for a, _ in pairs) / n, 100.0 * sum(b for _, b in pairs) / n, mean, 1.96 * spread


QUESTIONS = [
    ("several views, fused, against the surest of them", "alone", "alone", fused, surest_view, True),
    ("within the flora of the place, against none", "flora", "alone", fused, fused, False),
    ("within a wrong flora, against none", "wrong", "alone", fused, fused, False),
    ("views weighed by organ (as the model tells it), against all alike", "alone", "unweighed", fused, fused, True),
    ("views weighed by declared organ, against all alike", "declared", "unweighed", fused, fused, True),
    ("organs shuffled, against as declared", "shuffled", "declared", fused, fused, True),
]


def answer(runs):
    """Rows of the table: each question over all models and seeds, and seed by seed."""
    print("| top-1 of observations | n | with | against | difference | by model and seed |\n|---|---|---|---|---|---|")
    for words, first, second, of_first, of_second, only_several in QUESTIONS:
        parts = []
        for variants in runs:
            a, b = known(variants[first]), known(variants[second])
            parts.append([(of_first(a[key]), of_second(b[key])) for key in a if key in b and (several(a[key]) or not only_several)])
        n, one, other, mean, half = compare([pair for part in parts for pair in part])
        each = ", ".join("%+.1f" % compare(part)[3] for part in parts if part)
        print("| %s | %d | %.1f % % | %.1f % % | %+.2f ± %.2f | %s |".replace("% %", "%%") % (words, n, one, other, mean, half, each))


def reject(fresh, nothing, strange):
    """Plants and no plants that the threshold was not chosen on; and plants of species that the model does not know."""
    plants = [row["plant"] for rows in fresh for row in known(rows["alone"]).values()]
    others = [row["plant"] for rows in nothing for row in rows.values() if not row["label"]]
    unknown = [row for rows in strange for row in rows.values() if not row["truth"] and row["label"]]
    part = lambda values, least: 100.0 * sum(value < least for value in values) / len(values)
    print("\nRejection, plant below %.2f: %.1f%% of %d observations of no plant refused, %.2f%% of %d plants lost." % (
        PLANT, part(others, PLANT), len(others), part(plants, PLANT), len(plants)))
    told = sum((row["best"] or {}).get("rank") == "species" for row in unknown)
    print("Species that the model does not know (%d observations, each of a plant): %.1f%% refused, %.1f%% told as some species (wrongly), the rest as a "
          "genus or above." % (len(unknown), part([row["plant"] for row in unknown], PLANT), 100.0 * told / len(unknown)))


def threshold(values, coverage):
    place = math.floor((len(values) + 1) * (1 - coverage) + 1e-9)
    return sorted(values)[place - 1] if place >= 1 else 0.0


def conformal(what, runs, calibration):
    """As common/calibration/conformal.h; a third of the held-out observations counts how common species are, the rest calibrates."""
    print("\n| 90%% sets of %s | scope | n | holds the truth | species | macro | rarest third | of one view | of several |\n|---|---|---|---|---|---|---|---|---|" % what)
    for scope in ("alone", "flora"):
        for kind in ("plain", "balanced"):
            held, by_views = [], {False: [], True: []}
            for variants, rows in zip(runs, calibration):
                rows = sorted(known(rows[scope]).items())
                fitting = [row["truth"] for i, (_, row) in enumerate(rows) if i % 3 == 0]
                classes = {row["truth"] for _, row in rows} | {taxon for _, row in rows for taxon in row["species"]}
                weight = {taxon: (fitting.count(taxon) + 1) / (len(fitting) + len(classes)) for taxon in classes}
                divide = (lambda taxon: weight.get(taxon, 1 / (len(fitting) + len(classes)))) if kind == "balanced" else (lambda taxon: 1.0)
                least = threshold([row["score"] / divide(row["truth"]) for i, (_, row) in enumerate(rows) if i % 3], 0.9)
                for row in known(variants[scope]).values():
                    chosen = {taxon for taxon, p in row["species"].items() if p > 0 and p / divide(taxon) >= least} | {row["first"]}
                    held.append((row["truth"], row["truth"] in chosen, len(chosen), weight.get(row["truth"], 0)))
                    by_views[several(row)].append(row["truth"] in chosen)
            truths = {}
            for truth, inside, _, w in held:
                truths.setdefault(truth, (w, []))[1].append(inside)
            rates = [sum(inside) / len(inside) for _, (w, inside) in sorted(truths.items(), key=lambda item: item[1][0])]
            third = rates[:max(len(rates) // 3, 1)]
            mean = lambda values: 100.0 * sum(values) / max(len(values), 1)
            print("| %s | %s | %d | %.1f%% | %.1f | %.1f%% | %.1f%% | %.1f%% | %.1f%% |" % (
                kind, "flora" if scope == "flora" else "anywhere", len(held), mean([one[1] for one in held]), sum(one[2] for one in held) / len(held),
                mean(rates), mean(third), mean(by_views[False]), mean(by_views[True])))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--work", default="/tmp/linnet-fusion")
    parser.add_argument("--model", action="append")
    parser.add_argument("--seeds", default="31,32,33", help="of the test observations")
    parser.add_argument("--count", default="250", help="observations of each seed")
    parser.add_argument("--held-out", default="800", help="observations that calibrate")
    options = parser.parse_args()
    options.linnet, options.flora = (os.path.join(options.build, "bin", name) for name in ("linnet", "linnet-flora"))
    models = options.model or [os.path.join(ROOT, "tests", "data", "model")]
    os.makedirs(options.work, exist_ok=True)
    run(options.flora, "backbone", "--seed", "3", "--out", os.path.join(options.work, "backbone"))
    part = ["--species-subset", "80"]
    tests = [draw(options, "test" + seed, *part, "--split", "test", "--even", "--non-plants", "0.15", "--seed", seed, "--count", options.count)
             for seed in options.seeds.split(",")]
    held_out = draw(options, "held-out", *part, "--split", "validation", "--seed", "21", "--count", options.held_out)
    like = draw(options, "like", *part, "--split", "validation", "--seed", "22", "--count", "510")
    natural = draw(options, "natural", *part, "--split", "test", "--seed", "51", "--count", "420")
    nothing = draw(options, "nothing", *part, "--split", "test", "--non-plants", "1", "--seed", "61", "--count", "200")
    strange = draw(options, "strange", "--split", "test", "--seed", "41", "--count", "150")
    both = lambda model, folder: {name: evaluate(options, model, folder, name, *VARIANTS[name]) for name in ("alone", "flora")}
    alone = lambda model, folder: evaluate(options, model, folder, "alone", *VARIANTS["alone"])
    runs = [{name: evaluate(options, model, folder, name, *variant) for name, variant in VARIANTS.items()} for model in models for folder in tests]
    calibration, likes, naturals = ([both(model, folder) for model in models] for folder in (held_out, like, natural))
    print("%s; models %s; test seeds %s, %s observations each\n" % (datetime.date.today(), ", ".join(os.path.basename(m) for m in models), options.seeds,
                                                                 options.count))
    answer(runs)
    reject(naturals, [alone(model, nothing) for model in models], [alone(model, strange) for model in models])
    conformal("observations of the same kind", likes, calibration)
    conformal("other people and places", naturals, calibration)
    conformal("the same, every species as often (not what was calibrated on)", runs, [rows for rows in calibration for _ in tests])


if __name__ == "__main__":
    main()
