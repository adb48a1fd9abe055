#!/usr/bin/env python3
"""The Messages API over real HTTP and with a real model.

  messages_process_test.py VERNAL MODEL.gguf BACKEND PLUGIN_DIR TEST_PLUGIN_DIR

Needs the standard library. Where the package `anthropic` is installed its client is used too.
"""
import importlib.util
import json
import os
import sys
import tempfile
import unittest

import serve_process_test as serving

PROMPT = "Hello world, this is"
# A prompt that opens the thinking, or closes it at once.
THINKS = """{% for m in messages %}<|im_start|>{{ m.role }}
{% if m.reasoning_content %}<think>
{{ m.reasoning_content }}
</think>

{% endif %}{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
<think>
{% if not enable_thinking %}
</think>

{% endif %}{% endif %}"""
HAS_SDK = importlib.util.find_spec("anthropic") is not None


def conversation(*more, **members):
    return {"model": "tiny", "max_tokens": 8, "temperature": 0,
            "messages": [{"role": "user", "content": PROMPT}, *more], **members}


class Server(serving.Server):
    def post(self, path, body, status=200):
        got, _, document = self.answer("POST", path, body)
        assert got == status, (path, got, document)
        return document

    def events(self, body):
        connection, response = self.request("POST", "/v1/messages", {**body, "stream": True})
        text = response.read().decode()
        connection.close()
        assert response.status == 200, text
        out = []
        for event in text.strip().split("\n\n"):
            name, data = event.split("\n")
            out.append(json.loads(data.removeprefix("data: ")))
            assert name == "event: " + out[-1]["type"], event
        return out


def text_of(events):
    return "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")


def prompt_of(usage):
    return sum(usage[key] for key in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"))


class Messages(unittest.TestCase):
    def test_a_stream_says_what_the_document_says(self):
        with Server(serving.deployment(serving.HTTP)) as server:
            document = server.post("/v1/messages", conversation())
            self.assertEqual((document["type"], document["role"]), ("message", "assistant"))
            events = server.events(conversation())
            kinds = [event["type"] for event in events]
            self.assertEqual(kinds[:3], ["message_start", "ping", "content_block_start"])
            self.assertEqual(kinds[-3:], ["content_block_stop", "message_delta", "message_stop"])
            self.assertEqual(text_of(events), document["content"][0]["text"])
            self.assertEqual(events[-2]["delta"]["stop_reason"], document["stop_reason"])
            self.assertEqual(prompt_of(events[-2]["usage"]), prompt_of(document["usage"]))

    def test_an_answer_costs_what_was_counted(self):
        with Server(serving.deployment(serving.HTTP)) as server:
            for path in ("/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens?beta=true"):
                count = server.post(path, conversation(system="Be brief."))["input_tokens"]
                usage = server.post("/v1/messages", conversation(system="Be brief."))["usage"]
                self.assertEqual(prompt_of(usage), count)

    def test_a_checksum_in_the_system_prompt_spoils_no_reuse(self):
        def system(checksum):
            return [{"type": "text", "text": f"x-anthropic-billing-header: cc_version=2.1; cch={checksum};"},
                    {"type": "text", "text": "You are a coding agent. " * 20, "cache_control": {"type": "ephemeral"}}]
        with Server(serving.deployment(serving.HTTP)) as server:
            first = server.post("/v1/messages", conversation(system=system("fa690")))
            again = server.post("/v1/messages", conversation(system=system("00d17")))
            self.assertEqual(first["usage"]["cache_read_input_tokens"], 0)
            self.assertGreater(again["usage"]["cache_read_input_tokens"], 0.8 * prompt_of(again["usage"]))
            self.assertEqual(again["content"], first["content"])
            self.assertIn("x-anthropic-billing-header", again["warnings"][0])

    def test_thinking_is_a_block_of_its_own_until_its_budget_is_spent(self):
        def blocks(kind, **members):
            answer = server.post("/v1/messages", conversation(max_tokens=32, thinking={"type": kind, **members}))
            return answer["content"], answer["usage"]["output_tokens_details"]["thinking_tokens"]
        with tempfile.NamedTemporaryFile("w", suffix=".jinja") as template:
            template.write(THINKS)
            template.flush()
            own = f'slots = 2\nchat_template = "{os.path.abspath(template.name)}"\n'
            with Server(serving.deployment(serving.HTTP).replace("slots = 2\n", own)) as server:
                content, spent = blocks("enabled", budget_tokens=6)
                self.assertEqual([block["type"] for block in content], ["thinking", "text"])
                self.assertTrue(content[0]["thinking"] and content[0]["signature"], content)
                self.assertTrue(6 <= spent < 32, spent)
                hidden, _ = blocks("adaptive", budget_tokens=6, display="omitted")
                self.assertEqual(hidden, [{**content[0], "thinking": ""}, content[1]])
                content, spent = blocks("disabled")
                self.assertEqual(([block["type"] for block in content], spent), (["text"], 0))

                def count(*history):
                    body = conversation(*history, {"role": "user", "content": "on"})
                    return server.post("/v1/messages/count_tokens", body)["input_tokens"]
                said = {"type": "text", "text": "Yes."}
                thought = {"type": "thinking", "thinking": "It is so.", "signature": "x"}
                self.assertGreater(count({"role": "assistant", "content": [thought, said]}),
                                   count({"role": "assistant", "content": [said]}))

    def test_a_call_that_has_to_come_comes_and_fits_its_schema(self):
        tools = [{"name": name, "input_schema": {
            "type": "object", "properties": {"unit": {"enum": ["km", "mile"]}, "far": {"type": "boolean"}},
            "required": ["unit", "far"], "additionalProperties": False}} for name in ("measure", "guess")]

        def check(calls, names):
            self.assertTrue(calls)
            for call in calls:
                self.assertIn(call["name"], names)
                self.assertIn(call["input"]["unit"], ("km", "mile"))
                self.assertIsInstance(call["input"]["far"], bool)
        with Server(serving.deployment(serving.HTTP)) as server:
            for choice, names in (({"type": "any", "disable_parallel_tool_use": True}, ("measure", "guess")),
                                  ({"type": "tool", "name": "guess"}, ("guess",))):
                body = conversation(max_tokens=400, tools=tools, tool_choice=choice)
                answer = server.post("/v1/messages", body)
                self.assertEqual(answer["stop_reason"], "tool_use", answer)
                check([block for block in answer["content"] if block["type"] == "tool_use"], names)
                events = server.events(body)
                self.assertEqual(events[-2]["delta"]["stop_reason"], "tool_use")
                starts = [event for event in events if event["type"] == "content_block_start"]
                pieces = [event["delta"].get("partial_json", "") for event in events if event["type"] == "content_block_delta"]
                self.assertEqual(len(starts), 1, starts)
                check([{**starts[0]["content_block"], "input": json.loads("".join(pieces))}], names)

    def test_a_pattern_stands_for_the_names_that_clients_send(self):
        profiles = """
[profiles."claude-*"]
model = "tiny"
[profiles."claude-haiku-*"]
model = "tiny"
thinking = "off"
"""
        with Server(serving.deployment(profiles + serving.HTTP)) as server:
            for name in ("claude-opus-4-1", "claude-haiku-4-5-20251001"):
                self.assertEqual(server.post("/v1/messages", conversation(model=name))["model"], name)
            server.post("/v1/messages", conversation(model="gpt-4o"), 404)
            _, _, models = server.answer("GET", "/v1/models")
            self.assertEqual([model["id"] for model in models["data"]], ["tiny"])
            self.assertEqual(server.answer("GET", "/v1/models/claude-opus-4-1")[2]["id"], "claude-opus-4-1")

    def test_a_stop_sequence_ends_the_message_and_is_named(self):
        with Server(serving.deployment(serving.HTTP)) as server:
            text = server.post("/v1/messages", conversation(max_tokens=16))["content"][0]["text"]
            stop = text[len(text) // 2:][:3]
            cut = server.post("/v1/messages", conversation(max_tokens=16, stop_sequences=[stop]))
            self.assertEqual((cut["stop_reason"], cut["stop_sequence"]), ("stop_sequence", stop))
            self.assertEqual("".join(block["text"] for block in cut["content"]), text[:text.index(stop)])

    def test_a_prompt_that_is_too_long_is_refused_before_the_stream(self):
        with Server(serving.deployment(serving.HTTP)) as server:
            long = {**conversation(), "messages": [{"role": "user", "content": "word " * 2000}]}
            for body in (long, {**long, "stream": True}):
                error = server.post("/v1/messages", body, 400)
                self.assertRegex(error["error"]["message"], r"^prompt is too long: \d+ tokens > 1024 maximum$")

    def test_the_answer_is_held_to_a_schema(self):
        schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"],
                  "additionalProperties": False}
        with Server(serving.deployment(serving.HTTP)) as server:
            answer = server.post("/v1/messages", conversation(
                max_tokens=64, output_config={"format": {"type": "json_schema", "schema": schema}}))
            self.assertIsInstance(json.loads(answer["content"][0]["text"])["ok"], bool)


@unittest.skipUnless(HAS_SDK, "the package anthropic is not installed")
class Client(unittest.TestCase):
    def setUp(self):
        import anthropic
        self.anthropic = anthropic
        self.server = Server(serving.deployment(serving.HTTP)).__enter__()
        self.addCleanup(self.server.__exit__)
        self.client = anthropic.Anthropic(base_url=f"http://127.0.0.1:{self.server.port}", api_key="k", max_retries=0)
        self.addCleanup(self.client.close)

    def test_messages_streams_counts_and_lists(self):
        body = conversation()
        body.pop("temperature")
        message = self.client.messages.create(**body, extra_body={"temperature": 0})
        with self.client.messages.stream(**body, extra_body={"temperature": 0}) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        self.assertEqual(text, message.content[0].text)
        self.assertEqual(final.content[0].text, text)
        self.assertEqual(final.stop_reason, message.stop_reason)
        self.assertEqual(prompt_of(final.usage.model_dump()), prompt_of(message.usage.model_dump()))
        count = self.client.messages.count_tokens(model="tiny", messages=body["messages"]).input_tokens
        self.assertEqual(count, prompt_of(message.usage.model_dump()))
        self.assertEqual([model.id for model in self.client.models.list()], ["tiny"])
        self.assertEqual(self.client.models.retrieve("tiny").type, "model")

    def test_errors_arrive_as_the_exceptions_of_the_client(self):
        body = conversation()
        body.pop("temperature")
        with self.assertRaises(self.anthropic.NotFoundError) as unknown:
            self.client.messages.create(**{**body, "model": "nope"})
        self.assertEqual(unknown.exception.body["error"]["type"], "not_found_error")
        image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}
        with self.assertRaises(self.anthropic.BadRequestError) as refused:
            self.client.messages.create(**{**body, "messages": [{"role": "user", "content": [image]}]})
        self.assertIn("messages[0].content[0].type", refused.exception.body["error"]["message"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
