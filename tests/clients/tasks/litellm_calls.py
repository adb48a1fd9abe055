"""litellm: through its OpenAI and its Anthropic provider."""
import json

import litellm

from task import ABOUT_ANNA, ABOUT_OSLO, KEY, MODEL, PERSON, URL, WEATHER, run, task

OPENAI = {"model": f"openai/{MODEL}", "api_base": f"{URL}/v1"}
ANTHROPIC = {"model": f"anthropic/{MODEL}", "api_base": URL}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "The weather of a city.", "parameters": WEATHER}}


def ask(provider, text, **more):
    return litellm.completion(**provider, api_key=KEY, timeout=600, num_retries=0, messages=[{"role": "user", "content": text}],
                              **{"max_tokens": 60, "temperature": 0, **more})


def answer_and_stream(provider):
    text = ask(provider, "Say hello.", max_tokens=12).choices[0].message.content
    parts = [chunk.choices[0].delta.content or "" for chunk in ask(provider, "Say hello.", max_tokens=12, stream=True)]
    assert text and "".join(parts) == text, (text, parts)


def call_a_tool(provider):
    call = ask(provider, ABOUT_OSLO, tools=[TOOL], tool_choice="required").choices[0].message.tool_calls[0].function
    assert call.name == "get_weather" and set(json.loads(call.arguments)) == {"city"}, call


@task
def openai_answers():
    answer_and_stream(OPENAI)


@task
def openai_holds_a_schema():
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
    answer = json.loads(ask(OPENAI, ABOUT_ANNA, response_format=form).choices[0].message.content)
    assert set(answer) == {"name", "age"}, answer


@task
def openai_calls_a_tool():
    call_a_tool(OPENAI)


@task
def anthropic_answers():
    answer_and_stream(ANTHROPIC)


@task
def anthropic_calls_a_tool():
    call_a_tool(ANTHROPIC)


run()
