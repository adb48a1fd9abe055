#!/usr/bin/env python3
"""One allocation fails, and the process ends with a message or goes on: never a crash, never a hang.

  allocation_test.py VERNAL MODEL.gguf PLUGIN_DIR HOOK.so [--every N | --runs N] [--command run|serve] [--first N] [--last N]

HOOK.so is tests/support/failing_malloc. Each run of `vernal run` (load and one answer), or of `vernal serve` with one
request, lets another allocation fail. --runs N spreads N of them over all; --every 7 is the sweep by hand. A failure is
printed with the stack of the allocation.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading

TIMEOUT_S = 60
# Other people's code that crashes when an allocation fails in it: OpenSSL when it initialises itself, and the parser of
# toml++ and iterators of folders in libstdc++, which allocate where nothing may be thrown.
FOREIGN = re.compile(r"/libcrypto\.so|/libtomlplusplus\.so|_ZNSt10filesystem7__cxx1118directory_iterator")


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
        self.answer = b""  # of the last request to a server
        self.folder = tempfile.TemporaryDirectory()
        self.file = pathlib.Path(self.folder.name) / "deployment.toml"
        self.file.write_text(deployment(os.path.abspath(options.model), os.path.abspath(options.plugins), options.backend))

    def environment(self, number):
        trace = str(pathlib.Path(self.folder.name) / f"trace-{number}")
        return trace, {**os.environ, "LD_PRELOAD": os.path.abspath(self.options.hook),
                       "VERNAL_FAIL_ALLOCATION": str(number), "VERNAL_TRACE_FILE": trace}

    def count(self):
        """Allocations of a run in which none fails."""
        count_file = str(pathlib.Path(self.folder.name) / "count")
        _, environment = self.environment(0)
        problem = self.judge(0, {**environment, "VERNAL_COUNT_FILE": count_file})
        assert problem is None, problem
        assert self.options.command == "run" or b"[DONE]" in self.answer, self.answer
        total = int(pathlib.Path(count_file).read_text())
        assert total > 5000, f"{total} allocations: the hook does not see them"
        return total

    def judge(self, number, environment):
        """What is wrong with the run in which allocation `number` fails; None: nothing."""
        run = self.run_once if self.options.command == "run" else self.serve_once
        status, stderr = run(environment)
        if status is None:
            return f"hangs\n{stderr}"
        if status < 0 or "terminate called" in stderr:
            return f"ends by {signal.Signals(-status).name if status < 0 else 'terminate'}\n{stderr}"
        if status > 1:
            return f"exit status {status}\n{stderr}"
        if status == 1 and not stderr.strip():
            return "ends without a message"
        return None

    def run_once(self, environment):
        process = subprocess.Popen([self.options.vernal, "run", str(self.file), "-p", "Hello", "-n", "3"], env=environment,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return self.finish(process)

    @staticmethod
    def finish(process):
        try:
            _, stderr = process.communicate(timeout=TIMEOUT_S)
            return process.returncode, stderr.decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.kill()
            _, stderr = process.communicate()
            return None, stderr.decode(errors="replace")

    def serve_once(self, environment):
        process = subprocess.Popen([self.options.vernal, "serve", str(self.file)], env=environment, stdin=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        timer = threading.Timer(TIMEOUT_S, process.kill)
        timer.start()
        lines = []
        port = 0
        for line in process.stderr:
            lines.append(line.decode(errors="replace"))
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", lines[-1])
            port = int(found.group(1)) if found else port
            if "ready after" in lines[-1]:
                self.ask(port)
                process.send_signal(signal.SIGTERM)
        process.wait()
        timer.cancel()
        is_hung = process.returncode == -signal.SIGKILL
        return None if is_hung else process.returncode, "".join(lines)

    def ask(self, port):
        """One streamed answer, which may fail."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            body = {"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3, "stream": True}
            connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
            self.answer = connection.getresponse().read()
            connection.close()
        except (OSError, http.client.HTTPException):
            pass

    def check(self, number):
        trace, environment = self.environment(number)
        problem = self.judge(number, environment)
        if problem is None:
            return None
        stack = pathlib.Path(trace).read_text() if os.path.exists(trace) else "(it was never reached)\n"
        if FOREIGN.search(stack):
            return None
        return f"allocation {number}: {problem}\n{stack}"

    def sweep(self):
        total = self.count()
        first, last = self.options.first or 1, min(self.options.last or total, total)
        step = self.options.every or max(1, (last - first + 1) // self.options.runs)
        numbers = range(first, last + 1, step)
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            problems = [problem for problem in pool.map(self.check, numbers) if problem]
        print("\n".join(problems))
        print(f"{total} allocations, {len(numbers)} runs, {len(problems)} ended badly")
        return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser()
    for name in ("vernal", "model", "plugins", "hook"):
        parser.add_argument(name)
    parser.add_argument("--command", choices=["run", "serve"], default="run")
    parser.add_argument("--runs", type=int, default=150)
    parser.add_argument("--backend", default="cpu_avx2")
    for name in ("--every", "--first", "--last"):
        parser.add_argument(name, type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    return Sweep(parser.parse_args()).sweep()


if __name__ == "__main__":
    sys.exit(main())
