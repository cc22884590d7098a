#!/usr/bin/env python3
"""Networks on the GPU, timed against PyTorch in one run: times.py LINNET [--quick]

For each network and batch: Linnet's f16 (the network alone, from floats), PyTorch eager in f16 channels_last under inference_mode
and torch.compile max-autotune, each a median of runs of the whole batch with its input on the host for Linnet and on the device for
PyTorch (to PyTorch's advantage). TensorRT and MLPerf are not run; their published figures are not of this machine. Ends with 77 where
PyTorch or its CUDA is missing; a network that a side cannot run has a dash.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

try:
    import torch
    import torchvision.models as zoo
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

NETWORKS = [("resnet50", 224), ("inception_v3", 299), ("googlenet", 224), ("efficientnet_b0", 224), ("mobilenet_v3_large", 224),
            ("densenet121", 224)]


def network(name):
    options = {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return getattr(zoo, name)(weights=None, **options).eval()


def linnet(program, path, batch):
    run = subprocess.run([program, "bench-model", path, "--backend=cuda", "--precision=f16", "--batch=%d" % batch, "--runs=50", "--json"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode:
        print(run.stderr.decode().strip(), file=sys.stderr)
        return None, None
    answer = json.loads(run.stdout)
    return answer["images_per_second"], answer["roofline_share"]


def torch_rate(call, pictures, runs=50):
    with torch.inference_mode():
        for _ in range(5):
            call(pictures)
        torch.cuda.synchronize()
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            call(pictures)
            torch.cuda.synchronize()
            times.append(time.perf_counter() - start)
    return len(pictures) / statistics.median(times)


def attempt(call):
    try:
        return call()
    except Exception as failure:  # what a side cannot do is a dash, with the reason in the log
        print(str(failure).splitlines()[0] if str(failure) else type(failure), file=sys.stderr)
        return None


def show(value, form="%.0f"):
    return form % value if value else "-"


def main():
    if not torch.cuda.is_available():
        print("skipped: this PyTorch has no CUDA")
        return 77
    warnings.filterwarnings("ignore")
    quick = "--quick" in sys.argv
    print("%s, PyTorch %s" % (torch.cuda.get_device_name(0), torch.__version__))
    print("%-20s %5s %10s %9s %10s %10s %8s %8s" % ("network", "batch", "linnet/s", "roofline", "eager/s", "compile/s", "x eager", "x comp."))
    ran = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.onnx")
        for name, size in NETWORKS[:2] if quick else NETWORKS:
            model = network(name)
            torch.onnx.export(model, torch.randn(1, 3, size, size), path, opset_version=17, input_names=["input"], output_names=["output"],
                              dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}})
            model = model.half().cuda().to(memory_format=torch.channels_last)
            compiled = torch.compile(model, mode="max-autotune") if hasattr(torch, "compile") and not quick else None
            for batch in (1, 64) if quick else (1, 8, 64, 128):
                ours, share = linnet(sys.argv[1], path, batch)
                pictures = torch.randn(batch, 3, size, size).half().cuda().to(memory_format=torch.channels_last)
                eager = attempt(lambda: torch_rate(model, pictures))
                other = attempt(lambda: torch_rate(compiled, pictures)) if compiled else None
                ran += ours is not None
                print("%-20s %5d %10s %9s %10s %10s %8s %8s" % (
                    name, batch, show(ours), show(share and 100 * share, "%.1f%%"), show(eager), show(other),
                    show(ours and eager and ours / eager, "%.2f"), show(ours and other and ours / other, "%.2f")), flush=True)
    return 0 if ran else 1


if __name__ == "__main__":
    sys.exit(main())
