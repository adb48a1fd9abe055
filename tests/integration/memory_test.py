#!/usr/bin/env python3
"""Plans against the memory of the machine and of a container, and threads against a container's quota.

  memory_test.py VERNAL MODEL.gguf PLUGIN_DIR [BACKEND]

Needs the standard library alone. Where the machine lets it, processes run in control groups that the test makes (version
1 or 2) and removes; where it does not, the same deployments are judged by the memory of the machine, so that each test
asserts something everywhere.
"""
import collections
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

VERNAL, MODEL, PLUGINS = (os.path.abspath(a) for a in sys.argv[1:4])
BACKEND = sys.argv[4] if len(sys.argv) > 4 else "cpu_avx2"
GIB = 1 << 30
HUGE = {"context_length": 16_777_216, "slots": 256}
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def deployment(runtime: str = "", backend: str = "", **model) -> str:
    keys = "\n".join(f"{key} = {value}" for key, value in model.items())
    return f"""schema = 1
[runtime]
plugin_paths = ["{PLUGINS}"]
{runtime}
[backends.b]
plugin = "cpu_avx2"
{backend}
[models.tiny]
path = "{MODEL}"
backend = "b"
{keys}
[frontends.http]
plugin = "openai_http"
listen = "127.0.0.1:0"
"""


def run(command, text, *more, **options):
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        return subprocess.run([VERNAL, command, file.name, *more], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, **options)


def machine_bytes():
    total = re.search(r"MemTotal: *(\d+) kB", pathlib.Path("/proc/meminfo").read_text())
    return int(total.group(1)) * 1024


def size(text):
    number, unit = text.split()
    return float(number) * UNITS[unit]


class Group:
    """A control group below that of the test, with one limit; `folders` is empty if the machine allows none."""

    def __init__(self, controller, files_1, files_2):
        self.folders = []
        for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            for mount in self.mounts(controller, controllers):
                if self.make(mount + path.rstrip("/"), files_2 if not controllers else files_1):
                    return

    @staticmethod
    def mounts(controller, controllers):
        for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
            left, right = line.split(" - ")
            kind, _, options = right.split(" ")[:3]
            is_it = (kind == "cgroup" and controller in controllers.split(",") and controller in options.split(",")
                     or kind == "cgroup2" and not controllers)
            if is_it and left.split(" ")[3] == "/":
                yield left.split(" ")[4]

    def make(self, parent, files):
        folder = pathlib.Path(parent) / f"vernal-test-{os.getpid()}"
        try:
            folder.mkdir()
            self.folders.append(folder)
            for name, value in files.items():
                (folder / name).write_text(value)
            return True
        except OSError:
            self.remove()
            return False

    def enter(self):
        """In the child, before it starts."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self):
        for folder in self.folders:
            for _ in range(100):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:  # its process is still being cleared away
                    time.sleep(0.05)
        self.folders = []


class Memory(unittest.TestCase):
    def refusal(self, result):
        """Needed and available bytes, and the changes that would fit."""
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        found = re.search(r'the plan needs (\S+ \S+) on "cpu".*, (\S+ \S+) are available: (.+)', result.stderr)
        self.assertTrue(found, result.stderr)
        fits = re.findall(r"^ +\[models\.tiny\] (.+) \(needs (\S+ \S+)\)$", result.stderr, re.M)
        self.assertIn("overcommit = true", result.stderr)
        return size(found.group(1)), size(found.group(2)), found.group(3), fits

    @staticmethod
    def bytes_per_token():
        document = json.loads(run("plan", deployment(context_length=256, slots=1), "--json").stdout)
        return document["models"][0]["bytes_per_kv_token"]

    def test_a_plan_beyond_the_machine_is_refused_by_every_command_that_loads(self):
        text = deployment(**HUGE)
        for command in (["check"], ["serve"], ["run", "-p", "x"], ["bench"]):
            with self.subTest(command=command[0]):
                result = run(command[0], text, *command[1:])
                needed, available, _, fits = self.refusal(result)
                self.assertGreater(needed, available)
                self.assertLessEqual(available, machine_bytes() * 1.01)
                self.assertTrue(fits)
                self.assertNotIn("listening", result.stderr)

    def test_what_is_suggested_fits_and_is_the_largest_that_does(self):
        _, available, _, fits = self.refusal(run("check", deployment(**HUGE)))
        keys = []
        for change, needed in fits:
            key, value = change.split(" = ", 1)
            keys.append(key)
            model = {**HUGE, key: value}
            self.assertEqual(run("check", deployment(**model)).returncode, 0, change)
            self.assertLessEqual(size(needed), available * 1.01, change)
            if key in ("context_length", "kv_tokens", "slots"):
                step = 1 if key == "slots" else 256
                model[key] = int(value) + step
                self.refusal(run("check", deployment(**model)))
        self.assertIn("context_length", keys)

    def test_overcommit_loads_all_the_same(self):
        tokens = min(1_000_000_000, 2 * machine_bytes() // self.bytes_per_token())
        self.refusal(run("check", deployment(context_length=1024, kv_tokens=tokens)))
        text = deployment("overcommit = true", context_length=1024, kv_tokens=tokens)
        self.assertEqual(run("check", text).returncode, 0)
        result = run("run", text, "-p", "Hello", "-n", "2")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("overcommit", result.stderr)

    def test_plan_prints_its_rows_and_the_verdict(self):
        result = run("plan", deployment(**HUGE))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("kv cache", result.stdout)
        self.assertIn("does not fit: the plan needs", result.stdout)
        document = json.loads(run("plan", deployment(**HUGE), "--json").stdout)
        self.assertFalse(document["fits"])
        self.assertGreater(document["shortage"]["needed_bytes"], document["shortage"]["available_bytes"])
        self.assertTrue(document["shortage"]["fits_with"])
        document = json.loads(run("plan", deployment(context_length=512), "--json").stdout)
        self.assertTrue(document["fits"])

    def test_plan_tells_what_the_process_holds_beside_its_models(self):
        text = deployment(context_length=512)
        document = json.loads(run("plan", text, "--json").stdout)
        process = document["process"]
        rows = {row["object"]: row["bytes"] for row in process["rows"]}
        self.assertEqual(set(rows), {"vocabulary of tiny", "program, libraries and plugins"})
        self.assertEqual({(row["device"], row["category"]) for row in process["rows"]}, {("cpu", "process")})
        self.assertEqual(process["total_bytes"], sum(rows.values()))
        of_models = sum(row["bytes"] for model in document["models"] for row in model["rows"] if row["device"] == "cpu")
        self.assertEqual(process["host_bytes"], process["total_bytes"] + of_models)
        self.assertGreater(rows["vocabulary of tiny"], 16 * 256)  # more tokens than bytes, each with its place
        self.assertGreater(rows["program, libraries and plugins"], 1 << 20)
        printed = run("plan", text).stdout
        self.assertIn("vocabulary of tiny", printed)
        self.assertIn("with all models", printed)

    def test_the_limit_of_a_container_is_the_limit(self):
        limit = 192 << 20
        group = Group("memory", {"memory.limit_in_bytes": str(limit)}, {"memory.max": str(limit)})
        self.addCleanup(group.remove)
        # Four times the limit; with the machine's memory alone it would fit.
        tokens = min(1_000_000_000, 4 * limit // self.bytes_per_token())
        text = deployment(context_length=1024, kv_tokens=tokens)
        result = run("check", text, preexec_fn=group.enter)
        if not group.folders:
            self.assertEqual(result.returncode, 0, result.stderr)  # nothing limits it but the machine
            return
        needed, available, limit_name, fits = self.refusal(result)
        self.assertEqual(available, limit)
        self.assertGreater(needed, limit)
        self.assertEqual(limit_name, "the limit of its container")
        # And what is said to fit is not killed when it is used.
        key, value = fits[0][0].split(" = ", 1)
        fitting = deployment(**{"context_length": 1024, "kv_tokens": tokens, key: value})
        result = run("run", fitting, "-p", "Hello", "-n", "4", preexec_fn=group.enter)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_what_was_allocated_is_what_was_planned(self):
        """In the log and in the metrics of a server, for each device of the plan."""
        text = deployment(context_length=512).replace('plugin = "cpu_avx2"', f'plugin = "{BACKEND}"')
        document = json.loads(run("plan", text, "--json").stdout)
        planned = collections.Counter()
        for row in document["models"][0]["rows"]:
            planned[row["device"]] += row["bytes"]
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(text)
            file.flush()
            process = subprocess.Popen([VERNAL, "serve", file.name], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                       text=True)
            try:
                lines = []
                while not lines or "ready after" not in lines[-1]:
                    lines.append(process.stderr.readline())
                    self.assertTrue(lines[-1], "".join(lines))
                log = "".join(lines)
                url = re.search(r"http://[0-9.:]+", log).group(0)
                with urllib.request.urlopen(url + "/metrics", timeout=30) as answer:
                    metrics = answer.read().decode()
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
                process.stderr.close()
        self.assertTrue(planned)
        for device, bytes_there in planned.items():
            mib = f"{bytes_there / (1 << 20):.2f} MiB"
            self.assertIn(f"memory of {device}: {mib} planned, {mib} allocated", log)
            for which in ("planned", "allocated"):
                found = re.search(rf'^vernal_memory_{which}_bytes{{model="tiny",device="{device}"}} (\S+)$', metrics, re.M)
                self.assertTrue(found, metrics)
                self.assertEqual(float(found.group(1)), bytes_there)

    def num_threads(self, threads="", before_start=None):
        """Threads of a server, once it listens and has its model."""
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(deployment(backend=threads, context_length=512))
            file.flush()
            process = subprocess.Popen([VERNAL, "serve", file.name], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                       text=True, preexec_fn=before_start)
            try:
                lines = []
                for line in process.stderr:
                    lines.append(line)
                    if "ready after" in line:
                        break
                else:
                    self.fail("".join(lines))
                return len(os.listdir(f"/proc/{process.pid}/task"))
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
                process.stderr.close()

    def test_threads_follow_the_quota_of_a_container(self):
        cores = len(os.sched_getaffinity(0))
        group = Group("cpu", {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "100000"},
                      {"cpu.max": "100000 100000"})
        self.addCleanup(group.remove)
        # Without a quota, or with one for all cores: a thread for each core that the process may use.
        unlimited = self.num_threads()
        self.assertLessEqual(unlimited, self.num_threads(f"threads = {cores}"))
        if group.folders:
            self.assertEqual(self.num_threads(before_start=group.enter), self.num_threads("threads = 1"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[5:], verbosity=2)
