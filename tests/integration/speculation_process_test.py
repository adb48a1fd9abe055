"""Answers with and without guessed tokens are the same, over HTTP, of a dense and of a hybrid model.

  speculation_process_test.py VERNAL DENSE.gguf BACKEND PLUGIN_DIR TEST_PLUGIN_DIR HYBRID.gguf [PREDICTION.gguf]

300 prompts for each model, greedy and drawn, one at a time and four at a time. PREDICTION has a layer that predicts one
token more.
"""
import concurrent.futures
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

HYBRID = os.path.abspath(sys.argv[6])
PREDICTION = os.path.abspath(sys.argv[7]) if len(sys.argv) > 7 else None

import serve_process_test as process  # noqa: E402 # reads the arguments that are left

WORDS = "the cat sat on a mat and looked at every red bird in that old tree while rain fell".split()
NUM_PROMPTS = 300
BATCH = 12  # prompts of a request
# The models are so small that they say nothing. Held to a few tokens they repeat themselves, as real answers do.
FEW = {str(token): 60 for token in (65, 66, 67, 68)}


def bodies(biases):
    """Requests with texts of random words."""
    source = random.Random(11)
    for i in range(0, NUM_PROMPTS, BATCH):
        texts = [" ".join(source.choice(WORDS) for _ in range(source.randint(4, 16))) for _ in range(BATCH)]
        drawn = {"temperature": 0.7, "seed": i} if i % (3 * BATCH) == 0 else {"temperature": 0}
        yield {"prompt": texts, "max_tokens": 12 + i % 17, "logit_bias": biases, **drawn}


class SpeculationTest(unittest.TestCase):
    def answers(self, model, draft, slots, biases):
        """The texts, and how many tokens were guessed and accepted."""
        text = (process.deployment(process.HTTP, slots).replace(process.MODEL, model)
                .replace("sampling =", f'speculation = {{ draft = "{draft}", max_tokens = 6 }}\nsampling ='))
        with process.Server(text) as server:
            def ask(body):
                status, _, document = server.answer("POST", "/v1/completions", body)
                self.assertEqual(status, 200, document)
                return [choice["text"] for choice in document["choices"]], document["usage"]["completion_tokens"]

            with concurrent.futures.ThreadPoolExecutor(slots) as clients:
                texts = list(clients.map(ask, bodies(biases)))
            connection, response = server.request("GET", "/metrics")
            metrics = response.read().decode()
            connection.close()
        values = [float(re.search(rf"vernal_{name}_total{{[^}}]*}} (\S+)", metrics).group(1))
                  for name in ("draft_tokens", "accepted_draft_tokens")]
        return texts, values

    def check(self, model, draft, biases):
        """How many tokens were guessed and accepted, with one slot and with four."""
        expected, guessed = self.answers(model, "none", 4, biases)
        self.assertEqual(guessed, [0, 0])
        runs = []
        for slots in (1, 4):
            with self.subTest(slots=slots):
                found, counts = self.answers(model, draft, slots, biases)
                self.assertEqual(found, expected)
                runs.append(counts)
        return runs

    def check_ngrams(self, model):
        for guessed, accepted in self.check(model, "ngram", FEW):
            # How many depends on what a step costs. With models as small as these they may not pay.
            self.assertGreater(guessed, 0)
            self.assertLessEqual(accepted, guessed)

    def test_a_dense_model(self):
        self.check_ngrams(process.MODEL)

    def test_a_hybrid_model(self):
        self.check_ngrams(HYBRID)

    @unittest.skipIf(PREDICTION is None, "the model with a prediction layer is not here")
    def test_a_model_that_predicts_ahead(self):
        for guessed, _ in self.check(PREDICTION, "mtp", {}):
            self.assertGreater(guessed, 0)  # few: the layer is not trained, so its guesses do not pay

    def test_a_file_without_the_layer_is_refused(self):
        text = process.deployment(process.HTTP).replace("sampling =", 'speculation = { draft = "mtp" }\nsampling =')
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(text)
            file.flush()
            for command in ("check", "serve"):
                run = subprocess.run([process.VERNAL, command, file.name], capture_output=True, text=True, timeout=60)
                self.assertNotEqual(run.returncode, 0)
                self.assertIn('function "mtp"', run.stderr)

    def test_a_request_and_a_profile_may_do_without(self):
        text = (process.deployment(process.HTTP, 1)
                .replace("sampling =", 'speculation = { draft = "ngram" }\nsampling =')
                + '[profiles.plain]\nmodel = "tiny"\nspeculation = { max_tokens = 0 }\n')
        repeats = {"prompt": "one two three " * 20, "max_tokens": 60, "temperature": 0}
        with process.Server(text) as server:
            for model, guesses in (("tiny", True), ("plain", False)):
                _, _, document = server.answer("POST", "/v1/completions", {"model": model, **repeats})
                self.assertEqual("draft_n" in document["timings"], guesses)
                details = document["usage"]["completion_tokens_details"]
                self.assertEqual(sum(details[f"{kind}_prediction_tokens"] for kind in ("accepted", "rejected")) > 0, guesses)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
