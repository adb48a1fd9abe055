#!/usr/bin/env python3
"""zoo_test.py CHECK FOLDER TABLE: every plugin of the zoo is caught by the tests made for it, and every test catches one.

TABLE has one line for each plugin: file, tests, level, further arguments of the check. The test "-" stands for a plugin without a
fault, in which nothing at all may be found.
"""
import concurrent.futures
import json
import pathlib
import re
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
    file, tests, level, arguments = line.split("\t")
    if tests == "-":
        status, tests, output = run(check, folder / file, ["--level", level, *arguments.split()])
        if status != 0 or not tests:
            return f"{file}: a sound plugin is flagged\n{output}"
        return None
    wanted = tests.split(" ")
    only = [word for test in wanted for word in ("--only", test)]
    status, found, output = run(check, folder / file, [*only, "--level", level, "--limit", LIMIT_S, *arguments.split()])
    outcomes = {t["name"]: t["outcome"] for t in found}
    if status != 1 or outcomes != {test: "FINDING" for test in wanted}:
        return f"{file}: expected a finding of {tests}, found status {status}, {outcomes}\n{output}"
    return None


def family(test):
    """Tests of four models are one function; that it can fail with one of them is enough."""
    return re.sub(r"^(state\..*)_(full|window|mixed|hybrid)$", r"\1", test)


def missing(check, lines):
    """The tests that no plugin of the table fails in, and the kinds without a sound plugin."""
    listing = subprocess.run([check, "--list", "--level", "2"], capture_output=True, text=True, check=True).stdout
    tests = {line.split()[0] for line in listing.splitlines() if line}
    table = [line.split("\t") for line in lines]
    shown = {family(test) for _, names, *_ in table for test in names.split(" ")}
    sound = {file.split("_")[1] for file, names, *_ in table if names == "-"}
    return [f"{test}: no plugin fails in it" for test in sorted(tests) if family(test) not in shown] + \
           [f"{kind}: no sound plugin" for kind in ("architecture", "backend", "frontend") if kind not in sound]


def main():
    check, folder, table = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    lines = [line for line in table.read_text().splitlines() if line]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        problems = [p for p in pool.map(lambda line: examine(check, folder, line), lines) if p]
    problems += missing(check, lines)
    print("\n".join(problems))
    print(f"{len(lines)} plugins, {len(problems)} not told rightly")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
