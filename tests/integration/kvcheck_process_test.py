#!/usr/bin/env python3
"""`vernal perplexity` and `vernal kvcheck` on a small model.

  kvcheck_process_test.py VERNAL MODEL.gguf BACKEND PLUGIN_DIR TEXT
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

VERNAL, MODEL, BACKEND, PLUGINS, TEXT = (os.path.abspath(a) if "/" in a else a for a in sys.argv[1:6])
DEPLOYMENT = f"""schema = 1
[runtime]
plugin_paths = ["{PLUGINS}"]
[backends.b]
plugin = "{BACKEND}"
[models.tiny]
path = "{MODEL}"
backend = "b"
context_length = 512
"""


def vernal(command: str, *arguments: str) -> subprocess.CompletedProcess:
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(DEPLOYMENT)
        file.flush()
        return subprocess.run([VERNAL, command, file.name, *arguments], capture_output=True, text=True, timeout=120)


class Perplexity(unittest.TestCase):
    def test_is_a_number_with_its_error_and_is_repeatable(self):
        first = vernal("perplexity", "--text", TEXT, "--window", "64", "--tokens", "200", "--json")
        self.assertEqual(first.returncode, 0, first.stderr)
        found = json.loads(first.stdout)
        self.assertEqual(found["scored_tokens"], 3 * 31)
        self.assertGreater(found["perplexity"], 1)
        self.assertEqual(found["kv"], "f16")
        again = vernal("perplexity", "--text", TEXT, "--window", "64", "--tokens", "200", "--json")
        self.assertEqual(again.stdout, first.stdout)

    def test_refuses_what_it_cannot_do_and_says_where(self):
        for arguments, expected in [
            (["--text", "/nowhere.txt"], "--text: expected a text file, found none at /nowhere.txt"),
            (["--text", TEXT, "--window", "4"], "--window: expected at least 8 tokens, found 4"),
            (["--text", TEXT, "--window", "x"], '"x": expected a number of tokens'),
            (["--text", TEXT, "--window", "64", "--kv", "q7"], '--kv "q7": expected a format'),
            (["--text", TEXT, "--window", "4096K"], "expected at least one window of 4194304 tokens"),
        ]:
            result = vernal("perplexity", *arguments)
            self.assertEqual(result.returncode, 1, arguments)
            self.assertIn(expected, result.stderr)


class Kvcheck(unittest.TestCase):
    def test_compares_each_format_with_f16_with_rotation_and_without(self):
        result = vernal("kvcheck", "--text", TEXT, "--depth", "64,16", "--tokens", "40", "--kv", "f16,q8_0,f16/q4_0",
                        "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        found = json.loads(result.stdout)
        formats = [(f["keys"], f["values"], f["rotate"]) for f in found["formats"]]
        self.assertEqual(formats, [("f16", "f16", False), ("q8_0", "q8_0", False), ("q8_0", "q8_0", True),
                                   ("f16", "q4_0", False), ("f16", "q4_0", True)])
        for entry in found["formats"]:
            self.assertEqual([q["depth"] for q in entry["depths"]], [16, 64])
        same = found["formats"][0]["depths"][0]
        self.assertLess(same["kl_divergence"], 1e-6)
        self.assertEqual(same["top1_agreement"], 1)
        self.assertIn("kv_cache = {", found["recommendation"])

    def test_says_which_formats_the_backend_refuses(self):
        result = vernal("kvcheck", "--text", TEXT, "--depth", "16", "--tokens", "8", "--kv", "q5_1")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('KV format "q5_1": this backend stores', result.stdout)
        self.assertIn('keys = "f16"', result.stdout)

    def test_needs_enough_text(self):
        with tempfile.NamedTemporaryFile("w") as text:
            text.write("Hello world.")
            text.flush()
            result = vernal("kvcheck", "--text", text.name, "--depth", "64", "--tokens", "8")
            self.assertEqual(result.returncode, 1)
            self.assertIn("need more than 72 tokens, found", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
