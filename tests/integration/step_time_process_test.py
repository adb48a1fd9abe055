"""A prompt that gives way to an answer of somebody else gets the same answer as alone, of a dense and of a hybrid model.

  step_time_process_test.py VERNAL DENSE.gguf BACKEND PLUGIN_DIR TEST_PLUGIN_DIR HYBRID.gguf
"""
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import unittest

HYBRID = os.path.abspath(sys.argv[6])

import serve_process_test as process  # noqa: E402 # reads the arguments that are left

WORDS = "the cat sat on a mat and looked at every red bird in that old tree while rain fell".split()
ATTEMPTS = 20


def deployment(model, max_step_time):
    limits = f'max_step_time = "{max_step_time}"\nsampling ='
    return (process.deployment(process.HTTP, 2).replace(process.MODEL, model)
            .replace("context_length = 1024", "context_length = 2048").replace("sampling =", limits))


def long_prompt(number):
    source = random.Random(number)
    return " ".join(source.choice(WORDS) for _ in range(350))


class StepTimeTest(unittest.TestCase):
    def ask(self, server, number):
        """The answer to a long prompt, to the last bit of its log-probabilities."""
        body = {"prompt": long_prompt(number), "max_tokens": 8, "temperature": 0, "logprobs": 3, "ignore_eos": True}
        status, _, document = server.answer("POST", "/v1/completions", body)
        self.assertEqual(status, 200, document)
        self.assertGreater(document["usage"]["prompt_tokens"], 512, "the prompt is one chunk anyway")
        return document["choices"][0]["text"], document["choices"][0]["logprobs"]

    def ask_beside_an_answer(self, server, number):
        body = {"prompt": "the cat", "max_tokens": 1500, "temperature": 0, "ignore_eos": True, "stream": True}
        connection, response = server.request("POST", "/v1/completions", body)
        self.assertTrue(response.readline().startswith(b"data:"))
        leaves = threading.Event()

        def read():  # who does not read is left out of steps
            while not leaves.is_set() and response.readline():
                pass

        reader = threading.Thread(target=read)
        reader.start()
        found = self.ask(server, number)
        leaves.set()
        reader.join()
        connection.close()
        return found

    def shortened_steps(self, server):
        connection, response = server.request("GET", "/metrics")
        metrics = response.read().decode()
        connection.close()
        return float(re.search(r"vernal_shortened_steps_total{[^}]*} (\S+)", metrics).group(1))

    def check(self, model):
        with process.Server(deployment(model, "0s")) as server:
            expected = [self.ask(server, number) for number in range(ATTEMPTS)]
            self.ask_beside_an_answer(server, ATTEMPTS)
            self.assertEqual(self.shortened_steps(server), 0)
        with process.Server(deployment(model, "1ms")) as server:
            for number in range(ATTEMPTS):  # the answer beside may have ended before the prompt came
                self.assertEqual(self.ask_beside_an_answer(server, number), expected[number])
                if self.shortened_steps(server) > 0 and number > 2:
                    break
            self.assertGreater(self.shortened_steps(server), 0)

    def test_a_dense_model(self):
        self.check(process.MODEL)

    def test_a_hybrid_model(self):
        self.check(HYBRID)

    def test_what_is_no_time_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(deployment(process.MODEL, "fast"))
            file.flush()
            done = subprocess.run([process.VERNAL, "check", file.name], capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r'max_step_time.*expected a number with a unit .*found "fast"')


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
