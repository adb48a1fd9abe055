"""What the tests of the page share: a browser, vernal, and a fresh page for each test."""
import json
import sys
import unittest

import serve_process_test as serving
from browser import Browser, find_browser
from page_script import ScriptedServer, finish, say

HELLO = say("Hello, **world**.") + finish()
ANSWER = "#turns .answer:last-child"
IS_DONE = f"document.querySelector('{ANSWER} .stats, {ANSWER} .note, {ANSWER} .error')"


class Shared:
    """One browser and one server for all tests of a process."""

    browser = None
    vernal = None


def set_up():
    Shared.browser = Browser()
    Shared.vernal = serving.Server(serving.deployment(serving.HTTP))
    Shared.vernal.__enter__()


def tear_down():
    Shared.browser.__exit__()
    Shared.vernal.__exit__()


class PageTest(unittest.TestCase):
    """A fresh page for each test, which must end without a fault in its console."""

    expected_fault = None  # what a browser logs of answers that are refused

    def setUp(self):
        self.server = ScriptedServer(Shared.vernal.port)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)
        self.script = self.server.script
        self.page = Shared.browser.open(f"http://127.0.0.1:{self.server.port}/")
        self.page.wait("document.querySelector('select[name=model]').value === 'tiny'")

    def tearDown(self):
        faults = [fault for fault in self.page.faults() if not (self.expected_fault and self.expected_fault in fault)]
        self.assertEqual(faults, [])

    def say(self, text, *answers):
        self.script.answers += answers
        self.page.click("#message")
        self.page.write(text)
        self.page.press("Enter")

    def wait_for_answer(self):
        self.page.wait(IS_DONE)

    def click_text(self, text):
        """Clicks the last small button of that text."""
        self.page.evaluate(f"""[...document.querySelectorAll('#turns .small, #notice .small')]
            .filter((button) => button.textContent === {json.dumps(text)}).at(-1).id = 'wanted'""")
        self.page.click("#wanted")
        self.page.evaluate("document.getElementById('wanted')?.removeAttribute('id')")

    def messages(self, request=-1):
        return [(message["role"], message["content"]) for message in self.script.requests[request]["messages"]]


def run():
    """Runs the tests of the calling script, or skips where there is no browser."""
    if not find_browser():
        print("SKIPPED: there is no Chromium; tools/install_packages.sh ci installs it")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[6:], verbosity=2)
