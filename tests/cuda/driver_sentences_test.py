#!/usr/bin/env python3
"""What an operator reads on a machine whose driver or device is of no use: one sentence, the same for every command.

  driver_sentences_test.py VERNAL PLUGIN_DIR MODEL STUB_DRIVER EMPTY_DRIVER CUDA_VERSION

Drivers are played by STUB_DRIVER (stub_driver.c) and EMPTY_DRIVER, which has no function at all.
"""
import ctypes
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

VERNAL, PLUGINS, MODEL, STUB, EMPTY = (str(pathlib.Path(a).resolve()) for a in sys.argv[1:6])
CUDA = sys.argv[6].split(".")[0]
NEWEST = {"STUB_VERSION": f"{CUDA}000"}
A4000 = {**NEWEST, "STUB_DEVICES": "NVIDIA RTX A4000=8.6"}
LEAST_DRIVER = "580" if int(CUDA) >= 13 else "525"

# (what, library, environment of the stub, number of the device, the sentence as a regular expression, whether it is said of
# the machine as a whole)
CASES = [
    ("no driver", None, {}, 0,
     rf"there is no NVIDIA driver \(libcuda\.so\.1: .*\); install driver {LEAST_DRIVER} or newer, or hand the device to the "
     r"container", True),
    ("a library that is no driver", EMPTY, {}, 0, r"the NVIDIA driver does not work: it answers 500", True),
    ("driver too old", STUB, {"STUB_VERSION": "11040"}, 0,
     rf"the NVIDIA driver is too old: it supports CUDA 11\.4, this plugin was built with CUDA {CUDA}\.\d+ and needs driver "
     rf"{LEAST_DRIVER} or newer", True),
    ("no device", STUB, {**NEWEST, "STUB_INIT": "100"}, 0,
     r"the NVIDIA driver finds no device; nvidia-smi lists those of the machine, and CUDA_VISIBLE_DEVICES hides those that it "
     r"does not name", True),
    ("an empty list of devices", STUB, NEWEST, 0, r"the NVIDIA driver finds no device; .*", True),
    ("a driver of another version than the kernel's", STUB, {**NEWEST, "STUB_INIT": "803"}, 0,
     r"the NVIDIA driver does not work: it answers 803, system has unsupported display driver / cuda driver combination; after "
     r"an update of the driver the machine has to be started anew", True),
    ("capability below 8.6", STUB, {**NEWEST, "STUB_DEVICES": "NVIDIA GeForce GTX 1080=6.1"}, 0,
     r"device 0 \(NVIDIA GeForce GTX 1080\) has compute capability 6\.1, 8\.6 or newer is needed: .*", True),
    ("in use", STUB, {**A4000, "STUB_OPEN": "46"}, 0,
     r"device 0 \(NVIDIA RTX A4000\) is in use by another process and takes one at a time .*; nvidia-smi shows which", True),
    ("no memory", STUB, {**A4000, "STUB_OPEN": "2"}, 0,
     r"device 0 \(NVIDIA RTX A4000\) has no memory left for another process; nvidia-smi shows which ones hold it", True),
    ("another error", STUB, {**A4000, "STUB_OPEN": "719"}, 0,
     r"device 0 \(NVIDIA RTX A4000\) cannot be opened: the driver answers 719, no text", True),
    ("a number too large", STUB, A4000, 3, r"device 3 does not exist: the driver finds 1 device, number 0", False),
    ("a number too large for two", STUB, {**NEWEST, "STUB_DEVICES": "NVIDIA RTX A4000=8.6;NVIDIA GeForce GTX 1080=6.1"}, 2,
     r"device 2 does not exist: the driver finds 2 devices, numbers 0 to 1", False),
    ("the wrong one of two", STUB, {**NEWEST, "STUB_DEVICES": "NVIDIA RTX A4000=8.6;NVIDIA GeForce GTX 1080=6.1"}, 1,
     r"device 1 \(NVIDIA GeForce GTX 1080\) has compute capability 6\.1, .*", False),
]
COMMANDS = [["check"], ["serve"], ["bench"], ["run", "-p", "Hello"], ["perplexity", "--text", __file__, "--window", "64"]]

DEPLOYMENT = """schema = 1
[runtime]
plugin_paths = ["{plugins}"]

[backends.gpu]
plugin = "cuda_sm86"
device = {device}

[models.tiny]
path = "{model}"
backend = "gpu"
context_length = 256

[frontends.http]
plugin = "openai_http"
listen = "127.0.0.1:0"
"""


class Machine:
    """A folder with the deployment, and one with what stands in for the driver."""

    def __init__(self, folder, library, environment, device):
        self.file = folder / "gpu.toml"
        self.file.write_text(DEPLOYMENT.format(plugins=PLUGINS, model=MODEL, device=device))
        drivers = folder / "drivers"
        drivers.mkdir()
        if library:
            shutil.copy(library, drivers / "libcuda.so.1")
        elif has_driver():
            (drivers / "libcuda.so.1").write_text("not a library")
        self.environment = {**os.environ, "LD_LIBRARY_PATH": str(drivers), **environment}

    def run(self, *command):
        return subprocess.run([VERNAL, *command], env=self.environment, capture_output=True, text=True, timeout=60)

    def run_file(self, command, *options):
        return self.run(command, str(self.file), *options)


def has_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
        return True
    except OSError:
        return False


def expect(what, holds, done):
    if holds:
        return []
    return [f"{what}: status {done.returncode}\n  stdout: {done.stdout}\n  stderr: {done.stderr}"]


def problems_of(machine, sentence, is_of_machine):
    """Commands that load say the sentence and nothing else; those that look say it beside what they have to say."""
    line = re.compile(rf"vernal: {re.escape(str(machine.file))}:5:1: \[backends\.gpu\]: {sentence}\n")
    for command, *options in COMMANDS:
        done = machine.run_file(command, *options)
        yield from expect(command, done.returncode == 1 and done.stdout == "" and line.fullmatch(done.stderr), done)
    done = machine.run_file("plan")
    said = re.search(rf"\n\[backends\.gpu\] cannot run on this machine now: {sentence}\n$", done.stdout)
    yield from expect("plan", done.returncode == 0 and "total" in done.stdout and said, done)
    done = machine.run_file("plan", "--json")
    unavailable = json.loads(done.stdout).get("unavailable", [])
    said = len(unavailable) == 1 and re.fullmatch(sentence, unavailable[0]["reason"])
    yield from expect("plan --json", done.returncode == 0 and said, done)
    done = machine.run("plugins", PLUGINS)
    listed = re.search(r"^cuda_sm86  .*\n  .*\n  needs .*\n  (.*)\n", done.stdout, re.M)
    found = listed and re.fullmatch(rf"no device: {sentence}" if is_of_machine else r"device cuda:0: NVIDIA RTX A4000, .*", listed[1])
    yield from expect("plugins", done.returncode == 0 and found, done)


def problems_of_usable(machine):
    """The stub says that all is well, but it cannot compute: that shows when weights are loaded, and ends in a message."""
    done = machine.run("plugins", PLUGINS)
    yield from expect("plugins", "\n  device cuda:0: NVIDIA RTX A4000, 15.99 GiB, 15.56 GiB free\n" in done.stdout, done)
    done = machine.run_file("check")
    yield from expect("check", done.returncode == 0 and ": sound; 1 backend, 1 model" in done.stdout, done)
    done = machine.run_file("plan")
    yield from expect("plan", done.returncode == 0 and "cannot run" not in done.stdout, done)
    done = machine.run_file("run", "-p", "Hello")
    yield from expect("run", done.returncode == 1 and "[models.tiny]" in done.stderr, done)


def main():
    count, failures = 0, []
    for what, library, environment, device, sentence, is_of_machine in [*CASES, ("usable", STUB, A4000, 0, None, True)]:
        count += 1
        with tempfile.TemporaryDirectory() as name:
            machine = Machine(pathlib.Path(name), library, environment, device)
            found = problems_of(machine, sentence, is_of_machine) if sentence else problems_of_usable(machine)
            failures += [f"{what}: {problem}" for problem in found]
    print("\n".join(failures) or f"{count} machines")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
