#!/usr/bin/env python3
"""launches_test.py VERNAL MODEL BACKEND PLUGINS: how many launches a token of a large hybrid takes.

The shape is that of Qwen3.6-27B with all of its 64 layers and types, and narrow. What the compiler fuses depends on the order of
the operations and on the formats alone, so the number is that of the full size. MODEL gives the tokenizer.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

VERNAL, MODEL, BACKEND, PLUGINS = sys.argv[1:5]
SHAPE = pathlib.Path(__file__).resolve().parents[2] / "configs" / "shapes" / "qwen36-27b.toml"
MOST_LAUNCHES = 600

# Ratios of heads and the size of a delta net's head are those of the large one.
NARROW = {"hidden_size": 256, "feed_forward_size": 512, "heads": 12, "kv_heads": 2, "head_size": 64, "rotated_size": 16,
          "context_length": 4096, "key_heads": 2, "value_heads": 6, "tokens": 800}


def narrow_shape():
    lines = []
    table = ""
    for line in SHAPE.read_text().splitlines():
        table = line if line.startswith("[") else table
        key = line.split(" =")[0]
        if key == "from":
            line = f"from = {json.dumps(str(pathlib.Path(MODEL).resolve()))}"
        elif key in NARROW and not (key == "head_size" and table.startswith("[shape.delta_net]")):
            line = f"{key} = {NARROW[key]}"
        lines.append(line)
    return "\n".join(lines)


def run(*arguments):
    return subprocess.run([VERNAL, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=240)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "shape.toml").write_text(narrow_shape())
        model = folder / "model.gguf"
        made = run("make-model", folder / "shape.toml", model)
        if "851 tensors" not in made.stdout:
            sys.exit(f"expected the 851 tensors of the large one: {made.stdout}{made.stderr}")
        file = folder / "deployment.toml"
        file.write_text(f"""schema = 1
[runtime]
plugin_paths = [{json.dumps(PLUGINS)}]
log_level = "debug"
[backends.card]
plugin = "{BACKEND}"
[models.m]
path = {json.dumps(str(model))}
backend = "card"
context_length = 256
slots = 1
kv_cache = {{ keys = "q4_0", values = "q4_0" }}
[frontends.console]
plugin = "stdin_repl"
""")
        log = run("serve", file).stderr  # ends when it finds no prompt
    found = re.search(r"a decode step of one token is (\d+) launches in one graph", log)
    if found is None:
        sys.exit(f"expected a line with the number of launches, found\n{log}")
    print(f"{found[1]} launches for a token, at most {MOST_LAUNCHES}")
    return 0 if int(found[1]) <= MOST_LAUNCHES else 1


if __name__ == "__main__":
    sys.exit(main())
