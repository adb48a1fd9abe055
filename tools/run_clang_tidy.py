#!/usr/bin/env python3
"""Runs clang-tidy-16 over the C++ files of this tree and remembers which were found clean.

    tools/run_clang_tidy.py BUILD_FOLDER [FILE...]

BUILD_FOLDER has a compile_commands.json made for clang. Without FILE all sources of runtime, plugins and sdk are
checked. A unity build compiles several sources as one unit; such a unit is checked as a whole, which takes a fifth of the
time of its sources. A unit is checked again only if one of its sources, a header of this tree that they include, the
compile command, .clang-tidy or clang-tidy itself changed; the memory is kept in ~/.cache/vernal-tidy, where it also serves
other clones.
"""
import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path.home() / ".cache" / "vernal-tidy"
FOLDERS = ("runtime", "plugins", "sdk")
TIDY = "clang-tidy-16"
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)


def sources_of(unit):
    """The sources that a file of compile_commands.json stands for: itself, or what a unity file includes."""
    if unit.suffix == ".cxx" and unit.parent.name == "Unity":
        return [pathlib.Path(name.decode()) for name in INCLUDE.findall(unit.read_bytes())]
    return [unit]


def is_own(path):
    return path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in FOLDERS and path.suffix == ".cpp"


def own_units(database, wanted):
    """{unit: (its sources, compile command)} of what is to be checked."""
    units, known = {}, set()
    for entry in database:
        unit = pathlib.Path(entry["directory"], entry["file"]).resolve()
        sources = [source for source in sources_of(unit) if is_own(source)]
        if not sources or known.issuperset(sources):
            continue
        known.update(sources)
        units[unit] = (sources, entry["command"])
    if not wanted:
        return units
    chosen = {pathlib.Path(name).resolve() for name in wanted}
    if unknown := sorted(chosen - known):
        sys.exit(f"run_clang_tidy: not in compile_commands.json: {', '.join(map(str, unknown))}")
    return {unit: value for unit, value in units.items() if chosen.intersection(value[0])}


def include_folders(command):
    words = shlex.split(command)
    folders = [word[2:] for word in words if word.startswith("-I") and len(word) > 2]
    folders += [words[i + 1] for i, word in enumerate(words[:-1]) if word in ("-I", "-isystem")]
    return tuple(pathlib.Path(folder) for folder in folders if pathlib.Path(folder).is_relative_to(ROOT))


@functools.cache
def content_hash(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@functools.cache
def direct_includes(path, folders):
    found = set()
    for name in INCLUDE.findall(path.read_bytes()):
        for folder in (path.parent, *folders):
            candidate = (folder / name.decode(errors="replace")).resolve()
            if candidate.is_file():
                found.add(candidate)
                break
    return frozenset(found)


def own_closure(sources, folders):
    """The files and every header of this tree that they include, however deep."""
    seen, waiting = set(), list(sources)
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += direct_includes(current, folders)
    return seen


def key_of(sources, command, settings):
    digest = hashlib.sha256(settings.encode())
    digest.update(command.replace(str(ROOT), ".").encode())
    for file in sorted(own_closure(sources, include_folders(command))):
        digest.update(f"{os.path.relpath(file, ROOT)} {content_hash(file)}\n".encode())
    return digest.hexdigest()


def check(path, build):
    """(seconds, what clang-tidy found or None)."""
    begin = time.monotonic()
    result = subprocess.run([TIDY, "--quiet", "-p", str(build), str(path)], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True)
    output = result.stdout.strip() + ("\n" + result.stderr.strip() if result.returncode and not result.stdout else "")
    return time.monotonic() - begin, output if result.returncode else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    database = json.loads((arguments.build / "compile_commands.json").read_text())
    version = subprocess.run([TIDY, "--version"], check=True, capture_output=True, text=True).stdout
    settings = version + (ROOT / ".clang-tidy").read_text()
    CACHE.mkdir(parents=True, exist_ok=True)
    units = own_units(database, arguments.files)
    keys = {unit: key_of(sources, command, settings) for unit, (sources, command) in units.items()}
    waiting = sorted(unit for unit, key in keys.items() if not (CACHE / key).exists())
    num_sources = sum(len(sources) for sources, _ in units.values())
    print(f"clang-tidy: {len(waiting)} of {len(units)} units ({num_sources} files in all) changed since they were found clean",
          flush=True)
    num_bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(check, path, arguments.build): path for path in waiting}
        for number, run in enumerate(concurrent.futures.as_completed(runs), 1):
            path = runs[run]
            seconds, found = run.result()
            print(f"[{number}/{len(waiting)}] {path.relative_to(ROOT)} ({seconds:.0f} s)", flush=True)
            if found is None:
                (CACHE / keys[path]).touch()
            else:
                num_bad += 1
                print(found, flush=True)
    print(f"clang-tidy: {num_bad} units with findings" if num_bad else "clang-tidy: clean")
    return 1 if num_bad else 0


if __name__ == "__main__":
    sys.exit(main())
