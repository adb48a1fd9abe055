#!/usr/bin/env python3
"""Rules of the C headers in sdk/include/vernal/abi that no compiler checks.

  header_hygiene.py INCLUDE_FOLDER COMPILER...

Each header compiles alone, as C11 and as C++20, without a warning. None uses a type whose size or presence
differs between compilers. Every function of a table has a thread role: in the comment before it, in one before an
earlier function of the table, or in the comment before the table. Callbacks (structs with a member `user`) need
none: they run during the call they were passed to.
"""

import pathlib
import re
import subprocess
import sys

BANNED = {
    r"\bstd::": "a C++ name",
    r"\bbool\b": "bool",
    r"\bsize_t\b": "size_t",
    r"\blong\b": "long",
    r"\bunsigned\b": "a type without a fixed width",
    r"\bint\b": "a type without a fixed width",
    r"\bwchar_t\b": "wchar_t",
    r"\benum\b": "an enumeration",
    r"\w+ : \d+;": "a bit-field",
    r"#include <(?!stdint\.h>)": "a system header other than stdint.h",
}
ROLE = re.compile(r"\[(control|engine|frontend|any)\b")


def without_comments(text):
    return re.sub(r"/\*.*?\*/", lambda match: "\n" * match[0].count("\n"), text, flags=re.S)


def banned_words(header):
    text = without_comments(header.read_text())
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#define") and line.rstrip().endswith('"'):
            continue  # text
        for pattern, what in BANNED.items():
            if re.search(pattern, line):
                yield f"{header.name}:{number}: {what}: {line.strip()}"


def functions_without_role(header):
    text = header.read_text()
    for match in re.finditer(r"((?:/\*(?:[^*]|\*(?!/))*\*/\s*)?)typedef struct (\w+) \{(.*?)\n\} \2;", text, re.S):
        before, name, body = match.groups()
        if re.search(r"\bvoid\* user;", body):
            continue
        has_role = bool(ROLE.search(before))
        for part in re.finditer(r"/\*(?P<comment>.*?)\*/|\(\*(?P<function>\w+)\)\(", body, re.S):
            if part["comment"] is not None:
                has_role = has_role or bool(ROLE.search(part["comment"]))
            elif not has_role:
                yield f"{header.name}: {name}.{part['function']}: no comment before it names a thread role"


def compiler_complaints(header, include, compiler):
    for language, standard in (("c", "c11"), ("c++", "c++20")):
        command = [compiler, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-pedantic", "-Wconversion",
                   "-Werror", f"-I{include}", "-fsyntax-only", "-"]
        include_line = f'#include "vernal/abi/{header.name}"\n'
        text = include_line + include_line + "struct vernal_not_empty;\n"
        done = subprocess.run(command, input=text, text=True, capture_output=True)
        if done.returncode != 0:
            yield f"{header.name}: {compiler} as {standard}:\n{done.stderr}"


def main():
    include = pathlib.Path(sys.argv[1])
    headers = sorted((include / "vernal" / "abi").glob("*.h"))
    problems = [] if headers else [f"no header in {include}"]
    for header in headers:
        problems += banned_words(header)
        problems += functions_without_role(header)
        for compiler in sys.argv[2:]:
            problems += compiler_complaints(header, include, compiler)
    print("\n".join(problems) or f"{len(headers)} headers are clean")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
