#!/usr/bin/env python3
"""layer_fit_test.py VERNAL TOKENIZER PLUGINS: placement = "fit" on an emulated device that is too small for a model.

What leaves the device is the least that must, and the same in every run. It is what `layers` would say, to the last byte and
the last token.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

VERNAL, TOKENIZER, PLUGINS = sys.argv[1:4]
MIB = 1 << 20
SHAPE = f"""schema = 1
architecture = "qwen35"
[tokenizer]
from = {json.dumps(TOKENIZER)}
tokens = 500
[shape]
layers = 12
hidden_size = 512
feed_forward_size = 2048
heads = 8
kv_heads = 2
head_size = 64
[shape.delta_net]
key_heads = 2
value_heads = 4
head_size = 128
prediction_layers = 1
[types]
default = "q8_0"
"""
FIT = 'backend = "card"\nplacement = "fit"\nhost_backend = "cpu"\n'
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)


def layers(count):
    return f'layers = [{{ backend = "cpu", first = 0, last = {count - 1} }}, {{ backend = "card", first = {count}, last = 11 }}]\n'


def deployment(model, *placements):
    """A model for each placement, of one file."""
    models = "".join(
        f"""[models.m{number}]
path = {json.dumps(str(model))}
{placement}context_length = 256
slots = 1
max_tokens_per_step = 64
""" for number, placement in enumerate(placements))
    return f"""schema = 1
[runtime]
plugin_paths = [{json.dumps(PLUGINS)}]
[backends.card]
plugin = "cuda_sm86_emu"
[backends.cpu]
plugin = "cpu_avx2"
threads = 1
[frontends.http]
plugin = "openai_http"
listen = "127.0.0.1:0"
{models}"""


class Bench:
    """Runs commands for a deployment, on a device of some MiB."""

    def __init__(self, folder, model):
        self.file = folder / "a.toml"
        self.model = model

    def run(self, command, placements, memory_mib, *arguments):
        self.file.write_text(deployment(self.model, *placements))
        environment = dict(os.environ, VERNAL_EMULATED_MEMORY_MIB=str(memory_mib))
        return subprocess.run([VERNAL, command, self.file, *map(str, arguments)], capture_output=True, text=True, timeout=250,
                              env=environment)

    def plan(self, placements, memory_mib, *arguments):
        done = self.run("plan", placements, memory_mib, "--json", *arguments)
        if done.returncode != 0:
            sys.exit(f"vernal plan: status {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)


def needed(bench, placement):
    """MiB of the device for all layers, or for the fewest that can stay there. Loading takes more than what stays."""
    return -(-bench.plan([placement], 1)["shortage"]["needed_bytes"] // MIB)


def host_layers(model):
    """How many, of a model that was fitted."""
    ranges = model["layers"]
    expect([part["backend"] for part in ranges] == ["cpu", "card"][2 - len(ranges):], f"backends: {ranges}")
    expect("last" not in ranges[-1] and ranges[-1]["first"] == (ranges[0]["last"] + 1 if len(ranges) == 2 else 0), f"layers: {ranges}")
    return ranges[-1]["first"]


def check_least(bench):
    """With one layer less on the host, the device lacks memory. The answer is that of `layers`."""
    least, most = needed(bench, FIT), needed(bench, 'backend = "card"\n')
    whole = bench.plan([FIT], 4096)["models"][0]
    expect(host_layers(whole) == 0 and "all 12 layers need" in whole["placement"], f"a large device: {whole['placement']}")
    for memory in (least + (most - least) * part // 4 for part in (1, 2, 3)):
        found = bench.plan([FIT], memory)
        model = found["models"][0]
        count = host_layers(model)
        print(f"{memory} MiB: {count} layers on the host")
        expect(0 < count < 11 and found["fits"], f"{memory} MiB: {found}")
        expect(model["placement"].startswith(f'placement "fit": layers 0 to {count - 1} are computed by "cpu", because all 12 layers need '),
               f"why: {model['placement']}")
        expect(bench.plan([FIT], memory)["models"] == found["models"], f"{memory} MiB: another answer the second time")
        expect(bench.plan([FIT], 4096, "--device-memory", f"{memory}MiB")["models"] == found["models"], f"{memory} MiB: --device-memory")
        said = bench.plan([layers(count)], memory)
        expect([row["bytes"] for row in said["models"][0]["rows"]] == [row["bytes"] for row in model["rows"]], f"{count} layers: {said}")
        if count > 1:
            expect(not bench.plan([layers(count - 1)], memory)["fits"], f"{memory} MiB: {count - 1} layers would have been enough")
    return least, most


def check_answers(bench, memory):
    """It computes what `layers` computes."""
    count = host_layers(bench.plan([FIT], memory)["models"][0])
    arguments = ["--raw", "-t", "0", "-n", "6", "-p", "Hello"]
    fitted = bench.run("run", [FIT], memory, *arguments)
    said = bench.run("run", [layers(count)], memory, *arguments)
    expect(fitted.returncode == 0 and len(fitted.stdout) > 1 and fitted.stdout == said.stdout, f"answers: {fitted}, {said}")
    checked = bench.run("check", [FIT], memory)
    expect(f"info model m0: placement \"fit\": layers 0 to {count - 1} are computed by" in checked.stderr, f"the log: {checked}")
    whole = bench.run("run", ['backend = "card"\n'], memory, *arguments)
    expect(whole.returncode != 0 and "the plan needs" in whole.stderr, f"the whole model on a small device: {whole}")


def check_streams(bench, memory):
    """What streams the weights of the host's layers counts, if there are any."""
    key = "stream_weights = 64\n"
    found = bench.plan([FIT + key], memory)
    model = found["models"][0]
    count = host_layers(model)
    print(f"{memory} MiB: {count} layers on the host, streamed")
    expect(0 < count < 11 and found["fits"], f"streamed: {found}")
    expect(count >= host_layers(bench.plan([FIT], memory)["models"][0]), "a stream takes no memory of the device")
    expect((model["layers"][0].get("streamed_through"), model["layers"][0].get("stream_weights")) == ("card", 64), f"streamed: {model['layers']}")
    expect(len([row for row in model["rows"] if row["object"].endswith("weight stream")]) == 2, f"rows of the stream: {model['rows']}")
    said = bench.plan([layers(count) + key], memory)["models"][0]
    expect([row["bytes"] for row in said["rows"]] == [row["bytes"] for row in model["rows"]], f"{count} layers, streamed: {said}")
    checked = bench.run("check", [FIT + key], memory)
    expect(f"info model m0: weights of layers 0 to {count - 1} on cpu are streamed through card in steps of 64 tokens or more" in checked.stderr,
           f"the log: {checked}")
    whole = bench.plan([FIT + key], 4096)["models"][0]
    expect(host_layers(whole) == 0 and not any("stream" in row["object"] for row in whole["rows"]), f"a large device: {whole}")


def check_others(bench, least, most):
    """A model that is fitted takes what the others leave, wherever it stands in the file."""
    memory = most + (least + most) // 2
    found = bench.plan([FIT, 'backend = "card"\n', FIT], memory)
    counts = [host_layers(found["models"][0]), host_layers(found["models"][2])]
    print(f"{memory} MiB for three: {counts} layers on the host")
    expect(0 < counts[0] < 11 and counts[1] == 11, f"three models: {counts}")
    none = bench.plan([FIT], 1)
    expect(host_layers(none["models"][0]) == 11 and not none["fits"], f"1 MiB: {none}")
    expect("placement" not in bench.plan([layers(3)], memory)["models"][0], "a placement without placement")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "shape.toml").write_text(SHAPE)
        model = folder / "model.gguf"
        made = subprocess.run([VERNAL, "make-model", folder / "shape.toml", model], capture_output=True, text=True)
        if made.returncode != 0:
            sys.exit(f"vernal make-model: {made.stderr}")
        bench = Bench(folder, model)
        least, most = check_least(bench)
        check_answers(bench, (least + most) // 2)
        check_streams(bench, (least + most) // 2)
        check_others(bench, least, most)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
