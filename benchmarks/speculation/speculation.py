#!/usr/bin/env python3
"""What guessed tokens are worth: greedy tokens a second with and without, in alternating pairs.

    cmake --preset release -DVERNAL_BUILD_BENCHMARKS=ON && cmake --build --preset release
    benchmarks/speculation/speculation.py build/release MODEL.gguf --draft mtp --acceptance 0.7
    benchmarks/speculation/speculation.py build/release MODEL.gguf --draft ngram --request benchmarks/speculation/edit_code.json

One process holds the model twice, once with `speculation` and once without, and both take turns. With --acceptance
guesses come true that often, whatever the model's weights say (forced_acceptance.hpp): a guess is judged if those
before it in the step came true, and comes true with that chance. Without it the answers have to be equal, and the
exit status is 1 if they are not.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

DEPLOYMENT = """schema = 1
[runtime]
plugin_paths = ["{plugins}"]
[backends.cpu]
plugin = "cpu_avx2"
{threads}isa = "{isa}"
"""
MODEL = """[models.{name}]
path = "{model}"
backend = "cpu"
context_length = {context}
slots = 1
max_checkpoints = 0
kv_cache = {{ keys = "q8_0", values = "q8_0" }}
speculation = {{ draft = "{draft}", max_tokens = {guesses} }}
"""
PLAIN_REQUEST = {"kind": "generate", "prompt": "The quick brown fox jumps over the lazy dog. " * 8, "ignore_eos": True}


class Worker:
    """Answers requests, JSON objects, one after another."""

    def __init__(self, arguments, folder):
        deployment = folder / "speculation.toml"
        threads = f"threads = {arguments.threads}\n" if arguments.threads else ""
        text = DEPLOYMENT.format(plugins=(arguments.build / "lib/vernal/plugins").resolve(), threads=threads,
                                 isa=arguments.isa)
        for name, draft in (("plain", "none"), ("guessing", arguments.draft)):
            text += MODEL.format(name=name, model=arguments.model.resolve(), draft=draft, guesses=arguments.guesses,
                                 context=arguments.context)
        deployment.write_text(text)
        binary = arguments.build / "bin/speculation_worker"
        if not binary.exists():
            sys.exit(f"{binary} is missing: configure with -DVERNAL_BUILD_BENCHMARKS=ON and build")
        command = [str(binary), str(deployment)]
        if arguments.acceptance is not None:
            command.append(str(arguments.acceptance))
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.machine = self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"speculation_worker ended with status {self.process.wait()}")
        return json.loads(line)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.read()
        answer["rate"] = answer["tokens"] / answer["seconds"]
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(worker, request, pairs):
    """[(plain, guessing)], after one warm-up each; who goes first alternates."""
    out = []
    for i in range(-1, pairs):
        order = ["plain", "guessing"] if i % 2 == 0 else ["guessing", "plain"]
        answers = {name: worker.ask({**request, "model": name}) for name in order}
        if i >= 0:
            out.append((answers["plain"], answers["guessing"]))
    return out


def share(count, of):
    return f"{count} of {of}" + (f" ({count / of:.3f})" if of else "")


def report(machine, arguments, measured):
    """Prints the result; returns whether it is what it has to be."""
    plain, guessing = ([pair[i] for pair in measured] for i in (0, 1))
    ratios = [b["rate"] / a["rate"] for a, b in measured]
    total = {key: sum(answer[key] for answer in guessing) for key in ("drafted", "accepted", "judged", "came_true")}
    print(f"{arguments.model.name}: {machine['processor']}; {'; '.join(machine['backends'])}")
    print(f"draft {arguments.draft}, at most {arguments.guesses} guesses in a step, {plain[0]['tokens'] + 1} tokens, "
          f"{len(measured)} pairs")
    print(f"guesses computed that came true   {share(total['accepted'], total['drafted'])}")
    if arguments.acceptance is not None:
        print(f"guesses judged that came true     {share(total['came_true'], total['judged'])}, "
              f"{arguments.acceptance} wanted")
    print(f"tokens/s, medians                 {statistics.median(a['rate'] for a in plain):.2f} plain, "
          f"{statistics.median(b['rate'] for b in guessing):.2f} guessing")
    print(f"ratio of neighbours, median       {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")
    if arguments.acceptance is not None:
        return True
    is_same = len({answer["text"] for answer in plain + guessing}) == 1
    print(f"answers                           {'all the same' if is_same else 'DIFFERENT'}")
    return is_same


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, help="release build folder, with benchmarks")
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--draft", choices=["ngram", "mtp"], default="mtp")
    parser.add_argument("--acceptance", type=float, help="chance that a guess comes true; default: what the model says")
    parser.add_argument("--guesses", type=int, default=8, help="most guesses in a step")
    parser.add_argument("--tokens", type=int, default=256, help="of an answer")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--request", type=pathlib.Path, help="JSON file with a request document; default: a short text")
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--isa", default="auto", help="instruction set, as in the backend's table")
    parser.add_argument("--threads", type=int, default=0, help="default: what the backend takes by itself")
    parser.add_argument("--show", action="store_true", help="print the answer too")
    arguments = parser.parse_args()
    request = json.loads(arguments.request.read_text()) if arguments.request else PLAIN_REQUEST
    request = {**request, "max_tokens": arguments.tokens, "sampling": {"temperature": 0}}
    with tempfile.TemporaryDirectory() as name:
        worker = Worker(arguments, pathlib.Path(name))
        measured = measure(worker, request, arguments.pairs)
        worker.close()
    if arguments.show:
        print(measured[0][1]["text"])
    sys.exit(0 if report(worker.machine, arguments, measured) else 1)


if __name__ == "__main__":
    main()
