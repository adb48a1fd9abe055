#!/usr/bin/env python3
"""Checks that every path that a document of this tree names exists.

It checks links, and code spans that begin with a folder or file of the root. `<name>` and `*` stand for any text, and
`{a,b}` for each of a and b; one file must match each path. Paths of things that are built or fetched (build/, models/)
are not checked.
"""
import itertools
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOT_IN_THE_TREE = {"build", "models"}


def tracked_files():
    output = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout
    return [name for name in output.split("\0") if name and (ROOT / name).exists()]


def expand_braces(path):
    parts = re.split(r"\{([^{}]*)\}", path)
    choices = [part.split(",") if i % 2 else [part] for i, part in enumerate(parts)]
    return ["".join(chosen) for chosen in itertools.product(*choices)]


def named_paths(text):
    """(line number, path, whether it is a link) of every code span and link."""
    text = re.sub(r"^```.*?^```", lambda m: "\n" * m.group().count("\n"), text, flags=re.M | re.S)
    for number, line in enumerate(text.splitlines(), 1):
        for span in re.findall(r"`([^`]+)`", line):
            if re.fullmatch(r"(\./)?[\w.*<>{},-]+(/[\w.*<>{},-]*)*", span):
                yield number, span.removeprefix("./"), False
        for link in re.findall(r"\]\(([^)#\s]+)", line):
            if "://" not in link and not link.startswith("mailto:"):
                yield number, link, True


def matches(pattern, paths):
    """Whether any path fits; a star stands for anything within one name."""
    expression = re.compile("[^/]*".join(re.escape(piece) for piece in pattern.split("*")))
    return any(expression.fullmatch(path) for path in paths)


def problems():
    files = tracked_files()
    paths = set(files) | {parent.as_posix() for name in files for parent in pathlib.PurePosixPath(name).parents}
    roots = {name.split("/")[0] for name in files} - NOT_IN_THE_TREE
    for document in sorted(name for name in files if name.endswith(".md") and not name.startswith("tests/golden/")):
        folder = pathlib.PurePosixPath(document).parent
        for number, path, is_link in named_paths((ROOT / document).read_text()):
            if not is_link and path.rstrip("/").split("/")[0] not in roots:
                continue
            for choice in expand_braces(re.sub(r"<[^>]*>", "*", path)):
                whole = os.path.normpath(folder / choice if is_link else choice)
                if not matches(whole, paths):
                    yield f"{document}:{number}: there is no {choice}"


def main():
    found = list(problems())
    for problem in found:
        print(problem, file=sys.stderr)
    if not found:
        print("documents: every path they name exists")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
