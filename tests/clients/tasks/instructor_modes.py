"""instructor: the same typed answer in each of its modes."""
import instructor
import openai
import pydantic

from task import ABOUT_ANNA, KEY, MODEL, URL, run, task

client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=600)


class Person(pydantic.BaseModel):
    name: str
    age: int


def give_a_type(mode, **limit):
    create = instructor.from_openai(client, mode=mode).create
    person = create(model=MODEL, response_model=Person, max_retries=1, temperature=0,
                    messages=[{"role": "user", "content": ABOUT_ANNA}], **limit)
    assert isinstance(person, Person), person


@task
def mode_tools():
    give_a_type(instructor.Mode.TOOLS, max_tokens=60)


@task
def mode_json():
    give_a_type(instructor.Mode.JSON, max_tokens=60)


@task
def mode_json_schema():
    give_a_type(instructor.Mode.JSON_SCHEMA, max_tokens=60)


@task
def mode_responses_tools():
    give_a_type(instructor.Mode.RESPONSES_TOOLS, max_output_tokens=60)


run()
