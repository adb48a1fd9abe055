#!/usr/bin/env python3
"""Prints the text of a streamed answer of the HTTP interface, read from standard input, as it comes.

    curl -sN .../v1/chat/completions -d '{..., "stream": true}' | tools/print_event_stream.py

Exit status: 0 after a whole answer; 1 if the server answered an error or the stream broke off.
"""
import json
import sys


def text_of(event):
    choice = (event.get("choices") or [{}])[0]
    return choice.get("text") or (choice.get("delta") or {}).get("content") or ""


def main():
    rest = []
    for line in sys.stdin:
        if not line.startswith("data:"):
            rest.append(line)
            continue
        data = line[len("data:"):].strip()
        if data == "[DONE]":
            print()
            return 0
        event = json.loads(data)
        if "error" in event:
            rest = [json.dumps(event["error"])]
            break
        sys.stdout.write(text_of(event))
        sys.stdout.flush()
    print(f"\nprint_event_stream: no whole answer came: {''.join(rest).strip() or 'the stream broke off'}",
          file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
