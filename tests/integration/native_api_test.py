#!/usr/bin/env python3
"""The endpoints beside chat and completions, over real HTTP and with a real model.

  native_api_test.py VERNAL MODEL.gguf BACKEND PLUGIN_DIR TEST_PLUGIN_DIR

Tokens, templates, the native API of llama-server, embeddings, metrics and the description of it all. Needs the standard
library alone.
"""
import base64
import json
import math
import re
import struct
import sys
import unittest

import serve_process_test as serving

PROMPT = "Hello world, this is"
HTTP = serving.HTTP


def deployment(model_keys="", frontend_keys=""):
    text = serving.deployment(HTTP + frontend_keys)
    return text.replace("slots = 2\n", "slots = 2\n" + model_keys)


class Server(serving.Server):
    def post(self, path, body, status=200):
        got, _, document = self.answer("POST", path, body)
        assert got == status, (path, got, document)
        return document

    def get_text(self, path):
        connection, response = self.request("GET", path)
        text = response.read().decode()
        connection.close()
        assert response.status == 200, text
        return text


class NativeApi(unittest.TestCase):
    def test_tokens_go_to_text_and_back(self):
        with Server(deployment()) as server:
            tokens = server.post("/tokenize", {"content": PROMPT})["tokens"]
            self.assertEqual(server.post("/detokenize", {"tokens": tokens})["content"].strip(), PROMPT)
            pieces = server.post("/tokenize", {"content": "é€", "with_pieces": True})["tokens"]
            raw = b"".join(bytes(p["piece"]) if isinstance(p["piece"], list) else p["piece"].encode() for p in pieces)
            self.assertEqual(raw.decode().strip(), "é€")
            self.assertEqual(server.post("/detokenize", {"tokens": [10 ** 8]}, 400)["error"]["code"], 400)

    def test_counts_agree_with_what_a_chat_costs(self):
        with Server(deployment()) as server:
            messages = [{"role": "user", "content": PROMPT}]
            count = server.post("/v1/chat/completions/input_tokens", {"messages": messages})["input_tokens"]
            self.assertEqual(count, server.chat(max_tokens=1)["usage"]["prompt_tokens"])
            prompt = server.post("/apply-template", {"messages": messages})["prompt"]
            self.assertIn(PROMPT, prompt)
            self.assertEqual(server.post("/v1/messages/count_tokens", {"messages": messages})["input_tokens"], count)

    def test_a_native_completion_is_the_same_as_that_of_the_other_api(self):
        with Server(deployment()) as server:
            native = server.post("/completion", {"prompt": PROMPT, "n_predict": 8, "temperature": 0, "return_tokens": True})
            other = server.post("/v1/completions", {"prompt": PROMPT, "max_tokens": 8, "temperature": 0})
            self.assertEqual(native["content"], other["choices"][0]["text"])
            self.assertEqual(native["tokens_predicted"], other["usage"]["completion_tokens"])
            self.assertEqual(native["tokens_evaluated"], other["usage"]["prompt_tokens"])
            self.assertIn(native["stop_type"], ("limit", "eos"))
            self.assertIn(native["id_slot"], (0, 1))
            tokens = server.post("/tokenize", {"content": PROMPT, "add_special": True})["tokens"]
            again = server.post("/completion", {"prompt": tokens, "n_predict": 8, "temperature": 0})
            self.assertEqual(again["content"], native["content"])

    def test_a_native_stream_ends_with_stop(self):
        with Server(deployment()) as server:
            connection, response = server.request(
                "POST", "/completion", {"prompt": PROMPT, "n_predict": 6, "temperature": 0, "stream": True, "n_probs": 2})
            events = [json.loads(line[6:]) for line in response.read().decode().splitlines() if line.startswith("data: ")]
            connection.close()
            self.assertEqual([event["stop"] for event in events], [False] * (len(events) - 1) + [True])
            self.assertEqual(len(events[0]["completion_probabilities"][0]["top_logprobs"]), 2)

    def test_a_prompt_can_be_computed_anew(self):
        with Server(deployment()) as server:
            body = {"prompt": PROMPT * 30, "n_predict": 1, "temperature": 0}
            self.assertEqual(server.post("/completion", body)["timings"]["cache_n"], 0)
            self.assertGreater(server.post("/completion", body)["timings"]["cache_n"], 0)
            self.assertEqual(server.post("/completion", {**body, "cache_prompt": False})["timings"]["cache_n"], 0)

    def test_facts_name_the_context_and_the_slots(self):
        with Server(deployment('aliases = ["gpt-4o"]\n')) as server:
            _, _, props = server.answer("GET", "/props")
            self.assertEqual(props["default_generation_settings"]["n_ctx"], 1024)
            self.assertEqual(props["default_generation_settings"]["params"]["temperature"], 0)
            self.assertEqual(props["total_slots"], 2)
            _, _, slots = server.answer("GET", "/slots")
            self.assertEqual([slot["is_processing"] for slot in slots], [False, False])
            _, _, models = server.answer("GET", "/v1/models")
            self.assertEqual(models["data"][0]["aliases"], ["gpt-4o"])
            self.assertEqual(server.post("/completion", {"model": "gpt-4o", "prompt": "a", "n_predict": 1})["model"], "tiny")
            for path in ("/api/v1/models", "/api/tags"):
                self.assertEqual(server.answer("GET", path)[0], 404)

    def test_any_name_will_do_if_the_deployment_says_so(self):
        with Server(deployment(frontend_keys="accept_any_model = true\n")) as server:
            self.assertEqual(server.post("/completion", {"model": "x", "prompt": "a", "n_predict": 1})["model"], "tiny")
        with Server(deployment()) as server:
            server.post("/completion", {"model": "x", "prompt": "a", "n_predict": 1}, 404)


class Embeddings(unittest.TestCase):
    TEXTS = ["Hello world, this is a text", "Hello world, this is another", "a"]

    def vectors(self, server, **more):
        answer = server.post("/v1/embeddings", {"input": self.TEXTS, **more})
        return [entry["embedding"] for entry in answer["data"]]

    def test_vectors_have_length_one_and_do_not_depend_on_chunks(self):
        for pooling in ("last", "mean"):
            with Server(deployment(f'pooling = "{pooling}"\n')) as server:
                whole = self.vectors(server)
                coded = self.vectors(server, encoding_format="base64")
                native = server.post("/embedding", {"content": self.TEXTS})
                chat = server.chat(max_tokens=2)
            self.assertEqual(len(chat["choices"]), 1)
            for vector, code, row in zip(whole, coded, native):
                self.assertAlmostEqual(math.hypot(*vector), 1, places=4)
                raw = base64.b64decode(code)
                for ours, theirs in zip(vector, struct.unpack(f"<{len(raw) // 4}f", raw)):
                    self.assertAlmostEqual(ours, theirs, places=4)
                for ours, theirs in zip(vector, row["embedding"][0]):
                    self.assertAlmostEqual(ours, theirs, places=4)
            self.assertNotEqual(whole[0], whole[1])
            self.assertNotEqual(whole[0], whole[2])
            with Server(deployment(f'pooling = "{pooling}"\nmax_tokens_per_step = 64\n')) as server:
                long = "word " * 100
                first = server.post("/v1/embeddings", {"input": long})["data"][0]["embedding"]
            with Server(deployment(f'pooling = "{pooling}"\n')) as server:
                second = server.post("/v1/embeddings", {"input": long})["data"][0]["embedding"]
            for ours, theirs in zip(first, second):
                self.assertAlmostEqual(ours, theirs, places=3)

    def test_a_model_without_pooling_says_so(self):
        with Server(deployment()) as server:
            error = server.post("/v1/embeddings", {"input": "a"}, 400)["error"]
            self.assertEqual(error["code"], "unsupported_parameter")


class Observed(unittest.TestCase):
    def test_histograms_are_complete_and_count_requests(self):
        with Server(deployment()) as server:
            server.chat(max_tokens=5)
            text = server.get_text("/metrics")
            for name in ("time_to_first_token_seconds", "inter_token_latency_seconds", "e2e_request_latency_seconds",
                         "request_queue_time_seconds", "request_prompt_tokens", "request_generation_tokens",
                         "iteration_tokens"):
                self.assertEqual(text.count(f"# TYPE vernal_{name} histogram\n"), 1, name)
                buckets = [float(v) for v in re.findall(rf"^vernal_{name}_bucket{{.*}} (\S+)$", text, re.M)]
                self.assertEqual(buckets, sorted(buckets), name)
                count = float(re.search(rf"^vernal_{name}_count{{.*}} (\S+)$", text, re.M).group(1))
                self.assertEqual(buckets[-1], count, name)
                self.assertGreater(count, 0, name)
            self.assertIn('vernal_http_requests_total{method="POST",route="/v1/chat/completions",status="200"} 1\n', text)
            self.assertIn("vernal_kv_cache_usage_ratio", text)

    @staticmethod
    def id_for(server, path):
        if path.startswith("/page/"):
            return "style.css"
        if path.startswith("/v1/responses/"):
            return server.post("/v1/responses", {"input": "a", "max_output_tokens": 1})["id"]
        return "tiny"

    def test_the_description_names_what_answers(self):
        with Server(deployment('pooling = "last"\n')) as server:
            _, _, document = server.answer("GET", "/openapi.json")
            for path, item in document["paths"].items():
                for method in item:
                    real_path = path.replace("{id}", self.id_for(server, path))
                    connection, response = server.request(method.upper(), real_path, {} if method == "post" else None)
                    response.read()
                    connection.close()
                    self.assertNotIn(response.status, (404, 405, 500, 501), (method, path))


class Histories(unittest.TestCase):
    def test_no_shape_of_a_history_is_refused(self):
        call = {"role": "assistant", "content": None, "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1}"}}]}
        histories = [
            [{"role": "user", "content": "u"}, {"role": "system", "content": "late"}],
            [{"role": "system", "content": "s"}],
            [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}],
            [{"role": "tool", "content": "r", "tool_call_id": "gone"}],
            [call, {"role": "user", "content": [{"type": "text", "text": "p"}]}],
        ]
        with Server(deployment()) as server:
            for messages in histories:
                self.assertEqual(len(server.chat(messages=messages, max_tokens=1)["choices"]), 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
