#!/usr/bin/env python3
"""Tools over HTTP with a real model: what it writes as a call arrives as a call, streamed and not.

  tool_calls_test.py VERNAL MODEL.gguf BACKEND PLUGIN_DIR

Needs the standard library alone. Skips where the model is missing.
"""
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest

VERNAL, MODEL, BACKEND, PLUGINS = (os.path.abspath(a) if "/" in a else a for a in sys.argv[1:5])
TOOLS = [{"type": "function",
          "function": {"name": "get_weather", "description": "Get the current weather of a city.",
                       "parameters": {"type": "object", "properties": {"city": {"type": "string"}},
                                      "required": ["city"]}}}]
QUESTION = [{"role": "user", "content": "What is the weather in Oslo now? Use the tool."}]


class ToolCalls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.file = tempfile.NamedTemporaryFile("w", suffix=".toml", delete=False)
        cls.file.write(f"""schema = 1
[runtime]
plugin_paths = ["{PLUGINS}"]
[backends.b]
plugin = "{BACKEND}"
[models.real]
path = "{MODEL}"
backend = "b"
context_length = 4096
slots = 1
sampling = {{ temperature = 0.0 }}
[frontends.http]
plugin = "openai_http"
listen = "127.0.0.1:0"
""")
        cls.file.close()
        cls.process = subprocess.Popen([VERNAL, "serve", cls.file.name], stdin=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
        cls.port, ready = 0, threading.Event()

        def read():
            for line in cls.process.stderr:
                found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", line)
                cls.port = int(found.group(1)) if found else cls.port
                if cls.port:
                    ready.set()
        cls.reader = threading.Thread(target=read)
        cls.reader.start()
        assert ready.wait(60), "the server does not listen"
        for _ in range(600):
            if cls.get("/health")[0] == 200:
                return
            ready.clear()
            ready.wait(0.2)
        raise AssertionError("the model does not load")

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.wait(60)
        cls.reader.join()
        cls.process.stderr.close()
        os.unlink(cls.file.name)

    @classmethod
    def get(cls, path):
        connection = http.client.HTTPConnection("127.0.0.1", cls.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        status, body = answer.status, answer.read()
        connection.close()
        return status, body

    def chat(self, **members):
        body = {"model": "real", "messages": QUESTION, "tools": TOOLS, "max_tokens": 120, **members}
        return self.post("/v1/chat/completions", body)

    def post(self, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        self.assertEqual(answer.status, 200, text)
        return text

    def message(self, **members):
        """A request of the Messages API; the answer's document, or the events of its stream."""
        tools = [{"name": tool["function"]["name"], "description": tool["function"]["description"],
                  "input_schema": tool["function"]["parameters"]} for tool in TOOLS]
        text = self.post("/v1/messages", {"model": "real", "messages": QUESTION, "tools": tools, "max_tokens": 120, **members})
        if not members.get("stream"):
            return json.loads(text)
        return [json.loads(event.split("\ndata: ")[1]) for event in text.strip().split("\n\n")]

    def test_a_call_is_a_block_of_a_message(self):
        answer = self.message()
        self.assertEqual(answer["stop_reason"], "tool_use", answer)
        call = answer["content"][-1]
        self.assertEqual((call["type"], call["name"]), ("tool_use", "get_weather"))
        self.assertIn("Oslo", call["input"]["city"])
        events = self.message(stream=True)
        start = [event for event in events if event["type"] == "content_block_start"][-1]
        self.assertEqual(start["content_block"]["name"], "get_weather")
        pieces = [event["delta"]["partial_json"] for event in events
                  if event["type"] == "content_block_delta" and event["index"] == start["index"]]
        self.assertEqual(json.loads("".join(pieces)), call["input"])
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": "12 degrees, light rain"}
        behind = self.message(messages=[*QUESTION, {"role": "assistant", "content": answer["content"]},
                                        {"role": "user", "content": [result]}])
        # A small model may ask again.
        self.assertTrue(any(block["type"] == "tool_use" or "12" in block["text"] for block in behind["content"]), behind)

    def test_a_call_arrives_as_a_call(self):
        choice = json.loads(self.chat())["choices"][0]
        self.assertEqual(choice["finish_reason"], "tool_calls", choice)
        call = choice["message"]["tool_calls"][0]
        self.assertEqual(call["function"]["name"], "get_weather")
        self.assertIn("Oslo", json.loads(call["function"]["arguments"])["city"])
        self.assertTrue(call["id"].startswith("call_"))

    def test_a_streamed_call_is_the_same(self):
        name, arguments, reasons, ids = "", "", [], set()
        for line in self.chat(stream=True).split("\n\n"):
            if not line.startswith("data: {"):
                continue
            for choice in json.loads(line[6:])["choices"]:
                reasons += [choice["finish_reason"]] if choice["finish_reason"] else []
                for call in choice["delta"].get("tool_calls", []):
                    name += call["function"].get("name", "")
                    arguments += call["function"].get("arguments", "")
                    ids |= {call["id"]} if "id" in call else set()
        self.assertEqual((name, reasons, len(ids)), ("get_weather", ["tool_calls"], 1))
        self.assertIn("Oslo", json.loads(arguments)["city"])

    def test_no_call_comes_where_none_is_wanted(self):
        message = json.loads(self.chat(tool_choice="none"))["choices"][0]["message"]
        self.assertNotIn("tool_calls", message)
        self.assertTrue(message["content"])

    def test_the_conversation_goes_on_behind_the_result(self):
        message = json.loads(self.chat())["choices"][0]["message"]
        result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "12 degrees, light rain"}
        choice = json.loads(self.chat(messages=[*QUESTION, message, result]))["choices"][0]
        # A small model may ask again.
        self.assertTrue("12" in (choice["message"]["content"] or "") or choice["message"].get("tool_calls"), choice)


if __name__ == "__main__":
    if not os.path.exists(MODEL):
        print(f"SKIPPED: there is no model {MODEL}; tools/fetch_model.py fetches it")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
