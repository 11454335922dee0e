#!/usr/bin/env python3
"""Writes a C++ file that compares runtime/cuda/Types.h with NVIDIA's cuda.h: every enumerator, every structure's size and members.

usage: compare.py Types.h OUTPUT.cpp
"""

import re
import sys

# cuda.h names the newest form of a structure with a suffix.
NEWEST = {"CUDA_KERNEL_NODE_PARAMS": "CUDA_KERNEL_NODE_PARAMS_v2", "CUDA_MEMCPY2D": "CUDA_MEMCPY2D_v2",
          "CUDA_MEMCPY3D": "CUDA_MEMCPY3D_v2", "CUDA_MEMSET_NODE_PARAMS": "CUDA_MEMSET_NODE_PARAMS_v1",
          "CUDA_HOST_NODE_PARAMS": "CUDA_HOST_NODE_PARAMS_v1"}


def enumerators(text):
    for body in re.findall(r"\benum(?: \w+)?(?: : \w+)? \{(.*?)\}", text, re.S):
        yield from re.findall(r"^\s*(CU\w+)", re.sub(r",", "\n", body), re.M)


def structures(text):
    """(name, members of the outermost level)"""
    for name, body in re.findall(r"^(?:struct|union) (\w+) \{\n(.*?)^\};", text, re.S | re.M):
        flat = re.sub(r"\n  (?:struct|union) \{.*?\n  \}", "\n  nested", body, flags=re.S)
        members = []
        for line in re.findall(r"^  (?!//)(.*);", flat, re.M):
            declarators = re.sub(r"^(?:alignas\(\d+\) )?(?:const )?(?:unsigned |signed )?\w+ ", "", line)
            members += [re.sub(r"\[.*", "", part).strip(" *") for part in declarators.split(",")]
        yield name, members


def main():
    text = open(sys.argv[1], encoding="utf-8").read()
    names = list(enumerators(text))
    lines = ['#include "runtime/cuda/Types.h"', "", "#include <cstddef>", ""]
    # Some are macros in cuda.h, so ours are looked up before it is seen.
    lines += [f"constexpr auto our{name} = static_cast<long long>(glm::cuda::{name});" for name in names]
    lines += ["", "#include <cuda.h>", ""]
    lines += [f'static_assert(our{name} == static_cast<long long>({name}), "{name}");' for name in names]
    count = len(names)
    for name, members in structures(text):
        theirs = NEWEST.get(name, name)
        lines.append(f'static_assert(sizeof(glm::cuda::{name}) == sizeof({theirs}), "size of {name}");')
        for member in members:
            lines.append(f'static_assert(offsetof(glm::cuda::{name}, {member}) == offsetof({theirs}, {member}), "{name}.{member}");')
            count += 1
    if count < 200:
        sys.exit(f"{sys.argv[1]}: comparison must find the types, but found {count} names")
    lines += ["", "int main() { return 0; }"]
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
