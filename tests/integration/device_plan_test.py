#!/usr/bin/env python3
"""device_plan_test.py VERNAL MODEL BACKEND PLUGINS: a plan for a card that the machine does not have.

The shape is that of Qwen3.6-27B at 4.26 bits per weight. Weights, KV cache and state are what an engine that loaded the real
file reported, in MiB. MODEL gives the tokenizer.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

VERNAL, MODEL, BACKEND, PLUGINS = sys.argv[1:5]
SHAPES = pathlib.Path(__file__).resolve().parents[2] / "configs" / "shapes"
MIB = 1 << 20

# Object, its device, and its size in MiB, each within 0.1.
REPORTED = [
    ("weights", "cuda:0", 13018.96),
    ("weights that are looked up", "cpu", 645.09),
    ("kv cache", "cuda:0", 1152.00),
    ("recurrent state", "cuda:0", 149.63),
]
# What a token reads and writes at depths 0 and 65536, in GB: weights without token_embd, states twice, keys and values.
LEAST_MOVED = [("token_bytes_at_depth_0", 13.965), ("token_bytes_at_full_context", 15.173)]
MOST_SCRATCH = 250  # MiB, with 512 tokens in a step
MOST_TOTAL = 14571  # the other engine took 14826


def deployment(model, context_length):
    return f"""schema = 1
[runtime]
plugin_paths = [{json.dumps(PLUGINS)}]
[backends.card]
plugin = "{BACKEND}"
[models.m]
path = {json.dumps(str(model))}
backend = "card"
context_length = {context_length}
slots = 1
max_tokens_per_step = 512
kv_cache = {{ keys = "q4_0", values = "q4_0" }}
"""


def run(*arguments):
    return subprocess.run([VERNAL, *map(str, arguments)], capture_output=True, text=True, timeout=120)


def plan(file, *arguments):
    done = run("plan", file, "--json", *arguments)
    if done.returncode != 0:
        sys.exit(f"vernal plan: status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def main():
    failures = []

    def expect(holds, what):
        if not holds:
            failures.append(what)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lines = (SHAPES / "qwen36-27b.toml").read_text().splitlines()
        shape = "\n".join(f"from = {json.dumps(MODEL)}" if line.startswith("from =") else line for line in lines)
        (folder / "shape.toml").write_text(shape)
        model = folder / "model.gguf"
        made = run("make-model", "--header-only", folder / "shape.toml", model)
        expect("851 tensors" in made.stdout, f"expected 851 tensors: {made.stdout}{made.stderr}")
        expect(model.stat().st_blocks * 512 < model.stat().st_size / 100, "the file has no hole")

        file = folder / "card.toml"
        file.write_text(deployment(model, 65536))
        found = plan(file, "--device-memory", "15929MiB")
        rows = {(row["object"], row["device"]): row["bytes"] / MIB for row in found["models"][0]["rows"]}
        for what, device, reported in REPORTED:
            mib = rows.get((what, device), 0)
            print(f"{what} on {device}: {mib:.2f} MiB, reported {reported:.2f}")
            expect(abs(mib - reported) <= 0.1, f"{what}: expected {reported} MiB, found {mib}")
        on_card = {what: mib for (what, device), mib in rows.items() if device == "cuda:0"}
        scratch = sum(on_card[what] for what in ("activations", "step inputs", "step results"))
        total = sum(on_card.values())
        print(f"scratch {scratch:.2f} MiB, on the card {total:.2f} MiB")
        expect(scratch <= MOST_SCRATCH, f"scratch: expected at most {MOST_SCRATCH} MiB, found {scratch}")
        expect(total <= MOST_TOTAL, f"total: expected at most {MOST_TOTAL} MiB, found {total}")
        expect(found["fits"], "expected to fit 15929 MiB")
        for key, least in LEAST_MOVED:
            moved = found["models"][0][key] / 1e9
            print(f"{key}: {moved:.3f} GB, {moved / least:.4f} of what it must be")
            expect(0.999 <= moved / least <= 1.03, f"{key}: expected {least} GB to 1.03 times that, found {moved}")

        small = plan(file, "--device-memory", "14000MiB")
        expect(not small["fits"], "expected not to fit 14000 MiB")
        largest = [int(line.split("context_length = ")[1].split()[0]) for line in small["shortage"]["fits_with"]
                   if "context_length" in line]
        expect(largest and 1024 <= largest[0] < 65536, f"expected the largest context that fits: {small}")
        if largest:
            file.write_text(deployment(model, largest[0]))
            expect(plan(file, "--device-memory", "14000MiB")["fits"], f"{largest[0]} was said to fit")
            print(f"14000 MiB hold a context of {largest[0]}")

        wrong = run("plan", file, "--device-memory", "15929")
        expect(wrong.returncode != 0 and "--device-memory" in wrong.stderr, f"expected the option's name: {wrong.stderr}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
