"""export.py FOLDER MODEL.json: Inception v3 with random weights and the four heads of Linnet's models, as FOLDER/model.onnx and FOLDER/model.json.

Classes, organs and normalisation are those of MODEL.json, so that the answers are made of taxa that the backbone has; how fast a network runs
does not depend on its weights. Needs python3-torch and python3-torchvision of Debian. Kept if it is there."""
import json
import os
import sys
import warnings

EMBEDDING, SIDE, RESIZED = 512, 299, 320


def network(classes, organs):
    import torch
    from torch import nn
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../unit/nn"))
    import torch_check

    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.trunk = torch_check.family("inception_v3")
            self.trunk.transform_input = False
            self.trunk.fc = nn.Linear(2048, EMBEDDING)
            self.species, self.organ, self.plant = nn.Linear(EMBEDDING, classes), nn.Linear(EMBEDDING, organs), nn.Linear(EMBEDDING, 1)

        def forward(self, x):
            embedding = self.trunk(x)
            return self.species(embedding), self.organ(embedding), self.plant(embedding), embedding

    torch.manual_seed(1)
    return torch_check.randomise(Heads())


def main():
    folder, description = sys.argv[1:]
    target = os.path.join(folder, "model.onnx")
    if os.path.exists(target):
        return
    os.makedirs(folder, exist_ok=True)
    warnings.filterwarnings("ignore")
    import torch
    with open(description, encoding="utf-8") as file:
        model = json.load(file)
    names = [model["outputs"][head] for head in ("species", "organ", "plant", "embedding")]
    torch.onnx.export(network(len(model["labels"]), len(model["organs"])), torch.zeros(2, 3, SIDE, SIDE), target + ".part", opset_version=13,
                      input_names=[model["input"]["name"]], output_names=names, dynamic_axes={name: {0: "batch"} for name in [model["input"]["name"]] + names})
    model.update(_id="model:inception-v3@0.0.1", name="inception-v3", version="0.0.1")
    model["input"].update(width=SIDE, height=SIDE, resize_to=RESIZED)
    model.pop("accuracy", None)
    model.pop("training", None)
    with open(os.path.join(folder, "model.json"), "w", encoding="utf-8") as file:
        json.dump(model, file, indent=1)
    os.rename(target + ".part", target)


if __name__ == "__main__":
    main()
