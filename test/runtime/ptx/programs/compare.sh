#!/bin/sh
# Runs the programs of this machine's GPU on it and in the interpreter, and compares what they computed byte by byte.
# usage: compare.sh BUILD_DIR [FOLDER_OF_NVIDIA'S_LIBCUDA]
set -eu
tests=$1/test/runtime/ptx/programs/ptx-program-tests
library=${2:-$(dirname "$(ldconfig -p | sed -n 's/.*libcuda\.so\.1 .*x86-64.*=> //p' | head -n 1)")}
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
filter="Programs.*:ProgramsOfSm${capability}a.*"
results=$(mktemp -d)
mkdir "$results/device" "$results/interpreter"

# The tests find the interpreter by the path that they were linked with; LD_LIBRARY_PATH comes before it.
LD_LIBRARY_PATH=$library GLM_PROGRAM_RESULTS=$results/device "$tests" --gtest_filter="$filter"
GLM_PTX_CHIP=sm_${capability}a GLM_PROGRAM_RESULTS=$results/interpreter "$tests" --gtest_filter="$filter"

differing=0
for file in "$results"/device/*; do
  name=$(basename "$file")
  if ! cmp "$file" "$results/interpreter/$name"; then
    differing=$((differing + 1))
  fi
done
echo "$(ls "$results/device" | wc -l) results, $differing differ; they are in $results"
test "$differing" -eq 0
