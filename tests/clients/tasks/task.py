"""What the scripts of this folder share: tasks, their verdicts, and the server they talk to.

A script decorates its tasks with @task and ends with run(). Each verdict is one line of JSON on standard output.
"""
import asyncio
import inspect
import json
import os
import sys
import time
import traceback

URL = os.environ["VERNAL_URL"]  # without /v1
MODEL = os.environ["VERNAL_MODEL"]
KEY = os.environ["VERNAL_KEY"]
WORD = os.environ.get("VERNAL_TASK", "")  # in the names of the tasks that are wanted
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
PERSON = {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
          "required": ["name", "age"], "additionalProperties": False}
ABOUT_ANNA = "Anna is 31 years old. Who is it?"
ABOUT_OSLO = "What is the weather in Oslo? Use the tool."

tasks = []


def task(function):
    tasks.append(function)
    return function


def run():
    report = sys.stdout
    sys.stdout = sys.stderr  # libraries may print
    for function in (function for function in tasks if WORD in function.__name__):
        begin, fault = time.monotonic(), None
        try:
            result = function()
            if inspect.isawaitable(result):
                asyncio.run(result)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            fault = f"{type(error).__name__}: {str(error)[:1500]} ({os.path.basename(place.filename)}:{place.lineno})"
        verdict = {"task": function.__name__, "seconds": round(time.monotonic() - begin, 1), "fault": fault}
        print(json.dumps(verdict), file=report, flush=True)
