#!/usr/bin/env python3
"""Issue slots of the products with quantised weights: what their inner loops take, from the machine code of the plugin.

  issue_slots.py [--compiler VERSION] [--rewrite] CACHE BUDGETS PLUGIN

A kernel that reads weights at the speed of the memory must issue its instructions in the time that the bytes take; one for many
rows, in the time that the tensor cores take. The loop of a kernel is the innermost one with tensor products in it; how many blocks
of weights a pass takes follows from their number. Attention has a loop over pages, with one over scores in it.
BUDGETS has the most instructions that a pass may have; --rewrite writes it anew. cuobjdump and nvdisasm come from PATH, from
/usr/local/cuda/bin, or from the Python package index, which are kept in the folder CACHE. Exit status: 0 within the budgets;
1 with a line for each problem; 77 the tools cannot be had, or the budgets are those of another compiler.
"""
import argparse
import collections
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).parent)]
import check_cuda_plugin  # noqa: E402
import wheels  # noqa: E402

PACKAGES = [
    ("nvidia-cuda-cuobjdump==13.5.37", "38780fee50863252a0b8926357faa91615ca1c8346490563f33a06100cd73f58", "bin/"),
    ("nvidia-cuda-nvdisasm==13.5.37", "d3fdbdd49fa53e2e4aacd3db8259d052bd2b049ececdcb69e92e083c6728e7ca", "bin/"),
]

# An RTX A4000 at the clock that its 140 W leave it: instructions of a thread that it issues while it reads a byte.
MULTIPROCESSORS, SCHEDULERS, LANES, CLOCK_HZ, BYTES_PER_SECOND = 48, 4, 32, 1.2e9, 448e9
SLOTS_PER_BYTE = MULTIPROCESSORS * SCHEDULERS * LANES * CLOCK_HZ / BYTES_PER_SECOND
MOST_SHARE = 0.40

TILE_ROWS = 16


@dataclasses.dataclass(frozen=True)
class Format:
    bytes: float  # of 32 weights
    products: int = 1  # of tensors, for a block of 16 rows and 32 columns
    most_share: float = MOST_SHARE  # of the issue slots


# By the name of the codec. iq4_xs has a scale more to apply than iq4_ks for the same bytes.
FORMATS = {
    "Iq4Ks": Format(17),
    "Q4K": Format(18),
    "Q6K": Format(26.25, products=2),
    "Q8_0": Format(34),
    "Q4_0": Format(18),
    "Iq4Nl": Format(18),
    "Q5K": Format(22),
    "Iq4Xs": Format(17, most_share=0.42),
    "EightBit": Format(34.5, products=2),
    "Affine32": Format(40),
    "Affine256": Format(37, products=4),
}
# Kernels of steps of 1 to 8 rows, each with a loop for every format. multiply_mixed has all of them in one function.
MIXED = "multiply_mixed"
OWN_KERNEL = "multiply_tiles<{},1>"
KERNELS = [OWN_KERNEL, "multiply_gated<{}>", MIXED + "<{}>"]
# Part of its instructions in which a loop of multiply_mixed may differ from that of the format's own kernel.
MOST_DIFFERENCE = 0.25
# Kernels of steps of many rows: (name, cycles that a tensor product keeps the tensor core of a scheduler busy). Half the rate of
# 16-bit factors is a quarter of that of 8-bit ones; the rest is for what the count does not see, waiting above all.
STAGED_KERNELS = [
    ("multiply_staged<Iq4Ks>", 16),
    ("multiply_staged<Q4K>", 16),
    ("multiply_staged<Q6K>", 8),
    ("multiply_staged<Q8_0>", 16),
]
LEAST_TENSOR_SHARE = 0.35

# Attention of steps of few rows, for heads of 256 numbers: (name, bytes of a page of 64 keys and values, passes of the loop over
# scores in one of the loop over pages). Four warps share a page. Keys and values are 8 % of what the 27B reads at 65,536 positions.
ATTENTION_KERNELS = [
    ("attend<KeysQ4_0,ValuesQ4_0,FewQueries>", 64 * 288, 2),
    ("attend<KeysQ8_0,ValuesQ8_0,FewQueries>", 64 * 544, 4),
    ("attend<KeysF16,ValuesF16,FewQueries>", 64 * 1024, 8),
]
ATTENTION_WARPS = 4
MOST_ATTENTION_SHARE = 0.66


@dataclasses.dataclass
class Loop:
    instructions: int
    products: int
    wide_loads: int  # of 16 bytes a lane that do not stay in the cache
    opcodes: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    def difference(self, other):
        """Part of the instructions that the other loop has not, or has more."""
        return ((self.opcodes - other.opcodes).total() + (other.opcodes - self.opcodes).total()) / other.instructions


# ---- machine code ----------------------------------------------------------------------------------------------------

def find_tools(cache):
    """The path of cuobjdump, with nvdisasm beside it."""
    for folder in (None, "/usr/local/cuda/bin"):
        found = shutil.which("cuobjdump", path=folder)
        if found and shutil.which("nvdisasm", path=folder):
            return found
    wheels.unpack(PACKAGES, cache)
    folder = cache / "nvidia/cu13/bin"
    for tool in folder.iterdir():
        tool.chmod(0o755)
    return str(folder / "cuobjdump")


def functions_of(listing):
    """{short name: [(address, instruction)]} of what cuobjdump -sass prints."""
    functions, current = {}, None
    for line in listing.splitlines():
        if found := re.match(r"\s*Function : (\w+)", line):
            current = functions.setdefault(found[1], [])
        elif found := re.match(r"\s+/\*([0-9a-f]{4,})\*/\s+([^;]*?)\s*;", line):
            current.append((int(found[1], 16), found[2]))
    return dict(zip(check_cuda_plugin.short_names(functions), functions.values()))


def opcode(instruction):
    return re.sub(r"^@!?U?P\w+ +", "", instruction).split()[0]


def loops_with(product, code):
    """(begin, end, instructions) of each loop with such a tensor product."""
    for address, instruction in code:
        # The compiler puts what follows the loop behind a call, so that its last branch need not have a condition.
        branch = re.search(r"\bBRA\S* (?:\S+, )?0x([0-9a-f]+)", instruction)
        if branch and int(branch[1], 16) <= address:
            begin = int(branch[1], 16)
            body = [text for at, text in code if begin <= at <= address]
            if any(opcode(text).startswith(product) for text in body):
                yield begin, address, body


def is_within(inner, outer):
    return outer[0] <= inner[0] and inner[1] <= outer[1] and inner[:2] != outer[:2]


def inner_loops(code):
    """The loops with 8-bit tensor products that have no other such loop in them."""
    found = list(loops_with("IMMA", code))
    return [loop_of(loop[2]) for loop in found if not any(is_within(other, loop) for other in found)]


def page_instructions(code, passes):
    """Instructions of a pass over a page, in which the loop over scores has so many passes. None if there are no such loops."""
    found = list(loops_with("HMMA", code))
    scores = min(found, key=lambda loop: len(loop[2]), default=None)
    page = min((loop for loop in found if is_within(scores, loop)), key=lambda loop: len(loop[2]), default=None)
    return None if page is None else len(page[2]) + (passes - 1) * len(scores[2])


# What the assembler writes with either of two units, as it finds them free.
SAME_KINDS = {"IMAD.MOV": "MOV", "IMAD.IADD": "IADD3", "IMAD.SHL": "SHF"}


def kind_of(full):
    return SAME_KINDS.get(".".join(full.split(".")[:2]), full.split(".")[0])


def loop_of(body):
    counts = collections.Counter(kind_of(opcode(text)) for text in body)
    wide = sum(re.match(r"LDG\.E\.NA\.\S*\b128\b", opcode(text)) is not None for text in body)
    return Loop(len(body), counts["IMMA"], wide, counts)


def inner_loop(code):
    """The shortest loop with tensor products, or none."""
    return min(inner_loops(code), key=lambda loop: loop.instructions, default=None)


def mixed_loops(functions):
    """{format: its loop in multiply_mixed}: the one that is most like the loop of the format's own kernel."""
    loops = inner_loops(functions.get(MIXED, []))
    own = {name: inner_loop(functions.get(OWN_KERNEL.format(name), [])) for name in FORMATS}
    pairs = sorted((loop.difference(of_format), name, index) for index, loop in enumerate(loops)
                   for name, of_format in own.items() if of_format)
    out, taken = {}, set()
    for difference, name, index in pairs:
        if name not in out and index not in taken and difference <= MOST_DIFFERENCE:
            out[name] = loops[index]
            taken.add(index)
    return out


# ---- budgets ---------------------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Row:
    name: str
    loop: Loop
    blocks: int
    bytes: float
    most_share: float

    @property
    def per_block(self):
        """Instructions of a thread for 32 weights."""
        return self.loop.instructions * LANES / (self.blocks * TILE_ROWS)

    @property
    def per_byte(self):
        return self.loop.instructions * LANES / self.bytes

    @property
    def share(self):
        return self.per_byte / SLOTS_PER_BYTE


def rows_of(functions):
    """A row for each kernel, or a problem."""
    mixed = mixed_loops(functions)
    for kernel in KERNELS:
        for codec, form in FORMATS.items():
            name = kernel.format(codec)
            loop = mixed.get(codec) if kernel.startswith(MIXED) else inner_loop(functions.get(name, []))
            if loop is None:
                like = f" like that of {OWN_KERNEL.format(codec)}" if kernel.startswith(MIXED) else ""
                yield None, f"{name}: no loop with tensor products{like}"
            else:
                blocks = loop.products // form.products
                yield Row(name, loop, blocks, blocks * TILE_ROWS * form.bytes, form.most_share), None


@dataclasses.dataclass
class StagedRow:
    name: str
    loop: Loop
    product_cycles: int

    @property
    def share(self):
        """Of the rate of the tensor cores, if an instruction is issued in every cycle."""
        return self.loop.products * self.product_cycles / self.loop.instructions


def staged_rows_of(functions):
    for name, cycles in STAGED_KERNELS:
        loop = inner_loop(functions.get(name, []))
        if loop is None:
            yield None, f"{name}: no loop with tensor products"
        else:
            yield StagedRow(name, loop, cycles), None


@dataclasses.dataclass
class PageRow:
    name: str
    instructions: int  # of a warp, for a page
    bytes: int

    @property
    def per_byte(self):
        return self.instructions * ATTENTION_WARPS * LANES / self.bytes

    @property
    def share(self):
        return self.per_byte / SLOTS_PER_BYTE


def page_rows_of(functions):
    for name, page_bytes, passes in ATTENTION_KERNELS:
        instructions = page_instructions(functions.get(name, []), passes)
        if instructions is None:
            yield None, f"{name}: no loop over pages with one over scores in it"
        else:
            yield PageRow(name, instructions, page_bytes), None


def read_budgets(path):
    """The compiler's version and {name: instructions}."""
    lines = path.read_text().splitlines()
    budgets = {name: int(count) for name, count in (line.split() for line in lines if line and line[0] != "#")}
    return lines[0].removeprefix("# nvcc "), budgets


def write_budgets(path, compiler, rows):
    lines = [f"# nvcc {compiler}", "# The most instructions of a pass of each kernel's inner loop. Written by",
             "#   cmake --build build/release --target cuda_issue_budgets"]
    path.write_text("\n".join(lines + [f"{row.name:40}{instructions_of(row):5}" for row in rows]) + "\n")


def instructions_of(row):
    return row.instructions if isinstance(row, PageRow) else row.loop.instructions


def print_staged_table(rows):
    print("| kernel | instructions of a pass | tensor products | of their rate |\n|---|---:|---:|---:|")
    for row in rows:
        print(f"| `{row.name}` | {row.loop.instructions} | {row.loop.products} | {100 * row.share:.0f} % |")


def print_page_table(rows):
    print("| kernel | instructions of a warp for a page | bytes | per byte | of the issue slots at 448 GB/s |\n|---|---:|---:|---:|---:|")
    for row in rows:
        print(f"| `{row.name}` | {row.instructions} | {row.bytes} | {row.per_byte:.2f} | {100 * row.share:.1f} % |")


def print_table(rows):
    print("| kernel | instructions of a pass | bytes | per byte | per 32 weights | of the issue slots at 448 GB/s |")
    print("|---|---:|---:|---:|---:|---:|")
    for row in rows:
        print(f"| `{row.name}` | {row.loop.instructions} | {row.bytes:.0f} | {row.per_byte:.2f} | {row.per_block:.1f} "
              f"| {100 * row.share:.1f} % |")


def problems_of(rows, staged, pages, budgets):
    for row in pages:
        if row.share > MOST_ATTENTION_SHARE:
            yield (f"{row.name} takes {100 * row.share:.1f} % of the issue slots; at most {100 * MOST_ATTENTION_SHARE:.0f} % "
                   "are allowed")
    for row in staged:
        if row.share < LEAST_TENSOR_SHARE:
            yield f"{row.name} leaves the tensor cores {100 * row.share:.0f} % of their rate; {100 * LEAST_TENSOR_SHARE:.0f} % are wanted"
    for row in [*rows, *staged, *pages]:
        if instructions_of(row) > budgets.get(row.name, 0):
            yield f"{row.name} has {instructions_of(row)} instructions in its loop, its budget is {budgets.get(row.name, 0)}"
    for row in rows:
        if row.share > row.most_share:
            yield f"{row.name} takes {100 * row.share:.1f} % of the issue slots; at most {100 * row.most_share:.0f} % are allowed"
        if row.loop.wide_loads == 0:
            yield f"{row.name} does not load 16 bytes at a time past the cache"


def check(listing, path, compiler, rewrite):
    """Prints the table. Returns problems, and why budgets were not compared."""
    functions = functions_of(listing)
    found = [list(rows_of(functions)), list(staged_rows_of(functions)), list(page_rows_of(functions))]
    rows, staged, pages = ([row for row, _ in kind if row] for kind in found)
    problems = [problem for kind in found for _, problem in kind if problem]
    print_table(rows)
    print_staged_table(staged)
    print_page_table(pages)
    if rewrite and not problems:
        write_budgets(path, compiler, rows + staged + pages)
    written_for, budgets = read_budgets(path)
    if written_for != compiler:
        return problems, f"the budgets are those of nvcc {written_for}, this is {compiler}: not compared"
    return problems + list(problems_of(rows, staged, pages, budgets)), ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default="", help="version of nvcc")
    parser.add_argument("--rewrite", action="store_true")
    parser.add_argument("cache", type=pathlib.Path)
    parser.add_argument("budgets", type=pathlib.Path)
    parser.add_argument("plugin")
    arguments = parser.parse_args()
    try:
        tool = find_tools(arguments.cache)
    except (wheels.Unavailable, OSError) as error:
        print(f"skipped: cuobjdump and nvdisasm cannot be had: {error}")
        return 77
    listing = subprocess.run([tool, "-sass", arguments.plugin], capture_output=True, text=True, check=True,
                             env={"PATH": f"{pathlib.Path(tool).parent}:/usr/bin:/bin"}).stdout
    compiler = ".".join(arguments.compiler.split(".")[:2])
    problems, skipped = check(listing, arguments.budgets, compiler, arguments.rewrite)
    for line in problems or ([skipped] if skipped else []):
        print(line)
    return 1 if problems else 77 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
