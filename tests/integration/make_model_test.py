#!/usr/bin/env python3
"""Every architecture made tiny by `vernal make-model`, then run.

  make_model_test.py VERNAL PLUGIN_DIR GOLDEN_DIR BACKEND...

Each backend must answer, and answer the same again.
"""
import pathlib
import subprocess
import sys
import tempfile

VERNAL, PLUGINS = (str(pathlib.Path(a).resolve()) for a in sys.argv[1:3])
GOLDEN = pathlib.Path(sys.argv[3]).resolve()
BACKENDS = sys.argv[4:]

DELTA_NET = "[shape.delta_net]\nkey_heads = 2\nvalue_heads = 4\nhead_size = 64\n"
EXPERTS = "[shape.experts]\ncount = 4\nused = 2\nsize = 256\n"
# architecture, keys of [shape], its tables, keys of [types]
MODELS = [
    ("llama", "", "", 'default = "q4_K"\nattn_v = "q6_K"'),
    ("qwen2", "tied_head = true", "", 'default = "q4_0"\ntoken_embd = "q8_0"'),
    ("qwen3", "", "", 'default = "bf16"'),
    ("gemma3", "window = 16\ntied_head = true", "", 'default = "q8_0"'),
    ("qwen3moe", "", EXPERTS, 'default = "iq4_nl"\noutput = "f16"'),
    ("qwen35", "", DELTA_NET + "prediction_layers = 1\n", 'default = "iq4_ks"\nssm_alpha = "q8_0"\nssm_beta = "q8_0"'),
    ("qwen35moe", "", DELTA_NET + EXPERTS + "shared_size = 256\n", 'default = "f32"'),
]


def shape(architecture, keys, tables, types):
    source = GOLDEN / "models" / ("tiny-gemma3.gguf" if architecture == "gemma3" else "tiny-qwen2.gguf")
    return f"""schema = 1
architecture = "{architecture}"
[tokenizer]
from = "{source}"
tokens = 800
[shape]
layers = 8
hidden_size = 256
feed_forward_size = 512
heads = 4
kv_heads = 2
head_size = 64
{keys}
{tables}
[types]
{types}
"""


def deployment(model, backend):
    return f"""schema = 1
[runtime]
plugin_paths = ["{PLUGINS}"]
[backends.b]
plugin = "{backend}"
[models.m]
path = "{model}"
backend = "b"
context_length = 256
slots = 1
"""


def run(*arguments):
    result = subprocess.run([VERNAL, *map(str, arguments)], capture_output=True, timeout=120)
    if result.returncode != 0:
        sys.exit(f"vernal {' '.join(map(str, arguments))}: status {result.returncode}\n"
                 + result.stderr.decode(errors="replace"))
    return result.stdout


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for architecture, *rest in MODELS:
            model = folder / f"{architecture}.gguf"
            (folder / "shape.toml").write_text(shape(architecture, *rest))
            run("make-model", folder / "shape.toml", model)
            for backend in BACKENDS:
                file = folder / "deployment.toml"
                file.write_text(deployment(model, backend))
                answers = {run("run", file, "--raw", "-t", "0", "-n", "12", "-p", "Hello world, this is")
                           for _ in range(2)}
                if len(answers) != 1 or not answers.pop().strip():
                    sys.exit(f"{architecture} on {backend}: expected one answer twice, found {answers}")
                print(f"{architecture} on {backend}: answered")


main()
