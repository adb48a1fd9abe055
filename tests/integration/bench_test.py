#!/usr/bin/env python3
"""bench_test.py VERNAL MODEL PLUGINS: what `vernal bench` measures and how it says it. Speeds themselves are not judged."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

VERNAL, MODEL, PLUGINS = sys.argv[1:4]
DEPLOYMENT = f"""schema = 1
[runtime]
plugin_paths = [{json.dumps(PLUGINS)}]
[backends.cpu]
plugin = "cpu_avx2"
threads = 1
[models.m]
path = {json.dumps(MODEL)}
backend = "cpu"
context_length = 640
slots = 1
max_tokens_per_step = 64
"""
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)


def bench(file, *arguments):
    return subprocess.run([VERNAL, "bench", file, "-r", "1", "--decode", "2", *arguments], capture_output=True, text=True, timeout=120)


def check_lines(file):
    """Depths come from the least on; prefills end where the option says; each width of a step has a speed."""
    done = bench(file, "--json-lines", "-d", "256,0,600,630", "--prefill", "32,96", "--prefill-depth", "256", "--columns", "1,4,8",
                 "--bandwidth", "448")
    expect(done.returncode == 0, f"status {done.returncode}: {done.stderr}")
    title, *rows = [json.loads(line) for line in done.stdout.splitlines()]
    expect(title["read_bandwidth_bytes_per_second"] == 448e9 and "threads" not in title, f"the bandwidth that was given: {title}")
    expect([row["depth"] for row in rows] == [0, 256, 600], f"depths: {rows}")  # 630 + 2 steps of 8 is too long
    for row in rows:
        prefills = row["prefill_tokens_per_second"]
        expect(len(prefills) == 2 and all((speed is None) == (row["depth"] > 256) for speed in prefills), f"prefills: {row}")
        expect((row["approach_tokens_per_second"] is None) == (row["depth"] == 0), f"the way to a depth: {row}")
        expect(len(row["decode_tokens_per_second"]) == 3 and min(row["decode_tokens_per_second"]) > 0, f"decode: {row}")
        steps = [speed / columns for speed, columns in zip(row["decode_tokens_per_second"], (1, 4, 8))]
        share = row["bytes_per_step"] * steps[0] / 448e9
        expect(abs(row["bandwidth_share"][0] - share) < 1e-9, f"share: expected {share}, found {row}")
        counted = row["instructions_per_byte"]  # null where the system lets nobody count
        expect(counted is None or 0.01 < counted < 1e4, f"instructions a byte: {row}")
    expect(rows[2]["bytes_per_step"] - rows[1]["bytes_per_step"] == 344 * KV_BYTES, f"a position has {KV_BYTES} bytes: {rows}")


KV_BYTES = 3 * 2 * 2 * 64 * 2  # layers, keys and values, KV heads, their size, f16


def check_machine(machine):
    processors = os.sched_getaffinity(0)
    expect(machine["threads"] == len(processors), f"threads: {machine}")
    expect(0 <= machine["cores"] <= len(processors), f"cores: {machine}")
    expect(machine["compute_scaling"] > 0, f"how threads compute together: {machine}")
    expect(machine["instruction_level"].startswith("x86-64") and machine["memory_bytes"] > 1 << 28, f"instructions, memory: {machine}")
    expect(machine["backends"]["cpu"].startswith("kernels for ") and machine["backends"]["cpu"].endswith(", 1 threads"),
           f"what the backend says: {machine}")


def check_together(file):
    """Sequences decode side by side, at every depth, although the deployment has one slot."""
    done = bench(file, "--json", "-d", "0,128", "--prefill", "0", "--sequences", "1,3", "--bandwidth", "448")
    expect(done.returncode == 0, f"status {done.returncode}: {done.stderr}")
    document = json.loads(done.stdout)
    expect(document["sequences"] == [1, 3] and [row["depth"] for row in document["rows"]] == [0, 128], f"rows: {document}")
    for row in document["rows"]:
        speeds = row["together_tokens_per_second"]
        expect(len(speeds) == 2 and min(speeds) > 0, f"speeds: {row}")


def check_operations(file):
    row = json.loads(bench(file, "--json", "-d", "64", "--prefill", "32", "--operations", "--bandwidth", "448").stdout)["rows"][0]
    for part, tokens in (("prefill", 32), ("decode", 1)):
        times = row[f"{part}_operations_ms"]
        expect({"vernal.linear/1", "vernal.attention/1", "vernal.rmsnorm/1"} <= set(times) and min(times.values()) > 0, f"kinds: {times}")
        expect(list(times.values()) == sorted(times.values(), reverse=True), f"the slowest first: {times}")
    text = bench(file, "-d", "64", "--prefill", "0", "--operations", "--bandwidth", "448").stdout
    expect("decode step  vernal.linear/1" in text, f"as text: {text}")
    other = file.with_name("reference.toml")
    other.write_text(DEPLOYMENT.replace('"cpu_avx2"\nthreads = 1', '"reference"'))
    refused = bench(other, "-d", "0", "--operations", "--bandwidth", "448")
    expect(refused.returncode == 1 and "--operations: a backend of this model does not time them" in refused.stderr,
           f"a backend without times: {refused.stderr}")


def check_comparison(file, folder):
    results = []
    for name in "ab":
        results.append(pathlib.Path(folder) / f"{name}.json")
        done = bench(file, "--json", "-d", "0,64", "--prefill", "32", "--bandwidth", "448", "--svg", pathlib.Path(folder) / f"{name}.svg")
        results[-1].write_text(done.stdout)
        picture = xml.etree.ElementTree.parse(pathlib.Path(folder) / f"{name}.svg").getroot()
        expect(len(picture.findall(".//{*}circle")) == 4, "a dot for each speed")
    picture = pathlib.Path(folder) / "both.svg"
    done = subprocess.run([VERNAL, "bench", "--compare", *results, "--svg", picture], capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0 and done.stdout.count("\n") == 8, f"a line for each speed: {done.stdout}{done.stderr}")
    first, second = (json.loads(result.read_text())["rows"][1]["decode_tokens_per_second"][0] for result in results)
    line = next(line.split() for line in done.stdout.splitlines() if line.split()[:2] == ["decode", "64"])
    expect(abs(float(line[4]) - second / first) < 2e-3, f"the ratio of {second} to {first}: {line}")
    expect(len(xml.etree.ElementTree.parse(picture).getroot().findall(".//{*}circle")) == 8, "dots of both")
    results[1].write_text("{}")
    done = subprocess.run([VERNAL, "bench", "--compare", *results], capture_output=True, text=True, timeout=60)
    expect(done.returncode == 1 and "b.json: no result" in done.stderr, f"another file: {done.stderr}")
    done = subprocess.run([VERNAL, "bench"], capture_output=True, text=True, timeout=60)
    expect(done.returncode != 0 and "FILE" in done.stderr, f"neither a file nor results: {done.stderr}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "a.toml"
        file.write_text(DEPLOYMENT)
        check_lines(file)
        text = bench(file, "-d", "0", "--prefill", "0", "--bandwidth", "31.5").stdout
        expect("read bandwidth 31.5 GB/s" in text and "prefill" not in text and text.count("\n") == 5, f"a table: {text}")
        expect("\ncpu: kernels for " in text, f"what the backend says: {text}")
        document = json.loads(bench(file, "-d", "0", "--json", "--bandwidth", "31.5").stdout)
        expect(document["prefill_tokens"] == [512] and len(document["rows"]) == 1, f"a document: {document}")
        check_machine(document["machine"])
        check_together(file)
        check_operations(file)
        check_comparison(file, folder)
        for arguments, problem in ((["-d", "640"], "has no room for 512 tokens behind depth 640"), (["--columns", "0"], "--columns"),
                                   (["--bandwidth", "0"], "--bandwidth"), (["--sequences", "0"], "--sequences"),
                                   (["--compare", "a.json", "b.json"], "excludes")):
            done = bench(file, *arguments)
            expect(done.returncode != 0 and problem in done.stderr, f"{arguments}: expected {problem}: {done.stderr}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
