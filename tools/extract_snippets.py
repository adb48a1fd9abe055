#!/usr/bin/env python3
"""Makes the files that a document shows, and does what it says.

    tools/extract_snippets.py OUT DOCUMENT          the files into OUT
    tools/extract_snippets.py --run OUT DOCUMENT    the same, and the commands in OUT, each where it stands

What a fenced block is for stands behind its language:

    ```cpp file=acorn.cpp    a file, or the next part of it: parts are joined by an empty line
    ```sh run                commands for bash, run in OUT with -euo pipefail; they must succeed
    ```sh fails              the same, but the last must fail; what they print must follow, to show which that was
    ```text prints           lines that the commands before print, in this order; "..." stands for any text

Blocks without such a word are left alone. A line "<!-- walk FILE -->" stands for the blocks of that document, a chapter on a
page of its own.
"""
import argparse
import dataclasses
import pathlib
import re
import subprocess
import sys

CHAPTER = re.compile(r"^<!-- walk (\S+) -->$")
OPENING = re.compile(r"^```(\w+)[ \t]+(\S.*?)[ \t]*$")
LIMIT_S = 600  # of one block of commands


class SnippetError(Exception):
    """A document that is not sound, or does not tell the truth."""


@dataclasses.dataclass(frozen=True)
class Block:
    place: str  # "docs/guide.md:12"
    what: str   # "file", "run", "fails", "prints"
    file: str
    text: str


def kind_of(place, word):
    name, _, file = word.partition("=")
    if name == "file" and file:
        path = pathlib.PurePosixPath(file)
        if path.is_absolute() or ".." in path.parts:
            raise SnippetError(f"{place}: file expected inside the folder, found \"{file}\"")
        return "file", file
    if word in ("run", "fails", "prints"):
        return word, ""
    raise SnippetError(f"{place}: expected file=NAME, run, fails or prints behind the language, found \"{word}\"")


def read_blocks(document):
    lines = document.read_text().splitlines()
    blocks = []
    i = 0
    while i < len(lines):
        if chapter := CHAPTER.match(lines[i]):
            blocks += read_blocks(document.parent / chapter.group(1))
        if not lines[i].startswith("```"):
            i += 1
            continue
        begin, opening = i, OPENING.match(lines[i])
        i += 1
        while i < len(lines) and lines[i] != "```":
            i += 1
        if i == len(lines):
            raise SnippetError(f"{document}:{begin + 1}: the block has no end")
        if opening:
            place = f"{document}:{begin + 1}"
            what, file = kind_of(place, opening.group(2))
            blocks.append(Block(place, what, file, "".join(line + "\n" for line in lines[begin + 1:i])))
        i += 1
    return blocks


def append(out, block, begun):
    """The first piece of a file replaces what an earlier run left."""
    path = out / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a" if path in begun else "w") as file:
        file.write(("\n" if path in begun else "") + block.text)
    begun.add(path)


def run(out, block):
    """What the commands print."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", block.text], cwd=out, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=LIMIT_S)
    print(f"== {block.place}\n{block.text}{done.stdout}", flush=True)
    if (done.returncode != 0) != (block.what == "fails"):
        expected = "a failure" if block.what == "fails" else "success"
        raise SnippetError(f"{block.place}: expected {expected}, found exit status {done.returncode}")
    return done.stdout


def require_printed(block, output):
    rest = iter(output.splitlines())
    for line in block.text.splitlines():
        pattern = re.compile(".*".join(re.escape(piece) for piece in line.rstrip().split("...")))
        if not any(pattern.fullmatch(found.rstrip()) for found in rest):
            raise SnippetError(f"{block.place}: the commands before do not print, or not in this order:\n{line}")


def walk(out, document, is_run):
    out.mkdir(parents=True, exist_ok=True)
    begun = set()
    output = None
    blocks = read_blocks(document)
    for block, following in zip(blocks, [*blocks[1:], None]):
        if block.what == "fails" and (following is None or following.what != "prints"):
            raise SnippetError(f"{block.place}: what its commands print must follow")
        if block.what == "file":
            append(out, block, begun)
        elif not is_run:
            continue
        elif block.what == "prints":
            if output is None:
                raise SnippetError(f"{block.place}: no commands stand before it")
            require_printed(block, output)
        else:
            output = run(out, block)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="run the commands too")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("document", type=pathlib.Path)
    arguments = parser.parse_args()
    try:
        walk(arguments.out.resolve(), arguments.document, arguments.run)
    except (SnippetError, OSError, subprocess.TimeoutExpired) as error:
        print(f"extract_snippets: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
