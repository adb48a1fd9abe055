"""llm: its command, with a schema, and its library, with a tool."""
import json
import os
import subprocess
import sys
import tempfile

import llm as llm_library

from task import ABOUT_ANNA, ABOUT_OSLO, KEY, MODEL, URL, run, task

FOLDER = tempfile.TemporaryDirectory()
with open(os.path.join(FOLDER.name, "extra-openai-models.yaml"), "w") as file:
    json.dump([{"model_id": "vernal", "model_name": MODEL, "api_base": f"{URL}/v1", "supports_schema": True, "supports_tools": True}], file)


def llm(*arguments):
    result = subprocess.run([sys.executable, "-m", "llm", "-m", "vernal", "--key", KEY, "-o", "temperature", "0", *arguments],
                            env={**os.environ, "LLM_USER_PATH": FOLDER.name}, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-1500:]
    return result


@task
def a_prompt_is_answered():
    assert llm("Say hello.", "-o", "max_tokens", "12").stdout.strip()


@task
def a_schema_is_held():
    answer = json.loads(llm(ABOUT_ANNA, "--schema", "name, age int").stdout)
    assert set(answer) == {"name", "age"}, answer


@task
def a_tool_is_called():
    # Through the library: the command would go on until the model no longer asks, which small models do not do.
    os.environ["LLM_USER_PATH"] = FOLDER.name

    def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"12 degrees and rain in {city}"

    conversation = llm_library.get_model("vernal").conversation()
    options = {"temperature": 0, "max_tokens": 60, "key": KEY}
    results = conversation.prompt(ABOUT_OSLO, tools=[get_weather], **options).execute_tool_calls()
    assert results and "rain in" in results[0].output, results
    assert conversation.prompt(tool_results=results, tools=[], **options).text()


run()
