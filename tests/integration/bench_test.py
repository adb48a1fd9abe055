#!/usr/bin/env python3
"""bench_test.py VERNAL MODEL PLUGINS: what `vernal bench` measures and how it says it. Speeds themselves are not judged."""
import json
import pathlib
import subprocess
import sys
import tempfile

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
    expect(rows[2]["bytes_per_step"] - rows[1]["bytes_per_step"] == 344 * KV_BYTES, f"a position has {KV_BYTES} bytes: {rows}")


KV_BYTES = 3 * 2 * 2 * 64 * 2  # layers, keys and values, KV heads, their size, f16


def main():
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "a.toml"
        file.write_text(DEPLOYMENT)
        check_lines(file)
        text = bench(file, "-d", "0", "--prefill", "0", "--bandwidth", "31.5").stdout
        expect("read bandwidth 31.5 GB/s" in text and "prefill" not in text and text.count("\n") == 3, f"a table: {text}")
        document = json.loads(bench(file, "-d", "0", "--json", "--bandwidth", "31.5").stdout)
        expect(document["prefill_tokens"] == [512] and len(document["rows"]) == 1, f"a document: {document}")
        for arguments, problem in ((["-d", "640"], "has no room for 512 tokens behind depth 640"), (["--columns", "0"], "--columns"),
                                   (["--bandwidth", "0"], "--bandwidth")):
            done = bench(file, *arguments)
            expect(done.returncode != 0 and problem in done.stderr, f"{arguments}: expected {problem}: {done.stderr}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
