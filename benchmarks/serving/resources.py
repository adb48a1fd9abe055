#!/usr/bin/env python3
"""Start-up time, memory and idle load of a serving process, beside what its plan says.

  resources.py VERNAL DEPLOYMENT.toml [--only memory] [--starts N] [--prompt-tokens N] [--idle SECONDS] [--json]

The deployment listens over HTTP on a port of the loopback interface (port 0 is fine). Reports:
  start      process start to the first token of a 20-token prompt, page cache warm: median and best of N,
             after one that warms it
  memory     resident size when loaded, and peak and last size after a prompt of N tokens, beside what `vernal plan`
             says of models and process; the KV cache counts as far as the prompt fills it, weights in the
             mapped file as far as they are in memory
  idle       share of one core used while nothing is asked
"""
import argparse
import http.client
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("vernal"), parser.add_argument("deployment")
parser.add_argument("--only", choices=["memory"], help="measures nothing else")
parser.add_argument("--starts", type=int, default=5)
parser.add_argument("--prompt-tokens", type=int, default=4096)
parser.add_argument("--idle", type=float, default=30)
parser.add_argument("--json", action="store_true")
ARGS = parser.parse_args()
MIB = 1 << 20
PROMPT = "The quick brown fox jumps over the lazy dog, and then it sleeps all day long in the sun."


def start():
    begin = time.monotonic()
    process = subprocess.Popen([ARGS.vernal, "serve", ARGS.deployment], stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        found = re.search(r"listening on http://([^\s]+):(\d+)", line)
        if found:
            wait_until_ready(found.group(1), int(found.group(2)))
            return process, found.group(1), int(found.group(2)), begin
    sys.exit(f"the server ended with status {process.wait()}")


def wait_until_ready(host, port):
    while True:
        connection = http.client.HTTPConnection(host, port, timeout=10)
        connection.request("GET", "/health")
        is_ready = connection.getresponse().status == 200
        connection.close()
        if is_ready:
            return
        time.sleep(0.01)


def first_token(host, port, prompt, max_tokens=1):
    """Seconds until the first delta with text, and the number of prompt tokens."""
    connection = http.client.HTTPConnection(host, port, timeout=600)
    connection.request("GET", "/v1/models")
    model = json.loads(connection.getresponse().read())["data"][0]["id"]
    connection.request("POST", "/v1/completions", json.dumps({
        "model": model, "prompt": prompt, "max_tokens": max_tokens, "temperature": 0, "stream": True,
        "stream_options": {"include_usage": True}}), {"Content-Type": "application/json"})
    response = connection.getresponse()
    arrived, tokens = None, 0
    for line in response:
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if event.get("choices") and arrived is None:
            arrived = time.monotonic()
        if event.get("usage"):
            tokens = event["usage"]["prompt_tokens"]
    connection.close()
    return arrived, tokens


def status_mib(process, field):
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(rf"{field}:\s+(\d+) kB", file.read()).group(1)) / 1024


def mapped_bytes(process, path):
    """Of a mapped file, as far as it is in memory."""
    total, is_it = 0, False
    with open(f"/proc/{process.pid}/smaps") as file:
        for line in file:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                is_it = line.rstrip().endswith(path)
            elif is_it and line.startswith("Rss:"):
                total += int(line.split()[1]) * 1024
    return total


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.stderr.read()
    return process.wait()


def measure_start():
    seconds = []
    for number in range(ARGS.starts + 1):
        process, host, port, begin = start()
        arrived, tokens = first_token(host, port, PROMPT)
        if number > 0:
            seconds.append(arrived - begin)
        stop(process)
    return {"prompt_tokens": tokens, "median_s": round(statistics.median(seconds), 3), "best_s": round(min(seconds), 3)}


def measure_memory(process, host, port):
    document = json.loads(subprocess.run([ARGS.vernal, "plan", "--json", ARGS.deployment], check=True,
                                         capture_output=True, text=True).stdout)
    plan = document["models"][0]
    loaded = status_mib(process, "VmRSS")
    _, tokens = first_token(host, port, "alpha beta gamma delta " * (ARGS.prompt_tokens // 4))
    planned_kv, planned_mapped = (sum(row["bytes"] for row in plan["rows"] if row["category"] == category)
                                  for category in ("kv cache", "mapped file"))
    used = (min(planned_kv, tokens * plan["bytes_per_kv_token"])
            + min(planned_mapped, mapped_bytes(process, os.path.basename(plan["file"]))))
    of_process = document["process"]["total_bytes"]
    planned = (document["process"]["host_bytes"] - planned_kv - planned_mapped + used) / MIB
    peak = status_mib(process, "VmHWM")
    last = status_mib(process, "VmRSS")
    return {"prompt_tokens": tokens, "plan_mib": round(plan["total_bytes"] / MIB, 1),
            "plan_of_process_mib": round(of_process / MIB, 1), "plan_as_used_mib": round(planned, 1),
            "loaded_mib": round(loaded, 1), "peak_mib": round(peak, 1), "last_mib": round(last, 1),
            "peak_of_plan": round(peak / planned, 3), "last_of_plan": round(last / planned, 3)}


def print_memory(memory):
    print(f"plan                   {memory['plan_mib']} MiB of the model and {memory['plan_of_process_mib']} of the process; "
          f"{memory['plan_as_used_mib']} with the KV cache of {memory['prompt_tokens']} tokens alone")
    print(f"resident               {memory['loaded_mib']} MiB when loaded, {memory['last_mib']} after the prompt, peak "
          f"{memory['peak_mib']}: {memory['last_of_plan'] * 100:.1f} %, at its peak {memory['peak_of_plan'] * 100:.1f} %, "
          "of that")


def main():
    out = {} if ARGS.only else {"start_to_first_token": measure_start()}
    process, host, port, _ = start()
    out["memory"] = measure_memory(process, host, port)
    if not ARGS.only:
        before = cpu_seconds(process)
        time.sleep(ARGS.idle)
        out["idle_share_of_a_core"] = round((cpu_seconds(process) - before) / ARGS.idle, 5)
    out["exit_status"] = stop(process)
    if ARGS.json:
        print(json.dumps(out))
        return
    if not ARGS.only:
        found = out["start_to_first_token"]
        print(f"start to first token   {found['median_s']:.2f} s (median of {ARGS.starts}; best {found['best_s']:.2f} s), "
              f"prompt of {found['prompt_tokens']} tokens")
    print_memory(out["memory"])
    if not ARGS.only:
        print(f"idle                   {out['idle_share_of_a_core'] * 100:.2f} % of a core over {ARGS.idle:.0f} s")
    print(f"exit status on SIGTERM {out['exit_status']}")


main()
