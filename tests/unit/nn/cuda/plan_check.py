#!/usr/bin/python3
"""Every reference network planned for an H200, without one: plan_check.py NN_PLAN DEVICE.json small|families|all [BATCH]

Networks with random weights are exported and handed to nn_plan in f16 and bf16: two of them, the others, or all. Ends with 77
(skipped) without python3-torch and python3-torchvision.
"""
import os
import subprocess
import sys
import tempfile
import warnings

try:
    import torch
    import torchvision.models as zoo
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

FAMILIES = [("resnet50", 224), ("inception_v3", 299), ("googlenet", 224), ("efficientnet_b0", 224), ("efficientnet_b4", 380),
            ("mobilenet_v3_large", 224), ("densenet121", 224), ("resnext50_32x4d", 224), ("convnext_tiny", 224), ("vit_b_16", 224)]
SMALL = ("resnet50", "mobilenet_v3_large")


def network(name):
    options = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return getattr(zoo, name)(weights=None, **options).eval()


def main():
    program, device = sys.argv[1], sys.argv[2]
    batch = sys.argv[4] if len(sys.argv) > 4 else "64"
    families = [f for f in FAMILIES if sys.argv[3] == "all" or (f[0] in SMALL) == (sys.argv[3] == "small")]
    warnings.filterwarnings("ignore")
    good = True
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.onnx")
        for name, size in families:
            torch.onnx.export(network(name), torch.randn(1, 3, size, size), path, opset_version=17, input_names=["input"],
                              output_names=["output"], dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}})
            for precision in ("f16", "bf16"):
                run = subprocess.run([program, path, precision, batch, device], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                words = (run.stdout + run.stderr).decode().strip()
                # An operator that the reader does not know yet is the reader's affair, and said.
                unread = run.returncode == 2 and words.startswith("unsupported: ") and path in words
                good &= run.returncode == 0 or unread
                print("%-20s %-5s %s%s" % (name, precision, "NOT READ YET: " if unread else "", words[:300]), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
