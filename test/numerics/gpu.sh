#!/usr/bin/env bash
# The golden models and layers of the published width on a GPU: right, with the interpreter's bits, and how fast.
#
#   test/numerics/gpu.sh prepare BUILD CHIP FOLDER      compiles all that `run` needs into FOLDER and tries it on the interpreter; needs no GPU
#   test/numerics/gpu.sh run BUILD CHIP FOLDER [ptx]    on a machine with that GPU, which needs neither LLVM nor ptxas; ptx: on the interpreter
#
# Both want BUILD and FOLDER under the same absolute names: artifacts say where their checkpoint is.
set -euo pipefail

fail() {
  echo "error: $*" >&2
  exit 1
}

[[ $# -ge 4 && ($1 == prepare || $1 == run) ]] || fail "gpu.sh: arguments must be prepare or run, BUILD, CHIP and FOLDER, but found $*"
command=$1 bin=$(realpath "$2")/bin chip=$3 folder=$(realpath -m "$4") device=${5:-cuda}
[[ -x $bin/glm-run ]] || fail "$bin/glm-run: program must be built, but found none"
wide=$folder/wide
mkdir -p "$folder"
export GLM_TEST_KEEP=$folder

# Layers whose weights leave every cache: one dense, one of experts with an indexer, one without.
make_wide() { [[ -d $wide ]] || "$bin/glm-make-checkpoint" --preset=wide --set n_routed_experts="${GLM_GPU_EXPERTS:-32}" "$wide"; }

if [[ $command == prepare ]]; then
  GLM_TEST_DEVICE=ptx "$bin/GlmTestNumerics" --gtest_brief=1 \
    --gtest_filter="Gpus/EndToEndGpu.roundedActivations/$chip*:Gpus/EndToEndGpuShort.exactLogits/$chip*"
  make_wide
  rm -rf "$wide.glm"
  "$bin/glm-compile" "$wide" -o "$wide.glm" --target="$chip" --max-model-len=8192
  exit
fi

GLM_TEST_DEVICE=$device "$bin/GlmTestNumerics" --gtest_brief=1 --gtest_filter="Gpus/*/$chip*"
make_wide
[[ $device == cuda ]] || exit 0 # The interpreter's time says nothing about a chip's.
"$bin/glm-run" bench "$wide.glm" --device=cuda --prompt=64 --new=64 --batch=1,2,4,8
"$bin/glm-run" bench "$wide.glm" --device=cuda --prompt=0 --new=64 --depth=3000 --batch=1
