#!/usr/bin/env python3
"""old_host_test.py CHECK FOLDER...: every plugin of the folders works with the oldest host there is.

vernal-plugin-check plays that host, each of its tests in a process of its own: it speaks minor 0, its tables and structs
have the size of interface 1.0 and end where memory begins that nobody may touch; then the tables are cut below that
size, at every place, and must be refused. See runtime/plugin_check/tests/negotiation_tests.cpp and negotiation_struct_tests.cpp. That
these tests can fail is shown by tests/zoo, and by next_minor_test.sh for plugins that are larger than the host.
"""
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

ONE_PROMPT = ["--set", "model=mock", "--set", "prompt=Hello", "--set", "file=/dev/null"]
# What a plugin needs to be told, by name.
SETTINGS = {
    "cpu_avx2": ["--set", "threads=2"],
    "openai_http": ["--set", "listen=127.0.0.1:0"],
    "one_prompt": ONE_PROMPT,
    "prompt_c": ONE_PROMPT,
}
FOR_ALL = {"oldest_host", "oldest_use", "newer_host", "broken_host", "cut_tables", "unknown_names"}
# Tests that a plugin cannot pass by nature: it takes six operations, or a model of which the check has no sample.
OUT_OF_REACH = {
    "scalar_c": {"result_sizes", "longer_arguments", "oldest_module", "oldest_step"},
    "bigram_c": {"cut_tables", "oldest_builder"},
}


def problem_of(check, plugin):
    """What is wrong with one plugin, or nothing; and how many tests it passed."""
    out_of_reach = {f"negotiation.{test}" for test in OUT_OF_REACH.get(plugin.stem, set())}
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [check, plugin, "--group", "negotiation", "--json", report.name, *SETTINGS.get(plugin.stem, [])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode not in (0, 1):
            return f"{plugin}: exit status {done.returncode}\n{done.stdout}{done.stderr}", 0
        tests = json.load(report)["tests"]
    names = {test["name"] for test in tests}
    passed = {test["name"] for test in tests if test["outcome"] == "passed"}
    # A backend for devices that this machine does not have.
    without_device = {test["name"] for test in tests if test["found"].startswith("no device: ")}
    wanted = (names | {f"negotiation.{test}" for test in FOR_ALL}) - out_of_reach - without_device
    if missing := sorted(wanted - passed):
        return f"{plugin}: expected {', '.join(missing)} to pass\n{done.stdout}{done.stderr}", len(passed)
    return None, len(passed)


def main():
    check, folders = sys.argv[1], [pathlib.Path(folder) for folder in sys.argv[2:]]
    plugins = [plugin for folder in folders for plugin in sorted(folder.glob("*.so"))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda plugin: problem_of(check, plugin), plugins))
    problems = [problem for problem, _ in answers if problem]
    print("\n".join(problems))
    print(f"{len(plugins)} plugins, {sum(passed for _, passed in answers)} tests passed, {len(problems)} problems")
    empty = [folder for folder in folders if not any(folder.glob("*.so"))]
    return 1 if problems or empty or not plugins else 0


if __name__ == "__main__":
    sys.exit(main())
