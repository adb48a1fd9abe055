#!/usr/bin/env python3
"""Every kernel compiles with NVRTC 12.4 too, the oldest toolkit that the plugin is built with, and without a warning.

  nvrtc_test.py TREE CACHE CEILINGS

NVRTC comes from the Python package index and is kept in the folder CACHE. It compiles host code as device code: there
launch() starts nothing, and is no more than the list of the kernels that are compiled. These must be the kernels of the
file CEILINGS. As a compiler cache does, CACHE also keeps what a file gave, by the content of all sources. Exit status
77: the packages cannot be had.
"""
import concurrent.futures
import ctypes
import hashlib
import json
import pathlib
import re
import shutil
import sys

TREE, CACHE, CEILINGS = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
FOLDER = TREE / "plugins/backends/cuda_sm86"
sys.path[:0] = [str(pathlib.Path(__file__).parent)]
import check_cuda_plugin  # noqa: E402
import wheels  # noqa: E402

# Package and version, sha256 of the wheel, what is wanted of it.
PACKAGES = [
    ("nvidia-cuda-nvrtc-cu12==12.4.127", "a178759ebb095827bd30ef56598ec182b85547f1508941a3d560eb7ea1fbf338", "lib/"),
    ("nvidia-cuda-runtime-cu12==12.4.127", "64403288fa2136ee8e467cdc9c9427e0434110899d07c779f25b5c068934faa5", "include/"),
]
OPTIONS = ["--gpu-architecture=sm_86", "--std=c++20", "--device-as-default-execution-space",
           "--diag-suppress=20044",  # tables of host code that other files define
           f"-I{FOLDER}", f"-I{FOLDER.parent}"]


class Nvrtc:
    """The library, as far as it is needed."""

    def __init__(self, folder):
        ctypes.CDLL(str(folder / "libnvrtc-builtins.so.12.4"), mode=ctypes.RTLD_GLOBAL)
        self.library = ctypes.CDLL(str(folder / "libnvrtc.so.12"))

    def output(self, program, what):
        size = ctypes.c_size_t()
        if getattr(self.library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)) != 0:
            return b""
        buffer = ctypes.create_string_buffer(size.value)
        getattr(self.library, f"nvrtcGet{what}")(program, buffer)
        return buffer.raw

    def compile(self, file, options):
        """(what the compiler says, the machine code or nothing)."""
        program = ctypes.c_void_p()
        self.library.nvrtcCreateProgram(ctypes.byref(program), file.read_bytes(), str(file).encode(), 0, None, None)
        arguments = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
        status = self.library.nvrtcCompileProgram(program, len(options), arguments)
        said = self.output(program, "ProgramLog").rstrip(b"\0").decode().strip()
        code = self.output(program, "CUBIN") if status == 0 else b""
        self.library.nvrtcDestroyProgram(ctypes.byref(program))
        return said or ("" if code else f"status {status}"), code


class Compiled:
    """What a file gave: what the compiler said, and the kernels in its code. Kept in a folder for one state of all sources."""

    def __init__(self, nvrtc, options):
        self.nvrtc, self.options = nvrtc, options
        digest = hashlib.sha256(repr((PACKAGES, OPTIONS)).encode() + pathlib.Path(__file__).read_bytes())
        for file in sorted(FOLDER.parent.rglob("*")):
            if file.suffix in {".cu", ".cuh", ".h", ".hpp"}:
                digest.update(repr((str(file.relative_to(TREE)), file.read_bytes())).encode())
        self.folder = CACHE / "compiled" / digest.hexdigest()[:32]
        for old in self.folder.parent.glob("*"):
            if old != self.folder:
                shutil.rmtree(old)
        self.folder.mkdir(parents=True, exist_ok=True)

    def of(self, file):
        """[what the compiler said, names]."""
        kept = self.folder / f"{hashlib.sha256(str(file.relative_to(TREE)).encode()).hexdigest()[:32]}.json"
        if kept.exists():
            return json.loads(kept.read_text())
        said, code = self.nvrtc.compile(file, self.options)
        found = [said, sorted({name.decode() for name in re.findall(rb"\0\.text\.(\w+)", code)})]
        if said:
            return found  # and tried again the next time
        unfinished = kept.with_suffix(".part")
        unfinished.write_text(json.dumps(found))
        unfinished.replace(kept)
        return found


def main():
    try:
        wheels.unpack(PACKAGES, CACHE)
    except (wheels.Unavailable, OSError) as error:
        print(f"skipped: NVRTC 12.4 cannot be had: {error}")
        return 77
    nvrtc = Nvrtc(CACHE / "nvidia/cuda_nvrtc/lib")
    compiled = Compiled(nvrtc, [*OPTIONS, f"-I{CACHE / 'nvidia/cuda_runtime/include'}"])
    files = sorted((FOLDER / "kernels").rglob("*.cu"))
    kernels, failures = set(), 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for file, (said, names) in zip(files, pool.map(compiled.of, files)):
            if said:
                failures += 1
                print(f"{file.relative_to(TREE)}:\n{said}")
            kernels.update(names)
    found = set(check_cuda_plugin.short_names(sorted(kernels)))
    _, wanted = check_cuda_plugin.read_ceilings(CEILINGS)
    for name in sorted(found ^ wanted.keys()):
        failures += 1
        print(f"{name} is {'compiled, but has no ceiling' if name in found else 'not compiled'}")
    print(f"{len(files)} files, {len(found)} kernels, {failures} problems")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
