#!/usr/bin/env python3
"""Proves that abi_layout.py, header_hygiene.py and frozen_headers_test.py can fail: each edit of a copy of the
headers must be found.

  checks_can_fail.py ABI_LAYOUT HEADER_HYGIENE FROZEN_HEADERS FROZEN_FOLDER INCLUDE_FOLDER LAYOUT_FOLDER COMPILER
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

LAYOUT, HYGIENE, FROZEN_HEADERS, FROZEN, INCLUDE, LAYOUTS = map(pathlib.Path, sys.argv[1:7])
COMPILER = sys.argv[7]

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
    ("frozen", "backend.h", "  uint64_t page_tokens;", "  uint64_t first;\n  uint64_t page_tokens;",
     "expected members struct_size, page_tokens"),
    ("frozen", "status.h", "#define VERNAL_CANCELLED (-1)", "#define VERNAL_CANCELLED (-77)", "break 1.0.layout"),
    ("frozen", "architecture.h", "uint32_t* out_score,", "int32_t* out_score,", "architecture.c with"),
]


def outcome(check, include):
    commands = {
        "layout": [LAYOUT, "verify", "--include", include, "--layouts", LAYOUTS, "--compiler", COMPILER],
        "hygiene": [HYGIENE, include, COMPILER],
        "frozen": [FROZEN_HEADERS, FROZEN, include, LAYOUTS / "1.0.layout", COMPILER],
    }
    done = subprocess.run([sys.executable, *commands[check]], text=True, capture_output=True)
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
