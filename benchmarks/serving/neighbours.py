#!/usr/bin/env python3
"""What a long prompt costs those whose answers are being written, against a running server.

  neighbours.py URL MODEL [--words N] [--tokens N]

One client streams an answer of --tokens tokens. When it has 16 of them, a second one sends a prompt of --words words that no
prompt before began with. Prints the time between two tokens of the first answer (median, 95th percentile, longest) before the
prompt comes and while it is computed, and how long the second client waits for its first token. Compare deployments that
differ in max_step_time.
"""
import argparse
import http.client
import json
import random
import threading
import time
import urllib.parse


def stream(args, body):
    """The times at which tokens come, as they come."""
    url = urllib.parse.urlsplit(args.url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=600)
    connection.request("POST", url.path.rstrip("/") + "/completions",
                       json.dumps({"model": args.model, "stream": True, "temperature": 0, "ignore_eos": True, **body}),
                       {"Content-Type": "application/json"})
    response = connection.getresponse()
    if response.status != 200:
        raise SystemExit(response.read().decode())
    for line in iter(response.readline, b""):
        if line.startswith(b"data: {"):
            choices = json.loads(line[6:])["choices"]
            if choices and choices[0].get("text"):
                yield time.monotonic()
    connection.close()


def describe(name, times):
    gaps = sorted(after - before for before, after in zip(times, times[1:]))
    if not gaps:
        return f"{name}: too few tokens"
    return (f"{name}: {len(gaps)} gaps, median {gaps[len(gaps) // 2] * 1000:.0f} ms, "
            f"95 % below {gaps[int(len(gaps) * 0.95)] * 1000:.0f} ms, longest {gaps[-1] * 1000:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description="what a long prompt costs the answers of others")
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("--words", type=int, default=1000)
    parser.add_argument("--tokens", type=int, default=160)
    args = parser.parse_args()
    words = random.Random(time.time()).choices("a bird sang in the old tree while rain fell on grey roofs".split(), k=args.words)
    span = {}

    def ask_long():
        span["begin"] = time.monotonic()
        span["end"] = next(stream(args, {"prompt": " ".join(words), "max_tokens": 1}))

    second = threading.Thread(target=ask_long)
    times = []
    for moment in stream(args, {"prompt": "Once upon a time", "max_tokens": args.tokens}):
        times.append(moment)
        if len(times) == 16:
            second.start()
    second.join()
    before = [moment for moment in times if moment < span["begin"]]
    beside = [moment for moment in times if span["begin"] <= moment <= span["end"]]
    print(describe("before", before))
    print(describe("beside the prompt", before[-1:] + beside))
    print(f"first token of the long prompt after {span['end'] - span['begin']:.1f} s"
          + ("" if times[-1] > span["end"] else "; the first answer ended before it"))


if __name__ == "__main__":
    main()
