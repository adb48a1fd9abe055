#!/usr/bin/env python3
"""The Responses API over real HTTP, with a tiny model that writes noise.

  responses_process_test.py VERNAL MODEL.gguf BACKEND PLUGIN_DIR TEST_PLUGIN_DIR

Most of it needs the standard library alone. What the package `openai` says of the answers is tested where this interpreter has it.
"""
import gzip
import http.client
import importlib.util
import json
import unittest

import serve_process_test as serving

INPUT = "Hello world, this is"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}, "hot": {"type": "boolean"}},
          "required": ["n", "hot"], "additionalProperties": False}
HAS_SDK = importlib.util.find_spec("openai") is not None


def text_of(response):
    return "".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])


class ResponsesCase(unittest.TestCase):
    frontend_keys = ""

    @classmethod
    def setUpClass(cls):
        cls.server = serving.Server(serving.deployment(serving.HTTP + cls.frontend_keys)).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def create(self, status=200, **members):
        body = {"model": "tiny", "input": INPUT, "max_output_tokens": 12, "temperature": 0, **members}
        got, _, document = self.server.answer("POST", "/v1/responses", body)
        self.assertEqual(got, status, document)
        return document

    def events(self, **members):
        body = {"model": "tiny", "input": INPUT, "max_output_tokens": 12, "temperature": 0, "stream": True, **members}
        connection, response = self.server.request("POST", "/v1/responses", body)
        text = response.read().decode()
        connection.close()
        self.assertEqual(response.status, 200, text)
        events = []
        for block in text.split("\n\n")[:-1]:
            name, data = block.split("\n")
            events.append(json.loads(data.removeprefix("data: ")))
            self.assertEqual(name, "event: " + events[-1]["type"])
        self.assertEqual([event["sequence_number"] for event in events], list(range(len(events))))
        return events


class Responses(ResponsesCase):
    def test_a_stream_and_a_document_say_what_a_chat_says(self):
        document = self.create()
        chat = self.server.chat(max_tokens=12)
        self.assertEqual(text_of(document), chat["choices"][0]["message"]["content"])
        self.assertEqual(document["status"], "incomplete")
        self.assertEqual(document["usage"]["input_tokens"], chat["usage"]["prompt_tokens"])
        self.assertEqual(document["usage"]["output_tokens"], 12)
        events = self.events()
        self.assertEqual("".join(e["delta"] for e in events if e["type"] == "response.output_text.delta"), text_of(document))
        self.assertEqual(events[-1]["type"], "response.incomplete")
        self.assertEqual(text_of(events[-1]["response"]), text_of(document))

    def test_a_conversation_goes_on_by_id_as_it_does_in_full(self):
        first = self.create()
        by_id = self.create(input="And again.", previous_response_id=first["id"])
        in_full = self.create(store=False, input=[{"role": "user", "content": INPUT}, *first["output"],
                                                  {"role": "user", "content": "And again."}])
        self.assertEqual(text_of(by_id), text_of(in_full))
        self.assertEqual(by_id["usage"]["input_tokens"], in_full["usage"]["input_tokens"])
        self.assertGreater(by_id["usage"]["input_tokens"], first["usage"]["input_tokens"])
        self.create(404, previous_response_id="resp_nope")
        self.create(404, previous_response_id=in_full["id"])

    def test_references_stand_for_stored_items(self):
        first = self.create()
        message = first["output"][-1]
        rest = {"role": "user", "content": "And again."}
        by_reference = self.create(input=[{"role": "user", "content": INPUT},
                                          {"type": "item_reference", "id": message["id"]}, rest])
        in_full = self.create(input=[{"role": "user", "content": INPUT}, message, rest])
        self.assertEqual(text_of(by_reference), text_of(in_full))
        self.assertEqual(by_reference["usage"]["input_tokens"], in_full["usage"]["input_tokens"])
        items = self.server.answer("GET", f"/v1/responses/{by_reference['id']}/input_items?order=asc")[2]["data"]
        self.assertEqual(items[1], message, "the item itself is kept")
        self.assertTrue(self.server.answer("DELETE", "/v1/responses/" + first["id"])[2]["deleted"])
        error = self.create(400, input=[{"type": "item_reference", "id": first["output"][0]["id"] + "x"}])["error"]
        self.assertEqual(error["param"], "input[0].id")
        self.assertIn("previous_response_id", error["message"])

    def test_stored_responses_can_be_read_listed_and_deleted(self):
        response = self.create()
        path = "/v1/responses/" + response["id"]
        self.assertEqual(self.server.answer("GET", path)[2], response)
        items = self.server.answer("GET", path + "/input_items")[2]
        self.assertEqual(items["data"][0]["content"][0]["text"], INPUT)
        self.assertTrue(self.server.answer("DELETE", path)[2]["deleted"])
        self.assertEqual(self.server.answer("GET", path)[0], 404)

    def test_an_answer_is_held_to_its_format(self):
        form = {"format": {"type": "json_schema", "name": "n", "strict": True, "schema": SCHEMA}}
        response = self.create(text=form, max_output_tokens=200, temperature=1, seed=3)
        self.assertEqual(response["status"], "completed")
        self.assertEqual(set(json.loads(text_of(response))), {"n", "hot"})
        error = self.create(400, text={"format": {"type": "json_schema", "name": "n", "strict": True, "schema": {"type": "nonsense"}}})
        self.assertEqual(error["error"]["param"], "text.format")

    def test_compressed_bodies_are_read(self):
        body = json.dumps({"model": "tiny", "input": INPUT, "max_output_tokens": 4}).encode()
        codings = {"gzip": gzip.compress(body)}
        if importlib.util.find_spec("zstandard"):
            import zstandard
            codings["zstd"] = zstandard.compress(body)
        for coding, encoded in codings.items():
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            connection.request("POST", "/v1/responses", encoded,
                               {"Content-Type": "application/json", "Content-Encoding": coding})
            response = connection.getresponse()
            text = response.read()
            connection.close()
            self.assertEqual(response.status, 200, text)

    def test_overflows_are_told_to_codex_in_the_stream(self):
        long = "word " * 3000
        self.assertEqual(self.create(400, input=long)["error"]["code"], "context_length_exceeded")
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.request("POST", "/v1/responses", json.dumps({"model": "tiny", "input": long, "stream": True}),
                           {"Content-Type": "application/json", "User-Agent": "codex_cli_rs/0.50.0"})
        response = connection.getresponse()
        last = response.read().decode().strip().split("\n\n")[-1]
        connection.close()
        self.assertEqual(response.status, 200)
        failed = json.loads(last.split("\ndata: ")[1])
        self.assertEqual(failed["response"]["error"]["code"], "context_length_exceeded")

    def test_a_count_is_what_a_response_costs(self):
        count = self.server.answer("POST", "/v1/responses/input_tokens", {"model": "tiny", "input": INPUT})[2]
        self.assertEqual(count["input_tokens"], self.create()["usage"]["input_tokens"])


class Keepless(ResponsesCase):
    frontend_keys = "stored_responses = 0\n"

    def test_nothing_is_kept(self):
        response = self.create()
        self.assertFalse(response["store"])
        self.assertEqual(self.server.answer("GET", "/v1/responses/" + response["id"])[0], 404)


@unittest.skipUnless(HAS_SDK, "this interpreter has no package openai")
class Sdk(ResponsesCase):
    def client(self):
        import openai
        return openai.OpenAI(base_url=f"http://127.0.0.1:{self.server.port}/v1", api_key="none", max_retries=0)

    def test_the_sdk_reads_documents_and_what_is_stored(self):
        with self.client() as client:
            response = client.responses.create(model="tiny", input=INPUT, max_output_tokens=8, metadata={"a": "b"})
            self.assertTrue(response.output_text)
            self.assertEqual(response.metadata, {"a": "b"})
            self.assertEqual(client.responses.retrieve(response.id).output_text, response.output_text)
            again = client.responses.create(model="tiny", input="more", previous_response_id=response.id, max_output_tokens=8)
            self.assertEqual(again.previous_response_id, response.id)
            self.assertEqual(len(list(client.responses.input_items.list(again.id, limit=1))), 3)
            self.assertGreater(client.responses.input_tokens.count(model="tiny", input=INPUT).input_tokens, 0)
            client.responses.delete(response.id)
            import openai
            with self.assertRaises(openai.NotFoundError):
                client.responses.retrieve(response.id)

    def test_the_sdk_follows_a_stream_of_every_kind_of_item(self):
        import pydantic
        from openai.types.responses import ResponseStreamEvent
        adapter = pydantic.TypeAdapter(ResponseStreamEvent)
        for event in self.events(metadata={"a": "b"}, reasoning={"effort": "low", "summary": "auto"}, tools=[
                {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}]):
            adapter.validate_python(event)
        with self.client() as client, client.responses.stream(model="tiny", input=INPUT, max_output_tokens=8) as stream:
            types = [event.type for event in stream]
            self.assertEqual(types[0], "response.created")
            self.assertIn(types[-1], ("response.completed", "response.incomplete"))


if __name__ == "__main__":
    unittest.main(argv=serving.sys.argv[:1], verbosity=2)
