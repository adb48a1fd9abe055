"""Answers held to a schema, a pattern, a grammar or a choice, over HTTP, with a tiny model that writes noise."""
import json
import re
import unittest

import serve_process_test as process

Server = process.Server
ORDER = {
    "type": "object",
    "properties": {
        "item": {"enum": ["tea", "coffee"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 12},
        "hot": {"type": "boolean"},
    },
    "required": ["item", "count", "hot"],
}


class FormatTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(process.deployment(process.HTTP)).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def answer(self, **members):
        body = {"prompt": "The cat sat on the", "max_tokens": 200, "seed": 7, "temperature": 1} | members
        return self.server.answer("POST", "/v1/completions", body)

    def text(self, **members):
        status, _, document = self.answer(**members)
        self.assertEqual(status, 200, document)
        choice = document["choices"][0]
        self.assertEqual(choice["finish_reason"], "stop", document)
        return choice["text"]

    def test_a_schema_holds_whatever_the_seed(self):
        for seed in range(8):
            order = json.loads(self.text(seed=seed, json_schema=ORDER))
            self.assertEqual(list(order), ["item", "count", "hot"])
            self.assertIn(order["item"], ("tea", "coffee"))
            self.assertIn(order["count"], range(1, 13))
            self.assertIs(type(order["hot"]), bool)

    def test_every_name_of_a_schema_holds(self):
        for members in ({"response_format": {"type": "json_schema", "json_schema": {"schema": ORDER, "strict": True}}},
                        {"guided_json": json.dumps(ORDER)}, {"structured_outputs": {"json": ORDER}},
                        {"response_format": {"type": "json_object", "schema": ORDER}}):
            with self.subTest(members):
                self.assertEqual(set(json.loads(self.text(**members))), set(ORDER["properties"]))

    def test_patterns_grammars_and_choices(self):
        self.assertRegex(self.text(regex="[a-c]{3}-[0-9]{2}"), re.compile(r"\A[a-c]{3}-[0-9]{2}\Z"))
        self.assertIn(self.text(grammar='root ::= "yes" | "no" "t"?'), ("yes", "no", "not"))
        self.assertIn(self.text(guided_choice=["left", "right"]), ("left", "right"))

    def test_greedy_answers_repeat_and_other_requests_do_not_matter(self):
        first = self.text(temperature=0, json_schema=ORDER)
        self.text(regex="x{5}")
        self.assertEqual(self.text(temperature=0, json_schema=ORDER), first)

    def test_what_cannot_be_held_is_said_or_refused(self):
        schema = {"type": "string", "pattern": "(?<=a)b", "maxLength": 5}
        status, _, document = self.answer(response_format={"type": "json_schema", "json_schema": {"schema": schema}})
        self.assertEqual(status, 200, document)
        self.assertIn("pattern", document["warnings"][0])
        self.assertLessEqual(len(json.loads(document["choices"][0]["text"])), 5)
        status, _, document = self.answer(
            response_format={"type": "json_schema", "json_schema": {"schema": schema, "strict": True}})
        self.assertEqual((status, document["error"]["param"]), (400, "response_format"))
        for members in ({"regex": "("}, {"grammar": "root ::= other"}, {"json_schema": {"enum": []}},
                        {"json_schema": ORDER, "bad_words": ["tea"]}):
            with self.subTest(members):
                status, _, document = self.answer(**members)
                self.assertEqual((status, document["error"]["param"]), (400, next(iter(members))), document)


if __name__ == "__main__":
    unittest.main(argv=process.sys.argv[:1], verbosity=2)
