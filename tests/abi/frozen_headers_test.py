#!/usr/bin/env python3
"""The C interface of an earlier minor is a prefix of today's.

  frozen_headers_test.py FROZEN_FOLDER INCLUDE_FOLDER LAYOUT_FILE COMPILER...

FROZEN_FOLDER/include are the headers as they were, LAYOUT_FILE is what their layout was said to be. With every
compiler, as C11: the frozen headers have that layout; the headers of today keep each of its facts, and the members of
each struct begin with those it had; FROZEN_FOLDER/source compiles against both without a warning.
"""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import abi_layout  # noqa: E402

FROZEN, TODAY, LAYOUT, COMPILERS = (pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]),
                                    sys.argv[4:])
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]


def members(include):
    return dict(abi_layout.structs_of("".join(header.read_text() for header in abi_layout.headers_in(include))))


def changed_members():
    """Structs that do not begin with the members they had."""
    today = members(TODAY)
    for name, before in members(FROZEN / "include").items():
        now = today.get(name, [])
        if now[:len(before)] != before:
            yield f"{name}: expected members {', '.join(before)}, found {', '.join(now)}"


def changed_layout(compiler):
    found = abi_layout.layout_by(compiler, "c", FROZEN / "include")
    if found != LAYOUT.read_text():
        yield (f"{compiler}: the frozen headers differ from {LAYOUT.name}:\n"
               + abi_layout.difference(LAYOUT.read_text(), found))
    program = abi_layout.asserting_program(TODAY, LAYOUT.read_text())
    done = subprocess.run([compiler, "-x", "c", "-std=c11", f"-I{TODAY}", "-fsyntax-only", "-"],
                          input=program, text=True, capture_output=True)
    if done.returncode != 0:
        yield f"{compiler}: the headers of today break {LAYOUT.name}:\n{done.stderr}"


def unsound_sources(compiler, include):
    for source in sorted((FROZEN / "source").rglob("*.c")):
        done = subprocess.run([compiler, "-std=c11", "-O1", *WARNINGS, f"-I{include}", f"-I{FROZEN / 'source'}", "-c",
                               source, "-o", "/dev/null"], text=True, capture_output=True)
        if done.returncode != 0:
            yield f"{source.name} with {compiler} against {include}:\n{done.stderr}"


def main():
    problems = list(changed_members())
    for compiler in COMPILERS:
        problems += changed_layout(compiler)
        for include in (FROZEN / "include", TODAY):
            problems += unsound_sources(compiler, include)
    num_sources = len(list((FROZEN / "source").rglob("*.c")))
    if num_sources == 0 or not COMPILERS:
        problems.append("nothing to compile, or no compiler")
    print("\n".join(problems) or f"{len(members(TODAY))} structs, {num_sources} sources, {len(COMPILERS)} compilers")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
