#!/usr/bin/env python3
"""Answers of a real model under many schemas, at temperature 1: all must parse and be valid.

  answer_schemas.py URL MODEL SCHEMAS.jsonl [--schemas N] [--answers N] [--parallel N] [--max-tokens N] [--tries N]

SCHEMAS.jsonl has an object a line with a member "schema" and a name in "name" or "id". Takes schemas evenly from the shortest
quarter of the file, asks for so many answers under each, --parallel at a time, and checks them with jsonschema (from PyPI),
formats included. An answer that the limit of tokens cut is no whole answer: it counts as "cut", and the same schema is asked
again with another seed, up to --tries times for each answer.

At the end it prints how many whole answers came of how many that were wanted, and how many of them parsed and were valid, or
invalid because a warning of the answer says that a keyword was relaxed. Exits with 1 if an answer did not parse, was invalid
without a warning, or if a request failed for another reason than a schema that the server refuses (status 400).
"""
import argparse
import collections
import concurrent.futures
import json
import sys
import time
import urllib.error
import urllib.request

import jsonschema

WHOLE = ("valid", "relaxed", "invalid", "unparsed")
BAD = ("invalid", "unparsed", "failed")


def name_of(row):
    return str(row.get("name", row.get("id")))


def request_body(model, schema, seed, max_tokens):
    prompt = "Write one short JSON value that fits this schema:\n" + json.dumps(schema)[:1500]
    return {"model": model, "temperature": 1, "seed": seed, "max_tokens": max_tokens,
            "messages": [{"role": "user", "content": prompt}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}


def judge(schema, answer):
    """One of WHOLE, or "cut"."""
    choice = answer["choices"][0]
    if choice["finish_reason"] != "stop":
        return "cut"
    try:
        value = json.loads(choice["message"]["content"])
    except ValueError:
        return "unparsed"
    validator = jsonschema.validators.validator_for(schema)
    if validator(schema, format_checker=validator.FORMAT_CHECKER).is_valid(value):
        return "valid"
    return "relaxed" if answer.get("warnings") else "invalid"


def ask(args, schema, seed):
    """The verdict on one answer, and what the server sent."""
    request = urllib.request.Request(args.url.rstrip("/") + "/chat/completions",
                                     json.dumps(request_body(args.model, schema, seed, args.max_tokens)).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=args.timeout) as reply:
            text = reply.read().decode()
        return judge(schema, json.loads(text)), text
    except urllib.error.HTTPError as error:
        return "refused" if error.code == 400 else "failed", error.read().decode()
    except OSError as error:  # no connection, or none in time
        return "failed", str(error)


def ask_schema(args, row):
    """Asks until args.answers whole answers came, or one was refused, or the tries are used up. Counts the verdicts."""
    counts = collections.Counter()
    for seed in range(args.answers * args.tries):
        verdict, text = ask(args, row["schema"], seed)
        counts[verdict] += 1
        if verdict in BAD or verdict == "refused":
            print(verdict, name_of(row), text[:600], flush=True)
        if verdict in ("refused", "failed") or sum(counts[word] for word in WHOLE) == args.answers:
            break
    return counts


def choose(path, wanted):
    """Schemas from the shortest quarter of the file, at even distances."""
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if isinstance(row["schema"], dict)]
    rows.sort(key=lambda row: (len(json.dumps(row["schema"])), name_of(row)))
    return rows[::max(1, len(rows) // (4 * wanted))][:wanted]


def summary(counts, wanted, seconds):
    whole = sum(counts[word] for word in WHOLE)
    parsed = whole - counts["unparsed"]
    return (f"{whole} of {wanted} whole answers: {parsed} parsed, {counts['valid']} valid, "
            f"{counts['relaxed']} invalid where a warning says so, {counts['invalid']} invalid. "
            f"Besides: {counts['cut']} cut, {counts['refused']} schemas refused, {counts['failed']} failed. "
            f"{seconds:.0f} s")


def main():
    parser = argparse.ArgumentParser(description="answers of a real model under many schemas")
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("file")
    parser.add_argument("--schemas", type=int, default=100)
    parser.add_argument("--answers", type=int, default=5, help="whole answers under each schema")
    parser.add_argument("--parallel", type=int, default=4, help="requests at a time")
    parser.add_argument("--max-tokens", type=int, default=160)
    parser.add_argument("--tries", type=int, default=4, help="requests for each answer, if it is cut")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one answer")
    args = parser.parse_args()
    rows = choose(args.file, args.schemas)
    started = time.monotonic()
    counts = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(args.parallel) as pool:
        asked = [pool.submit(ask_schema, args, row) for row in rows]
        for number, done in enumerate(concurrent.futures.as_completed(asked), 1):
            counts.update(done.result())
            if number % 10 == 0:
                print(f"{number} schemas: {dict(counts)}", flush=True)
    print(summary(counts, len(rows) * args.answers, time.monotonic() - started))
    sys.exit(1 if any(counts[word] for word in BAD) else 0)


if __name__ == "__main__":
    main()
