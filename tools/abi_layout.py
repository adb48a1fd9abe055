#!/usr/bin/env python3
"""The layout of the plugin interface: sizes, offsets and constants of sdk/include/vernal/abi.

  abi_layout.py print  --compiler gcc            writes the layout of the headers as they are
  abi_layout.py verify --compiler gcc clang ...  checks them against the committed sdk/abi/*.layout

A layout file has one line for each fact:

  vernal_str 16                size of a struct in bytes
  vernal_str.size 8 8          offset and size of a member
  VERNAL_OK = 0                value of a constant

verify checks, with every compiler, as C11 and as C++20:
  - the newest file is the layout of the headers
  - every older file still holds: members are where they were, structs are no smaller, constants have their values
  - no struct has padding
A released file is never edited. A minor adds a new file: it has the lines of the one before, perhaps with greater
sizes of structs, and more lines.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Versions change with every minor; a plugin chooses its target.
SKIPPED_CONSTANTS = {"VERNAL_ABI_MINOR", "VERNAL_TARGET_MINOR"}


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def structs_of(text):
    """Yields (struct name, member names) in order of declaration."""
    for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\n\} \1;", without_comments(text), re.S):
        members = []
        for declaration in body.split(";"):
            declaration = " ".join(declaration.split())
            if not declaration:
                continue
            pointer = re.match(r".*?\(\*(\w+)\)", declaration)
            plain = re.match(r".*?(\w+)(\[\w+\])?$", declaration)
            members.append(pointer.group(1) if pointer else plain.group(1))
        yield name, members


def constants_of(text):
    """Yields (name, is text) of the object-like macros with a value."""
    for name, value in re.findall(r"^#define (VERNAL_\w+) +(\S.*)$", without_comments(text), re.M):
        if name not in SKIPPED_CONSTANTS:
            yield name, value.strip().startswith('"')


def headers_in(include):
    return sorted((include / "vernal" / "abi").glob("*.h"))


def facts(include):
    structs, constants = [], []
    for header in headers_in(include):
        text = header.read_text()
        declared = len(re.findall(r"^typedef struct \w+ \{", text, re.M))
        found = list(structs_of(text))
        if len(found) != declared:
            sys.exit(f"{header.name}: {declared} structs declared, {len(found)} understood")
        structs += found
        constants += constants_of(text)
    return structs, constants


def includes(include):
    return "".join(f'#include "vernal/abi/{header.name}"\n' for header in headers_in(include))


def printing_program(include):
    structs, constants = facts(include)
    lines = [includes(include), "#include <stddef.h>\n#include <stdio.h>\nint main(void) {\n"]
    for name, members in structs:
        lines.append(f'  printf("{name} %zu\\n", sizeof({name}));\n')
        for member in members:
            lines.append(f'  printf("{name}.{member} %zu %zu\\n", offsetof({name}, {member}), '
                         f"sizeof((({name}*)0)->{member}));\n")
    for name, is_text in constants:
        lines.append(f'  printf("{name} = %s\\n", {name});\n' if is_text else
                     f'  printf("{name} = %lld\\n", (long long)({name}));\n')
    return "".join(lines) + "  return 0;\n}\n"


def asserting_program(include, layout):
    """C text that compiles if and only if the headers keep what an older layout states."""
    lines = [includes(include), "#include <stddef.h>\n#ifdef __cplusplus\n#define CHECK(fact) static_assert(fact, #fact)\n"
             "#else\n#define CHECK(fact) _Static_assert(fact, #fact)\n#endif\n"]
    for line in layout.splitlines():
        if match := re.fullmatch(r"(\w+)\.(\w+) (\d+) (\d+)", line):
            struct, member, offset, size = match.groups()
            lines.append(f"CHECK(offsetof({struct}, {member}) == {offset});\n"
                         f"CHECK(sizeof((({struct}*)0)->{member}) == {size});\n")
        elif match := re.fullmatch(r"(\w+) (\d+)", line):
            lines.append(f"CHECK(sizeof({match[1]}) >= {match[2]});\n")
        elif match := re.fullmatch(r"(\w+) = (-?\d+)", line):
            lines.append(f"CHECK(({match[1]}) == {match[2]});\n")
    return "".join(lines)


def compile_text(compiler, language, include, text, arguments):
    standard = {"c": "c11", "c++": "c++20"}[language]
    command = [compiler, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-Werror", f"-I{include}",
               "-", *arguments]
    done = subprocess.run(command, input=text, text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{compiler} as {standard}:\n{done.stderr}")


def layout_by(compiler, language, include):
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "layout"
        link = [] if language == "c" else ["-lstdc++"]
        compile_text(compiler, language, include, printing_program(include), ["-o", str(program), *link])
        return subprocess.run([program], text=True, capture_output=True, check=True).stdout


def refuse_padding(layout):
    sizes, ends = {}, {}
    for line in layout.splitlines():
        if match := re.fullmatch(r"(\w+)\.\w+ (\d+) (\d+)", line):
            struct, offset, size = match[1], int(match[2]), int(match[3])
            if offset != ends.get(struct, 0):
                sys.exit(f"padding before: {line}")
            ends[struct] = offset + size
        elif match := re.fullmatch(r"(\w+) (\d+)", line):
            sizes[match[1]] = int(match[2])
    for struct, size in sizes.items():
        if ends[struct] != size:
            sys.exit(f"{struct}: {size} bytes, its members end at {ends[struct]}")
        if size % 8 != 0:
            sys.exit(f"{struct}: {size} bytes is no multiple of 8")


def refuse_changed_lines(older, newer):
    """Lines of a released layout stay; only sizes of structs may grow."""
    sizes = dict(re.findall(r"^(\w+) (\d+)$", newer.read_text(), re.M))
    lines = set(newer.read_text().splitlines())
    for line in older.read_text().splitlines():
        match = re.fullmatch(r"(\w+) (\d+)", line)
        if match and int(sizes.get(match[1], 0)) >= int(match[2]):
            continue
        if line not in lines:
            sys.exit(f"{newer.name}: line of {older.name} is missing or changed: {line}")


def verify(compilers, include, layouts):
    files = sorted(layouts.glob("1.*.layout"), key=lambda path: int(path.name.split(".")[1]))
    if not files:
        sys.exit(f"no layout file in {layouts}")
    for older, newer in zip(files, files[1:]):
        refuse_changed_lines(older, newer)
    for compiler in compilers:
        for language in ("c", "c++"):
            found = layout_by(compiler, language, include)
            refuse_padding(found)
            if found != files[-1].read_text():
                sys.exit(f"{compiler} as {language}: the headers differ from sdk/abi/{files[-1].name}:\n"
                         + difference(files[-1].read_text(), found))
            for file in files:
                compile_text(compiler, language, include, asserting_program(include, file.read_text()),
                             ["-fsyntax-only"])
        print(f"{compiler}: {len(files[-1].read_text().splitlines())} facts hold")


def difference(expected, found):
    before, after = expected.splitlines(), found.splitlines()
    removed = [f"  expected {line}" for line in before if line not in set(after)]
    added = [f"  found    {line}" for line in after if line not in set(before)]
    return "\n".join(removed + added) or "  the order of lines changed"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["print", "verify"])
    parser.add_argument("--compiler", nargs="+", default=["cc"], help="C compilers that take -x c and -x c++")
    parser.add_argument("--include", type=pathlib.Path, default=ROOT / "sdk" / "include")
    parser.add_argument("--layouts", type=pathlib.Path, default=ROOT / "sdk" / "abi")
    arguments = parser.parse_args()
    if arguments.command == "print":
        sys.stdout.write(layout_by(arguments.compiler[0], "c", arguments.include))
    else:
        verify(arguments.compiler, arguments.include, arguments.layouts)


if __name__ == "__main__":
    main()
