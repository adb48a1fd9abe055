#!/usr/bin/env python3
"""acceptance_bundle_test.py MAKE_BUNDLE BUILD STUB_NVML: the bundle that judges a card, made and run without a card.

It must be small, need nothing of the machine, run with an empty environment from any folder, leave a report whenever it is
ended, and find what is wrong.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

MAKE_BUNDLE, BUILD, STUB_NVML = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
MOST_BYTES = 40 << 20
NO_DRIVER = "there is no NVIDIA driver ("
STEPS = ["device", "instructions", "kernels", "models", "sanitizer", "bandwidth", "large-model", "other-build"]
failures = []


def expect(holds, what):
    if not holds:
        failures.append(what)


def run(bundle, folder, *arguments, environment=None):
    """Its exit status, what it says, and its report."""
    folder.mkdir(exist_ok=True)
    report = folder / "acceptance.json"
    report.unlink(missing_ok=True)
    done = subprocess.run([bundle / "run", *arguments], cwd=folder, env=environment or {}, capture_output=True, text=True, timeout=400)
    return done.returncode, done.stdout + done.stderr, json.loads(report.read_text()) if report.exists() else {}


def steps_of(report):
    return {step["name"]: step for step in report.get("steps", [])}


def check_libraries(bundle):
    """Each program and plugin finds every library in the bundle, by the loader of the bundle."""
    loader = bundle / "lib" / "ld-linux-x86-64.so.2"
    files = [*bundle.glob("bin/*"), *bundle.glob("plugins/*.so"), *bundle.glob("native/*/*.so")]
    expect(len(files) >= 13, f"programs and plugins: {files}")
    for file in files:
        listed = subprocess.run([loader, "--library-path", bundle / "lib", "--list", file], env={}, capture_output=True, text=True)
        expect(listed.returncode == 0 and "not found" not in listed.stdout, f"{file.name}: {listed.stdout}{listed.stderr}")
        for line in listed.stdout.splitlines():
            path = line.split(" => ")[-1].split(" (")[0].strip()
            expect(path.startswith(str(bundle)) or "vdso" in path, f"{file.name} needs {path}")


def check_dry_run(bundle, folder):
    """All steps that need no device, on the emulated one."""
    status, text, report = run(bundle, folder, "--dry-run", "--limit", "300", environment={"LD_LIBRARY_PATH": str(STUB_NVML.parent)})
    print(text, end="")
    steps = steps_of(report)
    expect(status == 0 and report.get("result") == "incomplete", f"status {status}: {text}")
    expect(list(steps) == STEPS, f"steps: {list(steps)}")
    for name, step in steps.items():
        skipped = name in ("sanitizer", "other-build")
        expect(step["outcome"] == ("skipped" if skipped else "passed") and (not skipped or step["reason"]), f"{name}: {step}")
    expect(steps["device"]["sentence"].startswith(NO_DRIVER), f"the sentence: {steps['device']}")
    expect(len(steps["instructions"]["checks"]) >= 9, f"instructions: {steps['instructions']}")
    expect(steps["kernels"]["passed"] >= 25 and steps["models"]["passed"] == 1, f"tests: {steps['kernels']} {steps['models']}")
    expect(report["device"]["capability"] == "8.6" and report["seconds"] > 0, f"the device: {report}")
    large = steps["large-model"]
    expect([row["depth"] for row in large["rows"]] == [0, 64] and large["columns"] == [1, 2, 4, 8], f"speed: {large}")
    for row in large["rows"]:
        share = 100 * row["bytes_per_step"] * row["decode_tokens_per_second"][0] / large["read_bandwidth_bytes_per_second"]
        expect(abs(row["percent_of_read_bandwidth"][0] / share - 1) < 1e-3, f"per cent of bandwidth: {share}, {row}")
        expect(row["clocks"]["median_sm_mhz"] == 1200 and row["clocks"]["slowed_by"] == {"power cap": 1}, f"clocks: {row}")
    expect(report["limits"] == {"driver": "580.65.06", "most_sm_mhz": 1560, "most_memory_mhz": 7001, "power_limit_milliwatts": 140000},
           f"limits: {report['limits']}")
    expect([path.name for path in folder.iterdir()] == ["acceptance.json"], f"left behind: {list(folder.iterdir())}")


def check_no_card(bundle, folder):
    status, text, report = run(bundle, folder)
    expect(status == 3 and NO_DRIVER in text, f"without a card: status {status}: {text}")
    expect(all(step["outcome"] == "skipped" and step["reason"].startswith(NO_DRIVER) for step in report["steps"]), f"report: {report}")


def check_wrong_results(bundle, folder):
    """Tests that fail are named with what they say, and the status tells."""
    damaged = folder.parent / "damaged"
    shutil.copytree(bundle, damaged)
    file = damaged / "golden" / "quants" / "q8_0.gguf"
    file.write_bytes(file.read_bytes()[:20000])
    (damaged / "plugins" / "cpu_avx2.so").unlink()
    status, text, report = run(damaged, folder, "--dry-run", "--only", "models", "--only", "kernels")
    steps = steps_of(report)
    expect(status == 1 and report.get("result") == "failed", f"damaged: status {status}: {text}")
    for name, test, part in (("kernels", "q8_0", "takes more than"), ("models", "EqualToCpu", "cpu_avx2")):
        step = steps.get(name, {})
        found = step.get("failures", [{"test": "", "text": ""}])
        expect(step.get("outcome") == "failed", f"{name}: {step}")
        expect(all(test in failure["test"] for failure in found) and part in found[0]["text"], f"what failed in {name}: {found}")
    expect(steps["bandwidth"]["outcome"] == "skipped", f"what was not asked for: {report}")


def check_cut_run(bundle, folder):
    """Ended in the middle, it leaves a whole report and no process."""
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen([bundle / "run", "--dry-run"], cwd=folder, env={}, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("kernels"):
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    report = json.loads((folder / "acceptance.json").read_text())
    expect(report["result"] == "unfinished" and "kernels" in steps_of(report), f"a run that was cut off: {report}")
    for _ in range(100):
        if not children_of(bundle):
            break
        time.sleep(0.05)
    expect(not children_of(bundle), f"still running: {children_of(bundle)}")


def children_of(bundle):
    out = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.startswith(os.fsencode(bundle)) for word in words):
            out.append(b" ".join(words))
    return out


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        bundle = folder / "a bundle"
        made = subprocess.run([MAKE_BUNDLE, BUILD, "--out", bundle], capture_output=True, text=True)
        if made.returncode != 0:
            print(made.stderr, file=sys.stderr)
            return 1
        print(made.stdout, end="")
        size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
        expect(size <= MOST_BYTES, f"size: expected at most {MOST_BYTES}, found {size}")
        check_libraries(bundle)
        check_no_card(bundle, folder / "no card")
        check_dry_run(bundle, folder / "dry")
        check_wrong_results(bundle, folder / "wrong")
        check_cut_run(bundle, folder / "cut")
        again = subprocess.run([MAKE_BUNDLE, BUILD, "--out", folder / "dry"], capture_output=True, text=True)
        expect(again.returncode == 1 and "is no bundle" in again.stderr, f"a folder of something else: {again.stderr}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
