#!/usr/bin/python3
"""Train the small model of the tests: an Inception for a part of the synthetic flora.

Draws its own data with linnet-flora, trains on the CPU, calibrates on a validation split, measures on a test split that shares no
observation, observer or site with the others, and writes model/flora-inception.onnx, model.json and labels.csv.

    /usr/bin/python3 tests/data/train.py --flora build/bin/linnet-flora --work /tmp/flora --minutes 40

Needs python3-torch and python3-pil of Debian 12. What the figures show is that the code is right, never how well real plants are
told apart. Training runs in bfloat16 and is not the same to the last bit on another processor: the model is kept, its data is not.
"""
import argparse
import csv
import json
import math
import os
import subprocess
import sys
import time

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

ORGANS = ["flower", "leaf", "fruit", "bark", "habit"]
SIZE, RESIZE = 96, 110
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
EMBEDDING = 192


def convolution(inputs, outputs, kernel, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
                         nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Inception(nn.Module):
    """1x1, 3x3, two 3x3 and a pooled 1x1, side by side (Szegedy et al. 2015 and 2016)."""

    def __init__(self, inputs, one, three_in, three, five_in, five, pool):
        super().__init__()
        self.one = convolution(inputs, one, 1)
        self.three = nn.Sequential(convolution(inputs, three_in, 1), convolution(three_in, three, 3))
        self.five = nn.Sequential(convolution(inputs, five_in, 1), convolution(five_in, five, 3), convolution(five, five, 3))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), convolution(inputs, pool, 1))

    def forward(self, x):
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)


class Network(nn.Module):
    def __init__(self, species):
        super().__init__()
        self.features = nn.Sequential(
            convolution(3, 24, 3, 2), convolution(24, 32, 3), nn.MaxPool2d(3, 2, 1),
            Inception(32, 16, 24, 32, 8, 16, 16), Inception(80, 24, 32, 48, 12, 24, 24), nn.MaxPool2d(3, 2, 1),
            Inception(120, 40, 40, 64, 16, 32, 32), Inception(168, 48, 48, 72, 16, 40, 40), nn.MaxPool2d(3, 2, 1),
            Inception(200, 64, 64, 96, 24, 48, 48), Inception(256, 80, 72, 112, 28, 64, 64),
            nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.drop = nn.Dropout(0.2)
        self.embedding = nn.Linear(320, EMBEDDING)
        self.species = nn.Linear(EMBEDDING, species)
        self.organ = nn.Linear(EMBEDDING, len(ORGANS))
        self.plant = nn.Linear(EMBEDDING, 1)

    def forward(self, x):
        embedding = self.embedding(self.drop(self.features(x)))
        return self.species(embedding), self.organ(embedding), self.plant(embedding), embedding


def draw(options, split, seed, count, arguments):
    """Draw a split unless it is there; the folder's name says all that shapes it."""
    folder = os.path.join(options.work, "%s-%d-%d" % (split, seed, count))
    if not os.path.exists(os.path.join(folder, "done")):
        print("drawing", folder, flush=True)
        subprocess.run([options.flora, "observations", "--flora-seed", str(options.flora_seed), "--species-subset",
                        str(options.part), "--split", split, "--seed", str(seed), "--count", str(count), "--out", folder] + arguments,
                       check=True)
        open(os.path.join(folder, "done"), "w").close()
    return folder


def load(path):
    """The picture as the model document says: shortest side to RESIZE, the middle kept (a little wider than SIZE)."""
    image = Image.open(path).convert("RGB")
    scale = RESIZE / min(image.size)
    image = image.resize([max(RESIZE, round(side * scale)) for side in image.size], Image.BICUBIC)
    left, top = (image.width - RESIZE) // 2, (image.height - RESIZE) // 2
    return numpy.asarray(image.crop((left, top, left + RESIZE, top + RESIZE)))


class Split:
    """One split in memory: pictures, labels, and which observation each belongs to."""

    def __init__(self, folder, index):
        with open(os.path.join(folder, "observations.csv")) as file:
            self.rows = list(csv.DictReader(file))
        self.pixels = torch.empty(len(self.rows), RESIZE, RESIZE, 3, dtype=torch.uint8)
        for i, row in enumerate(self.rows):
            self.pixels[i] = torch.from_numpy(load(os.path.join(folder, row["image"])).copy())
        self.species = torch.tensor([index[row["taxon"]] if row["taxon"] else -1 for row in self.rows])
        self.organ = torch.tensor([ORGANS.index(row["organ"]) if row["organ"] in ORGANS else -1 for row in self.rows])
        self.plant = (self.species >= 0).float()


def normalise(pixels):
    x = pixels.permute(0, 3, 1, 2).float().div_(255)
    x = (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)
    return x.contiguous(memory_format=torch.channels_last)


def augment(pixels, generator):
    """Another crop, mirror, light and colour, in training only."""
    def uniform(low, high, shape=()):
        return torch.rand(shape, generator=generator) * (high - low) + low

    side = int(uniform(80, RESIZE + 0.99))
    room = RESIZE - side + 1
    top, left = int(uniform(0, room)), int(uniform(0, room))
    x = pixels[:, top:top + side, left:left + side].permute(0, 3, 1, 2).float().div_(255)
    if side != SIZE:
        x = F.interpolate(x, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    mirrored = torch.rand(len(x), generator=generator) < 0.5
    x[mirrored] = x[mirrored].flip(3)
    n = len(x)
    x = x * uniform(0.8, 1.2, (n, 1, 1, 1)) * uniform(0.93, 1.07, (n, 3, 1, 1))
    mean = x.mean((1, 2, 3), keepdim=True)
    x = ((x - mean) * uniform(0.8, 1.2, (n, 1, 1, 1)) + mean).clamp_(0, 1)
    x = (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)
    return x.contiguous(memory_format=torch.channels_last)


def train(network, data, options, prior):
    generator = torch.Generator().manual_seed(options.seed)
    decay = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0}],
                                  lr=options.rate, betas=(0.9, 0.98))
    batch, start, step, done = 64, time.monotonic(), 0, 0.0
    steps = len(data.rows) // batch
    # rare species are as important as common ones (logit adjustment, Menon et al. 2021)
    adjust = options.adjust * prior.log()
    epoch = 0
    while done < 1:
        order, total, seen = torch.randperm(len(data.rows), generator=generator), 0.0, 0
        for at in range(steps):
            by_time = (time.monotonic() - start) / (60 * options.minutes) if options.minutes else 0
            by_step = step / (steps * options.epochs) if options.epochs else 0
            done = min(1.0, max(by_time, by_step))
            if done >= 1:
                break
            rate = options.rate * min(1, step / 200) * 0.5 * (1 + math.cos(math.pi * done)) + 1e-6
            for group in optimizer.param_groups:
                group["lr"] = rate
            pick = order[at * batch:(at + 1) * batch]
            species, organ = data.species[pick], data.organ[pick]
            x = augment(data.pixels[pick], generator)
            with torch.autocast("cpu", torch.bfloat16):
                logits, organs, plant, _ = network(x)
            loss = F.cross_entropy(logits.float() + adjust, species, ignore_index=-1, label_smoothing=0.05)
            loss = loss + 0.2 * F.cross_entropy(organs.float(), organ, ignore_index=-1)
            loss = loss + 0.3 * F.binary_cross_entropy_with_logits(plant.float()[:, 0], data.plant[pick])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            total, seen, step = total + float(loss.detach()), seen + 1, step + 1
        epoch += 1
        if seen:
            print("epoch %d, %.0f s, rate %.5f, loss %.3f" % (epoch, time.monotonic() - start, rate, total / seen), flush=True)
    return step


def fit_plant(network, nothing, plants):
    """The head that tells plants from the rest, anew: on embeddings of pictures that the network was not trained on, so that they are as
    far apart as those of others, with as many pictures of no plant as it takes, and with a hidden layer, because what is no plant lies on
    many sides."""
    embeddings = [predict(network, nothing)[3], predict(network, plants)[3][plants.species >= 0]]
    x, y = torch.cat(embeddings), torch.cat([torch.zeros(len(embeddings[0])), torch.ones(len(embeddings[1]))])
    mean, spread = x.mean(0), x.std(0)
    x = (x - mean) / spread
    weight = torch.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    head = nn.Sequential(nn.Linear(EMBEDDING, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.AdamW(head.parameters(), lr=0.003, weight_decay=0.5)
    for _ in range(30):
        for pick in torch.randperm(len(x)).split(256):
            loss = F.binary_cross_entropy_with_logits(head(x[pick])[:, 0], y[pick], weight=weight[pick])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        head[0].bias.sub_(head[0].weight @ (mean / spread))
        head[0].weight.div_(spread)
    network.plant = head


@torch.no_grad()
def predict(network, data):
    network.eval()
    margin = (RESIZE - SIZE) // 2
    outputs = []
    for at in range(0, len(data.rows), 64):
        x = normalise(data.pixels[at:at + 64, margin:margin + SIZE, margin:margin + SIZE])
        outputs.append([output.float() for output in network(x)])
    return [torch.cat(part) for part in zip(*outputs)]


def temperature_of(logits, species):
    """The temperature that makes the validation split likeliest (Guo et al. 2017)."""
    keep = species >= 0
    best = min((F.cross_entropy(logits[keep] / t, species[keep]).item(), t) for t in torch.linspace(0.4, 3, 105).tolist())
    return round(best[1], 3)


def macro(hits, species):
    """The mean over species of the part that was right."""
    of = [hits[species == s].float().mean() for s in species.unique()]
    return round(torch.stack(of).mean().item(), 4) if of else 0.0


def top(scores, species):
    best = scores.topk(5, 1).indices == species.view(-1, 1)
    return {"macro_top1": macro(best[:, 0], species), "macro_top5": macro(best.any(1), species)}


def area_under_curve(scores, truth):
    order = scores.argsort()
    ranks = torch.empty(len(scores), dtype=torch.double)
    ranks[order] = torch.arange(1, len(scores) + 1, dtype=torch.double)
    positive, negative = truth.sum().item(), (1 - truth).sum().item()
    return round(((ranks[truth > 0].sum().item() - positive * (positive + 1) / 2) / (positive * negative)), 4)


def fuse(probabilities, data):
    """The mean over the views of each observation."""
    first, groups = {}, []
    for i, row in enumerate(data.rows):
        if data.species[i] < 0:
            continue
        if row["observation"] not in first:
            first[row["observation"]] = len(groups)
            groups.append([])
        groups[first[row["observation"]]].append(i)
    scores = torch.stack([probabilities[group].mean(0) for group in groups])
    return scores, data.species[[group[0] for group in groups]], groups


def measure(network, data, temperature, grows):
    """All figures of a split. `grows[flora]` is a mask of the species that grow there."""
    logits, organs, plant, _ = predict(network, data)
    probabilities = (logits / temperature).softmax(1)
    plants = data.species >= 0
    mask = torch.stack([grows[row["flora"]] for row in data.rows])
    result = top(probabilities[plants], data.species[plants])
    result["by_organ"] = {}
    for i, organ in enumerate(ORGANS):
        of = data.organ == i
        result["by_organ"][organ] = dict(top(probabilities[of], data.species[of]), images=int(of.sum()))
    scores, species, groups = fuse(probabilities, data)
    first = [group[0] for group in groups]
    several = torch.tensor([len(group) > 1 for group in groups])
    filtered = scores * mask[first]
    result["with_flora"] = top((probabilities * mask)[plants], data.species[plants])
    result["fused"] = dict(top(scores, species), observations=len(groups))
    result["fused_of_several"] = dict(top(scores[several], species[several]), observations=int(several.sum()))
    result["fused_with_flora"] = top(filtered, species)
    result["organ_accuracy"] = round((organs[plants].argmax(1) == data.organ[plants]).float().mean().item(), 4)
    result["rejection_auc"] = area_under_curve(plant[:, 0], data.plant)
    confidence, guess = probabilities[plants].max(1)
    right = (guess == data.species[plants]).float()
    bins = (confidence * 10).long().clamp(0, 9)
    result["calibration_error"] = round(sum(float((bins == b).float().mean() * abs(confidence[bins == b].mean() - right[bins == b].mean()))
                                            for b in range(10) if (bins == b).any()), 4)
    return result


def export(network, path):
    network.eval()
    names = {"input": {0: "batch"}}
    outputs = ["logits", "organ_logits", "plant_logit", "embedding"]
    names.update({name: {0: "batch"} for name in outputs})
    network = network.to(memory_format=torch.contiguous_format)
    torch.onnx.export(network, torch.zeros(1, 3, SIZE, SIZE), path, opset_version=13, input_names=["input"], output_names=outputs,
                      dynamic_axes=names)


def read_labels(options):
    """The part's species in ascending order, and where each grows."""
    folder = os.path.join(options.work, "backbone")
    subprocess.run([options.flora, "backbone", "--seed", str(options.flora_seed), "--out", folder], check=True,
                   stdout=subprocess.DEVNULL)
    with open(os.path.join(folder, "species.csv")) as file:
        species = list(csv.DictReader(file))
    chosen = subprocess.run([options.flora, "part", "--flora-seed", str(options.flora_seed), "--species-subset", str(options.part)],
                            check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")
    chosen = {line.split(",")[1] for line in chosen[1:] if line}
    return [row for row in species if row["taxon"] in chosen]


def write(options, network, labels, temperature, accuracy, command):
    os.makedirs(options.out, exist_ok=True)
    export(network, os.path.join(options.out, "flora-inception.onnx"))
    with open(os.path.join(options.out, "labels.csv"), "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["scientificName", "taxon", "genus", "family"])
        writer.writerows([row["scientificName"], row["taxon"], row["genus"], row["family"]] for row in labels)
    document = {
        "_id": "model:flora-inception@" + options.version, "kind": "model", "name": "flora-inception", "version": options.version,
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "labels": [row["taxon"] for row in labels], "unmapped": [],
        "input": {"name": "input", "width": SIZE, "height": SIZE, "resize": "shortest", "resize_to": RESIZE, "crop": "center",
                  "mean": list(MEAN), "std": list(STD), "layout": "NCHW"},
        "outputs": {"species": "logits", "organ": "organ_logits", "plant": "plant_logit", "embedding": "embedding"},
        "organs": ORGANS, "calibration": {"temperature": temperature}, "accuracy": accuracy,
        "training": {"command": command, "seed": options.seed, "flora_seed": options.flora_seed, "part": options.part,
                     "parameters": sum(p.numel() for p in network.parameters()), "torch": torch.__version__},
    }
    with open(os.path.join(options.out, "model.json"), "w") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


def parse():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--flora", default="build/bin/linnet-flora", help="the generator")
    parser.add_argument("--work", default="/tmp/linnet-flora", help="folder for what is drawn")
    parser.add_argument("--out", default=os.path.join(here, "model"), help="folder for the model")
    parser.add_argument("--flora-seed", type=int, default=3)
    parser.add_argument("--part", type=int, default=80, help="species of the part")
    parser.add_argument("--seed", type=int, default=11, help="of the pictures and of training")
    parser.add_argument("--train", type=int, default=9000, help="observations")
    parser.add_argument("--test", type=int, default=2000, help="observations")
    parser.add_argument("--epochs", type=float, default=0, help="stop after so many; 0: by time alone")
    parser.add_argument("--minutes", type=float, default=40, help="stop after so many; 0: by epochs alone")
    parser.add_argument("--rate", type=float, default=0.003)
    parser.add_argument("--adjust", type=float, default=0.7, help="strength of the logit adjustment")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--version", default="1.0.0")
    options = parser.parse_args()
    if not options.epochs and not options.minutes:
        parser.error("--epochs or --minutes must be above 0")
    return options


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    os.makedirs(options.work, exist_ok=True)
    labels = read_labels(options)
    index = {row["taxon"]: i for i, row in enumerate(labels)}
    floras = sorted({flora for row in labels for flora in row["floras"].split()})
    grows = {flora: torch.tensor([float(flora in row["floras"].split()) for row in labels]) for flora in floras}
    # held-out pictures come in the size that the normalize stage gives, with nothing stripped or turned to worry about here
    held_out = ["--size", "320", "--non-plants", "0.15", "--plain"]
    data = Split(draw(options, "train", options.seed, options.train, ["--size", "160", "--non-plants", "0.08", "--plain"]), index)
    prior = torch.bincount(data.species[data.species >= 0], minlength=len(labels)).float() + 0.5
    network = Network(len(labels)).to(memory_format=torch.channels_last)
    print("%d pictures of %d species, %d parameters" % (len(data.rows), len(labels), sum(p.numel() for p in network.parameters())),
          flush=True)
    network.train()
    steps = train(network, data, options, prior / prior.sum())
    del data
    validation = Split(draw(options, "validation", options.seed, options.test // 2, held_out), index)
    temperature = temperature_of(predict(network, validation)[0], validation.species)
    nothing = Split(draw(options, "train", options.seed + 1000, 4000, ["--size", "160", "--non-plants", "1", "--plain"]), index)
    plants = Split(draw(options, "validation", options.seed + 1000, 1500, ["--size", "320", "--plain"]), index)
    fit_plant(network, nothing, plants)
    del nothing, plants
    test = Split(draw(options, "test", options.seed, options.test, held_out + ["--even"]), index)
    accuracy = {"split": "linnet-flora test, every species as often; no observation, observer or site is shared with training",
                "seed": options.seed, "steps": steps}
    accuracy.update(measure(network, test, temperature, grows))
    print(json.dumps(accuracy, indent=1))
    write(options, network, labels, temperature, accuracy, " ".join(["train.py"] + sys.argv[1:]))


if __name__ == "__main__":
    main()
