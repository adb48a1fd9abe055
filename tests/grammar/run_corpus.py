#!/usr/bin/env python3
"""Runs the corpora of ../shared/reference/schemas through grammar_verdicts and says what is wrong, by keyword.

    run_corpus.py VERDICTS REFERENCE [--corpus maskbench|draft7|draft2020-12] [--list N] [--min-percent P]

A schema of maskbench passes if every valid instance is accepted, compact and indented, and every invalid one refused.
Of the test suites each instance counts. A wrong verdict is excused by a warning of its schema, but counts all the same.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import sys
import time


def maskbench(folder):
    for line in open(folder / "maskbench.jsonl"):
        row = json.loads(line)
        texts, wanted = [], []
        for test in row["tests"]:
            texts.append(json.dumps(test["data"]))
            wanted.append(test["valid"])
            if test["valid"]:
                texts += [json.dumps(test["data"], separators=(",", ":")), json.dumps(test["data"], indent=2),
                          json.dumps(test["data"], ensure_ascii=False)]
                wanted += [True] * 3
        yield row["name"], row["schema"], texts, wanted, True


def suite(folder):
    for path in sorted(folder.rglob("*.json")):
        formats = path.parent.name == "format"
        for group in json.load(open(path)):
            if folder.name == "draft7" and isinstance(group["schema"], dict):
                group["schema"].setdefault("$schema", "http://json-schema.org/draft-07/schema#")
            texts = [json.dumps(test["data"]) for test in group["tests"]]
            wanted = [test["valid"] for test in group["tests"]]
            yield f"{path.relative_to(folder)}: {group['description']}", group["schema"], texts, wanted, formats


def run(arguments, corpus):
    folder = pathlib.Path(arguments.reference)
    rows = maskbench(folder) if corpus == "maskbench" else suite(folder / corpus)
    process = subprocess.Popen([arguments.verdicts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    counts, keywords, slow = collections.Counter(), collections.Counter(), []
    listed = 0
    for name, schema, texts, wanted, formats in rows:
        text = json.dumps(schema)
        request = {"schema": text, "instances": texts, "formats": formats, "all_numbers": corpus != "maskbench"}
        start = time.time()
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            counts["crash"] += 1
            print(f"CRASH {name}")
            process = subprocess.Popen([arguments.verdicts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                       bufsize=1)
            continue
        answer = json.loads(line)
        slow.append((answer["us"], time.time() - start, name))
        counts["schemas"] += 1
        counts["instances"] += len(texts)
        warnings = answer.get("warnings", [])
        if "error" in answer:
            if not any(wanted):
                counts["schemas right"] += 1
                counts["instances right"] += len(texts)
                continue
            counts["refused"] += 1
            counts["instances wrong"] += len(texts)
            keywords["refused: " + answer["error"].split(": ", 1)[1][:70]] += 1
            if listed < arguments.list:
                listed += 1
                print(f"REFUSED {name}: {answer['error'][:200]}")
            continue
        wrong = [(t[:b] + " <<HERE>> " + t[b:] if w else t, w)
                 for t, w, a, b in zip(texts, wanted, answer["accepted"], answer["bytes"]) if a != w]
        counts["instances right"] += len(texts) - len(wrong)
        if not wrong:
            counts["schemas right"] += 1
            continue
        accepted = [t for t, w in wrong if not w]
        counts["invalid accepted"] += len(accepted)
        counts["valid refused"] += len(wrong) - len(accepted)
        if not warnings:
            counts["invalid accepted without a warning"] += len(accepted)
            counts["wrong without a warning"] += len(wrong)
        kind = "invalid accepted" if accepted else "valid refused"
        label = name.split(":")[0] if corpus != "maskbench" else (warnings[0][1] if warnings else "?")
        keywords[f"{kind}, {'warned' if warnings else 'not warned'}: {label}"] += len(wrong)
        if listed < arguments.list and (not warnings or arguments.list_warned):
            listed += 1
            print(f"{kind.upper()} {name}\n  schema {text[:arguments.width]}\n  instance {wrong[0][0][:arguments.width]}"
                  f"\n  warnings {warnings[:3]}")
    slow.sort(reverse=True)
    times = sorted(s[0] for s in slow)
    print(f"== {corpus}: {dict(counts)}")
    print(f"   {100 * counts['schemas right'] / counts['schemas']:.2f} % of schemas right, "
          f"{100 * counts['instances right'] / counts['instances']:.2f} % of instances right")
    print(f"   compile: median {times[len(times) // 2]} us, p99 {times[len(times) * 99 // 100]} us, "
          f"max {times[-1]} us ({slow[0][2]})")
    worst = sorted(slow, key=lambda s: -s[1])[:3]
    print(f"   slowest with instances: {[(round(s[1], 2), s[2]) for s in worst]}")
    for keyword, count in keywords.most_common(arguments.keywords):
        print(f"   {count:5} {keyword}")
    right = "schemas" if corpus == "maskbench" else "instances"
    percent = 100 * counts[right + " right"] / counts[right]
    return percent >= arguments.min_percent and counts["crash"] == 0 and \
        counts["wrong without a warning"] <= arguments.max_unwarned and slow[0][0] <= 1_000_000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verdicts")
    parser.add_argument("reference")
    parser.add_argument("--corpus", action="append")
    parser.add_argument("--list", type=int, default=0)
    parser.add_argument("--list-warned", action="store_true")
    parser.add_argument("--width", type=int, default=1500)
    parser.add_argument("--keywords", type=int, default=40)
    parser.add_argument("--min-percent", type=float, default=0)
    parser.add_argument("--max-unwarned", type=int, default=0)
    arguments = parser.parse_args()
    good = [run(arguments, corpus) for corpus in arguments.corpus or ["maskbench", "draft7", "draft2020-12"]]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
