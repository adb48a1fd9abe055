"""openai-agents: an agent with a tool and one with a typed output, over Responses (its default) and over chat."""
import agents
import openai
import pydantic

from task import ABOUT_ANNA, ABOUT_OSLO, KEY, MODEL, URL, run, task

agents.set_tracing_disabled(True)
APIS = {"chat": agents.OpenAIChatCompletionsModel, "responses": agents.OpenAIResponsesModel}


def model_of(api):
    # A client belongs to the event loop of its task.
    return APIS[api](MODEL, openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=600))


class Person(pydantic.BaseModel):
    name: str
    age: int


async def call_a_tool(api):
    cities = []

    @agents.function_tool
    def get_weather(city: str) -> str:
        """The weather of a city."""
        cities.append(city)
        return "12 degrees, rain"

    agent = agents.Agent(name="weather", instructions="Use the tool.", model=model_of(api), tools=[get_weather],
                         tool_use_behavior="stop_on_first_tool",  # small models ask for the same again
                         model_settings=agents.ModelSettings(temperature=0, max_tokens=80, tool_choice="required"))
    result = await agents.Runner.run(agent, ABOUT_OSLO, max_turns=4)
    assert cities and result.final_output, (cities, result)


async def give_a_type(api):
    agent = agents.Agent(name="person", model=model_of(api), output_type=Person,
                         model_settings=agents.ModelSettings(temperature=0, max_tokens=60))
    result = await agents.Runner.run(agent, ABOUT_ANNA)
    assert isinstance(result.final_output, Person), result


@task
async def a_tool_is_called_over_chat():
    await call_a_tool("chat")


@task
async def an_output_is_typed_over_chat():
    await give_a_type("chat")


@task
async def an_answer_streams_over_chat():
    agent = agents.Agent(name="hello", model=model_of("chat"), model_settings=agents.ModelSettings(max_tokens=12))
    result = agents.Runner.run_streamed(agent, "Say hello.")
    kinds = [event.type async for event in result.stream_events()]
    assert "raw_response_event" in kinds and result.final_output, kinds


@task
async def a_tool_is_called_over_responses():
    await call_a_tool("responses")


@task
async def an_output_is_typed_over_responses():
    await give_a_type("responses")


run()
