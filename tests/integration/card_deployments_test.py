#!/usr/bin/env python3
"""card_deployments_test.py VERNAL TOKENIZER PLUGIN PLUGINS: the deployments of configs/ for cards, planned without a card.

Each file is planned as it is shipped, beside a file that has the model's header and no weights; TOKENIZER gives its tokenizer.
PLUGIN stands in for cuda_sm86 where that one is not built: both plan the same. Memory is in MiB, each figure within 0.1.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

VERNAL, TOKENIZER, PLUGIN, PLUGINS = sys.argv[1:5]
CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"
MIB = 1 << 20

# What nothing but the model and the deployment decide, so that it is the same for every version of the backend.
WEIGHTS, KV_CACHE, STATE = 13018.96, 18432 / MIB, 149.625  # all layers; q4_0 for a token; a slot
LOOKED_UP = 645.09  # token_embd, which is looked up in host memory
CASES = {
    "qwen36-27b-a4000": {
        "memory": 15929,
        "card": {"weights": WEIGHTS, "kv cache": 65536 * KV_CACHE, "recurrent state": STATE},
        "host": {"weights that are looked up": LOOKED_UP, "checkpoints": 8 * STATE},
        "scratch": 250,
        "total": 14571,
        "contexts": [98304, 163840],  # between these is the largest that fits
    },
    "qwen36-27b-3090": {
        "memory": 24124,
        "card": {"weights": WEIGHTS, "kv cache": 229376 * 34816 / MIB, "recurrent state": 4 * STATE},
        "host": {"weights that are looked up": LOOKED_UP, "checkpoints": 16 * STATE},
        "scratch": 250,
        "total": 21484,
        "contexts": [229376, 229376],  # what the pool holds
    },
    "qwen36-27b-offload-12gb": {
        "memory": 11910,
        "card": {"weights": 10698.86, "kv cache": 32768 * KV_CACHE * 52 / 64, "recurrent state": STATE * 39 / 48, "weight stream": 104.52},
        "host": {"weights": 2967.97 - LOOKED_UP, "weights in place": LOOKED_UP, "kv cache": 32768 * KV_CACHE * 12 / 64, "recurrent state": 28.05,
                 "weight stream": 55.92, "streamed weights": 2318.21},
        "streamed": {"backend": "cpu", "first": 0, "last": 11, "streamed_through": "gpu", "stream_weights": 256},
        "scratch": 250,
        "total": 11538,
        "contexts": [49152, 98304],
    },
}


def run(*arguments):
    return subprocess.run([VERNAL, *map(str, arguments)], capture_output=True, text=True, timeout=120)


def plan(file, memory_mib, *arguments):
    done = run("plan", file, "--device-memory", f"{memory_mib}MiB", *arguments)
    if done.returncode != 0:
        sys.exit(f"vernal plan {file.name}: status {done.returncode}\n{done.stderr}")
    return done.stdout


def sums(rows, on_card):
    """MiB of each object on the card or on the host, whichever layers it belongs to."""
    out = {}
    for row in rows:
        if (row["device"] == "cuda:0") == on_card:
            name = row["object"].rsplit(", ", 1)[-1]
            out[name] = out.get(name, 0) + row["bytes"] / MIB
    return out


def check(name, case, file, expect):
    found = json.loads(plan(file, case["memory"], "--json"))
    model = found["models"][0]
    card, host = sums(model["rows"], True), sums(model["rows"], False)
    for place, objects in (("card", card), ("host", host)):
        for what, mib in case[place].items():
            print(f"{name}: {what} on the {place}: {objects.get(what, 0):.2f} MiB")
            expect(abs(objects.get(what, 0) - mib) <= 0.1, f"{what} on the {place}: expected {mib:.2f} MiB, found {objects.get(what)}")
    scratch = sum(card[what] for what in ("activations", "step inputs", "step results"))
    total = sum(card.values())
    print(f"{name}: scratch {scratch:.2f} MiB, on the card {total:.2f} of {case['memory']} MiB")
    expect(scratch <= case["scratch"], f"scratch: expected at most {case['scratch']} MiB, found {scratch:.2f}")
    known = sum(case["card"].values())
    expect(abs(total - known - scratch) <= 0.1, f"expected {known + scratch:.2f} MiB on the card and nothing else, found {card}")
    expect(total <= case["total"], f"total: expected at most {case['total']} MiB, found {total:.2f}")
    streamed = [part for part in model["layers"] if "streamed_through" in part]
    expect(streamed == ([case["streamed"]] if "streamed" in case else []), f"streamed layers: {streamed}")
    expect(found["fits"], f"expected to fit {case['memory']} MiB: {found.get('shortage')}")
    return model


def check_largest_context(name, case, file, model, expect):
    """The context that is said to be the largest fits, and one step more does not."""
    largest = model["largest_context_length"]
    least, most = case["contexts"]
    print(f"{name}: the largest context is {largest}")
    expect(least <= largest <= most, f"largest context: expected {least} to {most}, found {largest}")
    expect(f"the largest context_length that fits: {largest}\n" in plan(file, case["memory"]), "the table says no largest context")
    text = file.read_text()
    for context, fits in ((largest, True), (largest + 256, False)):
        other = re.sub(r"^context_length = \d+", f"context_length = {context}", text, flags=re.M)
        if not fits:  # a pool that holds no whole context counts as left out
            other = re.sub(r"^kv_tokens = .*$", "", other, flags=re.M)
        file.write_text(other)
        found = json.loads(plan(file, case["memory"], "--json"))
        expect(found["fits"] == fits, f"a context of {context}: expected fits = {fits}")
    file.write_text(text)


def main():
    failures = []
    with tempfile.TemporaryDirectory() as folder_name:
        folder = pathlib.Path(folder_name)
        shape = (CONFIGS / "shapes" / "qwen36-27b.toml").read_text()
        (folder / "shape.toml").write_text(re.sub(r"^from = .*$", f"from = {json.dumps(TOKENIZER)}", shape, flags=re.M))
        (folder / "models").mkdir()
        made = run("make-model", "--header-only", folder / "shape.toml", folder / "models" / "qwen3.6-27b-iq4_ks.gguf")
        if made.returncode != 0:
            sys.exit(f"vernal make-model: {made.stderr}")
        (folder / "configs").mkdir()
        shipped = {path.stem for path in CONFIGS.glob("qwen36-27b-*.toml")}
        if shipped != set(CASES):
            failures.append(f"deployments {sorted(shipped)}, figures for {sorted(CASES)}")
        for name, case in CASES.items():
            file = folder / "configs" / f"{name}.toml"
            shutil.copy(CONFIGS / file.name, file)
            text = file.read_text().replace('plugin = "cuda_sm86"', f"plugin = {json.dumps(PLUGIN)}")
            file.write_text(text + f"\n[runtime]\nplugin_paths = [{json.dumps(PLUGINS)}]\n")

            def expect(holds, what, name=name):
                if not holds:
                    failures.append(f"{name}: {what}")

            model = check(name, case, file, expect)
            check_largest_context(name, case, file, model, expect)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
