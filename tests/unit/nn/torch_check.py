#!/usr/bin/python3
"""Whole networks against PyTorch: torch_check.py NN_RUN small|families [BACKEND]

Each network is made with random weights from a fresh seed (LINNET_TEST_SEED repeats one), exported as ONNX at several
operator sets, run by the engine and by PyTorch on the same random pictures, and compared: the largest error of any output as
a share of its largest value. They are run three pictures at a time; only the families, emulated, in one precision in turn, in the
others one picture, for that is what takes the time. Needs python3-torch and python3-torchvision of Debian; ends with 77 (skipped) without them.
"""
import math
import os
import random
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy
    import torch
    import torchvision.models as zoo
    from torch import nn
    from torch.nn import functional as F
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

# Rounding of sums of a few thousand products grows with the depth; a wrong operator is off by far more.
TOLERANCE = {"f32": 1e-5, "bf16": 3e-2, "f16": 6e-3}
BACKEND = sys.argv[3] if len(sys.argv) > 3 else "cpu"
PRECISIONS = ("f32", "bf16") if BACKEND == "cpu" else ("f32", "bf16", "f16")


class Heads(nn.Module):
    """A convolutional trunk with all that Linnet's models put out: logits, organs, plant, embedding."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.one = nn.Sequential(nn.Conv2d(16, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU())
        self.three = nn.Sequential(nn.Conv2d(16, 24, 3, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU())
        self.pool = nn.Sequential(nn.AvgPool2d(3, 1, 1), nn.Conv2d(16, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.drop = nn.Dropout(0.3)
        self.embed, self.species = nn.Linear(64, 32), nn.Linear(32, 40)
        self.organ, self.plant = nn.Linear(32, 5), nn.Linear(32, 1)

    def forward(self, x):
        x = self.stem(x)
        x = F.max_pool2d(torch.cat([self.one(x), self.three(x), self.pool(x)], 1), 3, 2, ceil_mode=True)
        e = self.embed(self.drop(F.adaptive_avg_pool2d(x, 1).flatten(1)))
        return self.species(e), self.organ(e), self.plant(e), e


class Mobile(nn.Module):
    """Depthwise convolutions, squeeze and excitation, all the activations, a channel shuffle, padding on one side."""

    def __init__(self):
        super().__init__()
        self.wide, self.deep = nn.Conv2d(3, 24, 1), nn.Conv2d(24, 24, 5, padding=2, groups=24)
        self.squeeze, self.excite = nn.Conv2d(24, 8, 1), nn.Conv2d(8, 24, 1)
        self.grouped, self.norm = nn.Conv2d(24, 24, 3, dilation=2, groups=4), nn.BatchNorm2d(24)

    def forward(self, x):
        x = F.hardswish(self.wide(F.pad(x, (0, 1, 2, 0))))
        y = F.silu(self.deep(x))
        s = F.hardsigmoid(self.excite(F.relu6(self.squeeze(y.mean((2, 3), keepdim=True)))))
        x = x + y * s
        n, c, h, w = x.size()
        x = x.view(n, 3, c // 3, h, w).transpose(1, 2).reshape(n, c, h, w)
        x = F.leaky_relu(self.norm(self.grouped(x)), 0.1)
        a, b = torch.split(x, [10, 14], 1)
        x = F.avg_pool2d(torch.cat([b, a], 1), 3, 2, 1, ceil_mode=True, count_include_pad=False)
        return torch.sigmoid(x).view(x.size(0), -1), F.softmax(x.flatten(2).transpose(1, 2), 2)


class Attention(nn.Module):
    """Products of tensors with each other, over sequences."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = nn.Linear(12, 16), nn.Linear(12, 16, bias=False), nn.Linear(12, 16)

    def forward(self, x):
        x = x[:, :, :, 0].transpose(1, 2).reshape(x.size(0), -1, 12)
        weights = torch.softmax(self.query(x) @ self.key(x).transpose(1, 2) / 4.0, -1)
        y = weights @ self.value(x)
        return y, torch.tanh(y[:, 0] - y.mean(1)), y.amax(2).unsqueeze(1)


class Dino(nn.Module):
    """A vision transformer as DINOv2 is one: class and register tokens, attention by one product for queries, keys and values,
    LayerScale, and what is read off it: the class token and the mean of the patches."""

    class Block(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads, self.norm1, self.norm2 = heads, nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            self.scale1, self.scale2 = nn.Parameter(torch.rand(width)), nn.Parameter(torch.rand(width))

        def forward(self, x):
            n, length, width = x.shape
            q, k, v = self.qkv(self.norm1(x)).reshape(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
            y = torch.softmax((q * (width // self.heads) ** -0.5) @ k.transpose(-2, -1), -1) @ v
            x = x + self.scale1 * self.proj(y.transpose(1, 2).reshape(n, length, width))
            return x + self.scale2 * self.narrow(F.gelu(self.wide(self.norm2(x))))

    def __init__(self, size=42, patch=14, width=48, heads=3, depth=2, registers=4):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token, self.registers = nn.Parameter(torch.randn(1, 1, width)), nn.Parameter(torch.randn(1, registers, width))
        self.places = nn.Parameter(torch.randn(1, (size // patch) ** 2 + 1, width))
        self.blocks = nn.ModuleList(Dino.Block(width, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(2 * width, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.places
        if self.registers.shape[1]:
            x = torch.cat((x[:, :1], self.registers.expand(x.shape[0], -1, -1), x[:, 1:]), 1)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return self.head(torch.cat((x[:, 0], x[:, 1 + self.registers.shape[1]:].mean(1)), 1)), x[:, 0]


class Gelus(nn.Module):
    """GELU by erf and by tanh, a softmax over channels, a normalisation over several dimensions."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.norm = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=2), nn.LayerNorm((8, 11, 11))

    def forward(self, x):
        x = F.gelu(self.one(x), approximate="tanh")
        x = F.gelu(self.two(x)) + torch.softmax(x[:, :, 1:-1, 1:-1], 1)
        return self.norm(x), 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def vit():
    return zoo.VisionTransformer(image_size=32, patch_size=16, num_layers=2, num_heads=3, hidden_dim=48, mlp_dim=96, num_classes=10)


def convnext():
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt
    return ConvNeXt([CNBlockConfig(16, 32, 1), CNBlockConfig(32, None, 1)], num_classes=10, layer_scale=0.5)


SMALL = [(Heads, 64), (Mobile, 31), (Attention, 32), (Dino, 42), (Gelus, 15), (vit, 32), (convnext, 40)]
FAMILIES = [("googlenet", 224), ("inception_v3", 299), ("resnet18", 224), ("resnet50", 224), ("resnext50_32x4d", 224),
            ("mobilenet_v2", 224), ("mobilenet_v3_large", 224), ("efficientnet_b0", 224), ("densenet121", 224)]


def randomise(network):
    """Weights that keep the signal's size through the layers, and statistics that are not those of a fresh layer."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.6, 1.2)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.7, 1.5)
    return network.eval()


def family(name, size=None):
    """A network of torchvision, or DINOv2's smaller ones; `size`: of its pictures, where it has to be told."""
    if name in ("dinov2_vits14", "dinov2_vitb14"):
        return Dino(size or 518, 14, *((384, 6) if name == "dinov2_vits14" else (768, 12)), 12, 0)
    options = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    if options:
        options["transform_input"] = True
    if name.startswith("vit_") and size:
        options["image_size"] = size
    return getattr(zoo, name)(weights=None, **options)


def export(network, pictures, path, opset, folded):
    mode = torch.onnx.TrainingMode.EVAL if folded else torch.onnx.TrainingMode.PRESERVE
    with torch.no_grad():
        expected = network(pictures)
    expected = list(expected) if isinstance(expected, tuple) else [expected]
    names = ["output%d" % i for i in range(len(expected))]
    torch.onnx.export(network, pictures, path, opset_version=opset, training=mode, input_names=["input"], output_names=names,
                      dynamic_axes={name: {0: "batch"} for name in ["input"] + names})
    return [e.numpy() for e in expected]


def check(program, label, path, pictures, expected, precision):
    run = subprocess.run([program, path, str(len(pictures)), precision, "0", BACKEND], input=pictures.numpy().astype("<f4").tobytes(),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    words = run.stderr.decode().strip()
    if run.returncode:
        skipped = precision == "bf16" and "16 bits" in words
        print("%-44s %s" % (label, "no bf16 here" if skipped else words))
        return skipped
    got, at, worst = numpy.frombuffer(run.stdout, "<f4"), 0, 0.0
    # A single logit may come out near 0 by chance, and is then no measure of its own error: a quarter of the largest output is the least.
    least = max(float(numpy.abs(want).max()) for want in expected) / 4
    for want in expected:
        part = got[at:at + want.size].reshape(want.shape)
        worst, at = max(worst, float(numpy.abs(part - want).max()) / max(least, float(numpy.abs(want).max()))), at + want.size
    good = at == got.size and worst <= TOLERANCE[precision]
    print("%-44s error %.1e of the maximum%s" % (label, worst, "" if good else "  TOO LARGE"), flush=True)
    return good


def main():
    program, which = sys.argv[1], sys.argv[2]
    seed = int(os.environ.get("LINNET_TEST_SEED") or str(random.randrange(1 << 31)), 0) % (1 << 63)
    print("LINNET_TEST_SEED=%d" % seed)
    warnings.filterwarnings("ignore")
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    good = True
    cases = SMALL if which == "small" else FAMILIES
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.onnx")
        for index, (make, size) in enumerate(cases):
            name = make if isinstance(make, str) else make.__name__
            network = randomise(family(make) if isinstance(make, str) else make())
            pictures = torch.randn(3, 3, size, size)
            for turn, opset in enumerate((9, 11, 13, 17) if which == "small" else ((11, 13, 17)[index % 3],)):
                if opset == 9 and name == "Mobile":  # hardswish has no name there
                    continue
                folded = (turn + index) % 2 == 0
                expected = export(network, pictures, path, opset, folded)
                for place, precision in enumerate(PRECISIONS):
                    slow = BACKEND == "emulated" and which == "families"
                    count = 1 if slow and (index + place) % len(PRECISIONS) else 3
                    label = "%s, opset %d%s, %s, %d" % (name, opset, "" if folded else ", unfolded", precision, count)
                    good &= check(program, label, path, pictures[:count], [e[:count] for e in expected], precision)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
