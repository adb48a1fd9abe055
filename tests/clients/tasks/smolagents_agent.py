"""smolagents: its agent that acts by calling tools."""
from smolagents import OpenAIModel, ToolCallingAgent, tool

from task import KEY, MODEL, URL, run, task

cities = []


@tool
def get_weather(city: str) -> str:
    """The weather of a city.

    Args:
        city: its name
    """
    cities.append(city)
    return "12 degrees, rain"


@task
def a_tool_calling_agent_finishes():
    model = OpenAIModel(model_id=MODEL, api_base=f"{URL}/v1", api_key=KEY, temperature=0, max_tokens=120)
    agent = ToolCallingAgent(tools=[get_weather], model=model, max_steps=4)
    answer = agent.run("Call get_weather for Oslo. Then call final_answer with what it returned.")
    assert cities and answer, (cities, answer)


run()
