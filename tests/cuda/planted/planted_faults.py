#!/usr/bin/env python3
"""Plants faults in the CUDA backend, one at a time, and sees whether the tests on the emulated device catch them.

  planted_faults.py check [TREE]    each edit of faults.py still fits: its text stands there once
  planted_faults.py run [--only NAME ...] [--known-sound] FOLDER [TREE]
                                    builds a copy of the tree under FOLDER, then for each fault edits it, builds the
                                    emulated plugin, and runs tests until one fails

`run` takes about a minute for each fault and is started by hand; CI does `check`. Exit status: 0 if every edit fits, or every
fault is caught; 1 with a line for each that does not, or is missed.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent)]
from faults import FAULTS, TESTS  # noqa: E402

SOURCES = pathlib.Path("plugins/backends/cuda_sm86")
MOST_SECONDS = 300  # of a test; one that does not end has caught the fault as well


def misfits(tree):
    """Lines that say which edits do not fit the sources."""
    names = [fault.name for fault in FAULTS]
    yield from (f"{name}: there are several of this name" for name in sorted({n for n in names if names.count(n) > 1}))
    for fault in FAULTS:
        file = tree / SOURCES / fault.file
        count = file.read_text().count(fault.text) if file.is_file() else 0
        if count != 1:
            yield f"{fault.name}: {SOURCES / fault.file} has its text {count} times; expected once"
        if fault.text == fault.replacement:
            yield f"{fault.name}: changes nothing"
        yield from (f"{fault.name}: there is no test {test}" for test in fault.tests if test not in TESTS)


class Copy:
    """A copy of the tree that is edited and built."""

    def __init__(self, tree, folder):
        self.tree = folder / "tree"
        # As the preset has it: then the compiler cache finds what the tree itself has been built from.
        self.build = self.tree / "build/release"
        self.environment = {**os.environ, "CCACHE_BASEDIR": str(self.tree), "CCACHE_NOHASHDIR": "1"}
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=tree,
                                capture_output=True, text=True, check=True).stdout
        for name in filter(None, listed.split("\0")):
            self.put(name, (tree / name).read_bytes(), (tree / name).stat().st_mode)

        # Models that tests find beside a tree.
        shared, link = tree.resolve().parent / "shared", folder / "shared"
        if shared.is_dir() and not link.exists():
            link.symlink_to(shared)

    def put(self, name, content, mode=None):
        """Writes a file, unless it has this content already."""
        file = self.tree / name
        if file.is_file() and file.read_bytes() == content:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if mode is not None:
            file.chmod(mode)

    def configure(self):
        subprocess.run(["cmake", "--preset", "release", "-DVERNAL_BUILD_TESTS=ON", "-DVERNAL_BUILD_CUDA=OFF"], cwd=self.tree,
                       check=True, stdout=subprocess.DEVNULL, env=self.environment)

    def make(self, tests):
        """What the compiler says if it fails, else nothing."""
        targets = sorted({TESTS[test].program for test in tests})
        if not all(TESTS[test].has_backend for test in tests):
            targets.append("cuda_sm86_emu")
        done = subprocess.run(["cmake", "--build", self.build, "--parallel", "2", "--target", *targets], text=True,
                              capture_output=True, env=self.environment)
        return done.stdout[-2000:] if done.returncode else ""

    def passes(self, name):
        test = TESTS[name]
        environment = {**os.environ, "VERNAL_TEST_BACKENDS": "cuda_sm86_emu", "VERNAL_EMULATED_SCHEDULE": test.schedule}
        command = [self.build / "bin" / test.program, f"--gtest_filter={test.filter}", "--gtest_fail_fast"]
        try:
            done = subprocess.run(command, cwd=self.build, env=environment, timeout=MOST_SECONDS, text=True, errors="replace",
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except subprocess.TimeoutExpired:
            return False
        if done.returncode == 0 and "[  PASSED  ] 0 tests" in done.stdout:
            raise SystemExit(f"{name}: runs no test:\n{done.stdout[-500:]}")
        return done.returncode == 0


def try_fault(copy, fault):
    """The test that catches it, or none. The sources are afterwards as they were."""
    name = str(SOURCES / fault.file)
    sound = (copy.tree / name).read_text()
    copy.put(name, sound.replace(fault.text, fault.replacement).encode())
    try:
        if said := copy.make(fault.tests):
            raise SystemExit(f"{fault.name}: does not compile:\n{said}")
        return next((test for test in fault.tests if not copy.passes(test)), None)
    finally:
        copy.put(name, sound.encode())


def run(tree, folder, only, is_known_sound):
    faults = [fault for fault in FAULTS if not only or fault.name in only]
    copy = Copy(tree, folder.resolve())
    copy.configure()
    if said := copy.make(TESTS):
        raise SystemExit(f"the tree does not compile:\n{said}")
    for test in [] if is_known_sound else sorted({test for fault in faults for test in fault.tests}):
        if not copy.passes(test):
            raise SystemExit(f"{test} fails without a fault")
    print("| fault | where | caught by |\n|---|---|---|", flush=True)
    missed = []
    for fault in faults:
        begin = time.monotonic()
        caught = try_fault(copy, fault)
        if caught is None:
            missed.append(fault.name)
        print(f"| {fault.name} | `{fault.file}` | {f'`{caught}`' if caught else '**missed**'} |", flush=True)
        print(f"{fault.name}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    print(f"\n{len(faults) - len(missed)} of {len(faults)} caught")
    return [f"{name}: missed" for name in missed]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    here = pathlib.Path(__file__).resolve().parents[3]
    check = commands.add_parser("check")
    running = commands.add_parser("run")
    running.add_argument("--only", action="append", default=[])
    running.add_argument("--known-sound", action="store_true", help="the tests are known to pass without a fault")
    running.add_argument("folder", type=pathlib.Path)
    for command in (check, running):
        command.add_argument("tree", type=pathlib.Path, nargs="?", default=here)
    arguments = parser.parse_args()
    problems = list(misfits(arguments.tree))
    if not problems and arguments.command == "run":
        problems = run(arguments.tree, arguments.folder, arguments.only, arguments.known_sound)
    elif not problems:
        print(f"{len(FAULTS)} faults, and each fits")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
