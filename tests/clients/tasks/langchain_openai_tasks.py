"""LangChain's OpenAI model: structured output, bound tools, an agent."""
import pydantic
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from task import ABOUT_ANNA, ABOUT_OSLO, KEY, MODEL, URL, run, task

model = ChatOpenAI(model=MODEL, base_url=f"{URL}/v1", api_key=KEY, temperature=0, max_tokens=80, max_retries=0, timeout=600)


class Person(pydantic.BaseModel):
    """A person."""

    name: str
    age: int


@tool(return_direct=True)  # its result ends an agent's run: small models ask for the same again
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"12 degrees and rain in {city}"


@task
def structured_output_by_schema():
    assert isinstance(model.with_structured_output(Person).invoke(ABOUT_ANNA), Person)


@task
def structured_output_by_function():
    assert isinstance(model.with_structured_output(Person, method="function_calling").invoke(ABOUT_ANNA), Person)


@task
def a_bound_tool_is_called():
    answer = model.bind_tools([get_weather], tool_choice="any").invoke(ABOUT_OSLO)
    assert answer.tool_calls[0]["name"] == "get_weather" and "city" in answer.tool_calls[0]["args"], answer


@task
def an_answer_streams():
    assert "".join(chunk.text for chunk in model.stream("Say hello."))


@task
def an_agent_finishes():
    agent = create_agent(model, tools=[get_weather])
    messages = agent.invoke({"messages": [{"role": "user", "content": ABOUT_OSLO}]}, {"recursion_limit": 12})["messages"]
    assert messages[-1].type == "tool" and "rain in" in messages[-1].content, messages


run()
