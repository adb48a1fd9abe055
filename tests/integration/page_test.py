#!/usr/bin/env python3
"""The page that vernal serves, used in a real browser.

  page_test.py VERNAL MODEL.gguf BACKEND PLUGIN_DIR TEST_PLUGIN_DIR [TEST...]

The page comes from vernal. Most tests put a server with scripted answers between it and the browser, to see what a small model
does not write; `Real` chats with vernal itself. Needs Chromium and the standard library; skips without a browser.
"""
import json
import os
import re
import tempfile
import threading
import unittest

import page_fixture
import serve_process_test as serving
from page_fixture import ANSWER, HELLO, IS_DONE, PageTest, Shared
from page_script import call, finish, say, think

TOOLS = '[{"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]'
setUpModule = page_fixture.set_up
tearDownModule = page_fixture.tear_down


class Chat(PageTest):
    def test_an_answer_is_shown_while_it_comes(self):
        more = threading.Event()
        self.say("Hi", say("First part, ") + [more] + say("second part.") + finish(generated=12, prompt=40, cached=30))
        self.page.wait(f"document.querySelector('{ANSWER} > .markdown')?.innerText.includes('First part')")
        self.assertNotIn("second", self.page.text(ANSWER))
        self.assertEqual(self.page.evaluate("document.getElementById('turns').getAttribute('aria-busy')"), "true")
        more.set()
        self.wait_for_answer()
        self.assertIn("First part, second part.", self.page.text(ANSWER))
        self.assertEqual(self.page.text(f"{ANSWER} .stats"),
                         "27.5 tokens/s · 12 tokens · prompt 40, 75\u00a0% reused · 5\u00a0% of the context used")
        request = self.script.requests[0]
        self.assertEqual((request["model"], request["stream"]), ("tiny", True))
        self.assertEqual(self.messages(), [("user", "Hi")])
        self.assertEqual(self.page.text("#announcer"), "The answer is complete.")

    def test_the_conversation_is_sent_with_each_turn(self):
        self.say("One", HELLO)
        self.wait_for_answer()
        self.say("Two", HELLO)
        self.page.wait(f"document.querySelectorAll('.stats').length === 2")
        self.assertEqual(self.messages(), [("user", "One"), ("assistant", "Hello, **world**."), ("user", "Two")])

    def test_stopping_ends_the_request_and_keeps_what_came(self):
        never = threading.Event()
        for how in ("button", "key"):
            self.script.is_gone.clear()
            self.say("Count", say("one two three ") + [never])
            self.page.wait(f"document.querySelector('{ANSWER} > .markdown')?.innerText.includes('three')")
            if how == "button":
                self.page.click("#stop")
            else:
                self.page.press("Escape")
            self.wait_for_answer()
            self.assertTrue(self.script.is_gone.wait(10), "the server is not told")
            self.assertIn("one two three", self.page.text(ANSWER))
            self.assertIn("Stopped.", self.page.text(ANSWER))
        self.say("Go on", HELLO)
        self.page.wait("document.querySelector('.stats')")
        self.assertEqual(self.messages()[:2], [("user", "Count"), ("assistant", "one two three ")])

    def test_an_answer_is_regenerated(self):
        self.say("Hi", say("A poor answer.") + finish())
        self.wait_for_answer()
        self.script.answers.append(say("A better answer.") + finish())
        self.click_text("Regenerate")
        self.page.wait(f"document.querySelector('{ANSWER}').innerText.includes('better')")
        self.wait_for_answer()
        self.assertEqual(self.page.count(".answer"), 1)
        self.assertEqual(self.messages(), [("user", "Hi")])

    def test_the_last_turn_of_the_user_is_edited(self):
        self.say("Hte first", HELLO)
        self.wait_for_answer()
        self.script.answers.append(say("Edited.") + finish())
        self.page.press("ArrowUp")
        self.page.wait("document.activeElement.value === 'Hte first'")
        self.page.press("Escape")
        self.page.wait("document.activeElement.id === 'message'")
        self.page.press("ArrowUp")
        self.page.wait("document.activeElement.value === 'Hte first'")
        self.page.evaluate("document.activeElement.select()")
        self.page.write("The first")
        self.page.press("Enter")
        self.page.wait(f"document.querySelector('{ANSWER}')?.innerText.includes('Edited')")
        self.assertEqual(self.messages(), [("user", "The first")])
        self.assertEqual(self.page.count(".turn"), 2)

    def test_thinking_is_folded(self):
        self.say("Why?", think("Because of the *weather*.") + say("So it is.") + finish())
        self.wait_for_answer()
        self.assertTrue(self.page.text(f"{ANSWER} summary").startswith("Thought"))
        self.assertFalse(self.page.evaluate("document.querySelector('.thinking').open"))
        self.page.click(".thinking summary")
        self.page.wait("document.querySelector('.thinking em')?.innerText === 'weather'")
        self.assertNotIn("weather", self.page.text(f"{ANSWER} > .markdown"))

    def test_calls_are_shown_and_get_results(self):
        calls = call("get_weather", '{"city": "Oslo"}') + call("get_time", "{}", index=1)
        self.say("Weather?", say("I look. ") + calls + finish("tool_calls"))
        self.page.wait("document.querySelectorAll('.results textarea').length === 2")
        self.assertIn("Call of get_weather", self.page.text(".call"))
        self.assertIn('"city": "Oslo"', self.page.text(".call pre"))
        self.script.answers.append(say("12 degrees.") + finish())
        self.page.click(".results textarea")
        self.page.write("12 °C")
        self.page.click(".results .small")
        self.page.wait(f"document.querySelector('{ANSWER}')?.innerText.includes('12 degrees')")
        messages = self.script.requests[-1]["messages"]
        self.assertEqual([message["role"] for message in messages], ["user", "assistant", "tool", "tool"])
        self.assertEqual(messages[1]["tool_calls"][0]["function"], {"name": "get_weather", "arguments": '{"city": "Oslo"}'})
        self.assertEqual((messages[2]["tool_call_id"], messages[2]["content"]), (messages[1]["tool_calls"][0]["id"], "12 °C"))

    def test_warnings_and_cut_answers_are_told(self):
        warned = [{**HELLO[0], "warnings": ["A tool stands in a preamble."]}]
        self.say("Hi", warned + HELLO[1:-2] + finish("length"))
        self.page.wait(f"document.querySelectorAll('{ANSWER} .note').length === 2")
        self.assertIn("preamble", self.page.text(f"{ANSWER} .notes"))
        self.assertIn("limit of tokens", self.page.text(f"{ANSWER} .notes"))


class Faults(PageTest):
    expected_fault = "Failed to load resource"

    def test_a_refusal_is_shown_and_tried_again(self):
        error = {"message": "The model is being loaded.", "type": "server_error", "code": "model_loading"}
        self.say("Hi", (503, error))
        self.page.wait(f"document.querySelector('{ANSWER} .error')")
        self.assertEqual(self.page.text(f"{ANSWER} .error"), "The model is being loaded.")
        self.script.answers.append(HELLO)
        self.click_text("Try again")
        self.page.wait(f"document.querySelector('{ANSWER} .stats')")
        self.assertEqual(self.messages(), [("user", "Hi")])

    def test_an_error_within_the_stream_keeps_what_came(self):
        self.say("Hi", say("Half of ") + [{"error": {"message": "The step failed.", "code": "internal_error"}}])
        self.page.wait(f"document.querySelector('{ANSWER} .error')")
        self.assertIn("Half of", self.page.text(ANSWER))
        self.assertIn("The step failed.", self.page.text(f"{ANSWER} .error"))

    def test_a_server_that_is_gone_is_told(self):
        self.server.__exit__()
        self.doCleanups()
        self.say("Hi")
        self.page.wait(f"document.querySelector('{ANSWER} .error')")
        self.assertEqual(self.page.text(f"{ANSWER} .error"), "The server cannot be reached.")


class Around(PageTest):
    def test_a_conversation_outlives_the_page_and_can_be_brought_back(self):
        self.say("Remember me", HELLO)
        self.wait_for_answer()
        self.page.load()
        self.page.wait(IS_DONE)
        self.assertIn("Remember me", self.page.text("#turns"))
        self.page.click("#new-chat")
        self.page.wait("document.querySelectorAll('.turn').length === 0")
        self.click_text("Undo")
        self.page.wait("document.querySelectorAll('.turn').length === 2")

    def test_settings_are_sent_and_kept(self):
        self.page.click("#open-settings")
        for name, text in (("system", "Be brief."), ("temperature", "0.25"), ("max_tokens", "50"), ("tools", TOOLS)):
            self.page.click(f"#settings-form [name={name}]")
            self.page.write(text)
        self.page.press("Escape")
        self.say("Hi", HELLO)
        self.wait_for_answer()
        request = self.script.requests[0]
        self.assertEqual(self.messages(), [("system", "Be brief."), ("user", "Hi")])
        self.assertEqual((request["temperature"], request["max_tokens"]), (0.25, 50))
        self.assertEqual(request["tools"], [{"type": "function", "function": json.loads(TOOLS)[0]}])
        self.assertNotIn("top_p", request)
        self.page.load()
        self.page.wait("document.querySelector('[name=temperature]').value === '0.25'")

    def test_a_setting_that_cannot_be_sent_is_shown_before_anything_is_sent(self):
        self.page.click("#open-settings")
        self.page.click("[name=tools]")
        self.page.write('[{"nam')
        self.assertIn("not JSON", self.page.text("#tools-fault"))
        self.page.press("Escape")
        self.say("Hi", HELLO)
        self.page.wait("document.activeElement.name === 'tools'")
        self.assertEqual(self.script.requests, [])
        self.assertEqual(self.page.evaluate("document.getElementById('message').value"), "Hi")

    def test_the_conversation_is_exported(self):
        self.say("Hi", think("Hm.") + say("Hello.\n\n```\ncode\n```") + finish())
        self.wait_for_answer()
        with tempfile.TemporaryDirectory() as folder:
            self.page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=folder)
            for button, name in (("#export-markdown", "conversation.md"), ("#export-json", "conversation.json")):
                self.page.click("#open-settings")
                self.page.click(button)
                self.page.press("Escape")
                path = os.path.join(folder, name)
                Shared.vernal.wait_until(lambda: os.path.exists(path) and os.path.getsize(path) > 0)
            with open(os.path.join(folder, "conversation.md")) as file:
                self.assertEqual(file.read(), "## You\n\nHi\n\n## tiny\n\n> Hm.\n\nHello.\n\n```\ncode\n```\n")
            with open(os.path.join(folder, "conversation.json")) as file:
                roles = [message["role"] for message in json.load(file)["messages"]]
            self.assertEqual(roles, ["user", "assistant"])

    def test_colours_follow_the_system_or_the_choice(self):
        paper = "getComputedStyle(document.body).backgroundColor"
        self.page.prefer("dark")
        dark = self.page.evaluate(paper)
        self.page.prefer("light")
        self.assertNotEqual(self.page.evaluate(paper), dark)
        self.page.click("#open-settings")
        self.page.click("#theme [value=dark]")
        self.assertEqual(self.page.evaluate(paper), dark)
        self.page.load()
        self.assertEqual(self.page.evaluate(paper), dark)

    def test_nothing_is_wider_than_a_small_phone(self):
        self.page.resize(320, 640, is_phone=True)
        wide = "| a | b | c |\n|---|---|---|\n| " + " | ".join(["word " * 12] * 3) + " |\n\n```\n" + "x" * 300 + "\n```\n\n" + "w" * 200
        self.say("y" * 200, say(wide, 200) + finish())
        self.wait_for_answer()
        self.assertEqual(self.page.evaluate("document.documentElement.scrollWidth"), 320)
        self.assertLessEqual(self.page.evaluate("document.getElementById('scroller').scrollWidth"), 320)

    def test_what_can_be_used_has_a_name_for_screen_readers(self):
        self.say("Weather?", call("get_weather", "{}") + finish("tool_calls"))
        self.page.wait("document.querySelector('.results')")
        self.page.click("#open-settings")
        self.page.call("Accessibility.enable")
        nodes = self.page.call("Accessibility.getFullAXTree")["nodes"]
        self.page.press("Escape")
        nodes += self.page.call("Accessibility.getFullAXTree")["nodes"]
        found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
        usable = [(role, name) for role, name in found if role in ("button", "textbox", "combobox", "radio", "spinbutton", "dialog")]
        self.assertGreater(len(usable), 20)
        self.assertEqual([role for role, name in usable if not name.strip()], [])
        for role in ("log", "main", "banner", "navigation", "status", "article"):
            self.assertIn(role, [found_role for found_role, _ in found])


class Real(unittest.TestCase):
    """The page and vernal alone."""

    def test_a_model_chats_and_is_stopped(self):
        page = Shared.browser.open(f"http://127.0.0.1:{Shared.vernal.port}/")
        page.wait("document.querySelector('select[name=model]').value === 'tiny'")
        for name, text in (("max_tokens", "12"), ("temperature", "0")):
            page.evaluate(f"document.querySelector('[name={name}]').value = '{text}'")
        page.click("#message")
        page.write(serving.PROMPT)
        page.press("Enter")
        page.wait("document.querySelector('.stats')")
        expected = Shared.vernal.chat(max_tokens=12)["choices"][0]["message"]["content"]
        self.assertEqual(page.evaluate("JSON.parse(localStorage['vernal.conversation'])[1].content"), expected)
        self.assertRegex(page.text(".stats"), r"^[\d.]+ tokens/s · 12 tokens · prompt \d+, \d+\s% reused")
        page.evaluate("document.querySelector('[name=max_tokens]').value = '900'")
        page.click("#message")
        page.write("Go on")
        page.press("Enter")
        page.wait("document.querySelectorAll('.answer').length === 2 && document.querySelector('.answer:last-child').innerText")
        page.press("Escape")
        page.wait("document.querySelector('.answer:last-child .note')")
        Shared.vernal.wait_until(lambda: re.search(r'vernal_requests_running\{[^}]*\} 0', self.metrics()))
        self.assertEqual(page.faults(), [])

    def metrics(self):
        connection, response = Shared.vernal.request("GET", "/metrics")
        text = response.read().decode()
        connection.close()
        return text

    def test_a_key_is_asked_for_where_one_is_needed(self):
        with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
            keys.write("the-key\n")
            keys.flush()
            os.chmod(keys.name, 0o600)
            more = f'api_keys_file = "{keys.name}"\ncors_origins = ["https://elsewhere.example"]\n'
            with serving.Server(serving.deployment(serving.HTTP + more)) as server:
                page = Shared.browser.open(f"http://127.0.0.1:{server.port}/")
                page.wait("document.activeElement.name === 'key'")
                page.write("the-key")
                page.press("Escape")
                page.wait("document.querySelector('select[name=model]').value === 'tiny'")
                page.evaluate("document.querySelector('[name=max_tokens]').value = '4'")
                page.click("#message")
                page.write("Hello")
                page.press("Enter")
                page.wait("document.querySelector('.stats')")
                self.assertNotIn("the-key", page.evaluate("JSON.stringify(localStorage)"))
                self.assertEqual([fault for fault in page.faults() if "401" not in fault], [])


if __name__ == "__main__":
    page_fixture.run()
