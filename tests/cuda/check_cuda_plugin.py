#!/usr/bin/env python3
"""What can be said of the compiled plugin cuda_sm86 without a device and without tools of NVIDIA.

  check_cuda_plugin.py code PLUGIN         machine code for 8.6 and PTX are in it, and it is not large
  check_cuda_plugin.py linkage PLUGIN      it needs the system's libraries alone and exports its entry alone
  check_cuda_plugin.py kernels [--compiler VERSION] [--rewrite] CEILINGS OBJECT...
                                           registers, memory and spills, from what the assembler reported of each object:
                                           OBJECT.kernels.txt (cmake/keep_kernel_report.sh); --rewrite writes the
                                           ceilings anew
  check_cuda_plugin.py sources TREE        what kernels and build files do not contain

Exit status: 0 as it should be; 1 with a line for each problem; 77 the ceilings are those of another compiler.
"""
import argparse
import dataclasses
import fnmatch
import pathlib
import re
import struct
import subprocess
import sys

MOST_BYTES = 40 << 20
ARCHITECTURE = 86
PTX, SASS = 1, 2  # kinds of embedded code
ENTRY = "vernal_plugin_entry_v1"
LIBRARIES = {"libc.so.6", "libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "ld-linux-x86-64.so.2", "libdl.so.2",
             "libpthread.so.0", "librt.so.1"}

# Kernels that may use local memory: (pattern of the name, bytes of stack, bytes of spills, why).
LOCAL_MEMORY = [
    ("fill_angles", 40, 0, "sine and cosine of large f64 angles, reduced with a table in local memory; once a step"),
]


# ---- ELF and the code embedded in it ---------------------------------------------------------------------------------

class Elf:
    """Sections of a 64-bit little-endian file."""

    def __init__(self, data):
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("not an ELF file of 64 bits")
        self.data = data
        table, = struct.unpack_from("<Q", data, 0x28)
        count, names = struct.unpack_from("<HH", data, 0x3C)
        headers = [struct.unpack_from("<IIQQQQIIQQ", data, table + 64 * i) for i in range(count)]
        strings = headers[names]
        self.sections = {self.text(strings[4] + header[0]): header for header in headers}

    def text(self, offset):
        return self.data[offset:self.data.index(b"\0", offset)].decode()

    def section(self, name):
        """(offset, size), or none if there is no such section."""
        header = self.sections.get(name)
        return (header[4], header[5]) if header else None

    def needed(self):
        offset, size = self.section(".dynamic")
        strings, _ = self.section(".dynstr")
        entries = [struct.unpack_from("<QQ", self.data, at) for at in range(offset, offset + size, 16)]
        return [self.text(strings + value) for tag, value in entries if tag == 1]

    def exported(self):
        """Symbols that are defined here and seen elsewhere."""
        offset, size = self.section(".dynsym")
        strings, _ = self.section(".dynstr")
        for at in range(offset, offset + size, 24):
            name, info, _, section = struct.unpack_from("<IBBH", self.data, at)
            if section != 0 and info >> 4 != 0:
                yield self.text(strings + name)


def embedded_code(elf):
    """(kind, architecture) of every piece of device code: fat binaries one after another, each with a header and pieces."""
    found = elf.section(".nv_fatbin")
    if found is None:
        return
    at, end = found[0], found[0] + found[1]
    while at + 16 <= end:
        magic, _, header, size = struct.unpack_from("<IHHQ", elf.data, at)
        if magic == 0:  # padding
            at += 8
            continue
        if magic != 0xBA55ED50:
            raise ValueError(f".nv_fatbin: no fat binary at {at:#x}")
        piece, at = at + header, at + header + size
        while piece < at:
            kind, _, piece_header, piece_size = struct.unpack_from("<HHIQ", elf.data, piece)
            yield kind, struct.unpack_from("<I", elf.data, piece + 28)[0]
            piece += piece_header + piece_size


def check_code(plugin):
    data = plugin.read_bytes()
    if len(data) > MOST_BYTES:
        yield f"{plugin.name} has {len(data)} bytes; at most {MOST_BYTES} are allowed"
    pieces = list(embedded_code(Elf(data)))
    for kind, name in ((SASS, "machine code"), (PTX, "PTX")):
        found = sorted({architecture for k, architecture in pieces if k == kind})
        if ARCHITECTURE not in found:
            yield f"{name} expected for {ARCHITECTURE}, found for {found or 'nothing'}"
    print(f"{plugin.name}: {len(data)} bytes, {len(pieces)} pieces of device code")


def check_linkage(plugin):
    elf = Elf(plugin.read_bytes())
    for library in elf.needed():
        if library not in LIBRARIES:
            yield f"needs {library}; expected the C and C++ libraries alone"
    exported = sorted(elf.exported())
    if exported != [ENTRY]:
        yield f"exports {', '.join(exported) or 'nothing'}; expected {ENTRY} alone"


# ---- kernels ---------------------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Kernel:
    """What the assembler reports."""
    registers: int = 0
    shared: int = 0  # bytes, static
    stack: int = 0   # bytes, with functions that are called
    spills: int = 0  # bytes of stores and loads, of which there may be several for a byte of stack


def short_names(mangled):
    """Without namespaces, parameters and spaces: multiply_tiles<Q4K,8>."""
    text = subprocess.run(["c++filt"], input="\n".join(mangled), capture_output=True, text=True, check=True).stdout
    return [re.sub(r"\(anonymous namespace\)::|vernal::cuda_sm86::|^void | ", "", line[:line.rindex("(")])
            for line in text.splitlines()]


def read_report(text):
    """{mangled name: Kernel} and the warnings of one report."""
    kernels, warnings, current = {}, [], None
    for line in text.splitlines():
        if "Registers are spilled to local memory" in line:
            continue  # the numbers come with the kernel
        if line.startswith("ptxas warning"):
            warnings.append(line)
        elif found := re.search(r"Compiling entry function '(\w+)'", line):
            current = kernels.setdefault(found[1], Kernel())
        elif found := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line):
            stack, stores, loads = map(int, found.groups())
            current.stack = max(current.stack, stack)
            current.spills = max(current.spills, stores, loads)
        elif found := re.search(r"Used (\d+) registers", line):
            current.registers = int(found[1])
            for member, pattern in (("shared", r"(\d+) bytes smem"), ("stack", r"(\d+) bytes cumulative stack size")):
                if value := re.search(pattern, line):
                    setattr(current, member, max(getattr(current, member), int(value[1])))
    return kernels, warnings


def worse_of(a, b):
    """Of two kernels of the same name, in different files."""
    return Kernel(*map(max, dataclasses.astuple(a), dataclasses.astuple(b)))


def local_memory_problem(name, kernel):
    for pattern, stack, spills, _ in LOCAL_MEMORY:
        if fnmatch.fnmatchcase(name, pattern):
            break
    else:
        stack = spills = 0
    if kernel.stack > stack or kernel.spills > spills:
        return (f"{name} has {kernel.stack} bytes of stack and {kernel.spills} of spills; "
                f"{stack} and {spills} are allowed")
    return None


def read_ceilings(path):
    """The compiler's version and {name: (registers, shared)}."""
    ceilings, compiler = {}, ""
    for line in path.read_text().splitlines():
        if found := re.match(r"# nvcc (\S+)", line):
            compiler = found[1]
        elif line and not line.startswith("#"):
            name, registers, shared = line.split()
            ceilings[name] = int(registers), int(shared)
    return compiler, ceilings


def write_ceilings(path, compiler, kernels):
    width = max(map(len, kernels))
    lines = [f"# nvcc {compiler}", "# The most registers and bytes of static shared memory that each kernel may take. Written by",
             "#   cmake --build build/release --target cuda_kernel_ceilings",
             f"# {'kernel':{width - 2}} registers  shared"]
    lines += [f"{name:{width}} {kernel.registers:9} {kernel.shared:7}" for name, kernel in sorted(kernels.items())]
    path.write_text("\n".join(lines) + "\n")


def compare_with_ceilings(path, ceilings, kernels):
    for name, kernel in sorted(kernels.items()):
        if name not in ceilings:
            yield f"{name} has no ceiling in {path.name}"
            continue
        for what, found, ceiling in zip(("registers", "bytes of shared memory"), (kernel.registers, kernel.shared),
                                        ceilings[name]):
            if found > ceiling:
                yield f"{name} takes {found} {what}, its ceiling is {ceiling}"
    for name in sorted(ceilings.keys() - kernels.keys()):
        yield f"{name} has a ceiling in {path.name}, but is not there"


def check_kernels(arguments):
    kernels = {}
    for name in arguments.objects:
        report = pathlib.Path(name + ".kernels.txt")
        if not report.is_file():
            yield f"{report} is missing"
            continue
        found, warnings = read_report(report.read_text())
        if not found:
            yield f"{report} names no kernel"
        yield from warnings
        for name, kernel in zip(short_names(found), found.values()):
            kernels[name] = worse_of(kernels.get(name, Kernel()), kernel)
    for name, kernel in sorted(kernels.items()):
        if problem := local_memory_problem(name, kernel):
            yield problem
    version = ".".join(arguments.compiler.split(".")[:2])
    if arguments.rewrite:
        write_ceilings(arguments.ceilings, version, kernels)
    compiler, ceilings = read_ceilings(arguments.ceilings)
    if compiler != version:
        arguments.skipped = f"the ceilings are those of nvcc {compiler}, this is {version}: not compared"
        return
    yield from compare_with_ceilings(arguments.ceilings, ceilings, kernels)
    print(f"{len(kernels)} kernels")


# ---- sources ---------------------------------------------------------------------------------------------------------

FOLDER = pathlib.Path("plugins/backends/cuda_sm86")
SOURCES = {".cu", ".hpp", ".cpp"}
# (pattern, where it may stand, what to do instead)
REFUSED = [
    (r"\basm\b", "kernels/device.hpp", "inline assembly stands in kernels/device.hpp"),
    (r"<<<", "", "kernels are started by launch(), which answers whether it went well"),
    (r"\bcuda(Get|Peek)(At)?LastError\b", "", "every call is judged by its own answer"),
    (r"\bcu(da)?(Device|Ctx)Synchronize\b", "", "wait for a stream or an event"),
]
KERNEL_INCLUDE = re.compile(r'^ *# *include +"((?!kernels/|shared/compile/function_kinds\.hpp"|emulator/device_code\.hpp")[^"]+)"', re.M)


def check_kernel_sources(tree):
    folder = tree / FOLDER
    files = [file for file in sorted(folder.rglob("*")) if file.suffix in SOURCES
             and file.relative_to(folder).parts[0] not in ("emulator", "emulated")]
    if not any(file.suffix == ".cu" for file in files):
        yield f"{FOLDER} has no kernels"
    for file in files:
        text = file.read_text()
        name = file.relative_to(folder).as_posix()
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, allowed, advice in REFUSED:
                if name != allowed and re.search(pattern, line.split("//")[0]):
                    yield f"{FOLDER}/{name}:{number}: {line.strip()}: {advice}"
        if name.startswith("kernels/"):
            for include in KERNEL_INCLUDE.findall(text):
                yield f"{FOLDER}/{name}: includes {include}; kernels include headers of kernels/ alone"


def check_build_files(tree):
    for pattern in ("*.cmake", "CMakeLists.txt", "CMakePresets.json", "*.sh"):
        for file in sorted(tree.rglob(pattern)):
            name = file.relative_to(tree)
            if name.parts[0] in ("build", "models", ".git"):
                continue
            if "-mcmodel" in file.read_text():
                yield f"{name}: has -mcmodel; a plugin for one architecture does not need it"


def check_sources(tree):
    yield from check_kernel_sources(tree)
    yield from check_build_files(tree)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("code", "linkage"):
        commands.add_parser(name).add_argument("plugin", type=pathlib.Path)
    kernels = commands.add_parser("kernels")
    kernels.add_argument("--compiler", default="", help="version of nvcc")
    kernels.add_argument("--rewrite", action="store_true")
    kernels.add_argument("ceilings", type=pathlib.Path)
    kernels.add_argument("objects", nargs="+")
    commands.add_parser("sources").add_argument("tree", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.skipped = ""
    check = {"code": lambda a: check_code(a.plugin), "linkage": lambda a: check_linkage(a.plugin),
             "kernels": check_kernels, "sources": lambda a: check_sources(a.tree)}[arguments.command]
    problems = list(check(arguments))
    for problem in problems:
        print(problem)
    if problems:
        return 1
    if arguments.skipped:
        print(arguments.skipped)
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main())
