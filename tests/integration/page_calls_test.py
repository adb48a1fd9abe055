#!/usr/bin/env python3
"""A real model calls a tool, and the page shows the call and hands the result back.

  page_calls_test.py VERNAL MODEL.gguf BACKEND PLUGIN_DIR TEST_PLUGIN_DIR

Needs Chromium and the standard library; skips without a browser or the model.
"""
import os
import sys
import unittest

import serve_process_test as serving
from browser import Browser, find_browser

TOOLS = """[{"name": "get_weather", "description": "Get the current weather of a city.",
  "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]"""
LIMIT = 240  # seconds for an answer on a busy machine


class Calls(unittest.TestCase):
    def test_a_call_is_shown_and_its_result_goes_back(self):
        with serving.Server(serving.deployment(serving.HTTP)) as server, Browser() as browser:
            page = browser.open(f"http://127.0.0.1:{server.port}/")
            page.wait("document.querySelector('select[name=model]').value === 'tiny'")
            page.click("#open-settings")
            for name, text in (("tools", TOOLS), ("max_tokens", "100")):
                page.click(f"#settings-form [name={name}]")
                page.write(text)
            page.press("Escape")
            page.click("#message")
            page.write("What is the weather in Oslo now? Use the tool.")
            page.press("Enter")
            page.wait("document.querySelector('.results')", LIMIT)
            self.assertIn("Call of get_weather", page.text(".call"))
            self.assertRegex(page.text(".call pre"), r'"city": "Oslo')
            page.click(".results textarea")
            page.write("12 degrees, light rain")
            page.click(".results .small")
            page.wait("document.querySelectorAll('.answer .stats').length === 2", LIMIT)
            self.assertEqual(page.count(".result"), 1)
            self.assertEqual(page.faults(), [])


if __name__ == "__main__":
    if not os.path.exists(serving.MODEL):
        print(f"SKIPPED: there is no model {serving.MODEL}; tools/fetch_model.py fetches it")
        sys.exit(77)
    if not find_browser():
        print("SKIPPED: there is no Chromium; tools/install_packages.sh ci installs it")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
