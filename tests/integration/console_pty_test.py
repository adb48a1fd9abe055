#!/usr/bin/env python3
"""Drives a console conversation through a pseudo terminal and through pipes.

    console_pty_test.py [--slow SECONDS] [--start SECONDS] [--only TEXT] COMMAND [ARGUMENT...]

COMMAND is what a person would type: "vernal chat FILE", or any program that runs the console frontend.
The model may answer what it likes; only the console's own behaviour is checked.
"""

import argparse
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

COMMAND = []
PATIENCE = 20.0  # seconds for anything to appear
START_SECONDS = 1.0  # after which the command waits for input

PROMPT = re.compile(r"(?:^|[\r\n])(?:\x1b\[[0-9;]*[A-Za-z])*> ")
CTRL_C, CTRL_D, BACKSPACE, UP = "\x03", "\x04", "\x7f", "\x1b[A"
LONG_QUESTION = "Please count from 1 to 1000."


class Terminal:
    """A command on a pseudo terminal of its own; the locale of the process is C."""

    def __init__(self, command, rows=24, columns=80):
        self.text = ""
        self.seen = 0
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LC_") and k != "LANG"}
        environment["TERM"] = "xterm"
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(command[0], command, environment)
            finally:
                os._exit(127)
        self.resize(rows, columns)

    def resize(self, rows, columns):
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.descriptor, keys.encode())

    def read_some(self, seconds):
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:  # the other end is closed
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def expect(self, pattern, seconds=None):
        """Waits for a pattern after everything expected before; returns the text up to its end."""
        deadline = time.monotonic() + (seconds or PATIENCE)
        pattern = re.compile(pattern) if isinstance(pattern, str) else pattern
        while True:
            found = pattern.search(self.text, self.seen)
            if found:
                passed = self.text[self.seen : found.end()]
                self.seen = found.end()
                return passed
            left = deadline - time.monotonic()
            if left <= 0 or not self.read_some(left):
                shown = self.text[self.seen :]
                raise AssertionError(f"expected {pattern.pattern!r}; found {shown[-2000:]!r}")

    def expect_prompt(self):
        return self.expect(PROMPT)

    def wait(self):
        """Exit status after the output has ended."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.read_some(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"the process does not end; it wrote {self.text[-2000:]!r}")

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.descriptor)


class AtATerminal(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.terminal = Terminal(COMMAND)
        self.terminal.expect_prompt()

    def tearDown(self):
        self.terminal.close()
        self.folder.cleanup()

    def messages(self):
        """The conversation so far, by way of /save."""
        path = os.path.join(self.folder.name, "chat.json")
        self.terminal.type(f"/save {path}\r")
        self.terminal.expect("saved [0-9]+ messages")
        self.terminal.expect_prompt()
        with open(path, encoding="utf-8") as file:
            return json.load(file)["messages"]

    def ask(self, keys):
        self.terminal.type(keys + "\r")
        return self.terminal.expect_prompt()

    def last_question(self):
        return [m["content"] for m in self.messages() if m["role"] == "user"][-1]

    def test_answers_and_quits(self):
        self.ask("/set max_tokens 16")
        shown = self.ask("Say hello.")
        self.assertIn("tokens/s", shown)
        self.assertEqual([m["role"] for m in self.messages()][-2:], ["user", "assistant"])
        self.terminal.type("/quit\r")
        self.assertEqual(self.terminal.wait(), 0)

    def test_control_d_quits(self):
        self.terminal.type(CTRL_D)
        self.assertEqual(self.terminal.wait(), 0)

    def test_lists_commands_and_corrects_names(self):
        shown = self.ask("/help")
        for name in "help model system clear save load set stats regen quit".split():
            self.assertIn(f"/{name}", shown)
        self.assertIn("did you mean /regen?", self.ask("/regne"))
        self.assertIn("did you mean \"temperature\"?", self.ask("/set temprature 1"))

    def test_edits_text_beyond_ascii(self):
        self.ask("/set max_tokens 2")
        self.ask("grüßex" + BACKSPACE + " 中文 🙂x" + BACKSPACE * 2 + "€")
        self.assertEqual(self.last_question(), "grüße 中文 €")

    def test_recalls_the_line_before(self):
        self.ask("/set max_tokens 2")
        self.ask("first question")
        self.ask(UP + "?")
        self.assertEqual(self.last_question(), "first question?")

    def test_takes_several_lines(self):
        self.ask("/set max_tokens 2")
        self.terminal.type("one\\\r")
        self.terminal.expect(r"\.\.\. ")
        self.ask("two")
        self.assertEqual(self.last_question(), "one\ntwo")
        self.terminal.type('"""\r/quit\rend\\\r')
        self.ask('"""')
        self.assertEqual(self.last_question(), "/quit\nend\\")

    def test_control_c_stops_the_answer_only(self):
        self.ask("/set max_tokens 2000")
        self.terminal.type(LONG_QUESTION + "\r")
        self.terminal.expect(r"1000\.\s*\n[^\n]*[0-9A-Za-z]")  # the answer has begun
        begun = time.monotonic()
        self.terminal.type(CTRL_C)
        self.terminal.expect_prompt()
        self.assertLess(time.monotonic() - begun, 5.0)
        self.ask("/set max_tokens 2")
        self.ask("Say hello.")
        self.assertEqual(self.last_question(), "Say hello.")

    def test_control_c_at_the_prompt_forgets_the_line(self):
        self.ask("/set max_tokens 2")
        self.terminal.type("forgotten")
        self.terminal.expect("forgotten")
        self.terminal.type(CTRL_C)
        self.terminal.expect(r"\^C")
        self.terminal.expect_prompt()
        self.ask("kept")
        self.assertEqual(self.last_question(), "kept")
        self.terminal.type(CTRL_C)
        self.terminal.expect_prompt()
        self.terminal.type(CTRL_C)
        self.terminal.expect("/quit or Ctrl-D")
        self.terminal.expect_prompt()

    def test_follows_the_size_of_the_terminal(self):
        self.ask("/set max_tokens 2")
        self.terminal.resize(10, 20)
        text = "abcdefghi " * 10
        self.terminal.type(text)
        self.terminal.resize(24, 100)
        self.ask("end")
        self.assertEqual(self.last_question(), text + "end")

    def test_goes_on_after_a_suspension(self):
        self.ask("/set max_tokens 2")
        self.terminal.type("before ")
        self.terminal.expect("before ")
        os.kill(self.terminal.pid, signal.SIGSTOP)
        os.waitpid(self.terminal.pid, os.WUNTRACED)
        # What a shell does to the terminal of a job that stops.
        attributes = termios.tcgetattr(self.terminal.descriptor)
        attributes[3] |= termios.ICANON | termios.ECHO
        termios.tcsetattr(self.terminal.descriptor, termios.TCSANOW, attributes)
        os.kill(self.terminal.pid, signal.SIGCONT)
        self.terminal.expect("before ")  # the line is drawn again
        self.terminal.type("x" + BACKSPACE + "after")
        self.ask("")
        self.assertEqual(self.last_question(), "before after")

    def test_answers_again(self):
        self.ask("/set max_tokens 2")
        self.ask("Say hello.")
        self.ask("/regen")
        self.assertEqual([m["role"] for m in self.messages()][-2:], ["user", "assistant"])
        self.assertEqual(len([m for m in self.messages() if m["role"] == "user"]), 1)

    def test_a_failed_command_is_one_line(self):
        shown = self.ask("/load /no/such/file")
        self.assertEqual(len(re.findall("error:", shown)), 1)
        self.assertIn("No such file", shown)

    def test_ends_and_restores_the_terminal_at_sigterm(self):
        os.kill(self.terminal.pid, signal.SIGTERM)
        self.assertEqual(self.terminal.wait(), 0)
        modes = termios.tcgetattr(self.terminal.descriptor)[3]
        self.assertTrue(modes & termios.ICANON)
        self.assertTrue(modes & termios.ECHO)


class InAPipe(unittest.TestCase):
    def run_with(self, text, **more):
        return subprocess.run(COMMAND, input=text, capture_output=True, timeout=60 + PATIENCE, **more)

    def test_writes_the_answer_and_nothing_else(self):
        result = self.run_with("Say grüße.\n".encode())
        self.assertEqual(result.returncode, 0, result.stderr)
        answer = result.stdout.decode()
        self.assertTrue(answer.endswith("\n"))
        self.assertNotIn("\x1b", answer)
        self.assertNotIn("tokens/s", answer)
        self.assertFalse(answer.startswith("> "))

    def test_commands_are_text_there(self):
        result = self.run_with(b"/help\n")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn(b"/regen", result.stdout)

    def test_a_failure_is_seen_in_the_exit_status(self):
        result = self.run_with(b"")
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(result.stdout, b"")
        self.assertIn(b"expected a prompt", result.stderr)

    def test_a_reader_that_leaves_ends_the_process(self):
        process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        process.stdout.close()
        process.stdin.write(LONG_QUESTION.encode())
        process.stdin.close()
        self.assertIsNotNone(process.wait(timeout=60 + PATIENCE))

    def test_ends_at_sigterm_while_it_waits_for_input(self):
        process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        time.sleep(START_SECONDS)
        process.terminate()
        self.assertEqual(process.wait(timeout=PATIENCE), 0)
        process.stdin.close()
        process.stdout.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--slow", type=float, default=PATIENCE,
                        help="seconds for a prompt or an answer to appear")
    parser.add_argument("--start", type=float, default=START_SECONDS,
                        help="seconds until the command waits for input")
    parser.add_argument("--only", default="", help="run the tests whose names contain this")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    COMMAND[:] = arguments.command
    PATIENCE = arguments.slow
    START_SECONDS = arguments.start
    if not COMMAND:
        parser.error("a command is needed")
    suite = unittest.TestSuite(
        test
        for case in (AtATerminal, InAPipe)
        for test in unittest.defaultTestLoader.loadTestsFromTestCase(case)
        if arguments.only in test.id()
    )
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)
