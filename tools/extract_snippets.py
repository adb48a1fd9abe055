#!/usr/bin/env python3
"""Writes the files that a document shows, and runs its commands.

    tools/extract_snippets.py OUT DOCUMENT          writes the files to OUT
    tools/extract_snippets.py --run OUT DOCUMENT    the same, and runs the commands in OUT, in the order of the document

Words after the language of a fenced block say what it is:

    ```cpp file=acorn.cpp    a file, or the next part of it: parts are joined by an empty line
    ```sh run                commands for bash, run in OUT with -euo pipefail; they must succeed
    ```sh fails              the same, but the last must fail; what they print must follow, to show which that was
    ```text prints           lines that the commands before print, in this order; "..." stands for any text

Blocks without such words are ignored. A line "<!-- walk FILE -->" stands for the blocks of that document, which is a chapter
on a page of its own. A line that looks like one of these but is not written exactly so is an error, and so is a document
without a marked block: nothing is left out unnoticed.

With --run, "== DOCUMENT:LINE" is printed before each block. Processes that the commands leave running are ended.
"""
import argparse
import contextlib
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys

CHAPTER = re.compile(r"^<!-- walk (\S+) -->$")
OPENING = re.compile(r"^```(\w+)[ \t]+(\S.*?)[ \t]*$")
OTHER_OPENING = re.compile(r"^```\w*$")
ANY_FENCE = re.compile(r"^[\s>]*(```|~~~)")
ANY_BACKTICKS = re.compile(r"^[\s>]*```")
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


def end_of(document, lines, begin):
    """Index of the line that closes the block which begins there."""
    for i in range(begin + 1, len(lines)):
        if lines[i] == "```":
            return i
        if ANY_BACKTICKS.match(lines[i]):
            raise SnippetError(f"{document}:{i + 1}: expected ``` alone at the end of the block, found \"{lines[i]}\"")
    raise SnippetError(f"{document}:{begin + 1}: the block has no end")


def read_blocks(document, above=()):
    """The blocks of a document and its chapters; `above` are the documents that it is a chapter of."""
    if document in above:
        raise SnippetError(f"{document}: a chapter of itself")
    lines = document.read_text().splitlines()
    blocks = []
    i = 0
    while i < len(lines):
        place = f"{document}:{i + 1}"
        if chapter := CHAPTER.match(lines[i]):
            blocks += read_blocks(document.parent / chapter.group(1), (*above, document))
        elif "<!--" in lines[i]:
            raise SnippetError(f"{place}: expected <!-- walk FILE --> alone, found \"{lines[i]}\"")
        elif ANY_FENCE.match(lines[i]):
            opening = OPENING.match(lines[i])
            if not opening and not OTHER_OPENING.match(lines[i]):
                raise SnippetError(f"{place}: expected ```LANGUAGE at the start of the line, found \"{lines[i]}\"")
            end = end_of(document, lines, i)
            if opening:
                what, file = kind_of(place, opening.group(2))
                blocks.append(Block(place, what, file, "".join(line + "\n" for line in lines[i + 1:end])))
            i = end
        i += 1
    if not blocks:
        raise SnippetError(f"{document}: expected blocks marked file=NAME, run, fails or prints, found none")
    return blocks


def append(out, block, begun):
    """The first piece of a file replaces what an earlier run left."""
    path = out / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a" if path in begun else "w") as file:
        file.write(("\n" if path in begun else "") + block.text)
    begun.add(path)


def run(out, block, limit_s):
    """What the commands print."""
    commands = subprocess.Popen(["bash", "-euo", "pipefail", "-c", block.text], cwd=out, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                env={**os.environ, "LC_ALL": "C.UTF-8"}, start_new_session=True)
    output, is_late = "", False
    try:
        output, _ = commands.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        is_late = True
    finally:
        with contextlib.suppress(ProcessLookupError):  # nothing was left running
            os.killpg(commands.pid, signal.SIGKILL)
    if is_late:
        with contextlib.suppress(subprocess.TimeoutExpired):  # something in a session of its own holds the output
            output, _ = commands.communicate(timeout=10)
    print(f"{block.text}{output}", flush=True)
    if is_late:
        raise SnippetError(f"{block.place}: expected an end of all it starts within {limit_s:g} s, found none")
    if (commands.returncode != 0) != (block.what == "fails"):
        expected = "a failure" if block.what == "fails" else "success"
        raise SnippetError(f"{block.place}: expected {expected}, found exit status {commands.returncode}")
    return output


def require_printed(block, output):
    rest = iter(output.splitlines())
    for line in block.text.splitlines():
        pattern = re.compile(".*".join(re.escape(piece) for piece in line.rstrip().split("...")))
        if not any(pattern.fullmatch(found.rstrip()) for found in rest):
            raise SnippetError(f"{block.place}: the commands before do not print, or not in this order:\n{line}")


def walk(out, document, is_run, limit_s):
    out.mkdir(parents=True, exist_ok=True)
    begun = set()
    output = None
    blocks = read_blocks(document)
    for block, following in zip(blocks, [*blocks[1:], None]):
        if block.what == "fails" and (following is None or following.what != "prints"):
            raise SnippetError(f"{block.place}: what its commands print must follow")
        if is_run:
            print(f"== {block.place}", flush=True)
        if block.what == "file":
            append(out, block, begun)
        elif not is_run:
            continue
        elif block.what == "prints":
            if output is None:
                raise SnippetError(f"{block.place}: no commands stand before it")
            require_printed(block, output)
        else:
            output = run(out, block, limit_s)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="run the commands too")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds for one block of commands (%(default)s)")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("document", type=pathlib.Path)
    arguments = parser.parse_args()
    try:
        walk(arguments.out.resolve(), arguments.document, arguments.run, arguments.limit)
    except (SnippetError, OSError) as error:
        print(f"extract_snippets: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
