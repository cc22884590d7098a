#!/bin/bash
# run.sh: the GPU backend, on whatever this machine has.
#
#   tests/gpu/run.sh [--quick] [--out DIR]
#
# With an NVIDIA GPU: builds (or takes what stands in build/), checks every operator against the naive reference and every
# network against PyTorch, times against PyTorch where that has CUDA, keeps the device's own description, runs
# compute-sanitizer where it is installed. Without a GPU: compiles, links, plans for a described H200 and runs the launches on the
# CPU. One line for each step: ok, FAILED, or "not here" with the reason, which is no failure. --quick leaves out what takes minutes.
# Logs and the device's description go to DIR ($OUT if it is set, else build/gpu).
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
cd "$root"
quick= out=${OUT:-$root/build/gpu}
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=yes ;;
  --out) shift; out=${1:?a folder is wanted} ;;
  -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "run.sh: no option '$1'; see --help" >&2; exit 2 ;;
  esac
  shift
done
mkdir -p "$out" || exit 1
bin=$root/build/bin
python=/usr/bin/python3
command -v python3 >/dev/null && python3 -c 'import torch' 2>/dev/null && python=python3
passed=0 failed=0 absent=0

say() { printf '%-46s %s\n' "$1" "$2"; }
not_here() { say "$1" "not here: $2"; absent=$((absent + 1)); }
step() { # step NAME COMMAND...: its last line is the result; 77 means skipped
  local name=$1 log status
  shift
  log=$out/$(tr -c 'a-zA-Z0-9\n' - <<<"$name").log
  "$@" >"$log" 2>&1
  status=$?
  case $status in
  0) say "$name" "ok  $(tail -n 1 "$log" | cut -c1-100)"; passed=$((passed + 1)) ;;
  77) not_here "$name" "$(tail -n 1 "$log" | cut -c1-100)" ;;
  *) say "$name" "FAILED ($status), see $log"; tail -n 5 "$log"; failed=$((failed + 1)) ;;
  esac
}

build() {
  cmake --preset release && cmake --build --preset release -j "$(nproc)" --target nn_run nn_plan linnet_nn_cuda linnet_nn_cpu linnet_nn_emulated \
    unit_nn_backends unit_nn_elementwise unit_nn_linear unit_nn_shapes unit_nn_window unit_nn_cuda linnet &&
    ls -1 build/lib/liblinnet-nn-cuda.so
}
as_emulated() { LINNET_NN_PATH=$root/build/tests-lib LINNET_TEST_BACKEND=emulated "$@"; }
on_gpu() { LINNET_TEST_BACKEND=cuda "$@"; }
says_why() { "$bin/unit_nn_backends" 2>&1 | grep -E 'no NVIDIA|liblinnet-nn-cuda'; }
operators() { # operators HOW: every operator against the reference
  local test
  for test in elementwise linear shapes window; do "$1" "$bin/unit_nn_$test" || return 1; done
  echo "elementwise, linear, shapes, window: f32, bf16, f16"
}

if command -v cmake >/dev/null && command -v nvcc >/dev/null; then
  step "compile and link (nvcc, cuDNN, cuBLASLt)" build
elif [ -x "$bin/nn_run" ]; then
  not_here "compile and link" "cmake or nvcc is missing; taking what stands in build/"
else
  not_here "compile and link" "cmake or nvcc is missing, and nothing stands in build/"
  exit 0
fi
[ -e build/lib/liblinnet-nn-cuda.so ] || { not_here "everything else" "the toolkit was not found, so there is no GPU backend"; exit $((failed > 0)); }

step "views, numbers, cache, kernels on the host" "$bin/unit_nn_cuda"
step "launches on the CPU, every operator" operators as_emulated
step "launches on the CPU, small networks" env LINNET_NN_PATH="$root/build/tests-lib" $python tests/unit/nn/torch_check.py "$bin/nn_run" small emulated
if [ -z "$quick" ]; then
  step "launches on the CPU, whole networks" env LINNET_NN_PATH="$root/build/tests-lib" $python tests/unit/nn/torch_check.py "$bin/nn_run" families emulated
  step "plans for a described H200, all networks" $python tests/unit/nn/cuda/plan_check.py "$bin/nn_plan" tests/gpu/h200.json all
else
  step "plans for a described H200" $python tests/unit/nn/cuda/plan_check.py "$bin/nn_plan" tests/gpu/h200.json small
fi

if ! "$bin/nn_plan" --device >"$out/device.json" 2>"$out/device.log"; then
  rm -f "$out/device.json"
  step "without a GPU the reason is said" says_why
  for name in "every operator on the GPU" "networks on the GPU against PyTorch" "compute-sanitizer" "times against PyTorch" "the device's own description"; do
    not_here "$name" "no GPU"
  done
else
  step "the device's own description" cat "$out/device.json"
  step "every operator on the GPU" operators on_gpu
  step "pictures as bytes on the GPU" on_gpu "$bin/unit_nn_backends"
  step "small networks on the GPU against PyTorch" $python tests/unit/nn/torch_check.py "$bin/nn_run" small cuda
  [ -n "$quick" ] || step "networks on the GPU against PyTorch" $python tests/unit/nn/torch_check.py "$bin/nn_run" families cuda
  if command -v compute-sanitizer >/dev/null; then
    step "compute-sanitizer" on_gpu compute-sanitizer --error-exitcode 1 "$bin/unit_nn_window"
  else
    not_here "compute-sanitizer" "it is not installed"
  fi
  step "times against PyTorch" $python tests/gpu/times.py "$bin/linnet" ${quick:+--quick}
  cat "$out/times-against-PyTorch.log"
fi
echo "$passed ok, $failed failed, $absent not here; logs in $out"
exit $((failed > 0))
