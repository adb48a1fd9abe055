"""Calls that an answer must or may have, over HTTP, with a tiny model that writes noise."""
import json
import unittest

import serve_process_test as process

Server = process.Server
BOOK = {"type": "object", "required": ["title", "copies", "is_a_gift_for_somebody_else"], "properties": {
    "title": {"type": "string", "maxLength": 6}, "copies": {"type": "integer", "minimum": 1, "maximum": 99},
    "is_a_gift_for_somebody_else": {"type": "boolean"}, "cover": {"enum": ["hard", "soft"]}}}
TOOLS = [{"type": "function", "function": {"name": "order_book", "parameters": BOOK}},
         {"type": "function", "function": {"name": "list_orders", "parameters": {"type": "object", "properties": {}}}}]


def named(name):
    return {"type": "function", "function": {"name": name}}


class CallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(process.deployment(process.HTTP)).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def answer(self, **members):
        body = {"messages": [{"role": "user", "content": "A book, please."}], "tools": TOOLS, "max_tokens": 300,
                "seed": 7, "temperature": 1, "parallel_tool_calls": False} | members
        return self.server.answer("POST", "/v1/chat/completions", body)

    def choice(self, **members):
        status, _, document = self.answer(**members)
        self.assertEqual(status, 200, document)
        return document["choices"][0]

    def check(self, call, names=("order_book", "list_orders")):
        function = call["function"]
        self.assertIn(function["name"], names)
        arguments = json.loads(function["arguments"])
        if function["name"] == "list_orders":
            self.assertEqual(arguments, {})
            return
        self.assertLessEqual(set(BOOK["required"]), set(arguments))
        self.assertLessEqual(set(arguments), set(BOOK["properties"]))
        self.assertLessEqual(len(arguments["title"]), 6)
        self.assertIn(arguments["copies"], range(1, 100))
        self.assertIs(type(arguments["is_a_gift_for_somebody_else"]), bool)

    def test_a_required_call_fits_whatever_the_seed(self):
        for seed in range(6):
            choice = self.choice(tool_choice="required", seed=seed)
            self.assertEqual(choice["finish_reason"], "tool_calls", choice)
            self.assertIsNone(choice["message"]["content"])
            self.assertEqual(len(choice["message"]["tool_calls"]), 1)
            self.check(choice["message"]["tool_calls"][0])

    def test_several_calls_may_follow_one_another(self):
        choice = self.choice(tool_choice="required", parallel_tool_calls=True, max_tokens=400)
        self.assertIn(choice["finish_reason"], ("tool_calls", "length"))
        calls = choice["message"]["tool_calls"]
        for call in calls[:-1]:  # the limit may cut the last one
            self.check(call)
        self.assertEqual(len({call["id"] for call in calls}), len(calls))

    def test_names_and_allowed_tools_hold(self):
        for name in ("order_book", "list_orders"):
            allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named(name)]}}
            for tool_choice in (named(name), allowed):
                choice = self.choice(tool_choice=tool_choice)
                self.check(choice["message"]["tool_calls"][0], (name,))
        status, _, document = self.answer(tool_choice=named("nope"))
        self.assertEqual((status, document["error"]["param"]), (400, "tool_choice"), document)

    def test_a_stream_has_the_same_call(self):
        whole = self.choice(tool_choice=named("order_book"), temperature=0)["message"]["tool_calls"][0]["function"]
        name = arguments = ""
        connection, response = self.server.request("POST", "/v1/chat/completions", {
            "messages": [{"role": "user", "content": "A book, please."}], "tools": TOOLS, "max_tokens": 300,
            "temperature": 0, "tool_choice": named("order_book"), "stream": True})
        for line in response.read().decode().split("\n\n"):
            for choice in json.loads(line[6:])["choices"] if line.startswith("data: {") else []:
                for call in choice["delta"].get("tool_calls", []):
                    name += call["function"].get("name", "")
                    arguments += call["function"].get("arguments", "")
        connection.close()
        self.assertEqual({"name": name, "arguments": arguments}, whole)

    def test_functions_of_the_older_api(self):
        body = {"messages": [{"role": "user", "content": "A book."}], "max_tokens": 300, "temperature": 0,
                "functions": [tool["function"] for tool in TOOLS], "function_call": {"name": "order_book"}}
        _, _, document = self.server.answer("POST", "/v1/chat/completions", body)
        choice = document["choices"][0]
        self.assertEqual(choice["finish_reason"], "function_call", document)
        self.check({"function": choice["message"]["function_call"]}, ("order_book",))

    def test_forced_tokens_are_counted_and_have_no_surprise(self):
        choice = self.choice(tool_choice=named("order_book"), logprobs=True, temperature=0)
        logprobs = [position["logprob"] for position in choice["logprobs"]["content"]]
        self.assertGreater(logprobs.count(0), 10)
        connection, response = self.server.request("GET", "/metrics")
        line = next(line for line in response.read().decode().split("\n")
                    if line.startswith("vernal_forced_tokens_total"))
        connection.close()
        self.assertGreater(float(line.split()[-1]), 10)

    def test_forms_with_types_and_elements(self):
        shelf = {"type": "object", "required": ["rows"], "properties": {"rows": {
            "type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "object", "required": ["label", "wide"], "properties": {
                "label": {"type": "string", "maxLength": 3}, "wide": {"type": "boolean"}}}}}}
        tools = [*TOOLS, {"type": "function", "function": {"name": "add_shelf", "parameters": shelf}}]
        for family in ("kimi_k3", "minimax_m3"):
            text = process.deployment(process.HTTP).replace("sampling =", f'tool_syntax = "{family}"\nsampling =')
            with Server(text) as server:
                body = {"messages": [{"role": "user", "content": "A book, please."}], "tools": tools, "max_tokens": 600,
                        "temperature": 1, "parallel_tool_calls": False}
                for name in ("order_book", "list_orders", "add_shelf"):
                    for seed in range(4):
                        with self.subTest(family=family, name=name, seed=seed):
                            status, _, document = server.answer("POST", "/v1/chat/completions",
                                                                body | {"tool_choice": named(name), "seed": seed})
                            self.assertEqual(status, 200, document)
                            call, = document["choices"][0]["message"]["tool_calls"]
                            if name != "add_shelf":
                                self.check(call, (name,))
                                continue
                            for row in json.loads(call["function"]["arguments"])["rows"]:
                                self.assertEqual((type(row["label"]), type(row["wide"])), (str, bool))

    def test_what_cannot_be_held_is_said_or_refused(self):
        schema = {"type": "object", "required": ["a"],
                  "properties": {"a": {"type": "string", "pattern": "(?<=x)b", "maxLength": 3}}}
        tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
        status, _, document = self.answer(tools=[tool], tool_choice="required")
        self.assertEqual(status, 200, document)
        self.assertIn("f#/properties/a", document["warnings"][0])
        tool["function"]["strict"] = True
        for tool_choice in ("auto", "required"):
            status, _, document = self.answer(tools=[tool], tool_choice=tool_choice)
            self.assertEqual(status, 400, document)
            self.assertIn("json-schema-to-grammar", document["error"]["message"])


if __name__ == "__main__":
    unittest.main(argv=process.sys.argv[:1], verbosity=2)
