#!/usr/bin/env python3
"""Speed of vernal beside ik_llama.cpp: same file, same threads, flash attention, K and V in q8_0.

    pip install ik-llama-cpp-python==0.1.5        # in a virtual environment
    cmake --preset release -DVERNAL_BUILD_BENCHMARKS=ON && cmake --build --preset release
    benchmarks/compare/compare.py build/release models/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf

Both programs stay loaded and take turns, so that what else the machine does hits both. Figures are
medians over the rounds after a warm-up; a ratio is the median of the ratios of neighbours.
"""
import argparse
import array
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

# name, command, tokens counted
MEASURES = [
    ("prefill 512", "prefill 512", 512),
    ("decode at 0", "decode 0 32", 32),
    ("decode at 4096", "decode 4096 16", 16),
    ("decode at 7680", "decode 7680 16", 16),
    ("prefill 512 at 7680", "prefill 512 7680", 512),
]
# name, sequences that decode together
TOGETHER = [("decode at 0, two sequences", 2), ("decode at 0, four sequences", 4)]
# instruction set of our side -> architecture -> lowest accepted ratio of a measure; what has none is only reported
BARS = {
    "avx512_vnni": {
        "qwen2": {"prefill 512": 1.4, "decode at 0": 1.2, "decode at 4096": 1.5, "decode at 7680": 1.8,
                  "prefill 512 at 7680": 1.6, "decode at 0, two sequences": 1.7, "decode at 0, four sequences": 2.5},
        "gemma3": {"decode at 0": 1.2},
        "qwen35": {"prefill 512": 1.4, "decode at 0": 1.2},
    },
    "avx2": {
        "qwen2": {"prefill 512": 1.1, "decode at 0": 1.1, "decode at 4096": 1.35, "decode at 7680": 1.6,
                  "prefill 512 at 7680": 1.3, "decode at 0, two sequences": 1.7, "decode at 0, four sequences": 2.5},
        "gemma3": {"decode at 0": 1.1},
        "qwen35": {"prefill 512": 1.15, "decode at 0": 1.1},
    },
}
LEAST_BANDWIDTH = 0.85  # of plain reads: decoding at 0 passes with this too, whatever the peer does
MOST_LOGITS_ERROR = 1e-2  # NMSE of a token: both engines quantise what they multiply and keep

DEPLOYMENT = """schema = 1
[runtime]
plugin_paths = ["{plugins}"]
[backends.cpu]
plugin = "cpu_avx2"
threads = {threads}
isa = "{isa}"
[models.m]
path = "{model}"
backend = "cpu"
context_length = 8192
slots = 4
max_tokens_per_step = 1024
kv_cache = {{ keys = "q8_0", values = "q8_0" }}
[frontends.unused]
plugin = "stdin_repl"
model = "m"
"""


class Worker:
    """A process that answers each line with the seconds it took."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        if self.process.stdout.readline().strip() != "ready":
            sys.exit(f"{command[0]} did not start; run it by hand to see why")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def find_peer():
    """Folders of the package's headers and libraries."""
    try:
        import ik_llama_cpp
    except ImportError:
        sys.exit("the package ik-llama-cpp-python is not installed in this Python")
    package = pathlib.Path(ik_llama_cpp.__file__).parent
    for root in (package.parent, package, pathlib.Path(sys.prefix)):
        if (root / "include" / "llama.h").exists():
            return root / "include", package / "lib"
    sys.exit("the package ik-llama-cpp-python has no headers")


def build_peer(folder):
    include, lib = find_peer()
    binary = folder / "peer_worker"
    source = pathlib.Path(__file__).parent / "peer_worker.cpp"
    libgomp = next(lib.parent.parent.glob("ik_llama_cpp_python.libs/libgomp*"), None)
    subprocess.run(["g++-12", "-std=c++20", "-O2", f"-I{include}", str(source), "-o", str(binary),
                    f"-L{lib}", f"-Wl,-rpath,{lib}", "-lllama", "-lggml"]
                   + ([str(libgomp), f"-Wl,-rpath,{libgomp.parent}"] if libgomp else []), check=True)
    return binary


def instruction_set(asked):
    """The one that our side computes with, as far as the bars know it."""
    if asked != "auto":
        return asked
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    return "avx512_vnni" if " avx512_vnni" in flags and " avx512vbmi" in flags else "avx2"


def bars_of(build, model, isa):
    """What is asked of a model of this architecture: measure -> ratio."""
    shown = subprocess.run([str(build / "bin/vernal"), "inspect", str(model)], check=True, text=True,
                           capture_output=True)
    architecture = re.search(r"general\.architecture\s.*?\"?([a-z0-9]+)\"?$", shown.stdout, re.MULTILINE)
    return BARS.get(isa, {}).get(architecture[1], {}) if architecture else {}


def alternate(ours, peer, line, rounds):
    """Seconds of both sides, [rounds], after one warm-up each."""
    ours.ask(line), peer.ask(line)
    pairs = []
    for i in range(rounds):
        order = [ours, peer] if i % 2 == 0 else [peer, ours]
        seconds = {w: w.ask(line) for w in order}
        pairs.append((seconds[ours], seconds[peer]))
    return pairs


def compare_logits(ours, peer, folder, count):
    """Normalised mean square error of our logits of `count` tokens: worst token, and all."""
    ours.ask(f"logits {count}"), peer.ask(f"logits {count}")
    mine, theirs = array.array("f"), array.array("f")
    mine.frombytes((folder / "ours.f32").read_bytes())
    theirs.frombytes((folder / "peer.f32").read_bytes())
    if len(mine) != len(theirs) or not mine:
        sys.exit(f"expected logits of equal shape, found {len(mine)} and {len(theirs)} numbers")
    size = len(mine) // count
    errors, squares, agreed = [], [], 0
    for row in range(count):
        a, b = mine[row * size:(row + 1) * size], theirs[row * size:(row + 1) * size]
        errors.append(sum((x - y) ** 2 for x, y in zip(a, b)))
        squares.append(sum(y * y for y in b))
        agreed += a.index(max(a)) == b.index(max(b))
    worst = max(e / s for e, s in zip(errors, squares))
    print(f"logits of {count} tokens: NMSE {sum(errors) / sum(squares):.2e}, worst token {worst:.2e}, "
          f"the same token is likeliest at {agreed} of {count}")
    return worst


def compare_with_memory(ours, rounds):
    """Prints and returns how much of the read bandwidth decoding uses: the weights alone, in turn with plain reads."""
    pairs = [(ours.ask("decode 0 32") / 32, ours.ask("read")) for _ in range(rounds)]
    weights = ours.ask("bytes")
    shares = [weights * read / step for step, read in pairs]
    step, read = (statistics.median(side) for side in zip(*pairs))
    print(f"{'decode at 0, weights read':28}{weights / step:9.1f}{1 / read:9.1f}  GB/s  {statistics.median(shares):7.3f}  "
          f"({min(shares):.3f}, {max(shares):.3f})    {LEAST_BANDWIDTH:4}  of plain reads", flush=True)
    return statistics.median(shares)


def report(title, figures, ratio, note, bar):
    """Prints a row; returns whether the ratio is below its bar."""
    print(f"{title:28}{figures}        {ratio:7.3f}  {note:16}  {f'{bar:.2f}' if bar else '-':>4}", flush=True)
    return bar is not None and ratio < bar


def measure(ours, peer, arguments, bars):
    """Prints the table of speeds; returns whether a bar was missed."""
    failed = False
    print(f"{'':28}{'vernal':>9}{'peer':>9}  tok/s    ratio  (least, most)      bar")
    for title, line, tokens in MEASURES:
        if arguments.only and arguments.only not in title:
            continue
        pairs = alternate(ours, peer, line, arguments.rounds)
        ratios = [p / o for o, p in pairs]
        mine, theirs = (tokens / statistics.median(side) for side in zip(*pairs))
        missed = report(title, f"{mine:9.2f}{theirs:9.2f}", statistics.median(ratios),
                        f"({min(ratios):.3f}, {max(ratios):.3f})", bars.get(title))
        if title == "decode at 0":
            missed &= compare_with_memory(ours, arguments.rounds) < LEAST_BANDWIDTH
        failed |= missed
    for title, count in TOGETHER:
        if arguments.only and arguments.only not in title:
            continue
        pairs = [(ours.ask("decode 0 32"), ours.ask(f"decode 0 32 {count}")) for _ in range(arguments.rounds)]
        ratios = [count * one / together for one, together in pairs]
        speed = 32 * count / statistics.median(together for _, together in pairs)
        failed |= report(title, f"{speed:9.2f}{'':9}", statistics.median(ratios), "times one", bars.get(title))
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, help="release build folder, with benchmarks")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--isa", default="auto", help="instruction set of our side, as in the backend's table")
    parser.add_argument("--only", help="measures whose name contains this")
    parser.add_argument("--logits", type=int, metavar="TOKENS", default=0,
                        help="compare the logits of so many tokens instead of the speed")
    arguments = parser.parse_args()
    build, model = arguments.build.resolve(), arguments.model.resolve()
    worker = build / "bin/compare_worker"
    if not worker.exists():
        sys.exit(f"{worker} is missing: configure with -DVERNAL_BUILD_BENCHMARKS=ON and build")
    if not model.exists():
        sys.exit(f"{model} is missing")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        deployment = folder / "compare.toml"
        deployment.write_text(DEPLOYMENT.format(plugins=build / "lib/vernal/plugins", model=model,
                                                threads=arguments.threads, isa=arguments.isa))
        peer = Worker([str(build_peer(folder)), str(model), str(arguments.threads), "16384",
                       str(folder / "peer.f32")])
        ours = Worker([str(worker), str(deployment), str(folder / "ours.f32")])
        if arguments.logits > 0:
            worst = compare_logits(ours, peer, folder, arguments.logits)
            ours.close(), peer.close()
            sys.exit(0 if worst <= MOST_LOGITS_ERROR else 1)
        failed = measure(ours, peer, arguments, bars_of(build, model, instruction_set(arguments.isa)))
        ours.close(), peer.close()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
