"""export.py FOLDER [--networks A,B@SIZE,...]: networks with random weights as ONNX, those that are not there yet."""
import os
import sys
import warnings

NETWORKS = "resnet50,inception_v3,efficientnet_b0,mobilenet_v3_large,googlenet,densenet121"
SIZES = {"inception_v3": 299, "dinov2_vits14": 518, "dinov2_vitb14": 518}


def main():
    folder, rest = sys.argv[1], sys.argv[2:]
    names = rest[rest.index("--networks") + 1] if "--networks" in rest else NETWORKS
    missing = [name for name in names.split(",") if not os.path.exists(os.path.join(folder, name + ".onnx"))]
    if not missing:
        return
    warnings.filterwarnings("ignore")
    import torch
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../unit/nn"))
    import torch_check
    torch.manual_seed(1)
    for wanted in missing:
        name, _, size = wanted.partition("@")
        size = int(size or SIZES.get(name, 224))
        network = torch_check.randomise(torch_check.family(name, size))
        path = os.path.join(folder, wanted + ".onnx")
        torch_check.export(network, torch.zeros(2, 3, size, size), path + ".part", 13, True)
        os.rename(path + ".part", path)


if __name__ == "__main__":
    main()
