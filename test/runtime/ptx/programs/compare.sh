#!/bin/sh
# Runs the programs of this machine's GPU on it and in the interpreter, and compares what they computed.
# usage: compare.sh BUILD_DIR [FOLDER_OF_NVIDIA'S_LIBCUDA]
set -eu
tests=$1/test/runtime/ptx/programs/ptx-program-tests
library=${2:-$(dirname "$(ldconfig -p | sed -n 's/.*libcuda\.so\.1 .*x86-64.*=> //p' | head -n 1)")}
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
filter="Programs.*:RoundedSums*.*:ProgramsOfSm${capability}a*.*"
results=$(mktemp -d) failed=0
mkdir "$results/device" "$results/interpreter"

LD_LIBRARY_PATH=$library GLM_PROGRAM_RESULTS=$results/device "$tests" --gtest_filter="$filter" || failed=1
LD_LIBRARY_PATH=$1/lib/ptx GLM_PTX_SUMS=aligned GLM_PTX_CHIP=sm_${capability}a GLM_PROGRAM_RESULTS=$results/interpreter "$tests" --gtest_filter="$filter" || failed=1

python3 "$(dirname "$0")/compare.py" "$results/device" "$results/interpreter" || failed=1
exit $failed
