#!/usr/bin/env python3
"""One allocation fails, and the process ends with a message or goes on: never a crash, never a hang.

  allocation_test.py VERNAL MODEL.gguf PLUGIN_DIR HOOK.so [--every N | --runs N] [--command run|serve] [--first N] [--last N]

HOOK.so is tests/support/failing_malloc. Each run of `vernal run` (load and one answer), or of `vernal serve` with two
requests, lets another allocation fail. A server must answer one of the two, or have ended with a message, and it must end
after SIGTERM. --runs N spreads N runs over all allocations; --every 7 is the sweep by hand. With --in-a-row 0 all
allocations fail from that one on: then no request need be answered, but every client must be told or let go, and the
server must end. What goes wrong is printed as it is found, with the stack of the allocation, and every ten seconds how far
the sweep is.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import sys
import tempfile
import threading
import time

from allocation_runs import RunLimits, run_command, run_server

# Other people's code that ends the process when an allocation fails in it: OpenSSL when it initialises itself; the parser
# of toml++ and iterators of folders in libstdc++, which allocate where nothing may be thrown; the dynamic loader, for the
# thread-local data of a plugin.
FOREIGN_STACK = re.compile(r"/libcrypto\.so|/libtomlplusplus\.so|_ZNSt10filesystem7__cxx1118directory_iterator|__tls_get_addr")
# Asio drops a coroutine by posting it, in a destructor: if that cannot be allocated either, it terminates.
FOREIGN_END = re.compile(r"terminate called after throwing an instance of '(boost::wrapexcept<std::bad_alloc>|N5boost10wrapexcept)")
PROGRESS_S = 10
ALL = 10**12


def deployment(model, plugins, backend):
    return f"""schema = 1
[runtime]
plugin_paths = ["{plugins}"]
drain_timeout = "5s"
[backends.b]
plugin = "{backend}"
[models.tiny]
path = "{model}"
backend = "b"
context_length = 256
slots = 2
[frontends.http]
plugin = "openai_http"
listen = "127.0.0.1:0"
"""


class Sweep:
    def __init__(self, options):
        self.options = options
        limit = options.run_limit
        self.limits = RunLimits(start_s=limit / 2, answer_s=limit / 4, end_s=limit / 4, in_a_row=options.in_a_row)
        self.begin = time.monotonic()
        self.lock = threading.Lock()  # guards what follows
        self.outcomes = collections.Counter()
        self.problems = 0
        self.folder = tempfile.TemporaryDirectory()
        self.file = pathlib.Path(self.folder.name) / "deployment.toml"
        self.file.write_text(deployment(os.path.abspath(options.model), os.path.abspath(options.plugins), options.backend))

    def run(self, number, more=None):
        """The outcome of the run in which allocation `number` fails, and the stacks that the hook wrote."""
        trace = pathlib.Path(self.folder.name) / f"trace-{number}"
        environment = {**os.environ, "LD_PRELOAD": os.path.abspath(self.options.hook), "VERNAL_TRACE_FILE": str(trace),
                       "VERNAL_FAIL_ALLOCATION": str(number), "VERNAL_FAIL_IN_A_ROW": str(self.options.in_a_row or ALL), **(more or {})}
        run = run_command if self.options.command == "run" else run_server
        outcome = run(self.options.vernal, str(self.file), environment, self.limits)
        return outcome, trace.read_text(errors="replace") if trace.exists() else "(it was never reached)\n"

    def count(self):
        """Allocations of a run in which none fails."""
        file = pathlib.Path(self.folder.name) / "count"
        outcome, _ = self.run(0, {"VERNAL_COUNT_FILE": str(file)})
        assert outcome.problem is None, outcome
        assert self.options.command == "run" or outcome.answers == ["answered"] * 2, outcome
        total = int(file.read_text())
        assert total > 5000, f"{total} allocations: the hook does not see them"
        return total

    def check(self, number):
        if self.is_late():
            return
        outcome, stack = self.run(number)
        is_foreign = outcome.has_broken_down and self.is_foreign(outcome, stack)
        with self.lock:
            self.outcomes["breaks down in foreign code" if is_foreign else outcome.summary()] += 1
            if outcome.problem is None or is_foreign:
                return
            self.problems += 1
            print(f"allocation {number}: {outcome.problem}\n{outcome.stderr}{stack}", flush=True)

    def is_foreign(self, outcome, stack):
        return FOREIGN_STACK.search(stack) or self.options.in_a_row != 1 and FOREIGN_END.search(outcome.stderr)

    def is_late(self):
        return self.options.limit > 0 and time.monotonic() - self.begin > self.options.limit

    def report(self, num_runs):
        with self.lock:
            done = sum(self.outcomes.values())
            print(f"{done} of {num_runs} runs after {time.monotonic() - self.begin:.0f} s, "
                  f"{self.problems} ended badly", flush=True)

    def sweep(self):
        total = self.count()
        first, last = self.options.first or 1, min(self.options.last or total, total)
        step = self.options.every or max(1, (last - first + 1) // self.options.runs)
        numbers = range(first, last + 1, step)
        print(f"{total} allocations", flush=True)
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            waiting = {pool.submit(self.check, number) for number in numbers}
            while waiting:
                done, waiting = concurrent.futures.wait(waiting, timeout=PROGRESS_S)
                for run in done:
                    run.result()
                self.report(len(numbers))
        for outcome, count in self.outcomes.most_common():
            print(f"{count:6} {outcome}")
        num_done = sum(self.outcomes.values())
        if num_done < len(numbers):
            print(f"the time of {self.options.limit} s was over after {num_done} of {len(numbers)} runs")
        return 1 if self.problems or num_done < len(numbers) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("vernal", "model", "plugins", "hook"):
        parser.add_argument(name)
    parser.add_argument("--command", choices=["run", "serve"], default="run")
    parser.add_argument("--runs", type=int, default=150)
    parser.add_argument("--backend", default="cpu_avx2")
    for name in ("--every", "--first", "--last"):
        parser.add_argument(name, type=int, default=0)
    parser.add_argument("--in-a-row", type=int, default=1, help="allocations that fail; 0: all that follow")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--run-limit", type=float, default=60, help="seconds that one run may take")
    parser.add_argument("--limit", type=float, default=0, help="seconds that the sweep may take; 0: any")
    return Sweep(parser.parse_args()).sweep()


if __name__ == "__main__":
    sys.exit(main())
