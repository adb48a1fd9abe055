"""The Anthropic SDK: messages, streams, tools, counting."""
import anthropic

from task import ABOUT_OSLO, KEY, MODEL, URL, WEATHER, run, task

client = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0, timeout=600)
TOOL = {"name": "get_weather", "description": "The weather of a city.", "input_schema": WEATHER}


def user(text):
    return [{"role": "user", "content": text}]


@task
def a_message_answers():
    answer = client.messages.create(model=MODEL, max_tokens=16, system="Be brief.", messages=user("Say hello."))
    assert answer.content[0].text and answer.stop_reason in ("end_turn", "max_tokens"), answer


@task
def a_stream_says_the_same():
    body = {"model": MODEL, "max_tokens": 12, "messages": user("Count to five.")}
    with client.messages.stream(**body) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == client.messages.create(**body).content[0].text
    assert final.usage.output_tokens > 0


@task
def tokens_are_counted():
    count = client.messages.count_tokens(model=MODEL, messages=user("Say hello.")).input_tokens
    usage = client.messages.create(model=MODEL, max_tokens=1, messages=user("Say hello.")).usage
    whole = usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    assert count == whole, (count, usage)


@task
def a_call_comes_and_its_result_is_answered():
    first = client.messages.create(model=MODEL, max_tokens=60, tools=[TOOL], tool_choice={"type": "any"}, messages=user(ABOUT_OSLO))
    call = next(block for block in first.content if block.type == "tool_use")
    assert first.stop_reason == "tool_use" and set(call.input) == {"city"}, first
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "12 degrees, rain"}
    second = client.messages.create(model=MODEL, max_tokens=40, tools=[TOOL], tool_choice={"type": "none"}, messages=[
        *user(ABOUT_OSLO), {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}])
    assert second.content[0].text, second


@task
def a_call_streams():
    with client.messages.stream(model=MODEL, max_tokens=60, tools=[TOOL], messages=user("Hello!"),
                                tool_choice={"type": "tool", "name": "get_weather"}) as stream:
        final = stream.get_final_message()
    assert set(final.content[-1].input) == {"city"}, final


@task
def errors_have_their_classes():
    try:
        client.messages.create(model="nobody", max_tokens=4, messages=user("a"))
        raise AssertionError("an unknown model is not refused")
    except anthropic.NotFoundError as error:
        assert error.body["error"]["type"] == "not_found_error", error.body


run()
