#!/usr/bin/env python3
"""Sends a running server what no client should send, over raw sockets, and checks that it copes.

    http_abuse.py http://127.0.0.1:8080 [--model NAME] [--api-key KEY] [--only REGEX] [--slow]

Every case is answered with one of its statuses, or closed where that is allowed, within its time; after each
of them GET /health answers 200 within two seconds, and at the end no request is left running. --slow adds the
cases that wait for the server's own time limits. Needs nothing but Python's standard library. Prints a line
for each case and ends with 1 if one failed.
"""
import argparse
import json
import re
import sys

from http_abuse_client import Failure, Server, check_answer, check_health, exchange, require, wait_until_idle
from http_abuse_conversations import conversations
from http_abuse_tables import one_write_cases


def all_cases(server, slow):
    """[(name, function without arguments)]"""
    out = [(name, lambda d=data, a=statuses: check_answer(exchange(server, d), a))
           for name, data, statuses in one_write_cases(server)]
    return out + [(name, lambda f=function: f(server)) for name, function in conversations(slow)]


def choose_model(server, name):
    answer = exchange(server, server.head("GET /v1/models"))
    require(answer is not None and answer[0] == 200, f"GET /v1/models: {answer}")
    ids = [entry["id"] for entry in json.loads(answer[2])["data"]]
    require(ids and (not name or name in ids), f"the server's models are {ids}")
    server.model = name or ids[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--model", default="")
    parser.add_argument("--api-key", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--slow", action="store_true")
    options = parser.parse_args()
    server = Server(options.url, options.api_key)
    choose_model(server, options.model)
    failed = passed = 0
    for name, run in all_cases(server, options.slow):
        if not re.search(options.only, name):
            continue
        try:
            run()
            check_health(server)
            passed += 1
            print(f"ok      {name}", flush=True)
        except (Failure, OSError, ValueError, TypeError, KeyError) as error:
            failed += 1
            print(f"FAILED  {name}: {error!r}", flush=True)
    try:
        wait_until_idle(server)
    except Failure as error:
        failed += 1
        print(f"FAILED  the end: {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
