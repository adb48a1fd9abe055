#!/usr/bin/env python3
"""lock_memory: what is locked, and what happens where nothing may be locked.

  memory_lock_test.py VERNAL MODEL.gguf PLUGIN_DIR

Needs the standard library alone. The process is given the limits it is tested with, and loses the right to exceed them.
"""
import ctypes
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import unittest

VERNAL, MODEL, PLUGINS = (os.path.abspath(a) for a in sys.argv[1:4])
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, CAP_IPC_LOCK = 24, 38, 14
MIB = 1 << 20


HARD_LIMIT = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
CAN_LOCK = HARD_LIMIT == resource.RLIM_INFINITY or HARD_LIMIT >= 8 * MIB


def limit_locks(soft, hard=None):
    """In the child: RLIMIT_MEMLOCK, as far as this machine lets it be raised, and no privilege to exceed it."""
    if HARD_LIMIT != resource.RLIM_INFINITY:
        soft, hard = min(soft, HARD_LIMIT), min(soft if hard is None else hard, HARD_LIMIT)

    def enter():
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0)  # a program that root starts has it no more
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (soft, soft if hard is None else hard))
    return enter


def deployment(lock, backend="cpu_avx2"):
    return f"""schema = 1
[runtime]
plugin_paths = ["{PLUGINS}"]
[backends.b]
plugin = "{backend}"
[models.tiny]
path = "{MODEL}"
backend = "b"
context_length = 256
slots = 1
max_tokens_per_step = 64
lock_memory = "{lock}"
[frontends.http]
plugin = "openai_http"
listen = "127.0.0.1:0"
"""


def run(command, text, *more, before_start=None):
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        return subprocess.run([VERNAL, command, file.name, *more], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, preexec_fn=before_start)


class LockMemory(unittest.TestCase):
    def planned(self):
        """Bytes of the plan that stay in memory and are read in each step."""
        document = json.loads(run("plan", deployment("never"), "--json").stdout)
        rows = document["models"][0]["rows"]
        return sum(row["bytes"] for row in rows if row["category"] not in ("checkpoints", "mapped file"))

    def locked_by_a_server(self, lock, before_start=None):
        """Bytes that a server has locked once it is ready, and what it logged."""
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(deployment(lock))
            file.flush()
            process = subprocess.Popen([VERNAL, "serve", file.name], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                       text=True, preexec_fn=before_start)
            lines = []
            try:
                for line in process.stderr:
                    lines.append(line)
                    if "ready after" in line:
                        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                        return int(re.search(r"VmLck:\s+(\d+) kB", status).group(1)) * 1024, "".join(lines)
                self.fail("".join(lines))
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
                process.stderr.close()

    def assert_has_both_lines(self, text):
        self.assertRegex(text, r"LimitMEMLOCK=\d+ .*systemd")
        self.assertRegex(text, r"\S+ - memlock \d+ .*limits\.conf")
        self.assertIn("RLIMIT_MEMLOCK", text)

    def assert_required_is_refused(self):
        """All that can be seen where the machine allows less than the model needs."""
        result = run("check", deployment("required"), before_start=limit_locks(64 * 1024))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assert_has_both_lines(result.stderr)

    def test_required_locks_what_is_read_in_each_step(self):
        if not CAN_LOCK:
            return self.assert_required_is_refused()
        needed = self.planned()
        self.assertGreater(needed, 4 * MIB)
        locked, log = self.locked_by_a_server("required", limit_locks(2 * needed))
        self.assertGreaterEqual(locked, needed, log)
        self.assertLess(locked, needed + 1 * MIB, log)

    def test_never_locks_nothing(self):
        self.assertEqual(self.locked_by_a_server("never", limit_locks(64 * MIB))[0], 0)

    def test_the_soft_limit_is_raised_to_the_hard_one(self):
        if not CAN_LOCK:
            return self.assert_required_is_refused()
        needed = self.planned()
        locked, _ = self.locked_by_a_server("required", limit_locks(64 * 1024, 2 * needed))
        self.assertGreaterEqual(locked, needed)

    def test_required_fails_before_loading_with_the_lines_that_help(self):
        for command in (["check"], ["serve"], ["run", "-p", "x"]):
            with self.subTest(command=command[0]):
                result = run(command[0], deployment("required"), *command[1:], before_start=limit_locks(64 * 1024))
                self.assertEqual(result.returncode, 1, result.stderr)
                self.assertIn('[models.tiny]: lock_memory = "required"', result.stderr)
                self.assert_has_both_lines(result.stderr)
                self.assertNotIn("listening", result.stderr)

    def test_the_limit_that_is_named_is_enough(self):
        if not CAN_LOCK:
            return self.assert_required_is_refused()
        result = run("check", deployment("required"), before_start=limit_locks(64 * 1024))
        limit = int(re.search(r"LimitMEMLOCK=(\d+)", result.stderr).group(1))
        self.assertGreaterEqual(self.locked_by_a_server("required", limit_locks(limit))[0], self.planned())

    def test_preferred_warns_and_goes_on(self):
        _, log = self.locked_by_a_server("preferred", limit_locks(64 * 1024))
        self.assertIn("warning", log)
        self.assert_has_both_lines(log)
        result = run("run", deployment("preferred"), "-p", "Hello", "-n", "2", before_start=limit_locks(64 * 1024))
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_a_backend_that_cannot_lock_is_named(self):
        result = run("check", deployment("required", "reference"))
        self.assertEqual(result.returncode, 1)
        self.assertIn('backend "b" cannot lock its memory', result.stderr)
        result = run("check", deployment("preferred", "reference"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('backend "b" cannot lock its memory', result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
