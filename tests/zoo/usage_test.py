#!/usr/bin/env python3
"""usage_test.py CHECK FOLDER: exit statuses, waivers and reports of vernal-plugin-check."""
import json
import pathlib
import subprocess
import sys
import tempfile


def main():
    check, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    sound = folder / "zoo_backend_none.so"
    broken = folder / "zoo_backend_throws_step.so"
    test = "errors.exceptions"
    problems = []

    def expect(status, *arguments, text=""):
        done = subprocess.run([check, *arguments], capture_output=True, text=True, timeout=120)
        output = done.stdout + done.stderr
        if done.returncode != status or text not in output:
            problems.append(f"{arguments}: expected {status} and \"{text}\", "
                            f"found {done.returncode}:\n{output}")

    expect(0, "--help", text="Exit status")
    expect(0, "--list", text=test)
    expect(0, sound, "--only", test, text="1 passed")
    expect(1, broken, "--only", test, text="expected:")
    expect(2)
    expect(2, folder / "absent.so", text="expected a plugin")
    expect(2, sound, "--unheard-of")
    expect(2, sound, "--only", "errors.unheard_of", text="no test is called")
    expect(2, sound, "--group", "unheard_of", text="no test is left")
    expect(2, sound, "--only", "state.fork_hybrid", text="no test is left")
    expect(2, sound, "--level", "3")
    expect(2, sound, "--set", "unheard_of=1", text="unknown key")
    expect(2, broken, "--only", test, "--waive", test, text="expected TEST=REASON")
    expect(2, broken, "--only", test, "--waive", "unheard_of=why", text="no test is called")
    expect(0, sound, "--only", test, "--waive", f"{test}=why", text="not needed any more")
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        expect(0, broken, "--only", test, "--waive", f"{test}=it is known", "--json", report.name,
               text="it is known")
        found = json.load(report)["tests"][0]
        if (found["outcome"], found["reason"]) != ("waived", "it is known"):
            problems.append(f"the report says {found}")
    expect(2, sound, "--only", test, "--json", "/absent/report.json", text="cannot be written")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
