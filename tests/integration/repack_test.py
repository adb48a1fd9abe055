#!/usr/bin/env python3
"""repack_test.py VERNAL MODEL PLUGINS: the key `repack` of cpu_avx2, and what loading takes beside the plan."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

VERNAL, MODEL, PLUGINS = sys.argv[1:4]
MIB = 1 << 20
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)


def vernal(*arguments):
    return subprocess.run([VERNAL, *map(str, arguments)], capture_output=True, text=True, timeout=120)


def deployment(folder, repack, model=MODEL):
    file = pathlib.Path(folder) / f"{repack}.toml"
    file.write_text(f"""schema = 1
[runtime]
plugin_paths = [{json.dumps(PLUGINS)}]
[backends.cpu]
plugin = "cpu_avx2"
threads = 2
isa = "avx2"
repack = "{repack}"
[models.m]
path = {json.dumps(str(model))}
backend = "cpu"
context_length = 256
slots = 1
max_tokens_per_step = 64
""")
    return file


def plan(file):
    """Bytes by category, and what the backend says of itself."""
    done = vernal("plan", "--json", file)
    expect(done.returncode == 0, f"plan: {done.stderr}")
    document = json.loads(done.stdout)
    bytes_of = {}
    for row in document["models"][0]["rows"]:
        bytes_of[row["category"]] = bytes_of.get(row["category"], 0) + row["bytes"]
    return bytes_of, document["backends"]["cpu"], document["models"][0]["total_bytes"]


def check_choices(folder):
    answers, plans = {}, {}
    for repack in ("auto", "never", "always"):
        file = deployment(folder, repack)
        plans[repack], text, _ = plan(file)
        expect(text == "kernels for AVX2, 2 threads", f"what the backend says: {text}")
        expect("[backends.cpu]: kernels for AVX2, 2 threads" in vernal("plan", file).stdout, "the same as text")
        done = vernal("run", file, "-p", "Once upon a time", "--max-tokens", "24", "--temperature", "0")
        expect(done.returncode == 0 and done.stdout.strip(), f"{repack}: {done.stderr}")
        answers[repack] = done.stdout
    expect(len(set(answers.values())) == 1, f"one text for all: {answers}")
    copied = {repack: rows["weights"] for repack, rows in plans.items()}
    mapped = {repack: rows.get("mapped file", 0) for repack, rows in plans.items()}
    expect(mapped["always"] == 0, f"always: nothing stays in the file: {plans}")
    expect(0 < mapped["auto"] < mapped["never"], f"auto: the table of the embeddings, never: more: {plans}")
    expect(copied["always"] > copied["auto"] > copied["never"], f"what stays is not copied: {plans}")
    refused = vernal("check", deployment(folder, "sometimes"))
    expect(refused.returncode != 0 and "sometimes.toml:8" in refused.stderr and "always" in refused.stderr,
           f"a value that is none: {refused.stderr}")


# Three matrices of 51 MiB; everything else is small.
SHAPE = f"""schema = 1
architecture = "llama"
[tokenizer]
from = {json.dumps(MODEL)}
[shape]
layers = 1
hidden_size = 1024
feed_forward_size = 49152
heads = 8
kv_heads = 2
head_size = 128
tied_head = true
[types]
default = "q8_0"
"""


def peak_bytes(file):
    """The greatest resident size of a run that answers."""
    process = subprocess.Popen([VERNAL, "run", str(file), "-p", "x", "-n", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    problems = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    expect(status == 0, f"run: {problems}")
    return usage.ru_maxrss * 1024


def check_peak(folder):
    """No more than small pieces of the file are in memory beside the copies: far less than one of the matrices."""
    model = pathlib.Path(folder) / "large_matrices.gguf"
    shape = pathlib.Path(folder) / "shape.toml"
    shape.write_text(SHAPE)
    made = vernal("make-model", shape, model)
    expect(made.returncode == 0, f"make-model: {made.stderr}")
    file = deployment(folder, "auto", model)
    rows, _, total = plan(file)
    base = peak_bytes(deployment(folder, "always"))  # libraries and the like, with a model of a few MiB
    over = peak_bytes(file) - total
    expect(rows["weights"] > 120 * MIB, f"large matrices: {rows}")
    expect(over < base + 24 * MIB, f"{over / MIB:.1f} MiB beside the plan, {base / MIB:.1f} MiB with a small model")


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_choices(folder)
        check_peak(folder)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
