#!/usr/bin/env python3
"""Runs well-known client libraries and agents, as PyPI has them, against a vernal server.

  run.py                                 all clients, against a server of its own with the demo model
  run.py --only instructor --only llm    some of them
  run.py --url http://127.0.0.1:8080 --model NAME [--key KEY]    against a running server
  run.py --list                          what there is

Each client gets a Python environment of its own in --environments, outside the tree, made once (several hundred megabytes
in all). Each of its tasks has a verdict; the exit status is 0 if all are good. Needs Python 3.10 or newer and access to PyPI.
"""
import argparse
import dataclasses
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

from server import Server

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODEL = ROOT / "models" / "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"


@dataclasses.dataclass(frozen=True)
class Client:
    name: str
    script: str  # in tasks/
    requirements: tuple
    server: str = "demo"  # that is started for it


CLIENTS = (
    Client("openai-1", "openai_sdk.py", ("openai<2",)),
    Client("openai-2", "openai_sdk.py", ("openai<3",)),
    Client("openai-3", "openai_sdk.py", ("openai>=3,<4",)),
    Client("anthropic", "anthropic_sdk.py", ("anthropic",)),
    Client("openai-agents", "openai_agents.py", ("openai-agents",)),
    Client("pydantic-ai", "pydantic_ai_outputs.py", ("pydantic-ai-slim[openai]",)),
    Client("instructor", "instructor_modes.py", ("instructor",)),
    Client("langchain", "langchain_openai_tasks.py", ("langchain", "langchain-openai")),
    Client("smolagents", "smolagents_agent.py", ("smolagents[openai]",)),
    Client("llm", "llm_command.py", ("llm",)),
    Client("lm-eval", "lm_eval_scores.py", ("lm-eval[api]", "transformers", "gguf")),
    Client("litellm", "litellm_calls.py", ("litellm",)),
    Client("hermes", "hermes_agent.py", ("hermes-agent[anthropic]==0.19.0",)),
    Client("schemathesis", "schemathesis_run.py", ("schemathesis>=4,<5",), "tiny"),
)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="run this client; may be given several times")
    parser.add_argument("--task", default="", metavar="WORD", help="run only tasks with this word in their names")
    parser.add_argument("--url", help="of a running server, without /v1; without it one is started")
    parser.add_argument("--model", help="its name there; default: the first that the server lists")
    parser.add_argument("--key", default="none", help="the API key, if the server wants one")
    parser.add_argument("--vernal", default=ROOT / "build/release/bin/vernal", help="the program that is started")
    parser.add_argument("--gguf", type=pathlib.Path, default=MODEL, help="the file of the model")
    parser.add_argument("--environments", type=pathlib.Path,
                        default=pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "vernal-clients")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for all tasks of one client")
    parser.add_argument("--json", type=pathlib.Path, help="write the verdicts to this file")
    parser.add_argument("--list", action="store_true", help="print the clients and end")
    return parser.parse_args()


def environment(client, folder):
    """The Python of the client's environment, which is made if it is not there as it should be."""
    wanted = hashlib.sha256("\n".join(client.requirements).encode()).hexdigest()
    place = folder / client.name
    mark = place / "requirements.sha256"
    python = place / "bin" / "python"
    if not (mark.exists() and mark.read_text() == wanted):
        print(f"{client.name}: installing {' '.join(client.requirements)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *client.requirements], check=True)
        mark.write_text(wanted)
    return python


def run_client(client, python, variables, timeout):
    """The verdicts of a client's tasks: (task, seconds, what went wrong or None)."""
    limit = time.monotonic() + timeout
    verdicts = []
    process = subprocess.Popen([python, HERE / "tasks" / client.script], env={**os.environ, **variables}, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(timeout=limit - time.monotonic())
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err += f"\nended after {timeout:.0f} seconds"
    for line in out.splitlines():
        if line.startswith("{"):
            verdict = json.loads(line)
            verdicts.append((verdict["task"], verdict["seconds"], verdict["fault"]))
    if process.returncode != 0 or not verdicts:
        verdicts.append(("script", 0.0, err.strip()[-2000:] or "it told of no task"))
    return verdicts


def show(name, verdicts):
    for task, seconds, fault in verdicts:
        print(f"{'FAIL' if fault else 'good'}  {name:14} {task:40} {seconds:7.1f} s", flush=True)
        if fault:
            print("      " + fault.replace("\n", "\n      "), flush=True)


def main():
    options = arguments()
    known = {client.name: client for client in CLIENTS}
    if options.list:
        for client in CLIENTS:
            print(f"{client.name:15} {' '.join(client.requirements)}")
        return 0
    for name in options.only or []:
        if name not in known:
            sys.exit(f"run: --only: there is no client \"{name}\"; there are {', '.join(known)}")
    chosen = [known[name] for name in options.only] if options.only else list(CLIENTS)
    pythons = {client.name: environment(client, options.environments) for client in chosen}
    results = {}
    for name in ("demo", "tiny"):
        served = [client for client in chosen if client.server == name]
        if not served:
            continue
        with Server(options, name) as server:
            variables = {"VERNAL_URL": server.url, "VERNAL_MODEL": server.model, "VERNAL_KEY": options.key,
                         "VERNAL_GGUF": str(options.gguf), "VERNAL_TASK": options.task}
            for client in served:
                results[client.name] = run_client(client, pythons[client.name], variables, options.timeout)
                show(client.name, results[client.name])
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    tasks = [fault for verdicts in results.values() for _, _, fault in verdicts]
    print(f"{sum(not fault for fault in tasks)} of {len(tasks)} tasks good")
    return 1 if any(tasks) else 0


if __name__ == "__main__":
    sys.exit(main())
