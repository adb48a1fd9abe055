#!/usr/bin/env python3
"""What grammars cost and save, against a running server (docs/grammar.md).

  call_speed.py URL MODEL [--tokens N] [--rounds N]

Three answers in turn, each so many rounds: free text, the same text under a grammar that allows everything (its cost is that
of masks), and a call of a tool with long argument names (most of its tokens are forced). Prints tokens a second, of which
the first token is no part, and the ratios of medians. Needs the standard library alone.
"""
import argparse
import json
import statistics
import urllib.request

NAMES = ["name_of_the_customer_who_ordered", "street_and_number_of_the_delivery_address", "postal_code_of_the_delivery_address",
         "is_the_order_a_gift_for_somebody_else", "number_of_copies_that_were_ordered", "preferred_date_of_the_delivery"]
TOOL = {"type": "function", "function": {"name": "store_order_in_database", "description": "Stores an order.", "parameters": {
    "type": "object", "required": NAMES, "properties": {name: {"type": "string", "maxLength": 12} for name in NAMES}}}}
STORY = [{"role": "user", "content": "Tell a long story about a lighthouse."}]
ORDER = [{"role": "user", "content": "Store an order of Ann Lee, 5 Quay St, 7720, no gift, two copies, on 1 May."}]


def timings(url, model, body):
    request = urllib.request.Request(url.rstrip("/") + "/chat/completions",
                                     json.dumps({"model": model, "temperature": 0} | body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)["timings"]["predicted_per_second"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    free = {"messages": STORY, "max_tokens": args.tokens}
    cases = {"free": free, "masked": free | {"regex": "[\\s\\S]*"},
             "call": {"messages": ORDER, "max_tokens": 400, "tools": [TOOL],
                      "tool_choice": {"type": "function", "function": {"name": TOOL["function"]["name"]}}}}
    speeds = {name: [] for name in cases}
    for body in cases.values():  # compiled grammars and prompts are kept
        timings(args.url, args.model, body)
    for _ in range(args.rounds):
        for name, body in cases.items():
            speeds[name].append(timings(args.url, args.model, body))
    median = {name: statistics.median(values) for name, values in speeds.items()}
    for name, values in speeds.items():
        print(f"{name:8} {min(values):8.2f} {median[name]:8.2f} {max(values):8.2f} tokens/s (min, median, max)")
    print(f"a mask costs {100 * (median['free'] / median['masked'] - 1):.1f} % of decode; "
          f"a call with long argument names is {median['call'] / median['free']:.2f}x as fast as free text")


if __name__ == "__main__":
    main()
