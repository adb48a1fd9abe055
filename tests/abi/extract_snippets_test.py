#!/usr/bin/env python3
"""extract_snippets_test.py TOOLS: the tool that does what a document says finds every way in which it may not be true."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(sys.argv.pop(1)) / "extract_snippets.py"


def fenced(opening, *lines):
    return "\n".join([f"```{opening}", *lines, "```", ""])


class ExtractSnippets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out"

    def walk(self, *blocks, is_run=True):
        (self.folder / "guide.md").write_text("\n".join(blocks))
        command = [sys.executable, TOOL, *(["--run"] if is_run else []), self.out, self.folder / "guide.md"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def assert_found(self, done, text):
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(text, done.stderr)

    def test_joins_the_parts_of_a_file(self):
        done = self.walk(fenced("c file=a/b.c", "int a;"), "text", fenced("c file=a/b.c", "int b;"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.out / "a/b.c").read_text(), "int a;\n\nint b;\n")

    def test_runs_commands_between_the_parts(self):
        done = self.walk(fenced("text file=a", "one"), fenced("sh run", "wc -l < a"), fenced("text prints", "1"),
                         fenced("text file=a", "two"), fenced("sh run", "wc -l < a"), fenced("text prints", "3"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_runs_nothing_unless_asked(self):
        done = self.walk(fenced("sh run", "false"), is_run=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_walks_a_chapter_where_it_is_named(self):
        (self.folder / "chapter.md").write_text(fenced("text file=a", "two"))
        done = self.walk(fenced("text file=a", "one"), "<!-- walk chapter.md -->", "", fenced("text file=a", "three"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.out / "a").read_text(), "one\n\ntwo\n\nthree\n")

    def test_leaves_other_blocks_alone(self):
        self.assertEqual(self.walk(fenced("sh", "false"), fenced("", "false")).returncode, 0)

    def test_finds_a_command_that_fails(self):
        self.assert_found(self.walk(fenced("sh run", "false", "true")), "guide.md:1: expected success, found exit status 1")

    def test_finds_a_command_that_should_fail(self):
        self.assert_found(self.walk(fenced("sh fails", "echo why"), fenced("text prints", "why")),
                          "guide.md:1: expected a failure, found exit status 0")

    def test_finds_a_failure_without_its_text(self):
        self.assert_found(self.walk(fenced("sh fails", "false")), "what its commands print must follow")

    def test_finds_another_output(self):
        self.assert_found(self.walk(fenced("sh run", "echo one"), fenced("text prints", "two")), "do not print")

    def test_finds_another_order(self):
        self.assert_found(self.walk(fenced("sh run", "echo one; echo two"), fenced("text prints", "two", "one")), "one")

    def test_compares_whole_lines_with_dots_for_any_text(self):
        commands = fenced("sh run", "echo 'error: 12 of 13 (a+b)'")
        self.assertEqual(self.walk(commands, fenced("text prints", "error: ... of 13 (a+b)")).returncode, 0)
        self.assert_found(self.walk(commands, fenced("text prints", "12 of 13")), "do not print")

    def test_refuses_a_mark_it_does_not_know(self):
        self.assert_found(self.walk(fenced("sh runs", "true")), "guide.md:1: expected file=NAME, run, fails or prints")

    def test_refuses_a_file_outside(self):
        self.assert_found(self.walk(fenced("c file=../a.c", "int a;")), "inside the folder")

    def test_refuses_a_block_without_an_end(self):
        self.assert_found(self.walk("```sh run", "true"), "has no end")


if __name__ == "__main__":
    unittest.main()
