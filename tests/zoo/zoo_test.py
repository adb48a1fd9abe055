#!/usr/bin/env python3
"""zoo_test.py CHECK FOLDER TABLE: every plugin of the zoo is caught by the test made for it.

TABLE has one line for each plugin: file, test, level. The test "-" stands for a plugin without a
fault, in which nothing at all may be found.
"""
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

LIMIT_S = "8"  # for a plugin that hangs on purpose
SETTINGS = {"frontend": ["--set", "model=mock", "--set", "prompt=Hello", "--set", "file=/dev/null"]}


def run(check, plugin, arguments):
    """Exit status and the tests of the report."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        kind = plugin.name.split("_")[1]
        command = [check, plugin, "--json", report.name, *SETTINGS.get(kind, []), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode not in (0, 1):
            return done.returncode, [], done.stdout + done.stderr
        return done.returncode, json.load(report)["tests"], done.stdout


def examine(check, folder, line):
    """What is wrong with the check's answer to one plugin, or nothing."""
    file, test, level = line.split("\t")
    if test == "-":
        status, tests, output = run(check, folder / file, ["--level", level])
        if status != 0 or not tests:
            return f"{file}: a sound plugin is flagged\n{output}"
        return None
    status, tests, output = run(check, folder / file,
                                ["--only", test, "--level", level, "--limit", LIMIT_S])
    outcomes = {t["name"]: t["outcome"] for t in tests}
    if status != 1 or outcomes != {test: "FINDING"}:
        return f"{file}: expected a finding of {test}, found status {status}, {outcomes}\n{output}"
    return None


def main():
    check, folder, table = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    lines = [line for line in table.read_text().splitlines() if line]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        problems = [p for p in pool.map(lambda line: examine(check, folder, line), lines) if p]
    print("\n".join(problems))
    print(f"{len(lines)} plugins, {len(problems)} not told rightly")
    return 1 if problems or len(lines) < 25 else 0


if __name__ == "__main__":
    sys.exit(main())
