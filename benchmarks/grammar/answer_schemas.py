#!/usr/bin/env python3
"""Answers of a real model under many schemas, at temperature 1: all must parse and be valid.

  answer_schemas.py URL MODEL SCHEMAS.jsonl [--schemas N] [--answers N] [--max-tokens N]

SCHEMAS.jsonl has an object a line with a member "schema" and a name in "name" or "id". Takes the schemas with the shortest
valid instance, or text, asks for so many answers under each, and checks those that ended by themselves with jsonschema (from
PyPI), formats included. An answer that was cut by the limit counts as cut. Exits with 1 if one is invalid and no warning of
its answer names a keyword that was relaxed.
"""
import argparse
import json
import sys
import urllib.error
import urllib.request

import jsonschema


def ask(url, model, schema, seed, max_tokens):
    body = {"model": model, "temperature": 1, "seed": seed, "max_tokens": max_tokens,
            "messages": [{"role": "user", "content": "Write one short JSON value that fits this schema:\n" +
                          json.dumps(schema)[:1500]}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}
    request = urllib.request.Request(url.rstrip("/") + "/chat/completions", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)


def judge(schema, answer):
    choice = answer["choices"][0]
    if choice["finish_reason"] != "stop":
        return "cut"
    try:
        value = json.loads(choice["message"]["content"])
    except ValueError:
        return "unparsed"
    validator = jsonschema.validators.validator_for(schema)
    if validator(schema).is_valid(value):
        return "valid"
    return "relaxed" if answer.get("warnings") else "invalid"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("file")
    parser.add_argument("--schemas", type=int, default=100)
    parser.add_argument("--answers", type=int, default=5)
    parser.add_argument("--max-tokens", type=int, default=160)
    args = parser.parse_args()
    with open(args.file, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if isinstance(row["schema"], dict)]
    rows.sort(key=lambda row: (len(json.dumps(row["schema"])), str(row.get("name", row.get("id")))))
    rows = rows[::max(1, len(rows) // (4 * args.schemas))][:args.schemas]  # the short quarter, evenly
    counts = {}
    for number, row in enumerate(rows):
        for seed in range(args.answers):
            try:
                verdict = judge(row["schema"], answer := ask(args.url, args.model, row["schema"], seed, args.max_tokens))
            except urllib.error.HTTPError as error:
                verdict, answer = f"refused {error.code}", error.read().decode()
            counts[verdict] = counts.get(verdict, 0) + 1
            if verdict in ("invalid", "unparsed"):
                print(verdict, row.get("name", row.get("id")), json.dumps(answer)[:600], flush=True)
            if verdict.startswith("refused"):
                print(verdict, row.get("name", row.get("id")), answer[:300], flush=True)
                break
        print(f"{number + 1} schemas: {counts}", flush=True)
    sys.exit(1 if counts.get("invalid") or counts.get("unparsed") else 0)


if __name__ == "__main__":
    main()
