#!/bin/bash
# qdq_fixture.sh: make tests/data/nn/qdq.* again: a small network with random weights, quantised by qdq.py to the ranges that calibration found, four
# pictures, and what ONNX Runtime makes of them by the network in f32 and in integers. After run.sh, whose folder it uses.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$root/build/bench-nn
to=$root/tests/data/nn
mkdir -p "$to"
/usr/bin/python3 - "$here/../../unit/nn" "$work/small.onnx" "$to/qdq.pictures.f32" <<'PY'
import sys
import torch
from torch import nn
sys.path.insert(0, sys.argv[1])
import torch_check

class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.one, self.three = nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 12, 1), nn.Conv2d(16, 20, 3, padding=1)
        self.deep, self.wide, self.last = nn.Conv2d(32, 32, 3, padding=1, groups=32), nn.Conv2d(32, 32, 1), nn.Linear(32, 40)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        x = torch.cat([torch.relu(self.one(x)), nn.functional.max_pool2d(self.three(x), 3, 1, 1)], 1)
        x = torch.relu(x + self.wide(torch.relu(self.deep(x))))
        return self.last(x.mean((2, 3)))

torch.manual_seed(3)
network = torch_check.randomise(Small()).eval()
torch_check.export(network, torch.zeros(2, 3, 24, 24), sys.argv[2], 13, True)
torch.randn(4, 3, 24, 24).numpy().tofile(sys.argv[3])
PY
"$root/build/bin/nn_int8" "$work/small.onnx" 8 8 most random "$work/small.int8.onnx"
/usr/bin/python3 "$here/qdq.py" "$work/small.int8.onnx" "$to/qdq.onnx"
cd "$work"
node - "$to" <<'JS'
const ort = require('onnxruntime-node'), fs = require('node:fs'), to = process.argv[2];
(async () => {
  const bytes = fs.readFileSync(`${to}/qdq.pictures.f32`), input = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  for (const [file, name] of [['small.onnx', 'f32'], [`${to}/qdq.onnx`, 'qdq']]) {
    const session = await ort.InferenceSession.create(file);
    const answer = await session.run({ [session.inputNames[0]]: new ort.Tensor('float32', input, [4, 3, 24, 24]) });
    fs.writeFileSync(`${to}/qdq.ort-${name}.f32`, Buffer.from(answer[session.outputNames[0]].data.buffer));
  }
})();
JS
