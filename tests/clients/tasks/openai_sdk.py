"""The OpenAI SDK, one major version an environment: chat, streams, formats, tools, completions, Responses."""
import json

import openai

from task import ABOUT_ANNA, ABOUT_OSLO, KEY, MODEL, PERSON, URL, WEATHER, run, task

client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=600)
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "The weather of a city.", "parameters": WEATHER}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}


def user(text):
    return [{"role": "user", "content": text}]


def chat(text, **more):
    return client.chat.completions.create(model=MODEL, messages=user(text), **{"max_tokens": 60, **more})


@task
def models_are_listed():
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).id == MODEL


@task
def a_chat_answers():
    answer = chat("Say hello.", max_tokens=8)
    assert answer.choices[0].message.content and answer.usage.completion_tokens > 0, answer


@task
def a_stream_says_the_same():
    whole = chat("Count to five.", max_tokens=12, temperature=0).choices[0].message.content
    stream = chat("Count to five.", max_tokens=12, temperature=0, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole
    assert chunks[-1].usage.total_tokens > 0


@task
def an_answer_holds_a_schema():
    answer = json.loads(chat(ABOUT_ANNA, response_format=FORMAT).choices[0].message.content)
    assert set(answer) == {"name", "age"} and isinstance(answer["age"], int), answer


@task
def a_required_call_comes():
    choice = chat(ABOUT_OSLO, tools=[TOOL], tool_choice="required").choices[0]
    call = choice.message.tool_calls[0].function
    assert call.name == "get_weather" and set(json.loads(call.arguments)) == {"city"}, choice
    assert choice.finish_reason == "tool_calls", choice


@task
def a_named_call_streams():
    named = {"type": "function", "function": {"name": "get_weather"}}
    arguments = ""
    for chunk in chat("Hello!", tools=[TOOL], tool_choice=named, stream=True):
        for call in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            arguments += call.function.arguments or ""
    assert set(json.loads(arguments)) == {"city"}, arguments


@task
def a_result_is_answered():
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
    answer = client.chat.completions.create(model=MODEL, max_tokens=40, tools=[TOOL], tool_choice="none", messages=[
        *user(ABOUT_OSLO), {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "12 degrees, rain"}])
    assert answer.choices[0].message.content, answer


@task
def a_completion_goes_on():
    assert client.completions.create(model=MODEL, prompt="1, 2, 3,", max_tokens=8).choices[0].text


@task
def errors_have_their_classes():
    for body, kind in (({"temperature": 9}, openai.BadRequestError), ({"model": "nobody"}, openai.NotFoundError)):
        try:
            client.chat.completions.create(**{"model": MODEL, "messages": user("a"), **body})
            raise AssertionError(f"{body} is not refused")
        except kind:
            pass


@task
def a_response_answers():
    answer = client.responses.create(model=MODEL, input="Say hello.", max_output_tokens=16)
    assert answer.output_text and answer.usage.output_tokens > 0, answer


@task
def a_response_streams():
    kinds = [event.type for event in client.responses.create(model=MODEL, input="Say hello.", max_output_tokens=16, stream=True)]
    assert kinds[0] == "response.created" and kinds[-1] in ("response.completed", "response.incomplete"), kinds


@task
def a_response_holds_a_schema():
    answer = client.responses.create(model=MODEL, input=ABOUT_ANNA, max_output_tokens=60, text={
        "format": {"type": "json_schema", "name": "person", "schema": PERSON, "strict": True}})
    assert set(json.loads(answer.output_text)) == {"name", "age"}, answer


@task
def a_response_calls():
    tool = {"type": "function", "name": "get_weather", "parameters": WEATHER, "strict": True}
    answer = client.responses.create(model=MODEL, input=ABOUT_OSLO, max_output_tokens=60, tools=[tool], tool_choice="required")
    calls = [item for item in answer.output if item.type == "function_call"]
    assert calls and set(json.loads(calls[0].arguments)) == {"city"}, answer


run()
