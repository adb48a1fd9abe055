#!/usr/bin/env python3
"""Proves that abi_layout.py and header_hygiene.py can fail: each edit of a copy of the headers must be found.

  checks_can_fail.py ABI_LAYOUT HEADER_HYGIENE INCLUDE_FOLDER LAYOUT_FOLDER COMPILER
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

LAYOUT, HYGIENE = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
INCLUDE, LAYOUTS, COMPILER = pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4]), sys.argv[5]

# (check, header, text, its replacement, what the check must say)
EDITS = [
    ("layout", "status.h", "#define VERNAL_CANCELLED (-1)", "#define VERNAL_CANCELLED (-77)", "VERNAL_CANCELLED = -77"),
    ("layout", "backend.h", "  uint64_t page_tokens;", "  uint64_t first;\n  uint64_t page_tokens;", "page_tokens 16 8"),
    ("layout", "backend.h", "  void (*close)(vernal_backend* backend);", "", "expected vernal_backend_api.close"),
    ("layout", "host.h", "  int32_t (*now_ns)", "  uint32_t narrow;\n  int32_t (*now_ns)", "padding before"),
    ("hygiene", "config.h", "uint32_t type;", "bool type;", "bool"),
    ("hygiene", "module.h", "uint64_t bytes;", "size_t bytes;", "size_t"),
    ("hygiene", "host.h", "#define VERNAL_LOG_TRACE 0u", "enum { VERNAL_LOG_TRACE };", "an enumeration"),
    ("hygiene", "config.h", "[control]", "", "names a thread role"),
    ("hygiene", "frontend.h", "uint32_t choice;", "uint32_t choice", "as c11"),
]


def outcome(check, include):
    command = ([LAYOUT, "verify", "--include", include, "--layouts", LAYOUTS, "--compiler", COMPILER]
               if check == "layout" else [HYGIENE, include, COMPILER])
    done = subprocess.run([sys.executable, *command], text=True, capture_output=True)
    return done.returncode, done.stdout + done.stderr


def main():
    missed = []
    for check, header, before, after, expected in EDITS:
        with tempfile.TemporaryDirectory() as folder:
            include = pathlib.Path(folder) / "include"
            shutil.copytree(INCLUDE, include)
            file = include / "vernal" / "abi" / header
            text = file.read_text()
            if before not in text:
                missed.append(f"{header} has no text: {before}")
                continue
            file.write_text(text.replace(before, after, 1))
            code, output = outcome(check, include)
            if code == 0 or expected not in output:
                missed.append(f"{check} did not find {before!r} -> {after!r} in {header}:\n{output}")
    print("\n".join(missed) or f"all {len(EDITS)} edits were found")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
