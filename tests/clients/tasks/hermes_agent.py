"""hermes-agent without a terminal, in its three API modes: it runs a command by a tool call and reads the result."""
import json
import os
import subprocess
import sys
import tempfile

from recorder import Recorder
from task import KEY, MODEL, URL, run, task

PROMPT = "Run the command `echo vernal-$((20+22))` with the terminal tool, then tell me what it printed."
PRINTED = "vernal-42"


def config(base_url, **more):
    # It refuses windows under 64,000 tokens before it asks anything; its prompts here are far below.
    return {"model": {"default": MODEL, "provider": "custom", "base_url": base_url, "api_key": KEY, "context_length": 65536, **more},
            "auxiliary": {"compression": {"context_length": 65536}}}


def hermes(settings, home):
    with open(os.path.join(home, "config.yaml"), "w") as file:
        json.dump(settings, file)
    return subprocess.run([os.path.join(os.path.dirname(sys.executable), "hermes"), "-z", PROMPT, "-t", "terminal"], cwd=home,
                          env={**os.environ, "HERMES_HOME": home, "HOME": home, "NO_COLOR": "1"}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=1500)


def finish_a_turn(path, make_settings):
    with Recorder(URL) as recorder, tempfile.TemporaryDirectory() as home:
        result = hermes(make_settings(recorder.url), home)
        turns = [request for request in recorder.requests if request[0].startswith(path)]
        told = result.stdout[-600:] + result.stderr[-600:]
        assert turns, ("it did not ask this API", [request[0] for request in recorder.requests], told)
        refused = [(status, answer[:400]) for _, _, status, answer in recorder.requests if status != 200]
        assert not refused, refused
        assert result.returncode == 0, told
        # The call came as a call if its result is in the next request.
        assert any(PRINTED in json.dumps(body) for _, body, _, _ in turns[1:]), ("no call was run", told, turns[0][3][-1500:])


@task
def chat_completions():
    finish_a_turn("/v1/chat/completions", lambda url: config(f"{url}/v1"))


@task
def anthropic_messages():
    finish_a_turn("/anthropic/v1/messages", lambda url: config(f"{url}/anthropic"))


@task
def codex_responses():
    finish_a_turn("/v1/responses", lambda url: {
        **config(f"{url}/v1", provider="custom:vernal"),
        "custom_providers": [{"name": "vernal", "base_url": f"{url}/v1", "api_key": KEY, "api_mode": "codex_responses"}]})


run()
