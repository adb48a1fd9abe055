#!/usr/bin/env python3
"""instruction_sets_test.py VERNAL MODEL PLUGINS: the key `isa` of cpu_avx2, as an operator meets it."""
import json
import pathlib
import subprocess
import sys
import tempfile

VERNAL, MODEL, PLUGINS = sys.argv[1:4]
NEEDED = {  # flags of /proc/cpuinfo
    "avx2": [],
    "avx_vnni": ["avx_vnni"],
    "avx512_vnni": ["avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512vbmi"],
}
TITLES = {"avx2": "AVX2", "avx_vnni": "AVX-VNNI", "avx512_vnni": "AVX-512 with VNNI"}
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)


def vernal(*arguments):
    return subprocess.run([VERNAL, *arguments], capture_output=True, text=True, timeout=120)


def deployment(folder, isa):
    file = pathlib.Path(folder) / "a.toml"
    file.write_text(f"""schema = 1
[runtime]
plugin_paths = [{json.dumps(PLUGINS)}]
[backends.cpu]
plugin = "cpu_avx2"
isa = "{isa}"
[models.m]
path = {json.dumps(MODEL)}
backend = "cpu"
context_length = 256
""")
    return file


def main():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    flags = next(line for line in lines if line.startswith("flags")).split()
    here = [isa for isa, needed in NEEDED.items() if all(flag in flags for flag in needed)]
    with tempfile.TemporaryDirectory() as folder:
        answers = {}
        for isa in [*NEEDED, "auto"]:
            done = vernal("run", deployment(folder, isa), "-p", "Once upon a time", "--max-tokens", "24", "--temperature", "0")
            if isa in (*here, "auto"):
                expect(done.returncode == 0, f"{isa}: {done.stderr}")
                answers[isa] = done.stdout
            else:
                expect(done.returncode != 0 and f'isa = "{isa}" needs a processor with' in done.stderr, f"{isa}: {done.stderr}")
        expect(len(set(answers.values())) == 1 and answers["auto"], f"one text for all: {answers}")
        refused = vernal("check", deployment(folder, "avx10"))
        expect(refused.returncode != 0 and "a.toml:6" in refused.stderr and "avx512_vnni" in refused.stderr,
               f"a value that is none: {refused.stderr}")
    listed = vernal("plugins", PLUGINS).stdout
    expect(f"device cpu: host processor, {TITLES[here[-1]]}," in listed, f"the best of {here}: {listed}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
