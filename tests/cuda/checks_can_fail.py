#!/usr/bin/env python3
"""Proves that check_cuda_plugin.py can fail: each edit of a copy of what it looks at must be found.

  checks_can_fail.py CHECK TREE PLUGIN OBJECT...
"""
import contextlib
import importlib.util
import io
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

CHECK, TREE, PLUGIN = map(pathlib.Path, sys.argv[1:4])
OBJECTS = sys.argv[4:]
FOLDER = "plugins/backends/cuda_sm86"

specification = importlib.util.spec_from_file_location("check", CHECK)
check = importlib.util.module_from_spec(specification)
specification.loader.exec_module(check)
sys.path[:0] = [str(CHECK.parent)]
import issue_slots  # noqa: E402


# ---- edits of the plugin: functions of its bytes ---------------------------------------------------------------------

def with_architecture(kind, architecture):
    """All pieces of a kind say that they are for another architecture."""
    def edit(data):
        offset, size = check.Elf(bytes(data)).section(".nv_fatbin")
        at = data.find(struct.pack("<I", 0xBA55ED50), offset, offset + size)
        while at != -1:
            header, total = struct.unpack_from("<HQ", data, at + 6)
            piece, end = at + header, at + header + total
            while piece < end:
                piece_kind, _, piece_header, piece_size = struct.unpack_from("<HHIQ", data, piece)
                if piece_kind == kind:
                    struct.pack_into("<I", data, piece + 28, architecture)
                piece += piece_header + piece_size
            at = data.find(struct.pack("<I", 0xBA55ED50), end, offset + size)
    return edit


def without_code(data):
    at = data.index(b"\0.nv_fatbin\0")
    data[at:at + 12] = b"\0.no_fatbin\0"


def too_large(data):
    data.extend(bytes(check.MOST_BYTES + 1 - len(data)))


def with_library(data):
    at = data.index(b"libm.so.6\0", check.Elf(bytes(data)).section(".dynstr")[0])
    data[at:at + 9] = b"libq.so.6"


def with_export(data):
    """The first symbol that comes from elsewhere becomes one that is defined here."""
    offset, size = check.Elf(bytes(data)).section(".dynsym")
    for at in range(offset + 24, offset + size, 24):
        if struct.unpack_from("<H", data, at + 6)[0] == 0:
            struct.pack_into("<H", data, at + 6, 1)
            return


PLUGIN_EDITS = [
    ("code", with_architecture(check.SASS, 80), "machine code expected for 86, found for [80]"),
    ("code", with_architecture(check.PTX, 90), "PTX expected for 86, found for [90]"),
    ("code", without_code, "found for nothing"),
    ("code", too_large, "at most 41943040 are allowed"),
    ("linkage", with_library, "needs libq.so.6"),
    ("linkage", with_export, "exports "),
]

# ---- edits of a report, by regular expression. The report is that of products with q8_0 weights, the ceilings are what the
# reports say before the edit ------------------------------------------------------------------------------------------

KERNEL = r"(Compiling entry function '\w*multiply_tilesINS0_4Q8_0ELi1E\w*'(?:.*\n)*?.*?)"
REPORT_EDITS = [
    (KERNEL + r"Used \d+ registers", r"\1Used 222 registers", "multiply_tiles<Q8_0,1> takes 222 registers, its ceiling is "),
    (KERNEL + r"\d+ bytes smem", r"\g<1>54321 bytes smem", "takes 54321 bytes of shared memory, its ceiling is "),
    (KERNEL + r"0 bytes stack frame, 0 bytes spill stores", r"\g<1>8 bytes stack frame, 8 bytes spill stores",
     "multiply_tiles<Q8_0,1> has 8 bytes of stack and 8 of spills; 0 and 0 are allowed"),
    (r"multiply_tilesINS0_4Q8_0ELi1E", "multiply_tilesINS0_4Q8_0ELi2E", "multiply_tiles<Q8_0,2> has no ceiling"),
    (r"multiply_tilesINS0_4Q8_0ELi1E", "multiply_tilesINS0_4Q8_0ELi2E", "multiply_tiles<Q8_0,1> has a ceiling"),
    (r"\A", "ptxas warning : something is wrong\n", "something is wrong"),
    (r"(?s)\A.*", "", "names no kernel"),
]

# ---- edits of the tree: lines that are added to a file ---------------------------------------------------------------

SOURCE_EDITS = [
    ("kernels/elementwise/norm.cu", 'void f() { asm volatile("exit;"); }', "inline assembly"),
    ("program.cpp", "auto error = cudaGetLastError();", "program.cpp:"),
    ("program.cpp", "cudaDeviceSynchronize();", "wait for a stream"),
    ("kernels/elementwise/norm.cu", "kernel<<<1, 1>>>();", "started by launch()"),
    ("kernels/elementwise/norm.cu", '#include "operations/operation.hpp"', "includes operations/operation.hpp"),
    ("CMakeLists.txt", "target_compile_options(cuda_sm86 PRIVATE -mcmodel=medium)", "has -mcmodel"),
]


def run(*arguments):
    done = subprocess.run([sys.executable, CHECK, *arguments], text=True, capture_output=True)
    return done.returncode, done.stdout + done.stderr


def plugin_edits(folder):
    for command, edit, expected in PLUGIN_EDITS:
        data = bytearray(PLUGIN.read_bytes())
        edit(data)
        edited = folder / "edited.so"
        edited.write_bytes(data)
        yield f"{command}, {expected}", expected, run(command, edited)


def report_edits(folder):
    ceilings = folder / "ceilings.txt"
    run("kernels", "--rewrite", "--compiler", "1.0", ceilings, *OBJECTS)
    yield "another compiler", "those of nvcc 1.0, this is 2.0", run("kernels", "--compiler", "2.0", ceilings, *OBJECTS)
    number = next(i for i, name in enumerate(OBJECTS) if pathlib.Path(name).name.startswith("q8_0"))
    text = pathlib.Path(OBJECTS[number] + ".kernels.txt").read_text()
    for pattern, replacement, expected in REPORT_EDITS:
        (folder / "edited.kernels.txt").write_text(re.sub(pattern, replacement, text, count=1))
        objects = [*OBJECTS[:number], folder / "edited", *OBJECTS[number + 1:]]
        yield pattern, expected, run("kernels", "--compiler", "1.0", ceilings, *objects)
    yield "no report", "is missing", run("kernels", "--compiler", "1.0", ceilings, *OBJECTS, folder / "none")


def source_edits(folder):
    copy = folder / "tree"
    shutil.copytree(TREE / FOLDER, copy / FOLDER)
    for name, line, expected in SOURCE_EDITS:
        file = copy / FOLDER / name
        text = file.read_text()
        file.write_text(text + line + "\n")
        yield line, expected, run("sources", copy)
        file.write_text(text)
    shutil.rmtree(copy / FOLDER / "kernels")
    yield "no kernels", "has no kernels", run("sources", copy)


# ---- edits of a listing of machine code: a loop of four products that takes 16 blocks of 32 weights a lane -----------

LOOP = ["LDG.E.NA.LTC128B.128.CONSTANT R4, [R2.64] ;", *["IMMA.16832.S8.S8 R8, R4.ROW, R6.COL, R12 ;"] * 4, "@P0 BRA 0x0010 ;"]
LISTING_EDITS = [
    (lambda loop: [*["FADD R1, R1, R2 ;"] * 9, *loop], "has 15 instructions in its loop, its budget is 6"),
    (lambda loop: [*["FADD R1, R1, R2 ;"] * 999, *loop], "% of the issue slots; at most 40 % are allowed"),
    (lambda loop: [*["FADD R1, R1, R2 ;"] * 999, *loop], "of their rate; 35 % are wanted"),
    (lambda loop: loop[1:], "does not load 16 bytes at a time"),
    (lambda loop: loop[:-1], "no loop with tensor products"),
    (lambda loop: [loop[0], loop[-1]], "no loop with tensor products"),
]


# A loop over pages at 0x0010 with one over scores at 0x0020 in it.
PAGES = ["LDG.E.64 R4, [R2.64] ;", "HMMA.16816.F32 R8, R4, R6, R8 ;", "@P0 BRA 0x0020 ;", "@P1 BRA 0x0010 ;"]
PAGE_EDITS = [
    (lambda pages: [*pages[:3], *["FADD R1, R1, R2 ;"] * 9, pages[3]], "has 15 instructions in its loop, its budget is 6"),
    (lambda pages: [*pages[:3], *["FADD R1, R1, R2 ;"] * 9999, pages[3]], "% of the issue slots; at most 66 % are allowed"),
    (lambda pages: pages[:3], "no loop over pages with one over scores in it"),
]


def code_of(loops):
    """Loops one after another. The branch of each, written for a loop at 0x0010, gets the address of its own."""
    lines = ["NOP ;"]
    for loop in loops:
        begin = f"0x{16 * len(lines):04x}"
        lines += [text.replace("0x0010", begin) for text in loop]
    return "".join(f"        /*{16 * i:04x}*/   {text}\n" for i, text in enumerate([*lines, "EXIT ;"]))


def listing_of(loop, mixed_loop=None, pages=PAGES):
    names = [f"_ZN6vernal9cuda_sm86{kernel}INS0_{len(codec)}{codec}E{rows}EEvNS0_8MultiplyE"
             for kernel, rows in (("14multiply_tiles", "Li1E"), ("14multiply_gated", ""), ("15multiply_staged", ""))
             for codec in issue_slots.FORMATS]
    mixed = code_of([mixed_loop or loop] * len(issue_slots.FORMATS))
    formats = [f"INS0_{len(kind) + 4}Keys{kind}ENS0_{len(kind) + 6}Values{kind}E" for kind in ("Q4_0", "Q8_0", "F16")]
    attention = [f"_ZN6vernal9cuda_sm866attend{both}NS0_10FewQueriesEEEvNS0_9AttentionE" for both in formats]
    return "".join(f"\t\tFunction : {name}\n{code_of([loop])}" for name in names) + \
        f"\t\tFunction : _ZN6vernal9cuda_sm8614multiply_mixedENS0_8MultiplyE\n{mixed}" + \
        "".join(f"\t\tFunction : {name}\n{code_of([pages])}" for name in attention)


def listing_edits(folder):
    budgets = folder / "budgets.txt"
    with contextlib.redirect_stdout(io.StringIO()):
        issue_slots.check(listing_of(LOOP), budgets, "1.0", True)
        for edit, expected in LISTING_EDITS:
            problems, _ = issue_slots.check(listing_of(edit(LOOP)), budgets, "1.0", False)
            yield expected, expected, (1 if problems else 0, "\n".join(problems))
        for edit, expected in PAGE_EDITS:
            problems, _ = issue_slots.check(listing_of(LOOP, pages=edit(PAGES)), budgets, "1.0", False)
            yield f"attention: {expected}", expected, (1 if problems else 0, "\n".join(problems))
        other = [*["FADD R1, R1, R2 ;"] * 9, *LOOP]
        problems, _ = issue_slots.check(listing_of(LOOP, other), budgets, "1.0", False)
        yield "a loop of no format", "multiply_mixed<Q4K>: no loop with tensor products like", (1 if problems else 0, "\n".join(problems))


def main():
    count, missed = 0, []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for edits in (plugin_edits, report_edits, source_edits, listing_edits):
            for what, expected, (code, output) in edits(folder):
                count += 1
                if code == 0 or expected not in output:
                    missed.append(f"not found: {what}\n  expected: {expected}\n  status {code}: {output}")
    print("\n".join(missed) or f"all {count} edits were found")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
