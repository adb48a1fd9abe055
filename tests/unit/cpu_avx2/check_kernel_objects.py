#!/usr/bin/env python3
"""Looks at the objects of the CPU kernels: each uses the instructions it may, and no other.

The linker keeps one copy of an inline function that several sources have compiled. If a source for AVX-512 had
a copy of a function that AVX2 sources use as well, a processor without AVX-512 could be sent into it. So:

* objects for AVX2 have no instruction in the encodings of AVX-512, and none of AVX-VNNI but in functions that name
  a type of that set, where it is written out;
* each weak symbol of an object for a greater instruction set names a type of that set, so nobody else has it.
"""
import argparse
import re
import subprocess
import sys

# A weak function of such an object has this in its name. Templates over the vectors of the set do.
OWN_TYPE = {"avx_vnni.cpp": "AvxVnni", "avx512_vnni.cpp": "Avx512Vnni"}

# In 64-bit code byte 62 at the start of an instruction is the EVEX prefix: all of AVX-512 and nothing else.
EVEX = re.compile(r"^\s*[0-9a-f]+:\t62 ")
VNNI = re.compile(r"\bvpdp(bu|ws)sds?\b")
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def foreign_instructions(path, but_of=None):
    """Instructions beyond AVX2; with but_of without those of AVX-VNNI in functions that have it in their name."""
    found = []
    may_have = False
    for line in run("objdump", "-d", path).splitlines():
        function = FUNCTION.match(line)
        if function:
            may_have = but_of is not None and but_of in function[1]
        elif EVEX.match(line) or (VNNI.search(line) and not may_have):
            found.append(line)
    return found


def shared_functions(path, own_type):
    found = []
    for line in run("nm", "-C", "--defined-only", path).splitlines():
        kind, name = line.split(" ", 2)[1:]
        if kind in "WV" and own_type not in name:
            found.append(name)
    return found


def problems_of(path):
    own_type = next((own for stem, own in OWN_TYPE.items() if path.endswith(f"/{stem}.o")), None)
    if own_type is None:
        found = foreign_instructions(path, but_of="AvxVnni")
        return [f"{path}: {len(found)} instructions beyond AVX2, the first: {found[0].strip()}"] if found else []
    if not foreign_instructions(path):
        return [f"{path}: no instruction of its set was found; is it compiled with its flags?"]
    return [f"{path}: {name} is not a template over {own_type}" for name in shared_functions(path, own_type)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("objects", nargs="+")
    objects = parser.parse_args().objects
    problems = [problem for path in objects for problem in problems_of(path)]
    missing = [stem for stem in OWN_TYPE if not any(path.endswith(f"/{stem}.o") for path in objects)]
    if missing:
        problems.append(f"expected objects of {', '.join(missing)}, found none")
    print("\n".join(problems) or f"{len(objects)} objects use the instructions they may")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
