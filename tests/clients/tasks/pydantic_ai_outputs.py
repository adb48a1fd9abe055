"""pydantic-ai: typed output in its three modes, and a tool."""
import pydantic
import pydantic_ai
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from task import ABOUT_ANNA, ABOUT_OSLO, KEY, MODEL, URL, run, task

model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=f"{URL}/v1", api_key=KEY))
SETTINGS = {"temperature": 0, "max_tokens": 80, "timeout": 600}


class Person(pydantic.BaseModel):
    name: str
    age: int


def give_a_type(output_type, question=ABOUT_ANNA):
    output = pydantic_ai.Agent(model, output_type=output_type, model_settings=SETTINGS).run_sync(question).output
    assert isinstance(output, Person), output


@task
def an_output_comes_by_a_tool():
    give_a_type(pydantic_ai.ToolOutput(Person))


@task
def an_output_comes_by_a_schema():
    give_a_type(pydantic_ai.NativeOutput(Person))


@task
def an_output_comes_by_a_prompt():
    # Only the prompt says what it should be, and small models like to repeat the schema in it.
    give_a_type(pydantic_ai.PromptedOutput(Person), "Fill in name and age of the person, not the schema: Anna is 31 years old.")


@task
def a_tool_is_called():
    cities = []
    agent = pydantic_ai.Agent(model, model_settings=SETTINGS, instructions="Use the tool once, then answer.")

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """The weather of a city."""
        cities.append(city)
        return "12 degrees, rain"

    result = agent.run_sync(ABOUT_OSLO, usage_limits=pydantic_ai.UsageLimits(request_limit=6))
    assert cities and result.output, (cities, result)


run()
