#!/usr/bin/env python3
"""own_plugins_test.py CHECK FOLDER MODEL: vernal-plugin-check finds nothing in the plugins of this tree.

MODEL is a model file of the architecture "llama", which is tried on it too.
"""
import concurrent.futures
import pathlib
import subprocess
import sys

# Backends run the operations of every level.
ALL_LEVELS = ["--level", "2"]

# Name, and what the check is told of it.
PLUGINS = {
    "reference": ALL_LEVELS,
    "cpu_avx2": [*ALL_LEVELS, "--set", "threads=2"],
    # It reports crashes of kernels by a handler of its own.
    "cuda_sm86_emu": [*ALL_LEVELS, "--waive", "lifecycle.settings=its handler reports faults of kernels"],
    # Without a device most tests are skipped.
    "cuda_sm86": ALL_LEVELS,
    "llama": [],
    "qwen2": [],
    "qwen3": [],
    "qwen3moe": [],
    "qwen35": [],
    "qwen35moe": [],
    "gemma3": [],
    "openai_http": ["--set", "listen=127.0.0.1:0"],
    "stdin_repl": [],
    "toy": [],
    "one_prompt": ["--set", "model=mock", "--set", "prompt=Hello", "--set", "file=/dev/null"],
}
# Built only where there is a compiler for them.
OPTIONAL = {"cuda_sm86"}


def main():
    check, folder, model = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    runs = [*PLUGINS.items(), ("llama", ["--group", "model", "--model", model])]
    runs = [(name, arguments) for name, arguments in runs if name not in OPTIONAL or (folder / f"{name}.so").exists()]

    def run(name_and_arguments):
        name, arguments = name_and_arguments
        command = [check, folder / f"{name}.so", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=500)

    unknown = {plugin.stem for plugin in folder.glob("*.so")} - PLUGINS.keys()
    if unknown:
        print(f"not checked, because PLUGINS does not name them: {', '.join(sorted(unknown))}")
    failures = len(unknown)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for (name, _), done in zip(runs, pool.map(run, runs)):
            print(done.stdout.strip().splitlines()[-1] if done.returncode == 0
                  else done.stdout + done.stderr)
            if done.returncode != 0:
                failures += 1
                print(f"{name}: exit status {done.returncode}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
