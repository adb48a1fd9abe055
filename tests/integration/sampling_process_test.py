"""What a request can say about the choice of tokens and about its prompt, over HTTP, with a tiny model."""
import json
import math
import sys
import unittest

import serve_process_test as process

Server = process.Server
BOS = "<|begin_of_text|>"  # which the vocabulary of this model puts before a text


def deployment(sampling="{}", scored_rows=1):
    return (process.deployment(process.HTTP)
            .replace("sampling = { temperature = 0.0 }", f"sampling = {sampling}\nscored_rows = {scored_rows}"))


class SamplingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(deployment(scored_rows=5)).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def complete(self, **members):
        body = {"prompt": "The cat sat on the", "max_tokens": 24, "seed": 7, "logprobs": 0} | members
        status, _, document = self.server.answer("POST", "/v1/completions", body)
        self.assertEqual(status, 200, document)
        return document

    def tokens(self, **members):
        return self.complete(**members)["choices"][0]["logprobs"]["tokens"]

    def refusal(self, path="/v1/completions", **members):
        status, _, document = self.server.answer("POST", path, {"prompt": "a", "max_tokens": 4} | members)
        self.assertEqual(status, 400, document)
        return document["error"]["param"]

    def test_each_sampler_changes_the_answer_and_repeats_it(self):
        plain = self.tokens()
        for members in (
                {"temperature": 0.2}, {"dynatemp_range": 0.9, "dynatemp_exponent": 3}, {"top_k": 2}, {"top_p": 0.1},
                {"min_p": 0.9}, {"typical_p": 0.1}, {"typ_p": 0.1}, {"top_n_sigma": 0.5},
                {"xtc_probability": 1, "xtc_threshold": 0.001}, {"mirostat": 1, "mirostat_tau": 1},
                {"mirostat": 2, "mirostat_tau": 1}, {"samplers": ["top_k"], "top_k": 2},
                {"temperature": 0, "repeat_penalty": 50, "repeat_last_n": 1},
                {"temperature": 0, "dry_multiplier": 100, "dry_allowed_length": 1}):
            with self.subTest(members):
                first = self.tokens(**members)
                self.assertNotEqual(first, plain)
                self.assertEqual(first, self.tokens(**members))

    def test_what_is_out_of_range_is_refused_by_name(self):
        for name, value in (("typical_p", 2), ("xtc_probability", -1), ("dry_base", 0), ("mirostat", 3),
                            ("top_n_sigma", 1000), ("dynatemp_range", 9), ("min_keep", -1), ("penalty_last_n", -2),
                            ("samplers", ["top_q"]), ("dry_sequence_breakers", "x"), ("min_tokens", -1),
                            ("ignore_eos", "yes"), ("bad_words", [1]), ("banned_strings", "x")):
            with self.subTest(name):
                self.assertEqual(self.refusal(**{name: value}), name)

    def test_biases_of_tokens_and_of_texts(self):
        forced = self.tokens(temperature=0, logit_bias=[["a", 100]], max_tokens=4)
        self.assertEqual(forced, ["a"] * 4)
        self.assertEqual(self.tokens(temperature=0, logit_bias={"a": 100}, max_tokens=4), forced)
        likeliest = self.tokens(temperature=0, max_tokens=1)[0]
        self.assertNotEqual(self.tokens(temperature=0, max_tokens=1, logit_bias=[[likeliest, False]])[0], likeliest)

    def test_banned_texts_do_not_come(self):
        text = self.complete(temperature=0)["choices"][0]["text"]
        for key in ("bad_words", "banned_strings"):
            for banned in (text[3:6], text[10:11]):
                with self.subTest(key, banned=banned):
                    answer = self.complete(temperature=0, **{key: [banned]})["choices"][0]["text"]
                    self.assertNotIn(banned, answer)
                    self.assertEqual(answer, self.complete(temperature=0, **{key: [banned]})["choices"][0]["text"])

    def test_min_tokens_and_ignore_eos(self):
        usage = self.complete(ignore_eos=True, max_tokens=60, temperature=2)["usage"]
        self.assertEqual(usage["completion_tokens"], 60)
        usage = self.complete(min_tokens=50, max_tokens=60, temperature=2)["usage"]
        self.assertGreaterEqual(usage["completion_tokens"], 50)

    def test_echo_gives_the_likelihood_of_the_prompt(self):
        prompt = "The cat sat on the mat and slept."
        whole = self.complete(prompt=prompt, echo=True, logprobs=3, max_tokens=1, temperature=0)["choices"][0]
        self.assertTrue(whole["text"].startswith(prompt))
        logprobs = whole["logprobs"]
        self.assertIsNone(logprobs["token_logprobs"][0])
        self.assertIsNone(logprobs["top_logprobs"][0])
        self.assertEqual("".join(logprobs["tokens"][:-1]), BOS + prompt)
        for value, top in list(zip(logprobs["token_logprobs"], logprobs["top_logprobs"]))[1:]:
            self.assertEqual(len(top), 3)
            self.assertLessEqual(value, max(top.values()))
        # Token by token: what the model gives a token after the text before it is what echo says of it.
        ids = list(range(40, 60))
        told = self.complete(prompt=ids, echo=True, logprobs=20, max_tokens=0)["choices"][0]["logprobs"]
        self.assertEqual(len(told["tokens"]), len(ids))
        for i in (1, 7, len(ids) - 1):
            drawn = self.complete(prompt=ids[:i], logprobs=20, max_tokens=1, temperature=0)["choices"][0]["logprobs"]
            for token, value in drawn["top_logprobs"][0].items():
                if token in told["top_logprobs"][i]:
                    self.assertTrue(math.isclose(value, told["top_logprobs"][i][token], abs_tol=2e-3))

    def test_echo_in_a_stream_and_with_choices(self):
        body = {"prompt": "The cat", "echo": True, "logprobs": 1, "max_tokens": 3, "n": 2, "stream": True}
        connection, response = self.server.request("POST", "/v1/completions", body)
        texts = ["", ""]
        tokens = ["", ""]
        for line in response.read().decode().splitlines():
            if line.startswith("data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    texts[choice["index"]] += choice["text"]
                    tokens[choice["index"]] += "".join(choice["logprobs"]["tokens"])
        connection.close()
        for text, said in zip(texts, tokens):
            self.assertTrue(text.startswith("The cat"))
            self.assertTrue(said.startswith(BOS + "The cat"))

    def test_timings_and_progress_in_a_stream(self):
        body = {"prompt": "word " * 400, "max_tokens": 5, "stream": True, "timings_per_token": True,
                "return_progress": True, "ignore_eos": True}
        connection, response = self.server.request("POST", "/v1/completions", body)
        chunks = [json.loads(line[6:]) for line in response.read().decode().splitlines()
                  if line.startswith("data: {")]
        connection.close()
        progress = [chunk["prompt_progress"] for chunk in chunks if "prompt_progress" in chunk]
        self.assertGreaterEqual(len(progress), 2)
        self.assertEqual(progress[-1]["processed"], progress[-1]["total"])
        self.assertEqual([p["processed"] for p in progress], sorted(p["processed"] for p in progress))
        timings = [chunk["timings"] for chunk in chunks if "timings" in chunk]
        self.assertEqual(timings[-1]["predicted_n"], 5)

    def test_settings_of_the_deployment_are_defaults(self):
        with Server(deployment("{ top_k = 1, samplers = [\"top_k\"], mirostat = 0 }")) as server:
            body = {"prompt": "The cat sat on the", "max_tokens": 24, "logprobs": 0}
            answers = [server.answer("POST", "/v1/completions", body | {"seed": seed})[2]["choices"][0]["text"]
                       for seed in (1, 2)]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0], self.complete(temperature=0)["choices"][0]["text"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
