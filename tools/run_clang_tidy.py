#!/usr/bin/env python3
"""Runs clang-tidy-16 over the C++ files of this tree and remembers which were found clean.

    tools/run_clang_tidy.py BUILD_FOLDER [FILE...]

BUILD_FOLDER has a compile_commands.json made for clang. Without FILE all sources of runtime, plugins and sdk are
checked. A file is checked again only if it, a header of this tree that it includes, its compile command, .clang-tidy or
clang-tidy itself changed; the memory is kept in ~/.cache/vernal-tidy, where it also serves other clones.
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


def own_sources(database, wanted):
    """{file: compile command} of the sources to check."""
    commands = {}
    for entry in database:
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in FOLDERS and path.suffix == ".cpp":
            commands.setdefault(path, entry["command"])
    if not wanted:
        return commands
    chosen = {pathlib.Path(name).resolve() for name in wanted}
    if unknown := sorted(chosen - commands.keys()):
        sys.exit(f"run_clang_tidy: not in compile_commands.json: {', '.join(map(str, unknown))}")
    return {path: commands[path] for path in chosen}


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


def own_closure(path, folders):
    """The file and every header of this tree that it includes, however deep."""
    seen, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting += direct_includes(current, folders)
    return seen


def key_of(path, command, settings):
    digest = hashlib.sha256(settings.encode())
    digest.update(command.replace(str(ROOT), ".").encode())
    for file in sorted(own_closure(path, include_folders(command))):
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
    sources = own_sources(database, arguments.files)
    keys = {path: key_of(path, command, settings) for path, command in sources.items()}
    waiting = sorted(path for path, key in keys.items() if not (CACHE / key).exists())
    print(f"clang-tidy: {len(waiting)} of {len(sources)} files changed since they were found clean", flush=True)
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
    print(f"clang-tidy: {num_bad} files with findings" if num_bad else "clang-tidy: clean")
    return 1 if num_bad else 0


if __name__ == "__main__":
    sys.exit(main())
