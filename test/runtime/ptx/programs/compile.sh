#!/bin/sh
# Makes the committed PTX of the programs beside this script with CUDA 13.0's nvcc, which need not be there to build or test.
# usage: compile.sh [NVCC]
set -eu
cd "$(dirname "$0")"
nvcc=${1:-nvcc}

compile() {
  name=$1
  shift
  for chip in "$@"; do
    # Comments and folders of this machine do not belong into the tree.
    "$nvcc" -std=c++17 $flags -arch="$chip" -ptx "$name.cu" -o - |
      sed -e 's,^\(\s*\.file\s*[0-9]*\s*"\)[^"]*/,\1,' -e '/^\/\//d' -e 's/,\s*[0-9]*,\s*[0-9]*$//' >"$name.$chip.ptx"
  done
}

flags=-lineinfo
compile Reduce sm_90a sm_100a sm_120a
flags=
compile Numerics sm_90a sm_100a sm_120a
compile GemmWmma sm_90a sm_100a sm_120a
compile GemmMma sm_90a sm_100a sm_120a
compile Cub sm_90a sm_100a sm_120a
compile Tma sm_90a sm_100a sm_120a
compile GemmWgmma sm_90a
compile GemmTcgen05 sm_100a
compile GemmBlockScale sm_120a
