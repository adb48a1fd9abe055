#!/usr/bin/env python3
"""Masks and compiling beside llguidance, on the same schemas and vocabulary, in one run, each on one thread.

    compare_grammars.py WORKER MODEL REFERENCE [--every N] [--any-order]

REFERENCE is the folder with maskbench.jsonl. Needs llguidance and numpy. Each valid instance is tokenized once, as
json.dumps writes it; before each token, and at the end, a mask is computed. Schemas that either side refuses are left out
of the times. Times are those that the thread computed, so that other programs of the machine do not count; a call of
llguidance from Python, and the clock of either side, cost less than a microsecond.
"""
import argparse
import json
import pathlib
import subprocess
import time

import llguidance
import llguidance.numpy
import numpy


class Vocabulary:
    def __init__(self, tokens, ends):
        self.tokens = [bytes.fromhex(t) if t else b"\xff<special %d>" % i for i, t in enumerate(tokens)]
        self.special_token_ids = [i for i, t in enumerate(tokens) if not t]
        self.eos_token_id = ends[0]
        self.bos_token_id = None

    def __call__(self, text):
        return [0]


def percentile(values, part):
    return float(numpy.percentile(values, part))


def show(name, compile_us, mask_us):
    print(f"{name:12} compile us: p50 {percentile(compile_us, 50):9.1f}  mean {numpy.mean(compile_us):9.1f}  "
          f"p99 {percentile(compile_us, 99):10.1f}")
    print(f"{name:12} mask us:    p50 {percentile(mask_us, 50):9.1f}  mean {numpy.mean(mask_us):9.1f}  "
          f"p99 {percentile(mask_us, 99):10.1f}  max {max(mask_us):10.1f}  ({len(mask_us)} masks)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("worker")
    parser.add_argument("model")
    parser.add_argument("reference")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--any-order", action="store_true")
    parser.add_argument("--slowest", type=int, default=0)
    arguments = parser.parse_args()
    process = subprocess.Popen([arguments.worker, arguments.model], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    line = json.loads(process.stdout.readline())
    vocabulary = Vocabulary(line["tokens"], line["ends"])
    tokenizer = llguidance.LLTokenizer(llguidance.TokenizerWrapper(vocabulary), n_vocab=len(vocabulary.tokens),
                                       slices=llguidance.LLTokenizer.json_slices())
    bitmask = llguidance.numpy.allocate_token_bitmask(1, len(vocabulary.tokens))
    ours, theirs = ([], []), ([], [])
    per_schema = []
    refused = {"ours": 0, "theirs": 0}
    wrong = {"ours": 0, "theirs": 0}
    for number, text in enumerate(open(pathlib.Path(arguments.reference) / "maskbench.jsonl")):
        if number % arguments.every:
            continue
        row = json.loads(text)
        schema = json.dumps(row["schema"])
        instances = [json.dumps(test["data"]) for test in row["tests"] if test["valid"]]
        process.stdin.write(json.dumps({"schema": schema, "instances": instances, "any_order": arguments.any_order}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        start = time.thread_time()
        try:
            grammar = llguidance.LLMatcher.grammar_from_json_schema(schema)
            matcher = llguidance.LLMatcher(tokenizer, grammar, log_level=0)
            failed = matcher.is_error()
        except ValueError:
            failed = True
        compile_us = (time.thread_time() - start) * 1e6
        refused["ours"] += "error" in answer
        if "error" in answer:
            print(f"refused: {row['name']}: {answer['error']}")
        elif not all(answer["accepted"]):
            print(f"not followed: {row['name']}")
        refused["theirs"] += failed
        if failed or "error" in answer:
            continue
        times = []
        for tokens in answer["tokens"]:
            follower = matcher.deep_copy()
            good = True
            for token in tokens:
                start = time.thread_time()
                llguidance.numpy.fill_next_token_bitmask(follower, bitmask, 0)
                times.append((time.thread_time() - start) * 1e6)
                if not follower.consume_token(token):
                    good = False
                    break
            if good:
                start = time.thread_time()
                llguidance.numpy.fill_next_token_bitmask(follower, bitmask, 0)
                times.append((time.thread_time() - start) * 1e6)
            wrong["theirs"] += not (good and follower.is_accepting())
        wrong["ours"] += answer["accepted"].count(False)
        ours[0].append(answer["compile_us"])
        ours[1].extend(answer["mask_us"])
        theirs[0].append(compile_us)
        theirs[1].extend(times)
        per_schema.append((sum(answer["mask_us"]), sum(times), row["name"]))
    print(f"refused {refused}; valid instances not followed {wrong}")
    show("vernal", *ours)
    show("llguidance", *theirs)
    print(f"vernal / llguidance: mask mean {numpy.mean(ours[1]) / numpy.mean(theirs[1]):.3f}, "
          f"p99 {percentile(ours[1], 99) / percentile(theirs[1], 99):.3f}; "
          f"compile p50 {percentile(ours[0], 50) / percentile(theirs[0], 50):.3f}")
    for mine, other, name in sorted(per_schema, reverse=True)[:arguments.slowest]:
        print(f"   {mine:10.0f} us beside {other:10.0f} us: {name}")


if __name__ == "__main__":
    main()
