#!/usr/bin/env python3
"""next_minor.py INCLUDE_FOLDER: makes the headers there those of a minor to come.

Every function table gets a function more, every struct that begins with its size a member more, and VERNAL_ABI_MINOR
is one higher. It is what a minor may do, all of it at once, so plugins built with these headers are larger in every
place than hosts of today.
"""

import pathlib
import re
import sys

STRUCT = re.compile(r"(typedef struct (vernal_\w+) \{\n  uint64_t struct_size;.*?)\n\} \2;", re.S)
MINOR = re.compile(r"(#define VERNAL_ABI_MINOR )(\d+)")


# Stands whole inside vernal_token_logprob, so it can never grow.
FIXED = {"vernal_candidate"}


def lengthened(match):
    body, name = match.groups()
    if name in FIXED:
        return match[0]
    later = "int32_t (*later_function)(uint64_t argument);" if name.endswith("_api") else "uint64_t later_member;"
    return f"{body}\n  {later}\n}} {name};"


def main():
    folder = pathlib.Path(sys.argv[1]) / "vernal" / "abi"
    changed = 0
    for header in sorted(folder.glob("*.h")):
        before = header.read_text()
        text = STRUCT.sub(lengthened, before)
        changed += text.count("later_") - before.count("later_")
        header.write_text(MINOR.sub(lambda match: match[1] + str(int(match[2]) + 1), text))
    print(f"{changed} structs are longer")
    sys.exit(0 if changed > 40 else 1)


if __name__ == "__main__":
    main()
